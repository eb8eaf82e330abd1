/* libFuzzer target: builds a recording from the input and reads it in every way there is.
 *
 * So that inputs get past the checksums, they are a sequence of instructions (struct fuzz_step, then
 * its bytes), from which frames with right checksums and any content are made; some instructions
 * put bytes of their own between the frames, or change what was written. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "fuzz_reader.h"
#include "trace/block.h"
#include "trace/reader.h"
#include "util/alloc.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

struct builder {
	char path[64];
	int directory;
	struct trace_encoder encoder;
	struct trace_stream_out out[FUZZ_GROUPS][2], files;
	uint64_t data_end[FUZZ_GROUPS];
};

/* Made at the first input; removed when the process ends. */
static struct builder builder;

static void clear(struct builder *b)
{
	char name[TRACE_STREAM_NAME];

	for (uint32_t group = 0; group < FUZZ_GROUPS; group++) {
		trace_stream_name(name, TRACE_STREAM_EVENTS, group);
		unlinkat(b->directory, name, 0);
		trace_stream_name(name, TRACE_STREAM_DATA, group);
		unlinkat(b->directory, name, 0);
		b->out[group][0] =
			(struct trace_stream_out){.stream = TRACE_STREAM_EVENTS, .group = group};
		b->out[group][1] =
			(struct trace_stream_out){.stream = TRACE_STREAM_DATA, .group = group};
		b->data_end[group] = 0;
	}
	unlinkat(b->directory, "files", 0);
	unlinkat(b->directory, "meta", 0);
	b->files = (struct trace_stream_out){.stream = TRACE_STREAM_FILES};
}

static void leave(void)
{
	clear(&builder);
	unlinkat(builder.directory, "files.d/0", 0);
	unlinkat(builder.directory, "files.d", AT_REMOVEDIR);
	rmdir(builder.path);
}

static void enter(struct builder *b)
{
	const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	snprintf(b->path, sizeof(b->path), "%s/warp-fuzz-XXXXXX", base);
	if (!mkdtemp(b->path))
		abort();
	b->directory = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->directory < 0 || mkdirat(b->directory, "files.d", 0700))
		abort();
	close(openat(b->directory, "files.d/0", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	trace_encoder_init(&b->encoder);
	atexit(leave);
}

/* ---- the instructions ---- */

static void put_file(struct builder *b, const char *name, const void *bytes, size_t length,
		     int flags)
{
	int fd _cleanup_fd_ =
		openat(b->directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		abort();
}

/* `meta` with these fields, and with those of the header that are in `step`. */
static void put_meta(struct builder *b, const struct fuzz_step *step, const uint8_t *bytes)
{
	size_t length = sizeof(struct trace_meta_header) + step->length;
	struct trace_meta_header *header = xcalloc(1, length);
	size_t skipped = offsetof(struct trace_meta_header, hash);

	memcpy(header->magic, TRACE_META_MAGIC, TRACE_MAGIC_SIZE);
	header->version = TRACE_VERSION + step->flags;
	header->features = step->group;
	header->length = step->length;
	memcpy(header + 1, bytes, step->length);
	XXH64_state_t *state = XXH64_createState();

	XXH64_reset(state, 0);
	XXH64_update(state, header, skipped);
	XXH64_update(state, header + 1, step->length);
	header->hash = XXH64_digest(state);
	XXH64_freeState(state);
	put_file(b, "meta", header, length, O_TRUNC);
	free(header);
}

static void append(struct builder *b, struct trace_stream_out *out,
		   const struct trace_frame_info *info, const uint8_t *bytes, size_t length)
{
	if (length)
		error_free(trace_stream_append(b->directory, b->path, out, &b->encoder, info, bytes,
					       length));
}

/* A frame whose header fits its events, or says what the first bytes say. */
static void put_events(struct builder *b, const struct fuzz_step *step, const uint8_t *bytes)
{
	struct trace_stream_out *out = &b->out[step->group % FUZZ_GROUPS][0];
	struct trace_frame_info info = {.count = step->length / sizeof(struct trace_event)};
	struct trace_event event;
	size_t length = step->length;

	if (step->flags & FUZZ_OWN_HEADER) {
		if (length < sizeof(info))
			return;
		memcpy(&info, bytes, sizeof(info));
		append(b, out, &info, bytes + sizeof(info), length - sizeof(info));
		return;
	}
	if (!info.count)
		return;
	memcpy(&event, bytes, sizeof(event));
	info.first = event.number;
	memcpy(&event, bytes + (info.count - 1) * sizeof(event), sizeof(event));
	info.last = event.number;
	append(b, out, &info, bytes, info.count * sizeof(event));
}

static void put_data(struct builder *b, const struct fuzz_step *step, const uint8_t *bytes)
{
	unsigned group = step->group % FUZZ_GROUPS;
	size_t length = step->flags & FUZZ_OWN_HEADER ? step->length : step->length & ~7u;
	struct trace_frame_info info = {.first = b->data_end[group]};

	append(b, &b->out[group][1], &info, bytes, length);
	b->data_end[group] += length;
}

static void put_record(struct builder *b, const struct fuzz_step *step, const uint8_t *bytes)
{
	struct trace_frame_info info = {.count = 1};

	append(b, &b->files, &info, bytes, step->length);
}

/* Bytes as they are, at the end of a stream. */
static void put_raw(struct builder *b, const struct fuzz_step *step, const uint8_t *bytes)
{
	char name[TRACE_STREAM_NAME];

	trace_stream_name(name, step->flags % 3 + 1, step->group % FUZZ_GROUPS);
	put_file(b, name, bytes, step->length, O_APPEND);
}

/* Cuts a stream short by the number in the first two bytes. */
static void cut(struct builder *b, const struct fuzz_step *step, const uint8_t *bytes)
{
	char name[TRACE_STREAM_NAME];
	struct stat status;
	uint16_t by = 1;

	if (step->length >= sizeof(by))
		memcpy(&by, bytes, sizeof(by));
	trace_stream_name(name, step->flags % 3 + 1, step->group % FUZZ_GROUPS);
	int fd _cleanup_fd_ = openat(b->directory, name, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && !fstat(fd, &status) && status.st_size >= by &&
	    ftruncate(fd, status.st_size - by))
		abort();
}

static void build(struct builder *b, const uint8_t *input, size_t length)
{
	static void (*const actions[])(struct builder *, const struct fuzz_step *,
				       const uint8_t *) = {
		[FUZZ_META] = put_meta,	   [FUZZ_EVENTS] = put_events, [FUZZ_DATA] = put_data,
		[FUZZ_FILES] = put_record, [FUZZ_RAW] = put_raw,       [FUZZ_CUT] = cut,
	};
	struct fuzz_step step;

	while (length >= sizeof(step)) {
		memcpy(&step, input, sizeof(step));
		input += sizeof(step);
		length -= sizeof(step);
		if (step.length > length)
			step.length = length;
		actions[step.action % FUZZ_ACTIONS](b, &step, input);
		input += step.length;
		length -= step.length;
	}
}

/* ---- reading ---- */

/* Touches every byte, so that the sanitizer sees where they are. */
static void touch(const struct trace_datum_view *view)
{
	volatile uint64_t hash = XXH64(view->bytes, view->length, 0);

	(void)hash;
	if (view->length > TRACE_DATUM_MAX)
		abort();
}

static void read_data(struct trace_reader *reader, const struct trace_event *event)
{
	struct trace_datum_view view;
	uint32_t records = 0;
	bool end = false;

	for (uint32_t kind = 1; kind < TRACE_D_KINDS; kind++) {
		if (trace_reader_find(reader, kind, &view))
			abort();
		if (view.bytes)
			touch(&view);
	}
	while (!end) {
		if (trace_reader_datum(reader, &view, &end))
			abort();
		if (!end)
			touch(&view);
		records += !end;
	}
	if (records != event->data_count)
		abort();
}

/* Numbers must be consecutive; at most `most` events. */
static void read_events(struct trace_reader *reader, uint64_t from, uint64_t most)
{
	for (uint64_t number = from; number - from < most; number++) {
		struct trace_event event;
		bool end;

		if (trace_reader_next(reader, &event, &end))
			abort();
		if (end)
			break;
		if (event.number != number || !event.kind || event.kind >= TRACE_EV_KINDS ||
		    trace_reader_group(reader) >= FUZZ_GROUPS)
			abort();
		read_data(reader, &event);
	}
	if (trace_reader_damage(reader) && trace_reader_state(reader) != TRACE_DAMAGED)
		abort();
}

static void read_all(struct trace_reader *reader)
{
	struct trace_counts counts;

	trace_reader_counts(reader, &counts);
	read_events(reader, 1, UINT64_MAX);
	for (uint64_t back = 0; back < 4; back++)
		if (trace_reader_seek(reader, counts.last - back))
			read_events(reader, counts.last - back, 8);
	if (trace_reader_seek(reader, counts.last / 2))
		read_events(reader, counts.last / 2, UINT64_MAX);
	for (uint32_t id = 0; id < trace_files_count(trace_reader_files(reader)); id++) {
		volatile size_t length = strlen(trace_reader_file_path(reader, id));
		struct error *error;
		int fd;

		(void)length;
		error = trace_reader_file_open(reader, id, &fd);
		if (!error)
			close(fd);
		error_free(error);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct trace_reader *reader;

	if (!*builder.path)
		enter(&builder);
	clear(&builder);
	build(&builder, input, length);
	struct error *error = trace_reader_open(builder.path, &reader);

	if (!error) {
		read_all(reader);
		trace_reader_destroy(reader);
	}
	error_free(error);
	return 0;
}
