/* 1 ms timer signals into an interpreter with computed jumps: the same few instructions serve all of the
 * interpreted program, so that the program counter says little about where it is. */
#include "torture.h"

enum op {
	LOAD,
	ADD,
	XOR,
	MUL,
	STORE,
	LOOP,
	END
};

struct insn {
	uint8_t op, a, b, c;
};

/* Three nested loops, some arithmetic, a table of 64 words. */
static const struct insn program[] = {
	{LOAD, 1, 0, 1}, {ADD, 2, 2, 1},  {XOR, 3, 3, 2},  {MUL, 3, 3, 5}, {STORE, 3, 2, 0},
	{LOAD, 4, 2, 0}, {ADD, 3, 3, 4},  {LOOP, 6, 1, 0}, {XOR, 2, 2, 3}, {LOOP, 7, 0, 0},
	{ADD, 2, 2, 6},	 {LOOP, 8, 0, 0}, {END, 0, 0, 0},
};

static uint64_t interpret(uint64_t n)
{
	static const void *const labels[] = {&&load, &&add, &&xor, &&mul, &&store, &&loop, &&end};
	static uint64_t memory[64];
	uint64_t r[16] = {[1] = 1, [5] = 0x9e3779b97f4a7c15};
	uint64_t limit[16] = {[6] = 17, [7] = 101, [8] = n};
	const struct insn *i = program;

	watched = memory;
	watched_length = sizeof(memory);
#define NEXT goto *labels[i->op]
	NEXT;
load:
	r[i->a] = memory[r[i->b] % 64] + i->c;
	i++;
	NEXT;
add:
	r[i->a] = r[i->b] + r[i->c];
	i++;
	NEXT;
	xor : r[i->a] = r[i->b] ^ r[i->c];
	i++;
	NEXT;
mul:
	r[i->a] = r[i->b] * r[i->c];
	i++;
	NEXT;
store:
	memory[r[i->b] % 64] = r[i->a];
	i++;
	NEXT;
loop:
	r[i->a]++;
	progress = r[8];
	if (r[i->a] % limit[i->a])
		i = program + i->b;
	else
		i++;
	NEXT;
end:
	watched = NULL;
	return mix(r[2], r[3]) ^ hash_bytes(memory, sizeof(memory));
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 20000);

	tick_start(1000);
	show("same: result %lx", (unsigned long)interpret(n));
	tick_stop();
	tick_show();
	return done();
}
