/* The packets that are understood, one row each. What has no row is answered with an empty packet,
 * which means that it is not supported ("Overview" of the protocol in gdb's manual).
 *
 * Invariant: the first row that fits is taken; longer names stand before those that they begin
 * with. */
#include <errno.h>
#include <string.h>

#include "gdb/session.h"

static void handle_nothing(struct gdb_session *s, struct gdb_cursor *rest)
{
}

static void handle_ok(struct gdb_session *s, struct gdb_cursor *rest)
{
	gdb_ok(s);
}

static void handle_why(struct gdb_session *s, struct gdb_cursor *rest)
{
	gdb_put_stop(s);
}

/* "D", "vKill": the client leaves the program, or wants it to end. After the former it still closes
 * files, and then the connection; a new run may follow the latter. */
static void handle_detach(struct gdb_session *s, struct gdb_cursor *rest)
{
	gdb_forget_points(s);
	if (!gdb_leave(s))
		return;
	gdb_ok(s);
	s->detached = true;
}

static void handle_vkill(struct gdb_session *s, struct gdb_cursor *rest)
{
	gdb_forget_points(s);
	if (gdb_leave(s))
		gdb_ok(s);
}

static void handle_kill(struct gdb_session *s, struct gdb_cursor *rest)
{
	s->quiet = true;
	s->over = true;
}

/* "vRun;FILE;ARG...": the recorded program with its recorded arguments, whatever is said here. */
static void handle_run(struct gdb_session *s, struct gdb_cursor *rest)
{
	if (gdb_begin_again(s))
		gdb_put_stop(s);
}

static void handle_restart(struct gdb_session *s, struct gdb_cursor *rest)
{
	s->quiet = true;
	gdb_begin_again(s);
}

static const struct gdb_command commands[] = {
	{"qSupported", false, gdb_handle_supported},
	{"QStartNoAckMode", true, gdb_handle_no_acks},
	{"qXfer:", false, gdb_handle_xfer},
	{"vFile:", false, gdb_handle_file},
	{"qRcmd,", false, gdb_handle_monitor},
	{"qTV:", false, gdb_handle_variable},
	{"vCont", false, gdb_handle_vcont},
	{"vRun", false, handle_run},
	{"vKill", false, handle_vkill},
	{"vMustReplyEmpty", true, handle_nothing},
	{"QPassSignals:", false, gdb_handle_pass_signals},
	{"QProgramSignals:", false, handle_ok},
	{"QCatchSyscalls:", false, gdb_handle_catch_calls},
	{"qC", true, gdb_handle_current},
	{"qfThreadInfo", true, gdb_handle_threads},
	{"qsThreadInfo", true, gdb_handle_no_more},
	{"qThreadExtraInfo,", false, gdb_handle_thread_info},
	{"qAttached", false, gdb_handle_attached},
	{"qSymbol:", false, gdb_handle_symbol},
	{"qGetTLSAddr:", false, gdb_handle_tls},
	{"qHostInfo", true, gdb_handle_host},
	{"qProcessInfo", true, gdb_handle_process},
	{"!", true, handle_ok},
	{"?", true, handle_why},
	{"bc", true, gdb_handle_back},
	{"bs", true, gdb_handle_back_step},
	{"c", false, gdb_handle_continue},
	{"C", false, gdb_handle_continue},
	{"s", false, gdb_handle_step},
	{"S", false, gdb_handle_step},
	{"D", false, handle_detach},
	{"k", true, handle_kill},
	{"R", false, handle_restart},
	{"Hg", false, gdb_handle_choose},
	{"Hc", false, gdb_handle_choose_mover},
	{"T", false, gdb_handle_is_alive},
	{"g", true, gdb_handle_get_all},
	{"G", false, gdb_handle_set_all},
	{"p", false, gdb_handle_get_one},
	{"P", false, gdb_handle_set_one},
	{"m", false, gdb_handle_read},
	{"x", false, gdb_handle_read_binary},
	{"M", false, gdb_handle_write},
	{"X", false, gdb_handle_write_binary},
	{"Z", false, gdb_handle_set_point},
	{"z", false, gdb_handle_clear_point},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

void gdb_dispatch(struct gdb_session *s, const struct bytes *packet)
{
	for (size_t i = 0; packet->count && i < COMMANDS; i++) {
		struct gdb_cursor rest = {packet->items, packet->items + packet->count};

		if (!gdb_take(&rest, commands[i].name) || (commands[i].whole && !gdb_at_end(&rest)))
			continue;
		commands[i].handle(s, &rest);
		return;
	}
}
