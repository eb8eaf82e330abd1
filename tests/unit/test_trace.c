/* Writer and reader of recordings: what is written is read, what is damaged is refused. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "trace/block.h"
#include "trace_fixture.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

/* ---- a recording whose content follows from the event's number ---- */

#define GROUPS 3u

static uint64_t mix(uint64_t value)
{
	return XXH64(&value, sizeof(value), 7);
}

static unsigned group_for(uint64_t number)
{
	return mix(number) % GROUPS;
}

static unsigned records_for(uint64_t number)
{
	return mix(number + 1000) % 4;
}

/* Mostly short; now and then longer than a block. */
static size_t length_for(uint64_t number, unsigned record)
{
	uint64_t random = mix(number * 16 + record);

	if (number % 97 == 5 && !record)
		return (1u << 20) + random % (3u << 20);
	return random % 3000;
}

static void fill(unsigned char *bytes, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (seed >> (i % 8 * 8)) + i / 64;
}

static struct trace_event event_for(uint64_t number, bool last)
{
	struct trace_event event = {
		.time_ns = number * 1000,
		.tid = 100 + group_for(number),
		.kind = last ? TRACE_EV_END : TRACE_EV_SYSCALL,
		.arg = number % 300,
		.result = -(int64_t)(number % 7),
	};

	for (unsigned i = 0; i < TRACE_REGS; i++)
		event.regs[i] = mix(number * TRACE_REGS + i);
	return event;
}

/* Adds one record in one of the three ways there are. */
static void add_record(struct trace_writer *writer, uint64_t number, unsigned record)
{
	size_t length = length_for(number, record);
	unsigned group = group_for(number);
	uint64_t seed = mix(number + record);

	if (record % 2) {
		size_t room = length + number % 50;
		unsigned char *to = trace_writer_datum_reserve(writer, group, TRACE_D_MEMORY,
							       number << 12, room);

		memset(to, 0xaa, room);
		fill(to, length, seed);
		trace_writer_datum_trim(writer, length);
		return;
	}
	unsigned char *bytes = xmalloc(length);

	fill(bytes, length, seed);
	trace_writer_datum(writer, group, TRACE_D_MEMORY, number << 12, bytes, length);
	free(bytes);
}

static void write_event(struct trace_writer *writer, uint64_t number, bool last)
{
	struct trace_event event = event_for(number, last);

	for (unsigned record = 0; record < records_for(number); record++)
		add_record(writer, number, record);
	assert_int_equal(trace_writer_commit(writer, group_for(number), &event), number);
}

static void write_recording(const char *path, uint64_t events)
{
	struct trace_writer *writer = begin(path);

	for (uint64_t number = 1; number <= events; number++) {
		if (number % 50 == 0) {
			trace_writer_datum(writer, group_for(number), TRACE_D_INPUT, 1, "lost", 4);
			trace_writer_abandon(writer, group_for(number));
		}
		write_event(writer, number, number == events);
	}
	no_error(trace_writer_finish(writer));
	trace_writer_destroy(writer);
}

/* Compares the next data record, which may come in several pieces of TRACE_DATUM_MAX. */
static void check_record(struct trace_reader *reader, uint64_t number, unsigned record)
{
	size_t length = length_for(number, record);
	struct trace_datum_view view;
	bool end;

	if (record % 2 && !length)
		return;
	unsigned char *bytes = xmalloc(length);

	fill(bytes, length, mix(number + record));
	no_error(trace_reader_datum(reader, &view, &end));
	assert_false(end);
	assert_int_equal(view.kind, TRACE_D_MEMORY);
	assert_int_equal(view.addr, number << 12);
	assert_int_equal(view.length, length);
	assert_int_equal((uintptr_t)view.bytes % 8, 0);
	assert_memory_equal(view.bytes, bytes, length);
	free(bytes);
}

static void check_event(struct trace_reader *reader, const struct trace_event *event,
			uint64_t number)
{
	struct trace_event expected = event_for(number, event->kind == TRACE_EV_END);
	struct trace_datum_view view;
	bool end;

	expected.number = number;
	expected.data_count = event->data_count;
	expected.data_offset = event->data_offset;
	expected.data_length = event->data_length;
	assert_memory_equal(event, &expected, sizeof(expected));
	assert_int_equal(trace_reader_group(reader), group_for(number));
	for (unsigned record = 0; record < records_for(number); record++)
		check_record(reader, number, record);
	no_error(trace_reader_datum(reader, &view, &end));
	assert_true(end);
}

/* Reads on from `first`; returns how many events came. All that come must be right. */
static uint64_t read_from(struct trace_reader *reader, uint64_t first)
{
	for (uint64_t number = first;; number++) {
		struct trace_event event;
		bool end;

		no_error(trace_reader_next(reader, &event, &end));
		if (end)
			return number - first;
		check_event(reader, &event, number);
	}
}

/* ---- round trip ---- */

static void test_round_trip(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_reader *reader;
	struct trace_counts counts;

	write_recording(path, 3000);
	no_error(trace_reader_open(path, &reader));
	trace_reader_counts(reader, &counts);
	assert_int_equal(counts.events, 3000);
	assert_int_equal(counts.last, 3000);
	assert_int_equal(counts.groups, GROUPS);
	assert_int_equal(counts.duration_ns, 3000000);
	assert_true(counts.bytes > 10000);
	assert_int_equal(trace_reader_state(reader), TRACE_COMPLETE);
	assert_int_equal(read_from(reader, 1), 3000);
	assert_int_equal(trace_reader_state(reader), TRACE_COMPLETE);
	assert_null(trace_reader_damage(reader));
	trace_reader_destroy(reader);
}

static void test_seek(void **state)
{
	static const uint64_t places[] = {2999, 1, 3000, 17, 1500, 960, 961, 2};
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_reader *reader;

	write_recording(path, 3000);
	no_error(trace_reader_open(path, &reader));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_true(trace_reader_seek(reader, places[i]));
		assert_int_equal(read_from(reader, places[i]), 3001 - places[i]);
	}
	assert_false(trace_reader_seek(reader, 3001));
	assert_false(trace_reader_seek(reader, 0));
	trace_reader_destroy(reader);
}

static void test_find(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_writer *writer = begin(path);
	struct trace_event event = {.kind = TRACE_EV_END};
	struct trace_datum_view view;
	struct trace_reader *reader;
	bool end;

	trace_writer_datum(writer, 0, TRACE_D_NAME, 0, "name", 4);
	trace_writer_datum_flags(writer, 0, TRACE_D_AUXV, 5, 6, "auxiliary", 9);
	trace_writer_datum(writer, 0, TRACE_D_FILE_BYTES, 7, "", 0);
	trace_writer_commit(writer, 0, &event);
	trace_writer_destroy(writer);

	no_error(trace_reader_open(path, &reader));
	no_error(trace_reader_next(reader, &event, &end));
	assert_int_equal(event.data_count, 3);
	no_error(trace_reader_find(reader, TRACE_D_AUXV, &view));
	assert_int_equal(view.length, 9);
	assert_int_equal(view.flags, 5);
	assert_int_equal(view.addr, 6);
	assert_memory_equal(view.bytes, "auxiliary", 9);
	no_error(trace_reader_find(reader, TRACE_D_FILE_BYTES, &view));
	assert_non_null(view.bytes);
	assert_int_equal(view.length, 0);
	no_error(trace_reader_find(reader, TRACE_D_XSTATE, &view));
	assert_null(view.bytes);
	no_error(trace_reader_datum(reader, &view, &end));
	assert_memory_equal(view.bytes, "name", 4);
	trace_reader_rewind(reader);
	no_error(trace_reader_datum(reader, &view, &end));
	assert_memory_equal(view.bytes, "name", 4);
	trace_reader_destroy(reader);
}

/* What is not said is zero on disk, whatever the memory had; a record trimmed to nothing is none. */
static void test_padding(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_event event = {.kind = TRACE_EV_END};
	struct trace_stream_in in;
	unsigned char *raw;
	char *damage;

	mallopt(M_PERTURB, 0xa5);
	struct trace_writer *writer = begin(path);

	trace_writer_datum(writer, 0, TRACE_D_NAME, 0, "name", 4);
	memset(trace_writer_datum_reserve(writer, 0, TRACE_D_MEMORY, 0, 64), 0xaa, 64);
	trace_writer_datum_trim(writer, 3);
	trace_writer_datum_reserve(writer, 0, TRACE_D_MEMORY, 0, 64);
	trace_writer_datum_trim(writer, 0);
	trace_writer_datum_reserve(writer, 0, TRACE_D_MEMORY, 0, 2 * TRACE_WRITER_PIECE);
	trace_writer_datum_trim(writer, 0);
	trace_writer_commit(writer, 0, &event);
	trace_writer_destroy(writer);
	mallopt(M_PERTURB, 0);

	int directory = open(path, O_RDONLY | O_DIRECTORY);

	no_error(trace_stream_scan(directory, path, TRACE_STREAM_DATA, 0, &in));
	assert_int_equal(in.frames.count, 1);
	assert_int_equal(in.frames.items[0].header.raw_length, 2 * (24 + 8));
	no_error(trace_frame_read(directory, path, &in, 0, &raw, &damage));
	assert_memory_equal(raw + 24, "name\0\0\0\0", 8);
	assert_memory_equal(raw + 56, "\xaa\xaa\xaa\0\0\0\0\0", 8);
	free(raw);
	trace_stream_in_deinit(&in);
	close(directory);
}

/* 40 MB in one event: several records, each within the limit, in order. */
static void test_large_datum(void **state)
{
	const size_t length = 40u << 20;
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_writer *writer = begin(path);
	struct trace_event event = {.kind = TRACE_EV_END};
	unsigned char *bytes _cleanup_free_ = xmalloc(length);
	struct trace_reader *reader;
	size_t at = 0;
	bool end = false;

	fill(bytes, length, 42);
	memcpy(trace_writer_datum_reserve(writer, 0, TRACE_D_MEMORY, 0x1000, length + 5), bytes,
	       length);
	trace_writer_datum_trim(writer, length);
	trace_writer_commit(writer, 0, &event);
	no_error(trace_writer_finish(writer));
	trace_writer_destroy(writer);

	no_error(trace_reader_open(path, &reader));
	no_error(trace_reader_next(reader, &event, &end));
	assert_false(end);
	assert_int_equal(event.data_count, 10);
	while (!end) {
		struct trace_datum_view view;

		no_error(trace_reader_datum(reader, &view, &end));
		if (end)
			break;
		assert_int_equal(view.addr, 0x1000 + at);
		assert_memory_equal(view.bytes, bytes + at, view.length);
		at += view.length;
	}
	assert_int_equal(at, length);
	trace_reader_destroy(reader);
}

/* More groups than a process may have files open. */
static void test_many_groups(void **state)
{
	enum {
		MANY = 1500
	};
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_writer *writer = begin(path);
	struct trace_event event = {.kind = TRACE_EV_SYSCALL};
	struct trace_reader *reader;
	bool end;

	for (unsigned i = 0; i < 2 * MANY; i++) {
		trace_writer_datum(writer, i % MANY, TRACE_D_MEMORY, i, &i, sizeof(i));
		trace_writer_commit(writer, i % MANY, &event);
		if (i % 3 == 0)
			trace_writer_group_end(writer, i % MANY);
	}
	event.kind = TRACE_EV_END;
	trace_writer_commit(writer, 0, &event);
	no_error(trace_writer_finish(writer));
	trace_writer_destroy(writer);

	no_error(trace_reader_open(path, &reader));
	for (unsigned i = 0; i < 2 * MANY; i++) {
		struct trace_datum_view view;

		no_error(trace_reader_next(reader, &event, &end));
		assert_false(end);
		assert_int_equal(trace_reader_group(reader), i % MANY);
		no_error(trace_reader_datum(reader, &view, &end));
		assert_memory_equal(view.bytes, &i, sizeof(i));
	}
	no_error(trace_reader_next(reader, &event, &end));
	assert_int_equal(event.kind, TRACE_EV_END);
	trace_reader_destroy(reader);
}

/* What was committed reaches the disk without anything more being done. */
static void test_flush_by_age(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_writer *writer = begin(path);
	struct trace_reader *reader = NULL;
	struct pollfd changes = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
	char happened[4096];

	assert_true(inotify_add_watch(changes.fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0);
	write_event(writer, 1, false);
	trace_writer_datum(writer, group_for(2), TRACE_D_NAME, 0, "unfinished", 10);
	for (;;) {
		error_free(trace_reader_open(path, &reader));
		if (reader)
			break;
		assert_int_equal(poll(&changes, 1, 20000), 1);
		assert_true(read(changes.fd, happened, sizeof(happened)) > 0);
	}
	close(changes.fd);
	assert_int_equal(read_from(reader, 1), 1);
	assert_int_equal(trace_reader_state(reader), TRACE_CUT);
	assert_null(trace_reader_damage(reader));
	trace_reader_destroy(reader);
	trace_writer_destroy(writer);
}

/* ---- cut and damaged recordings ---- */

static const char *const streams[] = {"events.0", "events.1", "events.2",
				      "data.0",	  "data.1",   "data.2"};

/* Reads all of it: whatever comes must be right. The error of opening, or NULL. */
static struct error *read_prefix(const char *path, uint64_t *events, enum trace_state *how,
				 char **damage)
{
	struct trace_reader *reader;

	*damage = NULL;
	try(trace_reader_open(path, &reader));
	*events = read_from(reader, 1);
	*how = trace_reader_state(reader);
	if (trace_reader_damage(reader))
		*damage = xstrdup(trace_reader_damage(reader));
	trace_reader_destroy(reader);
	return NULL;
}

/* `how` must not be TRACE_COMPLETE unless all events came. */
static void check_prefix(const char *path, uint64_t all)
{
	enum trace_state how;
	uint64_t events;
	char *damage;
	struct error *error = read_prefix(path, &events, &how, &damage);

	if (error) {
		error_free(error);
		return;
	}
	assert_true(events <= all);
	if (events == all)
		assert_int_equal(how, TRACE_COMPLETE);
	else
		assert_int_not_equal(how, TRACE_COMPLETE);
	if (how == TRACE_DAMAGED) {
		char *part _cleanup_free_ =
			xasprintf("damaged at event %llu", (unsigned long long)events + 1);

		assert_non_null(damage);
		assert_non_null(strstr(damage, part));
	} else {
		assert_null(damage);
	}
	free(damage);
}

/* A recording with many small frames: every few events each group is handed over. */
static void write_small_frames(const char *path, uint64_t events)
{
	struct trace_writer *writer = begin(path);

	for (uint64_t number = 1; number <= events; number++) {
		struct trace_event event = event_for(number, number == events);
		unsigned char bytes[300];

		if (number % 3) {
			fill(bytes, sizeof(bytes), mix(number));
			trace_writer_datum(writer, group_for(number), TRACE_D_MEMORY, number, bytes,
					   sizeof(bytes));
		}
		trace_writer_commit(writer, group_for(number), &event);
		if (number % 5 == 0)
			for (unsigned group = 0; group < GROUPS; group++)
				trace_writer_group_end(writer, group);
	}
	no_error(trace_writer_finish(writer));
	trace_writer_destroy(writer);
}

/* Reads a recording of write_small_frames(). */
static uint64_t read_small_frames(struct trace_reader *reader)
{
	for (uint64_t number = 1;; number++) {
		struct trace_event event;
		struct trace_datum_view view;
		unsigned char bytes[300];
		bool end;

		no_error(trace_reader_next(reader, &event, &end));
		if (end)
			return number - 1;
		assert_int_equal(event.number, number);
		assert_int_equal(event.regs[3], mix(number * TRACE_REGS + 3));
		no_error(trace_reader_datum(reader, &view, &end));
		assert_int_equal(end, number % 3 == 0);
		fill(bytes, sizeof(bytes), mix(number));
		if (!end)
			assert_memory_equal(view.bytes, bytes, sizeof(bytes));
	}
}

/* Opens and reads a changed recording of write_small_frames(); it may be refused, but not wrong. */
static void check_small_frames(const char *path, uint64_t all, const char *what, size_t place)
{
	struct trace_reader *reader;
	struct error *error = trace_reader_open(path, &reader);

	if (error) {
		error_free(error);
		return;
	}
	uint64_t events = read_small_frames(reader);
	enum trace_state how = trace_reader_state(reader);
	const char *damage = trace_reader_damage(reader);

	if ((events == all) != (how == TRACE_COMPLETE))
		fail_msg("%s, byte %zu: %llu events, state %d", what, place,
			 (unsigned long long)events, how);
	if ((how == TRACE_DAMAGED) != (damage != NULL))
		fail_msg("%s, byte %zu: state %d, damage %s", what, place, how, damage);
	trace_reader_destroy(reader);
}

/* Few enough that every byte can be tried. */
#define SMALL 20u

static void test_truncated_anywhere(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");

	write_small_frames(path, SMALL);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		char *file _cleanup_free_ = xasprintf("%s/%s", path, streams[i]);
		struct bytes whole = slurp(file);

		for (size_t length = whole.count; length-- > 0;) {
			assert_false(truncate(file, length));
			check_small_frames(path, SMALL, streams[i], length);
		}
		spill(file, whole.items, whole.count);
		vec_deinit(&whole);
	}
	check_small_frames(path, SMALL, "whole", 0);
}

static void test_flipped_anywhere(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_reader *reader;

	write_small_frames(path, SMALL);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		char *file _cleanup_free_ = xasprintf("%s/%s", path, streams[i]);
		struct bytes whole = slurp(file);

		for (size_t at = 0; at < whole.count; at++) {
			unsigned char changed = whole.items[at] ^ 1 << at % 8;

			patch(file, at, &changed, 1);
			struct error *error = trace_reader_open(path, &reader);

			if (!error) {
				/* Every byte is under some checksum: not all can come. */
				assert_true(read_small_frames(reader) < SMALL);
				assert_int_equal(trace_reader_state(reader), TRACE_DAMAGED);
				assert_non_null(trace_reader_damage(reader));
				trace_reader_destroy(reader);
			}
			error_free(error);
			patch(file, at, &whole.items[at], 1);
		}
		vec_deinit(&whole);
	}
	check_small_frames(path, SMALL, "whole", 0);
}

/* The recorder was killed: the last frames of a stream are missing, and so is the end. */
static void test_cut_short(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_writer *writer = begin(path);
	enum trace_state how;
	uint64_t events;
	char *damage;

	for (uint64_t number = 1; number <= 2500; number++)
		write_event(writer, number, false);
	trace_writer_destroy(writer);
	no_error(read_prefix(path, &events, &how, &damage));
	assert_int_equal(events, 2500);
	assert_int_equal(how, TRACE_CUT);
	assert_null(damage);

	char *file _cleanup_free_ = xasprintf("%s/events.1", path);
	struct stat status;

	assert_false(stat(file, &status));
	assert_false(truncate(file, status.st_size - 1));
	no_error(read_prefix(path, &events, &how, &damage));
	assert_true(events < 2500);
	assert_int_equal(how, TRACE_CUT);
	assert_null(damage);
}

/* The data of the last event did not reach the disk (loss of power): it ends before that event. */
static void test_data_cut_short(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	char *file _cleanup_free_ = in_scratch("r/data.0");
	struct trace_writer *writer = begin(path);
	struct trace_event event = {.kind = TRACE_EV_SYSCALL};
	struct trace_reader *reader;
	struct stat status;
	bool end;

	for (int i = 0; i < 2; i++) {
		trace_writer_datum(writer, 0, TRACE_D_NAME, 0, "name", 4);
		trace_writer_commit(writer, 0, &event);
		trace_writer_group_end(writer, 0);
	}
	trace_writer_destroy(writer);
	assert_false(stat(file, &status));
	assert_false(truncate(file, status.st_size - 1));
	no_error(trace_reader_open(path, &reader));
	no_error(trace_reader_next(reader, &event, &end));
	assert_false(end);
	no_error(trace_reader_next(reader, &event, &end));
	assert_true(end);
	assert_int_equal(trace_reader_state(reader), TRACE_CUT);
	assert_null(trace_reader_damage(reader));
	trace_reader_destroy(reader);
}

static void test_damage_is_named(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	char *file _cleanup_free_ = xasprintf("%s/r/events.0", scratch);
	struct trace_reader *reader;
	struct stat status;

	write_small_frames(path, 40);
	assert_false(stat(file, &status));
	int fd = open(file, O_RDWR);
	unsigned char byte;

	assert_int_equal(pread(fd, &byte, 1, status.st_size - 1), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, status.st_size - 1), 1);
	close(fd);
	no_error(trace_reader_open(path, &reader));
	uint64_t events = read_small_frames(reader);
	char *first _cleanup_free_ =
		xasprintf("is damaged at event %llu (stream events.0, frame at byte ",
			  (unsigned long long)events + 1);
	char *second _cleanup_free_ = xasprintf(
		"checksum differs); it can be used up to event %llu", (unsigned long long)events);

	assert_non_null(strstr(trace_reader_damage(reader), first));
	assert_non_null(strstr(trace_reader_damage(reader), second));
	trace_reader_destroy(reader);
}

static void test_missing_stream(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	char *file _cleanup_free_ = xasprintf("%s/r/events.%u", scratch, group_for(20));

	write_small_frames(path, 40);
	assert_false(unlink(file));
	if (group_for(40) != group_for(20)) {
		struct trace_reader *reader;

		no_error(trace_reader_open(path, &reader));
		assert_int_equal(trace_reader_state(reader), TRACE_DAMAGED);
		assert_true(read_small_frames(reader) < 20);
		assert_non_null(trace_reader_damage(reader));
		trace_reader_destroy(reader);
	}
	check_small_frames(path, 40, "missing", 0);
}

/* ---- what is refused ---- */

static void test_refusals(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *plain _cleanup_free_ = in_scratch("plain");
	char *empty _cleanup_free_ = in_scratch("empty"), *none _cleanup_free_ = in_scratch("none");
	char *meta _cleanup_free_ = in_scratch("r/meta");
	uint32_t version = TRACE_VERSION + 1;
	uint64_t features = 4;

	spill(plain, "x", 1);
	refuse(plain, "not a directory");
	refuse(none, "there is no recording");
	refuse(scratch, "is not a recording: it has no file 'meta'");
	trace_writer_destroy(begin(empty));
	refuse(empty, "is empty: no whole block");

	write_recording(path, 10);
	struct bytes whole = slurp(meta);

	patch(meta, offsetof(struct trace_meta_header, version), &version, sizeof(version));
	patch(meta, offsetof(struct trace_meta_header, writer), "warp 9.8\0", 9);
	refuse(path, "version 4, written by warp 9.8;");
	spill(meta, whole.items, whole.count);
	patch(meta, offsetof(struct trace_meta_header, features), &features, sizeof(features));
	refuse(path, "features (mask 0x4)");
	spill(meta, "something else altogether", 25);
	refuse(path, "is of something else");
	spill(meta, whole.items, whole.count);
	for (size_t length = whole.count; length-- > 0;) {
		assert_false(truncate(meta, length));
		refuse(path, "is cut short");
	}
	spill(meta, whole.items, whole.count);
	for (size_t at = 0; at < whole.count; at++) {
		struct trace_reader *reader;

		patch(meta, at, (unsigned char[]){whole.items[at] ^ 16}, 1);
		struct error *error = trace_reader_open(path, &reader);

		assert_non_null(error);
		error_free(error);
		patch(meta, at, &whole.items[at], 1);
	}
	vec_deinit(&whole);
}

static void test_meta(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_meta meta = example_meta();
	struct trace_reader *reader;

	write_recording(path, 3);
	no_error(trace_reader_open(path, &reader));
	const struct trace_meta *got = trace_reader_meta(reader);

	assert_string_equal(got->writer, meta.writer);
	assert_string_equal(got->machine, meta.machine);
	assert_string_equal(got->kernel, meta.kernel);
	assert_string_equal(got->executable, "/usr/bin/prog");
	assert_string_equal(got->directory, meta.directory);
	assert_int_equal(got->command.count, 3);
	assert_string_equal(got->command.items[1], "an argument");
	assert_string_equal(got->command.items[2], "");
	assert_int_equal(got->environment.count, 1);
	assert_int_equal(got->cpuids.count, 1);
	assert_int_equal(got->cpuids.items[0].edx, 6);
	assert_int_equal(got->numbers.flags, TRACE_META_TSC_TRAPPED);
	assert_int_equal(got->numbers.page_size, sysconf(_SC_PAGESIZE));
	trace_reader_destroy(reader);
	trace_meta_deinit(&meta);
}

static void test_existing_directory(void **state)
{
	struct trace_meta meta = example_meta();
	struct trace_writer *writer;

	expect_error(trace_writer_create(scratch, &meta, NULL, &writer), "it exists already");
	trace_meta_deinit(&meta);
}

/* Frames from a stranger: right checksums, wrong content. */
static void put_frame(const char *path, enum trace_stream stream, const void *raw, size_t length,
		      struct trace_frame_info info)
{
	struct trace_stream_out out = {.stream = stream};
	struct trace_encoder encoder;
	char file[TRACE_STREAM_NAME];
	int directory = open(path, O_RDONLY | O_DIRECTORY);

	trace_stream_name(file, stream, 0);
	unlinkat(directory, file, 0);
	trace_encoder_init(&encoder);
	no_error(trace_stream_append(directory, path, &out, &encoder, &info, raw, length));
	trace_encoder_deinit(&encoder);
	close(directory);
}

/* One event with the data given must be refused, naming `why`. */
static void refuse_event(const char *path, struct trace_event event, const void *data,
			 size_t length, const char *why)
{
	struct trace_reader *reader;
	struct trace_event got;
	bool end;

	put_frame(path, TRACE_STREAM_DATA, data, length, (struct trace_frame_info){0});
	put_frame(path, TRACE_STREAM_EVENTS, &event, sizeof(event),
		  (struct trace_frame_info){.count = 1, .first = 1, .last = 1});
	no_error(trace_reader_open(path, &reader));
	no_error(trace_reader_next(reader, &got, &end));
	assert_true(end);
	assert_non_null(trace_reader_damage(reader));
	if (!strstr(trace_reader_damage(reader), why))
		fail_msg("the damage is '%s'; expected: %s", trace_reader_damage(reader), why);
	trace_reader_destroy(reader);
}

static void test_hostile_events(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	const struct trace_event good = {
		.number = 1, .kind = TRACE_EV_END, .data_count = 1, .data_length = 32};
	struct {
		struct trace_datum datum;
		uint64_t word;
	} data = {.datum = {.kind = TRACE_D_MEMORY, .length = 8}};
	struct trace_event event;

	trace_writer_destroy(begin(path));
#define REFUSE(field, value, why)                                    \
	do {                                                         \
		event = good;                                        \
		event.field = (value);                               \
		refuse_event(path, event, &data, sizeof(data), why); \
	} while (0)
	REFUSE(kind, TRACE_EV_KINDS, "of no kind");
	REFUSE(kind, 0, "of no kind");
	REFUSE(number, 2, "not those that its header says");
	REFUSE(data_count, UINT32_MAX, "fewer data records");
	REFUSE(data_count, 0, "no data records");
	REFUSE(data_offset, 4, "not where it can be");
	REFUSE(data_offset, UINT64_MAX - 7, "not where it can be");
	REFUSE(data_offset, 1u << 20, "ends before byte");
	REFUSE(data_length, 24, "impossible length");
	REFUSE(data_length, UINT64_MAX, "more data records");
	REFUSE(data_length, 1ull << 40, "more data records");
#undef REFUSE
	data.datum.length = UINT64_MAX;
	refuse_event(path, good, &data, sizeof(data), "impossible length");
	data.datum.length = 8;
	data.datum.kind = TRACE_D_MAPPING;
	refuse_event(path, good, &data, sizeof(data), "a mapping has no size");
	data.datum.kind = TRACE_D_KINDS;
	refuse_event(path, good, &data, sizeof(data), "of no kind");
}

/* Events that share their data could make a reader decompress it again and again. */
static void test_hostile_shared_data(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	struct trace_datum data = {.kind = TRACE_D_MEMORY};
	struct trace_event events[2], got;
	struct trace_reader *reader;
	bool end;

	trace_writer_destroy(begin(path));
	for (uint64_t i = 0; i < 2; i++)
		events[i] = (struct trace_event){.number = i + 1,
						 .kind = TRACE_EV_SYSCALL,
						 .data_count = 1,
						 .data_length = sizeof(data)};
	put_frame(path, TRACE_STREAM_DATA, &data, sizeof(data), (struct trace_frame_info){0});
	put_frame(path, TRACE_STREAM_EVENTS, events, sizeof(events),
		  (struct trace_frame_info){.count = 2, .first = 1, .last = 2});
	no_error(trace_reader_open(path, &reader));
	no_error(trace_reader_next(reader, &got, &end));
	assert_false(end);
	no_error(trace_reader_next(reader, &got, &end));
	assert_true(end);
	assert_non_null(strstr(trace_reader_damage(reader), "not where it can be"));
	trace_reader_destroy(reader);
}

/* ---- failing system calls ---- */

/* No stream ends within a frame. */
static void check_not_torn(const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY);
	struct trace_stream_in in;

	for (unsigned group = 0; group < GROUPS; group++) {
		for (unsigned stream = TRACE_STREAM_EVENTS; stream <= TRACE_STREAM_DATA; stream++) {
			no_error(trace_stream_scan(directory, path, stream, group, &in));
			assert_true(in.length == 0 || !in.torn);
			assert_null(in.damage);
			trace_stream_in_deinit(&in);
		}
	}
	close(directory);
}

static int writes_left;
static int fail_with;

static ssize_t failing_write(int fd, const void *bytes, size_t length)
{
	if (__atomic_sub_fetch(&writes_left, 1, __ATOMIC_SEQ_CST) >= 0)
		return write(fd, bytes, length);
	/* A full disk takes a part first. */
	if (__atomic_load_n(&writes_left, __ATOMIC_SEQ_CST) == -1 && length > 10)
		return write(fd, bytes, length / 2);
	errno = fail_with;
	return -1;
}

static void test_full_disk(void **state)
{
	/* The first two are `meta` and `stopped`, without which nothing is begun. */
	for (int writes = 2; writes < 10; writes++) {
		char *path _cleanup_free_ = xasprintf("%s/r%d", scratch, writes);
		struct trace_writer *writer;
		enum trace_state how;
		uint64_t events;
		char *damage;

		writes_left = writes;
		fail_with = ENOSPC;
		os.write = failing_write;
		writer = begin(path);
		for (uint64_t number = 1; number <= 2500; number++)
			write_event(writer, number, number == 2500);
		struct error *error = trace_writer_finish(writer);

		assert_non_null(error);
		assert_int_equal(error->os_errno, ENOSPC);
		assert_non_null(strstr(error->text, "No space left on device"));
		error_free(error);
		trace_writer_destroy(writer);
		check_not_torn(path);
		error = read_prefix(path, &events, &how, &damage);
		if (!error) {
			assert_int_equal(how, TRACE_CUT);
			assert_true(events < 2500);
		}
		error_free(error);
	}
}

/* The Nth call of any kind fails while a recording is made: an error, and never a wrong event. */
static int calls_left;

static bool fails(void)
{
	errno = EIO;
	return __atomic_fetch_sub(&calls_left, 1, __ATOMIC_SEQ_CST) == 0;
}

static int fail_openat(int directory, const char *path, int flags, mode_t mode)
{
	return fails() ? -1 : os_real.openat(directory, path, flags, mode);
}

static ssize_t fail_write(int fd, const void *bytes, size_t length)
{
	return fails() ? -1 : os_real.write(fd, bytes, length);
}

static ssize_t fail_pread(int fd, void *buffer, size_t length, off_t offset)
{
	return fails() ? -1 : os_real.pread(fd, buffer, length, offset);
}

static int fail_mkdirat(int directory, const char *path, mode_t mode)
{
	return fails() ? -1 : os_real.mkdirat(directory, path, mode);
}

static int fail_renameat(int from, const char *old, int to, const char *new)
{
	return fails() ? -1 : os_real.renameat(from, old, to, new);
}

static struct error *record_once(const char *path, int mapped)
{
	struct trace_meta meta = example_meta();
	struct trace_writer *writer = NULL;
	struct error *error = trace_writer_create(path, &meta, NULL, &writer);
	struct stat status;
	uint32_t id;

	trace_meta_deinit(&meta);
	if (error)
		return error;
	assert_false(fstat(mapped, &status));
	error = trace_files_add(trace_writer_files(writer), mapped, "/mapped", &status, 0, &id);
	for (uint64_t number = 1; !error && number <= 20; number++)
		write_event(writer, number, number == 20);
	if (!error)
		error = trace_writer_finish(writer);
	trace_writer_destroy(writer);
	return error;
}

static void test_nth_call_fails(void **state)
{
	char *mapped _cleanup_free_ = in_scratch("mapped");
	int failed = 0;

	spill(mapped, "contents", 8);
	int fd _cleanup_fd_ = open(mapped, O_RDONLY);

	for (int nth = 0; nth < 40; nth++) {
		char *path _cleanup_free_ = xasprintf("%s/r%d", scratch, nth);

		calls_left = nth;
		os.openat = fail_openat;
		os.write = fail_write;
		os.pread = fail_pread;
		os.mkdirat = fail_mkdirat;
		os.renameat = fail_renameat;
		struct error *error = record_once(path, fd);
		bool hit = __atomic_load_n(&calls_left, __ATOMIC_SEQ_CST) < 0;

		os = os_real;
		assert_int_equal(hit, error != NULL);
		failed += hit;
		if (error)
			assert_int_equal(error->os_errno, EIO);
		error_free(error);
		check_prefix(path, 20);
	}
	assert_true(failed > 10 && failed < 40);
}

/* The same while one is read. */
static void test_nth_call_of_reader_fails(void **state)
{
	char *path _cleanup_free_ = in_scratch("r");
	int failed = 0;

	write_small_frames(path, 20);
	for (int nth = 0; nth < 100; nth++) {
		struct trace_reader *reader = NULL;
		struct trace_event event;
		bool end = false;

		calls_left = nth;
		os.openat = fail_openat;
		os.pread = fail_pread;
		struct error *error = trace_reader_open(path, &reader);

		while (!error && !end)
			error = trace_reader_next(reader, &event, &end);
		assert_int_equal(calls_left < 0, error != NULL);
		failed += error != NULL;
		error_free(error);
		trace_reader_destroy(reader);
	}
	assert_true(failed > 10 && failed < 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, drop_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_seek),
		TEST(test_find),
		TEST(test_padding),
		TEST(test_large_datum),
		TEST(test_many_groups),
		TEST(test_flush_by_age),
		TEST(test_truncated_anywhere),
		TEST(test_flipped_anywhere),
		TEST(test_cut_short),
		TEST(test_data_cut_short),
		TEST(test_damage_is_named),
		TEST(test_missing_stream),
		TEST(test_refusals),
		TEST(test_meta),
		TEST(test_existing_directory),
		TEST(test_hostile_events),
		TEST(test_hostile_shared_data),
		TEST(test_full_disk),
		TEST(test_nth_call_fails),
		TEST(test_nth_call_of_reader_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
