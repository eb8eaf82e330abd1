/* Why the kernel does not let us trace a process: the rules of ptrace(2), "Ptrace access mode
 * checking", each looked up where /proc shows it. The kernel decides; this explains. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live/state.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

/* The error whose kind of refusal `errnum` is; takes the text over. */
static struct error *refusal(int errnum, char *text)
{
	struct error *error = error_new("%s", text);

	error->os_errno = errnum;
	free(text);
	return error;
}

/* The program's name, for texts; the caller's. */
static char *name_of(pid_t pid)
{
	struct bytes text = {0};
	char *name;

	proc_read(pid, "comm", &text);
	while (text.count && text.items[text.count - 1] == '\n')
		text.count--;
	vec_push(&text, 0);
	name = xasprintf("%d (%s)", pid, (char *)text.items);
	vec_deinit(&text);
	return name;
}

static int yama_scope(void)
{
	FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &scope) != 1)
		scope = 0;
	fclose(file);
	return scope;
}

/* Kernel threads have no memory of their own: no mapping, no executable. */
static bool is_kernel_thread(pid_t pid)
{
	char path[48], target[8];
	struct bytes maps = {0};

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (readlink(path, target, sizeof(target)) >= 0 || errno != ENOENT)
		return proc_status_number(pid, "PPid") == 2 || pid == 2;
	bool none = !proc_read(pid, "maps", &maps) || !maps.count;

	vec_deinit(&maps);
	return none && proc_state(pid) != 'Z';
}

static struct error *refused_by_yama(const char *name)
{
	int scope = yama_scope();

	if (scope == 1 && geteuid() != 0)
		return refusal(
			EPERM,
			xasprintf("cannot trace process %s: it is no descendant of warp, and "
				  "/proc/sys/kernel/yama/ptrace_scope = 1 allows only those; start "
				  "the program with warp, or run warp as root",
				  name));
	if (scope == 2 && geteuid() != 0)
		return refusal(
			EPERM,
			xasprintf("cannot trace process %s: /proc/sys/kernel/yama/ptrace_scope "
				  "= 2 allows it to administrators only; run warp as root",
				  name));
	if (scope == 3)
		return refusal(
			EPERM,
			xasprintf("cannot trace process %s: /proc/sys/kernel/yama/ptrace_scope "
				  "= 3 forbids all tracing until the machine is restarted",
				  name));
	return NULL;
}

static struct error *refused_for_rights(pid_t pid, const char *name, int errnum)
{
	pid_t owner = proc_status_number(pid, "Uid");

	if (owner != (pid_t)geteuid() && geteuid() != 0)
		return refusal(EPERM, xasprintf("cannot trace process %s: it belongs to another "
						"user (id %d); run warp as that user or as root",
						name, owner));
	struct error *error = refused_by_yama(name);

	if (error)
		return error;
	return refusal(
		errnum,
		xasprintf("cannot trace process %s: the kernel refuses (%s); it has rights that "
			  "warp has not, has made itself untraceable (PR_SET_DUMPABLE), or a "
			  "container's rules forbid ptrace; run warp as root outside of it",
			  name, strerror(errnum)));
}

struct error *attach_refused(pid_t pid, pid_t tid, int errnum)
{
	pid_t tracer = proc_status_number(tid, "TracerPid");
	char *name _cleanup_free_ = name_of(pid);
	char state = proc_state(pid);

	if (!state) {
		char *attempt _cleanup_free_ = xasprintf("trace process %d", pid);

		try(proc_check(attempt));
		return refusal(ESRCH,
			       xasprintf("cannot trace process %d: there is no such process; "
					 "it may have ended already",
					 pid));
	}
	if (pid == getpid())
		return refusal(
			EPERM,
			xasprintf("cannot trace process %s: that is the tracer itself", name));
	if (is_kernel_thread(pid))
		return refusal(EPERM, xasprintf("cannot trace process %s: it is a kernel thread, "
						"which has no program to look at",
						name));
	if (tracer > 0 || errnum == EBUSY) {
		char *by _cleanup_free_ = name_of(tracer > 0 ? tracer : getpid());

		return refusal(
			EBUSY,
			xasprintf(
				"cannot trace process %s: it is traced already, by process %s, and "
				"the kernel allows one tracer; end that one first",
				name, by));
	}
	if (state == 'Z' || state == 'X')
		return refusal(ESRCH,
			       xasprintf("cannot trace process %s: it has ended, and only its "
					 "parent has not asked for its status yet (a zombie)",
					 name));
	return refused_for_rights(pid, name, errnum);
}
