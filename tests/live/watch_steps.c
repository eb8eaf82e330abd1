/* What the tests of warp watch --method=step look for: watch_steps MODE.
 *
 * sequence: restartable sequences (rseq(2)), whose abort handler calls getppid; says how often that was.
 * refuse NUMBER COMMAND...: runs it where ptrace(NUMBER) is refused, as by a container's rules. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sequence(void)
{
	static struct {
		uint32_t version, flags;
		uint64_t start, length, abort;
	} descriptor __attribute__((aligned(32)));
	struct rseq *rseq = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	long aborted, count = 0;

	if (!__rseq_size)
		return 77;
	for (int i = 0; i < 20; i++) {
		__asm__ volatile("lea 1f(%%rip), %%rax\n"
				 "mov %%rax, 8+%1\n"
				 "lea 2f(%%rip), %%rcx\n"
				 "sub %%rax, %%rcx\n"
				 "mov %%rcx, 16+%1\n"
				 "lea 3f(%%rip), %%rax\n"
				 "mov %%rax, 24+%1\n"
				 "xor %0, %0\n"
				 "lea %1, %%rax\n"
				 "mov %%rax, %2\n"
				 "1: .fill 1000, 1, 0x90\n"
				 "2: jmp 4f\n"
				 ".long 0x53053053\n"
				 "3: mov $110, %%eax\n"
				 "syscall\n"
				 "mov $1, %0\n"
				 "4: movq $0, %2\n"
				 : "=&r"(aborted), "+m"(descriptor), "+m"(rseq->rseq_cs)
				 :
				 : "rax", "rcx", "r11", "memory");
		count += aborted;
	}
	printf("%ld\n", count);
	return 0;
}

static int refuse(unsigned number, char **argv)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {6, steps};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return 97;
	execvp(argv[0], argv);
	return 96;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "sequence"))
		return sequence();
	if (argc > 3 && !strcmp(argv[1], "refuse"))
		return refuse((unsigned)strtoul(argv[2], NULL, 0), argv + 3);
	return 98;
}
