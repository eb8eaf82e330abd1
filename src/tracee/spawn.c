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

#include "tracee/procfs.h"
#include "util/alloc.h"
#include "util/cleanup.h"

enum child_step {
	STEP_BORN,  /* can be traced */
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

/* Not after a change of our user: then nobody may trace a copy of us (ptrace(2), "Ptrace access
 * mode checking"), until it executes something. */
static bool is_dumpable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
}

/* SECCOMP_SET_MODE_FILTER needs CAP_SYS_ADMIN or no_new_privs (seccomp(2)). */
static bool install_filter(const struct sock_fprog *program, bool *no_new_privs)
{
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

/* What there is to try, made before the fork: in the child of a process with several threads
 * nothing can be allocated. */
struct plan {
	struct vec(char *) paths; /* in the order of PATH; owned */
	char **shell;		  /* arguments of /bin/sh for a script; [1] is its path */
};

/* A directory of PATH that does not have it need not be tried. */
static bool may_be_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static void add_path(struct plan *plan, char *path, bool always)
{
	if (always || may_be_there(path))
		vec_push(&plan->paths, path);
	else
		free(path);
}

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
		add_path(plan, xstrdup(argv[0]), true);
		return;
	}
	char *list _cleanup_free_ = xstrdup(path ? path : "/bin:/usr/bin");
	char *rest = list, *directory;

	while ((directory = strsep(&rest, ":")))
		add_path(plan, xasprintf("%s%s%s", directory, *directory ? "/" : "", argv[0]),
			 false);
}

static void plan_deinit(struct plan *plan)
{
	vec_foreach (&plan->paths, path)
		free(*path);
	vec_deinit(&plan->paths);
	free(plan->shell);
}

/* A file without a format the kernel knows is a script for /bin/sh, as execvp(3) has it; but a
 * program for another processor is none. */
static void exec_path(char *path, char *const *argv, char *const *envp, const struct plan *plan)
{
	execve(path, argv, envp);
	if (errno != ENOEXEC)
		return;
	bool program = is_elf(path);

	errno = ENOEXEC;
	if (program)
		return;
	plan->shell[1] = path;
	execve(plan->shell[0], plan->shell, envp);
	errno = ENOEXEC;
}

/* Returns only if it failed; errno says why. */
static void exec_program(char *const *argv, char *const *envp, const struct plan *plan)
{
	bool denied = false;

	errno = ENOENT;
	vec_foreach (&plan->paths, path) {
		exec_path(*path, argv, envp, plan);
		denied |= errno == EACCES;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ESTALE &&
		    errno != ENODEV && errno != ETIMEDOUT)
			return;
	}
	if (denied)
		errno = EACCES;
}

/* The child's ends of the two pipes. */
struct child_pipes {
	int go, said;
};

/* Descriptors 0 to 2 become what was asked for. The pipes are moved away from there first. */
static void place_descriptors(const struct spawn_options *options, struct child_pipes *pipes)
{
	int from[3];

	if (!options->descriptors)
		return;
	pipes->go = fcntl(pipes->go, F_DUPFD_CLOEXEC, 3);
	pipes->said = fcntl(pipes->said, F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++)
		from[i] = options->descriptors[i] < 0
				  ? -1
				  : fcntl(options->descriptors[i], F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++)
		if (from[i] >= 0)
			dup2(from[i], i);
}

static void wait_for_go(int go)
{
	char byte;

	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	close(go); /* as natively: no descriptor of ours is seen, not even by a failing exec */
}

static void arm_traps(struct spawn_result *result)
{
	result->time_traps = arch.arm_time_trap();
	result->cpuid_traps = arch.arm_cpuid_trap();
	result->cpuid_errno = result->cpuid_traps ? 0 : errno;
}

_Noreturn static void run_child(const struct spawn_options *options, const struct plan *plan,
				struct child_pipes pipes)
{
	char *const *envp = options->envp ? options->envp : environ;
	struct report report = {.step = STEP_READY};

	if (!is_dumpable()) {
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		tell(pipes.said, &(struct report){.step = STEP_BORN});
	}
	if (options->new_session)
		setsid();
	if (options->cpus)
		sched_setaffinity(0, sizeof(*options->cpus), options->cpus);
	place_descriptors(options, &pipes);
	restore_signals(options);
	wait_for_go(pipes.go);
	if (options->time_traps)
		arm_traps(&report.result);
	if (options->filter && !install_filter(options->filter, &report.result.no_new_privs)) {
		report.step = STEP_SECCOMP;
		report.error = errno;
		tell(pipes.said, &report);
		_exit(125);
	}
	tell(pipes.said, &report);
	if (options->image >= 0)
		syscall(SYS_execveat, options->image, "", options->argv, envp, AT_EMPTY_PATH);
	else
		exec_program(options->argv, envp, plan);
	report.step = STEP_EXEC;
	report.error = errno;
	tell(pipes.said, &report);
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

static void on_call(const struct spawn_options *options, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;

	if (!tracee_call_info(tracee, &info))
		return;
	bool entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	int nr = arch.call_nr(tracee_regs(tracee));

	if (nr == SYS_execve || nr == SYS_execveat)
		options->exec_call(options->context, tracee, entry);
}

/* Lets the child run up to its exec. */
static bool run_to_exec(const struct spawn_options *options, struct tracee *tracee)
{
	int how = options->exec_call ? PTRACE_SYSCALL : PTRACE_CONT;

	for (;;) {
		int status = tracee_wait(tracee, 0);

		if (tracee->gone)
			return false;
		if (tracee_event(status) == PTRACE_EVENT_EXEC)
			return true;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			on_call(options, tracee);
		bool pass = !tracee_event(status) && (WSTOPSIG(status) & ~0x80) != SIGTRAP;

		tracee_resume(tracee, how, pass ? WSTOPSIG(status) : 0);
	}
}

static struct error *exec_refused(const char *program, int errnum)
{
	if (!*program)
		return error_new_kind(
			ERROR_NOT_FOUND,
			"cannot run '': the program's name is empty; give its name or "
			"path (is a variable of the shell unset?)");
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

static struct error *exec_error(const char *program, int errnum)
{
	struct error *error = exec_refused(program, errnum);

	error->os_errno = errnum;
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

static struct error *check_proc(const char *program)
{
	char *attempt _cleanup_free_ = xasprintf("run %s under warp", program);

	return proc_check(attempt);
}

/* What the kernel executes and we cannot trace: code for another instruction set. */
static struct error *check_image(const char *program, pid_t pid)
{
	unsigned char head[20];
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		try(check_proc(program));
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

/* Ends a child that is of no use, also past the stop at its exit. */
static void end_child(struct tracee *tracee)
{
	kill(tracee->tid, SIGKILL);
	for (tracee_wait(tracee, 0); !tracee->gone; tracee_wait(tracee, 0))
		tracee_resume(tracee, PTRACE_CONT, 0);
}

/* Seizes the child and runs it up to the end of its exec. The descriptors are taken over. */
static struct error *lead_child(const struct spawn_options *options, struct tracee *tracee, int go,
				int said, struct spawn_result *result)
{
	int start _cleanup_fd_ = go;
	int from _cleanup_fd_ = said;

	struct report born;

	if (!is_dumpable() && read(from, &born, sizeof(born)) < 0)
		return error_os(errno, "cannot hear from the new process");
	if (ptrace(PTRACE_SEIZE, tracee->tid, NULL, (void *)options->ptrace_options) < 0)
		return seize_error(errno);
	if (options->exec_call)
		tracee_interrupt(tracee); /* its calls are seen from its next stop on */
	if (write(start, "", 1) != 1)
		return error_os(errno, "cannot start the new process");
	bool executed = run_to_exec(options, tracee);

	fcntl(from, F_SETFL, O_NONBLOCK);
	try(hear(options, from, executed, result));
	return options->time_traps ? check_image(options->argv[0], tracee->tid) : NULL;
}

struct error *tracee_spawn(const struct spawn_options *options, struct tracee *tracee,
			   struct spawn_result *result)
{
	struct plan plan _cleanup_(plan_deinit);
	int go[2], said[2];

	make_plan(options->argv, &plan);
	if (pipe2(go, O_CLOEXEC) < 0)
		return error_hint(
			error_os(errno, "cannot make a pipe to start %s", options->argv[0]),
			"end some programs and try again");
	if (pipe2(said, O_CLOEXEC) < 0) {
		close(go[0]);
		close(go[1]);
		return error_hint(
			error_os(errno, "cannot make a pipe to start %s", options->argv[0]),
			"end some programs and try again");
	}
	pid_t pid = fork();
	int errnum = errno;

	if (pid == 0) {
		close(go[1]);
		run_child(options, &plan, (struct child_pipes){go[0], said[1]});
	}
	close(go[0]);
	close(said[1]);
	if (pid < 0) {
		close(go[1]);
		close(said[0]);
		return error_hint(
			error_os(errnum, "cannot start a process for %s", options->argv[0]),
			"end some programs, or allow more processes (ulimit -u), and try again");
	}
	tracee_init(tracee, pid, pid);
	struct error *error = lead_child(options, tracee, go[1], said[0], result);

	if (error && !tracee->gone)
		end_child(tracee);
	return error;
}
