/* personality(ADDR_NO_RANDOMIZE) and exec: two images get the same addresses. */
#include "guest_task.h"
#include <sys/personality.h>

static int global;

static void addresses(char *text, size_t size)
{
	int local;
	void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Without the low bits of the stack: they depend on the arguments. */
	snprintf(text, size, "code %p, stack %lx, library %p, mapping %p, break %p",
		 (void *)&global, (unsigned long)&local >> 12, (void *)&stdout->_flags, mapped,
		 sbrk(0));
}

int main(int argc, char **argv)
{
	char text[256], want[256] = "";

	addresses(text, sizeof(text));
	show("%s, personality %#x", text, (unsigned)personality(0xffffffff));
	if (argc == 1) {
		if (personality(ADDR_NO_RANDOMIZE) == -1)
			skip("the right to set the personality");
		need(execl("/proc/self/exe", "p", "1", "---", NULL));
	}
	expect((personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0, "kept over exec");
	if (argv[1][0] == '1') {
		int fd = need(memfd_create("addresses", 0));
		need(write(fd, text, strlen(text)));
		char number[16];
		/* As long as in the image before: the length moves the stack. */
		snprintf(number, sizeof(number), "%03d", fd);
		need(execl("/proc/self/exe", "p", "2", number, NULL));
	}
	need(pread(atoi(argv[2]), want, sizeof(want) - 1, 0));
	expect(strcmp(want, text) == 0, "the same addresses twice");
	return done();
}
