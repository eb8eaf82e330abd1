/* What the tests of warp watch look for: watch_target MODE.
 *
 * large: among many small mappings and refused ones maps 0x88000 bytes, says where, puts code there and runs it.
 * everywhere: maps that much in a signal handler, a thread, a forked and a vforked child, after an exec.
 * rules: forbids getppid by seccomp rules of its own, and calls it, also in a thread and a child.
 * written: writes code to a file that it has mapped, and runs it.
 * shown: whatever of single-stepping a program could see. once: maps it twice. wait: until SIGTERM. loop N: N times getppid. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE	 0x88000
#define FUNCTION 0x1000 /* offset of the code */

static void *map(size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static void map_small(int count)
{
	for (int i = 0; i < count; i++)
		if (map(4096 * (1 + (size_t)i % 100)) == MAP_FAILED)
			_exit(1);
}

static void map_large(const char *who)
{
	char line[80];
	void *at = map(LARGE);
	int length = snprintf(line, sizeof(line), "%s %#lx\n", who, (unsigned long)at);

	if (at == MAP_FAILED || write(1, line, (size_t)length) != length)
		_exit(1);
}

/* mov $42, %eax; ret */
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};

static int large(int argc, char **argv)
{
	map_small(300);
	if (map((size_t)1 << 62) != MAP_FAILED)
		return 1;
	unsigned char *at = map(LARGE);

	map_small(300);
	printf("large at %#lx\n", (unsigned long)at);
	fflush(stdout);
	memcpy(at + FUNCTION, code, sizeof(code));
	int (*function)(void) = (int (*)(void))(uintptr_t)(at + FUNCTION);
	int first = function();

	printf("%d %d\n", first, function());
	return 7;
}

static void on_signal(int signal)
{
	map_large("handler");
}

static void *in_thread(void *unused)
{
	map_large("thread");
	return NULL;
}

static int everywhere(int argc, char **argv)
{
	pthread_t thread;
	pid_t child;

	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
	child = fork();
	if (!child) {
		map_large("child");
		_exit(0);
	}
	waitpid(child, NULL, 0);
	child = vfork();
	if (!child) {
		execl("/proc/self/exe", "watch_target", "execed", (char *)NULL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	map_large("parent");
	return 0;
}

static int execed(int argc, char **argv)
{
	map_large("execed");
	return 0;
}

static int once(int argc, char **argv)
{
	map_large("first");
	map_large("second");
	return 3;
}

/* ---- shown ---- */

static uint64_t pushed_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushf\n pop %0" : "=r"(flags));
	return flags;
}

static uint16_t pushed_short_flags(void)
{
	uint16_t flags;

	__asm__ volatile("pushfw\n popw %0" : "=r"(flags));
	return flags;
}

/* r11 after a call: the flags that the processor has put there. */
static uint64_t flags_of_call(void)
{
	uint64_t result = SYS_getppid, flags;

	__asm__ volatile("syscall\n mov %%r11, %1"
			 : "+a"(result), "=r"(flags)
			 :
			 : "rcx", "r11", "memory");
	return flags;
}

static volatile uint64_t context_flags;

static void save_flags(int signal, siginfo_t *info, void *context)
{
	const uint64_t *regs = (const uint64_t *)((ucontext_t *)context)->uc_mcontext.gregs;

	context_flags = regs[REG_EFL];
}

static int shown(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = save_flags, .sa_flags = SA_SIGINFO};
	static char from[3000], to[3000];
	size_t length = sizeof(from);
	const void *source = from;
	void *destination = to;

	memset(from, 'x', sizeof(from));
	__asm__ volatile("rep movsb" : "+c"(length), "+S"(source), "+D"(destination) : : "memory");
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	printf("copied %d, trap flag: pushed %d, short %d, by a call %d, in a handler %d\n",
	       memcmp(from, to, sizeof(to)) == 0, !!(pushed_flags() & 0x100),
	       !!(pushed_short_flags() & 0x100), !!(flags_of_call() & 0x100),
	       !!(context_flags & 0x100));
	fflush(stdout);
	raise(SIGTERM);
	return 0;
}

static void leave(int signal)
{
	_exit(9);
}

static int wait_for_end(int argc, char **argv)
{
	signal(SIGTERM, leave);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}

static int loop(int argc, char **argv)
{
	for (long left = argc > 2 ? atol(argv[2]) : 0; left > 0; left--)
		syscall(SYS_getppid);
	return 0;
}

/* ---- rules ---- */

static int waits[2], begins[2];

/* Was there before the rules: TSYNC gives them to it while it sleeps in read(). */
static void *asks_later(void *unused)
{
	char byte;

	if (write(begins[1], "b", 1) != 1 || read(waits[0], &byte, 1) != 1)
		_exit(1);
	printf("thread %ld\n", syscall(SYS_getppid));
	fflush(stdout);
	return NULL;
}

static int rules(int argc, char **argv)
{
	/* -1: no call, as where a tracer has it not made; programs forbid what they do not know. */
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ~0u, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 33),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {5, steps};
	pthread_t thread;
	char byte;

	if (pipe(waits) || pipe(begins) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	pthread_create(&thread, NULL, asks_later, NULL);
	if (read(begins[0], &byte, 1) != 1 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program))
		return 1;
	printf("first %ld\n", syscall(SYS_getppid));
	fflush(stdout);
	if (write(waits[1], "w", 1) != 1)
		return 1;
	pthread_join(thread, NULL);
	pid_t child = fork();

	if (!child) {
		printf("child %ld\n", syscall(SYS_getppid));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 5;
}

/* ---- written ---- */

/* mov $110, %eax (getppid); syscall, or twice nop; ret */
static const unsigned char quiet[] = {0xb8, 110, 0, 0, 0, 0x90, 0x90, 0xc3};
static const unsigned char calling[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};

static int written(int argc, char **argv)
{
	int fd = memfd_create("code", 0);
	void *at;

	if (pwrite(fd, quiet, sizeof(quiet), 0) != sizeof(quiet) || ftruncate(fd, 4096))
		return 1;
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return 1;
	long (*function)(void) = (long (*)(void))(uintptr_t)at;

	if (function() != SYS_getppid || pwrite(fd, calling, sizeof(calling), 0) != sizeof(calling))
		return 1;
	return function() == getppid() ? 6 : 1;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} modes[] = {
	{"large", large}, {"everywhere", everywhere}, {"execed", execed},
	{"once", once},	  {"shown", shown},	      {"wait", wait_for_end},
	{"loop", loop},	  {"rules", rules},	      {"written", written},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 2 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name))
			return modes[i].run(argc, argv);
	fprintf(stderr, "watch_target: no mode\n");
	return 98;
}
