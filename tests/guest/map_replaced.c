/*
 * Files that change between mappings: the same path with other contents, renamed over, unlinked,
 * one file mapped again after a write, forty small files mapped at once.
 */
#include "guest.h"
#include <sys/mman.h>

static int make(const char *name, const char *text)
{
	int fd = need(open(temp_path(name), O_CREAT | O_TRUNC | O_RDWR, 0600));
	need(write(fd, text, strlen(text) + 1));
	return fd;
}

static char *map(int fd, int flags)
{
	char *p =
		mmap(NULL, 4096, PROT_READ | (flags == MAP_SHARED ? 0 : PROT_WRITE), flags, fd, 0);
	need((long)p);
	return p;
}

int main(void)
{
	int one = make("file", "the first contents");
	char *a = map(one, MAP_PRIVATE);

	close(one);
	int two = make("other", "the second contents");
	need(rename(temp_path("other"), temp_path("file")));
	int again = need(open(temp_path("file"), O_RDWR));
	char *b = map(again, MAP_PRIVATE);
	expect(strcmp(a, "the first contents") == 0, "%s", a);
	expect(strcmp(b, "the second contents") == 0, "%s", b);

	need(pwrite(again, "THE SECOND", 10, 0));
	char *c = map(two, MAP_PRIVATE);
	expect(strcmp(c, "THE SECOND contents") == 0, "after a write: %s", c);
	show("the mapping from before the write: %s", b);
	c[0] = '#';
	need(pwrite(two, "and changed", 11, 0));
	expect(c[0] == '#' && c[4] == 'S', "a copied page stays: %s", c);
	need(unlink(temp_path("file")));
	char *d = map(again, MAP_SHARED);
	expect(strcmp(d, "and changedcontents") == 0, "mapped when unlinked: %s", d);
	need(munmap(a, 4096));
	int three = make("file", "the third contents, longer than the others");
	char *e = map(three, MAP_SHARED);
	need(close(three));
	expect(strncmp(e, "the third", 9) == 0, "%s", e);

	char *maps[40], name[32];
	uint64_t hash = 0;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "small-%d", i);
		int fd = make(name, name);
		maps[i] = map(fd, i % 2 ? MAP_SHARED : MAP_PRIVATE);
		close(fd);
	}
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "small-%d", i);
		if (strcmp(maps[i], name) != 0)
			expect(false, "%s holds %s", name, maps[i]);
		hash = hash * 31 + (uintptr_t)maps[i];
	}
	show("hash of the addresses %016lx", (unsigned long)hash);
	/* The program's own file, which it is running from. */
	int self = need(open("/proc/self/exe", O_RDONLY));
	char *elf = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, self, 0);
	expect(memcmp(elf, "\177ELF", 4) == 0, "my own ELF header");
	expect_errno((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self, 0), EACCES);
	return done();
}
