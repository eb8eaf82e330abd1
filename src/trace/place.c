/* Where recordings are.
 *
 * Invariants: names are made by mkdir(2), so that two recorders never get the same one; `latest` is
 * replaced by rename(2), so that it always is there; removing deletes only names that a recording
 * has, `meta` last, so that an interrupted removal can be repeated. */
#include "trace/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "abi/trace_abi.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

#define LATEST "latest"

static void cleanup_directory_(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

#define _cleanup_directory_ _cleanup_(cleanup_directory_)

/* ---- the default place ---- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

struct error *trace_place_default(char **path)
{
	const char *value = variable("WARP_TRACE_DIR");

	if (value) {
		*path = xstrdup(value);
		return NULL;
	}
	value = variable("XDG_DATA_HOME");
	if (value && *value == '/') {
		*path = xasprintf("%s/warp", value);
		return NULL;
	}
	value = variable("HOME");
	if (!value) {
		const struct passwd *user = getpwuid(getuid());

		value = user ? user->pw_dir : NULL;
	}
	if (!value || !*value)
		return error_new("cannot tell where recordings are kept: there is no home "
				 "directory; set WARP_TRACE_DIR");
	*path = xasprintf("%s/.local/share/warp", value);
	return NULL;
}

/* mkdir -p */
static struct error *make_directories(const char *path)
{
	char *part _cleanup_free_ = xstrdup(path);

	for (char *at = part + 1;; at++) {
		char separator = *at;

		if (separator && separator != '/')
			continue;
		*at = 0;
		if (os.mkdirat(AT_FDCWD, part, 0700) && errno != EEXIST)
			return error_os(errno,
					"cannot make the directory %s for recordings (set "
					"WARP_TRACE_DIR to use another place)",
					part);
		*at = separator;
		if (!separator)
			return NULL;
	}
}

/* The last part of a program's path, fit to be the beginning of a file name. */
static char *base_name(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash ? slash + 1 : program;
	/* Room for the number within NAME_MAX. */
	char *name = strndup(base, 200);

	if (!name)
		alloc_failed(200);
	if (!*name || *name == '.') {
		free(name);
		name = xasprintf("program%s", *base ? base : "");
	}
	return name;
}

struct error *trace_place_make(const char *program, char **path)
{
	char *place _cleanup_free_ = NULL;
	char *name _cleanup_free_ = base_name(program);

	try(trace_place_default(&place));
	try(make_directories(place));
	for (unsigned number = 0; number < UINT_MAX; number++) {
		char *wanted _cleanup_free_ = xasprintf("%s/%s-%u", place, name, number);

		if (!os.mkdirat(AT_FDCWD, wanted, 0700)) {
			*path = take_ptr(wanted);
			return NULL;
		}
		if (errno != EEXIST)
			return error_os(errno,
					"cannot make the directory %s for the recording (name "
					"another one with -o, or set WARP_TRACE_DIR to use another "
					"place)",
					wanted);
	}
	return error_new("cannot find a free name for a recording of %s in %s", name, place);
}

/* ---- `latest` ---- */

/* If `path` is a directory directly in `place`, its name there (in `path`), else NULL. */
static const char *name_in(const char *place, const char *path)
{
	size_t length = strlen(place);

	while (length > 1 && place[length - 1] == '/')
		length--;
	if (strncmp(path, place, length) || path[length] != '/')
		return NULL;
	path += length;
	while (*path == '/')
		path++;
	return *path && !strchr(path, '/') ? path : NULL;
}

struct error *trace_place_set_latest(const char *path)
{
	char *place _cleanup_free_ = NULL;

	try(trace_place_default(&place));
	const char *name = name_in(place, path);

	if (!name)
		return NULL;
	char *link _cleanup_free_ = xasprintf("%s/" LATEST, place);
	/* A name of our own: two recorders may do this at the same time. */
	char *temporary _cleanup_free_ = xasprintf("%s/." LATEST ".%d", place, (int)getpid());

	os.unlinkat(AT_FDCWD, temporary, 0);
	if (os.symlinkat(name, AT_FDCWD, temporary))
		return error_os(errno, "cannot make the link %s", temporary);
	if (os.renameat(AT_FDCWD, temporary, AT_FDCWD, link)) {
		struct error *error = error_os(errno, "cannot set the link %s", link);

		os.unlinkat(AT_FDCWD, temporary, 0);
		return error;
	}
	return NULL;
}

/* ---- finding ---- */

static bool exists(const char *path)
{
	struct stat status;

	return !stat(path, &status);
}

static bool is_directory(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* Where `latest` is gone, with the recording that it named: the newest that there is. */
static bool find_newest(char **path)
{
	struct trace_place_list list = {0};

	error_free(trace_place_list(&list));
	bool any = list.count;

	if (any)
		*path = xstrdup(list.items[list.count - 1].path);
	trace_place_list_deinit(&list);
	return any;
}

static struct error *find_latest(const char *place, char **path)
{
	char *link _cleanup_free_ = xasprintf("%s/" LATEST, place);
	char target[NAME_MAX + 1];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0 && find_newest(path))
		return NULL;
	if (length < 0)
		return error_new("there is no latest recording in %s; record a program first or "
				 "name a recording",
				 place);
	target[length] = 0;
	char *found _cleanup_free_ = xasprintf("%s/%s", place, target);

	if (!exists(found))
		return error_new("the latest recording, %s, is gone; name another one ('warp ls' "
				 "lists them)",
				 found);
	*path = take_ptr(found);
	return NULL;
}

struct error *trace_place_find(const char *argument, char **path)
{
	char *place _cleanup_free_ = NULL;
	struct error *no_place = trace_place_default(&place);

	if (!argument) {
		if (no_place)
			return no_place;
		return find_latest(place, path);
	}
	error_free(no_place);
	if (!*argument)
		return error_new(
			"the name of the recording is empty; is a shell variable not set?");
	if (place && !strchr(argument, '/')) {
		char *named _cleanup_free_ = xasprintf("%s/%s", place, argument);

		/* the program itself often lies there, under the same name */
		if (!is_directory(argument) && exists(named)) {
			if (!strcmp(argument, LATEST))
				return find_latest(place, path);
			*path = take_ptr(named);
			return NULL;
		}
	}
	if (!exists(argument) && errno != ENOENT && errno != ENOTDIR)
		return error_os(errno, "cannot look at the recording %s", argument);
	if (!exists(argument))
		return error_new("there is no recording %s%s%s; warp ls shows those that there are",
				 argument, place ? ", neither here nor in " : "",
				 place ? place : "");
	*path = xstrdup(argument);
	return NULL;
}

/* ---- listing ---- */

/* True for an open directory with a `meta` that begins as ours do. */
static bool is_recording(int directory)
{
	unsigned char magic[TRACE_MAGIC_SIZE];
	size_t got = 0;
	int fd _cleanup_fd_ =
		os.openat(directory, "meta", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	return fd >= 0 && !os_pread_all(fd, magic, sizeof(magic), 0, &got) &&
	       got == sizeof(magic) && !memcmp(magic, TRACE_META_MAGIC, sizeof(magic));
}

/* The recorder holds a lock on the directory (trace_writer_create_in()). */
static bool is_in_progress(int directory)
{
	if (flock(directory, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK;
	flock(directory, LOCK_UN);
	return false;
}

static int open_directory(int parent, const char *name)
{
	return os.openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

static void list_one(struct trace_place_list *list, int place, const char *place_path,
		     const char *name)
{
	struct stat status;
	int fd _cleanup_fd_ = -1;

	if (*name == '.')
		return;
	fd = open_directory(place, name);
	if (fd < 0 || !is_recording(fd) || fstat(fd, &status))
		return;
	vec_push(list, (struct trace_place_entry){
			       .name = xstrdup(name),
			       .path = xasprintf("%s/%s", place_path, name),
			       .changed_ns = status.st_mtim.tv_sec * 1000000000ll +
					     status.st_mtim.tv_nsec,
			       .in_progress = is_in_progress(fd),
		       });
}

static int by_age(const void *a, const void *b)
{
	const struct trace_place_entry *left = a, *right = b;

	if (left->changed_ns != right->changed_ns)
		return left->changed_ns < right->changed_ns ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* Opens a directory for reading its names; NULL and errno as opendir(3). */
static DIR *open_names(int parent, const char *name, int flags)
{
	int fd = os.openat(parent, name, O_RDONLY | O_DIRECTORY | flags, 0);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory && fd >= 0)
		close(fd);
	return directory;
}

struct error *trace_place_list(struct trace_place_list *list)
{
	char *place _cleanup_free_ = NULL;

	*list = (struct trace_place_list){0};
	try(trace_place_default(&place));
	DIR *directory _cleanup_directory_ = open_names(AT_FDCWD, place, 0);

	if (!directory && errno == ENOENT)
		return NULL;
	if (!directory)
		return error_os(errno, "cannot list the recordings in %s", place);
	for (struct dirent *entry; (entry = readdir(directory));)
		list_one(list, dirfd(directory), place, entry->d_name);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_age);
	return NULL;
}

void trace_place_list_deinit(struct trace_place_list *list)
{
	vec_foreach (list, entry) {
		free(entry->name);
		free(entry->path);
	}
	vec_deinit(list);
}

/* ---- removing ---- */

/* Decimal digits and nothing else. */
static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* True for the names a recording's directory can have in it, but `meta`. */
static bool is_part(const char *name)
{
	if (!strncmp(name, "events.", 7))
		return is_number(name + 7);
	if (!strncmp(name, "data.", 5))
		return is_number(name + 5);
	return !strcmp(name, "files") || !strcmp(name, "files.d") || !strcmp(name, "meta.new") ||
	       !strcmp(name, "found") || !strcmp(name, "found.new") || !strcmp(name, "stopped");
}

static bool is_contents(const char *name)
{
	return is_number(name) || !strcmp(name, "new");
}

static bool is_part_or_meta(const char *name)
{
	return is_part(name) || !strcmp(name, "meta");
}

/* Fails if the directory has a name that `is_ours` does not know. */
static struct error *check_names(DIR *directory, const char *path, bool (*is_ours)(const char *))
{
	rewinddir(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") && strcmp(name, "..") && !is_ours(name))
			return error_new("%s is not removed: '%s' in it is no part of a recording",
					 path, name);
	}
	return NULL;
}

/* What helps with other errors of a read-only place, to use another one, does not here. */
static struct error *cannot_remove(int errnum, const char *path, const char *name)
{
	const char *slash = *name ? "/" : "";

	if (errnum == EROFS)
		return error_new("cannot remove %s%s%s: %s; mount its file system for writing "
				 "(mount -o remount,rw) and try again",
				 path, slash, name, strerror(errnum));
	if (errnum == EACCES || errnum == EPERM)
		return error_new("cannot remove %s%s%s: %s; that needs the right to write to its "
				 "directory",
				 path, slash, name, strerror(errnum));
	return error_os(errnum, "cannot remove %s%s%s", path, slash, name);
}

/* Removes the files that `is_ours` knows, but not directories. */
static struct error *remove_names(DIR *directory, const char *path, bool (*is_ours)(const char *))
{
	rewinddir(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (!is_ours(entry->d_name) || !strcmp(entry->d_name, "files.d"))
			continue;
		if (os.unlinkat(dirfd(directory), entry->d_name, 0) && errno != ENOENT)
			return cannot_remove(errno, path, entry->d_name);
	}
	return NULL;
}

/* Removes everything: the names have been checked. `contents` may be NULL. */
static struct error *remove_all(DIR *directory, DIR *contents, const char *path)
{
	char *kept _cleanup_free_ = xasprintf("%s/files.d", path);
	int fd = dirfd(directory);

	if (contents) {
		try(remove_names(contents, kept, is_contents));
		if (os.unlinkat(fd, "files.d", AT_REMOVEDIR))
			return cannot_remove(errno, kept, "");
	}
	try(remove_names(directory, path, is_part));
	if (os.unlinkat(fd, "meta", 0))
		return cannot_remove(errno, path, "meta");
	if (os.unlinkat(AT_FDCWD, path, AT_REMOVEDIR))
		return cannot_remove(errno, path, "");
	return NULL;
}

/* Removes `latest` if it points at the recording, which is gone. */
static void drop_latest(const char *path)
{
	char *place _cleanup_free_ = NULL;
	struct error *error = trace_place_default(&place);

	error_free(error);
	if (error)
		return;
	const char *name = name_in(place, path);
	char *link _cleanup_free_ = xasprintf("%s/" LATEST, place);
	char target[NAME_MAX + 1];
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0)
		return;
	target[length] = 0;
	if (name && !strcmp(name, target))
		os.unlinkat(AT_FDCWD, link, 0);
}

struct error *trace_place_remove(const char *path)
{
	/* "NAME/" would follow a symbolic link. */
	char *plain _cleanup_free_ = xstrdup(path);

	for (size_t length = strlen(plain); length > 1 && plain[length - 1] == '/'; length--)
		plain[length - 1] = 0;
	DIR *directory _cleanup_directory_ = open_names(AT_FDCWD, plain, O_NOFOLLOW);

	if (!directory && (errno == ENOTDIR || errno == ELOOP))
		return error_new("%s is not removed: it is not a directory", plain);
	if (!directory)
		return error_os(errno, "cannot remove %s", plain);
	if (!is_recording(dirfd(directory)))
		return error_new("%s is not removed: it is not a recording, as it has no file "
				 "'meta'; warp ls shows those that there are",
				 plain);
	if (is_in_progress(dirfd(directory)))
		return error_new("%s is not removed: it is being recorded; end the program first",
				 plain);
	DIR *contents _cleanup_directory_ = open_names(dirfd(directory), "files.d", O_NOFOLLOW);

	if (!contents && errno != ENOENT)
		return error_os(errno, "%s is not removed: cannot look into its files.d", plain);
	try(check_names(directory, plain, is_part_or_meta));
	if (contents)
		try(check_names(contents, plain, is_contents));
	try(remove_all(directory, contents, plain));
	drop_latest(plain);
	return NULL;
}
