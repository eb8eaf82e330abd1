/* Mapped files, kept once each.
 *
 * Invariants: ids count from 0; files.d/ID is complete before the record of ID is written, and both
 * before the id is handed out; contents that are equal are one file with several names (hard
 * links). */
#include "trace/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <xxhash.h>

#include "trace/block.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

#define CONTENTS  "files.d"
#define TEMPORARY CONTENTS "/new"
#define CHUNK	  (256 << 10)
#define BLOCK	  4096 /* what the hash takes at once; see trace_abi.h */

/* Why recording ends where a file cannot be kept. */
#define WITHOUT "(it could not be replayed without; record to another place with -o)"

/* Times of files go with the kernel's tick (10 ms at most): a file that changed this shortly before
 * it was read can change again without showing it. */
#define RACY_NS 20000000ll

struct known {
	struct trace_file record;
	char *path;
	int64_t ctime_ns;
	bool timed; /* device, inode, size and times identify its contents */
};

struct trace_files_writer {
	int directory;
	char *name;
	struct trace_stream_out stream;
	struct trace_encoder encoder;
	struct vec(struct known) known;
};

static int64_t ns(struct timespec time)
{
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void contents_name(char name[TRACE_STREAM_NAME], uint32_t id)
{
	snprintf(name, TRACE_STREAM_NAME, CONTENTS "/%u", id);
}

struct error *trace_files_writer_create(int directory, const char *name,
					struct trace_files_writer **out)
{
	if (os.mkdirat(directory, CONTENTS, 0700))
		return error_os(errno, "cannot make %s/" CONTENTS, name);
	struct trace_files_writer *files = xcalloc(1, sizeof(*files));

	files->directory = directory;
	files->name = xstrdup(name);
	files->stream.stream = TRACE_STREAM_FILES;
	trace_encoder_init(&files->encoder);
	*out = files;
	return NULL;
}

void trace_files_writer_tidy(struct trace_files_writer *files)
{
	os.unlinkat(files->directory, TEMPORARY, 0);
}

void trace_files_writer_destroy(struct trace_files_writer *files)
{
	if (!files)
		return;
	vec_foreach (&files->known, known)
		free(known->path);
	vec_deinit(&files->known);
	trace_encoder_deinit(&files->encoder);
	free(files->name);
	free(files);
}

/* Writes the record as it is now. */
static struct error *put_record(struct trace_files_writer *files, const struct known *known)
{
	struct trace_frame_info info = {
		.count = 1, .first = known->record.id, .last = known->record.id};
	size_t length = sizeof(known->record) + trace_pad8(known->record.path_length);
	unsigned char *raw _cleanup_free_ = xcalloc(1, length);

	memcpy(raw, &known->record, sizeof(known->record));
	memcpy(raw + sizeof(known->record), known->path, known->record.path_length);
	return trace_stream_append(files->directory, files->name, &files->stream, &files->encoder,
				   &info, raw, length);
}

/* Adds a file whose contents are in place. */
static struct error *add(struct trace_files_writer *files, struct known *known, const char *path,
			 uint32_t *id)
{
	known->path = xstrdup(path);
	if (strlen(path) > TRACE_FILE_PATH)
		known->path[TRACE_FILE_PATH] = 0;
	known->record.path_length = strlen(known->path);
	known->record.id = files->known.count;
	struct error *error = put_record(files, known);

	if (error) {
		free(known->path);
		return error;
	}
	*id = known->record.id;
	vec_push(&files->known, *known);
	return NULL;
}

struct error *trace_files_add_flags(struct trace_files_writer *files, uint32_t id, uint32_t flags)
{
	struct known *known = &files->known.items[id];

	if ((known->record.flags | flags) == known->record.flags)
		return NULL;
	known->record.flags |= flags;
	return put_record(files, known);
}

/* ---- contents ---- */

/* What is known of contents while they are read: the hash of their blocks that are not all zeros,
 * each after its offset. Where the file system has holes makes no difference to it. */
struct contents {
	XXH3_state_t *state;
	uint64_t size;
};

static void contents_init(struct contents *contents)
{
	contents->size = 0;
	contents->state = XXH3_createState();
	if (!contents->state)
		alloc_failed(0);
	XXH3_128bits_reset(contents->state);
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, length - 1);
}

/* Adds `length` bytes at an offset that is a multiple of BLOCK, as `length` is but at the end.
 * Returns false if all of them are zeros. */
static bool contents_add(struct contents *contents, const unsigned char *bytes, size_t length,
			 uint64_t offset)
{
	bool any = false;

	for (size_t at = 0; at < length; at += BLOCK) {
		size_t now = length - at < BLOCK ? length - at : BLOCK;
		uint64_t place = offset + at;

		if (is_zero(bytes + at, now))
			continue;
		XXH3_128bits_update(contents->state, &place, sizeof(place));
		XXH3_128bits_update(contents->state, bytes + at, now);
		any = true;
	}
	return any;
}

static void contents_finish(struct contents *contents, struct trace_file *record)
{
	XXH128_hash_t hash = XXH3_128bits_digest(contents->state);

	XXH3_freeState(contents->state);
	record->size = contents->size;
	record->hash_low = hash.low64;
	record->hash_high = hash.high64;
}

/* Finds the next extent of data at or after *at: [*at, *end), both multiples of BLOCK. Returns
 * false if only a hole follows, the end of the file being *at. A file system that cannot tell has
 * one extent (lseek(2): SEEK_DATA). */
static bool next_extent(int fd, off_t *at, off_t *end)
{
	off_t data = lseek(fd, *at, SEEK_DATA);

	if (data < 0 && errno == ENXIO) {
		off_t size = lseek(fd, 0, SEEK_END);

		*at = size > *at ? size : *at;
		return false;
	}
	off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

	if (data > *at)
		*at = data / BLOCK * BLOCK;
	*end = hole > *at && hole < INT64_MAX - BLOCK ? (hole + BLOCK - 1) / BLOCK * BLOCK
						      : INT64_MAX / BLOCK * BLOCK;
	return true;
}

/* Reads one chunk of an extent, and writes it to `to` (-1: do not). *length: what there was of
 * `want`. */
static struct error *copy_chunk(struct trace_files_writer *files, int from, int to,
				const char *path, struct contents *contents, unsigned char *chunk,
				off_t at, size_t want, size_t *length)
{
	int errnum = os_pread_all(from, chunk, want, at, length);

	if (errnum)
		return error_os(errnum, "cannot read the mapped file %s", path);
	if (!*length || !contents_add(contents, chunk, *length, (uint64_t)at) || to < 0)
		return NULL;
	errnum = lseek(to, at, SEEK_SET) < 0 ? errno : os_write_all(to, chunk, *length);
	if (errnum)
		return error_os(errnum, "cannot keep the mapped file %s in %s " WITHOUT, path,
				files->name);
	return NULL;
}

/* Reads the data of `from`, not its holes: to read them would fill the page cache with large folios
 * of zeros, which a byte written through the program's mapping then allocates whole. */
static struct error *copy_extents(struct trace_files_writer *files, int from, int to,
				  const char *path, struct contents *contents)
{
	unsigned char *chunk _cleanup_free_ = xmalloc(CHUNK);
	off_t at = 0, end;

	while (next_extent(from, &at, &end)) {
		while (at < end) {
			size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK, got;

			try(copy_chunk(files, from, to, path, contents, chunk, at, want, &got));
			at += got;
			if (got == want)
				continue;
			contents->size = at;
			return NULL;
		}
	}
	contents->size = at;
	return NULL;
}

/* Hashes what `from` has, and writes it to `to` (-1: do not), leaving holes for zeros. */
static struct error *hash_and_copy(struct trace_files_writer *files, int from, int to,
				   const char *path, struct trace_file *record)
{
	struct contents contents;

	contents_init(&contents);
	struct error *error = copy_extents(files, from, to, path, &contents);

	contents_finish(&contents, record);
	if (!error && to >= 0 && os.ftruncate(to, (off_t)record->size))
		error = error_os(errno, "cannot keep the mapped file %s in %s " WITHOUT, path,
				 files->name);
	return error;
}

/* Makes files.d/new, empty; *fd is open to read and write. */
static struct error *make_temporary(struct trace_files_writer *files, int *fd)
{
	*fd = os.openat(files->directory, TEMPORARY, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return error_os(errno, "cannot create %s/" TEMPORARY, files->name);
	return NULL;
}

/* An earlier file with the same contents, or NULL. */
static struct known *same_contents(struct trace_files_writer *files,
				   const struct trace_file *record)
{
	vec_foreach (&files->known, known)
		if (known->record.size == record->size &&
		    known->record.hash_low == record->hash_low &&
		    known->record.hash_high == record->hash_high)
			return known;
	return NULL;
}

/* Gives the contents in files.d/new their name, or those of an earlier file a second one. */
static struct error *name_contents(struct trace_files_writer *files,
				   const struct trace_file *record)
{
	char file[TRACE_STREAM_NAME], same_file[TRACE_STREAM_NAME];
	const struct known *same = same_contents(files, record);

	contents_name(file, files->known.count);
	if (same) {
		contents_name(same_file, same->record.id);
		if (!os.linkat(files->directory, same_file, files->directory, file, 0)) {
			os.unlinkat(files->directory, TEMPORARY, 0);
			return NULL;
		}
		/* No links here, or too many: a copy does as well. */
	}
	if (os.renameat(files->directory, TEMPORARY, files->directory, file))
		return error_os(errno, "cannot rename %s/" TEMPORARY, files->name);
	return NULL;
}

/* Copies the file to files.d/new and fills in size and hash. A file that grows or shrinks meanwhile
 * is kept as far as it was read. */
static struct error *copy(struct trace_files_writer *files, int fd, const char *path,
			  struct trace_file *record)
{
	int to _cleanup_fd_ = -1;

	try(make_temporary(files, &to));
	if (!os.clone_file(to, fd))
		return hash_and_copy(files, to, -1, path, record);
	return hash_and_copy(files, fd, to, path, record);
}

/* ---- adding ---- */

static bool same_inode(const struct known *known, const struct stat *status)
{
	return known->record.inode == status->st_ino && known->record.device == status->st_dev &&
	       known->record.inode;
}

/* The last one added from that inode, or NULL. */
static struct known *find_inode(struct trace_files_writer *files, const struct stat *status)
{
	for (size_t i = files->known.count; i-- > 0;)
		if (same_inode(&files->known.items[i], status))
			return &files->known.items[i];
	return NULL;
}

static bool unchanged(const struct known *known, const struct stat *status)
{
	return known->timed && known->record.size == (uint64_t)status->st_size &&
	       known->record.mtime_ns == ns(status->st_mtim) &&
	       known->ctime_ns == ns(status->st_ctim);
}

/* Reads the file; an earlier one of the same inode stays the one if its contents are the same. */
static struct error *add_read(struct trace_files_writer *files, int fd, const char *path,
			      struct known *added, struct known *earlier, uint32_t *id)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	try(copy(files, fd, path, &added->record));
	added->timed = added->ctime_ns + RACY_NS < ns(now);
	if (earlier && earlier->record.size == added->record.size &&
	    earlier->record.hash_low == added->record.hash_low &&
	    earlier->record.hash_high == added->record.hash_high) {
		os.unlinkat(files->directory, TEMPORARY, 0);
		earlier->record.mtime_ns = added->record.mtime_ns;
		earlier->ctime_ns = added->ctime_ns;
		earlier->timed = added->timed;
		*id = earlier->record.id;
		return trace_files_add_flags(files, *id, added->record.flags);
	}
	try(name_contents(files, &added->record));
	return add(files, added, path, id);
}

static struct known from_status(const struct stat *status, uint32_t flags)
{
	return (struct known){
		.record =
			{
				.flags = flags,
				.size = status->st_size,
				.device = status->st_dev,
				.inode = status->st_ino,
				.mtime_ns = ns(status->st_mtim),
			},
		.ctime_ns = ns(status->st_ctim),
	};
}

struct error *trace_files_add(struct trace_files_writer *files, int fd, const char *path,
			      const struct stat *status, uint32_t flags, uint32_t *id)
{
	struct known *earlier = find_inode(files, status);
	struct known added = from_status(status, flags);

	if (!S_ISREG(status->st_mode))
		return error_new("cannot keep %s in the recording: it is not a regular file", path);
	if (earlier && unchanged(earlier, status)) {
		*id = earlier->record.id;
		return trace_files_add_flags(files, *id, flags);
	}
	return add_read(files, fd, path, &added, earlier, id);
}

struct error *trace_files_add_bytes(struct trace_files_writer *files, const void *bytes,
				    size_t length, const char *path, uint32_t flags, uint32_t *id)
{
	struct known added = {.record = {.flags = flags}};
	struct contents contents;

	contents_init(&contents);
	contents_add(&contents, bytes, length, 0);
	contents.size = length;
	contents_finish(&contents, &added.record);
	int to _cleanup_fd_ = -1;

	try(make_temporary(files, &to));
	int errnum = os_write_all(to, bytes, length);

	if (errnum)
		return error_os(errnum, "cannot keep the memory %s in %s " WITHOUT, path,
				files->name);
	try(name_contents(files, &added.record));
	return add(files, &added, path, id);
}

struct error *trace_files_add_name(struct trace_files_writer *files, const char *path,
				   const struct stat *status, uint32_t flags, uint32_t *id)
{
	struct known added = from_status(status, flags);

	return add(files, &added, path, id);
}

/* ---- reading ---- */

struct loaded {
	struct trace_file record;
	char *path;
};

struct trace_files {
	int directory;
	char *name;
	bool torn;
	struct vec(struct loaded) loaded;
};

/* NULL, or what is wrong with a record. */
static const char *record_wrong(const struct trace_files *files, const unsigned char *raw,
				size_t length)
{
	struct trace_file record;

	if (length < sizeof(record))
		return "it is shorter than a record";
	memcpy(&record, raw, sizeof(record));
	if (record.path_length > TRACE_FILE_PATH ||
	    length != sizeof(record) + trace_pad8(record.path_length))
		return "its path has an impossible length";
	if (record.id > files->loaded.count || record.id == TRACE_NO_FILE)
		return "its id is impossible";
	if (record.size > INT64_MAX)
		return "its size is impossible";
	return NULL;
}

static void take_record(struct trace_files *files, const unsigned char *raw)
{
	struct loaded loaded;

	memcpy(&loaded.record, raw, sizeof(loaded.record));
	loaded.path = xmalloc(loaded.record.path_length + 1);
	memcpy(loaded.path, raw + sizeof(loaded.record), loaded.record.path_length);
	loaded.path[loaded.record.path_length] = 0;
	if (loaded.record.id == files->loaded.count) {
		vec_push(&files->loaded, loaded);
		return;
	}
	struct loaded *old = &files->loaded.items[loaded.record.id];

	free(old->path);
	*old = loaded;
}

static struct error *load_frame(struct trace_files *files, const struct trace_stream_in *in,
				size_t index, char **damage)
{
	unsigned char *raw _cleanup_free_ = NULL;
	const struct trace_frame_at *frame = &in->frames.items[index];

	/* A record is small; do not let a stranger's frame decompress to more. */
	if (frame->header.raw_length > sizeof(struct trace_file) + TRACE_FILE_PATH)
		*damage = xstrdup("a record is too long");
	else
		try(trace_frame_read(files->directory, files->name, in, index, &raw, damage));
	if (*damage)
		return NULL;
	const char *wrong = record_wrong(files, raw, frame->header.raw_length);

	if (wrong)
		*damage = xasprintf("frame at byte %lld: %s", (long long)frame->body, wrong);
	else
		take_record(files, raw);
	return NULL;
}

struct error *trace_files_load(int directory, const char *name, struct trace_files **out,
			       char **damage)
{
	struct trace_stream_in in;
	struct error *error = NULL;

	*damage = NULL;
	try(trace_stream_scan(directory, name, TRACE_STREAM_FILES, 0, &in));
	struct trace_files *files = xcalloc(1, sizeof(*files));

	files->directory = directory;
	files->name = xstrdup(name);
	for (size_t i = 0; i < in.frames.count && !error && !*damage; i++)
		error = load_frame(files, &in, i, damage);
	if (!error && !*damage)
		*damage = take_ptr(in.damage);
	files->torn = in.torn;
	trace_stream_in_deinit(&in);
	if (error) {
		free(take_ptr(*damage));
		trace_files_destroy(files);
		return error;
	}
	*out = files;
	return NULL;
}

void trace_files_destroy(struct trace_files *files)
{
	if (!files)
		return;
	vec_foreach (&files->loaded, loaded)
		free(loaded->path);
	vec_deinit(&files->loaded);
	free(files->name);
	free(files);
}

bool trace_files_torn(const struct trace_files *files)
{
	return files->torn;
}

uint32_t trace_files_count(const struct trace_files *files)
{
	return files->loaded.count;
}

const struct trace_file *trace_files_get(const struct trace_files *files, uint32_t id)
{
	return id < files->loaded.count ? &files->loaded.items[id].record : NULL;
}

const char *trace_files_path(const struct trace_files *files, uint32_t id)
{
	return id < files->loaded.count ? files->loaded.items[id].path : NULL;
}

bool trace_file_has_contents(const struct trace_file *file)
{
	return file->hash_low || file->hash_high;
}

char *trace_files_missing(const struct trace_files *files)
{
	char file[TRACE_STREAM_NAME];
	struct stat status;

	vec_foreach (&files->loaded, loaded) {
		const struct trace_file *record = &loaded->record;

		if (!trace_file_has_contents(record))
			continue;
		contents_name(file, record->id);
		if (fstatat(files->directory, file, &status, AT_SYMLINK_NOFOLLOW))
			return xasprintf("%s, %s, cannot be looked at: %s", file, loaded->path,
					 strerror(errno));
		if (!S_ISREG(status.st_mode))
			return xasprintf("%s, %s, is not a regular file", file, loaded->path);
		if ((uint64_t)status.st_size < record->size)
			return xasprintf("%s, %s, has %lld bytes instead of %llu", file,
					 loaded->path, (long long)status.st_size,
					 (unsigned long long)record->size);
	}
	return NULL;
}

/* Contents must be what was kept: a replay would diverge, and nobody would know why. */
static struct error *check_contents(const struct trace_files *files,
				    const struct trace_file *record, int fd, const char *file)
{
	unsigned char *buffer _cleanup_free_ = xmalloc(64 * BLOCK);
	struct trace_file now = {0};
	struct contents contents;
	off_t at = 0, end = 0, size = (off_t)record->size;

	contents_init(&contents);
	while (at < size && next_extent(fd, &at, &end)) {
		while (at < end && at < size) {
			size_t got = 0,
			       want = size - at < 64 * BLOCK ? (size_t)(size - at) : 64 * BLOCK;

			if (os_pread_all(fd, buffer, want, at, &got) || got != want)
				break;
			contents_add(&contents, buffer, got, (uint64_t)at);
			at += (off_t)got;
		}
		if (at < end && at < size)
			break; /* unreadable: the hash will differ */
	}
	contents_finish(&contents, &now);
	if (now.hash_low == record->hash_low && now.hash_high == record->hash_high)
		return NULL;
	return error_new(
		"the recording is damaged: the contents of %s/%s (%s) are not what was kept",
		files->name, file, trace_files_path(files, record->id));
}

struct error *trace_files_open(const struct trace_files *files, uint32_t id, int *fd)
{
	const struct trace_file *record = trace_files_get(files, id);
	char file[TRACE_STREAM_NAME];
	struct stat status;

	if (!record)
		return error_new("the recording %s has no mapped file %u", files->name, id);
	if (!trace_file_has_contents(record))
		return error_new("the recording %s does not have the contents of %s", files->name,
				 trace_files_path(files, id));
	contents_name(file, id);
	int opened _cleanup_fd_ =
		os.openat(files->directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (opened < 0 || fstat(opened, &status))
		return error_os(errno, "cannot open what the recording has kept: %s/%s (%s)",
				files->name, file, trace_files_path(files, id));
	if (!S_ISREG(status.st_mode))
		return error_new("the recording is damaged: %s/%s is not a regular file",
				 files->name, file);
	if ((uint64_t)status.st_size < record->size)
		return error_new("the recording is incomplete: %s/%s (%s) has %lld bytes instead "
				 "of %llu",
				 files->name, file, trace_files_path(files, id),
				 (long long)status.st_size, (unsigned long long)record->size);
	try(check_contents(files, record, opened, file));
	*fd = opened;
	opened = -1;
	return NULL;
}
