/* Checks each call of the Mach interface (compat/mach) against what the target itself sees.
 *
 * The target is a forked child with two threads: one counts in shared memory, one does what it is told. Each
 * check prints its name; what is wrong ends the program with 1. With an argument it only asks for the task of
 * that process and prints what it is told. */
#include <errno.h>
#include <mach/mach.h>
#include <mach/mach_vm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	 4096u
#define EXPECTED 0x0123456789abcdefull

/* Seen by both. */
static struct shared {
	volatile uint64_t count[2]; /* of the threads */
	volatile uint64_t seen;	    /* what the second found in its registers */
	volatile int ready, go;
	volatile int call_error;
	volatile int probe_result;
	volatile uintptr_t probe; /* an address that the first is to write to */
} * shared;

static int fds[2];

static void fail(const char *what, kern_return_t kr)
{
	printf("wrong: %s: %s (%s)\n", what, mach_error_string(kr), mach_warp_explanation());
	exit(1);
}

#define EXPECT(call, expected)                                 \
	do {                                                   \
		kern_return_t kr_ = (call);                    \
		if (kr_ != (expected))                         \
			fail(#call " is not " #expected, kr_); \
		if (kr_ && !*mach_warp_explanation())          \
			fail(#call " is not explained", kr_);  \
	} while (0)

#define CHECK(condition)                                \
	do {                                            \
		if (!(condition))                       \
			fail(#condition, KERN_SUCCESS); \
	} while (0)

/* ---- the target ---- */

/* Spins with a value in a register until that is changed, and in a vector register. */
static void *spinner(void *unused)
{
	uint64_t value = EXPECTED, low;

	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	__asm__ volatile("movq %0, %%xmm7\n"
			 "1: incq 8(%2)\n"
			 "pause\n"
			 "cmpq %0, %3\n"
			 "je 1b\n"
			 "movq %%xmm7, %1\n"
			 : "+&r"(value), "=&r"(low)
			 : "r"(shared->count), "r"(EXPECTED)
			 : "xmm7", "cc", "memory");
	shared->seen = value ^ low;
	for (;;)
		shared->count[1]++;
	return NULL;
}

static void run_target(void)
{
	pthread_t thread;
	char byte;

	pthread_create(&thread, NULL, spinner, NULL);
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	if (read(fds[0], &byte, 1) < 0) /* to be aborted */
		shared->call_error = errno;
	for (;;) {
		shared->count[0]++;
		if (shared->probe) {
			*(volatile char *)shared->probe = 7;
			shared->probe_result = *(volatile char *)shared->probe;
			shared->probe = 0;
		}
	}
}

/* ---- the checks ---- */

static void wait_until(volatile uint64_t *word, uint64_t other_than)
{
	while (*word == other_than)
		;
}

static void check_names(pid_t pid, task_t *task)
{
	task_t again;
	int found;

	EXPECT(task_for_pid(mach_task_self(), -1, task), KERN_FAILURE);
	CHECK(*task == MACH_PORT_NULL);
	EXPECT(task_for_pid(mach_task_self(), 0x7fffffff, task), KERN_FAILURE);
	EXPECT(task_for_pid(mach_task_self(), pid, task), KERN_SUCCESS);
	EXPECT(task_for_pid(mach_task_self(), pid, &again), KERN_SUCCESS);
	CHECK(again == *task && MACH_PORT_VALID(again));
	EXPECT(mach_port_deallocate(mach_task_self(), again), KERN_SUCCESS);
	EXPECT(pid_for_task(*task, &found), KERN_SUCCESS);
	CHECK(found == pid);
	EXPECT(task_for_pid(mach_task_self(), getpid(), &again), KERN_SUCCESS);
	CHECK(again == mach_task_self());
	EXPECT(mach_port_deallocate(mach_task_self(), 0xbad03), KERN_INVALID_NAME);
	EXPECT(mach_port_deallocate(*task, *task), KERN_INVALID_TASK);
	EXPECT(task_suspend(0xbad03), MACH_SEND_INVALID_DEST);
	EXPECT(task_suspend(mach_task_self()), KERN_FAILURE);
	EXPECT(thread_suspend(*task), KERN_INVALID_ARGUMENT);
	CHECK(!strcmp(mach_error_string(KERN_INVALID_ARGUMENT), "(os/kern) invalid argument"));
	CHECK(!strcmp(mach_error_string(MACH_SEND_INVALID_DEST),
		      "(ipc/send) invalid destination port"));
	CHECK(!strcmp(mach_error_string(12345), "unknown error code"));
	printf("names\n");
}

static void check_still(volatile uint64_t *word)
{
	uint64_t before = *word;

	for (int i = 0; i < 1000; i++)
		sched_yield();
	CHECK(*word == before);
}

static void check_suspension(task_t task)
{
	EXPECT(task_resume(task), KERN_FAILURE);
	EXPECT(task_suspend(task), KERN_SUCCESS);
	check_still(&shared->count[1]);
	EXPECT(task_suspend(task), KERN_SUCCESS);
	EXPECT(task_resume(task), KERN_SUCCESS);
	check_still(&shared->count[1]);
	EXPECT(task_resume(task), KERN_SUCCESS);
	wait_until(&shared->count[1], shared->count[1]);
	EXPECT(task_resume(task), KERN_FAILURE);
	printf("suspension\n");
}

static void check_abort(thread_act_t main_thread)
{
	x86_thread_state64_t state;
	mach_msg_type_number_t count = x86_THREAD_STATE64_COUNT;

	EXPECT(thread_get_state(main_thread, x86_THREAD_STATE64, (thread_state_t)&state, &count),
	       KERN_SUCCESS);
	CHECK(shared->call_error == 0 && shared->count[0] == 0);
	EXPECT(thread_abort(main_thread), KERN_SUCCESS);
	wait_until(&shared->count[0], 0);
	CHECK(shared->call_error == EINTR);
	/* It is in no call now. */
	EXPECT(thread_abort(main_thread), KERN_SUCCESS);
	printf("abort\n");
}

static void check_thread_suspension(task_t task, thread_act_t one, thread_act_t other)
{
	EXPECT(thread_resume(one), KERN_FAILURE);
	EXPECT(thread_suspend(one), KERN_SUCCESS);
	check_still(&shared->count[0]);
	wait_until(&shared->count[1], shared->count[1]);
	/* Together with the task, in either order. */
	EXPECT(task_suspend(task), KERN_SUCCESS);
	check_still(&shared->count[1]);
	EXPECT(thread_suspend(other), KERN_SUCCESS);
	EXPECT(thread_resume(one), KERN_SUCCESS);
	check_still(&shared->count[0]);
	EXPECT(task_resume(task), KERN_SUCCESS);
	wait_until(&shared->count[0], shared->count[0]);
	check_still(&shared->count[1]);
	EXPECT(thread_suspend(other), KERN_SUCCESS);
	EXPECT(thread_resume(other), KERN_SUCCESS);
	check_still(&shared->count[1]);
	/* Suspended and resumed while all stand still: it never was. */
	EXPECT(task_suspend(task), KERN_SUCCESS);
	EXPECT(thread_suspend(one), KERN_SUCCESS);
	EXPECT(thread_resume(one), KERN_SUCCESS);
	EXPECT(task_resume(task), KERN_SUCCESS);
	wait_until(&shared->count[0], shared->count[0]);
	EXPECT(thread_resume(other), KERN_SUCCESS);
	wait_until(&shared->count[1], shared->count[1]);
	EXPECT(thread_resume(other), KERN_FAILURE);
	printf("threads\n");
}

static void check_counts(thread_act_t thread)
{
	natural_t words[THREAD_STATE_MAX];
	mach_msg_type_number_t count = x86_THREAD_STATE64_COUNT - 1;

	CHECK(x86_THREAD_STATE64_COUNT == 42 && x86_THREAD_STATE_COUNT == 44 &&
	      x86_FLOAT_STATE64_COUNT == 131 && x86_AVX_STATE64_COUNT == 211 &&
	      x86_AVX512_STATE64_COUNT == 611 && VM_REGION_BASIC_INFO_COUNT_64 == 9);
	EXPECT(thread_get_state(thread, x86_THREAD_STATE64, words, &count), KERN_INVALID_ARGUMENT);
	count = THREAD_STATE_MAX;
	EXPECT(thread_get_state(thread, 99, words, &count), KERN_INVALID_ARGUMENT);
	EXPECT(thread_get_state(thread, x86_THREAD_STATE, words, &count), KERN_SUCCESS);
	CHECK(count == 44 && words[0] == x86_THREAD_STATE64 && words[1] == 42);
	count = THREAD_STATE_MAX;
	EXPECT(thread_get_state(thread, x86_AVX_STATE64, words, &count), KERN_SUCCESS);
	CHECK(count == 211);
	count = THREAD_STATE_MAX;
	EXPECT(thread_get_state(thread, x86_AVX512_STATE64, words, &count), KERN_SUCCESS);
	CHECK(count == 611);
	count = THREAD_STATE_MAX;
	EXPECT(thread_get_state(thread, x86_DEBUG_STATE64, words, &count), KERN_SUCCESS);
	CHECK(count == 16);
	printf("counts\n");
}

/* The register in which `spinner` has the value is found by it. */
static unsigned long long *find_value(x86_thread_state64_t *state)
{
	unsigned long long *registers = (unsigned long long *)state;

	for (int i = 0; i < 16; i++)
		if (registers[i] == EXPECTED)
			return &registers[i];
	fail("the value is in no register", KERN_SUCCESS);
	return NULL;
}

static void check_float(thread_act_t thread)
{
	x86_float_state64_t state;
	mach_msg_type_number_t count = x86_FLOAT_STATE64_COUNT;
	uint64_t value;

	EXPECT(thread_get_state(thread, x86_FLOAT_STATE64, (thread_state_t)&state, &count),
	       KERN_SUCCESS);
	memcpy(&value, &state.__fpu_xmm7, sizeof(value));
	CHECK(count == 131 && value == EXPECTED);
	CHECK(state.__fpu_fcw.__invalid && state.__fpu_fcw.__pc == FP_PREC_64B &&
	      state.__fpu_mxcsr == 0x1f80);
	value = ~EXPECTED;
	memcpy(&state.__fpu_xmm7, &value, sizeof(value));
	EXPECT(thread_set_state(thread, x86_FLOAT_STATE64, (thread_state_t)&state, count),
	       KERN_SUCCESS);
}

static void check_state(thread_act_t thread)
{
	x86_thread_state_t state;
	mach_msg_type_number_t count = x86_THREAD_STATE_COUNT;

	check_float(thread);
	EXPECT(thread_get_state(thread, x86_THREAD_STATE, (thread_state_t)&state, &count),
	       KERN_SUCCESS);
	/* The value, or what it is compared with. */
	*find_value(&state.uts.ts64) = 1;
	EXPECT(thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&state, 3),
	       KERN_INVALID_ARGUMENT);
	EXPECT(thread_set_state(thread, x86_THREAD_STATE, (thread_state_t)&state, count),
	       KERN_SUCCESS);
	wait_until(&shared->seen, 0);
	CHECK(shared->seen == (EXPECTED ^ ~EXPECTED) || shared->seen == (1 ^ ~EXPECTED));
	printf("states\n");
}

static void check_memory(task_t task)
{
	static char text[] = "written by another";
	mach_vm_address_t address = 0;
	mach_vm_size_t size;
	vm_offset_t data;
	mach_msg_type_number_t count;
	char copy[sizeof(text)];

	EXPECT(mach_vm_allocate(task, &address, 2 * PAGE, VM_FLAGS_ANYWHERE), KERN_SUCCESS);
	CHECK(address && address % PAGE == 0);
	EXPECT(mach_vm_write(task, address + 100, (vm_offset_t)text, sizeof(text)), KERN_SUCCESS);
	EXPECT(mach_vm_read(task, address + 100, sizeof(text), &data, &count), KERN_SUCCESS);
	CHECK(count == sizeof(text) && !memcmp((void *)data, text, count));
	EXPECT(vm_deallocate(mach_task_self(), data, count), KERN_SUCCESS);
	EXPECT(mach_vm_read_overwrite(task, address + 100, sizeof(copy), (mach_vm_address_t)copy,
				      &size),
	       KERN_SUCCESS);
	CHECK(size == sizeof(copy) && !memcmp(copy, text, sizeof(copy)));
	shared->probe = address; /* the target itself can use it */
	while (shared->probe)
		;
	CHECK(shared->probe_result == 7);
	EXPECT(mach_vm_read(task, 8, 8, &data, &count), KERN_INVALID_ADDRESS);
	EXPECT(mach_vm_write(task, 8, (vm_offset_t)text, 8), KERN_INVALID_ADDRESS);
	mach_vm_address_t taken = address;

	EXPECT(mach_vm_allocate(task, &taken, PAGE, VM_FLAGS_FIXED), KERN_NO_SPACE);
	EXPECT(mach_vm_allocate(task, &taken, PAGE, VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE),
	       KERN_SUCCESS);
	EXPECT(mach_vm_deallocate(task, address, 2 * PAGE), KERN_SUCCESS);
	EXPECT(mach_vm_read(task, address, 8, &data, &count), KERN_INVALID_ADDRESS);
	printf("memory\n");
}

static void check_protection(task_t task)
{
	mach_vm_address_t address = 0, place;
	mach_vm_size_t size;
	vm_region_basic_info_data_64_t info;
	mach_msg_type_number_t count = VM_REGION_BASIC_INFO_COUNT_64;
	mach_port_t object = 5;

	EXPECT(mach_vm_allocate(task, &address, 4 * PAGE, VM_FLAGS_ANYWHERE), KERN_SUCCESS);
	EXPECT(mach_vm_protect(task, address + PAGE, PAGE, FALSE, VM_PROT_READ), KERN_SUCCESS);
	EXPECT(mach_vm_protect(task, address + 2 * PAGE, PAGE, FALSE, VM_PROT_NONE), KERN_SUCCESS);
	place = address + PAGE + 17;
	EXPECT(mach_vm_region(task, &place, &size, VM_REGION_BASIC_INFO_64, (vm_region_info_t)&info,
			      &count, &object),
	       KERN_SUCCESS);
	CHECK(place == address + PAGE && size == PAGE && info.protection == VM_PROT_READ &&
	      count == VM_REGION_BASIC_INFO_COUNT_64 && object == MACH_PORT_NULL && !info.shared);
	EXPECT(mach_vm_write(task, address + PAGE - 4, (vm_offset_t) "abcdefgh", 8),
	       KERN_PROTECTION_FAILURE);
	EXPECT(mach_vm_read_overwrite(task, address + 2 * PAGE, 1, (mach_vm_address_t)&size, &size),
	       KERN_PROTECTION_FAILURE);
	EXPECT(mach_vm_protect(task, 0, PAGE, FALSE, VM_PROT_READ), KERN_INVALID_ADDRESS);
	EXPECT(mach_vm_protect(task, address, PAGE, TRUE, VM_PROT_READ), KERN_NOT_SUPPORTED);
	place = (mach_vm_address_t)(uintptr_t)shared;
	EXPECT(mach_vm_region(task, &place, &size, VM_REGION_BASIC_INFO, (vm_region_info_t)&info,
			      &count, &object),
	       KERN_SUCCESS);
	CHECK(info.shared && info.protection == (VM_PROT_READ | VM_PROT_WRITE));
	place = ~0ull - PAGE;
	EXPECT(mach_vm_region(task, &place, &size, VM_REGION_BASIC_INFO_64, (vm_region_info_t)&info,
			      &count, &object),
	       KERN_INVALID_ADDRESS);
	EXPECT(mach_vm_deallocate(task, address, 4 * PAGE), KERN_SUCCESS);
	printf("protection\n");
}

/* The same calls on ourselves. */
static void check_own_memory(void)
{
	vm_address_t address = 0;

	EXPECT(vm_allocate(mach_task_self(), &address, 100, VM_FLAGS_ANYWHERE), KERN_SUCCESS);
	*(volatile char *)address = 1;
	EXPECT(vm_protect(mach_task_self(), address, 100, FALSE, VM_PROT_READ), KERN_SUCCESS);
	EXPECT(vm_write(mach_task_self(), address, (vm_offset_t) "x", 1), KERN_PROTECTION_FAILURE);
	EXPECT(vm_deallocate(mach_task_self(), address, 100), KERN_SUCCESS);
	printf("own memory\n");
}

static void check_end(pid_t pid, task_t task, thread_act_t thread)
{
	natural_t words[THREAD_STATE_MAX];
	mach_msg_type_number_t count = THREAD_STATE_MAX;
	int status, found;

	EXPECT(task_suspend(task), KERN_SUCCESS);
	EXPECT(task_terminate(task), KERN_SUCCESS);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT(task_suspend(task), MACH_SEND_INVALID_DEST);
	EXPECT(thread_get_state(thread, x86_THREAD_STATE, words, &count), MACH_SEND_INVALID_DEST);
	EXPECT(pid_for_task(task, &found), KERN_FAILURE);
	EXPECT(mach_port_deallocate(mach_task_self(), thread), KERN_SUCCESS);
	EXPECT(mach_port_deallocate(mach_task_self(), task), KERN_SUCCESS);
	EXPECT(mach_port_deallocate(mach_task_self(), task), KERN_INVALID_NAME);
	EXPECT(task_for_pid(mach_task_self(), pid, &task), KERN_FAILURE);
	printf("end\n");
}

/* A child has no claim on what its parent has suspended. */
static void check_fork(task_t task)
{
	int status;

	EXPECT(task_suspend(task), KERN_SUCCESS);
	pid_t pid = fork();

	if (pid == 0) {
		EXPECT(task_resume(task), MACH_SEND_INVALID_DEST);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	EXPECT(task_resume(task), KERN_SUCCESS);
	wait_until(&shared->count[1], shared->count[1]);
	printf("fork\n");
}

static int ask_for(pid_t pid)
{
	task_t task;
	kern_return_t kr = task_for_pid(mach_task_self(), pid, &task);

	printf("%d %s: %s\n", kr, mach_error_string(kr), mach_warp_explanation());
	return 0;
}

int main(int argc, char **argv)
{
	thread_act_array_t threads;
	mach_msg_type_number_t count;
	task_t task;

	if (argc > 1)
		return ask_for(atoi(argv[1]));
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe(fds))
		return 1;
	pid_t pid = fork();

	if (pid == 0)
		run_target();
	while (shared->ready < 2)
		sched_yield();
	check_names(pid, &task);
	check_suspension(task);
	EXPECT(task_threads(task, &threads, &count), KERN_SUCCESS);
	CHECK(count == 2);
	check_abort(threads[0]);
	check_thread_suspension(task, threads[0], threads[1]);
	check_counts(threads[0]);
	check_state(threads[1]);
	check_memory(task);
	check_protection(task);
	check_own_memory();
	check_fork(task);
	EXPECT(mach_port_deallocate(mach_task_self(), threads[0]), KERN_SUCCESS);
	check_end(pid, task, threads[1]);
	return 0;
}
