/* The auxiliary vector: all entries, AT_RANDOM's bytes, AT_EXECFN; in this and in a new image. */
#include "guest_task.h"
#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	char **end = environ;
	int entries = 0;

	while (*end != NULL)
		end++;
	Elf64_auxv_t *auxv = (Elf64_auxv_t *)(end + 1);
	for (Elf64_auxv_t *a = auxv; a->a_type != AT_NULL; a++, entries++)
		show("auxv %2lu: %#lx", (unsigned long)a->a_type, (unsigned long)a->a_un.a_val);
	expect(entries > 10, "%d entries", entries);
	hexdump("AT_RANDOM", (const void *)getauxval(AT_RANDOM), 16);
	show("AT_EXECFN %s", guest_base((const char *)getauxval(AT_EXECFN)));
	show("AT_PLATFORM %s", (const char *)getauxval(AT_PLATFORM));
	expect_eq_long(getauxval(AT_PAGESZ), sysconf(_SC_PAGESIZE), "AT_PAGESZ");
	expect_eq_long(getauxval(AT_UID), getuid(), "AT_UID");
	expect_eq_long(getauxval(AT_EGID), getegid(), "AT_EGID");
	expect_eq_long(getauxval(AT_SECURE), 0, "AT_SECURE");
	expect(getauxval(AT_PHDR) != 0 && getauxval(AT_ENTRY) != 0, "program headers and entry");
	expect(getauxval(AT_SYSINFO_EHDR) != 0, "AT_SYSINFO_EHDR");
	show("main %p, stack %p, break %p, environment %p", (void *)main, (void *)&argc, sbrk(0),
	     (void *)environ);

	/* The kernel keeps a copy; a debugger reads it. */
	unsigned char copy[2048];
	int fd = need(open("/proc/self/auxv", O_RDONLY));
	ssize_t n = need(read(fd, copy, sizeof(copy)));
	close(fd);
	size_t len = (size_t)entries * sizeof(*auxv);
	expect(n >= (ssize_t)len && memcmp(copy, auxv, len) == 0, "/proc/self/auxv agrees");
	if (argc == 1) {
		if (done() != 0)
			return 1;
		need(execl("/proc/self/exe", "exec_auxv", "again", NULL));
	}
	return done();
}
