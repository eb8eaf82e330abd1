/* Reading a recording.
 *
 * Opening reads the headers of all frames of all streams: they are the index. Bodies are read when
 * their events or data are asked for; at most LOADED_MAX bytes of them are kept, one frame a
 * stream, the least recently used one going first. The groups are merged by a heap over the number
 * of each one's next event.
 *
 * Invariants: an event is handed out only after all of its data was found, decompressed and walked
 * over; the data of a group's events lies in order and does not overlap, so that the work is
 * bounded by what the frames hold, whatever the events say. */
#include "trace/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trace/block.h"
#include "trace/stopped.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

#define LOADED_MAX (64u << 20)

struct stream {
	struct trace_stream_in in;
	unsigned char *raw;	      /* the frame that is loaded, or NULL */
	size_t frame;		      /* its index */
	struct stream *newer, *older; /* among the loaded ones */
};

struct group {
	struct stream events, data;
	size_t frame;	      /* of the next event */
	uint32_t index;	      /* of it in the frame */
	uint64_t next;	      /* its number, or a lower bound while the frame is not loaded */
	uint64_t last_number; /* of the event before it in the frame; 0: none */
	uint64_t data_floor;  /* data of events before it ends here */
};

struct trace_reader {
	int directory;
	char *name;
	struct trace_meta meta;
	struct trace_files *files;
	struct vec(struct group *) groups; /* in the order of their numbers */
	struct vec(struct group *) heap;   /* those with events to come; the lowest `next` first */
	struct stream newest;		   /* ends of the list of loaded frames */
	size_t loaded;			   /* bytes */

	uint64_t expected; /* number of the next event */
	uint64_t seeked;   /* where reading began: events before it are passed over */
	struct group *group;
	struct trace_event event; /* handed out last */
	uint64_t datum_offset;	  /* of its next record */
	uint32_t datum_left;
	unsigned char *scratch; /* TRACE_DATUM_MAX bytes, for a record in several frames */

	bool complete; /* the event with the highest number is a TRACE_EV_END */
	bool ended;    /* nothing more can be given, until a seek */
	bool flawed;   /* a frame is known to be damaged */
	char *damage;
	char *files_damage; /* what is wrong with the stream `files`, or NULL */
	char *kept_damage;  /* the same of what it names */
	struct trace_counts counts;
};

/* ---- loaded frames ---- */

static void unload(struct trace_reader *reader, struct stream *stream)
{
	if (!stream->raw)
		return;
	stream->newer->older = stream->older;
	stream->older->newer = stream->newer;
	reader->loaded -= stream->in.frames.items[stream->frame].header.raw_length;
	free(take_ptr(stream->raw));
}

static void put_newest(struct trace_reader *reader, struct stream *stream)
{
	stream->newer = &reader->newest;
	stream->older = reader->newest.older;
	stream->older->newer = stream;
	reader->newest.older = stream;
}

/* Makes the frame the loaded one of its stream. *damage (the caller's): it cannot be, and why. */
static struct error *load(struct trace_reader *reader, struct stream *stream, size_t frame,
			  char **damage)
{
	const struct trace_frame_header *header = &stream->in.frames.items[frame].header;

	*damage = NULL;
	if (stream->raw && stream->frame == frame) {
		stream->newer->older = stream->older;
		stream->older->newer = stream->newer;
		put_newest(reader, stream);
		return NULL;
	}
	unload(reader, stream);
	while (reader->loaded + header->raw_length > LOADED_MAX)
		unload(reader, reader->newest.newer);
	try(trace_frame_read(reader->directory, reader->name, &stream->in, frame, &stream->raw,
			     damage));
	if (*damage)
		return NULL;
	stream->frame = frame;
	reader->loaded += header->raw_length;
	put_newest(reader, stream);
	return NULL;
}

/* ---- what is wrong with a recording ---- */

/* Notes the damage found at event `number`; takes `what` over. Nothing more will be given. */
static void set_damage(struct trace_reader *reader, uint64_t number, char *what)
{
	char *usable _cleanup_free_ = number > 1 ? xasprintf("it can be used up to event %llu",
							     (unsigned long long)(number - 1))
						 : xstrdup("no event of it can be used");

	free(reader->damage);
	reader->damage = xasprintf("the recording %s is damaged at event %llu (%s); %s",
				   reader->name, (unsigned long long)number, what, usable);
	reader->ended = true;
	reader->flawed = true;
	free(what);
}

/* Like set_damage(), with the stream's name before `what`. */
static void set_stream_damage(struct trace_reader *reader, uint64_t number,
			      const struct stream *stream, char *what)
{
	char file[TRACE_STREAM_NAME];

	trace_stream_name(file, stream->in.stream, stream->in.group);
	set_damage(reader, number, xasprintf("stream %s, %s", file, what));
	free(what);
}

/* A mapped file that an event names is not in the stream `files`. Where the recorder was killed,
 * that is its end. */
static void set_lost_file(struct trace_reader *reader, uint64_t number, uint32_t id)
{
	reader->ended = true;
	if (!reader->complete && !reader->files_damage)
		return;
	set_damage(reader, number,
		   xasprintf("stream files, %s; it needs mapped file %u",
			     reader->files_damage ? reader->files_damage : "it is too short", id));
}

/* All events were there. What a damaged stream `files` says of files that they name may be old. */
static void set_files_damage(struct trace_reader *reader)
{
	free(reader->damage);
	reader->damage = xasprintf("the recording %s is damaged (stream files, %s); all of its "
				   "events can be read, and replayed as far as they do not need "
				   "what is missing there",
				   reader->name, reader->files_damage);
}

/* The events are not the worse for it, but a replay is. */
static void set_kept_damage(struct trace_reader *reader)
{
	reader->damage = xasprintf("the recording %s is damaged (%s); all of its events can be "
				   "read, and replayed as far as they do not need that file",
				   reader->name, reader->kept_damage);
}

/* The first stream (of events) whose frames end because of damage, or NULL. */
static struct stream *flawed_stream(struct trace_reader *reader)
{
	vec_foreach (&reader->groups, group)
		if ((*group)->events.in.damage)
			return &(*group)->events;
	return NULL;
}

/* The event `expected` is in no stream. Where the recorder was killed, that is its end. */
static void set_missing(struct trace_reader *reader)
{
	struct stream *flawed = flawed_stream(reader);
	uint64_t number = reader->expected;

	reader->ended = true;
	if (reader->complete && number > reader->counts.last) {
		if (reader->files_damage)
			set_files_damage(reader);
		return;
	}
	if (flawed)
		set_stream_damage(reader, number, flawed, xstrdup(flawed->in.damage));
	else if (reader->complete)
		set_damage(reader, number, xstrdup("it is in none of the streams"));
}

/* ---- the heap of groups ---- */

static bool lower(const struct group *a, const struct group *b)
{
	return a->next < b->next;
}

static void heap_sift_down(struct trace_reader *reader, size_t at)
{
	struct group **heap = reader->heap.items;

	for (;;) {
		size_t low = at, child = 2 * at + 1;

		for (size_t i = child; i < child + 2 && i < reader->heap.count; i++)
			if (lower(heap[i], heap[low]))
				low = i;
		if (low == at)
			return;
		struct group *group = heap[at];

		heap[at] = heap[low];
		heap[low] = group;
		at = low;
	}
}

static void heap_build(struct trace_reader *reader)
{
	vec_clear(&reader->heap);
	vec_foreach (&reader->groups, group)
		if ((*group)->frame < (*group)->events.in.frames.count)
			vec_push(&reader->heap, *group);
	for (size_t i = reader->heap.count / 2; i-- > 0;)
		heap_sift_down(reader, i);
}

/* ---- opening ---- */

static void group_destroy(struct trace_reader *reader, struct group *group)
{
	unload(reader, &group->events);
	unload(reader, &group->data);
	trace_stream_in_deinit(&group->events.in);
	trace_stream_in_deinit(&group->data.in);
	free(group);
}

static struct error *add_group(struct trace_reader *reader, uint32_t number)
{
	struct group *group = xcalloc(1, sizeof(*group));

	vec_push(&reader->groups, group);
	try(trace_stream_scan(reader->directory, reader->name, TRACE_STREAM_EVENTS, number,
			      &group->events.in));
	return trace_stream_scan(reader->directory, reader->name, TRACE_STREAM_DATA, number,
				 &group->data.in);
}

/* True for "events.G" as trace_stream_name() writes it. */
static bool group_number(const char *file, uint32_t *number)
{
	char name[TRACE_STREAM_NAME];

	if (strncmp(file, "events.", 7) || file[7] < '0' || file[7] > '9')
		return false;
	unsigned long value = strtoul(file + 7, NULL, 10);

	if (value > UINT32_MAX)
		return false;
	trace_stream_name(name, TRACE_STREAM_EVENTS, value);
	*number = value;
	return !strcmp(name, file);
}

static int by_group(const void *a, const void *b)
{
	uint32_t left = (*(struct group *const *)a)->events.in.group;
	uint32_t right = (*(struct group *const *)b)->events.in.group;

	return left < right ? -1 : left > right;
}

static struct error *add_groups(struct trace_reader *reader)
{
	int fd = os.openat(reader->directory, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct error *error = NULL;
	uint32_t number;

	if (!directory) {
		error = error_os(errno, "cannot read the directory %s", reader->name);
		if (fd >= 0)
			close(fd);
		return error;
	}
	for (struct dirent *entry; !error && (entry = readdir(directory));)
		if (group_number(entry->d_name, &number))
			error = add_group(reader, number);
	closedir(directory);
	if (!error && reader->groups.count)
		qsort(reader->groups.items, reader->groups.count, sizeof(struct group *), by_group);
	return error;
}

/* Sets what the frames' headers tell. */
static void count(struct trace_reader *reader)
{
	struct trace_counts *counts = &reader->counts;

	vec_foreach (&reader->groups, group) {
		const struct trace_stream_in *in = &(*group)->events.in;

		if (in->damage || (*group)->data.in.damage)
			reader->flawed = true;
		if (in->frames.count)
			counts->groups++;
		vec_foreach (&in->frames, frame)
			counts->events += frame->header.count;
		if (in->frames.count &&
		    in->frames.items[in->frames.count - 1].header.last > counts->last)
			counts->last = in->frames.items[in->frames.count - 1].header.last;
	}
	counts->files = trace_files_count(reader->files);
}

/* The events of a loaded frame. */
static const struct trace_event *events_of(const struct stream *stream)
{
	return (const struct trace_event *)stream->raw;
}

/* Looks at the event with the highest number: how the recording ends. */
static struct error *look_at_end(struct trace_reader *reader)
{
	vec_foreach (&reader->groups, group) {
		struct stream *stream = &(*group)->events;
		size_t frames = stream->in.frames.count;
		char *damage _cleanup_free_ = NULL;

		if (!frames ||
		    stream->in.frames.items[frames - 1].header.last != reader->counts.last)
			continue;
		try(load(reader, stream, frames - 1, &damage));
		if (damage) {
			reader->flawed = true;
			return NULL;
		}
		uint32_t last = stream->in.frames.items[frames - 1].header.count - 1;
		const struct trace_event *event = &events_of(stream)[last];

		reader->counts.duration_ns = event->time_ns;
		reader->complete =
			event->kind == TRACE_EV_END && event->number == reader->counts.last;
		if (!reader->complete)
			return NULL;
		if (!reader->files_damage && trace_files_torn(reader->files))
			reader->files_damage = xstrdup("it ends within a record");
		if (reader->files_damage || reader->counts.events != reader->counts.last)
			reader->flawed = true;
		return NULL;
	}
	return NULL;
}

/* Groups are written one by one: where the recorder was killed early, the first one may be
 * missing. */
static bool has_beginning(const struct trace_reader *reader)
{
	vec_foreach (&reader->groups, group) {
		const struct trace_stream_in *in = &(*group)->events.in;

		if (in->frames.count && in->frames.items[0].header.first == 1)
			return true;
	}
	return false;
}

static struct error *no_events(struct error *error)
{
	error->os_errno = ENODATA;
	return error;
}

/* Why there is no event at all. */
static struct error *empty_error(struct trace_reader *reader)
{
	struct stream *flawed = flawed_stream(reader);
	char file[TRACE_STREAM_NAME];

	int stopped = trace_reader_stopped(reader);

	if (!flawed && stopped)
		return no_events(error_new(
			"the recording %s has no events: recording stopped early, for the "
			"reason '%s'; record the program again where there is none",
			reader->name, strerror(stopped)));
	if (!flawed)
		return no_events(
			error_new("the recording %s is empty: no whole block of it was written",
				  reader->name));
	trace_stream_name(file, TRACE_STREAM_EVENTS, flawed->in.group);
	return error_new("the recording %s is damaged: no event of it can be used (stream %s, %s)",
			 reader->name, file, flawed->in.damage);
}

static struct error *open_streams(struct trace_reader *reader)
{
	reader->directory = os.openat(AT_FDCWD, reader->name, O_RDONLY | O_DIRECTORY, 0);
	if (reader->directory < 0 && errno == ENOTDIR)
		return error_new("%s is not a recording: it is not a directory", reader->name);
	if (reader->directory < 0 && errno == ENOENT)
		return error_new("there is no recording %s", reader->name);
	if (reader->directory < 0)
		return error_os(errno, "cannot open the recording %s", reader->name);
	try(trace_meta_read(reader->directory, reader->name, &reader->meta));
	/* The groups first: a recorder keeps a file before it writes the event that names it. */
	try(add_groups(reader));
	try(trace_files_load(reader->directory, reader->name, &reader->files,
			     &reader->files_damage));
	reader->kept_damage = trace_files_missing(reader->files);
	reader->flawed = reader->files_damage || reader->kept_damage;
	count(reader);
	if (!reader->counts.last)
		return empty_error(reader);
	try(look_at_end(reader));
	if (!reader->complete && !has_beginning(reader))
		return empty_error(reader);
	trace_reader_seek(reader, 1);
	return NULL;
}

struct error *trace_reader_open(const char *directory, struct trace_reader **out)
{
	struct trace_reader *reader = xcalloc(1, sizeof(*reader));

	reader->name = xstrdup(directory);
	reader->newest.newer = reader->newest.older = &reader->newest;
	struct error *error = open_streams(reader);

	if (error) {
		trace_reader_destroy(reader);
		return error;
	}
	*out = reader;
	return NULL;
}

void trace_reader_destroy(struct trace_reader *reader)
{
	if (!reader)
		return;
	vec_foreach (&reader->groups, group)
		group_destroy(reader, *group);
	vec_deinit(&reader->groups);
	vec_deinit(&reader->heap);
	trace_files_destroy(reader->files);
	trace_meta_deinit(&reader->meta);
	if (reader->directory >= 0)
		close(reader->directory);
	free(reader->scratch);
	free(reader->damage);
	free(reader->files_damage);
	free(reader->kept_damage);
	free(reader->name);
	free(reader);
}

/* ---- data ---- */

/* Index of the frame that has the byte at `offset`; frames.count if there is none. */
static size_t data_frame(const struct stream *stream, uint64_t offset)
{
	const struct trace_frames *frames = &stream->in.frames;
	size_t low = 0, high = frames->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct trace_frame_header *header = &frames->items[middle].header;

		if (offset < header->first)
			high = middle;
		else if (offset - header->first >= header->raw_length)
			low = middle + 1;
		else
			return middle;
	}
	return frames->count;
}

/* The bytes from `offset` on, as far as they are in one frame: *length is how many, at most as
 * many as it was before. *damage (the caller's): there are none, and why. */
static struct error *data_piece(struct trace_reader *reader, struct stream *stream, uint64_t offset,
				const unsigned char **bytes, uint64_t *length, char **damage)
{
	size_t frame = data_frame(stream, offset);

	*damage = NULL;
	if (frame == stream->in.frames.count) {
		*damage = stream->in.damage ? xstrdup(stream->in.damage)
					    : xasprintf("it ends before byte %llu of the data",
							(unsigned long long)offset);
		return NULL;
	}
	try(load(reader, stream, frame, damage));
	if (*damage)
		return NULL;
	const struct trace_frame_header *header = &stream->in.frames.items[frame].header;
	uint64_t there = header->raw_length - (offset - header->first);

	*bytes = stream->raw + (offset - header->first);
	if (*length > there)
		*length = there;
	return NULL;
}

/* Copies bytes, from several frames if need be; `to` NULL: only looks whether they are there. */
static struct error *data_copy(struct trace_reader *reader, struct stream *stream, uint64_t offset,
			       void *to, uint64_t length, char **damage)
{
	unsigned char *at = to;

	*damage = NULL;
	while (length) {
		const unsigned char *bytes;
		uint64_t n = length;

		try(data_piece(reader, stream, offset, &bytes, &n, damage));
		if (*damage)
			return NULL;
		if (at) {
			memcpy(at, bytes, n);
			at += n;
		}
		offset += n;
		length -= n;
	}
	return NULL;
}

/* NULL, or what is wrong with a record of which `room` bytes can be there. */
static const char *datum_wrong(const struct trace_datum *datum, uint64_t room)
{
	if (datum->length > TRACE_DATUM_MAX || trace_pad8(datum->length) > room)
		return "a data record has an impossible length";
	switch ((enum trace_datum_kind)datum->kind) {
	case TRACE_D_MAPPING:
		return datum->length == sizeof(struct trace_mapping) ? NULL
								     : "a mapping has no size";
	case TRACE_D_TASK:
		return datum->length == sizeof(struct trace_task) ? NULL : "a task has no size";
	case TRACE_D_REGS:
		return datum->length == TRACE_REGS * 8 ? NULL : "registers have no size";
	case TRACE_D_PLACE:
		return datum->length == sizeof(struct trace_place) ? NULL : "a place has no size";
	case TRACE_D_PROBE:
		return datum->length == sizeof(struct trace_probe) ? NULL : "a site has no size";
	case TRACE_D_INPUT_HASH:
		return datum->length == sizeof(struct trace_extent) ? NULL : "a hash has no size";
	case TRACE_D_STATE_HASH:
	case TRACE_D_STACK_LIMIT:
		return datum->length == 8 ? NULL : "a word has no size";
	default:
		break;
	}
	return datum->kind && datum->kind < TRACE_D_KINDS ? NULL : "a data record is of no kind";
}

/* The file of a mapping whose record begins at `offset`. */
static struct error *mapped_file(struct trace_reader *reader, struct group *group, uint64_t offset,
				 uint32_t *file, char **damage)
{
	struct trace_mapping mapping;

	try(data_copy(reader, &group->data, offset, &mapping, sizeof(mapping), damage));
	*file = *damage ? TRACE_NO_FILE : mapping.file;
	return NULL;
}

static bool holds_file(const struct trace_reader *reader, uint32_t file)
{
	return file == TRACE_NO_FILE || file < trace_files_count(reader->files);
}

/* Walks over the records of an event. *damage: they are not as they should be. *lost: a file that
 * they name and the recording does not hold, or TRACE_NO_FILE. */
static struct error *walk(struct trace_reader *reader, struct group *group,
			  const struct trace_event *event, char **damage, uint32_t *lost)
{
	uint64_t offset = event->data_offset, left = event->data_length;
	uint32_t file = event->kind == TRACE_EV_FILE_WRITE ? event->arg : TRACE_NO_FILE;

	*damage = NULL;
	*lost = holds_file(reader, file) ? TRACE_NO_FILE : file;
	for (uint32_t i = 0; i < event->data_count; i++) {
		struct trace_datum datum;
		const char *wrong = "there are fewer data records than the event says";

		if (left >= sizeof(datum)) {
			try(data_copy(reader, &group->data, offset, &datum, sizeof(datum), damage));
			if (*damage)
				return NULL;
			left -= sizeof(datum);
			offset += sizeof(datum);
			wrong = datum_wrong(&datum, left);
		}
		if (wrong) {
			*damage = xstrdup(wrong);
			return NULL;
		}
		uint64_t length = trace_pad8(datum.length);

		try(data_copy(reader, &group->data, offset, NULL, length, damage));
		if (!*damage && datum.kind == TRACE_D_MAPPING)
			try(mapped_file(reader, group, offset, &file, damage));
		if (*damage)
			return NULL;
		if (!holds_file(reader, file))
			*lost = file;
		left -= length;
		offset += length;
	}
	if (left)
		*damage = xstrdup("there are more data records than the event says");
	return NULL;
}

/* ---- events ---- */

/* NULL, or what is wrong with the group's next event. */
static const char *event_wrong(const struct group *group, const struct trace_event *event)
{
	const struct trace_frame_header *header =
		&group->events.in.frames.items[group->frame].header;

	if (event->number < header->first || event->number > header->last ||
	    event->number <= group->last_number)
		return "its events are not those that its header says";
	if (!event->kind || event->kind >= TRACE_EV_KINDS)
		return "an event is of no kind";
	if (event->data_count &&
	    (event->data_offset < group->data_floor || event->data_offset % 8 ||
	     event->data_length > UINT64_MAX - event->data_offset))
		return "an event's data is not where it can be";
	if (!event->data_count && event->data_length)
		return "an event has data but no data records";
	return NULL;
}

/* The group's next event, in *event (not copied). Loads its frame; NULL: damage was noted. */
static struct error *peek(struct trace_reader *reader, struct group *group,
			  const struct trace_event **event)
{
	char *damage;

	*event = NULL;
	try(load(reader, &group->events, group->frame, &damage));
	if (!damage) {
		const struct trace_event *at = &events_of(&group->events)[group->index];
		const char *wrong = event_wrong(group, at);

		if (!wrong) {
			*event = at;
			return NULL;
		}
		damage = xasprintf("frame at byte %lld: %s",
				   (long long)group->events.in.frames.items[group->frame].body -
					   (long long)sizeof(struct trace_frame_header),
				   wrong);
	}
	set_stream_damage(reader, reader->expected, &group->events, damage);
	return NULL;
}

/* Moves the group, which is the first of the heap, behind the event. */
static void advance(struct trace_reader *reader, struct group *group,
		    const struct trace_event *event)
{
	const struct trace_frames *frames = &group->events.in.frames;

	if (event->data_count)
		group->data_floor = event->data_offset + event->data_length;
	group->last_number = event->number;
	group->index++;
	/* At least this; the order of the heap needs no more, since numbers have no gaps. */
	group->next = event->number + 1;
	if (group->index == frames->items[group->frame].header.count) {
		group->index = 0;
		group->frame++;
		if (group->frame < frames->count)
			group->next = frames->items[group->frame].header.first;
	} else if (group->events.raw && group->events.frame == group->frame) {
		group->next = events_of(&group->events)[group->index].number;
	}
	if (group->frame == frames->count)
		reader->heap.items[0] = reader->heap.items[--reader->heap.count];
	heap_sift_down(reader, 0);
}

/* After a seek: passes over the events before it in the group's frame. */
static void skip(struct trace_reader *reader, struct group *group, const struct trace_event *event)
{
	const struct trace_frames *frames = &group->events.in.frames;
	uint32_t left = frames->items[group->frame].header.count - group->index;

	while (left && event->number < reader->seeked) {
		group->last_number = event->number;
		group->index++;
		event++;
		left--;
	}
	/* The frame's last event is not before the place sought, if its header tells the truth. */
	if (!left) {
		group->index = 0;
		group->frame++;
	}
	if (left)
		group->next = event->number;
	else if (group->frame < frames->count)
		group->next = frames->items[group->frame].header.first;
	else
		group->next = UINT64_MAX;
	heap_sift_down(reader, 0);
}

/* True if the event's data was not written before the recorder was killed. */
static bool data_cut(const struct trace_reader *reader, const struct group *group,
		     const struct trace_event *event)
{
	const struct trace_frames *frames = &group->data.in.frames;
	uint64_t end = 0;

	if (frames->count)
		end = frames->items[frames->count - 1].header.first +
		      frames->items[frames->count - 1].header.raw_length;
	return !reader->complete && !group->data.in.damage && event->data_length &&
	       event->data_offset + event->data_length > end;
}

/* Hands out the event, which is the next one, after a look at its data. */
static struct error *give(struct trace_reader *reader, struct group *group,
			  const struct trace_event *event)
{
	char *damage;
	uint32_t lost;

	reader->event = *event;
	reader->ended = data_cut(reader, group, event);
	if (reader->ended)
		return NULL;
	try(walk(reader, group, &reader->event, &damage, &lost));
	if (damage) {
		set_stream_damage(reader, reader->expected, &group->data, damage);
		return NULL;
	}
	if (lost != TRACE_NO_FILE) {
		set_lost_file(reader, reader->expected, lost);
		return NULL;
	}
	advance(reader, group, &reader->event);
	reader->group = group;
	reader->expected++;
	trace_reader_rewind(reader);
	return NULL;
}

struct error *trace_reader_next(struct trace_reader *reader, struct trace_event *event, bool *end)
{
	uint64_t wanted = reader->expected;

	reader->group = NULL;
	while (!reader->ended && reader->expected == wanted) {
		struct group *group = reader->heap.count ? reader->heap.items[0] : NULL;
		const struct trace_event *next;

		if (!group || group->next > wanted) {
			set_missing(reader);
			break;
		}
		try(peek(reader, group, &next));
		if (!next)
			break;
		if (next->number < reader->seeked) {
			skip(reader, group, next);
		} else if (next->number < wanted) {
			set_stream_damage(reader, wanted, &group->events,
					  xstrdup("an event has the number of another one"));
		} else if (next->number > wanted) {
			group->next = next->number;
			heap_sift_down(reader, 0);
		} else {
			try(give(reader, group, next));
		}
	}
	*end = reader->expected == wanted;
	if (*end && !reader->damage && reader->kept_damage)
		set_kept_damage(reader);
	if (!*end)
		*event = reader->event;
	return NULL;
}

unsigned trace_reader_group(const struct trace_reader *reader)
{
	return reader->group ? reader->group->events.in.group : 0;
}

bool trace_reader_seek(struct trace_reader *reader, uint64_t number)
{
	bool found = false;

	vec_foreach (&reader->groups, group)
		vec_foreach (&(*group)->events.in.frames, frame)
			if (number >= frame->header.first && number <= frame->header.last)
				found = true;
	/* Reading from the start is always possible, if only to be told what is missing there. */
	if (!found && number != 1)
		return false;
	vec_foreach (&reader->groups, at) {
		struct group *group = *at;
		const struct trace_frames *frames = &group->events.in.frames;

		group->frame = 0;
		while (group->frame < frames->count &&
		       frames->items[group->frame].header.last < number)
			group->frame++;
		group->index = 0;
		group->last_number = 0;
		group->data_floor = 0;
		if (group->frame < frames->count)
			group->next = frames->items[group->frame].header.first;
	}
	free(take_ptr(reader->damage));
	reader->expected = reader->seeked = number;
	reader->group = NULL;
	reader->ended = false;
	heap_build(reader);
	return true;
}

/* ---- data records ---- */

void trace_reader_rewind(struct trace_reader *reader)
{
	reader->datum_offset = reader->event.data_offset;
	reader->datum_left = reader->group ? reader->event.data_count : 0;
}

/* What was found when the event was given is not there any more. */
static struct error *changed(struct trace_reader *reader, char *damage)
{
	struct error *error =
		error_new("the recording %s changed while it was read, at event %llu "
			  "(%s)",
			  reader->name, (unsigned long long)reader->event.number, damage);

	free(damage);
	return error;
}

/* The bytes of a record, in one piece. */
static struct error *datum_bytes(struct trace_reader *reader, uint64_t offset, uint64_t length,
				 const void **bytes)
{
	static const uint64_t nothing;
	const unsigned char *piece = (const void *)&nothing;
	uint64_t there = length;
	char *damage = NULL;

	if (length)
		try(data_piece(reader, &reader->group->data, offset, &piece, &there, &damage));
	*bytes = piece;
	if (!damage && there < length) {
		if (!reader->scratch)
			reader->scratch = xmalloc(TRACE_DATUM_MAX);
		try(data_copy(reader, &reader->group->data, offset, reader->scratch, length,
			      &damage));
		*bytes = reader->scratch;
	}
	return damage ? changed(reader, damage) : NULL;
}

/* The header of the record at *offset, which moves to its bytes. */
static struct error *datum_header(struct trace_reader *reader, uint64_t *offset,
				  struct trace_datum *datum)
{
	char *damage;

	try(data_copy(reader, &reader->group->data, *offset, datum, sizeof(*datum), &damage));
	if (damage)
		return changed(reader, damage);
	if (datum->length > TRACE_DATUM_MAX)
		return changed(reader, xstrdup("a data record has an impossible length"));
	*offset += sizeof(*datum);
	return NULL;
}

static struct trace_datum_view view_of(const struct trace_datum *datum)
{
	return (struct trace_datum_view){
		.kind = datum->kind,
		.flags = datum->flags,
		.addr = datum->addr,
		.length = datum->length,
	};
}

struct error *trace_reader_datum(struct trace_reader *reader, struct trace_datum_view *view,
				 bool *end)
{
	struct trace_datum datum;

	*end = !reader->group || !reader->datum_left;
	if (*end)
		return NULL;
	try(datum_header(reader, &reader->datum_offset, &datum));
	*view = view_of(&datum);
	try(datum_bytes(reader, reader->datum_offset, datum.length, &view->bytes));
	reader->datum_offset += trace_pad8(datum.length);
	reader->datum_left--;
	return NULL;
}

struct error *trace_reader_find(struct trace_reader *reader, uint32_t kind,
				struct trace_datum_view *view)
{
	uint32_t left = reader->group ? reader->event.data_count : 0;
	uint64_t offset = reader->event.data_offset;

	*view = (struct trace_datum_view){0};
	for (; left; left--) {
		struct trace_datum datum;

		try(datum_header(reader, &offset, &datum));
		if (datum.kind == kind) {
			*view = view_of(&datum);
			return datum_bytes(reader, offset, datum.length, &view->bytes);
		}
		offset += trace_pad8(datum.length);
	}
	return NULL;
}

/* ---- what is known ---- */

const struct trace_meta *trace_reader_meta(const struct trace_reader *reader)
{
	return &reader->meta;
}

enum trace_state trace_reader_state(const struct trace_reader *reader)
{
	if (!reader->damage && reader->complete && reader->expected > reader->counts.last)
		return TRACE_COMPLETE;
	if (reader->damage || reader->flawed)
		return TRACE_DAMAGED;
	return reader->complete ? TRACE_COMPLETE : TRACE_CUT;
}

const char *trace_reader_damage(const struct trace_reader *reader)
{
	return reader->damage;
}

int trace_reader_stopped(const struct trace_reader *reader)
{
	return trace_stopped_read(reader->directory);
}

/* Bytes of the regular files in a directory; contents with several names count once. */
static uint64_t bytes_in(int parent, const char *path)
{
	int fd = os.openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	uint64_t bytes = 0;
	struct stat status;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(directory));)
		if (!fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(status.st_mode))
			bytes += status.st_size / status.st_nlink;
	closedir(directory);
	return bytes;
}

void trace_reader_counts(struct trace_reader *reader, struct trace_counts *counts)
{
	if (!reader->counts.bytes)
		reader->counts.bytes =
			bytes_in(reader->directory, ".") + bytes_in(reader->directory, "files.d");
	*counts = reader->counts;
}

const struct trace_files *trace_reader_files(const struct trace_reader *reader)
{
	return reader->files;
}

const struct trace_file *trace_reader_file(const struct trace_reader *reader, uint32_t id)
{
	return trace_files_get(reader->files, id);
}

const char *trace_reader_file_path(const struct trace_reader *reader, uint32_t id)
{
	return trace_files_path(reader->files, id);
}

struct error *trace_reader_file_open(const struct trace_reader *reader, uint32_t id, int *fd)
{
	return trace_files_open(reader->files, id, fd);
}
