/*
 * sigaltstack(): SA_ONSTACK handlers run there, others do not; SS_ONSTACK, SS_AUTODISARM,
 * errors.
 */
#include "guest_task.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
#define SIZE 65536

static char alternate[SIZE] __attribute__((aligned(16)));
static bool was_on;
static int flags_inside;
static int change_errno;

static bool on_alternate(const void *p)
{
	return (const char *)p >= alternate && (const char *)p < alternate + SIZE;
}

static void handler(int sig, siginfo_t *si, void *uc)
{
	stack_t now, other = {.ss_flags = SS_DISABLE};

	was_on = on_alternate(&now);
	sigaltstack(NULL, &now);
	flags_inside = now.ss_flags;
	errno = 0;
	sigaltstack(&other, NULL);
	change_errno = errno;
}

static void run(int sa_flags, int ss_flags, bool on, int inside, int err)
{
	stack_t ss = {.ss_sp = alternate, .ss_size = SIZE, .ss_flags = ss_flags}, after;

	need(sigaltstack(&ss, NULL));
	handle(SIGUSR1, handler, sa_flags);
	need(raise(SIGUSR1));
	show("sa_flags %#x ss_flags %#x: on %d inside %#x errno %d", sa_flags, ss_flags, was_on,
	     flags_inside, change_errno);
	expect(was_on == on, "the handler ran on the %s stack", on ? "alternate" : "normal");
	expect_eq_long(flags_inside, inside, "flags seen by the handler");
	expect_eq_long(change_errno, err, "errno of a change in the handler");
	need(sigaltstack(NULL, &after));
	show("afterwards: flags %#x, %zu bytes", after.ss_flags, after.ss_size);
	/* What the handler changed is undone by its return only for SS_AUTODISARM. */
}

int main(void)
{
	stack_t small = {.ss_sp = alternate, .ss_size = 100};
	stack_t bad = {.ss_sp = alternate, .ss_size = SIZE, .ss_flags = 0x40};

	run(SA_ONSTACK, 0, true, SS_ONSTACK, EPERM);
	run(0, 0, false, 0, 0);
	run(SA_ONSTACK, (int)SS_AUTODISARM, true, SS_DISABLE, 0);
	expect_errno(sigaltstack(&small, NULL), ENOMEM);
	expect_errno(sigaltstack(&bad, NULL), EINVAL);

	/* A second signal on the same alternate stack nests below the first. */
	run(SA_ONSTACK | SA_NODEFER, 0, true, SS_ONSTACK, EPERM);
	return done();
}
