/* What the tests of warp intercept run under rules: intercept_target MODE.
 *
 * stderr, stderr-thread, stderr-fork: writes to standard error, from the first thread, another, a child.
 * intact: makes calls by hand and checks that no register and no memory around the stack has changed.
 * delay: one thread makes a call that is to be delayed, another goes on meanwhile.
 * many: processes with threads that all open the same file and read what is in it.
 * signal: prints who has sent the signal. restart: reads from a pipe while signals interrupt it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *complain(void *unused)
{
	if (write(2, "complaint\n", 10) != 10)
		_exit(99);
	return NULL;
}

static int stderr_plain(void)
{
	complain(NULL);
	return 0;
}

static int stderr_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, complain, NULL);
	pthread_join(thread, NULL);
	return 0;
}

static int stderr_fork(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		printf("child\n");
		fflush(stdout);
		complain(NULL);
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("the child's status is %d\n", WEXITSTATUS(status));
	return 5;
}

/* ---- intact ---- */

#define BELOW 8192

struct seen {
	uint64_t before[6], after[6], result, kept[4];
	unsigned changed; /* bytes below the stack pointer */
};

/* Makes call `nr` with these arguments in their registers, and marks in other registers; fills the red zone
 * and what is below it with a pattern before. No function may be called in between. */
static void by_hand(struct seen *seen, long nr, const uint64_t *args)
{
	register uint64_t r10 __asm__("r10") = args[3], r8 __asm__("r8") = args[4],
			      r9 __asm__("r9") = args[5];
	register uint64_t r12 __asm__("r12") = 0x1212, r13 __asm__("r13") = 0x1313,
			      r14 __asm__("r14") = 0x1414, r15 __asm__("r15") = 0x1515;
	uint64_t rdi = args[0], rsi = args[1], rdx = args[2], result = (uint64_t)nr, changed;

	/* the compiler's own red zone stays above */
	__asm__ volatile("sub $256, %%rsp\n"
			 "lea -%c[below](%%rsp), %%rbx\n"
			 "1: movb $0x5a, (%%rbx)\n"
			 "inc %%rbx\n"
			 "cmp %%rsp, %%rbx\n"
			 "jb 1b\n"
			 "syscall\n"
			 "xor %%ecx, %%ecx\n"
			 "lea -%c[below](%%rsp), %%rbx\n"
			 "2: cmpb $0x5a, (%%rbx)\n"
			 "je 3f\n"
			 "inc %%rcx\n"
			 "3: inc %%rbx\n"
			 "cmp %%rsp, %%rbx\n"
			 "jb 2b\n"
			 "add $256, %%rsp\n"
			 : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8),
			   "+r"(r9), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15), "=&c"(changed)
			 : [below] "i"(BELOW)
			 : "rbx", "r11", "memory");
	memcpy(seen->before, args, sizeof(seen->before));
	memcpy(seen->after, (uint64_t[]){rdi, rsi, rdx, r10, r8, r9}, sizeof(seen->after));
	memcpy(seen->kept, (uint64_t[]){r12, r13, r14, r15}, sizeof(seen->kept));
	seen->result = result;
	seen->changed = (unsigned)changed;
}

static void check_intact(const char *what, const struct seen *seen)
{
	static const uint64_t kept[] = {0x1212, 0x1313, 0x1414, 0x1515};

	printf("%s: result %ld, %s, %s, %u bytes changed\n", what, (long)seen->result,
	       memcmp(seen->before, seen->after, sizeof(seen->after)) ? "ARGUMENTS DIFFER"
								      : "arguments as before",
	       memcmp(seen->kept, kept, sizeof(kept)) ? "REGISTERS DIFFER" : "registers as before",
	       seen->changed);
}

static const char *maps(void)
{
	static char text[65536];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t length = 0;
	ssize_t got;

	while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	text[length] = 0;
	return text;
}

static int intact(void)
{
	static char before[65536];
	char *buffer = malloc(100);
	struct seen seen;

	strcpy(before, maps());
	by_hand(&seen, SYS_write, (uint64_t[]){1, (uintptr_t) "seven..\n", 8, 44, 55, 66});
	check_intact("set", &seen);
	by_hand(&seen, SYS_access, (uint64_t[]){(uintptr_t) "short", R_OK, 33, 44, 55, 66});
	check_intact("path", &seen);
	by_hand(&seen, SYS_access, (uint64_t[]){(uintptr_t) "long", R_OK, 33, 44, 55, 66});
	check_intact("long path", &seen);
	by_hand(&seen, SYS_getppid, (uint64_t[]){11, 22, 33, 44, 55, 66});
	check_intact("return", &seen);
	by_hand(&seen, SYS_getuid, (uint64_t[]){11, 22, 33, 44, 55, 66});
	check_intact("call", &seen);
	by_hand(&seen, SYS_read, (uint64_t[]){0, (uintptr_t)buffer, 100, 44, 55, 66});
	check_intact("data", &seen);
	printf("%.*s", (int)seen.result, buffer);
	by_hand(&seen, SYS_close, (uint64_t[]){77, 22, 33, 44, 55, 66});
	check_intact("fail", &seen);
	printf("maps: %s\n", strcmp(before, maps()) ? "DIFFER" : "as before");
	return 0;
}

/* ---- delay ---- */

static volatile int delayed_is_over;

static void *delayed(void *unused)
{
	getppid();
	delayed_is_over = 1;
	return NULL;
}

static int delay(void)
{
	unsigned long calls = 0;
	struct timespec start, end;
	pthread_t thread;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pthread_create(&thread, NULL, delayed, NULL);
	while (!delayed_is_over) {
		getuid();
		calls++;
	}
	pthread_join(thread, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	long ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;

	printf("%s, %s\n", ms >= 300 ? "delayed" : "NOT DELAYED",
	       calls > 1000 ? "the other went on" : "THE OTHER WAITED, TOO");
	return 0;
}

/* ---- many ---- */

#define PROCESSES 4
#define THREADS	  4
#define ROUNDS	  50

static void *open_often(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		char text[10] = "";
		int fd = open("asked", O_RDONLY);

		if (fd < 0 || read(fd, text, 5) != 5 || strcmp(text, "given"))
			_exit(1);
		close(fd);
	}
	return NULL;
}

static void open_in_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, open_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

static int many(void)
{
	int status, wrong = 0;

	for (int i = 0; i < PROCESSES; i++)
		if (!fork())
			open_in_threads();
	while (wait(&status) > 0)
		wrong += status != 0;
	printf("%d processes have seen another file\n", wrong);
	return 0;
}

/* ---- signals ---- */

static volatile sig_atomic_t arrived;
static volatile siginfo_t last;
static int told[2]; /* a pipe: the handler has run */

static void on_signal(int signal, siginfo_t *info, void *context)
{
	last = *info;
	arrived++;
	if (told[1] && write(told[1], "", 1) != 1)
		_exit(97);
}

static void catch (int signal)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(signal, &action, NULL);
}

static int signal_sent(void)
{
	catch (SIGUSR1);
	getppid();
	printf("%d, code %d, from %s\n", (int)arrived, last.si_code,
	       last.si_pid == getpid() ? "itself" : "SOMEBODY ELSE");
	return 0;
}

/* The read is interrupted three times and made again by the kernel. It is from a descriptor that is not
 * open: a rule has to put descriptor 3 in its place. */
static int restart(void)
{
	int data[2];
	char byte;

	if (pipe(data) || pipe(told))
		return 1;
	catch (SIGUSR1);
	pid_t parent = getpid(), child = fork();

	if (!child) {
		for (int i = 0; i < 3; i++) {
			char path[64], state = 0;
			/* until the parent sleeps in its read */
			while (state != 'S') {
				snprintf(path, sizeof(path), "/proc/%d/stat", parent);
				FILE *file = fopen(path, "r");

				if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
					_exit(1);
				fclose(file);
			}
			kill(parent, SIGUSR1);
			/* and until its handler has run */
			if (read(told[0], &byte, 1) != 1)
				_exit(1);
		}
		_exit(write(data[1], "x", 1) != 1);
	}
	printf("reading from 3: %d\n", data[0] == 3);
	int got = (int)read(99, &byte, 1);

	printf("%d bytes after %d signals\n", got, (int)arrived);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} modes[] = {
	{"stderr", stderr_plain},
	{"stderr-thread", stderr_thread},
	{"stderr-fork", stderr_fork},
	{"intact", intact},
	{"delay", delay},
	{"many", many},
	{"signal", signal_sent},
	{"restart", restart},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name)) {
			printf("before\n");
			fflush(stdout);
			int status = modes[i].run();

			printf("after\n");
			return status;
		}
	fprintf(stderr, "intercept_target: no mode\n");
	return 98;
}
