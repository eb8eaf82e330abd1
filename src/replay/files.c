/* Mapped files in a replay: kept contents are mapped as they are; those that changed while mapped,
 * or are shared, from a copy in memory. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "replay/session.h"
#include "util/cleanup.h"

/* What can be done where a copy cannot be made. */
#define IN_MEMORY "the copy is made in memory: end some programs and try again"

/* Copies [at, end). */
static struct error *copy_extent(int from, int to, off_t at, off_t end)
{
	char *buffer _cleanup_free_ = xmalloc(1 << 20);

	while (at < end) {
		off_t left = end - at;
		ssize_t got = pread(from, buffer, left < 1 << 20 ? (size_t)left : 1 << 20, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			break;
		if (got < 0 || pwrite(to, buffer, (size_t)got, at) != got)
			return error_hint(
				error_os(errno, "cannot copy the contents of a mapped file"),
				IN_MEMORY);
		at += got;
	}
	return NULL;
}

/* Holes stay holes. */
static struct error *copy_contents(int from, int to, uint64_t size)
{
	off_t end = (off_t)size, hole = 0, data;

	if (ftruncate(to, end) < 0)
		return error_hint(error_os(errno, "cannot make room for a copy of a mapped file"),
				  IN_MEMORY);
	while (hole < end && (data = lseek(from, hole, SEEK_DATA)) >= 0) {
		hole = lseek(from, data, SEEK_HOLE);
		try(copy_extent(from, to, data, hole < 0 || hole > end ? end : hole));
		if (hole < 0)
			break;
	}
	return NULL;
}

static struct error *open_file(struct rep_session *s, uint32_t id, struct rep_file *file)
{
	const struct trace_file *record = trace_reader_file(s->reader, id);
	int kept _cleanup_fd_ = -1;

	if (!record)
		return error_new(
			"the recording is damaged: it does not hold mapped file %u; record "
			"again",
			id);
	try(trace_reader_file_open(s->reader, id, &kept));
	if (!(record->flags & (TRACE_FILE_SHARED | TRACE_FILE_WRITTEN))) {
		if (file->fd < 0)
			file->fd = take_fd(&kept);
		return NULL;
	}
	file->changing = true;
	if (file->fd < 0)
		file->fd = memfd_create("warp-file", MFD_CLOEXEC);
	if (file->fd < 0 || ftruncate(file->fd, 0) < 0)
		return error_hint(error_os(errno, "cannot make a copy of mapped file %u", id),
				  IN_MEMORY);
	return copy_contents(kept, file->fd, record->size);
}

struct error *rep_file_get(struct rep_session *s, uint32_t id, struct rep_file **out)
{
	struct rep_file *file;

	HASH_FIND_INT(s->files, &id, file);
	if (!file) {
		file = xcalloc(1, sizeof(*file));
		file->id = id;
		file->fd = -1;
		file->stale = true;
		HASH_ADD_INT(s->files, id, file);
	}
	if (file->stale)
		try(open_file(s, id, file));
	file->stale = false;
	*out = file;
	return NULL;
}

struct error *rep_file_write(struct rep_session *s)
{
	struct rep_file *file;
	struct trace_datum_view view;
	bool end = false;

	try(rep_file_get(s, s->event.arg, &file));
	if (!file->changing)
		return error_new(
			"event %llu writes to mapped file %u, which the recording does not "
			"mark as changing: it is damaged",
			(unsigned long long)s->event.number, s->event.arg);
	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			return NULL;
		if (view.kind != TRACE_D_FILE_BYTES)
			continue;
		int failed = view.length ? pwrite(file->fd, view.bytes, view.length,
						  (off_t)view.addr) < 0
					 : ftruncate(file->fd, (off_t)view.addr) < 0;

		if (failed)
			return error_os(errno, "cannot change the copy of mapped file %u",
					s->event.arg);
	}
}

void rep_files_deinit(struct rep_session *s)
{
	struct rep_file *file, *next;

	HASH_ITER (hh, s->files, file, next) {
		HASH_DEL(s->files, file);
		if (file->fd >= 0)
			close(file->fd);
		free(file);
	}
}
