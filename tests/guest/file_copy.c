/*
 * copy_file_range and sendfile, with and without offsets, to files and pipes.
 */
#include "guest.h"
#include <sys/sendfile.h>

int main(void)
{
	static char buf[10000], back[10000];
	int in = need(open(temp_path("in"), O_CREAT | O_RDWR, 0600));
	int out = need(open(temp_path("out"), O_CREAT | O_RDWR, 0600));
	int pipes[2];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = i % 251;
	need(write(in, buf, sizeof(buf)));
	need(lseek(in, 0, SEEK_SET));

	ssize_t n = copy_file_range(in, NULL, out, NULL, 6000, 0);
	if (n == -1 && (errno == ENOSYS || errno == EXDEV || errno == EOPNOTSUPP)) {
		show("copy_file_range: %s", strerror(errno));
	} else {
		expect(n > 0 && n <= 6000, "copy_file_range: %zd", n);
		expect_eq_long(lseek(in, 0, SEEK_CUR), n, "offset of the source");
		expect_eq_long(lseek(out, 0, SEEK_CUR), n, "offset of the target");
		loff_t from = 100, to = 20000;
		n = copy_file_range(in, &from, out, &to, 500, 0);
		expect(n > 0 && from == 100 + n && to == 20000 + n,
		       "with offsets: %zd, now %ld and %ld", n, (long)from, (long)to);
		from = 1000000;
		expect_eq_long(copy_file_range(in, &from, out, &to, 500, 0), 0, "behind the end");
		expect_errno(copy_file_range(in, &from, out, &to, 500, 7), EINVAL);
	}
	need(ftruncate(out, 0));
	need(lseek(out, 0, SEEK_SET));
	off_t off = 10;
	expect_eq_long(sendfile(out, in, &off, 3000), 3000, "sendfile to a file");
	expect_eq_long(off, 3010, "its offset");
	expect_eq_long(pread(out, back, sizeof(back), 0), 3000, "read back");
	expect(memcmp(back, buf + 10, 3000) == 0, "the same bytes, hash %016lx",
	       (unsigned long)hash_bytes(back, 3000));

	need(pipe2(pipes, O_NONBLOCK));
	need(lseek(in, 9000, SEEK_SET));
	expect_eq_long(sendfile(pipes[1], in, NULL, 5000), 1000, "sendfile to a pipe, short");
	expect_eq_long(read(pipes[0], back, sizeof(back)), 1000, "read from it");
	expect(memcmp(back, buf + 9000, 1000) == 0, "the same bytes");
	expect_eq_long(sendfile(pipes[1], in, NULL, 5000), 0, "sendfile at the end");
	expect_errno(sendfile(-1, in, NULL, 1), EBADF);
	expect_errno(syscall(SYS_sendfile, out, in, (void *)8, 1), EFAULT);
	return done();
}
