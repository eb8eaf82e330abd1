/* Handlers three deep, each interrupted by another signal from inside; order and stack recorded. */
#include "guest_task.h"

static char order[64];
static uintptr_t stacks[3];

static void note(char c)
{
	order[strlen(order)] = c;
}

static void third(int sig, siginfo_t *si, void *uc)
{
	int local;
	stacks[2] = (uintptr_t)&local;
	note('3');
	/* Blocked by the outer handlers: comes when they have returned. */
	raise(SIGHUP);
	note('c');
}

static void second(int sig, siginfo_t *si, void *uc)
{
	int local;
	stacks[1] = (uintptr_t)&local;
	note('2');
	raise(SIGTERM);
	note('b');
}

static void first(int sig, siginfo_t *si, void *uc)
{
	int local;
	stacks[0] = (uintptr_t)&local;
	note('1');
	raise(SIGUSR2);
	note('a');
}

static void late(int sig, siginfo_t *si, void *uc)
{
	note('h');
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = first, .sa_flags = SA_SIGINFO};

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGHUP);
	need(sigaction(SIGUSR1, &sa, NULL));
	handle(SIGUSR2, second, 0);
	handle(SIGTERM, third, 0);
	handle(SIGHUP, late, 0);
	for (int i = 0; i < 3; i++) {
		memset(order, 0, sizeof(order));
		raise(SIGUSR1);
		expect(strcmp(order, "123cbah") == 0, "order %s", order);
	}
	expect(stacks[0] > stacks[1] && stacks[1] > stacks[2], "stacks %#lx %#lx %#lx", stacks[0],
	       stacks[1], stacks[2]);
	show("frames of %lu and %lu bytes", stacks[0] - stacks[1], stacks[1] - stacks[2]);
	return done();
}
