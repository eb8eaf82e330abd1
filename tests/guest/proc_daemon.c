/* The double fork of a daemon: new session, no parent of ours, descriptors on /dev/null. */
#include "guest_task.h"

struct report {
	pid_t pid;
	pid_t ppid;
	pid_t sid;
	pid_t pgid;
	char cwd[16];
	mode_t mask;
};

static void become_daemon(int wr, struct gate go)
{
	struct report report = {0};

	umask(0);
	need(chdir("/"));
	int null = need(open("/dev/null", O_RDWR));
	for (int fd = 0; fd < 3; fd++)
		need(dup2(null, fd));
	gate_wait(go);
	report.pid = getpid();
	report.ppid = getppid();
	report.sid = getsid(0);
	report.pgid = getpgrp();
	need((long)getcwd(report.cwd, sizeof(report.cwd)) ? 0 : -1);
	report.mask = umask(0);
	show("this goes to /dev/null");
	need(write(wr, &report, sizeof(report)));
	_exit(0);
}

int main(void)
{
	int fds[2];
	struct gate go = gate_make();
	struct report report;

	need(pipe2(fds, O_CLOEXEC));
	pid_t first = need(fork());
	if (first == 0) {
		need(setsid());
		if (need(fork()) == 0)
			become_daemon(fds[1], go);
		_exit(0);
	}
	expect_child(first, 0);
	gate_open(go);
	close(fds[1]);
	expect_eq_long(read(fds[0], &report, sizeof(report)), sizeof(report), "bytes of report");
	show("daemon %d: parent %d, session %d, group %d", report.pid, report.ppid, report.sid,
	     report.pgid);
	expect(report.sid == first && report.pgid == first, "session and group of the first child");
	expect(report.pid != report.sid, "not the leader of its session");
	expect(report.ppid != first && report.ppid != getpid(), "adopted by somebody else");
	expect(strcmp(report.cwd, "/") == 0 && report.mask == 0, "directory and umask");
	char byte;
	expect_eq_long(read(fds[0], &byte, 1), 0, "end of the pipe");
	return done();
}
