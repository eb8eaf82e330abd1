/* siginfo of kill(), tgkill(), raise(), sigqueue(), rt_tgsigqueueinfo(); from self and a child. */
#include "guest_task.h"

static siginfo_t seen;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
}

static void check(const char *how, int sig, int code, pid_t pid)
{
	show("%s: signo %d errno %d code %d pid %d uid %d value %d", how, seen.si_signo,
	     seen.si_errno, seen.si_code, seen.si_pid, (int)seen.si_uid, seen.si_value.sival_int);
	expect(seen.si_signo == sig && seen.si_code == code, "%s: signal and code", how);
	expect(seen.si_pid == pid && seen.si_uid == getuid(), "%s: sender", how);
	memset(&seen, 0, sizeof(seen));
}

int main(void)
{
	union sigval value = {.sival_int = 12345};
	pid_t me = getpid();
	sigset_t none;

	handle(SIGUSR1, handler, 0);
	handle(SIGRTMIN + 1, handler, 0);
	need(kill(me, SIGUSR1));
	check("kill", SIGUSR1, SI_USER, me);
	need(syscall(SYS_tgkill, me, syscall(SYS_gettid), SIGUSR1));
	check("tgkill", SIGUSR1, SI_TKILL, me);
	need(syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1));
	check("tkill", SIGUSR1, SI_TKILL, me);
	need(raise(SIGUSR1));
	check("raise", SIGUSR1, SI_TKILL, me);
	need(sigqueue(me, SIGRTMIN + 1, value));
	expect_eq_long(seen.si_value.sival_int, 12345, "value");
	check("sigqueue", SIGRTMIN + 1, SI_QUEUE, me);
	value.sival_ptr = &value;
	need(sigqueue(me, SIGUSR1, value));
	expect(seen.si_value.sival_ptr == &value, "pointer %p", seen.si_value.sival_ptr);
	check("sigqueue", SIGUSR1, SI_QUEUE, me);

	siginfo_t own = {.si_signo = SIGUSR1, .si_code = -77};
	own.si_pid = 99;
	own.si_uid = getuid();
	need(syscall(SYS_rt_tgsigqueueinfo, me, syscall(SYS_gettid), SIGUSR1, &own));
	check("rt_tgsigqueueinfo", SIGUSR1, -77, 99);

	mask_signal(SIG_BLOCK, SIGUSR1);
	pid_t pid = need(fork());
	if (pid == 0) {
		need(kill(me, SIGUSR1));
		own.si_code = SI_USER;
		expect_errno(syscall(SYS_rt_sigqueueinfo, me, SIGUSR1, &own), EPERM);
		_exit(done());
	}
	sigemptyset(&none);
	while (seen.si_signo == 0)
		sigsuspend(&none);
	check("kill by the child", SIGUSR1, SI_USER, pid);
	expect_child(pid, 0);
	expect_errno(kill(me, 65), EINVAL);
	expect_errno(kill(me, -1), EINVAL);
	return done();
}
