/* Which of the recording's files the client means by a name.
 *
 * gdb asks for libraries by the names that the dynamic linker knows them by, often symbolic links,
 * and links are not recorded. But the linker's list of what it has loaded (struct link_map of
 * <link.h>, whose first members never change) has an address in each, and the mapping there has the
 * file. Before that list is made, the program's own header names its interpreter, which lies at
 * AT_BASE.
 *
 * Invariant: all that is read is the program's memory: any value is possible, and lists are cut
 * off. */
#include <elf.h>
#include <link.h>
#include <string.h>

#include "gdb/session.h"

#define HEADERS_MAX 64
#define DYNAMIC_MAX 256
#define LOADED_MAX  8192
#define PATH_ROOM   4096

bool gdb_auxv_value(struct gdb_session *s, uint64_t key, uint64_t *value)
{
	struct bytes auxv = {0};
	bool found = false;

	timeline_auxv(s->timeline, &auxv);
	for (size_t at = 0; at + sizeof(Elf64_auxv_t) <= auxv.count; at += sizeof(Elf64_auxv_t)) {
		Elf64_auxv_t entry;

		memcpy(&entry, auxv.items + at, sizeof(entry));
		if (entry.a_type != key)
			continue;
		*value = entry.a_un.a_val;
		found = true;
		break;
	}
	vec_deinit(&auxv);
	return found;
}

/* The program's header of that type, and by how much the program was moved. */
static bool find_header(struct gdb_session *s, uint32_t type, Elf64_Phdr *out, uint64_t *moved)
{
	uint64_t at, count;
	bool found = false;

	if (!gdb_auxv_value(s, AT_PHDR, &at) || !gdb_auxv_value(s, AT_PHNUM, &count))
		return false;
	*moved = 0;
	for (uint64_t i = 0; i < count && i < HEADERS_MAX; i++) {
		Elf64_Phdr header;
		taddr addr = at + i * sizeof(header);

		if (timeline_read(s->timeline, addr, &header, sizeof(header)) != sizeof(header))
			return false;
		if (header.p_type == PT_PHDR)
			*moved = at - header.p_vaddr;
		if (header.p_type != type)
			continue;
		*out = header;
		found = true;
	}
	return found;
}

/* The file mapped at an address. */
static uint32_t mapped_at(const struct timeline_maps *maps, taddr addr)
{
	vec_foreach (maps, map)
		if (addr >= map->start && addr < map->end)
			return map->file;
	return TRACE_NO_FILE;
}

/* The linker's list of what is loaded; 0: there is none yet. */
static taddr loaded_list(struct gdb_session *s)
{
	Elf64_Phdr header;
	uint64_t moved, list = 0;

	if (!find_header(s, PT_DYNAMIC, &header, &moved))
		return 0;
	for (unsigned i = 0; i < DYNAMIC_MAX; i++) {
		Elf64_Dyn entry;
		taddr addr = header.p_vaddr + moved + i * sizeof(entry);

		if (timeline_read(s->timeline, addr, &entry, sizeof(entry)) != sizeof(entry) ||
		    entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_DEBUG && entry.d_un.d_ptr &&
		    gdb_read_word(s, entry.d_un.d_ptr + offsetof(struct r_debug, r_map), &list))
			return list;
	}
	return 0;
}

static uint32_t find_in_list(struct gdb_session *s, const struct timeline_maps *maps,
			     const char *path)
{
	taddr at = loaded_list(s);
	char name[PATH_ROOM];

	for (unsigned i = 0; at && i < LOADED_MAX; i++) {
		struct link_map map;

		if (timeline_read(s->timeline, at, &map, sizeof(map)) != sizeof(map))
			break;
		if (gdb_read_text(s, (taddr)map.l_name, name, sizeof(name)) && !strcmp(name, path))
			return mapped_at(maps, (taddr)map.l_ld);
		at = (taddr)map.l_next;
	}
	return TRACE_NO_FILE;
}

static uint32_t find_interpreter(struct gdb_session *s, const struct timeline_maps *maps,
				 const char *path)
{
	char name[PATH_ROOM];
	Elf64_Phdr header;
	uint64_t moved, base;

	if (!find_header(s, PT_INTERP, &header, &moved) || !gdb_auxv_value(s, AT_BASE, &base) ||
	    !gdb_read_text(s, header.p_vaddr + moved, name, sizeof(name)) || strcmp(name, path))
		return TRACE_NO_FILE;
	return mapped_at(maps, base);
}

/* By its own name: mapped now, else the newest of the recording's. */
static uint32_t find_by_path(struct gdb_session *s, const struct timeline_maps *maps,
			     const char *path)
{
	uint32_t id = trace_files_count(trace_reader_files(s->reader));

	vec_foreach (maps, map)
		if (map->file != TRACE_NO_FILE && !strcmp(map->name, path))
			return map->file;
	while (id--) {
		const char *name = trace_reader_file_path(s->reader, id);
		const struct trace_file *file = trace_reader_file(s->reader, id);

		if (file && name && trace_file_has_contents(file) && !strcmp(name, path))
			return id;
	}
	return TRACE_NO_FILE;
}

uint32_t gdb_loaded_file(struct gdb_session *s, const char *path)
{
	struct timeline_maps maps = {0};
	uint32_t id;

	timeline_maps(s->timeline, &maps);
	id = find_by_path(s, &maps, path);
	if (id == TRACE_NO_FILE)
		id = find_in_list(s, &maps, path);
	if (id == TRACE_NO_FILE)
		id = find_interpreter(s, &maps, path);
	vec_deinit(&maps);
	return id;
}
