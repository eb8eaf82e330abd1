/* prctl(): names, dumpable, no_new_privs, timer slack, and an unknown option. */
#include "guest_task.h"
#include <sys/prctl.h>

static void check_name(const char *set, const char *get)
{
	char name[17] = "", comm[32] = "";

	need(prctl(PR_SET_NAME, set, 0, 0, 0));
	need(prctl(PR_GET_NAME, name, 0, 0, 0));
	expect(strcmp(name, get) == 0, "name \"%s\"", name);
	int fd = need(open("/proc/self/comm", O_RDONLY));
	ssize_t n = need(read(fd, comm, sizeof(comm) - 1));
	expect(n > 0 && comm[n - 1] == '\n' && strncmp(comm, get, strlen(get)) == 0, "comm %s",
	       get);
	close(fd);
}

int main(void)
{
	char name[17] = "";
	need(prctl(PR_GET_NAME, name, 0, 0, 0));
	show("started as \"%s\"", name);
	check_name("short", "short");
	check_name("a name longer than sixteen", "a name longer t");
	check_name("", "");

	expect_eq_long(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0, "PR_SET_DUMPABLE");
	expect_eq_long(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0, "PR_GET_DUMPABLE");
	need(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	expect_errno(prctl(PR_SET_DUMPABLE, 7, 0, 0, 0), EINVAL);

	show("timer slack %d ns", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	need(prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0));
	expect_eq_long(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345, "timer slack");

	show("no_new_privs at start %d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	pid_t pid = need(fork());
	if (pid == 0) {
		need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		expect_eq_long(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "no_new_privs");
		expect_errno(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
		expect_eq_long(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 12345, "inherited slack");
		_exit(done());
	}
	expect_child(pid, 0);
	show("keepcaps %d, securebits %d", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0),
	     prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	expect_errno(prctl(0x7fffff, 0, 0, 0, 0), EINVAL);
	expect_errno(prctl(PR_GET_NAME, (char *)16, 0, 0, 0), EFAULT);
	return done();
}
