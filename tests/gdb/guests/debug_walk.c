/* For a debugger: functions, variables of every kind, a signal, system calls; ends with status 3. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct point {
	int x, y;
	const char *name;
};

int total;
int history[32];
int unwritten;
static struct point here = {1, 2, "start"};
static __thread int own = 7;
static volatile int handled;

static void on_signal(int signal)
{
	handled += signal;
}

static __attribute__((used)) int length_of(const char *text)
{
	return (int)strlen(text);
}

static __attribute__((used)) int say(const char *text)
{
	return (int)write(1, text, strlen(text));
}

static int add(int a, int b)
{
	int sum = a + b;

	total += sum;
	return sum;
}

static int walk(int step)
{
	int twice = add(step, step);

	here.x += step;
	here.name = step % 2 ? "odd" : "even";
	own += step;
	history[step] = twice;
	return twice;
}

int main(int argc, char **argv)
{
	long sum = 0;

	signal(SIGUSR1, on_signal);
	for (int i = 0; i < 20; i++) {
		sum += walk(i);
		if (i == 10)
			raise(SIGUSR1);
	}
	printf("total %d, sum %ld, handled %d, pid %d\n", total, sum, handled, (int)getpid());
	return 3;
}
