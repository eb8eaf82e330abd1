/*
 * A FUSE file system of one file, served by this program: a child writes to it. Closing it is
 * interrupted once, while a signal comes that the child ignores.
 */
#include "guest.h"
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>

static void reply(int fd, const struct fuse_in_header *request, int error, const void *data,
		  size_t length)
{
	char message[4096];
	struct fuse_out_header *header = (void *)message;

	*header = (struct fuse_out_header){.len = (uint32_t)(sizeof(*header) + length),
					   .error = error,
					   .unique = request->unique};
	memcpy(message + sizeof(*header), data, length);
	need(write(fd, message, header->len));
}

static void serve(int fd, const struct fuse_in_header *request)
{
	struct fuse_init_out init = {.major = 7, .minor = 31, .max_write = 4096};
	struct fuse_attr_out attr = {
		.attr = {.ino = 1, .mode = S_IFREG | 0666, .nlink = 1, .size = 5}};
	struct fuse_open_out opened = {0};
	struct fuse_write_out written = {.size = 5};
	static int flushes;

	switch (request->opcode) {
	case FUSE_INIT:
		return reply(fd, request, 0, &init, sizeof(init));
	case FUSE_GETATTR:
		return reply(fd, request, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
		return reply(fd, request, 0, &opened, sizeof(opened));
	case FUSE_WRITE:
		return reply(fd, request, 0, &written, sizeof(written));
	case FUSE_FLUSH:
		if (flushes++)
			return reply(fd, request, 0, "", 0);
		kill((pid_t)request->pid, SIGALRM);
		return reply(fd, request, -EINTR, "", 0);
	case FUSE_RELEASE:
		return reply(fd, request, 0, "", 0);
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return reply(fd, request, -ENOSYS, "", 0);
	}
}

static void use(const char *path)
{
	int file = (int)need(open(path, O_RDWR));

	expect_eq_long(write(file, "hello", 5), 5, "written");
	int copy = (int)need(dup(file));

	signal(SIGALRM, SIG_IGN);
	expect_errno(close(copy), EINTR);
	expect_errno(close(copy), EBADF);
	expect_eq_long(close(file), 0, "closed");
}

int main(void)
{
	static char request[1 << 17];
	struct fuse_in_header *header = (void *)request;
	char path[PATH_MAX], options[100];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		skip("/dev/fuse: %s", strerror(errno));
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip("mounts of its own: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s", temp_path("file"));
	close((int)need(open(path, O_CREAT | O_RDWR, 0600)));
	snprintf(options, sizeof(options), "fd=%d,rootmode=100000,user_id=0,group_id=0", fd);
	if (mount("guest", path, "fuse", 0, options) < 0)
		skip("mount of fuse: %s", strerror(errno));
	pid_t pid = need(fork());
	if (pid == 0) {
		use(path);
		_exit(guest_failures != 0);
	}
	do {
		need(read(fd, request, sizeof(request)));
		serve(fd, header);
	} while (header->opcode != FUSE_RELEASE);
	expect_child(pid, 0);
	need(umount2(path, MNT_DETACH));
	return done();
}
