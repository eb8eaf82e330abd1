/* The server: one client at a time.
 *
 * Invariant: what a client has set (breakpoints, a diversion, files) ends with its connection;
 * where the replay is stays. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "gdb/listen.h"
#include "gdb/serve.h"
#include "gdb/session.h"
#include "util/cleanup.h"
#include "util/log.h"

/* As a new client finds it. */
static void forget_client(struct gdb_session *s)
{
	gdb_close_files(s);
	if (s->error)
		return;
	gdb_forget_points(s);
	gdb_leave(s);
	memset(s->passed, 0, sizeof(s->passed));
	memset(s->tls, 0, sizeof(s->tls));
	s->general = s->mover = GDB_ANY;
	s->knows_exec = s->knows_history = s->arrived = s->interrupted = false;
	s->is_owed = s->owes_step = false;
}

void gdb_serve_client(struct gdb_session *s, int in, int out, int listener)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	struct gdb_wire wire;

	sigaction(SIGPIPE, &ignore, &before); /* writing then fails, too */
	gdb_program_changed(s);
	gdb_wire_init(&wire, in, out, listener);
	s->wire = &wire;
	gdb_session_run(s);
	forget_client(s);
	s->wire = NULL;
	gdb_wire_deinit(&wire);
	sigaction(SIGPIPE, &before, NULL);
}

static struct error *serve_sockets(struct gdb_session *s, const char *address)
{
	struct gdb_listener listener _cleanup_(gdb_listener_deinit) = {.fd = -1};

	try(gdb_listen(address, &listener));
	log_notice("waiting for gdb: target extended-remote %s", listener.shown);
	while (!s->over && !s->error) {
		int client _cleanup_fd_ = -1;

		try(gdb_accept(&listener, -1, &client));
		gdb_serve_client(s, client, client, listener.fd);
	}
	return NULL;
}

/* The protocol has these two for itself. */
static struct error *serve_stdio(struct gdb_session *s)
{
	int in _cleanup_fd_ = fcntl(0, F_DUPFD_CLOEXEC, 3);
	int out _cleanup_fd_ = fcntl(1, F_DUPFD_CLOEXEC, 3);

	if (in < 0 || out < 0 || dup2(2, 1) < 0)
		return error_os(errno, "cannot use standard input and output for gdb");
	gdb_serve_client(s, in, out, -1);
	return NULL;
}

struct error *gdb_serve(struct timeline *timeline, const struct gdb_options *options,
			const char *address)
{
	struct gdb_session session _cleanup_(gdb_session_deinit) = {0};

	try(gdb_session_init(&session, timeline, options));
	try(strcmp(address, "-") ? serve_sockets(&session, address) : serve_stdio(&session));
	return take_ptr(session.error);
}
