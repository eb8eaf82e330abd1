/* Writing a recording.
 *
 * Each group has two buffers, for events and for data. The caller's thread fills them; full ones go
 * into a queue, from which the writer's thread compresses and writes. When something lies in a
 * buffer for longer than FLUSH_NS, the thread takes a copy of what is finished.
 *
 * Invariants: whatever goes into the queue goes in the order in which it must reach the disk: data
 * before the events that refer to them. `lock` guards the queue, the groups' list, the buffers'
 * addresses and marks (`taken`, `published`) and everything below `published`; what lies above it
 * belongs to the caller's thread alone. The memory in use is at most BUFFERED_MAX + QUEUED_MAX and
 * a few blocks. */
#include "trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "trace/block.h"
#include "trace/stopped.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/os.h"

#define DATA_BLOCK   (1u << 20)
#define EVENTS_BLOCK (960u * sizeof(struct trace_event))
#define FIRST_ROOM   (16u << 10)
#define BUFFERED_MAX (12u << 20)
#define QUEUED_MAX   (24u << 20)
#define FLUSH_NS     200000000ll

struct buffer {
	unsigned char *bytes;
	size_t used, room, limit;
	size_t published; /* finished: belongs to committed events */
	size_t taken;	  /* already in the queue */
};

struct group {
	uint32_t number;
	struct buffer events, data;
	uint64_t data_base;   /* offset in the data stream of the buffer's first byte */
	uint64_t event_start; /* the same of the event being built */
	uint32_t event_count; /* its records */
	struct trace_stream_out events_out, data_out; /* the thread's */
	bool failed; /* a block was not written: later ones would refer to it, or follow a gap */
};

/* Bytes for one frame of one stream. */
struct block {
	struct block *next;
	struct group *group;
	struct trace_stream_out *out;
	struct trace_frame_info info;
	unsigned char *bytes; /* owned */
	size_t from, to;
};

struct trace_writer {
	int directory;
	char *name;
	struct trace_files_writer *files;
	int stopped;	 /* errno value of trace_writer_stop */
	uint64_t last;	 /* number of the last event */
	size_t buffered; /* room of all buffers */

	/* The record that was just reserved and can be trimmed. */
	struct {
		bool valid;
		unsigned group;
		size_t header;	       /* place of its header in the buffer, if in place */
		unsigned char *staged; /* else its bytes */
		struct trace_datum datum;
	} reserved;

	pthread_t thread;
	bool running;
	cpu_set_t cpus;
	bool has_cpus;

	pthread_mutex_t lock;
	pthread_cond_t work;  /* for the thread */
	pthread_cond_t space; /* for the caller */
	struct vec(struct group *) groups;
	struct block *queue, **queue_end;
	size_t queued;
	bool dirty; /* something is published and not in the queue, since dirty_since */
	int64_t dirty_since;
	bool stopping;
	struct error *failure;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* ---- the queue; `lock` is held ---- */

static void enqueue(struct trace_writer *writer, struct group *group, struct trace_stream_out *out,
		    struct trace_frame_info info, unsigned char *bytes, size_t from, size_t to)
{
	struct block *block = xmalloc(sizeof(*block));

	*block = (struct block){
		.group = group, .out = out, .info = info, .bytes = bytes, .from = from, .to = to};
	*writer->queue_end = block;
	writer->queue_end = &block->next;
	writer->queued += to;
	pthread_cond_signal(&writer->work);
}

static struct trace_frame_info events_info(const struct buffer *events)
{
	const struct trace_event *first = (const void *)(events->bytes + events->taken);
	const struct trace_event *end = (const void *)(events->bytes + events->published);

	return (struct trace_frame_info){
		.count = end - first, .first = first->number, .last = end[-1].number};
}

/* Puts a copy of what is published into the queue. */
static void take_published(struct trace_writer *writer, struct group *group)
{
	struct buffer *data = &group->data, *events = &group->events;
	size_t n = data->published - data->taken;

	if (n) {
		struct trace_frame_info info = {.first = group->data_base + data->taken};

		enqueue(writer, group, &group->data_out, info,
			xmemdup(data->bytes + data->taken, n), 0, n);
		data->taken = data->published;
	}
	n = events->published - events->taken;
	if (n) {
		enqueue(writer, group, &group->events_out, events_info(events),
			xmemdup(events->bytes + events->taken, n), 0, n);
		events->taken = events->published;
	}
}

/* ---- the thread ---- */

/* A block was not written. What other groups hold is, as far as there is room: that block has left
 * some, and what fills a disk is seldom what matters most. `lock` is held. */
static void note_failure(struct trace_writer *writer, struct group *group, struct error *error)
{
	group->failed = true;
	if (writer->failure) {
		error_free(error);
		return;
	}
	writer->failure = error;
	vec_foreach (&writer->groups, other)
		if (*other)
			take_published(writer, *other);
}

/* Writes the blocks that are there; `lock` is held, and not during the writing. */
static void write_queue(struct trace_writer *writer, struct trace_encoder *encoder)
{
	while (writer->queue) {
		struct block *block = writer->queue;
		struct error *error = NULL;

		writer->queue = block->next;
		if (!writer->queue)
			writer->queue_end = &writer->queue;
		pthread_mutex_unlock(&writer->lock);
		if (!block->group->failed)
			error = trace_stream_append(
				writer->directory, writer->name, block->out, encoder, &block->info,
				block->bytes + block->from, block->to - block->from);
		pthread_mutex_lock(&writer->lock);
		writer->queued -= block->to;
		if (error)
			note_failure(writer, block->group, error);
		free(block->bytes);
		free(block);
		pthread_cond_signal(&writer->space);
	}
}

/* Waits for work; when something published has become old, takes it. `lock` is held. */
static void wait_for_work(struct trace_writer *writer)
{
	if (!writer->dirty) {
		pthread_cond_wait(&writer->work, &writer->lock);
		return;
	}
	int64_t until = writer->dirty_since + FLUSH_NS;

	if (now_ns() < until) {
		struct timespec time = {.tv_sec = until / 1000000000,
					.tv_nsec = until % 1000000000};

		pthread_cond_timedwait(&writer->work, &writer->lock, &time);
		return;
	}
	writer->dirty = false;
	vec_foreach (&writer->groups, group)
		if (*group)
			take_published(writer, *group);
}

static void *thread_main(void *argument)
{
	struct trace_writer *writer = argument;
	struct trace_encoder encoder;

	/* Not being allowed another CPU only makes it slower. */
	if (writer->has_cpus)
		sched_setaffinity(0, sizeof(writer->cpus), &writer->cpus);
	trace_encoder_init(&encoder);
	pthread_mutex_lock(&writer->lock);
	for (;;) {
		write_queue(writer, &encoder);
		if (writer->stopping)
			break;
		wait_for_work(writer);
	}
	pthread_mutex_unlock(&writer->lock);
	trace_encoder_deinit(&encoder);
	return NULL;
}

/* The thread inherits the mask: signals stay the caller's. */
static struct error *start_thread(struct trace_writer *writer)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int errnum = pthread_create(&writer->thread, NULL, thread_main, writer);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (errnum)
		return error_os(errnum, "cannot start the thread that writes the recording");
	writer->running = true;
	return NULL;
}

/* ---- creating ---- */

static void init_conditions(struct trace_writer *writer)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, &attributes);
	pthread_cond_init(&writer->space, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct error *begin(struct trace_writer *writer, const struct trace_meta *meta)
{
	writer->directory = os.openat(AT_FDCWD, writer->name, O_RDONLY | O_DIRECTORY, 0);
	if (writer->directory < 0)
		return error_os(errno, "cannot open the directory %s", writer->name);
	/* Held until we end, however that comes; not every file system can. */
	if (flock(writer->directory, LOCK_EX | LOCK_NB))
		log_info("%s cannot be locked: %s", writer->name, strerror(errno));
	try(trace_meta_write(writer->directory, writer->name, meta));
	try(trace_files_writer_create(writer->directory, writer->name, &writer->files));
	try(trace_stopped_reserve(writer->directory, writer->name));
	return start_thread(writer);
}

struct error *trace_writer_create_in(const char *directory, const struct trace_meta *meta,
				     const cpu_set_t *cpus, struct trace_writer **out)
{
	struct trace_writer *writer = xcalloc(1, sizeof(*writer));

	writer->name = xstrdup(directory);
	writer->queue_end = &writer->queue;
	writer->has_cpus = cpus;
	if (cpus)
		writer->cpus = *cpus;
	init_conditions(writer);
	struct error *error = begin(writer, meta);

	if (error) {
		trace_writer_destroy(writer);
		return error;
	}
	*out = writer;
	return NULL;
}

struct error *trace_writer_create(const char *directory, const struct trace_meta *meta,
				  const cpu_set_t *cpus, struct trace_writer **out)
{
	if (os.mkdirat(AT_FDCWD, directory, 0700)) {
		if (errno == EEXIST)
			return error_new("cannot record into %s: it exists already; give the name "
					 "of a new directory",
					 directory);
		return error_os(errno, "cannot make the directory %s", directory);
	}
	return trace_writer_create_in(directory, meta, cpus, out);
}

/* ---- the caller's side ---- */

static struct group *group_make(struct trace_writer *writer, unsigned number)
{
	struct group *group = xcalloc(1, sizeof(*group));

	group->number = number;
	group->events.limit = EVENTS_BLOCK;
	group->data.limit = DATA_BLOCK;
	group->events_out =
		(struct trace_stream_out){.stream = TRACE_STREAM_EVENTS, .group = number};
	group->data_out = (struct trace_stream_out){.stream = TRACE_STREAM_DATA, .group = number};
	pthread_mutex_lock(&writer->lock);
	while (writer->groups.count <= number)
		vec_push(&writer->groups, NULL);
	writer->groups.items[number] = group;
	pthread_mutex_unlock(&writer->lock);
	return group;
}

static struct group *group_of(struct trace_writer *writer, unsigned number)
{
	struct group *group = NULL;

	if (number < writer->groups.count)
		group = writer->groups.items[number];
	return group ? group : group_make(writer, number);
}

/* Leaves the buffer empty. */
static void buffer_reset(struct trace_writer *writer, struct buffer *buffer)
{
	writer->buffered -= buffer->room;
	*buffer = (struct buffer){.limit = buffer->limit};
}

/* Puts the data buffer, with the event being built, into the queue. `lock` is held. */
static void hand_over_data(struct trace_writer *writer, struct group *group)
{
	struct buffer *data = &group->data;
	struct trace_frame_info info = {.first = group->data_base + data->taken};

	if (data->used > data->taken)
		enqueue(writer, group, &group->data_out, info, data->bytes, data->taken,
			data->used);
	else
		free(data->bytes);
	group->data_base += data->used;
	buffer_reset(writer, data);
}

/* Puts both buffers into the queue. `lock` is held. */
static void hand_over(struct trace_writer *writer, struct group *group)
{
	struct buffer *events = &group->events;

	hand_over_data(writer, group);
	if (events->used > events->taken)
		enqueue(writer, group, &group->events_out, events_info(events), events->bytes,
			events->taken, events->used);
	else
		free(events->bytes);
	buffer_reset(writer, events);
}

/* Many groups with a little each: hand all over. `lock` is held. */
static void relieve(struct trace_writer *writer)
{
	if (writer->buffered > BUFFERED_MAX)
		vec_foreach (&writer->groups, group)
			if (*group)
				hand_over(writer, *group);
}

/* Waits until the queue is not too long; the thread empties it even after a failure. `lock` is
 * held. */
static void wait_for_space(struct trace_writer *writer)
{
	while (writer->queued > QUEUED_MAX)
		pthread_cond_wait(&writer->space, &writer->lock);
}

/* Makes room for `more` (at most the limit) bytes in one piece. `lock` is held. */
static void make_room(struct trace_writer *writer, struct group *group, struct buffer *buffer,
		      size_t more)
{
	if (buffer->used + more > buffer->limit) {
		if (buffer == &group->data)
			hand_over_data(writer, group);
		else
			hand_over(writer, group);
	}
	relieve(writer);
	wait_for_space(writer);
	if (buffer->used + more <= buffer->room)
		return;
	size_t room = buffer->room * 2 > FIRST_ROOM ? buffer->room * 2 : FIRST_ROOM;

	if (room < buffer->used + more)
		room = buffer->used + more;
	if (room > buffer->limit)
		room = buffer->limit;
	buffer->bytes = xrealloc(buffer->bytes, room);
	writer->buffered += room - buffer->room;
	buffer->room = room;
}

/* Room for `more` bytes of data, in one piece. */
static unsigned char *data_room(struct trace_writer *writer, struct group *group, size_t more)
{
	struct buffer *data = &group->data;

	if (data->used + more > data->room) {
		pthread_mutex_lock(&writer->lock);
		make_room(writer, group, data, more);
		pthread_mutex_unlock(&writer->lock);
	}
	return data->bytes + data->used;
}

/* Appends bytes and zeros up to the next multiple of 8: wherever the buffer is handed over, frames
 * end at such a multiple. */
static void put_bytes(struct trace_writer *writer, struct group *group, const unsigned char *bytes,
		      size_t length)
{
	const struct buffer *data = &group->data;

	while (length) {
		size_t space = data->limit - data->used ? data->limit - data->used : data->limit;
		size_t n = length < space ? length : space;
		unsigned char *room = data_room(writer, group, trace_pad8(n));

		memcpy(room, bytes, n);
		memset(room + n, 0, trace_pad8(n) - n);
		group->data.used += trace_pad8(n);
		bytes += n;
		length -= n;
	}
}

static void put_record(struct trace_writer *writer, struct group *group,
		       const struct trace_datum *datum, const unsigned char *bytes)
{
	memcpy(data_room(writer, group, sizeof(*datum)), datum, sizeof(*datum));
	group->data.used += sizeof(*datum);
	put_bytes(writer, group, bytes, datum->length);
	group->event_count++;
}

/* One record, or several if it is long. */
static void put_records(struct trace_writer *writer, unsigned group, struct trace_datum datum,
			const unsigned char *bytes)
{
	uint64_t left = datum.length;

	do {
		datum.length = left < TRACE_DATUM_MAX ? left : TRACE_DATUM_MAX;
		put_record(writer, group_of(writer, group), &datum, bytes);
		bytes += datum.length;
		datum.addr += datum.length;
		left -= datum.length;
	} while (left);
}

/* Finishes the record that was reserved, now that its length is final. */
static void settle(struct trace_writer *writer)
{
	if (!writer->reserved.valid)
		return;
	struct trace_datum datum = writer->reserved.datum;

	writer->reserved.valid = false;
	if (writer->reserved.staged) {
		put_records(writer, writer->reserved.group, datum, writer->reserved.staged);
		free(take_ptr(writer->reserved.staged));
		return;
	}
	struct group *group = group_of(writer, writer->reserved.group);
	unsigned char *header = group->data.bytes + writer->reserved.header;
	size_t padding = trace_pad8(datum.length) - datum.length;

	memcpy(header, &datum, sizeof(datum));
	memset(header + sizeof(datum) + datum.length, 0, padding);
	group->data.used = writer->reserved.header + sizeof(datum) + datum.length + padding;
	group->event_count++;
}

void trace_writer_datum_flags(struct trace_writer *writer, unsigned group, uint32_t kind,
			      uint32_t flags, taddr addr, const void *bytes, size_t length)
{
	struct trace_datum datum = {.kind = kind, .flags = flags, .addr = addr, .length = length};

	settle(writer);
	put_records(writer, group, datum, bytes);
}

void trace_writer_datum(struct trace_writer *writer, unsigned group, uint32_t kind, taddr addr,
			const void *bytes, size_t length)
{
	trace_writer_datum_flags(writer, group, kind, 0, addr, bytes, length);
}

void *trace_writer_datum_reserve(struct trace_writer *writer, unsigned number, uint32_t kind,
				 taddr addr, size_t length)
{
	settle(writer);
	writer->reserved.valid = true;
	writer->reserved.group = number;
	writer->reserved.datum = (struct trace_datum){.kind = kind, .addr = addr, .length = length};
	if (length > TRACE_WRITER_PIECE) {
		writer->reserved.staged = xmalloc(length);
		return writer->reserved.staged;
	}
	struct group *group = group_of(writer, number);
	unsigned char *room =
		data_room(writer, group, sizeof(struct trace_datum) + trace_pad8(length));

	writer->reserved.header = group->data.used;
	return room + sizeof(struct trace_datum);
}

void trace_writer_datum_trim(struct trace_writer *writer, size_t length)
{
	if (!writer->reserved.valid)
		return;
	if (length < writer->reserved.datum.length)
		writer->reserved.datum.length = length;
	if (!length) {
		free(take_ptr(writer->reserved.staged));
		writer->reserved.valid = false;
	}
}

void trace_writer_abandon(struct trace_writer *writer, unsigned number)
{
	struct group *group = group_of(writer, number);

	/* What was added stays in the stream, and nothing refers to it. */
	settle(writer);
	group->event_start = group->data_base + group->data.used;
	group->event_count = 0;
}

/* Tells the thread that something waits to be written. `lock` is held. */
static void mark_dirty(struct trace_writer *writer)
{
	if (writer->dirty)
		return;
	writer->dirty = true;
	writer->dirty_since = now_ns();
	pthread_cond_signal(&writer->work);
}

uint64_t trace_writer_commit(struct trace_writer *writer, unsigned number,
			     const struct trace_event *event)
{
	struct group *group = group_of(writer, number);
	struct buffer *events = &group->events, *data = &group->data;

	settle(writer);
	uint64_t end = group->data_base + data->used;
	struct trace_event copy = *event;

	copy.number = ++writer->last;
	copy.data_count = group->event_count;
	copy.data_offset = group->event_start;
	copy.data_length = end - group->event_start;

	pthread_mutex_lock(&writer->lock);
	if (events->used + sizeof(copy) > events->room)
		make_room(writer, group, events, sizeof(copy));
	memcpy(events->bytes + events->used, &copy, sizeof(copy));
	events->used += sizeof(copy);
	events->published = events->used;
	data->published = data->used;
	mark_dirty(writer);
	pthread_mutex_unlock(&writer->lock);

	group->event_start = end;
	group->event_count = 0;
	return copy.number;
}

uint64_t trace_writer_last(const struct trace_writer *writer)
{
	return writer->last;
}

void trace_writer_group_end(struct trace_writer *writer, unsigned number)
{
	struct group *group = group_of(writer, number);

	settle(writer);
	pthread_mutex_lock(&writer->lock);
	hand_over(writer, group);
	wait_for_space(writer);
	pthread_mutex_unlock(&writer->lock);
}

struct trace_files_writer *trace_writer_files(struct trace_writer *writer)
{
	return writer->files;
}

struct error *trace_writer_check(struct trace_writer *writer)
{
	struct error *error = NULL;

	pthread_mutex_lock(&writer->lock);
	if (writer->failure)
		error = error_new("the recording stops here: %s; what was written before can be "
				  "replayed",
				  writer->failure->text);
	if (error)
		error->os_errno = writer->failure->os_errno;
	pthread_mutex_unlock(&writer->lock);
	return error;
}

struct error *trace_writer_finish(struct trace_writer *writer)
{
	if (writer->running) {
		settle(writer);
		pthread_mutex_lock(&writer->lock);
		vec_foreach (&writer->groups, group)
			if (*group)
				hand_over(writer, *group);
		writer->stopping = true;
		pthread_cond_signal(&writer->work);
		pthread_mutex_unlock(&writer->lock);
		pthread_join(writer->thread, NULL);
		writer->running = false;
		if (!writer->failure && !writer->stopped)
			trace_stopped_write(writer->directory, 0);
	}
	return trace_writer_check(writer);
}

void trace_writer_stop(struct trace_writer *writer, int errnum)
{
	writer->stopped = errnum;
	error_free(trace_writer_finish(writer));
	trace_files_writer_tidy(writer->files);
	trace_stopped_write(writer->directory, errnum);
}

void trace_writer_destroy(struct trace_writer *writer)
{
	if (!writer)
		return;
	error_free(trace_writer_finish(writer));
	vec_foreach (&writer->groups, group)
		free(*group);
	vec_deinit(&writer->groups);
	trace_files_writer_destroy(writer->files);
	free(writer->reserved.staged);
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->space);
	if (writer->directory >= 0)
		close(writer->directory);
	error_free(writer->failure);
	free(writer->name);
	free(writer);
}
