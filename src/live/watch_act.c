/* Actions of warp watch: registers, breakpoints, commands, gdb. */
#include "live/watch_act.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/engine.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"
#include "util/log.h"

/* How long a process may take to stop before a command looks at it. */
#define SUSPEND_MS 1000

void watch_registers(FILE *out, struct live_task *task)
{
	static const struct arch_layout none;
	struct arch_state state = {.layout = &none, .regs = *tracee_regs(&task->tracee)};
	struct arch_reg reg;

	for (size_t i = 0; arch.reg_at(&state, i, &reg) && reg.flavor == ARCH_GENERAL; i++) {
		uint8_t value[ARCH_REG_BYTES];
		uint64_t word;

		arch.reg_get(&state, &reg, value);
		memcpy(&word, value, sizeof(word));
		fprintf(out, "%d   %-8s 0x%016" PRIx64 "\n", task->tracee.tid, reg.name, word);
	}
}

struct error *watch_break(struct live_process *process, taddr at)
{
	struct live_breakpoint *breakpoint;
	struct error *error = live_break(process, at, LIVE_BREAK_HW, 1, &breakpoint);

	if (!error)
		return NULL;
	error_free(error);
	return live_break(process, at, LIVE_BREAK, 1, &breakpoint);
}

/* ---- commands ---- */

static void set_number(const char *name, const char *format, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	setenv(name, text, 1);
}

static _Noreturn void become_command(const char *command, pid_t pid, pid_t tid, taddr result)
{
	signal(SIGPIPE, SIG_DFL);
	set_number("WARP_PID", "%" PRIu64, (uint64_t)pid);
	set_number("WARP_TID", "%" PRIu64, (uint64_t)tid);
	set_number("WARP_RESULT", "%#" PRIx64, result);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static void run_command(const char *command, pid_t pid, pid_t tid, taddr result)
{
	pid_t child, got;
	int status;

	fflush(NULL);
	child = fork();
	if (child < 0) {
		log_notice("cannot run '%s': %s", command, strerror(errno));
		return;
	}
	if (!child)
		become_command(command, pid, tid, result);
	do
		got = waitpid(child, &status, 0);
	while (got < 0 && errno == EINTR);
}

void watch_command(struct live_task *task, const char *command, const struct sc_call *call)
{
	struct live_process *process = task->process;

	engine_suspend(process, SUSPEND_MS, NULL);
	run_command(command, process->pid, task->tracee.tid, (taddr)call->result);
	engine_resume(process);
}

void watch_gdb(pid_t pid, const char *arguments, taddr result)
{
	char *command _cleanup_free_ = xasprintf("gdb -p %d %s", pid, arguments ? arguments : "");

	run_command(command, pid, pid, result);
	if (proc_state(pid) == 'T')
		kill(pid, SIGCONT);
}
