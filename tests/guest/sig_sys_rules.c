/*
 * A program's own seccomp rules: which programs, flags and rights the kernel takes, in which order
 * it looks at them, and whom a rule kills.
 */
#include "guest_task.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>

#define NR    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#define INSTALL(...)                                 \
	install((struct sock_filter[]){__VA_ARGS__}, \
		sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

static long set_filter(unsigned flags, const struct sock_fprog *program)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

static long install(struct sock_filter *code, size_t length)
{
	const struct sock_fprog program = {.len = (unsigned short)length, .filter = code};

	return set_filter(0, &program);
}

static void programs(void)
{
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	expect_errno(INSTALL(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW), EINVAL);
	expect_errno(INSTALL(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), ALLOW), EINVAL);
	expect_errno(INSTALL(NR), EINVAL);
	expect_errno(INSTALL(BPF_STMT(BPF_RET | BPF_X, 0)), EINVAL);
	expect_eq_long(
		INSTALL(NR, BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3),
			BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_NEG, 0),
			BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
			BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 64, 0, 1), ALLOW,
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV)),
		0, "a valid program");
	expect(getppid() > 0, "which lets all pass");
}

static void flags(void)
{
	struct sock_filter all[] = {ALLOW};
	const struct sock_fprog program = {1, all};

	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	expect_errno(set_filter(0x8000, NULL), EINVAL);
	expect_errno(set_filter(0x8000, &program), EINVAL);
	expect_errno(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	expect_errno(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &program), EINVAL);
	expect_errno(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
	expect_errno(prctl(PR_SET_SECCOMP, 0, 0, 0, 0), EINVAL);
	expect_errno(set_filter(SECCOMP_FILTER_FLAG_TSYNC, NULL), EFAULT);
	expect_eq_long(set_filter(SECCOMP_FILTER_FLAG_TSYNC, &program), 0, "with TSYNC");
	expect_errno(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
	expect_eq_long(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER, "PR_GET_SECCOMP");
}

/* How libraries ask for flags: before rights are looked at. */
static void probes(void)
{
	expect_errno(set_filter(SECCOMP_FILTER_FLAG_TSYNC, NULL), EFAULT);
	expect_errno(set_filter(SECCOMP_FILTER_FLAG_LOG, NULL), EFAULT);
	expect_errno(set_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL), EFAULT);
}

static void without_rights(void)
{
	probes();
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) ||
	    (geteuid() == 0 && setresuid(1000, 1000, 1000))) {
		show("no user without rights here");
		return;
	}
	expect_errno(INSTALL(ALLOW), EACCES);
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	expect_eq_long(INSTALL(ALLOW), 0, "with no_new_privs");
}

static void divide(void)
{
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(INSTALL(NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 2),
		     BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		     ALLOW));
	getppid();
	expect(false, "a division by zero kills");
}

static void *killed_by_filter(void *unused)
{
	need(INSTALL(NR, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD), ALLOW));
	getppid();
	expect(false, "it kills the thread");
	return unused;
}

static void *killed_by_strict_mode(void *unused)
{
	need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	getppid();
	expect(false, "it kills the thread");
	return unused;
}

/* Others live on; TSYNC sees who has rules of his own. */
static void threads(void)
{
	pthread_t thread;

	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need_zero(pthread_create(&thread, NULL, killed_by_filter, NULL));
	need_zero(pthread_join(thread, NULL));
	show("the first is gone");
	need_zero(pthread_create(&thread, NULL, killed_by_strict_mode, NULL));
	need_zero(pthread_join(thread, NULL));
	show("the second is gone");
	killed_by_filter(NULL);
}

static struct gate begun, over;

static void *with_own_rules(void *unused)
{
	need(INSTALL(ALLOW));
	gate_open(begun);
	gate_wait(over);
	return unused;
}

static void unlike(void)
{
	struct sock_filter all[] = {ALLOW};
	const struct sock_fprog program = {1, all};
	pthread_t thread;

	begun = gate_make();
	over = gate_make();
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need_zero(pthread_create(&thread, NULL, with_own_rules, NULL));
	gate_wait(begun);
	expect(set_filter(SECCOMP_FILTER_FLAG_TSYNC, &program) > 0, "TSYNC gives the thread");
	gate_open(over);
	need_zero(pthread_join(thread, NULL));
	expect_eq_long(set_filter(SECCOMP_FILTER_FLAG_TSYNC, &program), 0, "TSYNC without it");
}

static void run(void (*what)(void), int signal)
{
	pid_t pid = need(fork());
	int status = 0;

	if (pid == 0) {
		what();
		_exit(done());
	}
	need(waitpid(pid, &status, 0));
	if (signal)
		expect(WIFSIGNALED(status) && WTERMSIG(status) == signal, "killed by signal %d",
		       signal);
	else
		expect(status == 0, "status %#x", (unsigned)status);
}

int main(void)
{
	run(programs, 0);
	run(flags, 0);
	run(without_rights, 0);
	run(divide, SIGSYS);
	run(threads, SIGSYS);
	run(unlike, 0);
	return done();
}
