/*
 * mount, umount2, pivot-like work in a mount namespace of its own (root only).
 */
#include "guest.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>

int main(void)
{
	const char *dir = temp_path("mnt");
	struct statfs fs;
	struct stat st;

	need(mkdir(dir, 0700));
	if (geteuid() != 0) {
		expect_errno(mount("none", dir, "tmpfs", 0, NULL), EPERM);
		expect_errno(umount2(dir, 0), EPERM);
	}
	if (unshare(CLONE_NEWNS) == -1)
		skip("a mount namespace: %s", strerror(errno));
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		skip("making mounts private: %s", strerror(errno));
	if (mount("guest", dir, "tmpfs", MS_NOSUID, "size=1m,mode=0711") == -1)
		skip("mounting a tmpfs: %s", strerror(errno));
	expect_eq_long(statfs(dir, &fs), 0, "statfs");
	expect_eq_long(fs.f_type, 0x01021994, "type is tmpfs");
	show("blocks %lu of %ld, fsid %x", fs.f_blocks, (long)fs.f_bsize, fs.f_fsid.__val[0]);
	need(stat(dir, &st));
	expect_eq_long(st.st_mode & 07777, 0711, "mode");

	char file[PATH_MAX], line[1024];
	snprintf(file, sizeof(file), "%s/file", dir);
	int fd = need(open(file, O_CREAT | O_RDWR, 0600));
	expect_errno(umount2(dir, 0), EBUSY);
	static char big[1 << 16];
	ssize_t n, total = 0;
	while ((n = write(fd, big, sizeof(big))) > 0)
		total += n;
	expect(n == -1 && errno == ENOSPC && total <= 1 << 20, "full after %zd bytes", total);
	FILE *f = fopen("/proc/self/mountinfo", "r");
	while (fgets(line, sizeof(line), f))
		if (strstr(line, " - tmpfs guest "))
			show("mountinfo: %.*s", (int)strlen(line) - 1, line);
	fclose(f);
	close(fd);
	expect_eq_long(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY | MS_BIND, NULL), 0,
		       "remount read-only");
	expect_errno(open(file, O_CREAT | O_RDWR, 0600), EROFS);
	expect_eq_long(umount2(dir, MNT_DETACH), 0, "umount2");
	expect_errno(stat(file, &st), ENOENT);
	expect_errno(mount("none", dir, "no-such-fs", 0, NULL), ENODEV);
	return done();
}
