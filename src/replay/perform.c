/* Calls that shape the address space are made again, at the recorded places. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "replay/session.h"
#include "syscalls/advice.h"
#include "tracee/procfs.h"

#define PAGE_MASK 4095ull

static uint64_t arg(const struct rep_session *s, int index)
{
	struct regs regs = rep_event_regs(s);

	return arch.call_arg(&regs, index);
}

static struct error *check(struct rep_session *s, struct rep_task *t, const char *what,
			   int64_t result, int64_t expected)
{
	if (result == expected)
		return NULL;
	return rep_diverged(s, t, "%s gave %#llx instead of %#llx", what,
			    (unsigned long long)result, (unsigned long long)expected);
}

/* The event's mapping record; an error if it has none. */
static struct error *event_mapping(struct rep_session *s, struct rep_task *t,
				   struct trace_mapping *mapping)
{
	struct trace_datum_view view;

	try(trace_reader_find(s->reader, TRACE_D_MAPPING, &view));
	if (!view.bytes)
		return rep_diverged(s, t, "the recording does not say what was mapped");
	memcpy(mapping, view.bytes, sizeof(*mapping));
	return NULL;
}

/* Opens one of our descriptors in the tracee; returns its descriptor or a negative errno. */
static int64_t open_in_tracee(struct rep_task *t, int fd, int flags)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	tracee_write(&t->tracee, WARP_DATA_PAGE, path, strlen(path) + 1);
	return tracee_callv(&t->tracee, SYS_openat, (uint64_t)AT_FDCWD, WARP_DATA_PAGE,
			    (uint64_t)flags, 0);
}

static struct error *map_file(struct rep_session *s, struct rep_task *t,
			      const struct trace_mapping *mapping, int prot, int flags)
{
	struct rep_file *file;

	try(rep_file_get(s, mapping->file, &file));
	int64_t fd = open_in_tracee(t, file->fd, file->changing ? O_RDWR : O_RDONLY);

	if (fd < 0)
		return error_hint(
			error_os((int)-fd,
				 "cannot open the kept contents of mapped file %u for event "
				 "%llu",
				 mapping->file, (unsigned long long)s->event.number),
			"are they still in the recording, and may you read them?");
	int64_t result = tracee_callv(&t->tracee, SYS_mmap, mapping->start,
				      mapping->end - mapping->start, (uint64_t)prot,
				      (uint64_t)(flags | MAP_FIXED), (uint64_t)fd, mapping->offset);

	tracee_callv(&t->tracee, SYS_close, (uint64_t)fd);
	return check(s, t, "mapping a file", result, (int64_t)mapping->start);
}

/* Our pages are not for the recording to touch: code there runs outside PTRACE_SYSEMU. */
static struct error *check_range(struct rep_session *s, taddr start, uint64_t length)
{
	taddr end = start + length;

	if (end >= start && (end <= WARP_CODE_PAGE || start >= WARP_PAGES_END))
		return NULL;
	return error_new("event %llu changes memory that belongs to warp: the recording is damaged",
			 (unsigned long long)s->event.number);
}

struct error *rep_map(struct rep_session *s, struct rep_task *t,
		      const struct trace_mapping *mapping, int prot, int flags)
{
	/* Huge pages may not be free here, and change nothing but speed. */
	try(check_range(s, mapping->start, mapping->end - mapping->start));
	flags &= ~(MAP_FIXED_NOREPLACE | MAP_HUGETLB | MAP_LOCKED | MAP_POPULATE | MAP_32BIT |
		   MAP_SYNC | (int)((unsigned)MAP_HUGE_MASK << MAP_HUGE_SHIFT));
	if (mapping->file != TRACE_NO_FILE)
		return map_file(s, t, mapping, prot, flags & ~MAP_ANONYMOUS);
	if (!(flags & MAP_ANONYMOUS)) /* contents follow as memory */
		flags = (flags & ~MAP_TYPE) | MAP_PRIVATE | MAP_ANONYMOUS;
	int64_t result =
		tracee_callv(&t->tracee, SYS_mmap, mapping->start, mapping->end - mapping->start,
			     (uint64_t)prot, (uint64_t)(flags | MAP_FIXED), -1ull, 0);

	return check(s, t, "mapping memory", result, (int64_t)mapping->start);
}

static struct error *do_mmap(struct rep_session *s, struct rep_task *t)
{
	struct trace_mapping mapping;

	try(event_mapping(s, t, &mapping));
	mapping.offset = arg(s, 5);
	/* A shared mapping of /dev/zero is shared memory without a name. */
	int flags = (int)arg(s, 3) | (mapping.flags & MAP_SHARED ? MAP_ANONYMOUS : 0);

	if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE) /* for files only */
		flags = (flags & ~MAP_TYPE) | MAP_SHARED;
	else if ((flags & MAP_TYPE) == WARP_MAP_DROPPABLE) /* recorded as this */
		flags = (flags & ~MAP_TYPE) | MAP_PRIVATE;

	return rep_map(s, t, &mapping, (int)arg(s, 2), flags);
}

static struct error *do_brk(struct rep_session *s, struct rep_task *t)
{
	struct trace_mapping mapping;

	try(event_mapping(s, t, &mapping));
	taddr from = (mapping.start + PAGE_MASK) & ~PAGE_MASK;
	taddr to = (mapping.end + PAGE_MASK) & ~PAGE_MASK;

	try(check_range(s, to < from ? to : from, to < from ? from - to : to - from));
	if (to < from)
		return check(s, t, "shrinking the heap",
			     tracee_callv(&t->tracee, SYS_munmap, to, from - to), 0);
	if (to == from)
		return NULL;
	mapping = (struct trace_mapping){.start = from, .end = to, .file = TRACE_NO_FILE};
	return rep_map(s, t, &mapping, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

static struct error *do_mremap(struct rep_session *s, struct rep_task *t)
{
	taddr old = arg(s, 0), now = (taddr)s->event.result;
	uint64_t flags = arg(s, 3) & ~(uint64_t)MREMAP_FIXED;

	try(check_range(s, old, arg(s, 1)));
	try(check_range(s, now, arg(s, 2)));
	if (now != old)
		flags |= MREMAP_MAYMOVE | MREMAP_FIXED;
	else if (!(flags & MREMAP_DONTUNMAP))
		flags &= ~(uint64_t)MREMAP_MAYMOVE;
	return check(s, t, "mremap",
		     tracee_callv(&t->tracee, SYS_mremap, old, arg(s, 1), arg(s, 2), flags, now),
		     (int64_t)now);
}

/* The same call with the same arguments. */
static struct error *do_again(struct rep_session *s, struct rep_task *t)
{
	uint64_t args[SC_ARGS];

	for (int i = 0; i < SC_ARGS; i++)
		args[i] = arg(s, i);
	return check(s, t, "making the call again",
		     tracee_call(&t->tracee, (int)s->event.arg, args), s->event.result);
}

/* The same for calls on a range of memory. */
static struct error *do_range_again(struct rep_session *s, struct rep_task *t)
{
	try(check_range(s, arg(s, 0), arg(s, 1)));
	return do_again(s, t);
}

/* Nothing is locked here, and MADV_FREE was recorded as MADV_DONTNEED. */
static uint64_t advice_here(uint64_t advice)
{
	return advice == MADV_FREE || advice == SC_ADVICE_DONTNEED_LOCKED ? MADV_DONTNEED : advice;
}

static struct error *do_madvise(struct rep_session *s, struct rep_task *t)
{
	uint64_t advice = advice_here(arg(s, 2));

	try(check_range(s, arg(s, 0), arg(s, 1)));
	if (!sc_advice_lasts(advice))
		return NULL;
	return check(s, t, "madvise",
		     tracee_callv(&t->tracee, SYS_madvise, arg(s, 0), arg(s, 1), advice),
		     s->event.result);
}

static struct error *do_shmat(struct rep_session *s, struct rep_task *t)
{
	struct trace_mapping mapping;
	int prot = PROT_READ | (arg(s, 2) & SHM_RDONLY ? 0 : PROT_WRITE) |
		   (arg(s, 2) & SHM_EXEC ? PROT_EXEC : 0);

	try(event_mapping(s, t, &mapping));
	return rep_map(s, t, &mapping, prot, MAP_SHARED);
}

static struct error *do_shmdt(struct rep_session *s, struct rep_task *t)
{
	struct trace_mapping mapping;

	try(event_mapping(s, t, &mapping));
	try(check_range(s, mapping.start, mapping.end - mapping.start));
	return check(
		s, t, "detaching shared memory",
		tracee_callv(&t->tracee, SYS_munmap, mapping.start, mapping.end - mapping.start),
		0);
}

/* The processor's tiles: without the permission, their first use raises SIGILL. */
static struct error *do_xcomp(struct rep_session *s, struct rep_task *t)
{
	int64_t result = tracee_callv(&t->tracee, SYS_arch_prctl, arg(s, 0), arg(s, 1));

	if (result == s->event.result)
		return NULL;
	return rep_diverged(s, t,
			    "this processor or kernel does not let it use the vector state %llu: "
			    "replay on a machine that has it (%s)",
			    (unsigned long long)arg(s, 1), strerror((int)-result));
}

/* Of the personality only this counts here: what can be read can be executed then. The kernel hands
 * it on at forks and takes it away at execs, as it did while recording. */
static struct error *do_personality(struct rep_session *s, struct rep_task *t)
{
	const uint64_t ask = 0xffffffff;
	uint64_t wanted = arg(s, 0);
	int64_t now = tracee_callv(&t->tracee, SYS_personality, ask);

	if ((uint32_t)wanted == ask || now < 0 || !((wanted ^ (uint64_t)now) & READ_IMPLIES_EXEC))
		return NULL;
	return check(s, t, "personality",
		     tracee_callv(&t->tracee, SYS_personality, (uint64_t)now ^ READ_IMPLIES_EXEC),
		     now);
}

/* What stopped the call is still there: a hole; or, where an access was denied or memory cannot be
 * wiped at a fork, another mapping than that which the range begins in. */
static bool failed_midway(struct rep_session *s, struct rep_task *t)
{
	taddr at = arg(s, 0), end = at + ((arg(s, 1) + PAGE_MASK) & ~PAGE_MASK);
	struct proc_maps maps = {0};
	unsigned met = 0;

	proc_read_maps(t->tracee.tid, &maps);
	vec_foreach (&maps, map) {
		if (map->end <= at || map->start > at || at >= end)
			continue;
		at = map->end;
		met++;
	}
	proc_maps_deinit(&maps);
	if (s->event.result == -ENOMEM)
		return at < end;
	return met > 1 && (s->event.result == -EACCES ||
			   (s->event.result == -EINVAL && arg(s, 2) == MADV_WIPEONFORK));
}

/* Up to where the kernel came, over holes: only those stop it here. */
static struct error *do_beginning(struct rep_session *s, struct rep_task *t,
				  enum sc_handler handler, const struct trace_mapping *done)
{
	const struct regs regs = rep_event_regs(s);
	struct sc_call call = sc_call_of((int)s->event.arg, &regs);

	call.args[0] = done->start;
	call.args[1] = done->end - done->start;
	if (handler == SC_H_MADVISE)
		call.args[2] = advice_here(call.args[2]);
	try(check_range(s, call.args[0], call.args[1]));
	int64_t result = tracee_call(&t->tracee, call.nr, call.args);

	return check(s, t, "what a call did before it failed", result == -ENOMEM ? 0 : result, 0);
}

static const rep_perform performers[SC_HANDLERS] = {
	[SC_H_MMAP] = do_mmap,
	[SC_H_MUNMAP] = do_range_again,
	[SC_H_MREMAP] = do_mremap,
	[SC_H_MPROTECT] = do_range_again,
	[SC_H_REMAP_PAGES] = do_range_again,
	[SC_H_BRK] = do_brk,
	[SC_H_MADVISE] = do_madvise,
	[SC_H_SHMAT] = do_shmat,
	[SC_H_SHMDT] = do_shmdt,
	[SC_H_PERSONALITY] = do_personality,
	[SC_H_SEGMENT] = do_again,
	[SC_H_XCOMP] = do_xcomp,
};

rep_perform rep_performer(enum sc_handler handler)
{
	return performers[handler];
}

struct error *rep_perform_failed(struct rep_session *s, struct rep_task *t, enum sc_handler handler)
{
	struct trace_datum_view view;
	struct trace_mapping done;

	try(trace_reader_find(s->reader, TRACE_D_MAPPING, &view));
	if (!view.bytes)
		return failed_midway(s, t) ? performers[handler](s, t) : NULL;
	memcpy(&done, view.bytes, sizeof(done));
	return do_beginning(s, t, handler, &done);
}
