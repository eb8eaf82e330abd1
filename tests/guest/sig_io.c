/* SIGIO: signal-driven input on a socket, with F_SETSIG's number and the descriptor in siginfo. */
#include "guest_task.h"
#include <poll.h>
#include <sys/socket.h>

static siginfo_t seen;
static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	hits++;
}

int main(void)
{
	int pair[2];
	char byte;
	sigset_t none;

	sigemptyset(&none);
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	handle(SIGIO, handler, 0);
	handle(SIGRTMIN + 6, handler, 0);
	mask_signal(SIG_BLOCK, SIGIO);
	mask_signal(SIG_BLOCK, SIGRTMIN + 6);
	need(fcntl(pair[0], F_SETOWN, getpid()));
	expect_eq_long(fcntl(pair[0], F_GETOWN), getpid(), "F_GETOWN");
	need(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	need(write(pair[1], "a", 1));
	while (hits == 0)
		sigsuspend(&none);
	show("signo %d code %d", seen.si_signo, seen.si_code);
	expect_eq_long(seen.si_signo, SIGIO, "signal");
	expect_eq_long(read(pair[0], &byte, 1), 1, "bytes read");

	need(fcntl(pair[0], F_SETSIG, SIGRTMIN + 6));
	expect_eq_long(fcntl(pair[0], F_GETSIG), SIGRTMIN + 6, "F_GETSIG");
	hits = 0;
	pid_t pid = need(fork());
	if (pid == 0) {
		need(write(pair[1], "b", 1));
		_exit(0);
	}
	while (hits == 0)
		sigsuspend(&none);
	show("signo %d code %d fd %d band %#lx", seen.si_signo, seen.si_code, seen.si_fd,
	     seen.si_band);
	expect(seen.si_signo == SIGRTMIN + 6 && seen.si_code == POLL_IN, "POLL_IN");
	expect(seen.si_fd == pair[0] && (seen.si_band & POLLIN), "descriptor %d", seen.si_fd);
	expect_eq_long(read(pair[0], &byte, 1), 1, "bytes read");
	expect_eq_long(byte, 'b', "byte");
	expect_child(pid, 0);
	need(fcntl(pair[0], F_SETFL, 0));
	return done();
}
