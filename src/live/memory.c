/* A target's memory as its program sees it: without our breakpoints. One descriptor an address
 * space. */
#include <string.h>

#include "live/state.h"

static struct tracee *memory_of(struct live_task *task)
{
	struct tracee *memory = &mm_of(task_of(task))->memory;

	if (memory->mem < 0)
		memory->tid = task->tracee.tid;
	return memory;
}

/* The part of a breakpoint's bytes that lies in [addr, addr + length). */
static bool overlap(const struct breakpoint *b, taddr addr, size_t length, size_t *from, size_t *to)
{
	taddr end = b->pub.at + arch.break_size;

	if (!b->inserted || b->pub.kind != LIVE_BREAK || b->pub.at >= addr + length || end <= addr)
		return false;
	*from = b->pub.at < addr ? addr - b->pub.at : 0;
	*to = end > addr + length ? arch.break_size - (end - addr - length) : arch.break_size;
	return true;
}

size_t live_read(struct live_task *task, taddr addr, void *to, size_t length)
{
	size_t got = tracee_read(memory_of(task), addr, to, length), first, last;
	struct breakpoint *b;

	DL_FOREACH (mm_of(task_of(task))->breakpoints, b)
		if (overlap(b, addr, got, &first, &last))
			memcpy((char *)to + (b->pub.at + first - addr), b->saved + first,
			       last - first);
	return got;
}

/* Writes around breakpoints: what lies under one is what it will put back. */
size_t live_write(struct live_task *task, taddr addr, const void *from, size_t length)
{
	unsigned char *bytes = xmemdup(from, length ? length : 1);
	struct mm *mm = mm_of(task_of(task));
	struct breakpoint *b;
	size_t first, last;

	DL_FOREACH (mm->breakpoints, b) {
		if (!overlap(b, addr, length, &first, &last))
			continue;
		unsigned char *at = bytes + (b->pub.at + first - addr);

		memcpy(b->saved + first, at, last - first);
		memcpy(at, arch.break_code + first, last - first);
	}
	size_t put = tracee_write(memory_of(task), addr, bytes, length);

	free(bytes);
	return put;
}

static size_t read_for_syscalls(void *context, taddr addr, void *to, size_t length)
{
	return live_read(context, addr, to, length);
}

struct sc_memory live_memory(struct live_task *task)
{
	return (struct sc_memory){.read = read_for_syscalls, .context = task};
}
