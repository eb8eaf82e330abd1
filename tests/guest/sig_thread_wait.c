/* All threads block the signals; one of them takes them with sigwaitinfo() and tells the others. */
#include "guest_task.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int received;
static long taker_tid;

static void *taker(void *arg)
{
	sigset_t *set = arg;
	siginfo_t si;

	taker_tid = syscall(SYS_gettid);
	for (;;) {
		int sig;
		/* A stop of the thread, by a tracer for instance, ends the call with EINTR. */
		do
			sig = sigwaitinfo(set, &si);
		while (sig == -1 && errno == EINTR);
		need(sig);
		if (sig == SIGTERM)
			return (void *)1234L;
		pthread_mutex_lock(&lock);
		show("taker: signal %d value %d", sig, si.si_value.sival_int);
		received += si.si_value.sival_int;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
}

int main(void)
{
	pthread_t thread;
	void *result = NULL;
	int sum = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 5);
	sigaddset(&set, SIGTERM);
	need_zero(pthread_sigmask(SIG_BLOCK, &set, NULL));
	need_zero(pthread_create(&thread, NULL, taker, &set));
	for (int i = 1; i <= 10; i++) {
		union sigval value = {.sival_int = i};
		/* From here and from a child, by turns. */
		if (i % 2) {
			need(sigqueue(getpid(), SIGRTMIN + 5, value));
		} else {
			pid_t parent = getpid();
			pid_t pid = need(fork());
			if (pid == 0)
				_exit(sigqueue(parent, SIGRTMIN + 5, value) == 0 ? 0 : 1);
			expect_child(pid, 0);
		}
		sum += i;
		pthread_mutex_lock(&lock);
		while (received < sum)
			pthread_cond_wait(&changed, &lock);
		pthread_mutex_unlock(&lock);
	}
	expect_eq_long(received, 55, "sum of the values");
	expect(taker_tid != syscall(SYS_gettid), "taken by thread %ld", taker_tid);
	need(kill(getpid(), SIGTERM));
	pthread_join(thread, &result);
	expect_eq_long((long)result, 1234, "result of the thread");
	return done();
}
