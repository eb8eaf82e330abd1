/* The rows of table.def and how to find one.
 *
 * Invariant, checked by tests/unit/test_regions.c: rows ascend in number, so that a number is found
 * by halving; no number and no name occurs twice. */
#include "syscalls/syscalls.h"

#include <string.h>

#include "syscalls/rows.h"

static const struct sc_row rows[] = {
#include "syscalls/table.def"
};

size_t sc_row_count(void)
{
	return sizeof(rows) / sizeof(rows[0]);
}

const struct sc_row *sc_row_at(size_t index)
{
	return index < sc_row_count() ? &rows[index] : NULL;
}

const struct sc_row *sc_row(int nr)
{
	size_t low = 0, high = sc_row_count();

	/* Almost every call is in the first stretch, which has no gaps. */
	if (nr >= 0 && (size_t)nr < high && rows[nr].nr == nr)
		return &rows[nr];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows[middle].nr == nr)
			return &rows[middle];
		if (rows[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct sc_row *sc_row_by_name(const char *name)
{
	for (size_t i = 0; i < sc_row_count(); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}
