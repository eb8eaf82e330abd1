/* Calls that the recorder answers itself, because making them would change what it relies on: the
 * one core it shares with the program, the trapping of rdtsc, the seccomp program, and who traces.
 * The program sees what it would see natively. */
#include <asm/prctl.h>
#include <errno.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/session.h"
#include "util/log.h"

static uint64_t arg(const struct rec_task *t, int index)
{
	return t->call.call.args[index];
}

/* Writes to the tracee and records it. */
static bool give(struct rec_session *s, struct rec_task *t, taddr to, const void *bytes,
		 size_t length)
{
	if (tracee_write(&t->tracee, to, bytes, length) != length)
		return false;
	rec_datum(s, t, TRACE_D_MEMORY, to, bytes, length);
	return true;
}

/* ---- CPU affinity: everybody stays on the one core, and believes what was set ---- */

/* The task that a pid argument means; NULL if it is none of ours. */
static struct rec_task *affinity_target(struct rec_session *s, struct rec_task *t)
{
	return (pid_t)arg(t, 0) ? rec_find_named(s, t, (pid_t)arg(t, 0)) : t;
}

enum rec_verdict rec_affinity_set(struct rec_session *s, struct rec_task *t)
{
	struct rec_task *target = affinity_target(s, t);
	cpu_set_t wanted;
	size_t length = arg(t, 1) < sizeof(wanted) ? arg(t, 1) : sizeof(wanted);

	if (!target)
		return REC_MAKE;
	CPU_ZERO(&wanted);
	if (tracee_read(&t->tracee, arg(t, 2), &wanted, length) != length) {
		rec_answer(s, t, -EFAULT);
		return REC_ANSWERED;
	}
	CPU_AND(&wanted, &wanted, &s->cpus);
	if (!CPU_COUNT(&wanted)) {
		rec_answer(s, t, -EINVAL);
		return REC_ANSWERED;
	}
	target->affinity = wanted;
	rec_answer(s, t, 0);
	return REC_ANSWERED;
}

/* The kernel gives back as many bytes as its own mask has, or as there is room for, if all CPUs fit
 * there (sched_getaffinity(2), C library/kernel differences): asked of it with the same room. */
enum rec_verdict rec_affinity_get(struct rec_session *s, struct rec_task *t)
{
	struct rec_task *target = affinity_target(s, t);
	unsigned room = (unsigned)arg(t, 1);
	cpu_set_t mine;

	if (room > sizeof(mine) && room % sizeof(long) == 0)
		room = sizeof(mine);
	long size = room > sizeof(mine) ? -1 : syscall(SYS_sched_getaffinity, 0, room, &mine);

	if (!target)
		return REC_MAKE;
	if (size <= 0)
		rec_answer(s, t, -EINVAL);
	else if (!give(s, t, arg(t, 2), &target->affinity, (size_t)size))
		rec_answer(s, t, -EFAULT);
	else
		rec_answer(s, t, size);
	return REC_ANSWERED;
}

/* ---- prctl(PR_GET_TSC, PR_SET_TSC) ---- */

enum rec_verdict rec_tsc(struct rec_session *s, struct rec_task *t)
{
	if (arg(t, 0) == PR_SET_TSC) {
		bool known = arg(t, 1) == PR_TSC_ENABLE || arg(t, 1) == PR_TSC_SIGSEGV;

		if (known)
			t->tsc_mode = (int)arg(t, 1);
		rec_answer(s, t, known ? 0 : -EINVAL);
		return REC_ANSWERED;
	}
	int mode = t->tsc_mode ? t->tsc_mode : PR_TSC_ENABLE;

	rec_answer(s, t, give(s, t, arg(t, 1), &mode, sizeof(mode)) ? 0 : -EFAULT);
	return REC_ANSWERED;
}

/* ---- arch_prctl(ARCH_GET_CPUID, ARCH_SET_CPUID) ---- */

/* Where cpuid does not trap, the kernel knows nothing else to say either. */
enum rec_verdict rec_cpuid(struct rec_session *s, struct rec_task *t)
{
	if (!s->cpuid_traps)
		return REC_MAKE;
	if (arg(t, 0) == ARCH_SET_CPUID)
		t->cpuid_faults = !arg(t, 1);
	rec_answer(s, t, arg(t, 0) == ARCH_SET_CPUID ? 0 : !t->cpuid_faults);
	return REC_ANSWERED;
}

/* ---- no_new_privs ---- */

/* We had to set no_new_privs to install our own seccomp program as an ordinary user. */
enum rec_verdict rec_no_new_privs(struct rec_session *s, struct rec_task *t)
{
	if (arg(t, 0) == PR_SET_NO_NEW_PRIVS) {
		t->no_new_privs |= arg(t, 1) == 1 && !arg(t, 2) && !arg(t, 3) && !arg(t, 4);
		return REC_MAKE;
	}
	if (arg(t, 1) || arg(t, 2) || arg(t, 3) || arg(t, 4))
		return REC_MAKE;
	rec_answer(s, t, t->no_new_privs);
	return REC_ANSWERED;
}

/* ---- dumpable: the memory of a process that is not could not be read by an ordinary user ---- */

enum rec_verdict rec_dumpable(struct rec_session *s, struct rec_task *t)
{
	if (arg(t, 0) == PR_GET_DUMPABLE) {
		rec_answer(s, t, !t->leader->undumpable);
		return REC_ANSWERED;
	}
	if (arg(t, 1) <= 1)
		t->leader->undumpable = !arg(t, 1);
	rec_answer(s, t, arg(t, 1) <= 1 ? 0 : -EINVAL);
	return REC_ANSWERED;
}

/* ---- fanotify: who gives permissions would be asked by the recorder, which it waits for ---- */

/* EINVAL, as of a kernel without CONFIG_FANOTIFY_ACCESS_PERMISSIONS. */
enum rec_verdict rec_fanotify(struct rec_session *s, struct rec_task *t)
{
	if (!(arg(t, 0) & (FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT)))
		return REC_MAKE;
	rec_tell_once(s, REC_TOLD_FANOTIFY, 0,
		      "fanotify groups that decide on permissions (FAN_CLASS_CONTENT, "
		      "FAN_CLASS_PRE_CONTENT) are not supported: fanotify_init was answered with "
		      "EINVAL");
	rec_answer(s, t, -EINVAL);
	return REC_ANSWERED;
}

/* ---- ptrace: a task has one tracer, and that is us ---- */

enum rec_verdict rec_ptrace(struct rec_session *s, struct rec_task *t)
{
	rec_tell_once(
		s, REC_TOLD_PTRACE, 0,
		"ptrace is not supported in a recording: it was answered with EPERM, as for a "
		"process that is traced already");
	rec_answer(s, t, -EPERM);
	return REC_ANSWERED;
}
