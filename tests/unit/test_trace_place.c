/* Where recordings are, and how they are called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/place.h"
#include "trace_fixture.h"
#include "util/alloc.h"
#include "util/cleanup.h"

static int make_place(void **state)
{
	if (make_scratch(state))
		return -1;
	unsetenv("XDG_DATA_HOME");
	return setenv("WARP_TRACE_DIR", scratch, 1);
}

static void test_default_place(void **state)
{
	char *path;

	setenv("WARP_TRACE_DIR", "/a", 1);
	setenv("XDG_DATA_HOME", "/b", 1);
	setenv("HOME", "/c", 1);
	no_error(trace_place_default(&path));
	assert_string_equal(path, "/a");
	free(path);
	setenv("WARP_TRACE_DIR", "", 1);
	no_error(trace_place_default(&path));
	assert_string_equal(path, "/b/warp");
	free(path);
	setenv("XDG_DATA_HOME", "relative", 1);
	no_error(trace_place_default(&path));
	assert_string_equal(path, "/c/.local/share/warp");
	free(path);
}

/* A recording in the default place. */
static char *record_in_place(const char *program)
{
	struct trace_meta meta = example_meta();
	struct trace_writer *writer;
	char *path;

	no_error(trace_place_make(program, &path));
	no_error(trace_writer_create_in(path, &meta, NULL, &writer));
	trace_meta_deinit(&meta);
	finish_with_end(writer);
	return path;
}

static void test_names_and_latest(void **state)
{
	char *first _cleanup_free_ = record_in_place("/usr/bin/prog");
	char *second _cleanup_free_ = record_in_place("prog");
	char *dotted _cleanup_free_ = record_in_place("/bin/.hidden");
	char *expected _cleanup_free_ = in_scratch("prog-0");
	char *expected_second _cleanup_free_ = in_scratch("prog-1");
	char *found;

	assert_string_equal(first, expected);
	assert_string_equal(second, expected_second);
	assert_int_not_equal(dotted[strlen(scratch) + 1], '.');
	/* Without the link: the newest. */
	no_error(trace_place_find(NULL, &found));
	free(found);
	no_error(trace_place_set_latest(second));
	no_error(trace_place_set_latest(first));
	no_error(trace_place_set_latest("/somewhere/else"));
	no_error(trace_place_find(NULL, &found));
	assert_string_equal(found, first);
	free(found);
	no_error(trace_place_find("prog-1", &found));
	assert_string_equal(found, second);
	free(found);
	no_error(trace_place_find(second, &found));
	assert_string_equal(found, second);
	free(found);
	expect_error(trace_place_find("prog-7", &found), "there is no recording prog-7");
}

/* A file that is called like a recording, the recorded program itself say, does not hide it. */
static void test_names_of_files(void **state)
{
	char *recording _cleanup_free_ = record_in_place("/usr/bin/test_names_of_files");
	FILE *file = fopen("test_names_of_files-0", "w");
	char *found;

	assert_non_null(file);
	fclose(file);
	struct error *error = trace_place_find("test_names_of_files-0", &found);

	unlink("test_names_of_files-0");
	no_error(error);
	assert_string_equal(found, recording);
	free(found);
}

static void test_list_and_remove(void **state)
{
	char *first _cleanup_free_ = record_in_place("prog");
	char *second _cleanup_free_ = record_in_place("prog");
	char *other _cleanup_free_ = in_scratch("other"), *found;
	char *linked _cleanup_free_ = in_scratch("linked");
	char *stranger _cleanup_free_ = xasprintf("%s/notes", second);
	struct trace_place_list list;

	assert_false(mkdir(other, 0700));
	assert_false(symlink("prog-0", linked));
	no_error(trace_place_set_latest(first));
	no_error(trace_place_list(&list));
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0].name, "prog-0");
	assert_string_equal(list.items[1].path, second);
	trace_place_list_deinit(&list);

	expect_error(trace_place_remove(other), "it is not a recording");
	expect_error(trace_place_remove(linked), "not a directory");
	spill(stranger, "mine", 4);
	expect_error(trace_place_remove(second), "'notes' in it is no part of a recording");
	refuse(other, "no file 'meta'");
	assert_false(access(stranger, F_OK));
	no_error(trace_place_remove(first));
	assert_int_not_equal(access(first, F_OK), 0);
	/* The link went with it: the newest that is left. */
	no_error(trace_place_find(NULL, &found));
	assert_string_equal(found, second);
	free(found);
	no_error(trace_place_list(&list));
	assert_int_equal(list.count, 1);
	trace_place_list_deinit(&list);
}

/* Two processes take names at the same time: all are different. */
static void test_names_are_unique(void **state)
{
	enum {
		EACH = 100
	};
	unsigned made = 0;
	pid_t child = fork();

	for (int i = 0; i < EACH; i++) {
		char *path;

		no_error(trace_place_make("prog", &path));
		free(path);
	}
	if (!child)
		_exit(0);
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2 * EACH; i++) {
		char *path _cleanup_free_ = xasprintf("%s/prog-%d", scratch, i);

		made += !access(path, F_OK);
	}
	/* A name that both had got would leave one of them unmade. */
	assert_int_equal(made, 2 * EACH);
}

static void test_unwritable_place(void **state)
{
	char *file _cleanup_free_ = in_scratch("file"),
		   *below _cleanup_free_ = in_scratch("file/x");
	char *path;

	spill(file, "", 0);
	setenv("WARP_TRACE_DIR", below, 1);
	expect_error(trace_place_make("prog", &path), "set WARP_TRACE_DIR");
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, make_place, drop_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(test_default_place),    PLACE(test_names_and_latest),
		PLACE(test_default_place),    PLACE(test_names_of_files),
		PLACE(test_list_and_remove),  PLACE(test_names_are_unique),
		PLACE(test_unwritable_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
