/* The file `meta`: written whole under a temporary name and renamed, so that a directory either has
 * a whole one or none. Invariant: the version is looked at before anything that depends on it. */
#include "trace/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "trace/block.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

#define TEMPORARY "meta.new"

void trace_meta_init_host(struct trace_meta *meta)
{
	struct utsname host;
	struct timespec now;

	*meta = (struct trace_meta){.writer = xstrdup("warp " WARP_VERSION)};
	if (!uname(&host)) {
		meta->machine = xstrdup(host.machine);
		meta->kernel = xasprintf("%s %s", host.release, host.version);
		meta->host = xstrdup(host.nodename);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	meta->numbers.start_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
	meta->numbers.page_size = sysconf(_SC_PAGESIZE);
	meta->directory = getcwd(NULL, 0);
}

static void texts_deinit(struct trace_texts *texts)
{
	vec_foreach (texts, text)
		free(*text);
	vec_deinit(texts);
}

void trace_meta_deinit(struct trace_meta *meta)
{
	free(meta->writer);
	free(meta->machine);
	free(meta->kernel);
	free(meta->host);
	free(meta->executable);
	free(meta->directory);
	texts_deinit(&meta->command);
	texts_deinit(&meta->environment);
	vec_deinit(&meta->cpuids);
	*meta = (struct trace_meta){0};
}

void trace_texts_append(struct trace_texts *texts, char *const *from)
{
	for (; *from; from++)
		vec_push(texts, xstrdup(*from));
}

/* ---- writing ---- */

static void put(struct bytes *out, enum trace_meta_tag tag, const void *bytes, size_t length)
{
	static const unsigned char zeros[8];
	struct trace_meta_field field = {.tag = tag, .length = length};

	vec_append(out, (const unsigned char *)&field, sizeof(field));
	vec_append(out, (const unsigned char *)bytes, length);
	vec_append(out, zeros, trace_pad8(length) - length);
}

static void put_text(struct bytes *out, enum trace_meta_tag tag, const char *text)
{
	if (text)
		put(out, tag, text, strlen(text));
}

static void put_all(struct bytes *out, const struct trace_meta *meta)
{
	put_text(out, TRACE_META_MACHINE, meta->machine);
	put_text(out, TRACE_META_KERNEL, meta->kernel);
	put_text(out, TRACE_META_HOST, meta->host);
	put_text(out, TRACE_META_EXECUTABLE, meta->executable);
	put_text(out, TRACE_META_DIRECTORY, meta->directory);
	vec_foreach (&meta->command, text)
		put_text(out, TRACE_META_ARGUMENT, *text);
	vec_foreach (&meta->environment, text)
		put_text(out, TRACE_META_VARIABLE, *text);
	put(out, TRACE_META_NUMBERS, &meta->numbers, sizeof(meta->numbers));
	vec_foreach (&meta->cpuids, cpuid)
		put(out, TRACE_META_CPUID, cpuid, sizeof(*cpuid));
}

/* XXH64 over the header up to its field `hash`, then the fields. */
static uint64_t meta_hash(const struct trace_meta_header *header, const void *fields, size_t length)
{
	XXH64_state_t *state = XXH64_createState();

	if (!state)
		alloc_failed(0);
	XXH64_reset(state, 0);
	XXH64_update(state, header, offsetof(struct trace_meta_header, hash));
	XXH64_update(state, fields, length);
	uint64_t hash = XXH64_digest(state);

	XXH64_freeState(state);
	return hash;
}

static struct error *write_file(int directory, const char *name, const struct bytes *content)
{
	int fd _cleanup_fd_ =
		os.openat(directory, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_hint(error_os(errno, "cannot create %s/%s", name, TEMPORARY),
				  "is the directory still there, and yours?");
	int errnum = os_write_all(fd, content->items, content->count);

	if (errnum)
		return error_hint(error_os(errnum, "cannot write %s/%s", name, TEMPORARY),
				  "use another place");
	return NULL;
}

struct error *trace_meta_write(int directory, const char *name, const struct trace_meta *meta)
{
	struct trace_meta_header header = {
		.magic = TRACE_META_MAGIC,
		.version = TRACE_VERSION,
		.features = meta->numbers.flags & TRACE_META_AGENT ? TRACE_FEATURE_AGENT : 0,
	};
	struct bytes content = {0};

	if (meta->writer)
		strncpy(header.writer, meta->writer, sizeof(header.writer) - 1);
	vec_append(&content, (const unsigned char *)&header, sizeof(header));
	put_all(&content, meta);
	header.length = content.count - sizeof(header);
	header.hash = meta_hash(&header, content.items + sizeof(header), header.length);
	memcpy(content.items, &header, sizeof(header));

	struct error *error = NULL;

	if (header.length > TRACE_META_MAX)
		error = error_new("cannot record: the command and its environment are %llu bytes, "
				  "more than the %u a recording can hold: give it fewer arguments "
				  "or variables",
				  (unsigned long long)header.length, TRACE_META_MAX);
	if (!error)
		error = write_file(directory, name, &content);
	if (!error && os.renameat(directory, TEMPORARY, directory, "meta"))
		error = error_hint(error_os(errno, "cannot rename %s/%s", name, TEMPORARY),
				   "is the directory still there, and yours?");
	if (error)
		os.unlinkat(directory, TEMPORARY, 0);
	vec_deinit(&content);
	return error;
}

/* ---- reading ---- */

static char *text_of(const void *bytes, size_t length)
{
	char *text = xmalloc(length + 1);

	memcpy(text, bytes, length);
	text[length] = 0;
	return text;
}

static void set_text(char **text, const void *bytes, size_t length)
{
	free(*text);
	*text = text_of(bytes, length);
}

/* Takes one field. False: its length is wrong. */
static bool take(struct trace_meta *meta, uint32_t tag, const void *bytes, size_t length)
{
	switch ((enum trace_meta_tag)tag) {
	case TRACE_META_MACHINE:
		set_text(&meta->machine, bytes, length);
		return true;
	case TRACE_META_KERNEL:
		set_text(&meta->kernel, bytes, length);
		return true;
	case TRACE_META_HOST:
		set_text(&meta->host, bytes, length);
		return true;
	case TRACE_META_EXECUTABLE:
		set_text(&meta->executable, bytes, length);
		return true;
	case TRACE_META_DIRECTORY:
		set_text(&meta->directory, bytes, length);
		return true;
	case TRACE_META_ARGUMENT:
		vec_push(&meta->command, text_of(bytes, length));
		return true;
	case TRACE_META_VARIABLE:
		vec_push(&meta->environment, text_of(bytes, length));
		return true;
	case TRACE_META_NUMBERS:
		if (length != sizeof(meta->numbers))
			return false;
		memcpy(&meta->numbers, bytes, length);
		return true;
	case TRACE_META_CPUID: {
		struct trace_meta_cpuid cpuid;

		if (length != sizeof(cpuid))
			return false;
		memcpy(&cpuid, bytes, length);
		vec_push(&meta->cpuids, cpuid);
		return true;
	}
	}
	return true;
}

/* False: the fields do not fit together. */
static bool take_all(struct trace_meta *meta, const unsigned char *from, size_t length)
{
	while (length) {
		struct trace_meta_field field;

		if (length < sizeof(field))
			return false;
		memcpy(&field, from, sizeof(field));
		from += sizeof(field);
		length -= sizeof(field);
		if (trace_pad8(field.length) > length || !take(meta, field.tag, from, field.length))
			return false;
		from += trace_pad8(field.length);
		length -= trace_pad8(field.length);
	}
	return true;
}

/* The writer's name, fit to be printed: strangers may have put anything there. */
static void writer_name(const struct trace_meta_header *header, char name[TRACE_META_WRITER])
{
	memcpy(name, header->writer, TRACE_META_WRITER);
	name[TRACE_META_WRITER - 1] = 0;
	for (char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static struct error *check_header(const char *name, const struct trace_meta_header *header,
				  size_t got)
{
	char writer[TRACE_META_WRITER];

	if (memcmp(header->magic, TRACE_META_MAGIC,
		   got < TRACE_MAGIC_SIZE ? got : TRACE_MAGIC_SIZE))
		return error_new("%s is not a recording: its file 'meta' is of something else; "
				 "\"warp ls\" lists recordings",
				 name);
	if (got < sizeof(*header))
		return error_new("the recording %s is cut short: its file 'meta' ends after %zu "
				 "bytes; record again",
				 name, got);
	writer_name(header, writer);
	if (header->version != TRACE_VERSION)
		return error_new("the recording %s is of format version %u, written by %s; this "
				 "is warp " WARP_VERSION ", which reads version %u: use %s",
				 name, header->version, writer, TRACE_VERSION, writer);
	if (header->features & ~TRACE_FEATURES_KNOWN)
		return error_new("the recording %s, written by %s, uses features (mask 0x%llx) "
				 "that this warp " WARP_VERSION " does not know: use %s",
				 name, writer,
				 (unsigned long long)(header->features & ~TRACE_FEATURES_KNOWN),
				 writer);
	if (header->length > TRACE_META_MAX)
		return error_new("the recording %s is damaged: its file 'meta' says that it is "
				 "%llu bytes long; record again",
				 name, (unsigned long long)header->length);
	return NULL;
}

/* Reads the fields after the checked header. */
static struct error *read_fields(int fd, const char *name, const struct trace_meta_header *header,
				 struct trace_meta *meta)
{
	struct stat status;
	size_t got;

	if (fstat(fd, &status))
		return error_hint(error_os(errno, "cannot read %s/meta", name), TRACE_ELSEWHERE);
	if ((uint64_t)status.st_size < sizeof(*header) + header->length)
		return error_new("the recording %s is cut short: its file 'meta' has %llu bytes "
				 "instead of %llu; record again",
				 name, (unsigned long long)status.st_size,
				 (unsigned long long)(sizeof(*header) + header->length));
	unsigned char *fields _cleanup_free_ = xmalloc(header->length);
	int errnum = os_pread_all(fd, fields, header->length, sizeof(*header), &got);

	if (errnum)
		return error_hint(error_os(errnum, "cannot read %s/meta", name), TRACE_ELSEWHERE);
	if (got < header->length || meta_hash(header, fields, header->length) != header->hash ||
	    !take_all(meta, fields, header->length)) {
		trace_meta_deinit(meta);
		return error_new("the recording %s is damaged: the checksum of its file 'meta' "
				 "differs; record again",
				 name);
	}
	char writer[TRACE_META_WRITER];

	writer_name(header, writer);
	meta->writer = xstrdup(writer);
	return NULL;
}

struct error *trace_meta_read(int directory, const char *name, struct trace_meta *meta)
{
	struct trace_meta_header header = {0};
	size_t got;
	int fd _cleanup_fd_ =
		os.openat(directory, "meta", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	*meta = (struct trace_meta){0};
	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return error_new("%s is not a recording: it has no file 'meta'; \"warp ls\" lists "
				 "recordings",
				 name);
	if (fd < 0)
		return error_hint(error_os(errno, "cannot open %s/meta", name), "may you read it?");
	int errnum = os_pread_all(fd, &header, sizeof(header), 0, &got);

	if (errnum == EISDIR)
		return error_new("%s is not a recording: its 'meta' is not a file; \"warp ls\" "
				 "lists recordings",
				 name);
	if (errnum)
		return error_hint(error_os(errnum, "cannot read %s/meta", name), TRACE_ELSEWHERE);
	try(check_header(name, &header, got));
	return read_fields(fd, name, &header, meta);
}
