/* The files of /proc that gdb reads of a process (linux_info_proc() in its linux-tdep.c), as they
 * would be at the place where the replay is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "gdb/session.h"

/* What follows "/proc/PID/" or "/proc/PID/task/PID/" of this process, or NULL. */
static const char *below(struct gdb_session *s, const char *path)
{
	char number[16];
	struct gdb_cursor at = {(const uint8_t *)path, (const uint8_t *)path + strlen(path)};

	snprintf(number, sizeof(number), "%" PRIu32 "/", timeline_process(s->timeline));
	if (!gdb_take(&at, "/proc/") || !gdb_take(&at, number))
		return NULL;
	if (gdb_take(&at, "task/") && !gdb_take(&at, number))
		return NULL;
	return (const char *)at.at;
}

static void put_maps(struct gdb_session *s, struct bytes *out)
{
	struct timeline_maps maps = {0};

	timeline_maps(s->timeline, &maps);
	vec_foreach (&maps, map) {
		const struct trace_file *file = trace_reader_file(s->reader, map->file);

		bytes_format(out,
			     "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " 00:00 %" PRIu64,
			     map->start, map->end, map->prot & PROT_READ ? 'r' : '-',
			     map->prot & PROT_WRITE ? 'w' : '-', map->prot & PROT_EXEC ? 'x' : '-',
			     map->shared ? 's' : 'p', map->offset, file ? file->inode : 0);
		bytes_format(out, "%s%s\n", *map->name ? " " : "", map->name);
	}
	vec_deinit(&maps);
}

/* The recorded command is that of the first process. */
static void put_command(struct gdb_session *s, struct bytes *out)
{
	const struct trace_texts *words = &trace_reader_meta(s->reader)->command;

	vec_foreach (words, word)
		vec_append(out, (const unsigned char *)*word, strlen(*word) + 1);
}

static void put_name(struct gdb_session *s, struct bytes *out)
{
	char name[16];

	timeline_thread_name(s->timeline, timeline_process(s->timeline), name);
	bytes_format(out, "%.15s\n", name);
}

static void put_auxv(struct gdb_session *s, struct bytes *out)
{
	timeline_auxv(s->timeline, out);
}

bool gdb_proc_file(struct gdb_session *s, const char *path, struct bytes *out)
{
	static const struct {
		const char *name;
		void (*put)(struct gdb_session *s, struct bytes *out);
	} known[] = {{"maps", put_maps},
		     {"cmdline", put_command},
		     {"comm", put_name},
		     {"auxv", put_auxv}};
	const char *name = below(s, path);

	for (size_t i = 0; name && i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(name, known[i].name))
			continue;
		known[i].put(s, out);
		return true;
	}
	return false;
}

bool gdb_proc_link(struct gdb_session *s, const char *path, struct bytes *out)
{
	const char *name = below(s, path);

	if (name && !strcmp(name, "exe"))
		bytes_put(out, timeline_program(s->timeline));
	else if (name && !strcmp(name, "cwd"))
		bytes_put(out, trace_reader_meta(s->reader)->directory);
	return out->count;
}
