/* An event as a JSON object. Members that an event of its kind does not have are left out; addresses
 * are strings in hexadecimal, everything else that is a number is one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/dump.h"
#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/json.h"

/* Bytes of a buffer or string that are shown; the recorder keeps as many of a long one. */
#define TEXT_MAX 4096

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
};

static const struct {
	uint16_t flag;
	const char *name;
} flags[] = {
	{TRACE_F_ECHO_STDOUT, "echo-stdout"}, {TRACE_F_ECHO_STDERR, "echo-stderr"},
	{TRACE_F_SYNC_FAULT, "sync-fault"},   {TRACE_F_BEFORE_CALL, "before-call"},
	{TRACE_F_AFTER_CALL, "after-call"},   {TRACE_F_FALLBACK, "fallback"},
	{TRACE_F_SCRATCH, "scratch"},	      {TRACE_F_REFUSED, "refused"},
};

/* ---- arguments ---- */

static void put_value(struct json *json, const struct sc_arg *arg, uint64_t value)
{
	if (arg->dir != SC_VALUE) {
		json_hex(json, value);
		return;
	}
	switch (arg->type) {
	case SC_T_NONE:
	case SC_T_ADDR:
	case SC_T_LHEX:
		json_hex(json, value);
		break;
	case SC_T_LONG:
	case SC_T_SSIZE:
	case SC_T_OFFSET:
		json_int(json, (int64_t)value);
		break;
	case SC_T_INT:
	case SC_T_FD:
	case SC_T_DIRFD:
	case SC_T_PID:
	case SC_T_UID:
	case SC_T_GID:
	case SC_T_EXIT_STATUS:
	case SC_T_TIMEOUT_MS:
	case SC_T_KEY_SERIAL:
		json_int(json, (int32_t)value);
		break;
	default:
		json_uint(json, value);
	}
}

/* How many bytes stand behind a buffer argument; see enum sc_size. */
static uint64_t buffer_length(const struct dump_event *e, const struct sc_arg *arg)
{
	uint64_t count = e->call.args[arg->size_arg % SC_ARGS];

	if (arg->size_kind == SC_S_CONST)
		return arg->size;
	if (arg->size_kind == SC_S_ARG_RET && e->call.ended && (uint64_t)e->call.result < count)
		count = (uint64_t)e->call.result;
	else if (arg->size_kind != SC_S_ARG && arg->size_kind != SC_S_ARG_RET)
		return 0;
	if (__builtin_mul_overflow(count, arg->size ? arg->size : 1, &count))
		return UINT64_MAX;
	return count;
}

/* What a pointer to a string or to plain bytes points at, if the recording has it. */
static void put_pointed(struct json *json, const struct dump_event *e, const struct sc_arg *arg,
			taddr addr)
{
	bool string = arg->size_kind == SC_S_CSTR;
	bool failed = e->call.ended && e->call.result < 0 && e->call.result >= -4095;
	struct sc_memory memory = arg->dir == SC_IN ? dump_entry_memory(e) : dump_memory(e);
	unsigned char bytes[TEXT_MAX];

	if (!addr || (!string && arg->type != SC_T_BUF))
		return;
	if (arg->dir == SC_OUT && (failed || !e->call.ended))
		return;
	uint64_t length = string ? TEXT_MAX : buffer_length(e, arg);
	size_t got =
		memory.read(memory.context, addr, bytes, length < TEXT_MAX ? length : TEXT_MAX);

	if (string)
		got = strnlen((const char *)bytes, got);
	if (!got && (string || length))
		return;
	json_key(json, "text");
	json_string(json, (const char *)bytes, got);
	if (!string && got < length)
		json_member_uint(json, "length", length);
}

static void put_arguments(struct json *json, const struct dump_event *e)
{
	static const struct sc_arg unknown = {.name = NULL, .dir = SC_VALUE, .type = SC_T_NONE};
	unsigned count = e->row ? e->row->nargs : SC_ARGS;

	if (e->restarted)
		count = 0;
	json_key(json, "args");
	json_begin_array(json);
	for (unsigned i = 0; i < count; i++) {
		const struct sc_arg *arg = e->row ? &e->row->args[i] : &unknown;

		json_begin_object(json);
		if (arg->name)
			json_member_text(json, "name", arg->name);
		json_key(json, "value");
		put_value(json, arg, e->call.args[i]);
		if (arg->dir != SC_VALUE)
			put_pointed(json, e, arg, e->call.args[i]);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_result(struct json *json, const struct dump_event *e)
{
	int64_t result = e->call.result;
	bool failed = result < 0 && result >= -4095;
	const char *name = failed ? sc_errno_name((int)-result) : NULL;

	if (!e->call.ended)
		return;
	if (!failed && e->row && (e->row->ret_type == SC_T_ADDR || e->row->ret_type == SC_T_LHEX))
		json_member_hex(json, "result", (uint64_t)result);
	else
		json_member_int(json, "result", result);
	if (name)
		json_member_text(json, "errno", name);
}

static void put_call(struct json *json, const struct dump_event *e)
{
	if (e->row)
		json_member_text(json, "name", e->restarted ? "restart_syscall" : e->row->name);
	if (e->restarted && e->row)
		json_member_text(json, "resumes", e->row->name);
	json_member_int(json, "call", e->call.nr);
	put_arguments(json, e);
	put_result(json, e);
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

static void put_particulars(struct json *json, const struct dump_event *e)
{
	const char *name;

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
