/*
 * Large allocations filled by system calls: a 12 MB read from a pipe and a file, and one read() into
 * memory that was never touched.
 */
#include "guest.h"

#define SIZE (12 << 20)

int main(void)
{
	unsigned char *big = malloc(SIZE), *other = calloc(1, SIZE);
	int fd = need(open(temp_path("big"), O_CREAT | O_RDWR, 0600));
	int pipes[2];
	unsigned seed = 12345;

	for (int i = 0; i < SIZE / 4; i++) {
		seed = seed * 1103515245 + 12345;
		memcpy(big + 4 * i, &seed, 4);
	}
	expect_eq_long(write(fd, big, SIZE), SIZE, "written");
	expect_eq_long(pread(fd, other, SIZE, 0), SIZE, "read into untouched memory");
	expect_eq_long(memcmp(big, other, SIZE), 0, "difference");
	show("buffers at %p and %p", big, other);

	need(pipe(pipes));
	pid_t pid = need(fork());
	if (pid == 0) {
		close(pipes[0]);
		for (int off = 0; off < SIZE / 4;)
			off += need(write(pipes[1], big + off, SIZE / 4 - off));
		_exit(0);
	}
	close(pipes[1]);
	memset(other, 0, SIZE);
	int total = 0, calls = 0;
	ssize_t n;
	while ((n = read(pipes[0], other + total, SIZE - total)) > 0) {
		total += n;
		calls++;
	}
	show("%d reads", calls);
	expect_eq_long(total, SIZE / 4, "through the pipe");
	expect_eq_long(memcmp(big, other, SIZE / 4), 0, "difference");
	expect_child(pid, 0);
	free(big);
	free(other);

	int random = need(open("/dev/urandom", O_RDONLY));
	unsigned char *noise = malloc(1 << 20);
	expect_eq_long(read(random, noise, 1 << 20), 1 << 20, "a megabyte of noise");
	show("hash %016lx", (unsigned long)hash_bytes(noise, 1 << 20));
	free(noise);
	return done();
}
