/* What the tests of libwarp share. They use the public header only. */
#ifndef TEST_LIBRARY_H
#define TEST_LIBRARY_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include "warp/tracer.h"

#define DONE 7 /* exit status of the guest if it has seen nothing wrong */

/* Fails with the library's explanation. */
#define ok(call)                                                                  \
	do {                                                                      \
		long ok_result_ = (call);                                         \
		if (ok_result_ < 0)                                               \
			fail_msg("%s: %ld: %s", #call, ok_result_, warp_error()); \
	} while (0)

/* A guest with pipes to its stdin and from its stdout. */
struct guest {
	struct warp_target *target;
	pid_t pid;
	int in, out;
};

extern const char *guest_path;
extern struct warp_tracer *tracer;

/* Group setup and teardown: the tracer. */
int library_setup(void **state);
int library_teardown(void **state);
/* Starts the guest in a role as a target, or (start_plain) untraced. */
struct guest guest_open(const char *role, unsigned flags);
struct guest guest_start_plain(const char *role);
/* Waits for a line on its stdout. */
void guest_line(struct guest *guest, char *line, size_t room);
void guest_ready(struct guest *guest);
void guest_go(struct guest *guest); /* the byte that it waits for */
/* Closes the pipes and the target. */
void guest_close(struct guest *guest);
/* Lets it run to the end without stops; returns its wait status. */
int guest_finish(struct guest *guest);
/* The next event; fails if there is none within 20 s, or if it has another cause (0: any). */
struct warp_event next_event(struct warp_target *target, uint32_t cause);
/* The thread goes on; the mask stays. */
void go_on(struct warp_target *target, pid_t tid);
void set_mask(struct warp_target *target, uint32_t mask);
char state_of(pid_t tid);

#endif
