/*
 * Directories that the kernel makes up and that change: /proc, /proc/self/fd, /proc/self/task,
 * /proc/self/map_files, /sys/devices/system/cpu, /dev.
 */
#include "guest.h"
#include <dirent.h>

static int list(const char *path, bool names)
{
	DIR *d = opendir(path);
	struct dirent *e;
	uint64_t hash = 0;
	int count = 0;

	if (d == NULL) {
		show("%s: %s", path, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (names && count < 8)
			show("%s/%s type %d inode %lu", path, e->d_name, e->d_type,
			     (unsigned long)e->d_ino);
		hash = hash * 31 + hash_bytes(e->d_name, strlen(e->d_name)) + e->d_ino;
		count++;
	}
	closedir(d);
	show("%s: %d entries, hash %016lx", path, count, (unsigned long)hash);
	return count;
}

int main(void)
{
	char path[64], target[PATH_MAX] = "";

	expect(list("/proc", true) > 10, "/proc");
	int before = list("/proc/self/fd", true);
	int fd = need(open("/dev/null", O_RDONLY));
	expect_eq_long(list("/proc/self/fd", false), before + 1, "descriptors");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	need(readlink(path, target, sizeof(target) - 1));
	expect(strcmp(target, "/dev/null") == 0, "%s", target);
	expect_eq_long(list("/proc/self/task", false), 3, "one thread, . and ..");
	list("/proc/self/map_files", false);
	list("/proc/self/ns", true);
	list("/sys/devices/system/cpu", true);
	list("/dev", false);
	snprintf(path, sizeof(path), "/proc/%d", getpid());
	struct stat a, b;
	need(stat(path, &a));
	need(stat("/proc/self/", &b));
	expect_eq_long(a.st_ino, b.st_ino, "inode of my own directory");

	pid_t pid = need(fork());
	if (pid == 0)
		_exit(0);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = need(open(path, O_RDONLY));
	expect_child(pid, 0);
	expect_errno(read(fd, target, 10), ESRCH);
	expect_errno(open(path, O_RDONLY), ENOENT);
	return done();
}
