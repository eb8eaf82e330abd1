/* Cuts an expression into words and points at what is wrong in it.
 * Invariant: a token lies within the text, and an error's mark is below the byte it speaks of, also
 * behind characters of several bytes. */
#include "expr/lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/cleanup.h"

/* How much of a long expression an error shows. */
#define SHOWN_BEFORE 60
#define SHOWN	     76

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* ---- words ---- */

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static int number_base(const char **p)
{
	const char *text = *p;

	if (text[0] != '0' || !text[1])
		return 10;
	switch (text[1]) {
	case 'x':
	case 'X':
		*p += 2;
		return 16;
	case 'b':
	case 'B':
		*p += 2;
		return 2;
	case 'o':
	case 'O':
		*p += 2;
		return 8;
	default:
		return isdigit((unsigned char)text[1]) ? 8 : 10;
	}
}

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return 0;
	}
}

static const char *wrong(struct token *token, const char *why)
{
	token->kind = TOKEN_WRONG;
	token->wrong = why;
	return why;
}

static const char *scan_number(const char *p, struct token *token)
{
	const char *digits;
	int base = number_base(&p);
	unsigned shift;

	token->kind = TOKEN_NUMBER;
	for (digits = p; digit_value(*p) < base; p++)
		if (__builtin_mul_overflow(token->number, (uint64_t)base, &token->number) ||
		    __builtin_add_overflow(token->number, (uint64_t)digit_value(*p),
					   &token->number))
			wrong(token, "the number has more than 64 bits");
	if (p == digits)
		wrong(token, "a number needs digits behind its base");
	shift = suffix_shift(*p);
	if (shift) {
		p++;
		if (token->number >> (64 - shift))
			wrong(token, "the number has more than 64 bits");
		token->number <<= shift;
	}
	if (is_name(*p))
		wrong(token, "this is no number (0x, 0o, 0b and 0 begin other bases; K, M, G and T "
			     "multiply by powers of 1024)");
	while (is_name(*p))
		p++;
	return p;
}

static const char *scan_string(const char *p, struct token *token)
{
	token->kind = TOKEN_STRING;
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	if (!*p) {
		wrong(token, "the string has no end: a \" is missing");
		return p;
	}
	return p + 1;
}

static const char *scan_sign(const char *p, struct token *token)
{
	static const char pairs[][3] = {"&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "=>"};

	token->kind = TOKEN_SIGN;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (p[0] == pairs[i][0] && p[1] == pairs[i][1]) {
			token->sign = SIGN2(p[0], p[1]);
			return p + 2;
		}
	token->sign = *p;
	if (!strchr("()!,&|^~+-*?<>%=:", *p))
		wrong(token, "this character means nothing here");
	return p + 1;
}

/* The word at `at`. */
static void scan(struct lexer *lexer, size_t at)
{
	struct token *token = &lexer->token;
	const char *p = lexer->text + at;

	while (isspace((unsigned char)*p))
		p++;
	*token = (struct token){.start = (size_t)(p - lexer->text)};
	if (!*p) {
		token->kind = TOKEN_END;
	} else if (isdigit((unsigned char)*p)) {
		p = scan_number(p, token);
	} else if (is_name(*p)) {
		token->kind = TOKEN_NAME;
		while (is_name(*p))
			p++;
	} else if (*p == '"') {
		p = scan_string(p, token);
	} else {
		p = scan_sign(p, token);
	}
	token->end = (size_t)(p - lexer->text);
}

void lex_start(struct lexer *lexer, const char *what, const char *text)
{
	lexer->what = what;
	lexer->text = text;
	scan(lexer, 0);
}

void lex_next(struct lexer *lexer)
{
	scan(lexer, lexer->token.end);
}

bool lex_at(const struct lexer *lexer, int sign)
{
	return lexer->token.kind == TOKEN_SIGN && lexer->token.sign == sign;
}

bool lex_accept(struct lexer *lexer, int sign)
{
	if (!lex_at(lexer, sign))
		return false;
	lex_next(lexer);
	return true;
}

struct error *lex_expect(struct lexer *lexer, int sign, const char *what)
{
	if (lex_accept(lexer, sign))
		return NULL;
	return lex_error(lexer, "expected %s", what);
}

bool lex_take_glob(struct lexer *lexer)
{
	struct token *token = &lexer->token;
	const char *p = lexer->text + token->start;

	while (is_name(*p) || *p == '*' || *p == '?')
		p++;
	if (p == lexer->text + token->start)
		return false;
	*token = (struct token){
		.kind = TOKEN_NAME, .start = token->start, .end = (size_t)(p - lexer->text)};
	return true;
}

struct error *lex_take_duration(struct lexer *lexer, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
	const char *start = lexer->text + lexer->token.start, *p = start;
	size_t length = 0;

	*ns = 0;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(*ns, 10, ns) ||
		    __builtin_add_overflow(*ns, (uint64_t)(*p - '0'), ns))
			return lex_error_at(lexer, lexer->token.start, "this is too long a time");
	while (is_name(p[length]))
		length++;
	for (size_t i = 0; p > start && i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) != length || strncmp(units[i].name, p, length))
			continue;
		if (__builtin_mul_overflow(*ns, units[i].ns, ns))
			return lex_error_at(lexer, lexer->token.start, "this is too long a time");
		scan(lexer, (size_t)(p + length - lexer->text));
		return NULL;
	}
	return lex_error_at(lexer, lexer->token.start,
			    "expected a time with its unit: ns, us, ms or s, as in 10ms");
}

/* ---- what words say ---- */

char *lex_name(const struct lexer *lexer)
{
	const struct token *token = &lexer->token;

	return xasprintf("%.*s", (int)(token->end - token->start), lexer->text + token->start);
}

/* The byte that the escape at *p (behind the backslash) stands for; moves behind it. */
static unsigned char escape(const char **p)
{
	static const char letters[] = "n\nt\tr\ra\ab\bf\fv\ve\033";
	char c = *(*p)++;
	unsigned value = 0;

	for (const char *l = letters; *l; l += 2)
		if (c == *l)
			return (unsigned char)l[1];
	if (c == 'x') {
		for (int i = 0; i < 2 && digit_value(**p) < 16; i++)
			value = value * 16 + (unsigned)digit_value(*(*p)++);
		return (unsigned char)value;
	}
	if (digit_value(c) >= 8)
		return (unsigned char)c;
	value = (unsigned)digit_value(c);
	for (int i = 0; i < 2 && digit_value(**p) < 8; i++)
		value = value * 8 + (unsigned)digit_value(*(*p)++);
	return (unsigned char)value;
}

void lex_string(const struct lexer *lexer, bool pattern, struct bytes *out)
{
	const char *p = lexer->text + lexer->token.start + 1;
	const char *end = lexer->text + lexer->token.end - 1;

	vec_clear(out);
	while (p < end) {
		bool escaped = *p == '\\';
		unsigned char byte;

		if (escaped)
			p++;
		byte = escaped ? escape(&p) : (unsigned char)*p++;
		if (pattern && escaped && strchr("*?[]\\", byte) && byte)
			vec_push(out, '\\');
		vec_push(out, byte);
	}
}

/* ---- errors ---- */

/* Column of byte `at` counted from byte `from`: continuation bytes of UTF-8 take no room. */
static int column(const char *text, size_t from, size_t at)
{
	int columns = 0;

	for (size_t i = from; i < at; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

/* The stretch of text around `at`, in one line. */
static char *excerpt(const char *text, size_t from)
{
	char *shown = xasprintf("%.*s", SHOWN, text + from);

	for (char *p = shown; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = ' ';
	return shown;
}

static struct error *error_text(const struct lexer *lexer, size_t at, const char *what)
{
	size_t from = at > SHOWN_BEFORE + 10 ? at - SHOWN_BEFORE : 0;

	while (from && ((unsigned char)lexer->text[from] & 0xc0) == 0x80)
		from--;
	char *shown _cleanup_free_ = excerpt(lexer->text, from);

	return error_new("cannot understand the %s: %s\n\t%s\n\t%*s^", lexer->what, what, shown,
			 column(lexer->text, from, at), "");
}

struct error *lex_error_at(const struct lexer *lexer, size_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *what _cleanup_free_ = xvasprintf(format, args);
	va_end(args);
	return error_text(lexer, at, what);
}

struct error *lex_error(const struct lexer *lexer, const char *format, ...)
{
	const struct token *token = &lexer->token;
	va_list args;

	va_start(args, format);
	char *what _cleanup_free_ = xvasprintf(format, args);
	va_end(args);
	if (token->kind == TOKEN_WRONG)
		return error_text(lexer, token->start, token->wrong);
	char *found _cleanup_free_ = token->kind == TOKEN_END
					     ? xasprintf("%s, but the %s ends", what, lexer->what)
					     : xasprintf("%s", what);
	return error_text(lexer, token->start, found);
}
