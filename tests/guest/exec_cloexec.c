/* Descriptors over execve(): those with close-on-exec are gone, others keep their offset. */
#include "guest_task.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static int second(void)
{
	char text[8] = "";
	uint64_t value = 0;

	expect(is_open(50) && is_open(52) && is_open(54), "50, 52 and 54 are open");
	expect(!is_open(51) && !is_open(53) && !is_open(55) && !is_open(56), "others are closed");
	expect_eq_long(read(50, text, 4), 4, "bytes from the file");
	expect(strcmp(text, "efgh") == 0, "the offset was kept: %s", text);
	expect_eq_long(read(52, &value, sizeof(value)), 8, "bytes from the eventfd");
	expect_eq_long((long)value, 99, "value of the eventfd");
	struct epoll_event ev;
	expect_eq_long(epoll_wait(54, &ev, 1, 0), 0, "events (the eventfd is empty again)");
	return done();
}

static void place(int fd, int at, int flags)
{
	need(dup3(fd, at, flags));
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return second();
	int fd = need(memfd_create("data", 0));
	need(write(fd, "abcdefgh", 8));
	need(lseek(fd, 4, SEEK_SET));
	place(fd, 50, 0);
	place((int)need(open("/dev/null", O_RDONLY)), 51, O_CLOEXEC);
	place((int)need(eventfd(99, 0)), 52, 0);
	place((int)need(open("/dev/null", O_RDONLY)), 53, 0);
	need(fcntl(53, F_SETFD, FD_CLOEXEC));
	place((int)need(epoll_create1(0)), 54, 0);
	struct epoll_event ev = {.events = EPOLLIN};
	need(epoll_ctl(54, EPOLL_CTL_ADD, 52, &ev));
	place((int)need(open("/dev/null", O_RDONLY | O_CLOEXEC)), 55, O_CLOEXEC);
	need(fcntl(55, F_DUPFD_CLOEXEC, 56));
	/* dup() clears the flag. */
	expect_eq_long(fcntl(dup(51), F_GETFD), 0, "flags of a duplicate");
	need(execl("/proc/self/exe", "exec_cloexec", "second", NULL));
	return 1;
}
