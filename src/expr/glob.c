/* Matching of patterns.
 * Invariant: the work is at most pattern times text, whatever the pattern: after a mismatch only
 * the last * takes one byte more. */
#include "expr/glob.h"

/* Does the set that begins behind the [ at `p` hold the byte? *end: behind its ]; NULL if it has no
 * end. */
static bool in_set(const char *p, const char *stop, unsigned char byte, const char **end)
{
	bool negate = p < stop && (*p == '!' || *p == '^');
	bool found = false, first = true;

	*end = NULL;
	for (p += negate; p < stop && (*p != ']' || first); p++, first = false) {
		unsigned char low, high;

		if (*p == '\\' && p + 1 < stop)
			p++;
		low = high = (unsigned char)*p;
		if (p + 2 < stop && p[1] == '-' && p[2] != ']') {
			p += 2;
			if (*p == '\\' && p + 1 < stop)
				p++;
			high = (unsigned char)*p;
		}
		found |= byte >= low && byte <= high;
	}
	if (p >= stop)
		return false;
	*end = p + 1;
	return found != negate;
}

/* Does the pattern's element at `p` (not a *) match the byte? *end: behind the element. */
static bool element(const char *p, const char *stop, unsigned char byte, const char **end)
{
	const char *behind;
	bool in;

	*end = p + 1;
	switch (*p) {
	case '?':
		return true;
	case '[':
		in = in_set(p + 1, stop, byte, &behind);
		if (!behind)
			return byte == '[';
		*end = behind;
		return in;
	case '\\':
		if (p + 1 < stop) {
			*end = p + 2;
			return (unsigned char)p[1] == byte;
		}
		return byte == '\\';
	default:
		return (unsigned char)*p == byte;
	}
}

bool glob_match(const char *pattern, size_t pattern_length, const char *text, size_t length)
{
	const char *p = pattern, *stop = pattern + pattern_length;
	const char *t = text, *text_end = text + length;
	const char *star = NULL, *star_text = NULL, *next;

	while (t < text_end) {
		if (p < stop && *p == '*') {
			star = ++p;
			star_text = t;
		} else if (p < stop && element(p, stop, (unsigned char)*t, &next)) {
			p = next;
			t++;
		} else if (star) {
			p = star;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < stop && *p == '*')
		p++;
	return p == stop;
}
