/* vFile: the client reads files as the program had them ("Host I/O Packets" in gdb's manual). Only
 * what the recording keeps is there; nothing is opened by a name of the client's.
 *
 * Invariant: the kept contents of a file that is open have at least `size` bytes when it is
 * read. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "gdb/session.h"
#include "util/cleanup.h"
#include "util/os.h"

#define PREAD_MAX (GDB_PACKET_MAX / 2 - 32)
/* The errno values of the protocol are those of old; O_ACCMODE as well. */
#define ACCESS_MASK 3u
#define STAT_SIZE   64

static void fail(struct gdb_session *s, int errnum)
{
	bytes_format(&s->reply, "F-1,%x", (unsigned)errnum);
}

static void close_file(struct gdb_file *file)
{
	vec_deinit(&file->text);
	*file = (struct gdb_file){0};
}

void gdb_close_files(struct gdb_session *s)
{
	vec_foreach (&s->files, file)
		close_file(file);
	vec_deinit(&s->files);
}

/* Fills in a file of that name; false: there is none. */
static bool find(struct gdb_session *s, const char *path, struct gdb_file *file)
{
	uint32_t id = gdb_loaded_file(s, path);
	const struct trace_file *record = trace_reader_file(s->reader, id);

	*file = (struct gdb_file){.id = record ? id : TRACE_NO_FILE};
	if (record) {
		file->size = record->size;
		file->mtime = record->mtime_ns / 1000000000;
		file->open = trace_file_has_contents(record);
		return file->open;
	}
	file->open = gdb_proc_file(s, path, &file->text);
	file->size = file->text.count;
	return file->open;
}

/* The lowest number that is free. */
static void put_open(struct gdb_session *s, const struct gdb_file *file)
{
	size_t i = 0;

	while (i < s->files.count && s->files.items[i].open)
		i++;
	if (i == s->files.count)
		vec_push(&s->files, *file);
	else
		s->files.items[i] = *file;
	bytes_format(&s->reply, "F%zx", i);
}

static void handle_open(struct gdb_session *s, struct gdb_cursor *rest)
{
	char *path _cleanup_free_ = gdb_take_text(rest);
	struct gdb_file file;
	uint64_t flags;

	if (!path || !gdb_take(rest, ",") || !gdb_take_hex(rest, &flags))
		fail(s, EINVAL);
	else if (flags & ACCESS_MASK)
		fail(s, EROFS);
	else if (s->files.count >= GDB_FILES)
		fail(s, EMFILE);
	else if (!find(s, path, &file))
		fail(s, ENOENT);
	else
		put_open(s, &file);
}

/* The open file that a number at the cursor says; else an error is the answer. */
static struct gdb_file *take_file(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint64_t i;

	if (gdb_take_hex(rest, &i) && i < s->files.count && s->files.items[i].open)
		return &s->files.items[i];
	fail(s, EBADF);
	return NULL;
}

/* Reads kept contents; 0 or an errno value. */
static int read_kept(struct gdb_session *s, const struct gdb_file *file, uint8_t *to,
		     uint64_t offset, size_t *length)
{
	int fd _cleanup_fd_ = -1;
	struct error *error = trace_reader_file_open(s->reader, file->id, &fd);

	if (error) {
		error_free(error);
		return EIO;
	}
	return os_pread_all(fd, to, *length, (off_t)offset, length);
}

/* "FILE,COUNT,OFFSET" */
static void handle_pread(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct gdb_file *file = take_file(s, rest);
	uint64_t count, offset;
	int errnum = 0;

	if (!file)
		return;
	if (!gdb_take(rest, ",") || !gdb_take_hex(rest, &count) || !gdb_take(rest, ",") ||
	    !gdb_take_hex(rest, &offset)) {
		fail(s, EINVAL);
		return;
	}
	uint64_t left = offset < file->size ? file->size - offset : 0;
	size_t got = count < left ? count : left;

	if (got > PREAD_MAX)
		got = PREAD_MAX;
	uint8_t *bytes _cleanup_free_ = xmalloc(got + 1);

	if (got && file->id != TRACE_NO_FILE)
		errnum = read_kept(s, file, bytes, offset, &got);
	else if (got)
		memcpy(bytes, file->text.items + offset, got);
	if (errnum) {
		fail(s, errnum);
		return;
	}
	bytes_format(&s->reply, "F%zx;", got);
	vec_append(&s->reply, bytes, got);
}

static void handle_close(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct gdb_file *file = take_file(s, rest);

	if (!file)
		return;
	close_file(file);
	bytes_put(&s->reply, "F0");
}

static void put_big_endian(struct bytes *out, uint64_t value, unsigned length)
{
	while (length--)
		vec_push(out, (unsigned char)(value >> 8 * length));
}

/* struct fio_stat: device, inode, mode, links, uid, gid, rdev; size, block size, blocks; times. */
static void put_stat(struct gdb_session *s, const struct gdb_file *file)
{
	static const unsigned regular_readable = 0100444;

	bytes_format(&s->reply, "F%x;", STAT_SIZE);
	put_big_endian(&s->reply, 0, 8);
	put_big_endian(&s->reply, regular_readable, 4);
	put_big_endian(&s->reply, 1, 4);
	for (int i = 0; i < 3; i++)
		put_big_endian(&s->reply, 0, 4);
	put_big_endian(&s->reply, file->size, 8);
	put_big_endian(&s->reply, 4096, 8);
	put_big_endian(&s->reply, (file->size + 511) / 512, 8);
	for (int i = 0; i < 3; i++)
		put_big_endian(&s->reply, (uint64_t)file->mtime, 4);
}

static void handle_fstat(struct gdb_session *s, struct gdb_cursor *rest)
{
	const struct gdb_file *file = take_file(s, rest);

	if (file)
		put_stat(s, file);
}

static void handle_stat(struct gdb_session *s, struct gdb_cursor *rest)
{
	char *path _cleanup_free_ = gdb_take_text(rest);
	struct gdb_file file;

	if (path && find(s, path, &file)) {
		put_stat(s, &file);
		close_file(&file);
	} else {
		fail(s, ENOENT);
	}
}

static void handle_readlink(struct gdb_session *s, struct gdb_cursor *rest)
{
	char *path _cleanup_free_ = gdb_take_text(rest);
	struct bytes target = {0};

	if (path && gdb_proc_link(s, path, &target)) {
		bytes_format(&s->reply, "F%zx;", target.count);
		vec_append(&s->reply, target.items, target.count);
	} else {
		fail(s, path && gdb_loaded_file(s, path) != TRACE_NO_FILE ? EINVAL : ENOENT);
	}
	vec_deinit(&target);
}

/* Whose file system: there is one. */
static void handle_setfs(struct gdb_session *s, struct gdb_cursor *rest)
{
	bytes_put(&s->reply, "F0");
}

static void handle_change(struct gdb_session *s, struct gdb_cursor *rest)
{
	fail(s, EROFS);
}

static const struct gdb_command commands[] = {
	{"open:", false, handle_open},	       {"pread:", false, handle_pread},
	{"close:", false, handle_close},       {"fstat:", false, handle_fstat},
	{"stat:", false, handle_stat},	       {"lstat:", false, handle_stat},
	{"readlink:", false, handle_readlink}, {"setfs:", false, handle_setfs},
	{"pwrite:", false, handle_change},     {"unlink:", false, handle_change},
};

void gdb_handle_file(struct gdb_session *s, struct gdb_cursor *rest)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!gdb_take(rest, commands[i].name))
			continue;
		commands[i].handle(s, rest);
		return;
	}
}
