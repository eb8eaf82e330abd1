/*
 * fanotify in its notification class: the events carry open descriptors that the kernel makes. In
 * the class that gives permissions it works, or is refused as by a kernel without it.
 */
#include "guest.h"
#include <sys/fanotify.h>
#include <sys/mman.h>

static void allow(int fd)
{
	struct fanotify_event_metadata events[8];
	ssize_t got = need(read(fd, events, sizeof(events)));

	for (struct fanotify_event_metadata *e = events; FAN_EVENT_OK(e, got);
	     e = FAN_EVENT_NEXT(e, got)) {
		struct fanotify_response answer = {.fd = e->fd, .response = FAN_ALLOW};

		need(write(fd, &answer, sizeof(answer)));
		close(e->fd);
	}
}

static void permissions(void)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	const char *path = temp_path("asked");

	expect(fd >= 0 || errno == EINVAL, "allowed, or refused");
	if (fd < 0)
		return;
	int file = need(open(path, O_CREAT | O_RDWR, 0600));

	need(write(file, "content", 8));
	need(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, path));
	pid_t pid = need(fork());
	if (pid == 0) {
		int mine = need(open(path, O_RDONLY));
		char *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, mine, 0);

		expect(memory != MAP_FAILED && strcmp(memory, "content") == 0, "mapped");
		_exit(done());
	}
	allow(fd);
	expect_child(pid, 0);
	close(fd);
	close(file);
}

int main(void)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC, O_RDONLY);
	if (fd == -1)
		skip("fanotify: %s", strerror(errno));
	if (fanotify_mark(fd, FAN_MARK_ADD,
			  FAN_OPEN | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD,
			  temp_dir()) == -1)
		skip("fanotify_mark in %s: %s", temp_dir(), strerror(errno));
	int file = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	need(write(file, "watched", 7));
	close(file);

	char buf[1024] __attribute__((aligned(8)));
	unsigned long seen = 0;
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		struct fanotify_event_metadata *e = (void *)buf;
		for (; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n)) {
			char link[64], target[512] = "", data[16] = "";
			snprintf(link, sizeof(link), "/proc/self/fd/%d", e->fd);
			need(readlink(link, target, sizeof(target) - 1));
			need(pread(e->fd, data, sizeof(data) - 1, 0));
			show("mask 0x%lx fd %d pid %d: %s \"%s\"", (long)e->mask, e->fd, e->pid,
			     target, data);
			expect_eq_long(e->pid, getpid(), "made by");
			seen |= e->mask;
			close(e->fd);
		}
	}
	expect(n == -1 && errno == EAGAIN, "no more events");
	expect_eq_long(seen & FAN_CLOSE_WRITE, FAN_CLOSE_WRITE, "FAN_CLOSE_WRITE seen");
	expect_eq_long(seen & FAN_MODIFY, FAN_MODIFY, "FAN_MODIFY seen");
	permissions();
	return done();
}
