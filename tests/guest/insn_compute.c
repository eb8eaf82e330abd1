/* A computation without system calls of some ten milliseconds: hashes, sieve, matrix, floats. */
#include "guest_task.h"

static unsigned char sieve[100000];
static double m[3][48][48];

static int primes(int limit)
{
	int count = 0;

	memset(sieve, 1, sizeof(sieve));
	for (int i = 2; i < limit; i++) {
		if (!sieve[i])
			continue;
		count++;
		for (long j = (long)i * i; j < limit; j += i)
			sieve[j] = 0;
	}
	return count;
}

static double multiply(void)
{
	double trace = 0;

	for (int i = 0; i < 48; i++)
		for (int k = 0; k < 48; k++) {
			m[0][i][k] = (i * 31 + k * 17) % 97 / 7.0;
			m[1][i][k] = (i * 13 + k * 29) % 89 / 3.0;
		}
	for (int i = 0; i < 48; i++)
		for (int k = 0; k < 48; k++) {
			double sum = 0;
			for (int n = 0; n < 48; n++)
				sum += m[0][i][n] * m[1][n][k];
			m[2][i][k] = sum;
		}
	for (int i = 0; i < 48; i++)
		trace += m[2][i][i];
	return trace;
}

static unsigned collatz(unsigned limit)
{
	unsigned longest = 0, best = 0;

	for (unsigned i = 1; i < limit; i++) {
		unsigned long x = i;
		unsigned steps = 0;
		for (; x != 1; steps++)
			x = x % 2 ? 3 * x + 1 : x / 2;
		if (steps > longest) {
			longest = steps;
			best = i;
		}
	}
	return best;
}

int main(void)
{
	uint64_t hash = 1;

	for (uint64_t i = 0; i < 3000000; i++)
		hash = (hash ^ (i << (hash & 7))) * 0x9e3779b97f4a7c15;
	show("hash %016llx", (unsigned long long)hash);
	expect_eq_long(primes(100000), 9592, "primes below 100000");
	expect_eq_long(collatz(20000), 17647, "longest Collatz sequence below 20000");
	double trace = multiply();
	expect(trace > 0, "trace %a", trace);
	show("sieve %016llx", (unsigned long long)hash_bytes(sieve, sizeof(sieve)));
	return done();
}
