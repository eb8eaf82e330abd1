/* 1 ms timer signals into code without a hot place: a round goes through 1,000 different pieces of straight code,
 * chosen by a generator. */
#include "torture.h"

#define P1(n)                                            \
	case n:                                          \
		x = x * (2 * (n) + 3) + (x >> (n) % 60); \
		table[(n) % 64] ^= x + (n);              \
		break;
#define P10(n) \
	P1(n)  \
	P1(n + 1) P1(n + 2) P1(n + 3) P1(n + 4) P1(n + 5) P1(n + 6) P1(n + 7) P1(n + 8) P1(n + 9)
#define P100(n)     \
	P10(n)      \
	P10(n + 10) \
	P10(n + 20) \
	P10(n + 30) P10(n + 40) P10(n + 50) P10(n + 60) P10(n + 70) P10(n + 80) P10(n + 90)

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 30000000), x = 12345;
	static uint64_t table[64];

	watched = table;
	watched_length = sizeof(table);
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		switch (mix(i, x) % 1000) {
			P100(0)
			P100(100)
			P100(200)
			P100(300) P100(400) P100(500) P100(600) P100(700) P100(800) P100(900)
		}
		progress = i;
	}
	tick_stop();
	show("same: %lx %lx", (unsigned long)x, (unsigned long)hash_bytes(table, sizeof(table)));
	tick_show();
	return done();
}
