/* System calls in JSON. Invariants: addresses and masks that are pointers are strings in
 * hexadecimal, everything else that is a number is one; what an error left unset is not shown. */
#include "syscalls/format_json.h"

#include <string.h>

#include "syscalls/constants.h"

#define MAX_ERRNO 4095

static bool has_failed(const struct sc_call *call)
{
	return call->ended && call->result < 0 && call->result >= -MAX_ERRNO;
}

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
static uint64_t buffer_length(const struct sc_call *call, const struct sc_arg *arg)
{
	uint64_t count = call->args[arg->size_arg % SC_ARGS];

	if (arg->size_kind == SC_S_CONST)
		return arg->size;
	if (arg->size_kind == SC_S_ARG_RET && call->ended && (uint64_t)call->result < count)
		count = (uint64_t)call->result;
	else if (arg->size_kind != SC_S_ARG && arg->size_kind != SC_S_ARG_RET)
		return 0;
	if (__builtin_mul_overflow(count, arg->size ? arg->size : 1, &count))
		return UINT64_MAX;
	return count;
}

/* What a pointer to a string or to plain bytes points at, if that can be read. */
static void put_pointed(struct json *json, const struct sc_call *call, const struct sc_arg *arg,
			const struct sc_memory *memory, taddr addr)
{
	bool string = arg->size_kind == SC_S_CSTR;
	unsigned char bytes[SC_JSON_TEXT_MAX];

	if (!addr || (!string && !sc_arg_is_bytes(arg)))
		return;
	if (arg->dir == SC_OUT && (has_failed(call) || !call->ended))
		return;
	uint64_t length = string ? sizeof(bytes) : buffer_length(call, arg);
	size_t got = memory->read(memory->context, addr, bytes,
				  length < sizeof(bytes) ? length : sizeof(bytes));

	if (string)
		got = strnlen((const char *)bytes, got);
	if (!got && (string || length))
		return;
	json_key(json, "text");
	json_string(json, (const char *)bytes, got);
	if (!string && got < length)
		json_member_uint(json, "length", length);
}

void sc_json_args(struct json *json, const struct sc_row *row, const struct sc_call *call,
		  const struct sc_memory *entry, const struct sc_memory *memory)
{
	static const struct sc_arg unknown = {.name = NULL, .dir = SC_VALUE, .type = SC_T_NONE};
	unsigned count = row ? row->nargs : SC_ARGS;

	json_key(json, "args");
	json_begin_array(json);
	for (unsigned i = 0; i < count; i++) {
		const struct sc_arg *arg = row ? &row->args[i] : &unknown;

		json_begin_object(json);
		if (arg->name)
			json_member_text(json, "name", arg->name);
		json_key(json, "value");
		put_value(json, arg, call->args[i]);
		if (arg->dir != SC_VALUE)
			put_pointed(json, call, arg, arg->dir == SC_IN ? entry : memory,
				    call->args[i]);
		json_end_object(json);
	}
	json_end_array(json);
}

void sc_json_result(struct json *json, const struct sc_row *row, const struct sc_call *call)
{
	const char *name = has_failed(call) ? sc_errno_name((int)-call->result) : NULL;

	if (!call->ended)
		return;
	if (!has_failed(call) && row && (row->ret_type == SC_T_ADDR || row->ret_type == SC_T_LHEX))
		json_member_hex(json, "result", (uint64_t)call->result);
	else
		json_member_int(json, "result", call->result);
	if (name)
		json_member_text(json, "errno", name);
}
