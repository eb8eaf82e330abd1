/* Files that are mapped: their contents are kept when they are mapped; while they are, changes made
 * through descriptors become events; and who maps the same one writable and shared is one group. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "record/session.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

/* System V segments are numbered apart from files, and in each IPC namespace anew. */
#define SEGMENT_DEVICE (1ull << 63)

static struct rec_file *find_file(struct rec_session *s, uint64_t device, uint64_t inode)
{
	struct rec_file_key key = {device, inode};
	struct rec_file *file;

	HASH_FIND(hh, s->files, &key, sizeof(key), file);
	return file;
}

static struct rec_file *get_file(struct rec_session *s, uint64_t device, uint64_t inode)
{
	struct rec_file *file = find_file(s, device, inode);

	if (file)
		return file;
	file = xcalloc(1, sizeof(*file));
	file->key = (struct rec_file_key){device, inode};
	file->id = TRACE_NO_FILE;
	rec_agent_forget_writes(s);
	HASH_ADD(hh, s->files, key, sizeof(file->key), file);
	return file;
}

bool rec_is_mapped(struct rec_session *s, const struct stat *status)
{
	return find_file(s, status->st_dev, status->st_ino);
}

/* Its copy in the replay follows all changes: no need for another one. */
static bool is_followed(const struct rec_file *file)
{
	return file->mms.count && (file->flags & (TRACE_FILE_SHARED | TRACE_FILE_WRITTEN));
}

static bool has_mm(struct rec_mm **items, size_t count, const struct rec_mm *mm)
{
	for (size_t i = 0; i < count; i++)
		if (items[i] == mm)
			return true;
	return false;
}

static void add_flags(struct rec_session *s, struct rec_file *file, uint32_t flags)
{
	if ((file->flags & flags) == flags)
		return;
	file->flags |= flags;
	struct error *error =
		trace_files_add_flags(trace_writer_files(s->writer), file->id, file->flags);

	if (error)
		rec_fail(s, error);
}

static void enter(struct rec_session *s, struct rec_file *file, struct rec_mm *mm, bool shared)
{
	if (!has_mm(file->mms.items, file->mms.count, mm)) {
		vec_push(&file->mms, mm);
		vec_push(&mm->files, file);
	}
	if (shared && !has_mm(file->shared.items, file->shared.count, mm))
		vec_push(&file->shared, mm);
	if (!(file->flags & TRACE_FILE_SHARED))
		return;
	for (size_t i = 0; i < file->shared.count; i++) {
		file->shared.items[i]->shares = true;
		rec_merge_groups(s, file->shared.items[0], file->shared.items[i]);
	}
}

uint32_t rec_map_file(struct rec_session *s, struct rec_task *t, int fd, const char *path,
		      const struct stat *status, bool shared, bool writable)
{
	struct rec_file *file = get_file(s, status->st_dev, status->st_ino);
	uint32_t flags = shared && writable ? TRACE_FILE_SHARED : 0;

	if (!is_followed(file)) {
		uint32_t id;
		struct error *error = fd < 0 ? error_new("no descriptor")
					     : trace_files_add(trace_writer_files(s->writer), fd,
							       path, status, flags, &id);

		if (error && fd >= 0)
			rec_fail(s, error);
		else
			error_free(error);
		if (error)
			return TRACE_NO_FILE;
		file->id = id;
		file->flags = flags;
	}
	add_flags(s, file, flags);
	enter(s, file, t->mm, shared);
	return file->id;
}

static uint64_t ipc_namespace(pid_t tid)
{
	char path[48];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", tid);
	return stat(path, &status) == 0 ? status.st_ino : 0;
}

bool rec_shares_ipc(const struct rec_task *t)
{
	uint64_t own = ipc_namespace(getpid());

	return own && own == ipc_namespace(t->tracee.tid);
}

uint32_t rec_map_segment(struct rec_session *s, struct rec_task *t, int id, taddr addr, size_t size)
{
	struct rec_file *file =
		get_file(s, SEGMENT_DEVICE | ipc_namespace(t->tracee.tid), (uint64_t)id);

	if (!is_followed(file)) {
		struct bytes contents = {0};
		char name[32];

		snprintf(name, sizeof(name), "SYSV%d", id);
		vec_reserve(&contents, size);
		contents.count = tracee_read(&t->tracee, addr, contents.items, size);
		file->flags = TRACE_FILE_SHARED | TRACE_FILE_NO_NAME;
		struct error *error =
			trace_files_add_bytes(trace_writer_files(s->writer), contents.items,
					      contents.count, name, file->flags, &file->id);

		vec_deinit(&contents);
		if (error) {
			rec_fail(s, error);
			return TRACE_NO_FILE;
		}
	}
	enter(s, file, t->mm, true);
	return file->id;
}

void rec_files_leave(struct rec_session *s, struct rec_mm *mm)
{
	vec_foreach (&mm->files, entry) {
		struct rec_file *file = *entry;

		for (size_t i = 0; i < file->mms.count; i++)
			if (file->mms.items[i] == mm) {
				vec_remove(&file->mms, i);
				break;
			}
		for (size_t i = 0; i < file->shared.count; i++)
			if (file->shared.items[i] == mm) {
				vec_remove(&file->shared, i);
				break;
			}
	}
	vec_clear(&mm->files);
}

void rec_files_deinit(struct rec_session *s)
{
	struct rec_file *file, *next;

	HASH_ITER (hh, s->files, file, next) {
		HASH_DEL(s->files, file);
		vec_deinit(&file->mms);
		vec_deinit(&file->shared);
		free(file);
	}
}

/* ---- echo ---- */

/* /dev/null swallows what is written: nobody has seen it. */
static bool is_null_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_rdev == b->st_rdev &&
	       !is_null_device(a);
}

uint16_t rec_echo_flags(struct rec_session *s, struct rec_task *t, int fd)
{
	struct stat status;

	if (!proc_fd_stat(t->tracee.tid, fd, &status))
		return 0;
	bool out = s->out_known && same_file(&status, &s->out);
	bool err = s->err_known && same_file(&status, &s->err);

	/* Where both are one file (a terminal), the number tells which was meant. */
	if (out && err)
		return fd == 2 ? TRACE_F_ECHO_STDERR : TRACE_F_ECHO_STDOUT;
	return (out ? TRACE_F_ECHO_STDOUT : 0) | (err ? TRACE_F_ECHO_STDERR : 0);
}

/* ---- changes of mapped files ---- */

/* Where the bytes of a plain write went; false if the call is of another kind. */
static bool written_range(struct rec_task *t, int fd, int64_t *offset, int64_t *length)
{
	const struct sc_call *call = &t->call.call;
	int64_t position = 0;
	int flags = 0;
	bool known = proc_fd_info(t->tracee.tid, fd, &position, &flags);

	*length = call->result;
	switch (t->call.row->handler) {
	case SC_H_WRITE:
		*offset = position - call->result;
		return known;
	case SC_H_PWRITE:
		*offset = (int64_t)call->args[3];
		return known && !(flags & O_APPEND);
	case SC_H_PWRITE2:
		*offset = (int64_t)call->args[3];
		if (*offset == -1)
			*offset = position - call->result;
		return known && !(flags & O_APPEND) && !(call->args[5] & RWF_APPEND);
	default:
		return false;
	}
}

static void commit_change(struct rec_session *s, struct rec_task *t, struct rec_file *file, int fd,
			  int64_t offset, int64_t length, bool whole)
{
	static const size_t piece = TRACE_WRITER_PIECE;
	struct stat status;

	if (fstat(fd, &status) < 0)
		return;
	if (whole) {
		offset = 0;
		length = status.st_size;
		rec_datum(s, t, TRACE_D_FILE_BYTES, (taddr)status.st_size, NULL, 0);
	}
	while (length > 0) {
		size_t now = (size_t)length < piece ? (size_t)length : piece;
		void *room = trace_writer_datum_reserve(s->writer, rec_group(t)->id,
							TRACE_D_FILE_BYTES, (taddr)offset, now);
		ssize_t got = pread(fd, room, now, offset);

		trace_writer_datum_trim(s->writer, got > 0 ? (size_t)got : 0);
		if (got <= 0)
			break;
		offset += got;
		length -= got;
	}
	rec_commit(s, t, TRACE_EV_FILE_WRITE, 0, file->id, 0, NULL);
}

/* A path to what the call has changed, that leads us there; and its descriptor or -1. */
static int changed_path(struct rec_task *t, char *path, size_t room)
{
	const struct rec_call *c = &t->call;
	int number = c->row->fd_arg >= 0 ? (int)c->call.args[c->row->fd_arg] : -1;
	char name[4096] = "";

	if (c->row->ret_type == SC_T_FD) /* open with O_TRUNC */
		number = (int)c->call.result;
	if (number >= 0) {
		snprintf(path, room, "/proc/%d/fd/%d", t->tracee.tid, number);
		return number;
	}
	tracee_read(&t->tracee, c->call.args[0], name,
		    sizeof(name) - 1); /* truncate(path, length) */
	snprintf(path, room, "/proc/%d/%s%s", t->tracee.tid, name[0] == '/' ? "root" : "cwd/",
		 name);
	return -1;
}

/* Whose memory the descriptor is open on (/proc/PID/mem); NULL if that is none of ours. */
static struct rec_task *memory_owner(struct rec_session *s, struct rec_task *t, int number,
				     const struct stat *status)
{
	char link[48], path[64];
	int pid = 0;

	if (status->st_dev != s->proc_device)
		return NULL;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", t->tracee.tid, number);
	ssize_t got = readlink(link, path, sizeof(path) - 1);

	path[got < 0 ? 0 : got] = 0;
	if (sscanf(path, "/proc/%d/", &pid) != 1 || got < 4 || strcmp(path + got - 4, "/mem"))
		return NULL;
	return rec_find(s, pid);
}

bool rec_may_change_file(struct rec_session *s, struct rec_task *t)
{
	const struct rec_call *c = &t->call;
	int number = c->row->fd_arg >= 0 ? (int)c->call.args[c->row->fd_arg] : -1;
	struct stat status;

	if (s->groups.count < 2 || number < 0 || !proc_fd_stat(t->tracee.tid, number, &status))
		return true;
	struct rec_task *owner = memory_owner(s, t, number, &status);
	struct rec_file *file = find_file(s, status.st_dev, status.st_ino);

	if (owner)
		rec_merge_groups(s, t->mm, owner->mm);
	for (size_t i = 0; file && i < file->mms.count; i++)
		rec_merge_groups(s, t->mm, file->mms.items[i]);
	return (!file && !owner) || rec_group(t)->running == 0;
}

void rec_note_memory_file(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;
	int number = (int)c->call.args[c->row->fd_arg];
	int64_t offset = 0, length = 0;
	struct stat status;

	if (!proc_fd_stat(t->tracee.tid, number, &status))
		return;
	struct rec_task *target = memory_owner(s, t, number, &status);
	struct bytes copy = {0};

	if (!target || !written_range(t, number, &offset, &length))
		return;
	vec_reserve(&copy, (size_t)length);
	copy.count = tracee_read(&target->tracee, (taddr)offset, copy.items, (size_t)length);
	trace_writer_datum_flags(s->writer, rec_group(t)->id, TRACE_D_MEMORY_OF,
				 (uint32_t)target->tracee.tid, (taddr)offset, copy.items,
				 copy.count);
	vec_deinit(&copy);
}

void rec_note_file_changes(struct rec_session *s, struct rec_task *t)
{
	char path[4096 + 64];
	struct stat status;
	int64_t offset = 0, length = 0;
	int number = changed_path(t, path, sizeof(path));

	/* Opening anything but a regular file could have effects. */
	if (!s->files || !proc_stat_known(path, &status) || !S_ISREG(status.st_mode))
		return;
	struct rec_file *file = find_file(s, status.st_dev, status.st_ino);

	if (!file || !file->mms.count)
		return;
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	bool plain = number >= 0 && written_range(t, number, &offset, &length);

	add_flags(s, file, TRACE_FILE_WRITTEN);
	commit_change(s, t, file, fd, offset, length, !plain);
}
