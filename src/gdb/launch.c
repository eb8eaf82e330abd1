/* gdb in the foreground, and the server for it.
 *
 * The replayed processes are our children, and whoever waits for any child must not find gdb: it is
 * started by a process between, which is nobody's child and tells how gdb has ended; when we end,
 * that ends gdb, which would otherwise fight with the shell for the terminal. Ctrl-C reaches all of
 * us from the terminal, and is gdb's to handle. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gdb/listen.h"
#include "gdb/serve.h"
#include "gdb/session.h"
#include "util/cleanup.h"
#include "util/os.h"

/* Behind a command that moves the program gdb looks for libraries, of which a breakpoint tells it
 * otherwise; a step then moves nothing and shows the place. (One forwards could be over a
 * breakpoint where it was, which only the thread that was there may end.) Where the command has
 * failed there must be no step: scripts see that by a variable of the server's, "qTV". */
#define SHOW_PLACE "  if $_warp_moved\n    sharedlibrary\n    reverse-stepi\n  end\nend\n"

/* What gdb offers besides its own commands, when we start it. It would tell that a variable is
 * there. */
static const char commands[] =
	"pipe tvariable $_warp_moved | cat >/dev/null\n"
	"define when\n  monitor when\nend\n"
	"document when\nWhere the replay is: event, time, thread, address.\nend\n"
	"define seek\n  monitor seek $arg0\n" SHOW_PLACE
	"document seek\nGo to an event or a time: seek 1234, seek 1.5s, seek END.\nend\n"
	"define events\n  if $argc == 0\n    monitor events\n  else\n    monitor events $arg0\n"
	"  end\nend\n"
	"document events\nList the events around here: events, events 'write(fd == 1)'.\nend\n"
	"define checkpoint\n  monitor checkpoint\nend\n"
	"document checkpoint\nRemember this place of the replay.\nend\n"
	"define info checkpoints\n  monitor checkpoints\nend\n"
	"document info checkpoints\nThe places of the replay that are remembered.\nend\n"
	"define restart\n  monitor restart $arg0\n" SHOW_PLACE
	"document restart\nGo to a checkpoint: restart N.\nend\n"
	"define delete checkpoint\n  monitor delete checkpoint $arg0\nend\n"
	"document delete checkpoint\nForget a checkpoint: delete checkpoint N.\nend\n"
	"define last-write\n  eval \"monitor last-write %lu:%lu\", (unsigned long)&($arg0), "
	"(unsigned long)sizeof($arg0)\n" SHOW_PLACE
	"document last-write\nGo back to the instruction that last wrote a variable: last-write "
	"x.\n"
	"end\n";

struct place {
	char *directory; /* for us alone */
	char *commands;	 /* path of a file */
	struct gdb_listener listener;
};

/* After gdb has connected none of it is needed any more. */
static void remove_place(struct place *place)
{
	gdb_listener_deinit(&place->listener);
	if (place->commands)
		unlink(place->commands);
	if (place->directory)
		rmdir(place->directory);
	free(place->commands);
	free(place->directory);
	place->commands = place->directory = NULL;
}

static struct error *write_commands(struct place *place)
{
	int fd _cleanup_fd_ = -1;

	place->commands = xasprintf("%s/commands", place->directory);
	fd = open(place->commands, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_os(errno, "cannot create %s", place->commands);
	int failed = os_write_all(fd, commands, sizeof(commands) - 1);

	return failed ? error_os(failed, "cannot write %s", place->commands) : NULL;
}

static struct error *make_place(struct place *place)
{
	const char *base = getenv("TMPDIR");

	place->directory = xasprintf("%s/warp-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(place->directory)) {
		struct error *error =
			error_os(errno, "cannot make a directory %s", place->directory);

		free(take_ptr(place->directory));
		return error;
	}
	char *address _cleanup_free_ = xasprintf("unix:%s/gdb", place->directory);

	try(gdb_listen(address, &place->listener));
	return write_commands(place);
}

/* ---- processes ---- */

struct arguments vec(char *);

/* sh -c 'exec COMMAND "$@"' warp ARGUMENT... */
static void build_arguments(const struct gdb_debugger *debugger, const struct place *place,
			    struct arguments *out)
{
	char *shell = xasprintf("exec %s \"$@\"", debugger->command ? debugger->command : "gdb");
	char *connect = xasprintf("target extended-remote %s", place->listener.shown);
	/* Some redefine commands of gdb's, about which it would ask. */
	char *define = xasprintf("with confirm off -- source %s", place->commands);
	char *fixed[] = {
		"/bin/sh", "-c", shell, "warp", "-q",
		/* Four debug registers of 8 bytes: what does not fit, gdb watches by stepping. */
		"-iex", "set remote hardware-watchpoint-length-limit 32",
		/* Files come from the recording, through a socket of this machine. */
		"-iex", "set sysroot target:", "-ex", define, "-ex", connect};

	vec_append(out, fixed, sizeof(fixed) / sizeof(*fixed));
	if (debugger->script) {
		vec_push(out, "-x");
		vec_push(out, (char *)debugger->script);
	}
	for (char *const *more = debugger->more; more && *more; more++)
		vec_push(out, *more);
	vec_push(out, NULL);
}

static void become_debugger(const struct timeline *timeline, char **argv)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};

	timeline_leave_core(timeline);
	sigaction(SIGINT, &usual, NULL);
	sigaction(SIGQUIT, &usual, NULL);
	execv(*argv, argv);
	_exit(127);
}

/* Between us and gdb: `channel` ends when we do, and takes gdb's wait status. */
static void supervise(const struct timeline *timeline, const struct gdb_debugger *debugger,
		      const struct place *place, int channel)
{
	struct arguments argv = {0};
	int status = 0;

	build_arguments(debugger, place, &argv);

	if (channel > 3)
		close_range(3, (unsigned)channel - 1, 0);
	close_range((unsigned)channel + 1, ~0u, 0);
	pid_t pid = fork();

	if (!pid)
		become_debugger(timeline, argv.items);
	int ended = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	struct pollfd fds[] = {{channel, POLLIN, 0}, {ended, POLLIN, 0}};

	while (ended >= 0 && !fds[1].revents) {
		if (poll(fds, 2, -1) > 0 && fds[0].revents) {
			kill(pid, SIGHUP);
			fds[0].fd = -1;
		}
	}
	waitpid(pid, &status, 0);
	os_write_all(channel, &status, sizeof(status));
	_exit(0);
}

/* *channel: to the process that supervises gdb. */
static struct error *start(const struct timeline *timeline, const struct gdb_debugger *debugger,
			   const struct place *place, int *channel)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return error_os(errno, "cannot make a socket");
	fflush(NULL);
	pid_t pid = fork();

	if (!pid) {
		pid = fork();
		if (!pid)
			supervise(timeline, debugger, place, pair[1]);
		_exit(pid < 0);
	}
	close(pair[1]);
	*channel = pair[0];
	if (pid < 0)
		return error_os(errno, "cannot start gdb");
	waitpid(pid, NULL, 0);
	return NULL;
}

/* The shell has told what it could not execute, in words of its own. */
static struct error *cannot_start(const struct gdb_debugger *debugger)
{
	return error_new("the debugger '%s' cannot be started: check --debugger, or use --serve "
			 "and connect one to it",
			 debugger->command ? debugger->command : "gdb");
}

static bool is_of_shell(int status)
{
	return WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127);
}

/* Serves gdb, and waits for its end. */
static struct error *serve(struct gdb_session *s, const struct gdb_debugger *debugger,
			   struct place *place, int channel, int *status)
{
	int client _cleanup_fd_ = -1;

	try(gdb_accept(&place->listener, channel, &client));
	remove_place(place);
	if (client >= 0)
		gdb_serve_client(s, client, client, -1);
	ssize_t got;

	do
		got = read(channel, status, sizeof(*status));
	while (got < 0 && errno == EINTR);
	if (got != sizeof(*status))
		return error_new("gdb could not be started");
	return client < 0 && is_of_shell(*status) ? cannot_start(debugger) : NULL;
}

static struct error *launch(struct gdb_session *s, const struct gdb_debugger *debugger, int *status)
{
	struct place place _cleanup_(remove_place) = {.listener = {.fd = -1}};
	int channel _cleanup_fd_ = -1;

	try(make_place(&place));
	try(start(s->timeline, debugger, &place, &channel));
	return serve(s, debugger, &place, channel, status);
}

struct error *gdb_check_debugger(const struct gdb_debugger *debugger)
{
	const char *path = getenv("PATH");
	char *list _cleanup_free_ = xstrdup(path ? path : "/bin:/usr/bin");
	char *rest = list, *directory;

	if (debugger->command)
		return NULL;
	while ((directory = strsep(&rest, ":"))) {
		char *file _cleanup_free_ = xasprintf("%s/gdb", *directory ? directory : ".");

		if (!access(file, X_OK))
			return NULL;
	}
	return error_new("there is no gdb in PATH: install it, name another debugger with "
			 "--debugger, or use --serve and connect one to it");
}

struct error *gdb_launch(struct timeline *timeline, const struct gdb_options *options,
			 const struct gdb_debugger *debugger, int *status)
{
	struct gdb_session session _cleanup_(gdb_session_deinit) = {0};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;

	try(gdb_session_init(&session, timeline, options));
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	struct error *error = launch(&session, debugger, status);

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return error ? error : take_ptr(session.error);
}
