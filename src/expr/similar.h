/* The name that was meant where another one was typed. Private to src/expr. */
#ifndef WARP_EXPR_SIMILAR_H
#define WARP_EXPR_SIMILAR_H

#include <stddef.h>

struct similar {
	const char *typed;
	const char *found; /* the most similar name so far, or NULL: none is near */
	size_t best;	   /* letters that may differ */
};

/* `part`: one letter of so many may differ, and one more. */
struct similar similar_to(const char *typed, size_t part);
/* `name` must live as long as what was found. */
void similar_look(struct similar *similar, const char *name);

#endif
