/*
 * utimensat, futimens, utimes, utime, futimesat: exact times, UTIME_NOW, UTIME_OMIT.
 */
#include "guest.h"
#include <sys/time.h>
#include <time.h>
#include <utime.h>

static const char *path;

static struct stat now(const char *what)
{
	struct stat st;

	need(stat(path, &st));
	show("%s: atime %ld.%09ld mtime %ld.%09ld ctime %ld.%09ld", what, st.st_atim.tv_sec,
	     st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_ctim.tv_sec,
	     st.st_ctim.tv_nsec);
	return st;
}

int main(void)
{
	path = temp_path("file");
	int fd = need(open(path, O_CREAT | O_RDWR, 0600));
	struct timespec before, times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
	struct stat st = now("created");

	/* The file's time is the kernel's coarse clock, read at or before now. */
	need(clock_gettime(CLOCK_REALTIME, &before));
	expect(st.st_mtim.tv_sec <= before.tv_sec && st.st_mtim.tv_sec >= before.tv_sec - 100,
	       "made just now");
	expect_eq_long(utimensat(AT_FDCWD, path, times, 0), 0, "utimensat");
	st = now("utimensat");
	expect(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_sec == 1100000000, "times set");
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	expect_eq_long(futimens(fd, times), 0, "futimens");
	st = now("futimens");
	expect(st.st_atim.tv_sec == 1000000000, "atime left alone");
	expect(st.st_mtim.tv_sec >= before.tv_sec - 1, "mtime is now");
	times[0].tv_nsec = 1000000000;
	expect_errno(futimens(fd, times), EINVAL);

	struct timeval tv[2] = {{1200000000, 5}, {1300000000, 6}};
	expect_eq_long(utimes(path, tv), 0, "utimes");
	st = now("utimes");
	expect(st.st_mtim.tv_sec == 1300000000, "mtime set");
	expect_eq_long(syscall(SYS_futimesat, AT_FDCWD, path, NULL), 0, "futimesat");
	now("futimesat");
	struct utimbuf ut = {1400000000, 1500000000};
	expect_eq_long(syscall(SYS_utime, path, &ut), 0, "utime");
	st = now("utime");
	expect(st.st_atim.tv_sec == 1400000000 && st.st_mtim.tv_sec == 1500000000, "times set");
	expect_errno(utime(temp_path("absent"), NULL), ENOENT);
	return done();
}
