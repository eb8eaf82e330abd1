/* Layer (b): event descriptors. Fifty targets in one poll loop, each with a mask of its own; decisions that are
 * made late; children that wait; O_NONBLOCK; the end. */
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGETS 50

/* ---- the poll loop ---- */

/* What the role `tour` does, as events: of calls only getppid counts. */
static const uint32_t tour[] = {WARP_BEFORE_CALL, WARP_AFTER_CALL, WARP_SIGNAL, WARP_CLONE,
				WARP_EXIT,	  WARP_EXEC,	   WARP_EXIT};
#define TOUR (sizeof(tour) / sizeof(*tour))

/* Every combination of causes, but the most frequent one of steps. */
static uint32_t mask_of(unsigned i)
{
	static const uint32_t bits[] = {WARP_EXIT,   WARP_BEFORE_CALL, WARP_AFTER_CALL,
					WARP_SIGNAL, WARP_CLONE,       WARP_EXEC};
	uint32_t mask = 0;

	for (unsigned bit = 0; bit < 6; bit++)
		if (i & 1u << bit)
			mask |= bits[bit];
	return mask;
}

struct watched {
	struct guest guest;
	uint32_t mask, seen[16];
	unsigned count;
	bool ended;
};

static bool counts(const struct warp_event *event)
{
	return !(event->cause & (WARP_BEFORE_CALL | WARP_AFTER_CALL)) || event->a == SYS_getppid;
}

static void on_ready(struct watched *w)
{
	struct warp_event event;
	ssize_t got = read(warp_fd(w->guest.target), &event, sizeof(event));

	if (got == 0) {
		w->ended = true;
		return;
	}
	assert_int_equal(got, sizeof(event));
	assert_true(event.cause & w->mask);
	if (counts(&event) && w->count < 16)
		w->seen[w->count++] = event.cause;
	if (event.cause == WARP_EXIT)
		return;
	struct warp_go go = {.mask = w->mask, .tid = event.cause == WARP_CLONE ? 0 : event.tid};

	assert_int_equal(write(warp_fd(w->guest.target), &go, sizeof(go)), sizeof(go));
}

static void check_seen(const struct watched *w)
{
	unsigned at = 0;

	for (unsigned i = 0; i < TOUR; i++) {
		if (!(tour[i] & w->mask))
			continue;
		if (at >= w->count || w->seen[at] != tour[i])
			fail_msg("mask %#x: event %u was to be %#x, was %#x", w->mask, at, tour[i],
				 at < w->count ? w->seen[at] : 0);
		at++;
	}
	assert_int_equal(at, w->count);
}

static void test_poll_loop(void **state)
{
	static struct watched all[TARGETS];
	struct pollfd fds[TARGETS];
	unsigned left = TARGETS;

	for (unsigned i = 0; i < TARGETS; i++) {
		all[i] = (struct watched){.mask = mask_of(i)};
		all[i].guest = guest_open("tour", WARP_NONBLOCK);
		fds[i] = (struct pollfd){warp_fd(all[i].guest.target), POLLIN, 0};
	}
	for (unsigned i = 0; i < TARGETS; i++) /* a mask alone resumes, too */
		assert_int_equal(write(fds[i].fd, &all[i].mask, 4), 4);
	while (left) {
		assert_true(poll(fds, TARGETS, 60000) > 0);
		for (unsigned i = 0; i < TARGETS; i++) {
			if (!fds[i].revents)
				continue;
			on_ready(&all[i]);
			if (all[i].ended) {
				fds[i].fd = -1;
				left--;
			}
		}
	}
	for (unsigned i = 0; i < TARGETS; i++) {
		check_seen(&all[i]);
		guest_close(&all[i].guest);
	}
}

/* ---- single matters ---- */

static void test_steps(void **state)
{
	struct guest guest = guest_open("done", WARP_NONBLOCK);
	uint64_t before = 0;

	set_mask(guest.target, WARP_STEP);
	for (int i = 0; i < 2000; i++) {
		struct warp_event event = next_event(guest.target, WARP_STEP);

		assert_int_equal(event.tid, guest.pid);
		assert_true(event.a != 0);
		assert_true(i == 0 || event.a != before || i > 1);
		before = event.a;
		go_on(guest.target, event.tid);
	}
	assert_int_equal(WEXITSTATUS(guest_finish(&guest)), DONE);
	guest_close(&guest);
}

/* Calls, and steps over all but calls, at the same time. */
static void test_steps_and_calls(void **state)
{
	struct guest guest = guest_open("done", 0);
	unsigned calls = 0, ends = 0, steps = 0;

	set_mask(guest.target, WARP_STEP | WARP_BEFORE_CALL | WARP_AFTER_CALL);
	while (calls < 3 || ends < 3) {
		struct warp_event event = next_event(guest.target, 0);

		calls += event.cause == WARP_BEFORE_CALL;
		ends += event.cause == WARP_AFTER_CALL;
		steps += event.cause == WARP_STEP;
		go_on(guest.target, event.tid);
	}
	assert_true(steps > 100);
	assert_int_equal(WEXITSTATUS(guest_finish(&guest)), DONE);
	guest_close(&guest);
}

static bool is_secret(struct warp_target *target, const struct warp_event *event)
{
	char text[6];

	return event->a == SYS_write && warp_read(target, event->c, text, 6) == 6 &&
	       !memcmp(text, "secret", 6);
}

static void test_late_decisions(void **state)
{
	struct guest guest = guest_open("decisions", 0);
	struct warp_target *target = guest.target;
	unsigned writes = 0;
	char byte;

	set_mask(target, WARP_BEFORE_CALL | WARP_AFTER_CALL | WARP_SIGNAL | WARP_EXIT);
	for (;;) {
		struct warp_event event = next_event(target, 0);
		struct warp_go go = {.tid = event.tid, .flags = WARP_KEEP_MASK};

		if (event.cause == WARP_EXIT) {
			assert_int_equal(WEXITSTATUS(event.a), DONE);
			break;
		}
		if (event.cause == WARP_SIGNAL) {
			assert_int_equal(event.a, SIGUSR2);
			assert_int_equal(event.c, guest.pid);
			go.flags |= WARP_SUPPRESS;
		} else if (event.cause == WARP_AFTER_CALL && event.a == SYS_getppid) {
			ok(warp_set_result(target, event.tid, 4321));
		} else if (event.cause == WARP_BEFORE_CALL && is_secret(target, &event)) {
			go.flags |= WARP_IGNORE;
			go.result = writes++ ? -EXDEV : 3;
		} else if (event.cause == WARP_BEFORE_CALL && event.a == SYS_getpgid &&
			   event.b == 77777777) {
			int nr;
			uint64_t args[6];

			ok(warp_get_call(target, event.tid, &nr, args));
			assert_int_equal(args[0], 77777777);
			args[0] = 0;
			ok(warp_set_call(target, event.tid, nr, args));
		}
		ok(warp_go(target, &go));
	}
	assert_int_equal(writes, 2);
	assert_int_equal(read(guest.out, &byte, 1), 0); /* nothing was written */
	guest_close(&guest);
}

static void test_children_wait(void **state)
{
	struct guest guest = guest_open("children", 0);
	struct warp_target *child;
	unsigned children = 0;

	set_mask(guest.target, WARP_CLONE | WARP_EXIT);
	for (;;) {
		struct warp_event event = next_event(guest.target, 0);

		if (event.cause == WARP_EXIT)
			break;
		assert_int_equal(event.cause, WARP_CLONE);
		assert_true(event.b == WARP_NEW_FORK || event.b == WARP_NEW_VFORK);
		assert_int_equal(state_of((pid_t)event.a), 't'); /* it waits */
		if (children++ % 2 == 0) {
			ok(warp_open_child(guest.target, (pid_t)event.a, 0, &child));
			go_on(guest.target, event.tid);
			set_mask(child, WARP_EXIT);
			struct warp_event end = next_event(child, WARP_EXIT);

			assert_int_equal(WEXITSTATUS(end.a), DONE);
			warp_close(child);
		} else {
			go_on(guest.target, (pid_t)event.a); /* untraced from here on */
			go_on(guest.target, event.tid);
		}
	}
	assert_int_equal(children, 9);
	assert_int_equal(warp_open_child(guest.target, 1, 0, &child), -ESRCH);
	guest_close(&guest);
}

static void test_end(void **state)
{
	struct guest guest = guest_open("done", WARP_NONBLOCK);
	int fd = warp_fd(guest.target);
	struct warp_event event;
	struct pollfd poll_fd = {fd, POLLIN, 0};
	uint32_t mask = 0;

	assert_int_equal(read(fd, &event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(fd, &mask, sizeof(mask)), sizeof(mask)); /* runs to the end */
	assert_int_equal(poll(&poll_fd, 1, 60000), 1);
	assert_int_equal(read(fd, &event, sizeof(event)), 0);
	assert_int_equal(write(fd, &mask, sizeof(mask)), sizeof(mask)); /* no SIGPIPE */
	assert_int_equal(warp_go(guest.target, &(struct warp_go){0}), -ESRCH);
	assert_int_equal(warp_wait(guest.target, &event, 0), -ESRCH);
	assert_int_equal(warp_suspend(guest.target), -ESRCH);
	assert_non_null(strstr(warp_error(), "has ended"));
	guest_close(&guest);
}

static void test_interrupt(void **state)
{
	struct guest guest = guest_open("marker-spin", WARP_KILL_ON_CLOSE);
	struct warp_event event;
	char line[64];

	set_mask(guest.target, 0);
	guest_line(&guest, line, sizeof(line));
	guest_go(&guest);
	for (int i = 0; i < 100; i++) {
		ok(warp_interrupt(guest.target, 0));
		event = next_event(guest.target, WARP_STOPPED);
		assert_int_equal(event.tid, guest.pid);
		go_on(guest.target, event.tid);
	}
	guest_close(&guest);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poll_loop),	cmocka_unit_test(test_steps),
		cmocka_unit_test(test_steps_and_calls), cmocka_unit_test(test_late_decisions),
		cmocka_unit_test(test_children_wait),	cmocka_unit_test(test_end),
		cmocka_unit_test(test_interrupt),
	};

	guest_path = argv[1];
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
