/* Pages of code, kept from one step to the next.
 *
 * Invariant: what is kept of a page is what the program would execute: only pages that cannot be
 * written are kept, and only until a system call changes some address space or a file. Others are
 * read at each step, and nobody runs through those. */
#include "live/step_code.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "live/engine.h"
#include "tracee/procfs.h"

#define PAGE  4096
#define PAGES 256

struct page {
	uint64_t age; /* of step_code when it was read; 0: nothing */
	pid_t pid;
	taddr at;
	uint8_t bytes[PAGE];
};

/* The mappings of one process. */
struct mapped {
	uint64_t age;
	pid_t pid;
	struct proc_maps maps;
};

struct step_code {
	uint64_t age;
	struct mapped mapped;
	struct page pages[PAGES];
};

struct step_code *step_code_create(void)
{
	struct step_code *code = xcalloc(1, sizeof(*code));

	code->age = 1;
	return code;
}

void step_code_destroy(struct step_code *code)
{
	if (!code)
		return;
	proc_maps_deinit(&code->mapped.maps);
	free(code);
}

void step_code_forget(struct step_code *code)
{
	code->age++;
}

static bool is_writable(struct step_code *code, pid_t pid, taddr page)
{
	struct mapped *mapped = &code->mapped;

	if (mapped->age != code->age || mapped->pid != pid) {
		proc_maps_deinit(&mapped->maps);
		mapped->maps = (struct proc_maps){0};
		proc_read_maps(pid, &mapped->maps);
		mapped->age = code->age;
		mapped->pid = pid;
	}
	vec_foreach (&mapped->maps, map)
		if (page >= map->start && page < map->end)
			return map->prot & PROT_WRITE || map->shared;
	return true;
}

/* The kept page, or NULL if it cannot be kept. */
static const struct page *find_page(struct step_code *code, struct live_task *task, taddr at)
{
	struct page *page = &code->pages[(at / PAGE ^ (taddr)task->tracee.tgid) % PAGES];

	if (page->age == code->age && page->at == at && page->pid == task->tracee.tgid)
		return page;
	page->age = 0;
	if (is_writable(code, task->tracee.tid, at) ||
	    live_read(task, at, page->bytes, PAGE) < PAGE)
		return NULL;
	page->at = at;
	page->pid = task->tracee.tgid;
	page->age = code->age;
	return page;
}

size_t step_code_look(struct step_code *code, struct live_task *task, taddr pc)
{
	taddr offset = pc % PAGE;
	const struct page *page;
	size_t length = LIVE_CODE;

	if (offset <= PAGE - LIVE_CODE && (page = find_page(code, task, pc - offset)))
		memcpy(task->code, page->bytes + offset, LIVE_CODE);
	else
		length = live_read(task, pc, task->code, LIVE_CODE);
	task->code_known = length == LIVE_CODE;
	return length;
}

/* The kept bytes at an address, as many as the longest instruction has; or NULL. */
static const uint8_t *kept(struct step_code *code, struct live_task *task, taddr at)
{
	taddr offset = at % PAGE;
	const struct page *page =
		offset + arch.insn_max <= PAGE ? find_page(code, task, at - offset) : NULL;

	return page ? page->bytes + offset : NULL;
}

taddr step_code_run(struct step_code *code, struct live_task *task, taddr pc)
{
	const struct regs *regs = tracee_regs(&task->tracee);
	const uint8_t *bytes;
	unsigned length;
	taddr at = pc, target;

	if (arch.is_narrow(regs))
		return 0; /* these are other instructions */
	while ((bytes = kept(code, task, at)) && !arch.makes_call(bytes, arch.insn_max)) {
		switch (arch.flow(bytes, arch.insn_max, regs, at, &length, &target)) {
		case ARCH_FLOW_ON:
			at += length;
			break;
		case ARCH_FLOW_TO:
			at = target;
			break;
		case ARCH_FLOW_STEP:
			return regs ? 0 : at;
		}
		regs = NULL; /* as they will be there is not known */
	}
	return regs ? 0 : at;
}
