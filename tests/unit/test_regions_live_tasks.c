/* What the table says the kernel writes, against what it writes (live_fixture.c): processes, signals, clocks, memory, IPC. */
#include "live_fixture.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- processes, signals ---- */

static pid_t child;

static void c_child(void)
{
	waitpid(child, NULL, 0);
}

static void p_wait4(void)
{
	child = ended_child();
	set_args(child, A(block(4)), 0, A(block(144)));
}

static pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void c_kill_child(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void p_wait4_nothing(void)
{
	child = sleeping_child();
	set_args(child, A(block(4)), WNOHANG, A(block(144)));
}

static void p_waitid(void)
{
	child = ended_child();
	set_args(P_PID, child, A(block(128)), WEXITED | WNOWAIT, A(block(144)));
}

static void p_waitid_nothing(void)
{
	child = sleeping_child();
	set_args(P_PID, child, A(block(128)), WEXITED | WNOHANG, A(block(144)));
}

static void p_waitid_failing(void)
{
	set_args(P_PID, 1, A(block(128)), WEXITED, A(block(144)));
}

static void p_sigaction(void)
{
	set_args(SIGUSR1, 0, A(block(32)), 8);
}

static void p_sigprocmask(void)
{
	set_args(SIG_BLOCK, A(copy64(0)), A(block(8)), 8);
}

static void p_sigpending(void)
{
	set_args(A(block(8)), 5);
}

static void p_sigaltstack(void)
{
	set_args(0, A(block(24)));
}

static void p_sigtimedwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	set_args(A(copy(&set, 8)), A(block(128)), A(copy(&(struct timespec){5, 0}, 16)), 8);
}

static void p_sigtimedwait_nothing(void)
{
	set_args(A(copy64(1u << (SIGUSR2 - 1))), A(block(128)), A(copy(&(struct timespec){0}, 16)),
		 8);
}

static void p_capget(void)
{
	uint32_t header[2] = {0x20080522, 0};

	set_args(A(copy(header, sizeof(header))), A(block(24)));
}

static void p_capget_version(void)
{
	uint32_t header[2] = {5, 0};

	set_args(A(copy(header, sizeof(header))), A(block(24)));
}

static void p_one_block(void)
{
	set_args(A(block(512)));
}

static void p_two_blocks(void)
{
	set_args(A(block(64)), A(block(64)), 0);
}

static void p_three_blocks(void)
{
	set_args(A(block(64)), A(block(64)), A(block(64)));
}

static void p_getrusage(void)
{
	set_args(0, A(block(144)));
}

static void p_prlimit(void)
{
	set_args(0, 7, 0, A(block(16)));
}

static void p_getgroups(void)
{
	set_args(100, A(block(400)));
}

static void p_sched_getaffinity(void)
{
	set_args(0, 1024, A(block(1024)));
}

static void p_sched_getattr(void)
{
	set_args(0, A(block(128)), 128, 0);
}

static void p_sched_setattr(void)
{
	unsigned char *attr = block(128);

	memset(attr, 0xff, 128);
	memcpy(attr, &(uint32_t){128}, 4);
	set_args(0, A(attr), 0);
}

static void p_prctl_name(void)
{
	set_args(16, A(block(32)));
}

static void p_prctl_auxv(void)
{
	set_args(0x41555856, A(block(64)), 64);
}

static void p_prctl_int(void)
{
	set_args(2, A(block(32)));
}

static void p_prctl_tid_address(void)
{
	set_args(40, A(block(32)));
}

static void p_arch_prctl(void)
{
	set_args(0x1003, A(block(32)));
}

static void p_modify_ldt(void)
{
	set_args(0, A(block(64)), 64);
}

static void p_modify_ldt_failing(void)
{
	set_args(77, A(block(64)), 64);
}

static void p_futex_lock_pi(void)
{
	set_args(A(copy32(0)), FUTEX_LOCK_PI_PRIVATE);
}

static void p_futex_wake_op(void)
{
	set_args(A(copy32(0)), FUTEX_WAKE_OP_PRIVATE, 1, 1, A(copy32(0)),
		 FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 0));
}

static void p_robust_list(void)
{
	set_args(0, A(block(8)), A(block(8)));
}

/* ---- clocks ---- */

static void p_nanosleep_interrupted(void)
{
	start_alarm();
	set_args(A(copy(&(struct timespec){50, 0}, 16)), A(block(16)));
}

static void p_clock_nanosleep_interrupted(void)
{
	start_alarm();
	set_args(CLOCK_MONOTONIC, 0, A(copy(&(struct timespec){50, 0}, 16)), A(block(16)));
}

static void p_clock_nanosleep_absolute(void)
{
	start_alarm();
	set_args(CLOCK_MONOTONIC, TIMER_ABSTIME, A(copy(&(struct timespec){1ll << 40, 0}, 16)),
		 A(block(16)));
}

static void p_clock_gettime(void)
{
	set_args(CLOCK_MONOTONIC, A(block(16)));
}

static void p_timer_create(void)
{
	set_args(CLOCK_MONOTONIC, 0, A(block(8)));
}

static void c_timer_create(void)
{
	int id;

	memcpy(&id, (void *)(uintptr_t)args[2], 4);
	syscall(SYS_timer_delete, id);
}

static void p_timer_create_failing(void)
{
	set_args(8 /* CLOCK_REALTIME_ALARM: refused after the id was written */, 0, A(block(8)));
}

static void p_timerfd_settime(void)
{
	struct itimerspec when = {{1, 0}, {1, 0}};

	fds[0] = syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
	set_args(fds[0], 0, A(copy(&when, sizeof(when))), A(block(32)));
}

static void p_getitimer(void)
{
	set_args(ITIMER_REAL, A(block(32)));
}

static void p_adjtimex(void)
{
	unsigned char *timex = block(208);

	memset(timex, 0, 208);
	set_args(A(timex));
}

/* ---- memory ---- */

static void p_mincore(void)
{
	set_args(A(arena), 3 * 4096, A(block(16)));
}

static void p_mempolicy(void)
{
	set_args(A(block(4)), A(block(256)), 1025, 0, 0);
}

static void p_move_pages(void)
{
	void *pages[2] = {arena, (void *)4096};

	set_args(0, 2, A(copy(pages, sizeof(pages))), 0, A(block(16)), 0);
}

static void p_getrandom(void)
{
	set_args(A(block(2)), 2, 0);
}

/* ---- IPC ---- */

static int ipc;

static void c_sem(void)
{
	semctl(ipc, 0, IPC_RMID);
}

static void sem_case(int command)
{
	ipc = semget(IPC_PRIVATE, 5, 0600);
	set_args(ipc, 0, command, A(block(256)));
}

static void p_sem_stat(void)
{
	sem_case(IPC_STAT);
}

static void p_sem_all(void)
{
	sem_case(GETALL);
}

static void p_sem_info(void)
{
	sem_case(SEM_INFO);
}

static void c_shm(void)
{
	shmctl(ipc, IPC_RMID, NULL);
}

static void shm_case(int command)
{
	ipc = shmget(IPC_PRIVATE, 4096, 0600);
	set_args(ipc, command, A(block(256)));
}

static void p_shm_stat(void)
{
	shm_case(IPC_STAT);
}

static void p_shm_limits(void)
{
	shm_case(IPC_INFO);
}

static void p_shm_info(void)
{
	shm_case(SHM_INFO);
}

static void c_msg(void)
{
	msgctl(ipc, IPC_RMID, NULL);
}

static void p_msg_stat(void)
{
	ipc = msgget(IPC_PRIVATE, 0600);
	set_args(ipc, IPC_STAT, A(block(256)));
}

static void p_msg_info(void)
{
	ipc = msgget(IPC_PRIVATE, 0600);
	set_args(ipc, MSG_INFO, A(block(256)));
}

static void p_msgrcv(void)
{
	struct {
		long type;
		char text[5];
	} msg = {3, "text"};

	ipc = msgget(IPC_PRIVATE, 0600);
	assert_int_equal(msgsnd(ipc, &msg, 5, 0), 0);
	set_args(ipc, A(block(64)), 50, 0, 0);
}

static void p_keyctl_capabilities(void)
{
	set_args(31, A(block(32)), 32);
}

static const struct live cases[] = {
	{"wait4", p_wait4, OK},
	{"wait4", p_wait4_nothing, 0, c_kill_child},
	{"waitid", p_waitid, 0, c_child},
	{"waitid", p_waitid_nothing, 0, c_kill_child},
	{"waitid", p_waitid_failing, -ECHILD},
	{"rt_sigaction", p_sigaction, 0},
	{"rt_sigprocmask", p_sigprocmask, 0},
	{"rt_sigpending", p_sigpending, 0},
	{"sigaltstack", p_sigaltstack, 0},
	{"rt_sigtimedwait", p_sigtimedwait, SIGUSR1},
	{"rt_sigtimedwait", p_sigtimedwait_nothing, -EAGAIN},
	{"capget", p_capget, 0},
	{"capget", p_capget_version, -EINVAL},
	{"uname", p_one_block, 0},
	{"sysinfo", p_one_block, 0},
	{"times", p_one_block, OK},
	{"time", p_one_block, OK},
	{"gettimeofday", p_two_blocks, 0},
	{"getcpu", p_two_blocks, 0},
	{"getresuid", p_three_blocks, 0},
	{"getresgid", p_three_blocks, 0},
	{"getrusage", p_getrusage, 0},
	{"getrlimit", p_getrusage, 0},
	{"sched_getparam", p_getrusage, 0},
	{"sched_rr_get_interval", p_getrusage, 0},
	{"prlimit64", p_prlimit, 0},
	{"getgroups", p_getgroups, OK},
	{"sched_getaffinity", p_sched_getaffinity, OK},
	{"sched_getattr", p_sched_getattr, ANY},
	{"sched_setattr", p_sched_setattr, -E2BIG},
	{"prctl", p_prctl_name, 0},
	{"prctl", p_prctl_auxv, ANY},
	{"prctl", p_prctl_int, 0},
	{"prctl", p_prctl_tid_address, ANY},
	{"arch_prctl", p_arch_prctl, 0},
	{"modify_ldt", p_modify_ldt, ANY},
	{"modify_ldt", p_modify_ldt_failing, ANY},
	{"futex", p_futex_lock_pi, 0},
	{"futex", p_futex_wake_op, OK},
	{"get_robust_list", p_robust_list, 0},
	{"nanosleep", p_nanosleep_interrupted, -EINTR, stop_alarm},
	{"clock_nanosleep", p_clock_nanosleep_interrupted, -EINTR, stop_alarm},
	{"clock_nanosleep", p_clock_nanosleep_absolute, -EINTR, stop_alarm},
	{"clock_gettime", p_clock_gettime, 0},
	{"clock_getres", p_clock_gettime, 0},
	{"timer_create", p_timer_create, 0, c_timer_create},
	{"timer_create", p_timer_create_failing, ANY},
	{"timerfd_settime", p_timerfd_settime, 0},
	{"getitimer", p_getitimer, 0},
	{"adjtimex", p_adjtimex, OK},
	{"mincore", p_mincore, 0},
	{"get_mempolicy", p_mempolicy, ANY},
	{"move_pages", p_move_pages, ANY},
	{"getrandom", p_getrandom, 2},
	{"semctl", p_sem_stat, 0, c_sem},
	{"semctl", p_sem_all, 0, c_sem},
	{"semctl", p_sem_info, OK, c_sem},
	{"shmctl", p_shm_stat, 0, c_shm},
	{"shmctl", p_shm_limits, OK, c_shm},
	{"shmctl", p_shm_info, OK, c_shm},
	{"msgctl", p_msg_stat, 0, c_msg},
	{"msgctl", p_msg_info, OK, c_msg},
	{"msgrcv", p_msgrcv, 5, c_msg},
	{"keyctl", p_keyctl_capabilities, ANY},
};

int main(void)
{
	return run_live("regions_live_tasks", cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
