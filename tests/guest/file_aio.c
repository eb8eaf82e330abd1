/*
 * Kernel AIO by raw calls: the kernel writes buffers and a completion ring after the call has
 * returned.
 */
#include "guest.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <time.h>

int main(void)
{
	aio_context_t ctx = 0;
	static char out[4096] __attribute__((aligned(4096))),
		in[2][4096] __attribute__((aligned(4096)));
	struct io_event events[4];
	struct timespec ts = {5, 0};
	int fd = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));

	if (syscall(SYS_io_setup, 8, &ctx) == -1)
		skip("kernel AIO: %s", strerror(errno));
	show("context %lx", (unsigned long)ctx);
	int efd = need(eventfd(0, 0));
	memset(out, 'o', sizeof(out));
	struct iocb write_cb = {.aio_data = 111,
				.aio_lio_opcode = IOCB_CMD_PWRITE,
				.aio_fildes = fd,
				.aio_buf = (uintptr_t)out,
				.aio_nbytes = sizeof(out),
				.aio_flags = IOCB_FLAG_RESFD,
				.aio_resfd = efd};
	struct iocb *list[2] = {&write_cb, NULL};
	expect_eq_long(syscall(SYS_io_submit, ctx, 1, list), 1, "io_submit");
	expect_eq_long(syscall(SYS_io_getevents, ctx, 1, 4, events, &ts), 1, "io_getevents");
	expect(events[0].data == 111 && events[0].res == 4096, "written, %lld",
	       (long long)events[0].res);
	uint64_t value = 0;
	expect_eq_long(read(efd, &value, 8), 8, "the eventfd");
	expect_eq_long(value, 1, "its counter");

	struct iocb reads[2];
	for (int i = 0; i < 2; i++) {
		reads[i] = (struct iocb){.aio_data = 200 + i,
					 .aio_lio_opcode = IOCB_CMD_PREAD,
					 .aio_fildes = fd,
					 .aio_buf = (uintptr_t)in[i],
					 .aio_nbytes = 4096,
					 .aio_offset = 2048 * i};
		list[i] = &reads[i];
	}
	expect_eq_long(syscall(SYS_io_submit, ctx, 2, list), 2, "io_submit of two");
	int got = 0;
	while (got < 2)
		got += need(syscall(SYS_io_getevents, ctx, 1, 4 - got, events + got, &ts));
	for (int i = 0; i < 2; i++)
		show("event %lu: %lld", (unsigned long)events[i].data, (long long)events[i].res);
	expect(in[0][0] == 'o' && in[0][4095] == 'o', "the first buffer");
	expect(in[1][2047] == 'o' && in[1][2048] == 0, "half of the second");
	reads[0].aio_fildes = 999;
	expect_errno(syscall(SYS_io_submit, ctx, 1, list), EBADF);
	expect_eq_long(syscall(SYS_io_destroy, ctx), 0, "io_destroy");
	expect_errno(syscall(SYS_io_destroy, ctx), EINVAL);
	return done();
}
