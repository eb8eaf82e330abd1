/* The file `found`: a header and records in ascending order of their events. Written under another
 * name and renamed, so that a reader never sees half of it. */
#include "trace/found.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "util/cleanup.h"
#include "util/os.h"

#define NAME	  "found"
#define TEMPORARY "found.new"
/* More places than this are not kept. */
#define FOUND_MAX (1u << 20)

static int open_directory(const char *directory)
{
	return os.openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
}

static bool is_whole(const struct trace_found_header *header, const struct trace_found_list *list)
{
	return header->hash == XXH64(list->items, list->count * sizeof(*list->items), 0);
}

void trace_found_read(const char *directory, struct trace_found_list *list)
{
	struct trace_found_header header;
	int dir _cleanup_fd_ = open_directory(directory);
	int fd _cleanup_fd_ = -1;
	size_t got = 0;

	vec_clear(list);
	if (dir >= 0)
		fd = os.openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || os_pread_all(fd, &header, sizeof(header), 0, &got) || got != sizeof(header) ||
	    memcmp(header.magic, TRACE_FOUND_MAGIC, sizeof(header.magic)) ||
	    header.version != TRACE_VERSION || header.count > FOUND_MAX)
		return;
	size_t length = header.count * sizeof(*list->items);

	vec_reserve(list, header.count);
	if (os_pread_all(fd, list->items, length, sizeof(header), &got) || got != length)
		return;
	list->count = header.count;
	if (!is_whole(&header, list))
		vec_clear(list);
}

static bool write_to(int fd, const struct trace_found_list *list)
{
	size_t length = list->count * sizeof(*list->items);
	struct trace_found_header header = {
		.version = TRACE_VERSION,
		.count = (uint32_t)list->count,
		.hash = XXH64(list->items, length, 0),
	};

	memcpy(header.magic, TRACE_FOUND_MAGIC, sizeof(header.magic));
	return os_write_all(fd, &header, sizeof(header)) == 0 &&
	       os_write_all(fd, list->items, length) == 0;
}

bool trace_found_write(const char *directory, const struct trace_found_list *list)
{
	int dir _cleanup_fd_ = open_directory(directory);

	if (dir < 0 || list->count > FOUND_MAX)
		return false;
	os.unlinkat(dir, TEMPORARY, 0); /* of a replay that was killed */
	int fd _cleanup_fd_ =
		os.openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	if (fd < 0)
		return false;
	if (write_to(fd, list) && os.renameat(dir, TEMPORARY, dir, NAME) == 0)
		return true;
	os.unlinkat(dir, TEMPORARY, 0);
	return false;
}
