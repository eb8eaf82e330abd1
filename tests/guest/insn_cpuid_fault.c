/* cpuid and rdtsc that the program itself wants to fault (arch_prctl(ARCH_SET_CPUID),
 * prctl(PR_SET_TSC)): its handler steps over them; a thread inherits it, exec keeps only the latter. */
#include "guest_task.h"
#include <asm/prctl.h>
#include <cpuid.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <x86intrin.h>

static volatile int faults;

static void on_segv(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;
	unsigned char *pc = (unsigned char *)at->uc_mcontext.gregs[REG_RIP];

	if (info->si_code != SI_KERNEL || pc[0] != 0x0f || (pc[1] != 0xa2 && pc[1] != 0x31))
		_exit(99);
	faults++;
	at->uc_mcontext.gregs[REG_RIP] += 2;
	at->uc_mcontext.gregs[REG_RAX] = 42;
}

static unsigned ask(void)
{
	unsigned a, b, c, d;

	__cpuid_count(0, 0, a, b, c, d);
	return a;
}

static void *in_thread(void *unused)
{
	expect_eq_long(ask(), 42, "cpuid faults in a new thread");
	expect_eq_long(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 0, "ARCH_GET_CPUID there");
	return unused;
}

static int executed(void)
{
	struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
	int mode = 0;

	need(sigaction(SIGSEGV, &action, NULL));
	expect_eq_long(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 1, "cpuid works after exec");
	show("highest leaf %#x", ask());
	expect_eq_long(faults, 0, "faults");
	need(prctl(PR_GET_TSC, &mode));
	if (!getauxval(AT_BASE)) {
		expect_eq_long(mode, PR_TSC_SIGSEGV, "the mode of rdtsc after exec");
		expect_eq_long((long)(unsigned)__rdtsc(), 42, "rdtsc faults after exec");
		need(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	}
	show("rdtsc %llu", (unsigned long long)__rdtsc());
	return done();
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
	unsigned natural = 0;
	pthread_t thread;

	if (argc > 1)
		return executed();
	need(sigaction(SIGSEGV, &action, NULL));
	natural = ask();
	show("highest leaf %#x", natural);
	expect_eq_long(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 1, "ARCH_GET_CPUID");
	if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) < 0)
		skip("cpuid cannot be made to fault here: ARCH_SET_CPUID: %s", strerror(errno));
	expect_eq_long(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0), 0, "ARCH_GET_CPUID");
	expect_eq_long(ask(), 42, "cpuid faults");
	need_zero(pthread_create(&thread, NULL, in_thread, NULL));
	need_zero(pthread_join(thread, NULL));
	pid_t pid = need(fork());
	if (pid == 0) {
		expect_eq_long(ask(), 42, "cpuid faults in a child");
		need(syscall(SYS_arch_prctl, ARCH_SET_CPUID, 7));
		expect_eq_long(ask(), natural, "cpuid works there again");
		_exit(done());
	}
	expect_child(pid, 0);
	expect_eq_long(ask(), 42, "cpuid still faults here");
	expect_eq_long(faults, 3, "faults in this process");
	/* A dynamic loader would read the counter before there is a handler. */
	if (!getauxval(AT_BASE))
		need(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	need(execl("/proc/self/exe", argv[0], "again", NULL));
	return 1;
}
