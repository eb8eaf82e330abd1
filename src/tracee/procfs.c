/* Reading /proc. The texts are the kernel's (proc(5)), but names in them are the tracee's choice
 * and may hold anything but a line feed. */
#include "tracee/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/cleanup.h"

bool proc_read(pid_t pid, const char *name, struct bytes *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	vec_clear(out);
	if (fd < 0)
		return false;
	for (;;) {
		vec_reserve(out, 4096);
		ssize_t got = read(fd, out->items + out->count, 4096);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			return true;
		out->count += (size_t)got;
	}
}

struct error *proc_check(const char *attempt)
{
	if (access("/proc/self/stat", F_OK) == 0)
		return NULL;
	return error_new("cannot %s: /proc is not mounted here, or is that of another PID "
			 "namespace, and warp learns from it what processes do; mount it (mount -t "
			 "proc proc /proc) and try again",
			 attempt);
}

static bool parse_map(const char *line, struct proc_map *map)
{
	unsigned long long start, end, offset, inode;
	unsigned major_no, minor_no;
	char prot[8];
	int used = 0;

	if (sscanf(line, "%llx-%llx %7s %llx %x:%x %llu %n", &start, &end, prot, &offset, &major_no,
		   &minor_no, &inode, &used) < 7)
		return false;
	*map = (struct proc_map){
		.start = start,
		.end = end,
		.offset = offset,
		.inode = inode,
		.device = makedev(major_no, minor_no),
		.prot = (prot[0] == 'r' ? PROT_READ : 0) | (prot[1] == 'w' ? PROT_WRITE : 0) |
			(prot[2] == 'x' ? PROT_EXEC : 0),
		.shared = prot[3] == 's',
		.name = xstrdup(line + used),
	};
	return true;
}

bool proc_read_maps(pid_t pid, struct proc_maps *maps)
{
	struct bytes text = {0};
	struct proc_map map;
	char *rest, *line;

	if (!proc_read(pid, "maps", &text)) {
		vec_deinit(&text);
		return false;
	}
	vec_push(&text, 0);
	for (rest = (char *)text.items; (line = strsep(&rest, "\n"));)
		if (parse_map(line, &map))
			vec_push(maps, map);
	vec_deinit(&text);
	return true;
}

void proc_maps_deinit(struct proc_maps *maps)
{
	vec_foreach (maps, map)
		free(map->name);
	vec_deinit(maps);
}

static uint64_t mask_line(const char *text, const char *label)
{
	const char *found = strstr(text, label);

	return found ? strtoull(found + strlen(label), NULL, 16) : 0;
}

bool proc_read_signals(pid_t tid, struct proc_signals *signals)
{
	struct bytes text = {0};

	if (!proc_read(tid, "status", &text)) {
		vec_deinit(&text);
		return false;
	}
	vec_push(&text, 0);
	const char *all = (const char *)text.items;

	*signals = (struct proc_signals){
		.pending = mask_line(all, "\nSigPnd:\t"),
		.shared_pending = mask_line(all, "\nShdPnd:\t"),
		.blocked = mask_line(all, "\nSigBlk:\t"),
		.ignored = mask_line(all, "\nSigIgn:\t"),
		.caught = mask_line(all, "\nSigCgt:\t"),
	};
	vec_deinit(&text);
	return true;
}

uint64_t proc_capabilities(pid_t tid)
{
	struct bytes text = {0};
	uint64_t set = 0;

	if (proc_read(tid, "status", &text)) {
		vec_push(&text, 0);
		set = mask_line((const char *)text.items, "\nCapEff:\t");
	}
	vec_deinit(&text);
	return set;
}

char proc_state(pid_t tid)
{
	struct bytes text = {0};
	char state = 0;

	if (proc_read(tid, "stat", &text)) {
		vec_push(&text, 0);
		/* The name may hold parentheses: the last one ends it. */
		const char *end = strrchr((const char *)text.items, ')');

		if (end && end[1] == ' ')
			state = end[2];
	}
	vec_deinit(&text);
	return state;
}

/* Documentation/scheduler/sched-stats.rst: the first of three numbers. */
uint64_t proc_cpu_ns(pid_t tid)
{
	struct bytes text = {0};
	uint64_t ns = UINT64_MAX;

	if (proc_read(tid, "schedstat", &text)) {
		vec_push(&text, 0);
		ns = strtoull((const char *)text.items, NULL, 10);
	}
	vec_deinit(&text);
	return ns;
}

pid_t proc_status_number(pid_t tid, const char *label)
{
	char *line _cleanup_free_ = xasprintf("\n%s:", label);
	struct bytes text = {0};
	pid_t number = 0;

	if (proc_read(tid, "status", &text)) {
		vec_push(&text, 0);
		const char *found = strstr((const char *)text.items, line);

		number = found ? atoi(found + strlen(line)) : 0;
	}
	vec_deinit(&text);
	return number;
}

pid_t proc_own_tid(pid_t tid)
{
	struct bytes text = {0};
	char *end, *rest = NULL;
	pid_t own = tid;

	if (proc_read(tid, "status", &text)) {
		vec_push(&text, 0);
		rest = strstr((char *)text.items, "\nNSpid:");
	}
	/* One id for each namespace, the innermost last. */
	for (rest = rest ? rest + 7 : NULL; rest && *rest == '\t'; rest = end)
		own = (pid_t)strtol(rest + 1, &end, 10);
	vec_deinit(&text);
	return own;
}

bool proc_same_pid_namespace(pid_t a, pid_t b)
{
	struct stat of_a, of_b;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", a);
	if (stat(path, &of_a) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", b);
	return stat(path, &of_b) == 0 && of_a.st_ino == of_b.st_ino && of_a.st_dev == of_b.st_dev;
}

bool proc_read_children(pid_t tid, struct proc_tids *children)
{
	struct bytes text = {0};
	char name[48], *end;

	vec_clear(children);
	snprintf(name, sizeof(name), "task/%d/children", tid);
	bool ok = proc_read(tid, name, &text);

	vec_push(&text, 0);
	for (char *rest = (char *)text.items; *rest; rest = end) {
		pid_t child = (pid_t)strtol(rest, &end, 10);
		char state = end == rest ? 'Z' : proc_state(child);

		if (end == rest)
			break;
		if (state && state != 'Z' && state != 'X')
			vec_push(children, child);
		end += *end == ' ';
	}
	vec_deinit(&text);
	return ok;
}

bool proc_stat_known(const char *path, struct stat *status)
{
	struct statx known;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &known) < 0)
		return false;
	*status = (struct stat){
		.st_dev = makedev(known.stx_dev_major, known.stx_dev_minor),
		.st_ino = known.stx_ino,
		.st_mode = known.stx_mode,
		.st_rdev = makedev(known.stx_rdev_major, known.stx_rdev_minor),
	};
	return true;
}

bool proc_fd_stat(pid_t pid, int fd, struct stat *status)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return proc_stat_known(path, status);
}

bool proc_fd_info(pid_t pid, int fd, int64_t *position, int *flags)
{
	struct bytes text = {0};
	char name[32];
	long long pos = 0;
	int open_flags = 0;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	bool ok = proc_read(pid, name, &text);

	if (ok) {
		vec_push(&text, 0);
		ok = sscanf((const char *)text.items, "pos: %lld flags: %o", &pos,
			    (unsigned *)&open_flags) == 2;
	}
	vec_deinit(&text);
	*position = pos;
	*flags = open_flags;
	return ok;
}

int proc_fd_reopen(pid_t pid, int fd, int flags)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return open(path, flags | O_CLOEXEC);
}
