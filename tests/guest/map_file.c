/*
 * A file mapped shared and private, written through write() and through memory: shared views agree
 * at every moment, private ones keep what they copied; truncated while mapped.
 */
#include "guest.h"
#include <sys/mman.h>

int main(void)
{
	int fd = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	int fd2 = need(open(temp_path("file"), O_RDONLY));
	char buf[64] = "";

	need(ftruncate(fd, 8192));
	need(pwrite(fd, "first", 5, 0));
	char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *second = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd2, 4096);
	char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd2, 0);
	need((long)shared);
	need((long)second);
	need((long)private);
	show("mapped at %p, %p and %p", shared, second, private);
	expect(memcmp(shared, "first", 5) == 0, "what was there");

	need(pwrite(fd, "FILE!", 5, 100));
	expect(memcmp(shared + 100, "FILE!", 5) == 0, "write() shows in the shared mapping");
	strcpy(shared + 4096, "memory");
	expect(strcmp(second, "memory") == 0, "a store shows in the other mapping");
	need(pread(fd2, buf, 7, 4096));
	expect(strcmp(buf, "memory") == 0, "and in read()");

	/* The first page is copied by a store into it, the second is still the file's. */
	private[200] = 'p';
	need(pwrite(fd, "LATER", 5, 100));
	expect(memcmp(private + 100, "FILE!", 5) == 0, "a copied private page keeps its bytes");
	expect(memcmp(shared + 100, "LATER", 5) == 0, "the shared page does not");
	need(pread(fd, buf, 1, 200));
	expect_eq_long(buf[0], 0, "the private store did not reach the file");
	need(pwrite(fd, "tail", 5, 4096 + 500));
	show("private page not copied yet: \"%.4s\"", private + 4096 + 500);

	struct {
		char text[16];
	} *object = (void *)(shared + 1000);
	for (int i = 0; i < 50; i++) {
		snprintf(object->text, sizeof(object->text), "round %d", i);
		need(pread(fd2, buf, 16, 1000));
		if (memcmp(buf, object->text, 16) != 0)
			expect(false, "round %d: read() sees %.16s", i, buf);
		snprintf(buf, sizeof(buf), "answer %d", i);
		need(pwrite(fd, buf, 16, 1000));
		if (memcmp(buf, object->text, 16) != 0)
			expect(false, "answer %d: memory has %.16s", i, object->text);
	}
	need(ftruncate(fd, 4096 + 10));
	expect(memcmp(second, "memory", 6) == 0 && second[500] == 0,
	       "truncation inside a page clears the rest");
	need(ftruncate(fd, 0));
	need(ftruncate(fd, 8192));
	expect(shared[100] == 0 && second[0] == 0, "zeroes after truncation to nothing and back");
	expect(private[200] == 'p' || private[200] == 0, "private byte now %d", private[200]);
	expect_eq_long(msync(shared, 8192, MS_SYNC), 0, "msync");
	return done();
}
