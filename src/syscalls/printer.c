/* The primitives that all printers use: numbers, strings, names, flags, arrays.
 * Invariants: nothing read from memory is trusted (a length is cut before anything is fetched), and
 * what cannot be read prints as its address. */
#include "syscalls/printer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "util/alloc.h"
#include "util/cleanup.h"

#define PATH_BYTES 4096

void put(struct printer *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(p->out, format, args);
	va_end(args);
}

void put_addr(struct printer *p, taddr addr)
{
	if (addr)
		put(p, "%#" PRIx64, addr);
	else
		put(p, "NULL");
}

static size_t read_some(struct printer *p, taddr addr, void *to, size_t size)
{
	size_t got = p->memory->read(p->memory->context, addr, to, size);

	return got < size ? got : size;
}

bool fetch(struct printer *p, taddr addr, void *to, size_t size)
{
	return addr && read_some(p, addr, to, size) == size;
}

bool fetch_or_addr(struct printer *p, taddr addr, void *to, size_t size)
{
	if (fetch(p, addr, to, size))
		return true;
	put_addr(p, addr);
	return false;
}

uint64_t arg_value(const struct printer *p, unsigned arg)
{
	return arg < SC_ARGS ? p->call->args[arg] : 0;
}

uint64_t arg_length(struct printer *p)
{
	const struct sc_arg *arg = &p->row->args[p->arg];
	uint64_t count = arg_value(p, arg->size_arg);
	uint64_t unit = arg->size ? arg->size : 1;
	uint32_t length;

	switch (arg->size_kind) {
	case SC_S_CONST:
		return arg->size;
	case SC_S_ARG_RET:
		if (p->call->ended && !p->failed && (uint64_t)p->call->result < count)
			count = p->call->result;
		break;
	case SC_S_ARG_DEREF:
		return fetch(p, count, &length, sizeof(length)) ? length : 0;
	case SC_S_ARG:
		break;
	default:
		return 0;
	}
	return __builtin_mul_overflow(count, unit, &count) ? UINT64_MAX : count;
}

/* ---- strings ---- */

static void put_escaped(struct printer *p, unsigned char byte, bool digit_follows)
{
	static const char plain[] = "\"\\\f\n\r\t\v", letters[] = "\"\\fnrtv";
	const char *found = byte ? strchr(plain, byte) : NULL;

	if (found)
		put(p, "\\%c", letters[found - plain]);
	else if (byte >= ' ' && byte <= '~')
		put(p, "%c", byte);
	else
		put(p, digit_follows ? "\\%03o" : "\\%o", byte);
}

static void put_text(struct printer *p, const void *bytes, size_t length, bool hex)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < length; i++)
		if (hex)
			put(p, "\\x%02x", b[i]);
		else
			put_escaped(p, b[i], i + 1 < length && b[i + 1] >= '0' && b[i + 1] <= '7');
}

void put_quoted(struct printer *p, const void *bytes, size_t length, bool hex)
{
	put(p, "\"");
	put_text(p, bytes, length, hex);
	put(p, "\"");
}

static void put_memory(struct printer *p, taddr addr, uint64_t length, bool hex)
{
	unsigned char bytes[PRINT_MAX];
	size_t size = length < PRINT_MAX ? length : PRINT_MAX;

	if (!addr || read_some(p, addr, bytes, size) < size) {
		put_addr(p, addr);
		return;
	}
	put_quoted(p, bytes, size, hex);
	if (length > PRINT_MAX)
		put(p, "...");
}

void put_bytes(struct printer *p, taddr addr, uint64_t length)
{
	put_memory(p, addr, length, false);
}

void put_bytes_hex(struct printer *p, taddr addr, uint64_t length)
{
	put_memory(p, addr, length, true);
}

void put_string(struct printer *p, taddr addr, size_t max)
{
	char *text _cleanup_free_ = xmalloc(max + 1);
	size_t got = addr ? read_some(p, addr, text, max + 1) : 0;
	size_t length = strnlen(text, got);

	if (!got || (length == got && got < max + 1)) {
		put_addr(p, addr);
		return;
	}
	put_quoted(p, text, length < max ? length : max, false);
	if (length > max)
		put(p, "...");
}

void put_path(struct printer *p, taddr addr)
{
	put_string(p, addr, PATH_BYTES - 1);
}

void put_chars(struct printer *p, const char *chars, size_t size)
{
	put_quoted(p, chars, strnlen(chars, size), false);
}

/* ---- names ---- */

const char *names_find(const struct names *names, uint64_t value)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].value == value)
			return names->items[i].text;
	return NULL;
}

static void put_unknown(struct printer *p, const struct names *names)
{
	if (names->unknown)
		put(p, " /* %s */", names->unknown);
}

void put_name(struct printer *p, const struct names *names, uint64_t value)
{
	const char *text = names_find(names, value);

	if (text) {
		put(p, "%s", text);
		return;
	}
	put(p, "%#" PRIx64, value);
	put_unknown(p, names);
}

void put_name_decimal(struct printer *p, const struct names *names, int64_t value)
{
	const char *text = names_find(names, value);

	if (text) {
		put(p, "%s", text);
		return;
	}
	put(p, "%" PRId64, value);
	put_unknown(p, names);
}

void put_flags(struct printer *p, const struct names *names, uint64_t value)
{
	uint64_t rest = value;
	const char *bar = "";

	if (!value) {
		const char *text = names_find(names, 0);

		put(p, "%s", text ? text : "0");
		return;
	}
	for (size_t i = 0; i < names->count && rest; i++) {
		uint64_t bits = names->items[i].value;

		if (!bits || (rest & bits) != bits)
			continue;
		put(p, "%s%s", bar, names->items[i].text);
		bar = "|";
		rest &= ~bits;
	}
	if (rest == value) {
		put(p, "%#" PRIx64, value);
		put_unknown(p, names);
	} else if (rest) {
		put(p, "|%#" PRIx64, rest);
	}
}

void put_array(struct printer *p, taddr addr, uint64_t count, size_t size,
	       void (*put_element)(struct printer *p, const void *element))
{
	unsigned char element[256];

	if (!addr || size > sizeof(element)) {
		put_addr(p, addr);
		return;
	}
	if (count && !fetch_or_addr(p, addr, element, size))
		return;
	put(p, "[");
	for (uint64_t i = 0; i < count; i++) {
		put(p, "%s", i ? ", " : "");
		if (i == PRINT_MAX) {
			put(p, "...");
			break;
		}
		if (!fetch(p, addr + i * size, element, size)) {
			put(p, "... /* %#" PRIx64 " */", addr + i * size);
			break;
		}
		put_element(p, element);
	}
	put(p, "]");
}
