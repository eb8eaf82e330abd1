/* What targets must not notice, and what may happen to them at any time: attaching and closing, stopped processes, calls
 * that block, breakpoints that are left, SIGKILL at every moment. */
#include "library.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY (WARP_ALL & ~WARP_STEP)

static int wait_for(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* A thread that was let go needs a moment to take part in the group stop again. */
static void wait_for_state(pid_t pid, char state)
{
	for (int i = 0; state_of(pid) != state; i++) {
		assert_true(i < 1000000);
		sched_yield();
	}
}

/* ---- closing ---- */

/* Eight threads, each in a call of another kind, are stopped, looked at and let go many times. None sees EINTR. */
static void test_blocking_calls(void **state)
{
	struct guest guest = guest_start_plain("block");
	struct warp_event event;

	guest_ready(&guest);
	for (int i = 0; i < 10; i++) {
		ok(warp_open_pid(tracer, guest.pid, WARP_NONBLOCK, &guest.target));
		if (i % 3 == 1) { /* also while every call is watched */
			set_mask(guest.target, WARP_SIGNAL | WARP_BEFORE_CALL);
			event = next_event(guest.target, WARP_BEFORE_CALL);
			go_on(guest.target, event.tid);
		} else if (i % 3 == 2) {
			set_mask(guest.target, WARP_BREAKPOINT);
			ok(warp_suspend(guest.target));
		}
		warp_close(guest.target);
	}
	guest_go(&guest);
	assert_int_equal(WEXITSTATUS(wait_for(guest.pid)), DONE);
	close(guest.in);
	close(guest.out);
}

/* The same calls under one tracer that interrupts them again and again. */
static void test_blocking_calls_interrupted(void **state)
{
	struct guest guest = guest_open("block", 0);

	set_mask(guest.target, WARP_EXIT);
	guest_ready(&guest);
	for (int i = 0; i < 50; i++) {
		ok(warp_suspend(guest.target));
		ok(warp_resume(guest.target));
	}
	guest_go(&guest);
	int status = guest_finish(&guest);

	assert_int_equal(WEXITSTATUS(status), DONE);
	guest_close(&guest);
}

static void test_stopped_stays_stopped(void **state)
{
	struct guest guest = guest_start_plain("wait");
	struct warp_thread thread;

	guest_ready(&guest);
	for (int i = 0; i < 5; i++) {
		kill(guest.pid, SIGSTOP);
		assert_int_equal(waitpid(guest.pid, NULL, WUNTRACED), guest.pid);
		ok(warp_open_pid(tracer, guest.pid, 0, &guest.target));
		ok(warp_thread(guest.target, guest.pid, &thread));
		assert_true(thread.stopped);
		if (i % 2)
			set_mask(guest.target, EVERY); /* it stays in its group stop */
		warp_close(guest.target);
		wait_for_state(guest.pid, 'T');
		kill(guest.pid, SIGCONT);
		assert_int_equal(waitpid(guest.pid, NULL, WCONTINUED), guest.pid);
	}
	guest_go(&guest);
	assert_int_equal(WEXITSTATUS(wait_for(guest.pid)), DONE);
	close(guest.in);
	close(guest.out);
}

/* SIGCONT comes while the target is stopped for us: it goes on afterwards. */
static void test_continued_meanwhile(void **state)
{
	struct guest guest = guest_start_plain("wait");

	guest_ready(&guest);
	kill(guest.pid, SIGSTOP);
	assert_int_equal(waitpid(guest.pid, NULL, WUNTRACED), guest.pid);
	ok(warp_open_pid(tracer, guest.pid, 0, &guest.target));
	kill(guest.pid, SIGCONT);
	set_mask(guest.target, 0);
	guest_go(&guest);
	struct warp_event event;

	assert_int_equal(warp_wait(guest.target, &event, 60000), -ESRCH);
	guest_close(&guest); /* its end was reported to the tracer, and to nobody else */
	assert_int_equal(waitpid(guest.pid, NULL, 0), -1);
}

static uint64_t counter_of(pid_t pid, uint64_t at)
{
	uint64_t value = 0;
	struct iovec here = {&value, 8}, there = {(void *)(uintptr_t)at, 8};

	assert_int_equal(process_vm_readv(pid, &here, 1, &there, 1, 0), 8);
	return value;
}

/* Closed at any moment between a breakpoint's hits, a program runs on without it. */
static void test_close_among_breakpoints(void **state)
{
	struct guest guest = guest_start_plain("marker-spin");
	unsigned long long marker, counter;
	char line[80];

	guest_line(&guest, line, sizeof(line));
	assert_int_equal(sscanf(line, "%llx %llx", &marker, &counter), 2);
	guest_go(&guest);
	for (int i = 0; i < 30; i++) {
		ok(warp_open_pid(tracer, guest.pid, 0, &guest.target));
		ok(warp_break(guest.target, marker, i % 2 ? WARP_BREAK : WARP_BREAK_HW, 0));
		set_mask(guest.target, WARP_BREAKPOINT);
		for (int hit = 0; hit < i % 4; hit++)
			go_on(guest.target, next_event(guest.target, WARP_BREAKPOINT).tid);
		warp_close(guest.target);
		uint64_t before = counter_of(guest.pid, counter);

		while (counter_of(guest.pid, counter) == before)
			assert_int_equal(waitpid(guest.pid, NULL, WNOHANG), 0);
	}
	kill(guest.pid, SIGKILL);
	wait_for(guest.pid);
	close(guest.in);
	close(guest.out);
}

static void test_kill_on_close(void **state)
{
	struct guest guest = guest_open("marker-spin", WARP_KILL_ON_CLOSE);
	char line[80];

	set_mask(guest.target, 0);
	guest_line(&guest, line, sizeof(line));
	guest_close(&guest);
	assert_int_equal(state_of(guest.pid), 0); /* and nothing is left of it */
	guest = guest_open("wait", WARP_KILL_ON_CLOSE);
	guest_close(&guest); /* that has never run */
	assert_int_equal(state_of(guest.pid), 0);
}

/* A target that was not to be killed runs on to its end, although it was never told to go on. */
static void test_close_lets_go(void **state)
{
	struct guest guest = guest_open("wait", 0);

	char byte;

	warp_close(guest.target);
	guest_ready(&guest);
	guest_go(&guest);
	assert_int_equal(read(guest.out, &byte, 1), 0);
	close(guest.in);
	close(guest.out);
}

/* ---- every role, under each way of watching it ---- */

static void run_role(const char *role, uint32_t mask)
{
	struct guest guest = guest_open(role, 0);
	struct warp_event event;

	set_mask(guest.target, mask | WARP_EXIT);
	do {
		event = next_event(guest.target, 0);
		if (event.cause == WARP_CLONE && (pid_t)event.a != event.tid)
			go_on(guest.target, (pid_t)event.a);
		/* -ESRCH: another thread's exec or end has taken it along. */
		if (event.cause != WARP_EXIT)
			warp_go(guest.target,
				&(struct warp_go){.tid = event.tid, .flags = WARP_KEEP_MASK});
	} while (event.cause != WARP_EXIT || !event.b);
	if (!WIFEXITED(event.a) || WEXITSTATUS(event.a) != DONE)
		fail_msg("role %s with mask %#x ended with %#x", role, mask, (unsigned)event.a);
	guest_close(&guest);
}

static void test_roles(void **state)
{
	static const char *const roles[] = {"exec-thread",  "leader-exits", "children",
					    "many-threads", "stops",	    "queue",
					    "tour"};
	static const uint32_t masks[] = {0, WARP_SIGNAL, WARP_CLONE | WARP_EXEC,
					 WARP_BEFORE_CALL | WARP_AFTER_CALL, EVERY};

	for (unsigned i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		for (unsigned m = 0; m < sizeof(masks) / sizeof(*masks); m++)
			run_role(roles[i], masks[m]);
}

/* ---- SIGKILL at any moment ---- */

struct killer {
	pid_t pid;
	int go[2];
};

static void *kill_when_told(void *argument)
{
	struct killer *killer = argument;
	char byte;

	if (read(killer->go[0], &byte, 1) == 1)
		kill(killer->pid, SIGKILL);
	return NULL;
}

/* Handles events until its end; at the one of that number the other thread begins to kill. */
static void handle_until_killed(struct guest *guest, struct killer *killer, unsigned when)
{
	struct warp_event event;
	struct warp_thread thread;
	unsigned seen = 0;
	char bytes[64];
	pid_t tids[64];

	for (;;) {
		int got = warp_wait(guest->target, &event, 60000);

		if (got == -ESRCH)
			return;
		if (got != 1)
			fail_msg("no end came: %s", warp_error());
		if (seen++ == when)
			assert_int_equal(write(killer->go[1], "x", 1), 1);
		/* Whatever is asked for, it may be gone in the middle. */
		warp_thread(guest->target, event.tid, &thread);
		warp_read(guest->target, event.b, bytes, sizeof(bytes));
		warp_threads(guest->target, tids, 64);
		if (seen % 5 == 0 && warp_suspend(guest->target) == 0)
			warp_resume(guest->target);
		warp_go(guest->target, &(struct warp_go){.flags = WARP_KEEP_MASK});
	}
}

static void kill_during(const char *role, uint32_t mask, unsigned when)
{
	struct guest guest = guest_open(role, 0);
	struct killer killer = {.pid = guest.pid};
	pthread_t thread;

	assert_return_code(pipe(killer.go), errno);
	assert_int_equal(pthread_create(&thread, NULL, kill_when_told, &killer), 0);
	set_mask(guest.target, mask);
	handle_until_killed(&guest, &killer, when);
	close(killer.go[1]);
	pthread_join(thread, NULL);
	close(killer.go[0]);
	guest_close(&guest);
}

static void test_killed_at_any_moment(void **state)
{
	static const char *const roles[] = {"many-threads", "children", "exec-thread", "queue"};
	unsigned seed = 1;

	for (unsigned i = 0; i < 120; i++)
		kill_during(roles[i % 4], i % 3 ? EVERY : WARP_CLONE | WARP_EXIT,
			    (unsigned)rand_r(&seed) % 100);
}

/* The tracer ends while everything is under way. */
static void test_destroy(void **state)
{
	static const char *const roles[] = {"marker-spin", "wait", "spin-threads", "stops"};
	struct warp_tracer *other, *usual = tracer;

	for (int round = 0; round < 10; round++) {
		struct guest guests[4];

		ok(warp_tracer_create(&other));
		tracer = other;
		for (int i = 0; i < 4; i++) {
			guests[i] = guest_open(roles[i], i == 3 ? 0 : WARP_KILL_ON_CLOSE);
			set_mask(guests[i].target, i % 2 ? EVERY : 0);
		}
		warp_tracer_destroy(other);
		tracer = usual;
		for (int i = 0; i < 4; i++) {
			close(guests[i].in);
			close(guests[i].out);
			if (i == 3) /* it was let go */
				assert_int_equal(WEXITSTATUS(wait_for(guests[i].pid)), DONE);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocking_calls),
		cmocka_unit_test(test_blocking_calls_interrupted),
		cmocka_unit_test(test_stopped_stays_stopped),
		cmocka_unit_test(test_continued_meanwhile),
		cmocka_unit_test(test_close_among_breakpoints),
		cmocka_unit_test(test_kill_on_close),
		cmocka_unit_test(test_close_lets_go),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_killed_at_any_moment),
		cmocka_unit_test(test_destroy),
	};

	guest_path = argv[1];
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
