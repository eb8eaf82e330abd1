/* Starting a program for a tool: its signals, our signals, where lines go.
 *
 * The program begins with the signal mask and the ignored signals that we were started with.
 * Signals of the terminal reach it by themselves; those that a process sends to us are passed
 * on. */
#include "live/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

/* The program, for the handler below. */
static volatile pid_t forward_to;

static void forward(int signal, siginfo_t *info, void *context)
{
	if (forward_to && info->si_code <= 0)
		kill(forward_to, signal);
}

/* ---- our signals ---- */

static const int forwarded[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

#define FORWARDED (sizeof(forwarded) / sizeof(*forwarded))
_Static_assert(FORWARDED == sizeof(((struct launch *)0)->before) / sizeof(struct sigaction),
	       "one former action each");

static void take_signals(struct launch *launch, struct live_spawn *spawn)
{
	struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, now;

	sigprocmask(SIG_SETMASK, NULL, &spawn->mask);
	sigemptyset(&spawn->ignored);
	for (int signal = 1; signal < NSIG; signal++)
		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaddset(&spawn->ignored, signal);
	for (size_t i = 0; i < FORWARDED; i++)
		sigaction(forwarded[i], &action, &launch->before[i]);
	/* nobody reads our lines: no reason to end the program */
	sigaction(SIGPIPE, &ignore, &launch->pipe);
	launch->signals_taken = true;
}

static void return_signals(struct launch *launch)
{
	forward_to = 0;
	if (!launch->signals_taken)
		return;
	for (size_t i = 0; i < FORWARDED; i++)
		sigaction(forwarded[i], &launch->before[i], NULL);
	sigaction(SIGPIPE, &launch->pipe, NULL);
	sched_setaffinity(0, sizeof(launch->allowed), &launch->allowed);
}

/* ---- the program ---- */

/* Stops between two cores cost ten times as much. */
static void share_core(cpu_set_t *one)
{
	int core = sched_getcpu();

	CPU_ZERO(one);
	CPU_SET(core < 0 ? 0 : core, one);
	sched_setaffinity(0, sizeof(*one), one);
}

struct error *launch_filter(const struct expr *const *exprs, size_t count, struct expr_code *code)
{
	static const struct expr_bpf_options options = {
		.match = SECCOMP_RET_TRACE | LIVE_FILTER_DATA, .foreign = SECCOMP_RET_ALLOW};
	const struct expr **all _cleanup_free_ = xcalloc(count + 1, sizeof(*all));
	struct expr *rules;

	try(expr_parse("seccomp(op <= 1), prctl(option == PR_SET_SECCOMP)", &rules));
	for (size_t i = 0; i < count; i++)
		all[i] = exprs[i];
	all[count] = rules;
	expr_bpf(all, count + 1, &options, code);
	expr_destroy(rules);
	return NULL;
}

bool launch_sets_rules(const struct sc_call *call)
{
	const struct sc_row *row = sc_row_refine(sc_row(call->nr), call);

	switch (row ? row->handler : SC_H_NONE) {
	case SC_H_SECCOMP:
		return call->args[0] <= SECCOMP_SET_MODE_FILTER;
	case SC_H_PRCTL_SECCOMP:
		return call->args[0] == PR_SET_SECCOMP;
	default:
		return false;
	}
}

struct error *launch_start(struct launch *launch, const struct launch_options *options)
{
	struct live_spawn spawn = {.argv = options->argv,
				   .wants = options->wants,
				   .follow = true,
				   .show_exec = options->show_exec};
	struct expr_code code = {0};
	struct live_process *process;
	struct error *error;
	cpu_set_t one;

	sched_getaffinity(0, sizeof(launch->allowed), &launch->allowed);
	take_signals(launch, &spawn);
	if (options->one_core) {
		share_core(&one);
		spawn.cpus = &one;
	}
	if (options->exprs)
		try(launch_filter(options->exprs, options->expr_count, &code));
	const struct sock_fprog filter = {(unsigned short)code.count, code.items};

	spawn.filter = options->exprs ? &filter : NULL;
	spawn.sets_rules = launch_sets_rules;
	error = engine_spawn(launch->engine, &spawn, &process);
	vec_deinit(&code);
	return error;
}

void launch_new_task(struct launch *launch, const struct live_task *task, enum live_birth birth)
{
	if (birth == LIVE_SPAWNED)
		launch->pid = forward_to = task->tracee.tgid;
}

void launch_process_ended(struct launch *launch, const struct live_process *process, int status)
{
	if (process->pid != launch->pid)
		return;
	launch->ended = true;
	launch->status = status;
	forward_to = 0;
}

static void wait_for_end(struct launch *launch)
{
	pid_t pid;

	if (launch->ended || !launch->pid)
		return;
	do
		pid = waitpid(launch->pid, &launch->status, 0);
	while (pid < 0 && errno == EINTR);
	launch->ended = pid > 0;
}

/* ---- lines ---- */

struct error *launch_open(struct launch *launch, const char *output)
{
	/* a descriptor of our own: the program may close or redirect what it shares with us */
	int fd = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
			: fcntl(2, F_DUPFD_CLOEXEC, 3);

	if (fd < 0 && !output)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	launch->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!launch->out && output)
		return error_hint(error_os(errno, "cannot write to %s", output),
				  "name another file with -o");
	if (!launch->out)
		return error_os(errno, "cannot write to standard error");
	setvbuf(launch->out, NULL, _IOLBF, 0);
	return NULL;
}

struct error *launch_finish(struct launch *launch, const char *output)
{
	bool failed;

	wait_for_end(launch);
	return_signals(launch);
	if (!launch->out)
		return NULL;
	failed = ferror(launch->out);
	failed |= fclose(launch->out) != 0;
	launch->out = NULL;
	if (failed && output)
		return error_new("cannot write all lines to %s; make room there, or use another "
				 "place (-o)",
				 output);
	return NULL;
}
