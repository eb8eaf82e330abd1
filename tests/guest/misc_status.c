/*
 * Ends with a status of its own through exit(), after atexit functions and a destructor that
 * print.
 *
 * guest: status 37
 */
#include "guest.h"

static void last(void)
{
	show("the first registered runs last");
}

static void first(void)
{
	show("the second registered runs first");
}

__attribute__((destructor)) static void destructor(void)
{
	show("destructor, failures so far: %d", guest_failures);
	/* exit() was given 37; an unmet expectation must still show. */
	if (guest_failures)
		_exit(1);
}

int main(void)
{
	expect_eq_long(atexit(last), 0, "atexit");
	expect_eq_long(atexit(first), 0, "atexit");
	printf("buffered by stdio, flushed by exit\n");
	exit(done() ? 1 : 37);
}
