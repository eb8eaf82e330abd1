/*
 * The functions of the vDSO, found in its symbol table through AT_SYSINFO_EHDR and called
 * directly.
 */
#include "guest_task.h"
#include <elf.h>
#include <sys/auxv.h>

static const char *base;

/* DT_HASH is not in every vDSO: count symbols by the section header or by where strings begin. */
static void *lookup(const char *name)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(base + ehdr->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *symtab = NULL;
	const char *strtab = NULL;
	const char *load = base;

	for (int i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD)
			load = base + phdr[i].p_offset - phdr[i].p_vaddr;
		else if (phdr[i].p_type == PT_DYNAMIC)
			dyn = (const Elf64_Dyn *)(base + phdr[i].p_offset);
	}
	for (; dyn != NULL && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			symtab = (const Elf64_Sym *)(load + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_STRTAB)
			strtab = load + dyn->d_un.d_ptr;
	}
	if (symtab == NULL || strtab == NULL)
		return NULL;
	/* The linker puts the strings right after the symbols. */
	for (const Elf64_Sym *s = symtab; (const char *)(s + 1) <= strtab; s++)
		if (s->st_shndx != SHN_UNDEF && strcmp(strtab + s->st_name, name) == 0)
			return (void *)(load + s->st_value);
	return NULL;
}

int main(void)
{
	struct timespec ts, res, again;
	struct timeval tv;
	unsigned cpu = 0, node = 0;
	static const int clocks[] = {CLOCK_REALTIME,
				     CLOCK_MONOTONIC,
				     CLOCK_REALTIME_COARSE,
				     CLOCK_MONOTONIC_COARSE,
				     CLOCK_MONOTONIC_RAW,
				     CLOCK_BOOTTIME,
				     CLOCK_TAI,
				     CLOCK_PROCESS_CPUTIME_ID};

	base = (const char *)getauxval(AT_SYSINFO_EHDR);
	if (base == NULL)
		skip("the vDSO");
	int (*gettime)(int, struct timespec *) = lookup("__vdso_clock_gettime");
	int (*getres)(int, struct timespec *) = lookup("__vdso_clock_getres");
	int (*gettod)(struct timeval *, void *) = lookup("__vdso_gettimeofday");
	time_t (*get_time)(time_t *) = lookup("__vdso_time");
	int (*get_cpu)(unsigned *, unsigned *, void *) = lookup("__vdso_getcpu");
	show("vDSO at %p: %p %p %p %p %p", (const void *)base, (void *)gettime, (void *)getres,
	     (void *)gettod, (void *)get_time, (void *)get_cpu);
	if (!gettime || !getres || !gettod || !get_time || !get_cpu)
		skip("a function of the vDSO");

	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		expect_eq_long(gettime(clocks[i], &ts), 0, "clock_gettime");
		expect_eq_long(getres(clocks[i], &res), 0, "clock_getres");
		gettime(clocks[i], &again);
		show("clock %d: %ld.%09ld, resolution %ld ns", clocks[i], ts.tv_sec, ts.tv_nsec,
		     res.tv_nsec);
		expect(again.tv_sec > ts.tv_sec ||
			       (again.tv_sec == ts.tv_sec && again.tv_nsec >= ts.tv_nsec),
		       "it does not go back");
	}
	expect_eq_long(gettod(&tv, NULL), 0, "gettimeofday");
	time_t stored = 0, returned = get_time(&stored);
	/* time(2) tells the time of the last tick: at the beginning of a second it is the one before. */
	expect(stored == returned && returned >= tv.tv_sec - 1, "time %ld, gettimeofday %ld.%06ld",
	       returned, tv.tv_sec, tv.tv_usec);
	expect_eq_long(get_cpu(&cpu, &node, NULL), 0, "getcpu");
	show("processor %u, node %u", cpu, node);
	expect_eq_long(gettime(99, &ts), -EINVAL, "clock_gettime of an unknown clock");
	return done();
}
