/* Mapped files that recordings keep. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "trace/block.h"
#include "trace_fixture.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

static void check_contents(struct trace_reader *reader, uint32_t id, const void *bytes,
			   size_t length)
{
	unsigned char *got _cleanup_free_ = xmalloc(length + 1);
	int fd;

	no_error(trace_reader_file_open(reader, id, &fd));
	assert_int_equal(trace_reader_file(reader, id)->size, length);
	assert_int_equal(pread(fd, got, length + 1, 0), length);
	assert_memory_equal(got, bytes, length);
	close(fd);
}

/* Sets the times back by an hour: the file has been quiet. */
static void make_old(const char *path)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= 3600;
	times[1] = times[0];
	assert_false(utimensat(AT_FDCWD, path, times, 0));
}

static void test_files(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *one _cleanup_free_ = in_scratch("one");
	char *two _cleanup_free_ = in_scratch("two"), *hole _cleanup_free_ = in_scratch("hole");
	struct trace_writer *writer = begin(path);
	struct trace_reader *reader;
	struct stat status;
	uint32_t memory, name, flagged;

	spill(one, "first contents", 14);
	spill(two, "first contents", 14);
	spill(hole, "x", 1);
	assert_false(truncate(hole, 3u << 20));
	assert_int_equal(add_file(writer, one, 0), 0);
	assert_int_equal(add_file(writer, one, TRACE_FILE_SHARED), 0);
	assert_int_equal(add_file(writer, two, 0), 1);
	/* Changed right after it was read, at the same length: still noticed. */
	spill(one, "2nd contents..", 14);
	assert_int_equal(add_file(writer, one, 0), 2);
	assert_int_equal(add_file(writer, hole, 0), 3);
	no_error(trace_files_add_bytes(trace_writer_files(writer), "memory", 6, "SYSV1", 4,
				       &memory));
	assert_false(stat(one, &status));
	no_error(trace_files_add_name(trace_writer_files(writer), "/huge", &status, 0, &name));
	no_error(trace_files_add_flags(trace_writer_files(writer), 1, TRACE_FILE_WRITTEN));
	finish_with_end(writer);

	no_error(trace_reader_open(path, &reader));
	assert_int_equal(trace_files_count(trace_reader_files(reader)), 6);
	check_contents(reader, 0, "first contents", 14);
	check_contents(reader, 1, "first contents", 14);
	check_contents(reader, 2, "2nd contents..", 14);
	check_contents(reader, memory, "memory", 6);
	unsigned char *zeros _cleanup_free_ = xcalloc(1, 3u << 20);

	zeros[0] = 'x';
	check_contents(reader, 3, zeros, 3u << 20);
	assert_string_equal(trace_reader_file_path(reader, 0), one);
	flagged = trace_reader_file(reader, 0)->flags;
	assert_int_equal(flagged, TRACE_FILE_SHARED);
	assert_int_equal(trace_reader_file(reader, 1)->flags, TRACE_FILE_WRITTEN);
	assert_false(trace_file_has_contents(trace_reader_file(reader, name)));
	assert_null(trace_reader_file(reader, 6));
	assert_null(trace_reader_file_path(reader, 6));
	int fd;

	expect_error(trace_reader_file_open(reader, name, &fd), "does not have the contents");
	expect_error(trace_reader_file_open(reader, 6, &fd), "no mapped file 6");
	trace_reader_destroy(reader);

	/* Equal contents are one file. */
	char *stored _cleanup_free_ = xasprintf("%s/files.d/0", path);

	assert_false(stat(stored, &status));
	assert_int_equal(status.st_nlink, 2);
}

/* Holes are neither read nor kept, and make no difference: a terabyte of them costs nothing. */
static void test_sparse_files(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *sparse _cleanup_free_ = in_scratch("sparse");
	char *dense _cleanup_free_ = in_scratch("dense"), *huge _cleanup_free_ = in_scratch("huge");
	char *stored _cleanup_free_ = in_scratch("r/files.d/2");
	struct trace_writer *writer = begin(path);
	struct trace_reader *reader;
	const off_t size = (1 << 20) + 5;
	unsigned char *zeros _cleanup_free_ = xcalloc(1, size);
	struct stat status;
	int fd;

	memcpy(zeros + 500000, "middle", 6);
	memcpy(zeros + size - 3, "end", 3);
	spill(dense, zeros, size);
	spill(sparse, "", 0);
	spill(huge, "", 0);
	assert_false(truncate(sparse, size));
	patch(sparse, 500000, (const unsigned char *)"middle", 6);
	patch(sparse, size - 3, (const unsigned char *)"end", 3);
	assert_false(truncate(huge, 1ll << 40));
	patch(huge, 1ll << 39, (const unsigned char *)"x", 1);
	assert_int_equal(add_file(writer, dense, 0), 0);
	assert_int_equal(add_file(writer, sparse, 0), 1);
	assert_int_equal(add_file(writer, huge, 0), 2);
	finish_with_end(writer);

	no_error(trace_reader_open(path, &reader));
	check_contents(reader, 0, zeros, size);
	check_contents(reader, 1, zeros, size);
	assert_int_equal(trace_reader_file(reader, 2)->size, 1ll << 40);
	no_error(trace_reader_file_open(reader, 2, &fd));
	char byte;

	assert_int_equal(pread(fd, &byte, 1, 1ll << 39), 1);
	assert_int_equal(byte, 'x');
	close(fd);
	trace_reader_destroy(reader);
	assert_false(stat(stored, &status));
	assert_true(status.st_blocks * 512 < 1 << 20);
	char *first _cleanup_free_ = in_scratch("r/files.d/0");

	assert_false(stat(first, &status));
	assert_int_equal(status.st_nlink, 2);
}

/* Changes within one tick of the clock leave size and times as they were. (From Linux 6.13 on they
 * do not, if somebody asks: hence the same status each time.) */
static void test_quick_changes(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *one _cleanup_free_ = in_scratch("one");
	struct trace_writer *writer = begin(path);
	struct stat status;
	uint32_t id;

	spill(one, "????", 4);
	assert_false(stat(one, &status));
	/* Within the same tick, however slow the machine. */
	clock_gettime(CLOCK_REALTIME, &status.st_ctim);
	status.st_ctim.tv_sec += 3600;
	for (unsigned i = 0; i < 3; i++) {
		spill(one, &i, sizeof(i));
		int fd _cleanup_fd_ = open(one, O_RDONLY);

		no_error(trace_files_add(trace_writer_files(writer), fd, one, &status, 0, &id));
		assert_int_equal(id, i);
	}
	finish_with_end(writer);
}

static ssize_t no_pread(int fd, void *buffer, size_t length, off_t offset)
{
	fail_msg("a file was read that was known already");
	return -1;
}

static void test_known_file_is_not_read(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *known _cleanup_free_ = in_scratch("known");
	struct trace_writer *writer = begin(path);
	struct timespec now;
	struct stat status;

	spill(known, "contents", 8);
	make_old(known);
	/* The change time cannot be set: wait until the clock is past the doubtful time. */
	assert_false(stat(known, &status));
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while ((now.tv_sec - status.st_ctim.tv_sec) * 1000000000ll + now.tv_nsec -
		       status.st_ctim.tv_nsec <
	       30000000);
	assert_int_equal(add_file(writer, known, 0), 0);
	os.pread = no_pread;
	assert_int_equal(add_file(writer, known, 0), 0);
	os = os_real;
	finish_with_end(writer);
}

static void test_files_on_disk_tampered(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *one _cleanup_free_ = in_scratch("one");
	char *stored _cleanup_free_ = in_scratch("r/files.d/0");
	struct trace_writer *writer = begin(path);
	struct trace_reader *reader;
	int fd;

	spill(one, "some contents", 13);
	add_file(writer, one, 0);
	finish_with_end(writer);
	no_error(trace_reader_open(path, &reader));
	assert_false(truncate(stored, 12));
	expect_error(trace_reader_file_open(reader, 0, &fd), "has 12 bytes instead of 13");
	assert_false(unlink(stored));
	expect_error(trace_reader_file_open(reader, 0, &fd), "No such file");
	spill(stored, "some contentz", 13);
	expect_error(trace_reader_file_open(reader, 0, &fd), "are not what was kept");
	assert_false(unlink(stored));
	assert_false(symlink(one, stored));
	expect_error(trace_reader_file_open(reader, 0, &fd), "cannot open");
	assert_false(unlink(stored));
	assert_false(mkfifo(stored, 0600));
	expect_error(trace_reader_file_open(reader, 0, &fd), "not a regular file");
	trace_reader_destroy(reader);
}

/* The stream `files` cut anywhere: what is there is right. */
static void test_files_stream_truncated(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *one _cleanup_free_ = in_scratch("one");
	char *stream _cleanup_free_ = in_scratch("r/files");
	struct trace_writer *writer = begin(path);

	for (unsigned i = 0; i < 5; i++) {
		spill(one, &i, sizeof(i));
		assert_int_equal(add_file(writer, one, 0), i);
	}
	finish_with_end(writer);
	struct bytes whole = slurp(stream);
	uint32_t before = 5;

	for (size_t length = whole.count;; length--) {
		struct trace_reader *reader;

		assert_false(truncate(stream, length));
		no_error(trace_reader_open(path, &reader));
		uint32_t count = trace_files_count(trace_reader_files(reader));

		assert_true(length < whole.count ? count <= before : count == 5);
		for (unsigned i = 0; i < count; i++)
			check_contents(reader, i, &i, sizeof(i));
		before = count;
		trace_reader_destroy(reader);
		if (!length)
			break;
	}
	assert_int_equal(before, 0);
	vec_deinit(&whole);
}

/* Events 1 to 3, of which the second maps the file. */
static void write_mapping(const char *path, uint32_t file)
{
	struct trace_writer *writer = begin(path);
	char *one _cleanup_free_ = in_scratch("one");
	struct trace_mapping mapping = {.file = file};

	spill(one, "contents", 8);
	assert_int_equal(add_file(writer, one, 0), 0);
	for (uint64_t number = 1; number <= 2; number++) {
		struct trace_event event = {.number = number, .kind = TRACE_EV_SYSCALL};

		if (number == 2)
			trace_writer_datum(writer, 0, TRACE_D_MAPPING, 0, &mapping,
					   sizeof(mapping));
		trace_writer_commit(writer, 0, &event);
	}
	struct trace_event end = {.number = 3, .kind = TRACE_EV_END};

	trace_writer_commit(writer, 0, &end);
	no_error(trace_writer_finish(writer));
	trace_writer_destroy(writer);
}

/* `events` of the recording can be read, and what is wrong after them is said. */
static void expect_damage(const char *path, unsigned events, const char *why)
{
	struct trace_reader *reader;
	struct trace_event event;
	unsigned count = 0;
	bool end;

	no_error(trace_reader_open(path, &reader));
	for (;; count++) {
		no_error(trace_reader_next(reader, &event, &end));
		if (end)
			break;
	}
	assert_int_equal(count, events);
	assert_int_equal(trace_reader_state(reader), TRACE_DAMAGED);
	assert_non_null(trace_reader_damage(reader));
	assert_non_null(strstr(trace_reader_damage(reader), why));
	trace_reader_destroy(reader);
}

/* Every byte of the stream `files` is missed, and so is a file that is not in it at all. */
static void test_files_stream_damaged(void **state)
{
	char *path _cleanup_free_ = in_scratch("r"), *stream _cleanup_free_ = in_scratch("r/files");
	char *none _cleanup_free_ = in_scratch("none");

	write_mapping(path, 0);
	struct bytes whole = slurp(stream);

	for (size_t at = 0; at < whole.count; at++) {
		unsigned char wrong = whole.items[at] ^ 0x55;

		patch(stream, (off_t)at, &wrong, 1);
		expect_damage(path, 1, "is damaged at event 2 (stream files, ");
		patch(stream, (off_t)at, &whole.items[at], 1);
	}
	for (size_t length = 0; length < whole.count; length++) {
		assert_false(truncate(stream, (off_t)length));
		expect_damage(path, 1, "is damaged at event 2 (stream files, ");
	}
	write_mapping(none, 1);
	expect_damage(none, 1, "it needs mapped file 1");
	char *second _cleanup_free_ = in_scratch("second");
	char *torn _cleanup_free_ = in_scratch("second/files");

	/* As long as it is: times compress differently. */
	vec_deinit(&whole);
	write_mapping(second, TRACE_NO_FILE);
	whole = slurp(torn);
	assert_false(truncate(torn, (off_t)whole.count - 1));
	expect_damage(second, 3, "is damaged (stream files, ");
	vec_deinit(&whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, drop_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files),
		TEST(test_sparse_files),
		TEST(test_quick_changes),
		TEST(test_known_file_is_not_read),
		TEST(test_files_on_disk_tampered),
		TEST(test_files_stream_truncated),
		TEST(test_files_stream_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
