/*
 * splice, tee and vmsplice between files and pipes; bytes that never pass through this program's
 * memory until the end.
 */
#include "guest.h"
#include <sys/uio.h>

int main(void)
{
	int a[2], b[2];
	char buf[256];
	int file = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	loff_t off = 6;

	need(pipe(a));
	need(pipe2(b, O_NONBLOCK));
	need(write(file, "hello splice world", 18));
	expect_eq_long(splice(file, &off, a[1], NULL, 6, 0), 6, "splice from a file");
	expect_eq_long(off, 12, "its offset");
	expect_eq_long(tee(a[0], b[1], 100, 0), 6, "tee");
	expect_eq_long(read(b[0], buf, sizeof(buf)), 6, "read the copy");
	expect(memcmp(buf, "splice", 6) == 0, "got \"%.6s\"", buf);
	expect_eq_long(splice(a[0], NULL, b[1], NULL, 100, SPLICE_F_MOVE), 6, "pipe to pipe");
	off = 100;
	expect_eq_long(splice(b[0], NULL, file, &off, 100, 0), 6, "pipe to file");
	expect_eq_long(off, 106, "its offset");
	expect_eq_long(pread(file, buf, sizeof(buf), 0), 106, "read back");
	show("hash %016lx", (unsigned long)hash_bytes(buf, 106));

	char *text = strdup("gathered ");
	struct iovec iov[2] = {{text, 9}, {"text", 4}};
	expect_eq_long(vmsplice(a[1], iov, 2, 0), 13, "vmsplice into a pipe");
	expect_eq_long(read(a[0], buf, sizeof(buf)), 13, "read");
	expect(memcmp(buf, "gathered text", 13) == 0, "got \"%.13s\"", buf);
	need(write(a[1], "scattered", 9));
	struct iovec into[2] = {{buf, 3}, {buf + 100, 50}};
	expect_eq_long(vmsplice(a[0], into, 2, 0), 9, "vmsplice out of a pipe");
	expect(memcmp(buf, "sca", 3) == 0 && memcmp(buf + 100, "ttered", 6) == 0, "scattered");

	expect_errno(splice(b[0], NULL, a[1], NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
	expect_errno(tee(b[0], a[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
	expect_errno(splice(file, NULL, file, NULL, 10, 0), EINVAL);
	expect_errno(splice(a[0], &off, file, NULL, 10, 0), ESPIPE);
	expect_errno(tee(file, a[1], 10, 0), EINVAL);
	close(a[1]);
	expect_eq_long(splice(a[0], NULL, b[1], NULL, 10, 0), 0, "end of the pipe");
	free(text);
	return done();
}
