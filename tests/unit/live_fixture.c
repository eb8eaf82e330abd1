/* What the table says the kernel writes, against what it writes.
 *
 * Each case makes one real call on an arena filled with a pattern, and compares the arena with what
 * it was. Every byte that changed must lie in a region that is SC_OUT or SC_INOUT, within its
 * length. Each case runs with two patterns: a byte that keeps the pattern both times was not
 * written, and an SC_OUT region must not have one within its length, because a recorder that
 * redirects the region into scratch memory copies that length back. */
#include "live_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TESTS_MAX 128

unsigned char arena[ARENA] __attribute__((aligned(4096)));
static size_t used;
static unsigned char pattern;
uint64_t args[SC_ARGS];
int fds[8];

/* A block of the arena, still full of the pattern. */
void *block(size_t size)
{
	void *at = arena + used;

	used += (size + GAP + 15) & ~(size_t)15;
	assert_true(used <= ARENA);
	return at;
}

/* A block that holds a copy of these bytes. */
void *copy(const void *bytes, size_t size)
{
	return memcpy(block(size), bytes, size);
}

void *copy32(uint32_t value)
{
	return copy(&value, sizeof(value));
}

void *copy64(uint64_t value)
{
	return copy(&value, sizeof(value));
}

static size_t own_read(void *context, taddr addr, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)addr, length};
	ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return got < 0 ? 0 : got;
}

const struct sc_memory memory = {own_read, NULL};

struct run {
	unsigned char before[ARENA], after[ARENA];
	struct sc_regions regions;
};

bool covered(const struct sc_regions *regions, const unsigned char *at)
{
	vec_foreach (regions, r)
		if ((r->dir == SC_OUT || r->dir == SC_INOUT) && A(at) >= r->addr &&
		    A(at) < r->addr + r->length)
			return true;
	return false;
}

static void run(const struct live *live, unsigned char fill, struct run *r)
{
	const struct sc_row *row = sc_row_by_name(live->name);
	struct sc_call call = {.nr = row->nr};

	pattern = fill;
	memset(arena, fill, sizeof(arena));
	memset(args, 0, sizeof(args));
	memset(fds, -1, sizeof(fds));
	used = GAP;
	live->prepare();
	memcpy(call.args, args, sizeof(args));
	row = sc_row_refine(row, &call);
	assert_true(sc_regions_begin(row, &call, &memory, &r->regions));
	memcpy(r->before, arena, ARENA);
	call.result = syscall(row->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (call.result == -1)
		call.result = -errno;
	call.ended = true;
	memcpy(r->after, arena, ARENA);
	sc_regions_end(row, &call, &memory, &r->regions);
	if (live->clean)
		live->clean();
	for (int i = 0; i < 8; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (live->expect == OK)
		assert_true(call.result >= 0);
	else if (live->expect != ANY)
		assert_int_equal(call.result, live->expect);
}

static void check_covered(const struct live *live, const struct run *r)
{
	for (size_t i = 0; i < ARENA; i++)
		if (r->before[i] != r->after[i] && !covered(&r->regions, arena + i))
			fail_msg("%s wrote byte %zu of the arena, which no region has", live->name,
				 i);
}

/* The bytes of SC_OUT regions that no run wrote. */
static void check_exact(const struct live *live, const struct run *one, const struct run *two)
{
	vec_foreach (&one->regions, r) {
		for (uint64_t i = 0; r->dir == SC_OUT && i < r->length; i++) {
			size_t at = r->addr + i - A(arena);

			if (at < ARENA && one->after[at] == 0x5a && two->after[at] == 0xa5)
				fail_msg("%s did not write byte %zu of argument %d", live->name,
					 (size_t)i, r->arg);
		}
	}
}

static struct run one, two;

void test_live(void **state)
{
	const struct live *live = *state;

	vec_clear(&one.regions);
	vec_clear(&two.regions);
	run(live, 0x5a, &one);
	check_covered(live, &one);
	run(live, 0xa5, &two);
	check_covered(live, &two);
	if (!live->padded)
		check_exact(live, &one, &two);
}

int run_live(const char *name, const struct live *cases, size_t count,
	     const struct CMUnitTest *more, size_t more_count)
{
	static struct CMUnitTest tests[TESTS_MAX];
	static char names[TESTS_MAX][40];
	int failed;

	if (count + more_count > TESTS_MAX)
		return 1;
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu %s", i, cases[i].name);
		tests[i] = (struct CMUnitTest){names[i], test_live, NULL, NULL,
					       (void *)(uintptr_t)&cases[i]};
	}
	for (size_t i = 0; i < more_count; i++)
		tests[count + i] = more[i];
	failed = _cmocka_run_group_tests(name, tests, count + more_count, NULL, NULL);
	vec_deinit(&one.regions);
	vec_deinit(&two.regions);
	return failed;
}

/* ---- helpers of several cases ---- */

void make_pipe(const char *text)
{
	assert_int_equal(pipe(fds), 0);
	if (text)
		assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
}

void make_pair(int type)
{
	assert_int_equal(socketpair(AF_UNIX, type, 0, fds), 0);
}

void make_file(const char *text)
{
	fds[0] = memfd_create("live", 0);
	assert_true(fds[0] >= 0);
	assert_int_equal(write(fds[0], text, strlen(text)), strlen(text));
	lseek(fds[0], 0, SEEK_SET);
}

static void on_alarm(int sig)
{
}

/* Interrupts the call with signals that do not restart it. */
void start_alarm(void)
{
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval every = {{0, 2000}, {0, 2000}};

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

void stop_alarm(void)
{
	struct itimerval none = {0};

	setitimer(ITIMER_REAL, &none, NULL);
	signal(SIGALRM, SIG_DFL);
}

pid_t ended_child(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(3);
	assert_true(pid > 0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	return pid;
}

void *iovec_of(int count, size_t each)
{
	struct iovec iov[4];

	for (int i = 0; i < count; i++)
		iov[i] = (struct iovec){block(each), each};
	return copy(iov, count * sizeof(iov[0]));
}

/* Closes the descriptors that the call put at argument `a`. */
void close_at(int a)
{
	memcpy(fds, (void *)(uintptr_t)args[a], 2 * sizeof(int));
}
