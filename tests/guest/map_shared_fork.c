/*
 * Memory shared between forked processes, anonymous and by memfd, with a futex handshake of a
 * thousand rounds.
 */
#include "guest.h"
#include <linux/futex.h>
#include <sys/mman.h>

struct board {
	uint32_t turn;
	uint32_t rounds;
	uint64_t value;
};

static void wait_turn(struct board *b, uint32_t turn)
{
	uint32_t seen;

	while ((seen = __atomic_load_n(&b->turn, __ATOMIC_ACQUIRE)) != turn)
		syscall(SYS_futex, &b->turn, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void pass_turn(struct board *b, uint32_t turn)
{
	__atomic_store_n(&b->turn, turn, __ATOMIC_RELEASE);
	syscall(SYS_futex, &b->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void play(struct board *b, uint32_t me)
{
	for (int i = 0; i < 500; i++) {
		wait_turn(b, me);
		b->value = b->value * 6364136223846793005 + 1442695040888963407 * (me + 1);
		b->rounds++;
		pass_turn(b, !me);
	}
}

static void match(const char *what, struct board *mine, struct board *other)
{
	need((long)mine);
	need((long)other);
	mine->value = getpid();
	pid_t pid = need(fork());
	if (pid == 0) {
		play(other, 1);
		_exit(0);
	}
	play(mine, 0);
	expect_child(pid, 0);
	expect_eq_long(mine->rounds, 1000, what);
	show("%s: value %016lx", what, (unsigned long)mine->value);
}

int main(void)
{
	struct board *anon =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	match("anonymous", anon, anon);

	int fd = need(memfd_create("board", 0));
	need(ftruncate(fd, 8192));
	struct board *one = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	struct board *two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	match("memfd", one, two);

	/* Private memory is copied: each side has its own. */
	int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*private = 5;
	pid_t pid = need(fork());
	if (pid == 0) {
		*private = 6;
		_exit(*private);
	}
	expect_child(pid, 6);
	expect_eq_long(*private, 5, "private value");
	return done();
}
