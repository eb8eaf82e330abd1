/* An event as a JSON object. Members that an event of its kind does not have are left out;
 * addresses are strings in hexadecimal, everything else that is a number is one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/dump.h"
#include "syscalls/format_json.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/json.h"

static const char *const kinds[TRACE_EV_KINDS] = {
	[TRACE_EV_NONE] = "none",
	[TRACE_EV_START] = "start",
	[TRACE_EV_SYSCALL] = "syscall",
	[TRACE_EV_SYSCALL_ENTER] = "syscall-enter",
	[TRACE_EV_SYSCALL_EXIT] = "syscall-exit",
	[TRACE_EV_RESTART] = "restart",
	[TRACE_EV_INSN] = "instruction",
	[TRACE_EV_SIGNAL] = "signal",
	[TRACE_EV_SIGNAL_FATAL] = "signal-fatal",
	[TRACE_EV_TASK_NEW] = "task-new",
	[TRACE_EV_EXEC] = "exec",
	[TRACE_EV_TASK_EXIT] = "task-exit",
	[TRACE_EV_FILE_WRITE] = "file-write",
	[TRACE_EV_SCHED] = "sched",
	[TRACE_EV_END] = "end",
	[TRACE_EV_PROBES] = "probes",
};

static const char *const data_kinds[TRACE_D_KINDS] = {
	[TRACE_D_MEMORY] = "memory",
	[TRACE_D_INPUT] = "input",
	[TRACE_D_XSTATE] = "xstate",
	[TRACE_D_SIGINFO] = "siginfo",
	[TRACE_D_MAPPING] = "mapping",
	[TRACE_D_TASK] = "task",
	[TRACE_D_EXEC_PATH] = "exec-path",
	[TRACE_D_AUXV] = "auxv",
	[TRACE_D_FILE_BYTES] = "file-bytes",
	[TRACE_D_STATE_HASH] = "state-hash",
	[TRACE_D_NAME] = "name",
	[TRACE_D_REGS] = "registers",
	[TRACE_D_MEMORY_OF] = "memory-of",
	[TRACE_D_STACK_LIMIT] = "stack-limit",
	[TRACE_D_WITNESS] = "witnesses",
	[TRACE_D_WITNESS_BYTES] = "witness-bytes",
	[TRACE_D_PLACE] = "place",
	[TRACE_D_PROBE] = "probe",
	[TRACE_D_INPUT_HASH] = "input-hash",
};

static const struct {
	uint16_t flag;
	const char *name;
} flags[] = {
	{TRACE_F_ECHO_STDOUT, "echo-stdout"},
	{TRACE_F_ECHO_STDERR, "echo-stderr"},
	{TRACE_F_SYNC_FAULT, "sync-fault"},
	{TRACE_F_BEFORE_CALL, "before-call"},
	{TRACE_F_AFTER_CALL, "after-call"},
	{TRACE_F_FALLBACK, "fallback"},
	{TRACE_F_SCRATCH, "scratch"},
	{TRACE_F_REFUSED, "refused"},
	{TRACE_F_ASYNC, "async"},
	{TRACE_F_BUFFERED, "buffered"},
};

/* ---- system calls ---- */

static void put_arguments(struct json *json, const struct dump_event *e)
{
	struct sc_memory entry = dump_entry_memory(e), after = dump_memory(e);

	if (!e->restarted) {
		sc_json_args(json, e->row, &e->call, &entry, &after);
		return;
	}
	json_key(json, "args");
	json_begin_array(json);
	json_end_array(json);
}

static void put_call(struct json *json, const struct dump_event *e)
{
	if (e->row)
		json_member_text(json, "name", e->restarted ? "restart_syscall" : e->row->name);
	if (e->restarted && e->row)
		json_member_text(json, "resumes", e->row->name);
	json_member_int(json, "call", e->call.nr);
	put_arguments(json, e);
	sc_json_result(json, e->row, &e->call);
}

/* ---- other kinds ---- */

static void put_record_text(struct json *json, const struct dump_event *e, const char *key,
			    uint32_t kind)
{
	const struct dump_record *record = dump_find(e, kind);

	if (!record)
		return;
	json_key(json, key);
	json_string(json, dump_bytes(e, record), record->kept);
}

static void put_new_task(struct json *json, const struct dump_event *e)
{
	const struct dump_record *record = dump_find(e, TRACE_D_TASK);
	struct trace_task task;

	json_member_int(json, "new_tid", e->event.result);
	if (!record || record->kept != sizeof(task))
		return;
	memcpy(&task, dump_bytes(e, record), sizeof(task));
	json_member_uint(json, "new_tgid", task.tgid);
	json_member_uint(json, "new_group", task.group);
	json_member_hex(json, "clone_flags", task.clone_flags);
}

/* Where between events it is. */
static void put_place(struct json *json, const struct dump_event *e)
{
	const struct dump_record *record = dump_find(e, TRACE_D_PLACE);
	struct trace_place place;

	if (!record || record->kept != sizeof(place))
		return;
	memcpy(&place, dump_bytes(e, record), sizeof(place));
	json_key(json, "place");
	json_begin_object(json);
	json_member_text(json, "kind", place.kind == TRACE_PLACE_EXACT ? "exact" : "state");
	json_member_hex(json, "pc", arch.pc(&e->regs));
	json_member_uint(json, "hits", place.hits);
	json_member_uint(json, "steps", place.steps);
	json_end_object(json);
}

static void put_particulars(struct json *json, const struct dump_event *e)
{
	const char *name;

	put_place(json, e);
	switch (e->event.kind) {
	case TRACE_EV_SYSCALL:
	case TRACE_EV_SYSCALL_ENTER:
	case TRACE_EV_SYSCALL_EXIT:
		put_call(json, e);
		break;
	case TRACE_EV_INSN:
		if (e->event.arg == ARCH_TRAP_TIME || e->event.arg == ARCH_TRAP_CPUID)
			json_member_text(json, "name",
					 e->event.arg == ARCH_TRAP_TIME ? "rdtsc" : "cpuid");
		json_member_hex(json, "pc", arch.pc(&e->regs));
		break;
	case TRACE_EV_SIGNAL:
	case TRACE_EV_SIGNAL_FATAL:
		name = sc_signal_name((int)e->event.arg);
		if (name)
			json_member_text(json, "name", name);
		json_member_uint(json, "signal", e->event.arg);
		break;
	case TRACE_EV_START:
	case TRACE_EV_EXEC:
		put_record_text(json, e, "path", TRACE_D_EXEC_PATH);
		put_record_text(json, e, "name", TRACE_D_NAME);
		break;
	case TRACE_EV_TASK_NEW:
		put_new_task(json, e);
		break;
	case TRACE_EV_FILE_WRITE:
		json_member_uint(json, "file", e->event.arg);
		if (trace_reader_file_path(e->reader, e->event.arg))
			json_member_text(json, "path",
					 trace_reader_file_path(e->reader, e->event.arg));
		break;
	case TRACE_EV_TASK_EXIT:
	case TRACE_EV_END:
		json_member_int(json, "status", e->event.result);
		break;
	}
}

/* ---- every kind ---- */

static void put_text(struct json *json, const struct dump_event *e)
{
	char *text _cleanup_free_ = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	if (!stream)
		alloc_failed(0);
	dump_put_text(stream, e);
	fclose(stream);
	json_key(json, "text");
	json_string(json, text, length);
}

static void put_flags(struct json *json, const struct dump_event *e)
{
	if (!e->event.flags)
		return;
	json_key(json, "flags");
	json_begin_array(json);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (e->event.flags & flags[i].flag)
			json_text(json, flags[i].name);
	json_end_array(json);
}

static void put_data(struct json *json, const struct dump_event *e)
{
	if (e->earlier == e->data.records.count)
		return;
	json_key(json, "data");
	json_begin_array(json);
	for (size_t i = e->earlier; i < e->data.records.count; i++) {
		const struct dump_record *record = &e->data.records.items[i];

		json_begin_object(json);
		json_member_text(json, "kind", data_kinds[record->kind]);
		if (record->addr)
			json_member_hex(json, "addr", record->addr);
		json_member_uint(json, "length", record->length);
		json_end_object(json);
	}
	json_end_array(json);
}

static bool has_registers(const struct dump_event *e)
{
	for (size_t i = 0; i < TRACE_REGS; i++)
		if (e->regs.word[i])
			return true;
	return false;
}

static void put_registers(struct json *json, const struct dump_event *e)
{
	if (!has_registers(e))
		return;
	json_key(json, "registers");
	json_begin_object(json);
	for (size_t i = 0; i < TRACE_REGS; i++)
		json_member_hex(json, arch.reg_names[i], e->regs.word[i]);
	json_end_object(json);
}

void dump_put_json(FILE *out, const struct dump_event *e, bool registers)
{
	struct json json;

	json_init(&json, out);
	json_begin_object(&json);
	json_member_uint(&json, "number", e->event.number);
	json_member_uint(&json, "time_ns", e->event.time_ns);
	json_member_uint(&json, "tid", e->event.tid);
	json_member_uint(&json, "group", e->group);
	json_member_text(&json, "kind", kinds[e->event.kind]);
	put_particulars(&json, e);
	put_flags(&json, e);
	put_text(&json, e);
	if (registers)
		put_registers(&json, e);
	put_data(&json, e);
	json_end_object(&json);
	putc('\n', out);
}
