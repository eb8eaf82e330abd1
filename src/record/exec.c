/* A new program image: what execve(2) has built is recorded mapping by mapping, the vDSO is patched
 * and our pages are mapped, before the program's first instruction. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/session.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PAGE	     4096
#define VDSO_PATCHES 16

/* ---- before the call ---- */

/* The argument that names the file; argument and environment vectors follow it. */
static int path_arg(const struct rec_call *c)
{
	int i = 0;

	while (i < c->row->nargs && c->row->args[i].type != SC_T_PATH)
		i++;
	return i;
}

/* Where a relative name begins: a path in the tracee's own root, as far as both are seen from here.
 * False if that cannot be told. */
static bool find_base(struct rec_task *t, int dir, char *base, size_t room)
{
	char link[64], root[4096];

	snprintf(link, sizeof(link), "/proc/%d/root", t->tracee.tid);
	ssize_t root_length = readlink(link, root, sizeof(root));

	if (dir == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", t->tracee.tid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", t->tracee.tid, dir);
	ssize_t length = readlink(link, base, room - 1);

	if (root_length == 1)
		root_length = 0; /* "/" */
	if (length < root_length || root_length < 0 || memcmp(base, root, (size_t)root_length))
		return false;
	base[length] = 0;
	memmove(base, base + root_length, (size_t)(length - root_length) + 1);
	return base[0] == '/' || !base[0];
}

/* As the tracee would find it: absolute links begin at its root. O_PATH; -1 where the kernel cannot
 * do that (before 5.6), or where a link of /proc is on the way. */
static int find_in_root(struct rec_task *t, int dir, const char *name)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char link[64], base[4096] = "";

	if (name[0] != '/' && !find_base(t, dir, base, sizeof(base))) {
		errno = ENOSYS;
		return -1;
	}
	char *path _cleanup_free_ = xasprintf("%s/%s", base, name);

	snprintf(link, sizeof(link), "/proc/%d/root", t->tracee.tid);
	int root _cleanup_fd_ = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int find_from_here(struct rec_task *t, int dir, const char *name)
{
	char path[4096 + 64];

	if (name[0] == '/')
		snprintf(path, sizeof(path), "/proc/%d/root%s", t->tracee.tid, name);
	else if (dir == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd/%s", t->tracee.tid, name);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d%s%s", t->tracee.tid, dir,
			 *name ? "/" : "", name);
	return open(path, O_PATH | O_CLOEXEC);
}

/* Opens the file that the call names, as the tracee would find it; -1 where that cannot be told. */
static int open_target(struct rec_task *t)
{
	const struct sc_call *call = &t->call.call;
	int name_arg = path_arg(&t->call);
	char name[4096 + 1] = "", link[64];
	size_t got = tracee_read(&t->tracee, call->args[name_arg], name, sizeof(name) - 1);
	int dir = name_arg > 0 ? (int)call->args[0] : AT_FDCWD;
	struct stat status;

	name[got] = 0;
	errno = ENOSYS;
	int found = *name ? find_in_root(t, dir, name) : -1;

	if (found < 0 && errno != EACCES && errno != ENOENT && errno != ENOTDIR)
		found = find_from_here(t, dir, name);
	int at _cleanup_fd_ = found;

	/* Opening anything but a regular file could have effects. */
	if (at >= 0 && fstat(at, &status) == 0 && !S_ISREG(status.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	return at < 0 ? -1 : open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Programs for other instruction sets would run untraced in part: refused as by a kernel that lacks
 * their support. */
static bool is_foreign(int fd)
{
	unsigned char head[20];

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head, ELFMAG, SELFMAG))
		return false;
	return head[EI_CLASS] != ELFCLASS64 || (head[18] | head[19] << 8) != arch.elf_machine;
}

bool rec_gains_rights(const struct stat *status)
{
	bool user = (status->st_mode & S_ISUID) && status->st_uid != geteuid();
	bool group = (status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) &&
		     status->st_gid != getegid();

	return geteuid() != 0 && (user || group);
}

/* Arguments, for dump. */
static void keep_arguments(struct rec_task *t)
{
	const struct sc_call *call = &t->call.call;
	int first = path_arg(&t->call) + 1;
	taddr pointers[64];

	for (int vector = 0; vector < 2; vector++) {
		taddr base = call->args[first + vector];
		size_t got = tracee_read(&t->tracee, base, pointers, sizeof(pointers));

		rec_keep_input(t, base, got);
		for (size_t i = 0; vector == 0 && i < got / sizeof(taddr) && pointers[i]; i++)
			rec_keep_input(t, pointers[i], 256);
	}
}

enum rec_verdict rec_exec_enter(struct rec_session *s, struct rec_task *t)
{
	int fd _cleanup_fd_ = open_target(t);
	struct stat status;

	if (fd < 0 && errno == EACCES) {
		rec_tell_once(
			s, REC_TOLD_UNREADABLE_EXEC, 0,
			"the program executes a file that this user may not read, which cannot "
			"be recorded: it was answered with EACCES; run warp as a user who may");
		rec_answer(s, t, -EACCES);
		return REC_ANSWERED;
	}
	if (fd >= 0 && fstat(fd, &status) == 0 && rec_gains_rights(&status))
		rec_tell_once(
			s, REC_TOLD_SETUID_EXEC, 0,
			"the program executes a set-user-ID or set-group-ID file: it runs without "
			"those rights while it is recorded; run warp as root to record it with "
			"them");
	if (fd >= 0 && is_foreign(fd)) {
		rec_tell_once(
			s, REC_TOLD_FOREIGN_EXEC, 0,
			"the program executes a file that is not for 64-bit x86: that cannot be "
			"recorded and was answered with ENOEXEC");
		rec_answer(s, t, -ENOEXEC);
		return REC_ANSWERED;
	}
	keep_arguments(t);
	rec_commit_enter(s, t);
	rec_resume_in_call(t, PTRACE_SYSCALL);
	return REC_NO_EXIT;
}

/* ---- the image ---- */

static void patch_vdso(struct rec_task *t, const struct proc_map *map)
{
	size_t size = map->end - map->start;
	uint8_t *image _cleanup_free_ = xmalloc(size);
	struct arch_patch patches[VDSO_PATCHES];

	if (tracee_read(&t->tracee, map->start, image, size) != size)
		return;
	size_t count = arch.vdso_patches(image, size, patches, VDSO_PATCHES);

	/* Pages that were not written to are the kernel's own, which are not recorded. */
	for (size_t at = 0; at < size; at += PAGE)
		tracee_write(&t->tracee, map->start + at, image + at, 1);
	for (size_t i = 0; i < count; i++)
		tracee_write(&t->tracee, map->start + patches[i].offset, patches[i].bytes,
			     patches[i].length);
}

/* Entries of /proc/PID/pagemap (proc(5)): a page that is neither here nor swapped was never
 * touched; one that is the file's has not changed. */
#define PAGEMAP_HERE (1ull << 63 | 1ull << 62)
#define PAGEMAP_FILE (1ull << 61)

static void record_page(struct rec_session *s, struct rec_task *t, taddr at, uint64_t entry,
			bool of_file)
{
	uint8_t page[PAGE];

	if (!(entry & PAGEMAP_HERE) || (entry & PAGEMAP_FILE) ||
	    tracee_read(&t->tracee, at, page, PAGE) != PAGE)
		return;
	if (of_file || page[0] || memcmp(page, page + 1, PAGE - 1))
		rec_datum(s, t, TRACE_D_MEMORY, at, page, PAGE);
}

/* Records the pages of a mapping that are not what it is mapped from: a file or zeros. */
static void record_pages(struct rec_session *s, struct rec_task *t, const struct proc_map *map,
			 bool of_file)
{
	char path[48];
	uint64_t entries[512];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", t->tracee.tid);
	int pagemap _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	for (taddr at = map->start; at < map->end;) {
		size_t want = (map->end - at) / PAGE < 512 ? (map->end - at) / PAGE : 512;
		ssize_t got = pread(pagemap, entries, want * 8, (off_t)(at / PAGE * 8));

		if (got < 8) { /* no such file here: every page may have changed */
			got = (ssize_t)want * 8;
			for (size_t i = 0; i < want; i++)
				entries[i] = PAGEMAP_HERE;
		}
		for (ssize_t i = 0; i < got / 8; i++, at += PAGE)
			record_page(s, t, at, entries[i], of_file);
	}
}

/* Ways to a mapped file: by its mapping (for the privileged, proc(5)); by its name, which is shown
 * as seen from the root of its mount namespace, or from ours where that is the same one; and the
 * program itself. */
static void name_mapped(const struct rec_task *t, const struct proc_map *map, unsigned way,
			char *path, size_t room)
{
	switch (way) {
	case 0:
		snprintf(path, room, "/proc/%d/map_files/%llx-%llx", t->tracee.tid,
			 (unsigned long long)map->start, (unsigned long long)map->end);
		break;
	case 1:
		snprintf(path, room, "/proc/%d/root%s", t->tracee.tid, map->name);
		break;
	case 2:
		snprintf(path, room, "%s", map->name);
		break;
	default:
		snprintf(path, room, "/proc/%d/exe", t->tracee.tid);
		break;
	}
}

#define WAYS 4

/* Opens a mapped file and makes sure that it is the one. */
static int open_mapped(struct rec_task *t, const struct proc_map *map, struct stat *status)
{
	char path[TRACE_FILE_PATH + 64];

	for (unsigned way = 0; way < WAYS; way++) {
		name_mapped(t, map, way, path, sizeof(path));
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && fstat(fd, status) == 0 && status->st_ino == map->inode)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static void record_mapping(struct rec_session *s, struct rec_task *t, const struct proc_map *map)
{
	struct trace_mapping mapping = {
		.start = map->start,
		.end = map->end,
		.offset = map->offset,
		.prot = map->prot,
		.flags = MAP_PRIVATE,
		.file = TRACE_NO_FILE,
	};
	struct stat status;
	int fd _cleanup_fd_ = map->inode ? open_mapped(t, map, &status) : -1;

	if (fd >= 0)
		mapping.file = rec_map_file(s, t, fd, map->name, &status, false, false);
	if (mapping.file == TRACE_NO_FILE)
		mapping.flags |= MAP_ANONYMOUS;
	if (!strcmp(map->name, "[stack]"))
		mapping.flags |= MAP_GROWSDOWN;
	rec_datum(s, t, TRACE_D_MAPPING, 0, &mapping, sizeof(mapping));
	if (mapping.file == TRACE_NO_FILE || (map->prot & PROT_WRITE))
		record_pages(s, t, map, mapping.file != TRACE_NO_FILE);
}

/* Kernel pages that user code reads clocks from: nothing reads them once the vDSO is patched. */
static bool is_kernel_page(const struct proc_map *map)
{
	return !strncmp(map->name, "[vvar", 5) || !strcmp(map->name, "[vsyscall]");
}

static void record_identity(struct rec_session *s, struct rec_task *t)
{
	struct bytes text = {0};
	char link[64], path[TRACE_FILE_PATH];
	struct rlimit limit;

	snprintf(link, sizeof(link), "/proc/%d/exe", t->tracee.tid);
	ssize_t length = readlink(link, path, sizeof(path));

	if (length > 0)
		rec_datum(s, t, TRACE_D_EXEC_PATH, 0, path, (size_t)length);
	if (proc_read(t->tracee.tid, "comm", &text) && text.count)
		rec_datum(s, t, TRACE_D_NAME, 0, text.items, text.count - 1);
	if (proc_read(t->tracee.tid, "auxv", &text))
		rec_datum(s, t, TRACE_D_AUXV, 0, text.items, text.count);
	if (prlimit(t->tracee.tgid, RLIMIT_STACK, NULL, &limit) == 0)
		rec_datum(s, t, TRACE_D_STACK_LIMIT, 0, &limit.rlim_cur, sizeof(limit.rlim_cur));
	vec_deinit(&text);
}

static void record_image(struct rec_session *s, struct rec_task *t, enum trace_event_kind kind,
			 pid_t former)
{
	struct proc_maps maps = {0};

	proc_read_maps(t->tracee.tid, &maps);
	vec_foreach (&maps, map)
		if (!strcmp(map->name, "[vdso]"))
			patch_vdso(t, map);
	record_identity(s, t);
	vec_foreach (&maps, map)
		if (!is_kernel_page(map))
			record_mapping(s, t, map);
	proc_maps_deinit(&maps);
	rec_commit(s, t, kind, 0, (uint32_t)former, 0, tracee_regs(&t->tracee));
}

/* Our pages, the traps that exec drops, and where the heap begins. */
static void prepare(struct rec_session *s, struct rec_task *t)
{
	uint64_t args[SC_ARGS];
	struct error *error = tracee_map_pages(&t->tracee);
	int nr;

	if (error) {
		rec_fail(s, error);
		return;
	}
	if (s->cpuid_traps) {
		arch.cpuid_trap_call(&nr, args);
		tracee_call(&t->tracee, nr, args);
	}
	rec_agent_prepare(s, t);
	t->mm->brk = (taddr)tracee_callv(&t->tracee, SYS_brk, 0);
}

/* From the exec event to the end of the call, where registers are final. */
static bool finish_exec(struct rec_task *t)
{
	for (;;) {
		tracee_resume(&t->tracee, PTRACE_SYSCALL, 0);
		t->status = tracee_wait(&t->tracee, 0);
		if (t->tracee.gone || tracee_event(t->status) == PTRACE_EVENT_EXIT)
			return false;
		if (WSTOPSIG(t->status) == (SIGTRAP | 0x80))
			return true;
	}
}

static void new_image(struct rec_session *s, struct rec_task *t, enum trace_event_kind kind,
		      pid_t former)
{
	rec_call_reset(&t->call);
	t->scratch = t->scratch_size = t->clear_tid = 0;
	t->cpuid_faults = false;
	t->undumpable = false;
	t->dispatch = (struct rec_dispatch){0};
	tracee_forget_memory(&t->tracee);
	if (!finish_exec(t)) {
		if (t->tracee.gone)
			rec_on_gone(s, t, t->status);
		else
			rec_on_exit(s, t);
		return;
	}
	rec_faults_exec(s, t);
	struct error *error = tracee_check_room(t->tracee.tgid);

	if (error) {
		rec_fail(s, error);
		return;
	}
	record_image(s, t, kind, former);
	prepare(s, t);
	rec_continue(s, t);
}

/* The address space is new; the group too, if the old one has others. */
static void leave_mm(struct rec_session *s, struct rec_task *t)
{
	struct rec_mm *old = t->mm;
	struct rec_group *group = rec_group(t);
	bool alone = group->tasks == 1;
	struct rec_mm *mm = rec_mm_create(s, alone ? group : NULL);

	mm->users = 1;
	t->mm = mm;
	if (!alone) {
		rec_group_of(mm)->tasks = 1;
		group->tasks--;
	}
	softpmu_unload(&old->probes, &t->counter);
	t->counter = (struct softpmu_counter){0};
	rec_mm_release(s, old);
}

void rec_on_exec(struct rec_session *s, struct rec_task *t)
{
	pid_t former = (pid_t)tracee_event_message(&t->tracee);

	leave_mm(s, t);
	new_image(s, t, TRACE_EV_EXEC, former);
}

void rec_first_image(struct rec_session *s, struct rec_task *t)
{
	new_image(s, t, TRACE_EV_START, t->tracee.tid);
}
