/* Runs a program of Darwin on Linux: each of its system calls is translated when it is made, and its result when it
 * has ended. translator LOADER PROGRAM, see README.md.
 *
 * The loader makes calls of Linux, and so would libraries: Darwin's are told apart by the class in their
 * number. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "warp/tracer.h"

#define CLASS_MASK 0x7f000000
#define CLASS_UNIX (2 << 24)
#define CARRY	   1ull /* of the flags */

/* ---- the two systems ---- */

/* Which argument holds flags of open; -1: none. */
static const struct call {
	int theirs, ours, open_flags;
} calls[] = {
	{1, SYS_exit_group, -1}, {3, SYS_read, -1},    {4, SYS_write, -1},   {5, SYS_open, 1},
	{6, SYS_close, -1},	 {10, SYS_unlink, -1}, {20, SYS_getpid, -1}, {73, SYS_munmap, -1},
	{136, SYS_mkdir, -1},	 {137, SYS_rmdir, -1},
};

static const struct number {
	int theirs, ours;
} open_flags[] =
	{
		{0x4, O_NONBLOCK},   {0x8, O_APPEND},	      {0x100, O_NOFOLLOW},
		{0x200, O_CREAT},    {0x400, O_TRUNC},	      {0x800, O_EXCL},
		{0x20000, O_NOCTTY}, {0x100000, O_DIRECTORY}, {0x1000000, O_CLOEXEC},
},
  errors[] = {
	  {35, EAGAIN}, {36, EINPROGRESS},  {37, EALREADY},  {38, ENOTSOCK},
	  {62, ELOOP},	{63, ENAMETOOLONG}, {66, ENOTEMPTY}, {11, EDEADLK},
	  {77, ENOLCK}, {78, ENOSYS},	    {84, EOVERFLOW}, {92, EILSEQ},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct call *find_call(int number)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (calls[i].theirs == (number & ~CLASS_MASK))
			return &calls[i];
	return NULL;
}

static uint64_t translate_flags(uint64_t theirs)
{
	uint64_t ours = theirs & O_ACCMODE; /* these are the same */

	for (size_t i = 0; i < COUNT(open_flags); i++)
		if (theirs & (uint64_t)open_flags[i].theirs)
			ours |= (uint64_t)open_flags[i].ours;
	return ours;
}

/* Up to 34 the two systems have the same numbers, but for 11. */
static int translate_error(int ours)
{
	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].ours == ours)
			return errors[i].theirs;
	return ours;
}

/* ---- calls ---- */

static bool is_foreign(int number)
{
	return (number & CLASS_MASK) == CLASS_UNIX;
}

/* What to go on with. */
static void before_call(struct warp_target *target, const struct warp_event *event,
			struct warp_go *go)
{
	const struct call *call;
	uint64_t args[6];
	int number;

	if (!is_foreign((int)event->a) || warp_get_call(target, event->tid, &number, args))
		return;
	call = find_call(number);
	if (!call) {
		go->flags |= WARP_IGNORE;
		go->result = -ENOSYS;
		return;
	}
	if (call->open_flags >= 0)
		args[call->open_flags] = translate_flags(args[call->open_flags]);
	warp_set_call(target, event->tid, call->ours, args);
}

/* An error is a positive number, and the carry flag tells it from a result. */
static void after_call(struct warp_target *target, const struct warp_event *event)
{
	struct user_regs_struct regs;
	size_t size = sizeof(regs);
	int64_t result = (int64_t)event->b;

	if (!is_foreign((int)event->a) ||
	    warp_get_regs(target, event->tid, WARP_GENERAL, &regs, &size))
		return;
	regs.eflags &= ~CARRY;
	if (result < 0) {
		regs.eflags |= CARRY;
		regs.rax = (uint64_t)translate_error((int)-result);
	}
	warp_set_regs(target, event->tid, WARP_GENERAL, &regs, size);
}

/* ---- the program ---- */

/* Returns its wait status. */
static int run(struct warp_target *target)
{
	struct warp_go go = {.mask = WARP_BEFORE_CALL | WARP_AFTER_CALL | WARP_EXIT};
	struct warp_event event;
	int status = 0;

	warp_go(target, &go);
	while (warp_wait(target, &event, -1) == 1) {
		go = (struct warp_go){.tid = event.tid, .flags = WARP_KEEP_MASK};
		if (event.cause == WARP_BEFORE_CALL)
			before_call(target, &event, &go);
		else if (event.cause == WARP_AFTER_CALL)
			after_call(target, &event);
		else if (event.cause == WARP_EXIT && event.b)
			status = (int)event.a;
		if (event.cause != WARP_EXIT)
			warp_go(target, &go);
	}
	return status;
}

static int fail(void)
{
	fprintf(stderr, "translator: %s\n", warp_error());
	return 125;
}

int main(int argc, char **argv)
{
	const struct warp_program program = {.argv = argv + 1};
	struct warp_tracer *tracer;
	struct warp_target *target;
	int status;

	if (argc != 3) {
		fputs("usage: translator LOADER PROGRAM\n", stderr);
		return 125;
	}
	if (warp_tracer_create(&tracer))
		return fail();
	if (warp_open_new(tracer, &program, WARP_KILL_ON_CLOSE, &target)) {
		status = fail();
	} else {
		status = run(target);
		warp_close(target);
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	warp_tracer_destroy(tracer);
	return status;
}
