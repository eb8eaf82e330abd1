/* The cache of sites. Files are replaced by rename(2), so that two recorders never mix theirs; the
 * newest lines come first, and old ones fall off the end. */
#include "softpmu/known.h"

#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softpmu/probe.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

/* Offsets kept of a file. */
#define OFFSETS_MAX 24u
#define ID_MAX	    64u

struct offsets vec(uint64_t);

static void free_offsets(struct offsets *offsets)
{
	vec_deinit(offsets);
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* ---- which file ---- */

static bool note_id(Elf_Data *data, char *id)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while ((at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const uint8_t *bytes = (const uint8_t *)data->d_buf + desc;

		if (note.n_type != NT_GNU_BUILD_ID || !note.n_descsz || note.n_descsz > ID_MAX)
			continue;
		for (size_t i = 0; i < note.n_descsz; i++)
			sprintf(id + 2 * i, "%02x", bytes[i]);
		return true;
	}
	return false;
}

/* The build-id of the open file, in hexadecimal. */
static bool read_id(int fd, char *id)
{
	bool found = false;
	size_t count = 0;
	GElf_Phdr header;

	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);

	if (elf && elf_getphdrnum(elf, &count) < 0)
		count = 0;
	for (size_t i = 0; i < count && !found; i++) {
		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_NOTE)
			continue;
		Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header.p_offset,
						      header.p_filesz, ELF_T_NHDR);

		found = data && note_id(data, id);
	}
	elf_end(elf);
	return found;
}

/* The build-id of what is mapped there. */
static bool map_id(struct tracee *tracee, const struct proc_map *map, char *id)
{
	char path[64];

	if (!softpmu_is_fixed_code(map))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", tracee->tgid,
		 (unsigned long long)map->start, (unsigned long long)map->end);
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return read_id(fd, id);
	/* An ordinary user may not follow map_files on older kernels (proc(5)). */
	int named _cleanup_fd_ = open(map->name, O_RDONLY | O_CLOEXEC);
	struct stat status;

	return named >= 0 && fstat(named, &status) == 0 && status.st_ino == map->inode &&
	       status.st_dev == map->device && read_id(named, id);
}

/* ---- the files of the cache ---- */

/* The directory, made if it is missing; NULL where there is no place for one. The caller's. */
static char *cache_directory(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *base _cleanup_free_ = NULL;

	if (cache && *cache == '/')
		base = xstrdup(cache);
	else if (home && *home == '/')
		base = xasprintf("%s/.cache", home);
	else
		return NULL;
	char *own _cleanup_free_ = xasprintf("%s/warp", base);
	char *directory = xasprintf("%s/sites", own);

	if (access(directory, F_OK) < 0) {
		mkdir(base, 0700);
		mkdir(own, 0700);
		mkdir(directory, 0700);
	}
	return directory;
}

static void read_offsets(const char *path, struct offsets *offsets)
{
	FILE *file _cleanup_(close_file) = fopen(path, "re");
	uint64_t offset;

	while (file && offsets->count < OFFSETS_MAX && fscanf(file, "%" SCNx64, &offset) == 1)
		vec_push(offsets, offset);
}

static void write_offsets(const char *path, const struct offsets *offsets)
{
	char *temporary _cleanup_free_ = xasprintf("%s.%d", path, getpid());
	FILE *file = fopen(temporary, "wxe");

	if (!file)
		return;
	for (size_t i = 0; i < offsets->count && i < OFFSETS_MAX; i++)
		fprintf(file, "%" PRIx64 "\n", offsets->items[i]);
	if (fclose(file) != 0 || rename(temporary, path) < 0)
		unlink(temporary);
}

static bool has(const struct offsets *offsets, uint64_t offset)
{
	vec_foreach (offsets, known)
		if (*known == offset)
			return true;
	return false;
}

/* ---- the two ways ---- */

void softpmu_known(struct tracee *tracee, struct softpmu_pcs *out, size_t most)
{
	char *directory _cleanup_free_ = cache_directory();
	struct proc_maps maps = {0};
	char id[2 * ID_MAX + 1];

	if (!directory)
		return;
	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map) {
		struct offsets offsets _cleanup_(free_offsets) = {0};

		if (!map_id(tracee, map, id))
			continue;
		char *path _cleanup_free_ = xasprintf("%s/%s", directory, id);

		read_offsets(path, &offsets);
		vec_foreach (&offsets, offset)
			if (*offset >= map->offset && out->count < most &&
			    *offset - map->offset < map->end - map->start)
				vec_push(out, map->start + (*offset - map->offset));
	}
	proc_maps_deinit(&maps);
}

static void remember_in(struct tracee *tracee, const char *directory, const struct proc_map *map,
			const taddr *pcs, size_t count)
{
	struct offsets now _cleanup_(free_offsets) = {0}, before _cleanup_(free_offsets) = {0};
	char id[2 * ID_MAX + 1];

	for (size_t i = 0; i < count; i++)
		if (pcs[i] >= map->start && pcs[i] < map->end)
			vec_push(&now, pcs[i] - map->start + map->offset);
	if (!now.count || !map_id(tracee, map, id))
		return;
	char *path _cleanup_free_ = xasprintf("%s/%s", directory, id);

	read_offsets(path, &before);
	vec_foreach (&before, offset)
		if (!has(&now, *offset))
			vec_push(&now, *offset);
	write_offsets(path, &now);
}

void softpmu_remember(struct tracee *tracee, const taddr *pcs, size_t count)
{
	char *directory _cleanup_free_ = cache_directory();
	struct proc_maps maps = {0};

	if (!directory || !count)
		return;
	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		remember_in(tracee, directory, map, pcs, count);
	proc_maps_deinit(&maps);
}
