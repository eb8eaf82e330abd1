/* Texts of recordings for the eye. Whatever bytes a recording holds, only printable ASCII comes
 * out, or in a command also UTF-8's higher bytes, as they were typed. */
#include "cmd/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "syscalls/syscalls.h"

static void put_escaped(FILE *out, unsigned char byte, bool digit_follows)
{
	static const char plain[] = "\"\\\f\n\r\t\v", letters[] = "\"\\fnrtv";
	const char *found = byte ? strchr(plain, byte) : NULL;

	if (found)
		fprintf(out, "\\%c", letters[found - plain]);
	else if (byte >= ' ' && byte <= '~')
		putc(byte, out);
	else
		fprintf(out, digit_follows ? "\\%03o" : "\\%o", byte);
}

static void put_bytes(FILE *out, const unsigned char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		put_escaped(out, b[i], i + 1 < length && b[i + 1] >= '0' && b[i + 1] <= '7');
}

void text_put_quoted(FILE *out, const void *bytes, size_t length)
{
	putc('"', out);
	put_bytes(out, bytes, length);
	putc('"', out);
}

void text_put_plain(FILE *out, const char *text)
{
	put_bytes(out, (const unsigned char *)text, strlen(text));
}

static bool is_control(unsigned char byte)
{
	return byte < ' ' || byte == 0x7f;
}

/* 0x80 to 0x9f are control characters where a terminal does not speak UTF-8, and in UTF-8 they come
 * behind 0xc2: words with such a thing are written in ASCII. */
static bool needs_escapes(const char *word)
{
	for (const unsigned char *b = (const unsigned char *)word; *b; b++)
		if (is_control(*b) || (*b == 0xc2 && b[1] >= 0x80 && b[1] < 0xa0))
			return true;
	return false;
}

void text_put_word(FILE *out, const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "%+,-./:=@_^";

	if (*word && strspn(word, safe) == strlen(word)) {
		fputs(word, out);
	} else if (needs_escapes(word)) {
		fputs("$'", out);
		for (const unsigned char *b = (const unsigned char *)word; *b; b++)
			if (*b == '\'' || *b == '\\')
				fprintf(out, "\\%c", *b);
			else if (is_control(*b) || *b >= 0x80)
				fprintf(out, "\\%03o", *b);
			else
				putc(*b, out);
		putc('\'', out);
	} else {
		putc('\'', out);
		for (; *word; word++)
			if (*word == '\'')
				fputs("'\\''", out);
			else
				putc(*word, out);
		putc('\'', out);
	}
}

void text_put_command(FILE *out, const struct trace_texts *words)
{
	for (size_t i = 0; i < words->count; i++) {
		if (i)
			putc(' ', out);
		text_put_word(out, words->items[i]);
	}
}

void text_put_end(FILE *out, int64_t result)
{
	int status = (int)result;

	if (WIFEXITED(status)) {
		fprintf(out, "exited with %d", WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		const char *name = sc_signal_name(WTERMSIG(status));

		if (name)
			fprintf(out, "killed by %s", name);
		else
			fprintf(out, "killed by signal %d", WTERMSIG(status));
		if (WCOREDUMP(status))
			fputs(" (core dumped)", out);
	} else {
		fprintf(out, "ended with status %#x", (unsigned)status);
	}
}

void text_put_size(FILE *out, uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1000) {
		fprintf(out, "%" PRIu64 " B", bytes);
		return;
	}
	/* From 999.95 on it would be printed as 1000.0. */
	for (value /= 1000; value >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		value /= 1000;
	fprintf(out, "%.1f %s", value, units[unit]);
}

void text_put_date(FILE *out, int64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	struct tm local;
	char text[64];

	if (localtime_r(&seconds, &local) && strftime(text, sizeof(text), "%F %T", &local))
		fputs(text, out);
	else
		putc('?', out);
}

struct error *text_finish(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return NULL;
	return errno ? error_os(errno, "cannot write to standard output")
		     : error_new("cannot write all of it to standard output");
}

struct error *text_damage(const struct trace_reader *reader)
{
	if (trace_reader_state(reader) != TRACE_DAMAGED)
		return NULL;
	return error_new("%s", trace_reader_damage(reader) ? trace_reader_damage(reader)
							   : "the recording is damaged");
}
