/* Frames and streams.
 *
 * Invariants: a stream's file only ever grows by whole frames; a frame that was scanned lies within
 * its file, decompresses to at most TRACE_FRAME_MAX bytes, and follows the frame before it (events:
 * in number; data: without a gap; files: in order). */
#include "trace/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <xxhash.h>
#include <zstd.h>

#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

#define HEADER_SIZE sizeof(struct trace_frame_header)

/* Level 1 keeps up with the recorder on one core; higher ones gained 5 to 10 % of size only. */
#define LEVEL 1

void trace_stream_name(char name[TRACE_STREAM_NAME], enum trace_stream stream, uint32_t group)
{
	if (stream == TRACE_STREAM_FILES)
		snprintf(name, TRACE_STREAM_NAME, "files");
	else
		snprintf(name, TRACE_STREAM_NAME, "%s.%u",
			 stream == TRACE_STREAM_EVENTS ? "events" : "data", group);
}

static uint32_t record_size(enum trace_stream stream)
{
	return stream == TRACE_STREAM_EVENTS ? sizeof(struct trace_event) : 0;
}

static uint64_t header_hash(const struct trace_frame_header *header)
{
	return XXH64(header, offsetof(struct trace_frame_header, header_hash), 0);
}

/* ---- writing ---- */

void trace_encoder_init(struct trace_encoder *encoder)
{
	*encoder = (struct trace_encoder){.zstd = ZSTD_createCCtx()};
	if (!encoder->zstd)
		alloc_failed(0);
	ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, LEVEL);
}

void trace_encoder_deinit(struct trace_encoder *encoder)
{
	ZSTD_freeCCtx(encoder->zstd);
	free(encoder->buffer);
	*encoder = (struct trace_encoder){0};
}

/* Puts a stream header and the frame into the encoder's buffer; *used: the frame's bytes. */
static struct error *encode(struct trace_encoder *encoder, const struct trace_stream_out *out,
			    const struct trace_frame_info *info, const void *raw, size_t length,
			    size_t *used)
{
	const size_t before = sizeof(struct trace_stream_header) + HEADER_SIZE;
	size_t want = before + ZSTD_compressBound(length);

	if (encoder->room < want) {
		encoder->buffer = xrealloc(encoder->buffer, want);
		encoder->room = want;
	}
	unsigned char *body = encoder->buffer + before;
	size_t n = ZSTD_compress2(encoder->zstd, body, encoder->room - before, raw, length);

	if (ZSTD_isError(n))
		return error_new(
			"cannot compress what is recorded: %s; record again (is memory short?)",
			ZSTD_getErrorName(n));
	struct trace_stream_header stream = {
		.magic = TRACE_MAGIC,
		.version = TRACE_VERSION,
		.stream = out->stream,
		.group = out->group,
		.record_size = record_size(out->stream),
	};
	struct trace_frame_header frame = {
		.magic = TRACE_FRAME_MAGIC,
		.count = info->count,
		.first = info->first,
		.last = info->last,
		.raw_length = length,
		.zstd_length = n,
		.hash = XXH64(body, n, 0),
	};
	frame.header_hash = header_hash(&frame);
	memcpy(encoder->buffer, &stream, sizeof(stream));
	memcpy(encoder->buffer + sizeof(stream), &frame, sizeof(frame));
	*used = HEADER_SIZE + n;
	return NULL;
}

/* Whenever another so many bytes of a stream are there, the disk is made to take them, without
 * waiting for it. For less it would cost more than it is worth: small recordings would be written
 * to the disk that the kernel would have kept in memory, or seen removed. */
#define WRITE_OUT (4 << 20)

static void start_writing_out(int fd, off_t from, size_t length)
{
	off_t begin = from / WRITE_OUT * WRITE_OUT;
	off_t end = (from + (off_t)length) / WRITE_OUT * WRITE_OUT;

	if (end > begin)
		sync_file_range(fd, begin, end - begin, SYNC_FILE_RANGE_WRITE);
}

struct error *trace_stream_append(int directory, const char *name, struct trace_stream_out *out,
				  struct trace_encoder *encoder,
				  const struct trace_frame_info *info, const void *raw,
				  size_t length)
{
	char file[TRACE_STREAM_NAME];
	size_t used = 0;

	try(encode(encoder, out, info, raw, length, &used));
	const unsigned char *from = encoder->buffer;

	if (out->length)
		from += sizeof(struct trace_stream_header);
	else
		used += sizeof(struct trace_stream_header);

	trace_stream_name(file, out->stream, out->group);
	int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | (out->length ? 0 : O_CREAT);
	int fd _cleanup_fd_ = os.openat(directory, file, flags, 0600);

	if (fd < 0)
		return error_hint(error_os(errno, "cannot open %s/%s to write", name, file),
				  "is the recording still there, and yours?");
	int errnum = os_write_all(fd, from, used);

	if (errnum) {
		/* Readers cope with a torn frame too; this only makes it tidy. */
		if (os.ftruncate(fd, out->length))
			errno = errnum;
		return error_hint(error_os(errnum, "cannot write to %s/%s", name, file),
				  "use another place");
	}
	start_writing_out(fd, (off_t)out->length, used);
	out->length += used;
	return NULL;
}

/* ---- reading ---- */

/* NULL, or what is wrong with a stream's header. */
static char *stream_header_damage(const struct trace_stream_header *header,
				  const struct trace_stream_in *in)
{
	if (memcmp(header->magic, TRACE_MAGIC, TRACE_MAGIC_SIZE))
		return xstrdup("it does not begin as a stream of a recording does");
	if (header->version != TRACE_VERSION)
		return xasprintf("it is of version %u, the recording of version %u",
				 header->version, TRACE_VERSION);
	if (header->features)
		return xstrdup("it uses features that this program does not know");
	if (header->stream != in->stream || header->group != in->group ||
	    header->record_size != record_size(in->stream))
		return xstrdup("it is another stream than its name says");
	return NULL;
}

/* NULL, or what is wrong with the order of events in a frame and after the one before. */
static const char *events_wrong(const struct trace_frame_header *frame,
				const struct trace_frame_header *before)
{
	if (!frame->count ||
	    frame->raw_length != (uint64_t)frame->count * sizeof(struct trace_event))
		return "its length is not that of its events";
	if (!frame->first || frame->last < frame->first || frame->last > INT64_MAX ||
	    frame->last - frame->first < frame->count - 1)
		return "its event numbers are impossible";
	if (before && frame->first <= before->last)
		return "its events are out of order";
	return NULL;
}

static const char *data_wrong(const struct trace_frame_header *frame,
			      const struct trace_frame_header *before)
{
	if (frame->count || frame->last || frame->raw_length % 8)
		return "it is not a frame of data";
	if (frame->first != (before ? before->first + before->raw_length : 0))
		return "it does not follow the one before it";
	return NULL;
}

/* NULL, or what is wrong with a frame's header. */
static const char *frame_wrong(const struct trace_frame_header *frame,
			       const struct trace_frame_header *before, enum trace_stream stream)
{
	if (frame->magic != TRACE_FRAME_MAGIC)
		return "there is no frame";
	if (frame->header_hash != header_hash(frame))
		return "its header's checksum differs";
	if (!frame->raw_length || frame->raw_length > TRACE_FRAME_MAX || !frame->zstd_length ||
	    frame->zstd_length > ZSTD_compressBound(TRACE_FRAME_MAX))
		return "its length is impossible";
	switch (stream) {
	case TRACE_STREAM_EVENTS:
		return events_wrong(frame, before);
	case TRACE_STREAM_DATA:
		return data_wrong(frame, before);
	case TRACE_STREAM_FILES:
		return frame->count == 1 ? NULL : "it has not one record";
	}
	return "its stream is unknown";
}

static bool all_zero(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	return !length || (!at[0] && !memcmp(at, at + 1, length - 1));
}

/* Adds the frame at `offset`. *end: there is none, and `torn` or `damage` may say why. */
static struct error *scan_frame(int fd, const char *file, off_t *offset, struct trace_stream_in *in,
				bool *end)
{
	struct trace_frame_header frame, *before = NULL;
	size_t got;
	int errnum = os_pread_all(fd, &frame, sizeof(frame), *offset, &got);

	*end = true;
	if (errnum)
		return error_hint(error_os(errnum, "cannot read %s", file), TRACE_ELSEWHERE);
	/* After a loss of power, a file system may show zeros where nothing was written yet. */
	if (got < sizeof(frame) || all_zero(&frame, sizeof(frame))) {
		in->torn = got > 0;
		return NULL;
	}
	if (in->frames.count)
		before = &in->frames.items[in->frames.count - 1].header;
	const char *wrong = frame_wrong(&frame, before, in->stream);

	if (wrong) {
		in->damage = xasprintf("frame at byte %lld: %s", (long long)*offset, wrong);
		return NULL;
	}
	off_t body = *offset + (off_t)sizeof(frame);

	if (frame.zstd_length > in->length - body) {
		in->torn = true;
		return NULL;
	}
	vec_push(&in->frames, (struct trace_frame_at){.body = body, .header = frame});
	*offset = body + frame.zstd_length;
	*end = *offset >= in->length;
	return NULL;
}

static struct error *scan(int fd, const char *file, struct trace_stream_in *in)
{
	struct trace_stream_header header;
	off_t offset = sizeof(header);
	size_t got;
	bool end = false;
	int errnum = os_pread_all(fd, &header, sizeof(header), 0, &got);

	if (errnum)
		return error_hint(error_os(errnum, "cannot read %s", file), TRACE_ELSEWHERE);
	if (got < sizeof(header) || all_zero(&header, sizeof(header))) {
		in->torn = true;
		return NULL;
	}
	in->damage = stream_header_damage(&header, in);
	while (!in->damage && !end && offset < in->length)
		try(scan_frame(fd, file, &offset, in, &end));
	return NULL;
}

struct error *trace_stream_scan(int directory, const char *name, enum trace_stream stream,
				uint32_t group, struct trace_stream_in *in)
{
	char file[TRACE_STREAM_NAME];
	struct stat status;

	*in = (struct trace_stream_in){.stream = stream, .group = group};
	trace_stream_name(file, stream, group);
	int fd _cleanup_fd_ =
		os.openat(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 && errno == ELOOP) {
		in->damage = xstrdup("it is a symbolic link");
		return NULL;
	}
	if (fd < 0 || fstat(fd, &status))
		return error_hint(error_os(errno, "cannot open %s/%s", name, file),
				  "is the recording still there, and may you read it?");
	if (!S_ISREG(status.st_mode)) {
		in->damage = xstrdup("it is not a regular file");
		return NULL;
	}
	in->length = status.st_size;
	struct error *error = scan(fd, file, in);

	if (error) {
		trace_stream_in_deinit(in);
		return error_wrap(error, "%s", name);
	}
	return NULL;
}

void trace_stream_in_deinit(struct trace_stream_in *in)
{
	vec_deinit(&in->frames);
	free(in->damage);
	*in = (struct trace_stream_in){0};
}

/* Checks and decompresses; on damage *raw stays NULL. */
static char *decode(const struct trace_frame_at *frame, const unsigned char *body,
		    unsigned char **raw)
{
	const struct trace_frame_header *header = &frame->header;
	long long at = frame->body - (off_t)HEADER_SIZE;

	if (XXH64(body, header->zstd_length, 0) != header->hash)
		return xasprintf("frame at byte %lld: checksum differs", at);
	unsigned char *out _cleanup_free_ = xmalloc(header->raw_length);
	size_t n = ZSTD_decompress(out, header->raw_length, body, header->zstd_length);

	if (ZSTD_isError(n) || n != header->raw_length)
		return xasprintf("frame at byte %lld: it does not decompress to its length", at);
	*raw = take_ptr(out);
	return NULL;
}

struct error *trace_frame_read(int directory, const char *name, const struct trace_stream_in *in,
			       size_t index, unsigned char **raw, char **damage)
{
	const struct trace_frame_at *frame = &in->frames.items[index];
	char file[TRACE_STREAM_NAME];
	size_t got;

	*raw = NULL;
	*damage = NULL;
	trace_stream_name(file, in->stream, in->group);
	int fd _cleanup_fd_ =
		os.openat(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return error_hint(error_os(errno, "cannot open %s/%s", name, file),
				  "is the recording still there, and may you read it?");
	unsigned char *body _cleanup_free_ = xmalloc(frame->header.zstd_length);
	int errnum = os_pread_all(fd, body, frame->header.zstd_length, frame->body, &got);

	if (errnum)
		return error_hint(error_os(errnum, "cannot read %s/%s", name, file),
				  TRACE_ELSEWHERE);
	if (got < frame->header.zstd_length)
		*damage = xasprintf("frame at byte %lld: it ends too early",
				    (long long)(frame->body - (off_t)HEADER_SIZE));
	else
		*damage = decode(frame, body, raw);
	return NULL;
}
