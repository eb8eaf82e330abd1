/* Words of the expression language, with their places. Private to src/expr. */
#ifndef WARP_EXPR_LEX_H
#define WARP_EXPR_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/vec.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_SIGN,  /* an operator or bracket */
	TOKEN_WRONG, /* what begins no word: `wrong` says why */
};

/* Signs of two characters are written as a multi-character constant would be: first * 256 +
 * second. */
#define SIGN2(a, b) ((a) << 8 | (b))

struct token {
	enum token_kind kind;
	size_t start, end;
	uint64_t number;
	int sign;
	const char *wrong;
};

/* `token` is the current word; text before it has been consumed. */
struct lexer {
	const char *text; /* borrowed, with a NUL at its end */
	const char *what; /* "expression", for errors */
	struct token token;
};

void lex_start(struct lexer *lexer, const char *what, const char *text);
/* Goes on to the next word. */
void lex_next(struct lexer *lexer);
/* Is the current word this sign? */
bool lex_at(const struct lexer *lexer, int sign);
/* If it is, goes on. */
bool lex_accept(struct lexer *lexer, int sign);
struct error *lex_expect(struct lexer *lexer, int sign, const char *what);

/* Copies the current word's text. */
char *lex_name(const struct lexer *lexer);
/* Decodes the current string. As a pattern, a byte that was written with an escape and would be
 * special in one (see glob.h) keeps a backslash. */
void lex_string(const struct lexer *lexer, bool pattern, struct bytes *out);

/* At the current word's place, names may have * and ? in them: makes such a name the current
 * word. */
bool lex_take_glob(struct lexer *lexer);

/* At the current word's place, a time: digits with ns, us, ms or s behind them. Goes on to the next
 * word. */
struct error *lex_take_duration(struct lexer *lexer, uint64_t *ns);

/* "cannot understand the expression: TEXT", the line, and a mark below byte `at`. */
struct error *lex_error_at(const struct lexer *lexer, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for the current word; for one that is wrong in itself, its own reason. */
struct error *lex_error(const struct lexer *lexer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
