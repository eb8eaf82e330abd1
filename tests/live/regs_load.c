/* A process under load that notices whatever somebody else does to it.
 *
 * regs_load N: N threads compute, exchange bytes, and make calls that time out, each checking results
 * and how long they took, until standard input ends. Then one line says how many results were wrong,
 * how many calls were interrupted, and by how much the latest one was late. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 5
#define THREADS	   1000

static atomic_bool over;
static atomic_ulong rounds, wrong, interrupted, latest_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void note_late(uint64_t start)
{
	uint64_t took = now_ns() - start, due = TIMEOUT_MS * 1000000ull;
	unsigned long late = took > due ? took - due : 0, before = latest_ns;

	while (late > before && !atomic_compare_exchange_weak(&latest_ns, &before, late))
		;
	if (took + 2000000 < due) /* poll and kin round to milliseconds */
		wrong++;
}

static void check(const char *what, bool ok)
{
	if (ok)
		return;
	if (errno == EINTR)
		interrupted++;
	else
		wrong++;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
}

/* ---- what threads do: one round each ---- */

struct self {
	int fd, peer, epoll, semaphore;
	uint64_t count;
};

/* Integer and floating point work whose result is known. */
static void compute(struct self *self)
{
	static const uint64_t steps = 20000;
	uint64_t x = 88172645463325252ull, sum = 0;
	double product = 1;

	for (uint64_t i = 0; i < steps; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sum += x;
		product = product * 1.0000001 + (double)(x & 15);
	}
	uint64_t bits;

	memcpy(&bits, &product, sizeof(bits));
	if (!self->count)
		self->count = sum ^ bits;
	if (self->count != (sum ^ bits))
		wrong++;
}

static void sleep_round(struct self *self)
{
	struct timespec time = {0, TIMEOUT_MS * 1000000};

	check("nanosleep", nanosleep(&time, NULL) == 0);
}

static void condition_round(struct self *self)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += TIMEOUT_MS * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&mutex);
	errno = pthread_cond_timedwait(&never, &mutex, &until);
	pthread_mutex_unlock(&mutex);
	check("pthread_cond_timedwait", errno == ETIMEDOUT);
}

static void epoll_round(struct self *self)
{
	struct epoll_event event;

	check("epoll_wait", epoll_wait(self->epoll, &event, 1, TIMEOUT_MS) == 0);
}

static void poll_round(struct self *self)
{
	struct pollfd fd = {self->fd, POLLIN, 0};

	check("poll", poll(&fd, 1, TIMEOUT_MS) == 0);
}

static void select_round(struct self *self)
{
	struct timeval time = {0, TIMEOUT_MS * 1000};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(self->fd, &set);
	check("select", select(self->fd + 1, &set, NULL, NULL, &time) == 0);
}

static void signal_round(struct self *self)
{
	struct timespec time = {0, TIMEOUT_MS * 1000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check("sigtimedwait", sigtimedwait(&set, NULL, &time) < 0 && errno == EAGAIN);
}

static void semaphore_round(struct self *self)
{
	struct timespec time = {0, TIMEOUT_MS * 1000000};
	struct sembuf down = {0, -1, 0};

	check("semtimedop", semtimedop(self->semaphore, &down, 1, &time) < 0 && errno == EAGAIN);
}

static void receive_round(struct self *self)
{
	char byte;

	check("recv", recv(self->fd, &byte, 1, 0) < 0 && errno == EAGAIN);
}

/* Bytes go to and fro and must come in order. */
static void exchange_round(struct self *self)
{
	uint8_t out = (uint8_t)self->count++, in = 0;

	check("write", write(self->peer, &out, 1) == 1);
	check("read", read(self->fd, &in, 1) == 1 && in == out);
}

static const struct kind {
	void (*round)(struct self *self);
	bool timed;
	unsigned most; /* threads of this kind in a hundred */
} kinds[] = {
	{compute, false, 2},	    {sleep_round, true, 100},	  {condition_round, true, 100},
	{epoll_round, true, 100},   {poll_round, true, 100},	  {select_round, true, 100},
	{signal_round, true, 100},  {semaphore_round, true, 100}, {receive_round, true, 100},
	{exchange_round, false, 3},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void prepare(struct self *self)
{
	struct timeval timeout = {0, TIMEOUT_MS * 1000};
	struct epoll_event event = {.events = EPOLLIN};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		exit(1);
	self->fd = pair[0];
	self->peer = pair[1];
	self->epoll = epoll_create1(0);
	self->semaphore = semget(IPC_PRIVATE, 1, 0600);
	if (self->epoll < 0 || self->semaphore < 0 ||
	    epoll_ctl(self->epoll, EPOLL_CTL_ADD, pair[0], &event) ||
	    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		exit(1);
}

static void *run(void *context)
{
	unsigned index = (unsigned)(uintptr_t)context;
	const struct kind *kind = &kinds[index % KINDS];
	struct self self = {0};

	if (index / KINDS % 100 >= kind->most)
		kind = &kinds[1];
	prepare(&self);
	while (!over) {
		uint64_t start = now_ns();

		kind->round(&self);
		if (kind->timed)
			note_late(start);
		rounds++;
	}
	semctl(self.semaphore, 0, IPC_RMID);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 10;
	static pthread_t threads[THREADS];
	sigset_t set;
	char byte;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned i = 0; i < count && i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i))
			return 1;
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		ssize_t got = read(0, &byte, 1);

		check("read of standard input", got >= 0);
		if (got == 0)
			break;
		printf("rounds %lu wrong %lu interrupted %lu latest_ns %lu\n", rounds, wrong,
		       interrupted, atomic_exchange(&latest_ns, 0));
		fflush(stdout);
	}
	over = true;
	for (unsigned i = 0; i < count && i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("rounds %lu wrong %lu interrupted %lu latest_ns %lu\n", rounds, wrong, interrupted,
	       latest_ns);
	return wrong || interrupted ? 1 : 0;
}
