/* The data of an event, as memory that calls can be decoded from.
 *
 * Invariants: a read sees the records of the event in their order, the last one winning, and ends
 * at the first byte that none has; what is kept of one event is bounded, whatever the recording
 * says. */
#include <string.h>

#include "cmd/dump.h"
#include "util/alloc.h"

#define uthash_malloc(size)	   xmalloc(size)
#define uthash_free(pointer, size) free(pointer)
#include <uthash.h>

/* Far more than a line shows, but directories are decoded to their end. */
#define RECORD_KEPT (1u << 20)
#define EVENT_KEPT  (64u << 20)

struct open_call {
	uint32_t tid;
	struct dump_data inputs;
	UT_hash_handle hh;
};

struct dump_tasks {
	struct open_call *calls; /* by tid */
};

/* ---- records ---- */

static void data_deinit(struct dump_data *data)
{
	vec_deinit(&data->records);
	vec_deinit(&data->bytes);
}

static void data_add(struct dump_data *data, const struct trace_datum_view *view)
{
	struct dump_record record = {
		.kind = view->kind,
		.addr = view->addr,
		.length = view->length,
		.at = data->bytes.count,
		.kept = view->length < RECORD_KEPT ? view->length : RECORD_KEPT,
	};

	if (data->bytes.count + record.kept > EVENT_KEPT)
		record.kept = 0;
	vec_append(&data->bytes, (const unsigned char *)view->bytes, record.kept);
	vec_push(&data->records, record);
}

static struct error *load_data(struct trace_reader *reader, struct dump_data *data)
{
	struct trace_datum_view view;
	bool end;

	for (;;) {
		try(trace_reader_datum(reader, &view, &end));
		if (end)
			return NULL;
		data_add(data, &view);
	}
}

const struct dump_record *dump_find(const struct dump_event *e, uint32_t kind)
{
	for (size_t i = e->earlier; i < e->data.records.count; i++)
		if (e->data.records.items[i].kind == kind)
			return &e->data.records.items[i];
	return NULL;
}

const void *dump_bytes(const struct dump_event *e, const struct dump_record *record)
{
	return e->data.bytes.items + record->at;
}

/* ---- memory ---- */

/* Copies what the records of one kind have of the range, and marks it in `covered`. */
static void overlay(const struct dump_event *e, uint32_t kind, taddr addr, unsigned char *to,
		    size_t length, unsigned char *covered)
{
	vec_foreach (&e->data.records, record) {
		if (record->kind != kind)
			continue;
		/* Addresses of a recording can be anything: distances do not overflow. */
		uint64_t skip = addr > record->addr ? addr - record->addr : 0;
		uint64_t gap = addr > record->addr ? 0 : record->addr - addr;

		if (skip >= record->kept || gap >= length)
			continue;
		size_t n = record->kept - skip < length - gap ? record->kept - skip : length - gap;

		memcpy(to + gap, e->data.bytes.items + record->at + skip, n);
		memset(covered + gap, 1, n);
	}
}

static size_t read_memory(const struct dump_event *e, bool after, taddr addr, void *to,
			  size_t length)
{
	unsigned char *covered = xcalloc(length + 1, 1);

	overlay(e, TRACE_D_INPUT, addr, to, length, covered);
	if (after)
		overlay(e, TRACE_D_MEMORY, addr, to, length, covered);
	size_t got = strlen((const char *)covered);

	free(covered);
	return got;
}

static size_t read_entry(void *context, taddr addr, void *to, size_t length)
{
	return read_memory(context, false, addr, to, length);
}

static size_t read_after(void *context, taddr addr, void *to, size_t length)
{
	return read_memory(context, true, addr, to, length);
}

struct sc_memory dump_entry_memory(const struct dump_event *e)
{
	return (struct sc_memory){read_entry, (void *)e};
}

struct sc_memory dump_memory(const struct dump_event *e)
{
	return (struct sc_memory){read_after, (void *)e};
}

/* ---- calls under way ---- */

struct dump_tasks *dump_tasks_create(void)
{
	return xcalloc(1, sizeof(struct dump_tasks));
}

static void forget(struct dump_tasks *tasks, struct open_call *call)
{
	HASH_DEL(tasks->calls, call);
	data_deinit(&call->inputs);
	free(call);
}

void dump_tasks_destroy(struct dump_tasks *tasks)
{
	struct open_call *call, *next;

	if (!tasks)
		return;
	HASH_ITER (hh, tasks->calls, call, next) {
		forget(tasks, call);
	}
	free(tasks);
}

/* Takes the inputs of the task's call under way, into *inputs; it is under way no more. */
static void take_inputs(struct dump_tasks *tasks, uint32_t tid, struct dump_data *inputs)
{
	struct open_call *call;

	HASH_FIND(hh, tasks->calls, &tid, sizeof(tid), call);
	if (!call)
		return;
	*inputs = call->inputs;
	call->inputs = (struct dump_data){0};
	forget(tasks, call);
}

/* A signal can be taken while a call waits for its end: then it is still under way. */
static bool ends_call(uint16_t kind)
{
	return kind == TRACE_EV_SYSCALL || kind == TRACE_EV_SYSCALL_ENTER ||
	       kind == TRACE_EV_SYSCALL_EXIT || kind == TRACE_EV_EXEC || kind == TRACE_EV_TASK_EXIT;
}

static void keep_inputs(struct dump_tasks *tasks, const struct dump_event *e)
{
	struct open_call *call = xcalloc(1, sizeof(*call));

	call->tid = e->event.tid;
	vec_append(&call->inputs.records, e->data.records.items, e->data.records.count);
	vec_append(&call->inputs.bytes, e->data.bytes.items, e->data.bytes.count);
	HASH_ADD(hh, tasks->calls, tid, sizeof(call->tid), call);
}

/* ---- the event ---- */

static void describe_call(struct dump_event *e)
{
	uint16_t kind = e->event.kind;

	e->is_call = kind == TRACE_EV_SYSCALL || kind == TRACE_EV_SYSCALL_ENTER ||
		     kind == TRACE_EV_SYSCALL_EXIT;
	e->row = NULL;
	e->restarted = false;
	if (!e->is_call)
		return;
	e->call = sc_call_of((int)e->event.arg, &e->regs);
	e->call.result = e->event.result;
	e->call.ended = kind != TRACE_EV_SYSCALL_ENTER;
	e->row = sc_row(e->call.nr);
	e->restarted = sc_row_restarts(sc_row(arch.call_nr(&e->regs))) && !sc_row_restarts(e->row);
}

struct error *dump_event_load(struct trace_reader *reader, const struct trace_event *event,
			      struct dump_tasks *tasks, struct dump_event *e)
{
	struct dump_data inputs = {0};

	vec_clear(&e->data.records);
	vec_clear(&e->data.bytes);
	e->event = *event;
	e->group = trace_reader_group(reader);
	e->reader = reader;
	memcpy(e->regs.word, event->regs, sizeof(e->regs.word));
	describe_call(e);
	if (ends_call(event->kind))
		take_inputs(tasks, event->tid, &inputs);
	if (event->kind == TRACE_EV_SYSCALL_EXIT) {
		vec_append(&e->data.records, inputs.records.items, inputs.records.count);
		vec_append(&e->data.bytes, inputs.bytes.items, inputs.bytes.count);
	}
	data_deinit(&inputs);
	e->earlier = e->data.records.count;
	try(load_data(reader, &e->data));
	if (event->kind == TRACE_EV_SYSCALL_ENTER)
		keep_inputs(tasks, e);
	return NULL;
}

void dump_event_deinit(struct dump_event *e)
{
	data_deinit(&e->data);
}
