/* How many letters differ, the way one mistypes: Levenshtein's distance, for short names. */
#include "expr/similar.h"

#include <stdint.h>
#include <string.h>

static size_t distance(const char *a, const char *b)
{
	size_t row[40], length = strlen(b);

	if (strlen(a) >= 39 || length >= 39)
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[length];
}

struct similar similar_to(const char *typed, size_t part)
{
	return (struct similar){.typed = typed, .best = strlen(typed) / part + 1};
}

void similar_look(struct similar *similar, const char *name)
{
	size_t different = distance(similar->typed, name);

	if (different > similar->best || different >= strlen(similar->typed))
		return;
	if (!similar->found || different < similar->best)
		similar->found = name;
	similar->best = different;
}
