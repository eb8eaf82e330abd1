/*
 * Helpers for guest programs: small programs that are recorded and replayed by the tests.
 *
 * A guest checks by itself what it expects and prints what it sees, non-deterministic values too,
 * because a replay must print exactly the same bytes. It ends with `return done();`: 0 when every
 * expectation held, else 1. `skip()` prints what is missing and exits with 77.
 *
 * Every line is one write(2) to descriptor 1, without stdio's buffer, so that fork() duplicates no
 * output and the output of a program that is killed is complete. A forked child ends with
 * `_exit(done())` and its parent calls `expect_child(pid, 0)`.
 *
 * Lines in a guest's header comment that the runner reads:
 *	guest: status N		expected exit status, when not 0
 *	guest: signal SIGNAME	the program is killed by this signal
 *	guest: args A B C	command line arguments
 *	guest: stdin TEXT	what to feed to its standard input, with a newline added
 * A runner that finds no such line expects status 0 (or 77), no arguments and an empty input.
 */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST_UNUSED __attribute__((unused))

static int guest_failures;
static char guest_dir[PATH_MAX];
static pid_t guest_dir_owner;

/* Print one line on standard output, in one write; a longer one is cut at 4 KB. */
GUEST_UNUSED __attribute__((format(printf, 1, 2))) static void show(const char *fmt, ...)
{
	int saved_errno = errno;
	char line[4096];
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len] = '\n';
	for (int off = 0; off < len + 1;) {
		ssize_t n = write(STDOUT_FILENO, line + off, len + 1 - off);
		if (n < 0 && errno != EINTR)
			break;
		off += n > 0 ? n : 0;
	}
	errno = saved_errno;
}

GUEST_UNUSED static const char *guest_base(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash ? slash + 1 : file;
}

GUEST_UNUSED __attribute__((format(printf, 4, 5))) static bool
guest_expect(bool ok, const char *file, int line, const char *fmt, ...)
{
	int err = errno;
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (ok) {
		show("ok: %s", text);
	} else {
		__atomic_fetch_add(&guest_failures, 1, __ATOMIC_RELAXED);
		show("UNEXPECTED: %s (%s:%d, errno %d: %s)", text, guest_base(file), line, err,
		     strerror(err));
	}
	errno = err;
	return ok;
}

/* Print "ok: TEXT", or "UNEXPECTED: TEXT" with the place, and remember the failure. Returns cond. */
#define expect(cond, ...) guest_expect((cond), __FILE__, __LINE__, __VA_ARGS__)

/* The same for two integers; prints what was seen either way. */
#define expect_eq_long(a, b, text) guest_eq_long((long)(a), (long)(b), text, __FILE__, __LINE__)

GUEST_UNUSED static bool guest_eq_long(long a, long b, const char *text, const char *file, int line)
{
	if (a == b)
		return guest_expect(true, file, line, "%s = %ld", text, a);
	return guest_expect(false, file, line, "%s is %ld, expected %ld", text, a, b);
}

/* The call must return -1 with this errno. */
#define expect_errno(call, err) \
	(errno = 0, guest_errno((long)(call), (err), #call, __FILE__, __LINE__))

GUEST_UNUSED static bool guest_errno(long result, int err, const char *text, const char *file,
				     int line)
{
	if (result == -1 && errno == err)
		return guest_expect(true, file, line, "%s: %s", text, strerror(err));
	return guest_expect(false, file, line, "%s returned %ld, expected \"%s\"", text, result,
			    strerror(err));
}

/* Remove the temporary directory, if this process made it. */
static int guest_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

GUEST_UNUSED static void guest_cleanup(void)
{
	if (guest_dir_owner != 0 && guest_dir_owner == getpid()) {
		nftw(guest_dir, guest_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
		guest_dir_owner = 0;
	}
}

/* What main returns: 0 when every expectation held, else 1. Removes the temporary directory. */
GUEST_UNUSED static int done(void)
{
	guest_cleanup();
	return __atomic_load_n(&guest_failures, __ATOMIC_RELAXED) ? 1 : 0;
}

/* The machine lacks something this guest is about: say what, and exit with 77. */
#define skip(...)                              \
	do {                                   \
		show("SKIPPED: " __VA_ARGS__); \
		guest_cleanup();               \
		exit(77);                      \
	} while (0)

/* For set-up that has to work: the value of the call, or the end of the program when it is -1. */
#define need(call) guest_need((long)(call), #call, __FILE__, __LINE__)

GUEST_UNUSED static long guest_need(long result, const char *text, const char *file, int line)
{
	if (result == -1) {
		guest_expect(false, file, line, "%s failed", text);
		guest_cleanup();
		_exit(1);
	}
	return result;
}

/* Wait for a child that must exit by itself with this status. */
#define expect_child(pid, status) guest_child((pid), (status), __FILE__, __LINE__)

GUEST_UNUSED static bool guest_child(pid_t pid, int status, const char *file, int line)
{
	int ws = 0;
	pid_t got;

	do
		got = waitpid(pid, &ws, 0);
	while (got == -1 && errno == EINTR);
	return guest_expect(got == pid && WIFEXITED(ws) && WEXITSTATUS(ws) == status, file, line,
			    "child %d: wait status 0x%x, expected exit status %d", (int)pid,
			    (unsigned)ws, status);
}

/* The program's own directory under $TMPDIR or /tmp, made on the first call. */
GUEST_UNUSED static const char *temp_dir(void)
{
	if (guest_dir_owner == 0) {
		const char *base = getenv("TMPDIR");
		snprintf(guest_dir, sizeof(guest_dir), "%s/guest.XXXXXX", base ? base : "/tmp");
		if (mkdtemp(guest_dir) == NULL) {
			guest_expect(false, __FILE__, __LINE__, "mkdtemp(%s)", guest_dir);
			_exit(1);
		}
		guest_dir_owner = getpid();
	}
	return guest_dir;
}

/* A path inside it. Eight results stay valid at a time; not for use by several threads at once. */
GUEST_UNUSED static const char *temp_path(const char *name)
{
	static char paths[8][PATH_MAX + 256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", temp_dir(), name);
	return path;
}

/* FNV-1a, 64 bits: enough to compare buffers in the output. */
GUEST_UNUSED static uint64_t hash_bytes(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

/* Sixteen bytes a line, each line headed by the label and the offset. */
GUEST_UNUSED static void hexdump(const char *label, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t off = 0; off < len; off += 16) {
		char text[16 * 3 + 1] = "";
		for (size_t i = 0; i < 16 && off + i < len; i++)
			sprintf(text + 3 * i, " %02x", bytes[off + i]);
		show("%s %04zx:%s", label, off, text);
	}
}

#endif
