/*
 * SIGSYS: sent by kill(), and forced by a seccomp filter of the program's own
 * (SECCOMP_RET_TRAP).
 */
#include "guest_task.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>

static siginfo_t seen;
static volatile int hits;

static void handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	seen = *si;
	hits++;
	/* The filter leaves the call's number there; the handler decides the result. */
	if (si->si_code == 1)
		uc->uc_mcontext.gregs[REG_RAX] = 1357;
}

static void filtered(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 99),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof(code) / sizeof(*code), .filter = code};

	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0));
	expect_errno(syscall(SYS_sethostname, "x", 1), EXDEV);
	for (int i = 1; i <= 3; i++) {
		expect_eq_long(syscall(SYS_getpriority, 0, 0), 1357, "result from the handler");
		expect_eq_long(hits, i, "SIGSYS");
		expect(seen.si_signo == SIGSYS && seen.si_errno == 99, "errno %d of the filter",
		       seen.si_errno);
		expect_eq_long(seen.si_syscall, SYS_getpriority, "number of the call");
		expect_eq_long(seen.si_arch, AUDIT_ARCH_X86_64, "architecture");
		show("called from %p", seen.si_call_addr);
	}
	_exit(done());
}

int main(void)
{
	handle(SIGSYS, handler, 0);
	need(kill(getpid(), SIGSYS));
	expect(hits == 1 && seen.si_code == SI_USER, "sent by kill");
	hits = 0;
	pid_t pid = need(fork());
	if (pid == 0)
		filtered();
	expect_child(pid, 0);
	return done();
}
