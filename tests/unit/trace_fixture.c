/* A directory for each test of recordings, files as bytes, recordings. */
#include "trace_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

/* ---- a temporary directory for each test ---- */

char *scratch;

int make_scratch(void **state)
{
	const char *base = getenv("TMPDIR");

	scratch = xasprintf("%s/warp-test-XXXXXX", base ? base : "/tmp");
	os = os_real;
	return mkdtemp(scratch) ? 0 : -1;
}

static void remove_tree(int parent, const char *name)
{
	if (!unlinkat(parent, name, 0))
		return;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		return;
	DIR *directory = fdopendir(fd);

	for (struct dirent *entry; (entry = readdir(directory));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree(fd, entry->d_name);
	closedir(directory);
	unlinkat(parent, name, AT_REMOVEDIR);
}

int drop_scratch(void **state)
{
	os = os_real;
	remove_tree(AT_FDCWD, scratch);
	free(take_ptr(scratch));
	return 0;
}

char *in_scratch(const char *name)
{
	return xasprintf("%s/%s", scratch, name);
}

void no_error(struct error *error)
{
	if (error)
		fail_msg("unexpected error: %s", error->text);
}

void expect_error(struct error *error, const char *part)
{
	if (!error)
		fail_msg("no error; expected one about: %s", part);
	if (!strstr(error->text, part))
		fail_msg("the error is '%s'; expected: %s", error->text, part);
	error_free(error);
}

/* ---- files as bytes ---- */

struct bytes slurp(const char *path)
{
	struct bytes bytes = {0};
	int fd = open(path, O_RDONLY);
	struct stat status;

	assert_true(fd >= 0 && !fstat(fd, &status));
	vec_reserve(&bytes, (size_t)status.st_size);
	assert_int_equal(read(fd, bytes.items, status.st_size), status.st_size);
	bytes.count = status.st_size;
	close(fd);
	return bytes;
}

void spill(const char *path, const void *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

void patch(const char *file, off_t offset, const void *bytes, size_t length)
{
	int fd = open(file, O_WRONLY);

	assert_int_equal(pwrite(fd, bytes, length, offset), length);
	close(fd);
}

/* ---- recordings ---- */

struct trace_meta example_meta(void)
{
	struct trace_meta meta;
	char *command[] = {"prog", "an argument", "", NULL};

	trace_meta_init_host(&meta);
	trace_texts_append(&meta.command, command);
	trace_texts_append(&meta.environment, (char *[]){"A=b", NULL});
	meta.executable = xstrdup("/usr/bin/prog");
	meta.numbers.flags = TRACE_META_TSC_TRAPPED;
	vec_push(&meta.cpuids, (struct trace_meta_cpuid){1, 2, 3, 4, 5, 6});
	return meta;
}

struct trace_writer *begin(const char *path)
{
	struct trace_meta meta = example_meta();
	struct trace_writer *writer;

	no_error(trace_writer_create(path, &meta, NULL, &writer));
	trace_meta_deinit(&meta);
	return writer;
}

void finish_with_end(struct trace_writer *writer)
{
	struct trace_event event = {.kind = TRACE_EV_END};

	trace_writer_commit(writer, 0, &event);
	no_error(trace_writer_finish(writer));
	trace_writer_destroy(writer);
}

void refuse(const char *path, const char *why)
{
	struct trace_reader *reader;

	expect_error(trace_reader_open(path, &reader), why);
}

uint32_t add_file(struct trace_writer *writer, const char *path, uint32_t flags)
{
	int fd _cleanup_fd_ = open(path, O_RDONLY);
	struct stat status;
	uint32_t id;

	assert_false(fstat(fd, &status));
	no_error(trace_files_add(trace_writer_files(writer), fd, path, &status, flags, &id));
	return id;
}
