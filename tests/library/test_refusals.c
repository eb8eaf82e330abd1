/* What cannot be done is refused with the errno that the header promises and a text that says why. */
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* The last failure's text must say this. */
static void says(int result, int errnum, const char *text)
{
	if (result != -errnum || !strstr(warp_error(), text))
		fail_msg("%d was to come, saying \"%s\"; came %d: %s", -errnum, text, result,
			 warp_error());
}

static int open_pid(pid_t pid)
{
	struct warp_target *target = (void *)1;
	int result = warp_open_pid(tracer, pid, 0, &target);

	if (result < 0)
		assert_null(target);
	else
		warp_close(target);
	return result;
}

static void test_no_such_process(void **state)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	says(open_pid(pid), ESRCH, "no such process");
	says(open_pid(-5), ESRCH, "no such process");
}

static void test_zombie(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	says(open_pid(pid), ESRCH, "zombie");
	waitpid(pid, NULL, 0);
}

static void test_ourselves(void **state)
{
	says(open_pid(getpid()), EPERM, "the tracer itself");
}

static void test_kernel_thread(void **state)
{
	char name[64] = "";
	int fd = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, name, sizeof(name) - 1) < 0 || strcmp(name, "kthreadd\n")) {
		puts("skipped: process 2 is no kernel thread here: in a process namespace");
		close(fd);
		skip();
	}
	close(fd);
	says(open_pid(2), EPERM, "kernel thread");
}

static void test_traced_already(void **state)
{
	struct guest guest = guest_open("wait", WARP_KILL_ON_CLOSE);
	struct warp_tracer *other;
	struct warp_target *target;

	says(open_pid(guest.pid), EBUSY, "traced already");
	ok(warp_tracer_create(&other));
	says(warp_open_pid(other, guest.pid, 0, &target), EBUSY, "one tracer");
	warp_tracer_destroy(other);
	guest_close(&guest);
	/* By another process. */
	int said[2];
	char byte;

	assert_return_code(pipe(said), errno);
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && write(said[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(said[1]);
	assert_int_equal(read(said[0], &byte, 1), 1);
	close(said[0]);
	says(open_pid(pid), EBUSY, "traced already");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* An ordinary user and a process of root's. In a child: it gives its rights up. */
static void test_other_user(void **state)
{
	int status, said[2];
	char text[512] = "";

	if (geteuid() != 0) {
		puts("skipped: needs root, to have another user's process");
		skip();
	}
	assert_return_code(pipe(said), errno);
	pid_t root = fork();

	if (root == 0)
		for (;;)
			pause();
	pid_t user = fork();

	if (user == 0) {
		if (setgid(NOBODY) || setuid(NOBODY) || warp_tracer_create(&tracer))
			_exit(1);
		int result = open_pid(root);
		struct warp_target *target;
		char *argv[] = {"true", NULL};

		/* But programs can be started. */
		if (warp_open_new(tracer, &(struct warp_program){.argv = argv}, WARP_KILL_ON_CLOSE,
				  &target))
			_exit(2);
		warp_close(target);
		open_pid(root);

		if (write(said[1], warp_error(), strlen(warp_error())) < 0)
			_exit(1);
		warp_tracer_destroy(tracer);
		_exit(result == -EPERM ? DONE : 1);
	}
	waitpid(user, &status, 0);
	close(said[1]);
	assert_true(read(said[0], text, sizeof(text) - 1) > 0);
	kill(root, SIGKILL);
	waitpid(root, NULL, 0);
	assert_int_equal(WEXITSTATUS(status), DONE);
	assert_non_null(strstr(text, "another user"));
}

/* As the same ordinary user, but one that has made itself untraceable. */
static void test_not_dumpable(void **state)
{
	int status, ready[2];
	char byte;

	if (geteuid() != 0) {
		puts("skipped: needs root, to become an ordinary user");
		skip();
	}
	assert_return_code(pipe(ready), errno);
	pid_t user = fork();

	if (user == 0) {
		if (setgid(NOBODY) || setuid(NOBODY) || warp_tracer_create(&tracer))
			_exit(1);
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		int result = open_pid(pid);
		int said = strstr(warp_error(), "PR_SET_DUMPABLE") != NULL;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		warp_tracer_destroy(tracer);
		_exit(result == -EPERM && said ? DONE : 1);
	}
	waitpid(user, &status, 0);
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static void test_programs(void **state)
{
	struct warp_target *target;
	char *missing[] = {"no-such-program", NULL}, *directory[] = {"/etc", NULL};
	char *text[] = {"/etc/passwd", NULL}, *nothing[] = {NULL};

	says(warp_open_new(tracer, &(struct warp_program){.argv = missing}, 0, &target), ENOENT,
	     "no-such-program");
	says(warp_open_new(tracer, &(struct warp_program){.argv = directory}, 0, &target), EACCES,
	     "/etc");
	says(warp_open_new(tracer, &(struct warp_program){.argv = text}, 0, &target), EACCES,
	     "/etc/passwd");
	says(warp_open_new(tracer, &(struct warp_program){.argv = nothing}, 0, &target), EINVAL,
	     "argv");
	assert_null(target);
}

static void test_arguments(void **state)
{
	struct guest guest = guest_open("wait", WARP_KILL_ON_CLOSE);
	struct warp_target *target = guest.target;
	uint64_t word = 0, args[6];
	size_t size = sizeof(word);
	int nr;

	says((int)warp_read(target, 16, &word, 8), EFAULT, "nothing is mapped");
	says(warp_break(target, 16, WARP_BREAK, 0), EFAULT, "breakpoint");
	says(warp_unbreak(target, 16), ENOENT, "no breakpoint");
	says(warp_get_regs(target, guest.pid, WARP_GENERAL, &word, &size), ENOSPC, "size");
	says(warp_get_regs(target, 1, WARP_GENERAL, &word, &size), ESRCH, "no thread 1");
	says(warp_get_regs(target, guest.pid, 17, &word, &size), EINVAL, "flavor");
	says(warp_get_call(target, guest.pid, &nr, args), EINVAL, "system call");
	says(warp_go(target, &(struct warp_go){.tid = 1}), ESRCH, "no thread 1");
	says(warp_interrupt(target, 1), ESRCH, "no thread 1");
	for (uint64_t slot = 0; slot < 4; slot++)
		ok(warp_break(target, 0x10000 + 8 * slot, WARP_WATCH_WRITE, 8));
	says(warp_break(target, 0x20000, WARP_WATCH_WRITE, 8), ENOSPC, "debug registers");
	set_mask(target, 0);
	guest_ready(&guest);
	says(warp_get_regs(target, guest.pid, WARP_GENERAL, &word, &size), EBUSY, "suspend");
	says(warp_step(target, guest.pid), EBUSY, "suspend");
	guest_close(&guest);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		/* Before there is a tracer's thread: these fork and go on in the child. */
		cmocka_unit_test(test_other_user),
		cmocka_unit_test(test_not_dumpable),
		cmocka_unit_test_setup_teardown(test_no_such_process, library_setup,
						library_teardown),
		cmocka_unit_test_setup_teardown(test_zombie, library_setup, library_teardown),
		cmocka_unit_test_setup_teardown(test_ourselves, library_setup, library_teardown),
		cmocka_unit_test_setup_teardown(test_kernel_thread, library_setup,
						library_teardown),
		cmocka_unit_test_setup_teardown(test_traced_already, library_setup,
						library_teardown),
		cmocka_unit_test_setup_teardown(test_programs, library_setup, library_teardown),
		cmocka_unit_test_setup_teardown(test_arguments, library_setup, library_teardown),
	};

	guest_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
