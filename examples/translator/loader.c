/* Loads a Mach-O executable for x86-64 that needs no libraries, and jumps to its beginning: loader FILE.
 *
 * A Linux program, linked at an address of its own below 4 GB, where such executables have nothing. Segments are
 * mapped where the file wants them. The file is not trusted: what lies outside of it is refused. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the format: <mach-o/loader.h> ---- */

#define MAGIC_64	 0xfeedfacfu
#define CPU_X86_64	 0x01000007u
#define COMMAND_SEGMENT	 0x19u
#define COMMAND_MAIN	 0x80000028u
#define COMMAND_DYLIB	 0xcu
#define LOWEST		 0x100000000ull /* what lies below is the page zero */
#define HIGHEST		 0x7f0000000000ull
#define PAGE		 4096ull
#define PROTECTION	 7
#define PROTECTION_WRITE 2

struct header {
	uint32_t magic, cpu, subtype, type, commands, command_bytes, flags, reserved;
};

struct command {
	uint32_t kind, size;
};

struct segment {
	uint32_t kind, size;
	char name[16];
	uint64_t address, length, file_offset, file_length;
	uint32_t most, protection, sections, flags;
};

struct entry {
	uint32_t kind, size;
	uint64_t file_offset, stack;
};

struct image {
	const unsigned char *bytes;
	size_t size;
	uint64_t text;	/* where the file's beginning is mapped */
	uint64_t entry; /* offset from there */
};

static _Noreturn void refuse(const char *why)
{
	fprintf(stderr, "loader: %s\n", why);
	exit(126);
}

/* ---- loading ---- */

/* Pages of a segment: its bytes of the file, then zeros. Protections of Darwin and Linux have the same bits. */
static void map_segment(struct image *image, const struct segment *segment)
{
	uint64_t end = segment->address + segment->length;
	int protection = (int)(segment->protection & PROTECTION);
	void *at;

	if (segment->address < LOWEST || !segment->length)
		return;
	if (segment->address % PAGE || end < segment->address || end > HIGHEST ||
	    segment->file_length > segment->length || segment->file_offset > image->size ||
	    segment->file_length > image->size - segment->file_offset)
		refuse("a segment lies outside of the file or of memory");
	at = mmap((void *)segment->address, segment->length, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at == MAP_FAILED)
		refuse("a segment's place in memory is taken");
	memcpy(at, image->bytes + segment->file_offset, segment->file_length);
	if (!(protection & PROTECTION_WRITE))
		mprotect(at, segment->length, protection);
	if (!segment->file_offset && segment->file_length)
		image->text = segment->address;
}

static void load_command(struct image *image, const struct command *command)
{
	switch (command->kind) {
	case COMMAND_SEGMENT:
		if (command->size < sizeof(struct segment))
			refuse("a segment command is too short");
		map_segment(image, (const struct segment *)command);
		break;
	case COMMAND_MAIN:
		if (command->size < sizeof(struct entry))
			refuse("the entry command is too short");
		image->entry = ((const struct entry *)command)->file_offset;
		break;
	case COMMAND_DYLIB:
		refuse("the program needs libraries");
	}
}

static void load(struct image *image)
{
	const struct header *header = (const struct header *)image->bytes;
	uint64_t at = sizeof(*header);

	if (image->size < sizeof(*header) || header->magic != MAGIC_64 || header->cpu != CPU_X86_64)
		refuse("this is no Mach-O file for x86-64");
	for (uint32_t i = 0; i < header->commands; i++) {
		const struct command *command = (const struct command *)(image->bytes + at);

		if (at + sizeof(*command) > image->size || command->size < sizeof(*command) ||
		    command->size % 8 || command->size > image->size - at)
			refuse("the load commands go beyond the file");
		load_command(image, command);
		at += command->size;
	}
	if (!image->text || !image->entry)
		refuse("the program has no beginning");
}

static void read_file(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) || status.st_size <= 0)
		refuse("the file cannot be read");
	image->size = (size_t)status.st_size;
	image->bytes = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image->bytes == MAP_FAILED)
		refuse("the file cannot be mapped");
	close(fd);
}

int main(int argc, char **argv)
{
	struct image image = {0};

	if (argc != 2)
		refuse("name one file");
	read_file(&image, argv[1]);
	load(&image);
	((void (*)(void))(uintptr_t)(image.text + image.entry))();
	refuse("the program has come back");
}
