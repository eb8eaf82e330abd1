/* Scheduling calls: priority, policy, affinity, yield. */
#include "guest_task.h"
#include <sys/resource.h>

int main(void)
{
	cpu_set_t set, one;
	struct sched_param param = {0};

	errno = 0;
	int nice_before = getpriority(PRIO_PROCESS, 0);
	show("nice %d", nice_before);
	need(setpriority(PRIO_PROCESS, 0, nice_before + 1));
	expect_eq_long(getpriority(PRIO_PROCESS, 0), nice_before + 1, "nice");
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(getpriority(PRIO_PROCESS, 0) == nice_before + 1 ? 0 : 1);
	expect_child(pid, 0);

	show("policy %d", sched_getscheduler(0));
	need(sched_setscheduler(0, SCHED_BATCH, &param));
	expect_eq_long(sched_getscheduler(0), SCHED_BATCH, "policy");
	need(sched_setscheduler(0, SCHED_OTHER, &param));
	show("SCHED_FIFO from %d to %d", sched_get_priority_min(SCHED_FIFO),
	     sched_get_priority_max(SCHED_FIFO));
	expect_errno(sched_setscheduler(0, 99, &param), EINVAL);
	expect_errno(sched_getscheduler(-1), EINVAL);

	need(sched_getaffinity(0, sizeof(set), &set));
	show("%d processors allowed", CPU_COUNT(&set));
	int cpu = 0;
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	need(sched_setaffinity(0, sizeof(one), &one));
	CPU_ZERO(&one);
	need(sched_getaffinity(0, sizeof(one), &one));
	expect(CPU_COUNT(&one) == 1 && CPU_ISSET(cpu, &one), "bound to processor %d", cpu);
	expect_eq_long(sched_getcpu(), cpu, "sched_getcpu");
	CPU_ZERO(&one);
	expect_errno(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	for (int i = 0; i < 20; i++)
		need(sched_yield());
	return done();
}
