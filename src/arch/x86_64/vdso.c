/* x86-64: the vDSO's functions read clocks in user mode; each exported one is patched so that it
 * makes the system call instead, whose result is recorded. __vdso_getrandom (Linux 6.11) keeps
 * state in memory of its caller and answers ENOSYS, upon which libc makes the call (vdso(7)). */
#include <elf.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/x86_64/x86_64.h"

static const struct {
	const char *name;
	int nr; /* the call it stands for; -1: answers ENOSYS */
} functions[] = {
	{"__vdso_clock_gettime", SYS_clock_gettime},
	{"__vdso_gettimeofday", SYS_gettimeofday},
	{"__vdso_time", SYS_time},
	{"__vdso_getcpu", SYS_getcpu},
	{"__vdso_clock_getres", SYS_clock_getres},
	{"__vdso_getrandom", -1},
	{"__vdso_sgx_enter_enclave", -1},
};

static void make_patch(struct arch_patch *patch, uint64_t offset, int nr)
{
	static const uint8_t call[] = {0xb8, 0,	   0,	 0,
				       0,    0x0f, 0x05, 0xc3}; /* mov eax; syscall; ret */
	static const uint8_t none[] = {0x48, 0xc7, 0xc0, 0xda,
				       0xff, 0xff, 0xff, 0xc3}; /* -ENOSYS */

	patch->offset = offset;
	patch->length = 8;
	if (nr < 0) {
		memcpy(patch->bytes, none, sizeof(none));
		return;
	}
	memcpy(patch->bytes, call, sizeof(call));
	memcpy(patch->bytes + 1, &(uint32_t){(uint32_t)nr}, 4);
}

/* The image comes from the kernel, but bounds are checked all the same: a container runtime or a
 * damaged dump may hand us something else. */
static const Elf64_Shdr *section(const uint8_t *image, size_t size, uint32_t type)
{
	const Elf64_Ehdr *header = (const void *)image;

	if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
	    header->e_shoff > size ||
	    (size - header->e_shoff) / sizeof(Elf64_Shdr) < header->e_shnum)
		return NULL;
	const Elf64_Shdr *sections = (const void *)(image + header->e_shoff);

	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (sections[i].sh_type != type)
			continue;
		if (sections[i].sh_offset > size ||
		    size - sections[i].sh_offset < sections[i].sh_size ||
		    sections[i].sh_link >= header->e_shnum)
			return NULL;
		return &sections[i];
	}
	return NULL;
}

static bool add_symbol(const char *name, const Elf64_Sym *symbol, size_t size,
		       struct arch_patch *patch)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (strcmp(name, functions[i].name))
			continue;
		/* vDSO images are linked at 0: a value is an offset. */
		if (symbol->st_value > size || size - symbol->st_value < 8)
			return false;
		make_patch(patch, symbol->st_value, functions[i].nr);
		return true;
	}
	return false;
}

size_t x86_64_vdso_patches(const uint8_t *image, size_t size, struct arch_patch *out, size_t room)
{
	const Elf64_Shdr *table = section(image, size, SHT_DYNSYM);

	if (!table)
		return 0;
	const Elf64_Ehdr *header = (const void *)image;
	const Elf64_Shdr *strings = (const Elf64_Shdr *)(image + header->e_shoff) + table->sh_link;

	if (strings->sh_offset > size || size - strings->sh_offset < strings->sh_size ||
	    !strings->sh_size || image[strings->sh_offset + strings->sh_size - 1])
		return 0;
	const Elf64_Sym *symbols = (const void *)(image + table->sh_offset);
	size_t count = 0;

	for (size_t i = 0; i < table->sh_size / sizeof(*symbols) && count < room; i++) {
		if (symbols[i].st_name >= strings->sh_size)
			continue;
		const char *name = (const char *)image + strings->sh_offset + symbols[i].st_name;

		if (add_symbol(name, &symbols[i], size, &out[count]))
			count++;
	}
	return count;
}
