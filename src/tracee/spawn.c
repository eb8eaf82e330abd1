/* Starting a traced process: fork, seize the child while it waits, let it arm the traps, install
 * the seccomp program and execute. What goes wrong in the child comes back through a pipe that
 * exec closes. */
#include "tracee/spawn.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/cleanup.h"

enum child_step {
	STEP_READY, /* traps armed, about to execute */
	STEP_SECCOMP,
	STEP_EXEC,
};

/* What the child says through the pipe. */
struct report {
	enum child_step step;
	int error;
	struct spawn_result result;
};

static void tell(int to, const struct report *report)
{
	ssize_t put = write(to, report, sizeof(*report));

	(void)put; /* the parent is gone: EXITKILL ends us */
}

/* SECCOMP_SET_MODE_FILTER needs CAP_SYS_ADMIN or no_new_privs (seccomp(2)). */
static bool install_filter(bool *no_new_privs)
{
	const struct sock_fprog *program = arch.stop_filter();

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0)
		return true;
	if (errno != EACCES)
		return false;
	*no_new_privs = true;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0;
}

static void restore_signals(const struct spawn_options *options)
{
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action = {
			.sa_handler =
				sigismember(&options->ignored, signal) == 1 ? SIG_IGN : SIG_DFL,
		};

		sigaction(signal, &action, NULL);
	}
	sigprocmask(SIG_SETMASK, &options->mask, NULL);
}

static bool is_elf(const char *path)
{
	char head[SELFMAG] = "";
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, head, sizeof(head)) == SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

/* What there is to try, made before the traps are armed: libc and sanitizers may read the clock. */
struct plan {
	struct vec(char *) paths; /* in the order of PATH */
	char **shell;		  /* arguments of /bin/sh for a script; [1] is its path */
};

/* The search of execvp(3). */
static void make_plan(char *const *argv, struct plan *plan)
{
	const char *path = getenv("PATH");
	size_t count = 0;

	*plan = (struct plan){0};
	while (argv[count])
		count++;
	plan->shell = xcalloc(count + 2, sizeof(*plan->shell));
	plan->shell[0] = "/bin/sh";
	for (size_t i = 1; i < count; i++)
		plan->shell[i + 1] = argv[i];
	if (strchr(argv[0], '/') || !argv[0][0]) {
		vec_push(&plan->paths, argv[0]);
		return;
	}
	char *list = xstrdup(path ? path : "/bin:/usr/bin"), *directory;

	while ((directory = strsep(&list, ":")))
		vec_push(&plan->paths,
			 xasprintf("%s%s%s", directory, *directory ? "/" : "", argv[0]));
}

/* A file without a format the kernel knows is a script for /bin/sh, as execvp(3) has it; but a program
 * for another processor is none. */
static void exec_path(char *path, char *const *argv, const struct plan *plan)
{
	execve(path, argv, environ);
	if (errno != ENOEXEC)
		return;
	bool program = is_elf(path);

	errno = ENOEXEC;
	if (program)
		return;
	plan->shell[1] = path;
	execve(plan->shell[0], plan->shell, environ);
	errno = ENOEXEC;
}

/* Returns only if it failed; errno says why. */
static void exec_program(char *const *argv, const struct plan *plan)
{
	bool denied = false;

	errno = ENOENT;
	vec_foreach (&plan->paths, path) {
		exec_path(*path, argv, plan);
		denied |= errno == EACCES;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ESTALE &&
		    errno != ENODEV && errno != ETIMEDOUT)
			return;
	}
	if (denied)
		errno = EACCES;
}

_Noreturn static void run_child(const struct spawn_options *options, int go, int to)
{
	struct report report = {.step = STEP_READY};
	struct plan plan;
	char byte;

	make_plan(options->argv, &plan);

	if (options->new_session)
		setsid();
	if (options->cpus)
		sched_setaffinity(0, sizeof(*options->cpus), options->cpus);
	restore_signals(options);
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	close(go); /* as natively: no descriptor of ours is seen, not even by a failing exec */
	report.result.time_traps = arch.arm_time_trap();
	report.result.cpuid_traps = arch.arm_cpuid_trap();
	report.result.cpuid_errno = report.result.cpuid_traps ? 0 : errno;
	if (options->stop_calls && !install_filter(&report.result.no_new_privs)) {
		report.step = STEP_SECCOMP;
		report.error = errno;
		tell(to, &report);
		_exit(125);
	}
	tell(to, &report);
	if (options->image >= 0)
		syscall(SYS_execveat, options->image, "", options->argv, environ, AT_EMPTY_PATH);
	else
		exec_program(options->argv, &plan);
	report.step = STEP_EXEC;
	report.error = errno;
	tell(to, &report);
	_exit(127);
}

static struct error *seize_error(int errnum)
{
	return error_os(
		errnum,
		"cannot trace the program (PTRACE_SEIZE refused); another tracer, a container's "
		"seccomp rules without ptrace, or /proc/sys/kernel/yama/ptrace_scope = 3 forbid "
		"it; allow ptrace there and try again");
}

/* Lets the child run up to its exec. */
static bool run_to_exec(struct tracee *tracee)
{
	for (;;) {
		int status = tracee_wait(tracee, 0);

		if (tracee->gone)
			return false;
		if (tracee_event(status) == PTRACE_EVENT_EXEC)
			return true;
		bool pass = !tracee_event(status) && WSTOPSIG(status) != SIGTRAP;

		tracee_resume(tracee, PTRACE_CONT, pass ? WSTOPSIG(status) : 0);
	}
}

static struct error *exec_error(const char *program, int errnum)
{
	if (errnum == ENOENT)
		return error_new_kind(
			ERROR_NOT_FOUND,
			"cannot run %s: no such program, or the interpreter it names is "
			"missing; check the name and PATH",
			program);
	if (errnum == EACCES)
		return error_new_kind(
			ERROR_NOT_EXEC,
			"cannot run %s: it is not an executable file for this user; check "
			"its permissions (chmod +x) and that it is no directory",
			program);
	if (errnum == ENOEXEC || errnum == ELIBBAD || errnum == EINVAL)
		return error_new_kind(
			ERROR_NOT_EXEC,
			"cannot run %s: it is a 32-bit program, or of a format that this "
			"machine does not execute; only 64-bit x86-64 programs can be "
			"recorded",
			program);
	struct error *error = error_os(errnum, "cannot run %s", program);

	error->kind = ERROR_NOT_EXEC;
	return error;
}

/* Reads what the child has said: its last report counts. */
static struct error *hear(const struct spawn_options *options, int from, bool executed,
			  struct spawn_result *result)
{
	struct report report = {.step = STEP_READY}, next;
	bool any = false;

	while (read(from, &next, sizeof(next)) == sizeof(next)) {
		report = next;
		any = true;
	}
	*result = report.result;
	if (executed)
		return NULL;
	if (any && report.step == STEP_EXEC)
		return exec_error(options->argv[0], report.error);
	if (any && report.step == STEP_SECCOMP)
		return error_os(
			report.error,
			"cannot install the seccomp program that stops system calls; warp needs "
			"a kernel with CONFIG_SECCOMP_FILTER and a container that allows "
			"seccomp(2)");
	return error_new("the new process was killed before it could run %s", options->argv[0]);
}

/* What the kernel executes and we cannot trace: code for another instruction set. */
static struct error *check_image(const char *program, pid_t pid)
{
	unsigned char head[20];
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, head, sizeof(head), 0) != sizeof(head))
		return error_new_kind(
			ERROR_NOT_EXEC,
			"cannot record %s: this user may execute it but not read it, and what "
			"it does could not be seen; run warp as a user who may read it",
			program);
	if (head[EI_CLASS] == ELFCLASS64 && (head[18] | head[19] << 8) == arch.elf_machine)
		return NULL;
	return exec_error(program, ENOEXEC);
}

struct error *tracee_spawn(const struct spawn_options *options, struct tracee *tracee,
			   struct spawn_result *result)
{
	int go[2], said[2];

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
		return error_os(errno, "cannot make a pipe to start %s", options->argv[0]);
	pid_t pid = fork();

	if (pid < 0)
		return error_os(errno, "cannot start a process for %s", options->argv[0]);
	if (pid == 0) {
		close(go[1]);
		run_child(options, go[0], said[1]);
	}
	int from _cleanup_fd_ = said[0];
	int start _cleanup_fd_ = go[1];

	close(go[0]);
	close(said[1]);
	tracee_init(tracee, pid, pid);
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options->ptrace_options) < 0) {
		int errnum = errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, __WALL);
		return seize_error(errnum);
	}
	if (write(start, "", 1) != 1)
		return error_os(errno, "cannot start the new process");
	bool executed = run_to_exec(tracee);

	fcntl(from, F_SETFL, O_NONBLOCK);
	try(hear(options, from, executed, result));
	struct error *error = check_image(options->argv[0], pid);

	if (error) {
		kill(pid, SIGKILL);
		for (tracee_wait(tracee, 0); !tracee->gone; tracee_wait(tracee, 0))
			tracee_resume(tracee, PTRACE_CONT, 0); /* past the stop at its exit */
	}
	return error;
}
