/* A program as it is written for <mach/mach.h>: it forks, suspends its child, prints the registers of all
 * its threads, and resumes it. The child has loaded known values. */
#include <mach/mach.h>
#include <mach/mach_types.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int ready)
{
	__asm__ volatile("mov $0x1111111111111111, %%rbx\n"
			 "mov $0x2222222222222222, %%r12\n"
			 "mov $0x3333333333333333, %%r13\n"
			 "mov $0x4444444444444444, %%r14\n"
			 "mov $0x5555555555555555, %%r15\n"
			 "mov $1, %%eax\n" /* write: ready */
			 "syscall\n"
			 "1: pause\n"
			 "jmp 1b\n"
			 :
			 : "D"(ready), "S"("x"), "d"(1)
			 : "rbx", "r12", "r13", "r14", "r15", "memory");
}

static void print_registers(thread_act_t thread)
{
	x86_thread_state_t state;
	mach_msg_type_number_t count = x86_THREAD_STATE_COUNT;
	kern_return_t kr =
		thread_get_state(thread, x86_THREAD_STATE, (thread_state_t)&state, &count);

	if (kr != KERN_SUCCESS) {
		fprintf(stderr, "thread_get_state: %s\n", mach_error_string(kr));
		exit(1);
	}
	printf("flavor %d count %d\n", state.tsh.flavor, state.tsh.count);
	printf("rax %#llx rbx %#llx rcx %#llx rdx %#llx\n", state.uts.ts64.__rax,
	       state.uts.ts64.__rbx, state.uts.ts64.__rcx, state.uts.ts64.__rdx);
	printf("r12 %#llx r13 %#llx r14 %#llx r15 %#llx\n", state.uts.ts64.__r12,
	       state.uts.ts64.__r13, state.uts.ts64.__r14, state.uts.ts64.__r15);
	printf("rip %#llx rsp %#llx rflags %#llx\n", state.uts.ts64.__rip, state.uts.ts64.__rsp,
	       state.uts.ts64.__rflags);
}

int main(void)
{
	thread_act_port_array_t threads;
	mach_msg_type_number_t count;
	task_t task;
	kern_return_t kr;
	int fds[2], status;
	char byte;

	if (pipe(fds))
		return 1;
	pid_t pid = fork();

	if (pid == 0)
		child(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		return 1;
	kr = task_for_pid(mach_task_self(), pid, &task);
	if (kr != KERN_SUCCESS) {
		fprintf(stderr, "task_for_pid: %s\n", mach_error_string(kr));
		return 1;
	}
	kr = task_suspend(task);
	if (kr != KERN_SUCCESS) {
		fprintf(stderr, "task_suspend: %s\n", mach_error_string(kr));
		return 1;
	}
	kr = task_threads(task, &threads, &count);
	if (kr != KERN_SUCCESS) {
		fprintf(stderr, "task_threads: %s\n", mach_error_string(kr));
		return 1;
	}
	printf("threads %u\n", count);
	for (mach_msg_type_number_t i = 0; i < count; i++) {
		print_registers(threads[i]);
		mach_port_deallocate(mach_task_self(), threads[i]);
	}
	vm_deallocate(mach_task_self(), (vm_address_t)threads, count * sizeof(*threads));
	kr = task_resume(task);
	if (kr != KERN_SUCCESS) {
		fprintf(stderr, "task_resume: %s\n", mach_error_string(kr));
		return 1;
	}
	mach_port_deallocate(mach_task_self(), task);
	kill(pid, SIGTERM);
	if (wait(&status) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
		return 1;
	printf("the child has ended\n");
	return 0;
}
