/*
 * inotify: watches, events with names and cookies, partial reads, overflowing a small buffer.
 */
#include "guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int drain(int fd)
{
	char buf[1024] __attribute__((aligned(8)));
	int count = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n; count++) {
			struct inotify_event *e = (void *)p;
			show("wd %d mask 0x%x cookie %u len %u name %s", e->wd, e->mask, e->cookie,
			     e->len, e->len ? e->name : "");
			p += sizeof(*e) + e->len;
		}
	}
	expect(n == -1 && errno == EAGAIN, "no more events");
	return count;
}

int main(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd == -1)
		skip("inotify: %s", strerror(errno));
	int wd = inotify_add_watch(fd, temp_dir(), IN_ALL_EVENTS);
	expect(wd >= 1, "watch descriptor %d", wd);
	expect_eq_long(drain(fd), 0, "events before");

	int file = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	need(write(file, "x", 1));
	need(fchmod(file, 0640));
	close(file);
	struct pollfd pfd = {fd, POLLIN, 0};
	expect_eq_long(poll(&pfd, 1, -1), 1, "poll");
	int pending = 0;
	need(ioctl(fd, FIONREAD, &pending));
	expect(pending >= 5 * 16, "FIONREAD: %d bytes", pending);
	expect_eq_long(drain(fd), 5, "create, open, modify, attrib, close_write");
	need(rename(temp_path("file"), temp_path("moved")));
	need(mkdir(temp_path("dir"), 0700));
	expect_eq_long(drain(fd), 3, "moved from, moved to, create");
	need(unlink(temp_path("moved")));
	char small[8];
	expect_errno(read(fd, small, sizeof(small)), EINVAL);
	expect_eq_long(drain(fd), 1, "delete");
	expect_eq_long(inotify_rm_watch(fd, wd), 0, "inotify_rm_watch");
	expect_eq_long(drain(fd), 1, "ignored");
	expect_errno(inotify_rm_watch(fd, wd), EINVAL);
	expect_errno(inotify_add_watch(fd, temp_path("absent"), IN_OPEN), ENOENT);
	expect_errno(inotify_init1(0x1234), EINVAL);
	return done();
}
