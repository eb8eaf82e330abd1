/*
 * The scheduler's calls: affinity (what is set is what is seen), policies, parameters, attributes.
 */
#include "guest.h"
#include <sched.h>

static int cpus_of_init(void)
{
	FILE *f = fopen("/proc/1/status", "r");
	char line[4096];
	int count = 0;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "Cpus_allowed:", 13) == 0)
			for (const char *p = line + 13; *p; p++)
				if (*p != ',' && *p > ' ')
					count += __builtin_popcount(*p >= 'a' ? *p - 'a' + 10
									      : *p - '0');
	if (f)
		fclose(f);
	return count;
}

int main(void)
{
	cpu_set_t all, one, seen;
	struct sched_param param = {-1};
	struct timespec ts = {0, 0};
	int first = -1;

	CPU_ZERO(&all);
	expect_eq_long(sched_getaffinity(0, sizeof(all), &all), 0, "sched_getaffinity");
	show("%d CPUs allowed, %ld online, raw size %ld", CPU_COUNT(&all),
	     sysconf(_SC_NPROCESSORS_ONLN), syscall(SYS_sched_getaffinity, 0, sizeof(all), &all));
	/* A container may allow fewer than are online, but then to its first process too. */
	expect(CPU_COUNT(&all) == sysconf(_SC_NPROCESSORS_ONLN) ||
		       CPU_COUNT(&all) == cpus_of_init(),
	       "all CPUs of the machine or of the container (%d)", cpus_of_init());
	for (int i = CPU_SETSIZE - 1; i >= 0; i--)
		if (CPU_ISSET(i, &all))
			first = i;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	expect_eq_long(sched_setaffinity(0, sizeof(one), &one), 0, "sched_setaffinity");
	expect_eq_long(sched_getaffinity(0, sizeof(seen), &seen), 0, "sched_getaffinity");
	expect(CPU_EQUAL(&one, &seen), "only CPU %d", first);
	expect_eq_long(sched_getcpu(), first, "sched_getcpu");
	pid_t pid = need(fork());
	if (pid == 0) {
		need(sched_getaffinity(0, sizeof(seen), &seen));
		expect(CPU_EQUAL(&one, &seen), "a child inherits it");
		_exit(done());
	}
	expect_child(pid, 0);
	expect_eq_long(sched_setaffinity(0, sizeof(all), &all), 0, "set back");
	need(sched_getaffinity(0, sizeof(seen), &seen));
	expect(CPU_EQUAL(&all, &seen), "as before");
	CPU_ZERO(&one);
	expect_errno(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	expect_errno(syscall(SYS_sched_getaffinity, 0, 3, &seen), EINVAL);
	/* Room for fewer CPUs than the kernel's mask has, but for all that there can be. */
	long possible = sysconf(_SC_NPROCESSORS_CONF), room = (possible + 63) / 64 * 8;
	memset(&seen, 0, sizeof(seen));
	if (possible <= 64)
		expect_eq_long(syscall(SYS_sched_getaffinity, 0, room, &seen), room, "short mask");
	expect(possible > 64 || CPU_EQUAL(&all, &seen), "all that are allowed");
	expect_errno(syscall(SYS_sched_getaffinity, 0, 0, &seen), EINVAL);
	expect_errno(syscall(SYS_sched_getaffinity, 0, 1001, &seen), EINVAL);
	expect_errno(sched_getaffinity(0x7ffffff0, sizeof(seen), &seen), ESRCH);

	expect_eq_long(sched_getscheduler(0), SCHED_OTHER, "policy");
	expect_eq_long(sched_getparam(0, &param), 0, "sched_getparam");
	expect_eq_long(param.sched_priority, 0, "priority");
	expect_eq_long(sched_setscheduler(0, SCHED_BATCH, &param), 0, "SCHED_BATCH");
	expect_eq_long(sched_getscheduler(0), SCHED_BATCH, "policy");
	expect_eq_long(sched_setparam(0, &param), 0, "sched_setparam");
	expect_eq_long(sched_get_priority_max(SCHED_FIFO), 99, "sched_get_priority_max");
	expect_eq_long(sched_get_priority_min(SCHED_RR), 1, "sched_get_priority_min");
	expect_errno(sched_get_priority_max(99), EINVAL);
	expect_eq_long(sched_rr_get_interval(0, &ts), 0, "sched_rr_get_interval");
	show("interval %ld.%09ld", ts.tv_sec, ts.tv_nsec);
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t rest[3];
		uint32_t util[2];
	} attr = {0};
	expect_eq_long(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0), 0, "sched_getattr");
	expect(attr.policy == SCHED_BATCH, "size %u, policy %u, nice %d", attr.size, attr.policy,
	       attr.nice);
	param.sched_priority = 1;
	int r = sched_setscheduler(0, SCHED_FIFO, &param);
	show("SCHED_FIFO: %d (%s)", r, r ? strerror(errno) : "allowed");
	expect(r == 0 || errno == EPERM, "it is allowed or not");
	for (int i = 0; i < 10; i++)
		need(sched_yield());
	return done();
}
