/* A growable array. `struct vec(int) numbers = {0};` then vec_push(&numbers, 3).
 * The elements are .items[0 .. count-1]; the vector owns their storage, not what they point at. */
#ifndef WARP_UTIL_VEC_H
#define WARP_UTIL_VEC_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define vec(type)                   \
	{                           \
		type *items;        \
		size_t count, room; \
	}

/* Makes room for `more` further elements. */
#define vec_reserve(v, more)                                                                \
	do {                                                                                \
		size_t want_ = (v)->count + (more);                                         \
		if (want_ > (v)->room) {                                                    \
			(v)->room = want_ * 2 < 8 ? 8 : want_ * 2;                          \
			(v)->items = xrealloc((v)->items, (v)->room * sizeof(*(v)->items)); \
		}                                                                           \
	} while (0)

#define vec_push(v, ...)                                  \
	do {                                              \
		vec_reserve(v, 1);                        \
		(v)->items[(v)->count++] = (__VA_ARGS__); \
	} while (0)

/* Appends `n` elements from an array of the same type. */
#define vec_append(v, from, n)                                                                \
	do {                                                                                  \
		size_t more_ = (n);                                                           \
		vec_reserve(v, more_);                                                        \
		if (more_)                                                                    \
			memcpy((v)->items + (v)->count, (from), more_ * sizeof(*(v)->items)); \
		(v)->count += more_;                                                          \
	} while (0)

/* Removes element `i`, keeping the order. */
#define vec_remove(v, i)                                               \
	do {                                                           \
		size_t at_ = (i);                                      \
		memmove((v)->items + at_, (v)->items + at_ + 1,        \
			((v)->count - at_ - 1) * sizeof(*(v)->items)); \
		(v)->count--;                                          \
	} while (0)

#define vec_foreach(v, p) for (__auto_type p = (v)->items; p && p < (v)->items + (v)->count; p++)

#define vec_clear(v) ((v)->count = 0)

#define vec_deinit(v)                       \
	do {                                \
		free((v)->items);           \
		(v)->items = NULL;          \
		(v)->count = (v)->room = 0; \
	} while (0)

struct bytes vec(unsigned char);

#endif
