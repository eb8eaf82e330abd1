/* Layer (a): threads, registers, memory, calls, breakpoints, steps; values against gdb's. */
#include "library.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static struct user_regs_struct general(struct warp_target *target, pid_t tid)
{
	struct user_regs_struct regs;
	size_t size = sizeof(regs);

	ok(warp_get_regs(target, tid, WARP_GENERAL, &regs, &size));
	assert_int_equal(size, sizeof(regs));
	return regs;
}

static int finish_opened(struct guest *guest)
{
	set_mask(guest->target, WARP_EXIT);
	guest_go(guest);
	return (int)next_event(guest->target, WARP_EXIT).a;
}

/* ---- registers ---- */

static void test_registers_are_observed(void **state)
{
	struct guest guest = guest_open("registers", 0);
	struct user_fpregs_struct floats;
	struct user_regs_struct regs;
	size_t size = sizeof(floats);
	static const uint64_t wide[2] = {0x0123456789abcdef, 0xfedcba9876543210};

	set_mask(guest.target, WARP_EXIT);
	guest_ready(&guest);
	do { /* until it is in its loop */
		ok(warp_suspend(guest.target));
		regs = general(guest.target, guest.pid);
		if (regs.r12 != 0x7e577e57)
			ok(warp_resume(guest.target));
	} while (regs.r12 != 0x7e577e57);
	ok(warp_get_regs(guest.target, guest.pid, WARP_FLOAT, &floats, &size));
	assert_int_equal(size, sizeof(floats));
	memcpy(&floats.xmm_space[4 * 7], wide, sizeof(wide));
	ok(warp_set_regs(guest.target, guest.pid, WARP_FLOAT, &floats, size));
	regs.r12 = 0x1122334455667788;
	ok(warp_set_regs(guest.target, guest.pid, WARP_GENERAL, &regs, sizeof(regs)));
	assert_int_equal(general(guest.target, guest.pid).r12, regs.r12);
	ok(warp_resume(guest.target));
	assert_int_equal(WEXITSTATUS(next_event(guest.target, WARP_EXIT).a), DONE);
	guest_close(&guest);
}

static void test_flavors(void **state)
{
	struct guest guest = guest_open("wait", WARP_KILL_ON_CLOSE);
	unsigned char vector[16384], again[16384];
	uint64_t debug[8], debug_again[8];
	size_t size = sizeof(vector), size_again = sizeof(again);

	ok(warp_get_regs(guest.target, guest.pid, WARP_VECTOR, vector, &size));
	assert_true(size >= 576);
	vector[160 + 16 * 3] ^= 0xff; /* xmm3 */
	vector[512] |= 2;	      /* its component is in use */
	ok(warp_set_regs(guest.target, guest.pid, WARP_VECTOR, vector, size));
	ok(warp_get_regs(guest.target, guest.pid, WARP_VECTOR, again, &size_again));
	assert_int_equal(size, size_again);
	assert_int_equal(vector[160 + 16 * 3], again[160 + 16 * 3]);
	size = sizeof(debug);
	ok(warp_get_regs(guest.target, guest.pid, WARP_DEBUG, debug, &size));
	debug[1] = general(guest.target, guest.pid).rip;
	ok(warp_set_regs(guest.target, guest.pid, WARP_DEBUG, debug, size));
	ok(warp_get_regs(guest.target, guest.pid, WARP_DEBUG, debug_again, &size));
	assert_int_equal(debug_again[1], debug[1]);
	size = 8;
	assert_int_equal(warp_get_regs(guest.target, guest.pid, WARP_GENERAL, debug, &size),
			 -ENOSPC);
	set_mask(guest.target, 0);
	guest_ready(&guest);
	size = sizeof(debug);
	assert_int_equal(warp_get_regs(guest.target, guest.pid, WARP_DEBUG, debug, &size), -EBUSY);
	guest_close(&guest);
}

/* ---- against gdb ---- */

struct seen {
	pid_t tid;
	unsigned long long rip, rsp, r12;
};

static size_t see(struct warp_target *target, struct seen *seen)
{
	pid_t tids[16];
	int count = warp_threads(target, tids, 16);

	ok(count);
	for (int i = 0; i < count; i++) {
		struct user_regs_struct regs = general(target, tids[i]);

		seen[i] = (struct seen){tids[i], regs.rip, regs.rsp, regs.r12};
	}
	return (size_t)count;
}

static size_t ask_gdb(pid_t pid, struct seen *seen)
{
	char command[512], line[256];
	size_t count = 0;

	snprintf(command, sizeof(command),
		 "gdb -q -nx -batch -p %d -ex 'python\n"
		 "for t in gdb.selected_inferior().threads():\n"
		 "  t.switch()\n"
		 "  f = gdb.newest_frame()\n"
		 "  v = [int(f.read_register(r)) & (1 << 64) - 1 for r in (\"rip\", \"rsp\", "
		 "\"r12\")]\n"
		 "  print(\"seen\", t.ptid[1], *v)\n' 2>&1",
		 pid);
	FILE *gdb = popen(command, "r");

	assert_non_null(gdb);
	while (fgets(line, sizeof(line), gdb)) {
		struct seen one;

		if (sscanf(line, "seen %d %llu %llu %llu", &one.tid, &one.rip, &one.rsp,
			   &one.r12) == 4 &&
		    count < 16)
			seen[count++] = one;
	}
	pclose(gdb);
	return count;
}

static const struct seen *find(const struct seen *seen, size_t count, pid_t tid)
{
	for (size_t i = 0; i < count; i++)
		if (seen[i].tid == tid)
			return &seen[i];
	return NULL;
}

/* Both look at a process that SIGSTOP keeps still: one after the other, since there is one tracer. */
static void test_values_of_gdb(void **state)
{
	struct guest guest = guest_start_plain("spin-threads");
	struct seen ours[16], theirs[16];

	if (system("gdb --version >/dev/null 2>&1")) {
		kill(guest.pid, SIGKILL);
		waitpid(guest.pid, NULL, 0);
		puts("skipped: gdb is not installed");
		skip();
	}
	guest_ready(&guest);
	kill(guest.pid, SIGSTOP);
	assert_int_equal(waitpid(guest.pid, NULL, WUNTRACED), guest.pid);
	ok(warp_open_pid(tracer, guest.pid, 0, &guest.target));
	size_t count = see(guest.target, ours);

	guest_close(&guest);
	size_t gdb_count = ask_gdb(guest.pid, theirs);

	assert_int_equal(count, 6);
	assert_int_equal(gdb_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct seen *their = find(theirs, gdb_count, ours[i].tid);

		assert_non_null(their);
		assert_int_equal(ours[i].rip, their->rip);
		assert_int_equal(ours[i].rsp, their->rsp);
		assert_int_equal(ours[i].r12, their->r12);
	}
	kill(guest.pid, SIGKILL);
	waitpid(guest.pid, NULL, 0);
}

static void test_threads(void **state)
{
	struct guest guest = guest_open("spin-threads", WARP_KILL_ON_CLOSE);
	struct warp_thread thread;
	pid_t tids[16];

	set_mask(guest.target, 0);
	guest_ready(&guest);
	ok(warp_suspend(guest.target));
	assert_int_equal(warp_threads(guest.target, tids, 16), 6);
	assert_int_equal(warp_threads(guest.target, tids, 2), 6);
	for (int i = 0; i < 2; i++) {
		ok(warp_thread(guest.target, tids[i], &thread));
		assert_true(thread.stopped);
		assert_string_equal(thread.name, "library_guest");
		assert_int_equal(thread.state, 't');
	}
	assert_int_equal(warp_thread(guest.target, 1, &thread), -ESRCH);
	ok(warp_resume(guest.target));
	assert_int_equal(warp_resume(guest.target), -EINVAL);
	guest_close(&guest);
}

/* ---- memory and calls ---- */

static void test_memory_and_calls(void **state)
{
	struct guest guest = guest_open("wait", 0);
	uint64_t addr = 0, args[6] = {0};
	char text[8192], back[8192];
	int64_t result;

	memset(text, 'w', sizeof(text));
	ok(warp_mmap(guest.target, &addr, 8192, PROT_READ | PROT_WRITE, 0, 0, 0));
	assert_int_equal(warp_write(guest.target, addr, text, sizeof(text)), sizeof(text));
	assert_int_equal(warp_read(guest.target, addr, back, sizeof(back)), sizeof(back));
	assert_memory_equal(text, back, sizeof(text));
	assert_int_equal(warp_read(guest.target, addr + 8000, back, 100), 100);
	ok(warp_munmap(guest.target, addr, 8192));
	assert_int_equal(warp_read(guest.target, addr, back, 1), -EFAULT);
	assert_int_equal(warp_write(guest.target, 8, back, 1), -EFAULT);
	ok(warp_call(guest.target, guest.pid, SYS_getpid, args, &result));
	assert_int_equal(result, guest.pid);
	args[0] = 9999;
	ok(warp_call(guest.target, 0, SYS_close, args, &result));
	assert_int_equal(result, -EBADF);
	set_mask(guest.target, WARP_EXIT);
	guest_ready(&guest);
	/* Also out of the call that it blocks in, which goes on afterwards. */
	ok(warp_suspend(guest.target));
	for (int i = 0; i < 20; i++) {
		ok(warp_call(guest.target, guest.pid, SYS_gettid, args, &result));
		assert_int_equal(result, guest.pid);
	}
	ok(warp_resume(guest.target));
	assert_int_equal(WEXITSTATUS(finish_opened(&guest)), DONE);
	guest_close(&guest);
}

/* A call for us from a stop of each kind leaves that stop as it was. */
static void test_calls_from_any_stop(void **state)
{
	static const char *const roles[] = {"tour", "queue", "children", "exec-thread"};
	uint64_t args[6] = {0};
	int64_t result;

	for (unsigned i = 0; i < 4; i++) {
		struct guest guest = guest_open(roles[i], 0);
		struct warp_event event;

		set_mask(guest.target, WARP_ALL & ~WARP_STEP);
		do {
			event = next_event(guest.target, 0);
			if (event.cause == WARP_EXIT)
				continue;
			int failed = warp_call(guest.target, event.tid, SYS_getpid, args, &result);

			/* A thread that waits for its vfork child can make none. */
			if (failed != -ESRCH && result != guest.pid && result != -EBUSY)
				fail_msg("role %s, cause %#x: %d, %lld", roles[i], event.cause,
					 failed, (long long)result);
			go_on(guest.target, event.tid);
			if (event.cause == WARP_CLONE && (pid_t)event.a != event.tid)
				go_on(guest.target, (pid_t)event.a);
		} while (event.cause != WARP_EXIT || !event.b);
		assert_int_equal(WEXITSTATUS(event.a), DONE);
		guest_close(&guest);
	}
}

/* ---- breakpoints ---- */

static uint64_t marker_of(struct guest *guest, uint64_t *counter)
{
	unsigned long long address, counted;
	char line[80];

	guest_line(guest, line, sizeof(line));
	assert_int_equal(sscanf(line, "%llx %llx", &address, &counted), 2);
	*counter = counted;
	return address;
}

/* Four threads pass it fifty times each. */
static void count_hits(enum warp_breakpoint kind)
{
	struct guest guest = guest_open("marker", 0);
	struct warp_event event;
	unsigned hits = 0;
	uint64_t counter;

	set_mask(guest.target, 0);
	uint64_t at = marker_of(&guest, &counter);
	unsigned char before, during;

	assert_int_equal(warp_read(guest.target, at, &before, 1), 1);
	ok(warp_break(guest.target, at, kind, 0));
	assert_int_equal(warp_break(guest.target, at, kind, 0), -EEXIST);
	assert_int_equal(warp_read(guest.target, at, &during, 1), 1);
	assert_int_equal(before, during);
	set_mask(guest.target, WARP_BREAKPOINT | WARP_EXIT);
	guest_go(&guest);
	do {
		event = next_event(guest.target, 0);
		if (event.cause == WARP_EXIT)
			continue;
		assert_int_equal(event.cause, WARP_BREAKPOINT);
		assert_int_equal(event.a, at);
		assert_int_equal(general(guest.target, event.tid).rip, at);
		if (++hits == 200)
			ok(warp_unbreak(guest.target,
					at)); /* it checks that its code is as it was */
		go_on(guest.target, event.tid);
	} while (event.cause != WARP_EXIT || !event.b);
	assert_int_equal(hits, 200);
	assert_int_equal(WEXITSTATUS(event.a), DONE);
	guest_close(&guest);
}

static void test_breakpoint_of_threads(void **state)
{
	count_hits(WARP_BREAK);
}

static void test_hardware_breakpoint_of_threads(void **state)
{
	count_hits(WARP_BREAK_HW);
}

static void test_watchpoint(void **state)
{
	struct guest guest = guest_open("marker-fork", 0);
	struct warp_event event;
	unsigned hits = 0;
	uint64_t counter, value;

	set_mask(guest.target, 0);
	marker_of(&guest, &counter);
	assert_int_equal(warp_break(guest.target, counter + 1, WARP_WATCH_WRITE, 8), -EINVAL);
	ok(warp_break(guest.target, counter, WARP_WATCH_WRITE, 8));
	set_mask(guest.target, WARP_BREAKPOINT | WARP_EXIT);
	guest_go(&guest);
	while ((event = next_event(guest.target, 0)).cause == WARP_BREAKPOINT) {
		assert_int_equal(warp_read(guest.target, counter, &value, 8), 8);
		assert_int_equal(value, ++hits); /* after the write */
		go_on(guest.target, event.tid);
	}
	assert_int_equal(hits, 2);
	assert_int_equal(WEXITSTATUS(event.a), DONE);
	guest_close(&guest);
}

/* The forked child, which is not followed, must not meet it. */
static void test_breakpoint_and_fork(void **state)
{
	struct guest guest = guest_open("marker-fork", 0);
	struct warp_event event;
	unsigned hits = 0;
	uint64_t counter;

	set_mask(guest.target, 0);
	ok(warp_break(guest.target, marker_of(&guest, &counter), WARP_BREAK, 0));
	set_mask(guest.target, WARP_BREAKPOINT | WARP_EXIT);
	guest_go(&guest);
	while ((event = next_event(guest.target, 0)).cause == WARP_BREAKPOINT) {
		hits++;
		go_on(guest.target, event.tid);
	}
	assert_int_equal(hits, 2);
	assert_int_equal(WEXITSTATUS(event.a), DONE);
	guest_close(&guest);
}

/* ---- steps ---- */

static void test_step(void **state)
{
	struct guest guest = guest_open("done", WARP_KILL_ON_CLOSE);
	uint64_t rip = general(guest.target, guest.pid).rip;

	/* Of a suspended process. */
	for (int i = 0; i < 100; i++) {
		ok(warp_step(guest.target, guest.pid));
		uint64_t now = general(guest.target, guest.pid).rip;

		assert_true(now != rip || i > 0);
		rip = now;
	}
	/* Of a thread stopped for an event. */
	set_mask(guest.target, WARP_BEFORE_CALL);
	struct warp_event event = next_event(guest.target, WARP_BEFORE_CALL);

	rip = general(guest.target, event.tid).rip;
	set_mask(guest.target, 0);
	guest_close(&guest);
	assert_true(rip != 0);
}

/* Single-stepping shows nothing of itself. */
static void test_steps_are_hidden(void **state)
{
	struct guest guest = guest_open("steps", 0);
	uint64_t steps = 0;
	struct warp_event event;

	set_mask(guest.target, WARP_BEFORE_CALL | WARP_EXIT);
	do { /* up to its first getppid */
		event = next_event(guest.target, WARP_BEFORE_CALL);
		if (event.a == SYS_getppid)
			break;
		go_on(guest.target, event.tid);
	} while (true);
	set_mask(guest.target, WARP_STEP | WARP_EXIT);
	while ((event = next_event(guest.target, 0)).cause == WARP_STEP) {
		steps++;
		go_on(guest.target, event.tid);
	}
	assert_true(steps > 1000);
	assert_int_equal(WEXITSTATUS(event.a), DONE);
	guest_close(&guest);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers_are_observed),
		cmocka_unit_test(test_flavors),
		cmocka_unit_test(test_values_of_gdb),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_memory_and_calls),
		cmocka_unit_test(test_calls_from_any_stop),
		cmocka_unit_test(test_breakpoint_of_threads),
		cmocka_unit_test(test_hardware_breakpoint_of_threads),
		cmocka_unit_test(test_watchpoint),
		cmocka_unit_test(test_breakpoint_and_fork),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_steps_are_hidden),
	};

	guest_path = argv[1];
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
