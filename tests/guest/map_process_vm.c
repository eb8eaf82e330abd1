/*
 * process_vm_readv and process_vm_writev on this process and on a child.
 */
#include "guest.h"
#include <sys/uio.h>

static char data[64] = "before";
static volatile int answer = 1;
static volatile long turns;

static void write_memory(pid_t pid, void *to, const void *from, size_t length, bool by_file)
{
	struct iovec local = {(void *)from, length}, remote = {to, length};
	char path[64];

	if (!by_file) {
		expect_eq_long(process_vm_writev(pid, &local, 1, &remote, 1, 0), length, "written");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	int fd = (int)need(open(path, O_WRONLY));

	expect_eq_long(pwrite(fd, from, length, (off_t)to), length, "written to its file");
	close(fd);
}

/* A child that computes meanwhile: where it was then decides what it prints. */
static void write_to_running(bool by_file)
{
	long count = 0;
	int value = 42;
	struct iovec local = {&count, sizeof(count)}, remote = {(void *)&turns, sizeof(turns)};
	pid_t pid = need(fork());

	if (pid == 0) {
		while (answer == 1)
			turns++;
		show("the answer %d after %ld turns", answer, turns);
		_exit(done());
	}
	while (count < 100000)
		need(process_vm_readv(pid, &local, 1, &remote, 1, 0));
	write_memory(pid, (void *)&answer, &value, sizeof(value), by_file);
	expect_child(pid, 0);
}

/* My own memory through its file: at a place, and at the file's position. */
static void write_vectors(void)
{
	static char place[16] = "..............";
	struct iovec two[2] = {{"one", 3}, {"two", 3}};
	int fd = (int)need(open("/proc/self/mem", O_RDWR));

	expect_eq_long(pwritev2(fd, two, 2, (off_t)place, 0), 6, "pwritev2 to a place");
	need(lseek(fd, (off_t)(place + 7), SEEK_SET));
	expect_eq_long(pwritev2(fd, two, 2, -1, 0), 6, "pwritev2 to the position");
	expect(strcmp(place, "onetwo.onetwo.") == 0, "\"%s\"", place);
	close(fd);
}

int main(void)
{
	char a[4] = "", b[60] = "";
	struct iovec local[2] = {{a, 3}, {b, sizeof(b)}}, remote[2] = {{data, 64}, {NULL, 0}};
	int up[2], down[2];
	char c;

	ssize_t n = process_vm_readv(getpid(), local, 2, remote, 1, 0);
	if (n == -1 && (errno == ENOSYS || errno == EPERM))
		skip("process_vm_readv: %s", strerror(errno));
	expect_eq_long(n, 63, "process_vm_readv of myself");
	expect(strcmp(a, "bef") == 0 && strcmp(b, "ore") == 0, "scattered");
	strcpy(b, "AFTER");
	struct iovec from = {b, 6}, to = {data + 10, 6};
	expect_eq_long(process_vm_writev(getpid(), &from, 1, &to, 1, 0), 6, "process_vm_writev");
	expect(strcmp(data + 10, "AFTER") == 0, "written");

	need(pipe(up));
	need(pipe(down));
	pid_t pid = need(fork());
	if (pid == 0) {
		strcpy(data, "the child's");
		need(write(up[1], "r", 1));
		need(read(down[0], &c, 1));
		expect_eq_long(answer, 42, "the parent's answer");
		_exit(done());
	}
	need(read(up[0], &c, 1));
	remote[0].iov_len = 12;
	struct iovec whole = {b, 12};
	expect_eq_long(process_vm_readv(pid, &whole, 1, remote, 1, 0), 12, "read of the child");
	expect(strcmp(b, "the child's") == 0, "\"%s\"", b);
	int value = 42;
	from = (struct iovec){&value, sizeof(value)};
	to = (struct iovec){(void *)&answer, sizeof(answer)};
	expect_eq_long(process_vm_writev(pid, &from, 1, &to, 1, 0), 4, "write to the child");
	expect_eq_long(answer, 1, "my own");
	need(write(down[1], "g", 1));
	expect_child(pid, 0);

	write_to_running(false);
	write_to_running(true);
	write_vectors();

	expect_errno(process_vm_readv(pid, &whole, 1, remote, 1, 0), ESRCH);
	remote[0].iov_base = (void *)16;
	expect_errno(process_vm_readv(getpid(), &whole, 1, remote, 1, 0), EFAULT);
	expect_errno(process_vm_readv(getpid(), &whole, 1, remote, 1, 5), EINVAL);
	return done();
}
