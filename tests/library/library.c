#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000

const char *guest_path;
struct warp_tracer *tracer;

int library_setup(void **state)
{
	return warp_tracer_create(&tracer);
}

int library_teardown(void **state)
{
	warp_tracer_destroy(tracer);
	return 0;
}

static void make_pipes(int in[2], int out[2])
{
	assert_return_code(pipe2(in, O_CLOEXEC), errno);
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
}

struct guest guest_open(const char *role, unsigned flags)
{
	char *argv[] = {(char *)guest_path, (char *)role, NULL};
	struct guest guest = {0};
	int in[2], out[2];

	make_pipes(in, out);
	struct warp_program program = {.argv = argv, .descriptors = (int[]){in[0], out[1], -1}};

	ok(warp_open_new(tracer, &program, flags, &guest.target));
	guest.pid = warp_pid(guest.target);
	close(in[0]);
	close(out[1]);
	guest.in = in[1];
	guest.out = out[0];
	return guest;
}

struct guest guest_start_plain(const char *role)
{
	struct guest guest = {0};
	int in[2], out[2];

	make_pipes(in, out);
	guest.pid = fork();
	if (guest.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(guest_path, guest_path, role, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	guest.in = in[1];
	guest.out = out[0];
	return guest;
}

void guest_line(struct guest *guest, char *line, size_t room)
{
	size_t length = 0;

	while (length + 1 < room && read(guest->out, line + length, 1) == 1 && line[length] != '\n')
		length++;
	line[length] = 0;
	if (!length)
		fail_msg("the guest has ended without a line");
}

void guest_ready(struct guest *guest)
{
	char line[32];

	guest_line(guest, line, sizeof(line));
	assert_string_equal(line, "ready");
}

void guest_go(struct guest *guest)
{
	assert_int_equal(write(guest->in, "x", 1), 1);
}

void guest_close(struct guest *guest)
{
	close(guest->in);
	close(guest->out);
	warp_close(guest->target);
	guest->target = NULL;
}

int guest_finish(struct guest *guest)
{
	struct warp_event event;

	set_mask(guest->target, WARP_EXIT);
	do /* what was there before comes first; it goes on already */
		event = next_event(guest->target, 0);
	while (event.cause != WARP_EXIT || !event.b);
	return (int)event.a;
}

struct warp_event next_event(struct warp_target *target, uint32_t cause)
{
	struct warp_event event = {0};
	int got = warp_wait(target, &event, PATIENCE_MS);

	if (got != 1)
		fail_msg("no event of process %d: %d: %s", warp_pid(target), got, warp_error());
	if (cause && event.cause != cause)
		fail_msg("process %d: cause %#x was to come, but it was %#x (%#llx, %#llx)",
			 warp_pid(target), cause, event.cause, (unsigned long long)event.a,
			 (unsigned long long)event.b);
	return event;
}

void go_on(struct warp_target *target, pid_t tid)
{
	ok(warp_go(target, &(struct warp_go){.tid = tid, .flags = WARP_KEEP_MASK}));
}

void set_mask(struct warp_target *target, uint32_t mask)
{
	ok(warp_go(target, &(struct warp_go){.mask = mask}));
}

char state_of(pid_t tid)
{
	char path[48], text[512] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	const char *end = got > 0 ? strrchr(text, ')') : NULL;

	return end && end[1] ? end[2] : 0;
}
