/* The tree of a condition, and what an expression consists of. Private to src/expr.
 *
 * A condition is parsed once into a tree with names in it. For each call that its alternative names
 * the tree is bound: copied, with the call's arguments and constants in place of the names, types
 * checked, constants computed. Only bound trees are evaluated. */
#ifndef WARP_EXPR_NODE_H
#define WARP_EXPR_NODE_H

#include "expr/expr.h"
#include "expr/lex.h"
#include "syscalls/constants.h"

enum node_kind {
	/* numbers */
	NODE_NAME, /* only before binding */
	NODE_CONST,
	NODE_ARG,
	NODE_RET,
	NODE_ERRNO,
	NODE_PID,
	NODE_TID,
	NODE_AND_BITS,
	NODE_OR_BITS,
	NODE_XOR_BITS,
	NODE_COMPLEMENT,
	NODE_NEGATIVE,
	NODE_ADD,
	NODE_SUBTRACT,
	NODE_MULTIPLY,
	NODE_SHIFT_LEFT,
	NODE_SHIFT_RIGHT,
	/* texts */
	NODE_STRING, /* a pattern; before binding, and in NODE_TEXT_IS */
	NODE_COMM,   /* only before and while binding */
	NODE_PATH,   /* any path argument; only while binding */
	/* conditions */
	NODE_EQUAL,
	NODE_NOT_EQUAL,
	NODE_LESS,
	NODE_LESS_EQUAL,
	NODE_GREATER,
	NODE_GREATER_EQUAL,
	NODE_NOT,
	NODE_AND,
	NODE_OR,
	NODE_BOOL,    /* number 0 or 1 */
	NODE_TEXT_IS, /* the text of `source` matches the string `right` */
};

enum node_type {
	TYPE_NUMBER,
	TYPE_TEXT,
	TYPE_CONDITION,
};

enum text_source {
	TEXT_ARG,     /* the memory that argument `arg` points at */
	TEXT_FD_PATH, /* the file that descriptor `arg` is */
	TEXT_COMM,
};

#define NO_LEAF 255

struct node {
	enum node_kind kind;
	enum node_type type;
	size_t at; /* byte of the expression's text */
	struct node *left, *right;
	struct sc_number number; /* how wide the value is */
	uint64_t bits;		 /* NODE_CONST, NODE_BOOL */
	uint8_t arg;		 /* NODE_ARG, TEXT_ARG, TEXT_FD_PATH */
	uint8_t source;		 /* NODE_TEXT_IS: enum text_source */
	uint8_t leaf;		 /* NODE_TEXT_IS: its bit in a memo, or NO_LEAF */
	char *name;		 /* NODE_NAME */
	struct bytes string;	 /* NODE_STRING */
};

/* One alternative at one call. */
struct choice {
	int nr;
	bool exclude;	   /* calls that match are not meant */
	struct node *when; /* NULL: always */
};

struct choices vec(struct choice);

#define OTHER_CALLS (-1) /* nr of the choices for numbers that the table lacks */

struct expr {
	char *text;
	struct choices choices; /* ascending nr; OTHER_CALLS first */
	struct vec(struct node *) nodes;
};

/* The choices of a call number: [begin, end). */
void expr_choices(const struct expr *expr, int nr, const struct choice **begin,
		  const struct choice **end);

/* ---- nodes: owned by the expression ---- */

struct node *node_new(struct expr *expr, enum node_kind kind, size_t at);
/* Is the expression larger than one may be, counting nodes and choices? */
bool expr_too_large(const struct expr *expr);
#define SIZE_LIMIT    200000
#define CONDITION_MAX 1000 /* nodes of one condition as written: bounds the recursion */

/* ---- values ---- */

struct value {
	uint64_t bits;
	bool is_signed;
	bool known;
};

struct value value_const(const struct node *node);
/* What an operator makes of values; `number` is the type of the result. */
struct value value_apply(enum node_kind kind, struct sc_number number, struct value a,
			 struct value b);
bool value_compare(enum node_kind kind, struct value a, struct value b);

/* ---- which calls: select.c ---- */

struct selection {
	bool *rows; /* by index in the table */
	bool other; /* all numbers that the table lacks */
};

void selection_init(struct selection *selection);
void selection_deinit(struct selection *selection);
void selection_all(struct selection *selection);
/* Adds what the current word (%class, a name with * and ?, a number) names. */
struct error *selection_parse(struct lexer *lexer, struct selection *selection);
size_t selection_count(const struct selection *selection);

/* ---- the parts of parsing ---- */

/* A condition or a value, as written. */
struct error *condition_parse(struct expr *expr, struct lexer *lexer, struct node **out);
/* Whether a word that comes first can be the beginning of a bare condition is decided by what
 * follows it. */
struct error *value_parse(struct expr *expr, struct lexer *lexer, struct node **out);

/* Binds a tree to a call. `several`: the alternative names more than one. If the call lacks an
 * argument that the tree names and there are several, *lacks is the name's node and *out NULL. */
struct error *bind_condition(struct expr *expr, const struct lexer *lexer, const struct sc_row *row,
			     bool several, const struct node *from, const struct node **lacks,
			     struct node **out);

/* The same for a value, which the call must have all arguments of. */
struct error *bind_value(struct expr *expr, const struct lexer *lexer, const struct sc_row *row,
			 bool several, const struct node *from, struct node **out);
/* The index of the argument with this name at this call, -1 if it has none. */
int argument_index(const struct sc_row *row, const char *name);

/* An expression that begins at the current word and ends before what cannot be a part of it. */
struct error *expr_parse_part(struct lexer *lexer, struct expr **out);
/* A bound value at a call; `known` is false before its end if it depends on the result. */
struct value node_value(const struct node *node, const struct expr_call *at);
/* Does the bound tree hold what is known only at the call's end? */
bool node_needs_result(const struct sc_row *row, const struct node *node);

#endif
