/*
 * A 100 MB sparse file mapped and touched here and there, a 64 GB reservation, a mapping of
 * /dev/zero, and two hundred mappings made and removed.
 */
#include "guest.h"
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)

int main(void)
{
	long size = 100L << 20;
	int fd = need(open(temp_path("sparse"), O_CREAT | O_RDWR, 0600));
	struct stat st;

	need(ftruncate(fd, size));
	unsigned char *map = mmap(NULL, size, RW, MAP_SHARED, fd, 0);
	need((long)map);
	for (long i = 0; i < size; i += 10L << 20)
		map[i + 77] = 1 + (i >> 20);
	uint64_t sum = 0;
	for (long i = 0; i < size; i += 1L << 20)
		sum = sum * 31 + map[i + 77];
	show("at %p, sum %016lx", map, (unsigned long)sum);
	unsigned char c;
	expect_eq_long(pread(fd, &c, 1, (50L << 20) + 77), 1, "pread");
	expect_eq_long(c, 51, "a byte in the middle");
	need(msync(map, size, MS_SYNC));
	need(fstat(fd, &st));
	show("%ld blocks of %ld bytes", (long)st.st_blocks, (long)st.st_size);
	expect(st.st_blocks * 512 < 10 << 20, "still sparse");
	need(munmap(map, size));

	char *huge = mmap(NULL, 64L << 30, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (huge == MAP_FAILED) {
		show("64 GB of address space: %s", strerror(errno));
	} else {
		huge[5L << 30] = 'x';
		expect(huge[5L << 30] == 'x' && huge[60L << 30] == 0, "far apart, at %p", huge);
		need(munmap(huge, 64L << 30));
	}
	int zero = need(open("/dev/zero", O_RDWR));
	char *z = mmap(NULL, 65536, RW, MAP_PRIVATE, zero, 0);
	need((long)z);
	expect_eq_long(z[100], 0, "a byte of /dev/zero");
	z[100] = 'z';
	char *again = mmap(NULL, 65536, RW, MAP_SHARED, zero, 0);
	expect(again != MAP_FAILED && again[100] == 0 && z[100] == 'z', "zeroes in a second one");

	char *maps[200];
	uintptr_t hash = 0;
	for (int i = 0; i < 200; i++) {
		maps[i] = mmap(NULL, 4096 * (1 + i % 3), i % 2 ? RW : PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		need((long)maps[i]);
		hash = hash * 31 + (uintptr_t)maps[i];
	}
	for (int i = 199; i >= 0; i -= 2)
		maps[i][0] = i;
	show("hash of 200 addresses: %016lx", (long)hash);
	for (int i = 0; i < 200; i++)
		need(munmap(maps[i], 4096 * (1 + i % 3)));
	return done();
}
