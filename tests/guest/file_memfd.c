/*
 * memfd_create with every seal, and what each one forbids.
 */
#include "guest.h"
#include <sys/mman.h>

int main(void)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char link[64], target[128] = "";

	if (fd == -1)
		skip("memfd_create: %s", strerror(errno));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	need(readlink(link, target, sizeof(target) - 1));
	expect(strcmp(target, "/memfd:guest (deleted)") == 0, "%s", target);
	expect_eq_long(fcntl(fd, F_GET_SEALS), 0, "no seals");
	need(ftruncate(fd, 8192));
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need((long)map);
	strcpy(map, "written by memory");
	char buf[64];
	expect_eq_long(pread(fd, buf, 18, 0), 18, "pread");
	expect(strcmp(buf, "written by memory") == 0, "both views agree");

	expect_eq_long(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0, "F_SEAL_SHRINK");
	expect_errno(ftruncate(fd, 4096), EPERM);
	expect_eq_long(ftruncate(fd, 12288), 0, "growing is allowed");
	expect_eq_long(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0, "F_SEAL_GROW");
	expect_errno(ftruncate(fd, 16384), EPERM);
	expect_errno(pwrite(fd, "x", 1, 12288), EPERM);
	expect_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	expect_eq_long(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0, "F_SEAL_FUTURE_WRITE");
	strcpy(map, "still writable");
	expect_errno(pwrite(fd, "x", 1, 0), EPERM);
	munmap(map, 8192);
	expect_eq_long(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), 0, "F_SEAL_WRITE");
	expect_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	expect_eq_long(fcntl(fd, F_GET_SEALS) & 0x1f, 0x1f, "all seals");
	expect_errno((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	expect(strcmp(map, "still writable") == 0, "a private view: %s", map);

	int plain = need(memfd_create("plain", 0));
	expect_eq_long(fcntl(plain, F_GET_SEALS) & F_SEAL_SEAL, F_SEAL_SEAL, "sealed from birth");
	expect_errno(memfd_create("x", 0x7000), EINVAL);
	return done();
}
