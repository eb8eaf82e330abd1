/*
 * A directory of 300 files read with getdents64, old getdents and readdir, in the order the file
 * system gives; seekdir and a directory removed while open.
 */
#include "guest.h"
#include <dirent.h>

struct old_dirent {
	unsigned long d_ino;
	unsigned long d_off;
	unsigned short d_reclen;
	char d_name[];
};

int main(void)
{
	char name[32], buf[2048];
	int dir = need(open(temp_dir(), O_RDONLY | O_DIRECTORY));
	int count = 0, calls = 0;
	long n;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "file-%d-%x", i, i * 7919);
		close(need(openat(dir, name, O_CREAT | O_WRONLY, 0600)));
	}
	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		calls++;
		for (long off = 0; off < n;) {
			struct dirent64 *d = (void *)(buf + off);
			if (count++ % 50 == 0)
				show("%s: ino %lu off %lx type %d", d->d_name, (long)d->d_ino,
				     (long)d->d_off, d->d_type);
			off += d->d_reclen;
		}
	}
	expect_eq_long(n, 0, "end");
	expect_eq_long(count, 302, "entries with . and ..");
	expect(calls > 3, "in %d calls", calls);

	need(lseek(dir, 0, SEEK_SET));
	expect_errno(syscall(SYS_getdents64, dir, buf, 8), EINVAL);
	for (count = 0; (n = syscall(SYS_getdents, dir, buf, sizeof(buf))) > 0;)
		for (long off = 0; off < n; off += ((struct old_dirent *)(buf + off))->d_reclen)
			count++;
	expect_eq_long(count, 302, "entries from the old getdents");
	expect_errno(syscall(SYS_getdents64, 0x7777, buf, sizeof(buf)), EBADF);

	DIR *d = opendir(temp_dir());
	struct dirent *entry;
	uint64_t hash = 0;
	long middle = 0;
	for (count = 0; (entry = readdir(d)) != NULL; count++) {
		hash = hash * 31 + hash_bytes(entry->d_name, strlen(entry->d_name));
		if (count == 150)
			middle = telldir(d);
	}
	show("hash of the names in order: %016lx, middle at %lx", (long)hash, middle);
	seekdir(d, middle);
	for (count = 0; readdir(d) != NULL;)
		count++;
	expect_eq_long(count, 151, "entries behind seekdir");
	closedir(d);

	need(mkdir(temp_path("gone"), 0700));
	int gone = need(open(temp_path("gone"), O_RDONLY | O_DIRECTORY));
	need(rmdir(temp_path("gone")));
	expect_errno(syscall(SYS_getdents64, gone, buf, sizeof(buf)), ENOENT);
	return done();
}
