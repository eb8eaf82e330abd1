/* Which calls an alternative names: by name, pattern, number or class. */
#include <stdlib.h>
#include <string.h>

#include "expr/glob.h"
#include "expr/node.h"
#include "expr/similar.h"
#include "util/cleanup.h"

#define NO_CALL (1u << 31) /* no row has this flag */

/* strace's classes and their other spellings. */
static const struct call_class {
	const char *name;
	uint32_t flag; /* 0: every call */
} classes[] = {
	{"all", 0},
	{"none", NO_CALL},
	{"file", SC_CLASS_FILE},
	{"network", SC_CLASS_NETWORK},
	{"net", SC_CLASS_NETWORK},
	{"memory", SC_CLASS_MEMORY},
	{"process", SC_CLASS_PROCESS},
	{"signal", SC_CLASS_SIGNAL},
	{"desc", SC_CLASS_DESC},
	{"ipc", SC_CLASS_IPC},
	{"creds", SC_CLASS_CREDS},
	{"clock", SC_CLASS_CLOCK},
	{"pure", SC_CLASS_PURE},
};

#define CLASSES (sizeof(classes) / sizeof(*classes))

void selection_init(struct selection *selection)
{
	*selection = (struct selection){.rows = xcalloc(sc_row_count(), sizeof(bool))};
}

void selection_deinit(struct selection *selection)
{
	free(selection->rows);
	selection->rows = NULL;
}

void selection_all(struct selection *selection)
{
	memset(selection->rows, true, sc_row_count());
	selection->other = true;
}

size_t selection_count(const struct selection *selection)
{
	size_t count = selection->other;

	for (size_t i = 0; i < sc_row_count(); i++)
		count += selection->rows[i];
	return count;
}

static const struct call_class *find_class(const char *name)
{
	for (size_t i = 0; i < CLASSES; i++)
		if (!strcmp(classes[i].name, name))
			return &classes[i];
	return NULL;
}

static void take_class(struct selection *selection, const struct call_class *class)
{
	if (!class->flag)
		selection_all(selection);
	for (size_t row = 0; row < sc_row_count(); row++)
		if (sc_row_at(row)->flags & class->flag)
			selection->rows[row] = true;
}

static struct error *add_class(struct lexer *lexer, struct selection *selection)
{
	char *name _cleanup_free_ = NULL;
	lex_next(lexer);
	if (lexer->token.kind != TOKEN_NAME)
		return lex_error(lexer, "expected the name of a class behind %%, as in %%file");
	name = lex_name(lexer);
	const struct call_class *class = find_class(name);

	if (!class)
		return lex_error(lexer,
				 "there is no class '%%%s'; the classes are %%file %%network "
				 "%%memory %%process %%signal %%desc %%ipc %%creds %%clock %%pure "
				 "%%all %%none",
				 name);
	lex_next(lexer);
	take_class(selection, class);
	return NULL;
}

static struct error *add_number(struct lexer *lexer, struct selection *selection)
{
	for (size_t i = 0; i < sc_row_count(); i++)
		if ((uint64_t)sc_row_at(i)->nr == lexer->token.number) {
			selection->rows[i] = true;
			lex_next(lexer);
			return NULL;
		}
	return lex_error(lexer, "no system call that warp knows has this number");
}

static const char *similar_call(const char *name)
{
	struct similar similar = similar_to(name, 3);

	for (size_t i = 0; i < sc_row_count(); i++)
		similar_look(&similar, sc_row_at(i)->name);
	return similar.found;
}

static struct error *add_named(struct lexer *lexer, struct selection *selection)
{
	char *name _cleanup_free_ = NULL;
	const char *similar;
	bool found = false;

	lex_take_glob(lexer);
	name = lex_name(lexer);
	for (size_t i = 0; i < sc_row_count(); i++) {
		const char *call = sc_row_at(i)->name;

		if (glob_match(name, strlen(name), call, strlen(call)))
			selection->rows[i] = found = true;
	}
	/* No call has a class's name; strace takes this spelling, too. */
	const struct call_class *class = found ? NULL : find_class(name);

	if (class)
		take_class(selection, class);
	if (found || class) {
		lex_next(lexer);
		return NULL;
	}
	if (strpbrk(name, "*?"))
		return lex_error(lexer, "no system call has a name like '%s'", name);
	similar = similar_call(name);
	if (similar)
		return lex_error(lexer, "there is no system call '%s'; do you mean '%s'?", name,
				 similar);
	return lex_error(lexer, "there is no system call '%s'", name);
}

struct error *selection_parse(struct lexer *lexer, struct selection *selection)
{
	if (lex_at(lexer, '%'))
		return add_class(lexer, selection);
	if (lexer->token.kind == TOKEN_NUMBER)
		return add_number(lexer, selection);
	if (lexer->token.kind == TOKEN_NAME || lex_at(lexer, '*') || lex_at(lexer, '?'))
		return add_named(lexer, selection);
	return lex_error(lexer, "expected the name of a system call or a class");
}
