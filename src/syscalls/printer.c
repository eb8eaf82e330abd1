/* The primitives that all printers use: numbers, strings, names, flags, arrays.
 * Invariants: nothing read from memory is trusted (a length is cut before anything is fetched), and
 * what cannot be read prints as its address. */
#include "syscalls/printer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "util/alloc.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define PATH_BYTES 4096
#define PAGE_BYTES 4096
/* What is read of a string at first: most are shorter. */
#define STRING_BYTES 128
/* Bytes of memory are shown in pieces of this size. */
#define CHUNK_BYTES 4096

/* ---- text ---- */

void put(struct printer *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bytes_vformat(p->out, format, args);
	va_end(args);
}

void put_plain(struct printer *p, const char *text)
{
	bytes_put(p->out, text);
}

static void put_digits(struct printer *p, uint64_t value, unsigned base, const char *prefix)
{
	char digits[24], *at = digits + sizeof(digits);

	do
		*--at = "0123456789abcdef"[value % base];
	while (value /= base);
	put_plain(p, prefix);
	vec_append(p->out, at, (size_t)(digits + sizeof(digits) - at));
}

void put_decimal(struct printer *p, int64_t value)
{
	put_digits(p, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0 ? "-" : "");
}

void put_hex(struct printer *p, uint64_t value)
{
	put_digits(p, value, 16, value ? "0x" : "");
}

void put_addr(struct printer *p, taddr addr)
{
	if (addr)
		put_hex(p, addr);
	else
		put_plain(p, "NULL");
}

/* ---- memory ---- */

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
	const char *found;

	if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
		vec_push(p->out, byte);
		return;
	}
	found = byte ? strchr(plain, byte) : NULL;
	if (found) {
		vec_push(p->out, '\\');
		vec_push(p->out, (unsigned char)letters[found - plain]);
		return;
	}
	vec_push(p->out, '\\');
	if (digit_follows || byte >= 0100)
		vec_push(p->out, (unsigned char)('0' + (byte >> 6)));
	if (digit_follows || byte >= 010)
		vec_push(p->out, (unsigned char)('0' + (byte >> 3 & 7)));
	vec_push(p->out, (unsigned char)('0' + (byte & 7)));
}

static void put_hex_byte(struct printer *p, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char text[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};

	vec_append(p->out, text, sizeof(text));
}

static void put_text(struct printer *p, const void *bytes, size_t length, bool hex)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < length; i++)
		if (hex)
			put_hex_byte(p, b[i]);
		else
			put_escaped(p, b[i], i + 1 < length && b[i + 1] >= '0' && b[i + 1] <= '7');
}

void put_quoted(struct printer *p, const void *bytes, size_t length, bool hex)
{
	put_plain(p, "\"");
	put_text(p, bytes, length, hex);
	put_plain(p, "\"");
}

static void put_memory(struct printer *p, taddr addr, uint64_t length, bool hex)
{
	unsigned char local[CHUNK_BYTES], *owned _cleanup_free_ = NULL, *bytes = local;
	size_t max = p->style->string_max, size = length < max ? length : max;

	if (size > sizeof(local))
		bytes = owned = xmalloc(size);
	if (!addr || read_some(p, addr, bytes, size) < size) {
		put_addr(p, addr);
		return;
	}
	put_quoted(p, bytes, size, hex);
	if (length > max)
		put_plain(p, "...");
}

void put_bytes(struct printer *p, taddr addr, uint64_t length)
{
	put_memory(p, addr, length, false);
}

void put_bytes_hex(struct printer *p, taddr addr, uint64_t length)
{
	put_memory(p, addr, length, true);
}

/* Reads up to the NUL, at most `size` bytes, piece by piece: a string seldom reaches to the next
 * page, and what follows it may not be there. Returns how many bytes were read. */
static size_t read_string(struct printer *p, taddr addr, char *text, size_t size)
{
	size_t done = 0, piece = STRING_BYTES;

	while (done < size) {
		size_t left = PAGE_BYTES - (addr + done) % PAGE_BYTES, got;

		piece = piece < left ? piece : left;
		piece = piece < size - done ? piece : size - done;
		got = read_some(p, addr + done, text + done, piece);
		if (memchr(text + done, 0, got) || got < piece)
			return done + got;
		done += got;
		piece = PAGE_BYTES;
	}
	return done;
}

void put_string(struct printer *p, taddr addr, size_t max)
{
	char local[PATH_BYTES], *owned _cleanup_free_ = NULL, *text = local;
	size_t got, length;

	if (max >= sizeof(local))
		text = owned = xmalloc(max + 1);
	got = addr ? read_string(p, addr, text, max + 1) : 0;
	length = strnlen(text, got);
	if (!got || (length == got && got < max + 1)) {
		put_addr(p, addr);
		return;
	}
	put_quoted(p, text, length < max ? length : max, false);
	if (length > max)
		put_plain(p, "...");
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
		put_plain(p, text);
		return;
	}
	put_hex(p, value);
	put_unknown(p, names);
}

void put_name_decimal(struct printer *p, const struct names *names, int64_t value)
{
	const char *text = names_find(names, value);

	if (text) {
		put_plain(p, text);
		return;
	}
	put_decimal(p, value);
	put_unknown(p, names);
}

void put_flags(struct printer *p, const struct names *names, uint64_t value)
{
	uint64_t rest = value;
	const char *bar = "";

	if (!value) {
		const char *text = names_find(names, 0);

		put_plain(p, text ? text : "0");
		return;
	}
	for (size_t i = 0; i < names->count && rest; i++) {
		uint64_t bits = names->items[i].value;

		if (!bits || (rest & bits) != bits)
			continue;
		put_plain(p, bar);
		put_plain(p, names->items[i].text);
		bar = "|";
		rest &= ~bits;
	}
	if (rest == value) {
		put_hex(p, value);
		put_unknown(p, names);
	} else if (rest) {
		put(p, "|%#" PRIx64, rest);
	}
}

/* ---- descriptors ---- */

static void put_fd_path(struct printer *p, int fd)
{
	char path[PATH_BYTES];
	bool deleted = false;
	size_t length;

	if (!p->style->fd_path)
		return;
	length = p->style->fd_path(p->style->context, fd, path, sizeof(path), &deleted);
	if (!length)
		return;
	put_plain(p, "<");
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = path[i];

		/* a path cannot pretend to end here */
		if (byte == '<' || byte == '>')
			put(p, "\\%o", byte);
		else
			put_escaped(p, byte,
				    i + 1 < length && path[i + 1] >= '0' && path[i + 1] <= '7');
	}
	put_plain(p, deleted ? ">(deleted)" : ">");
}

void put_fd(struct printer *p, int fd)
{
	put_decimal(p, fd);
	if (fd >= 0)
		put_fd_path(p, fd);
}

void put_dirfd(struct printer *p, int fd)
{
	if (fd != AT_FDCWD) {
		put_fd(p, fd);
		return;
	}
	put_plain(p, "AT_FDCWD");
	put_fd_path(p, fd);
}

/* ---- arrays ---- */

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
		put_plain(p, i ? ", " : "");
		if (i == p->style->string_max) {
			put_plain(p, "...");
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
