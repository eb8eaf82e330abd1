/* wait4(): resource usage, process group selectors and errors. */
#include "guest_task.h"
#include <sys/resource.h>

static void burn(void)
{
	volatile unsigned long x = 1;
	for (int i = 0; i < 300000; i++)
		x = x * 3 + 1;
}

int main(void)
{
	struct rusage ru;
	int status = 0;

	expect_errno(wait4(-1, &status, 0, &ru), ECHILD);
	pid_t pid = need(fork());
	if (pid == 0) {
		burn();
		_exit(1);
	}
	expect_eq_long(wait4(0, &status, 0, &ru), pid, "child of our group");
	show("user %ld us, system %ld us, max rss %ld KB, faults %ld/%ld, switches %ld/%ld",
	     ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec,
	     ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec, ru.ru_maxrss, ru.ru_minflt,
	     ru.ru_majflt, ru.ru_nvcsw, ru.ru_nivcsw);
	expect(ru.ru_minflt > 0 && ru.ru_maxrss > 0, "the usage is not empty");

	pid_t a = need(fork());
	if (a == 0) {
		setpgid(0, 0);
		_exit(2);
	}
	setpgid(a, a);
	expect_eq_long(wait4(-a, &status, 0, NULL), a, "child of group -a");
	expect_eq_long(WEXITSTATUS(status), 2, "status");
	expect_errno(wait4(-a, &status, 0, NULL), ECHILD);
	expect_errno(wait4(getpid(), &status, 0, NULL), ECHILD);
	expect_errno(wait4(INT_MIN, &status, 0, NULL), ESRCH);

	pid_t b = need(fork());
	if (b == 0)
		_exit(3);
	expect_errno(wait4(b, (int *)8, 0, NULL), EFAULT);
	/* The child was reaped even so. */
	expect_errno(wait4(b, &status, 0, NULL), ECHILD);
	need(getrusage(RUSAGE_CHILDREN, &ru));
	show("children: user %ld us, faults %ld", ru.ru_utime.tv_usec, ru.ru_minflt);
	return done();
}
