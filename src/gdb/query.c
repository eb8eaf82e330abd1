/* What the client asks about the server, the machine and the threads. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "gdb/session.h"

/* "qSupported:FEATURE;FEATURE+..." */
void gdb_handle_supported(struct gdb_session *s, struct gdb_cursor *rest)
{
	while (!gdb_at_end(rest)) {
		if (gdb_take(rest, "exec-events+"))
			s->knows_exec = true;
		else if (gdb_take(rest, "swbreak+"))
			s->knows_history = true; /* no client tells; gdb knows both */
		else
			rest->at++;
	}
	bytes_format(&s->reply,
		     "PacketSize=%x;multiprocess+;exec-events+;QStartNoAckMode+;swbreak+;hwbreak+;"
		     "vContSupported+;ReverseContinue+;ReverseStep+;QPassSignals+;QProgramSignals+;"
		     "QCatchSyscalls+;binary-upload+;qXfer:features:read+;qXfer:threads:read+;"
		     "qXfer:auxv:read+;qXfer:exec-file:read+;qXfer:siginfo:read+;"
		     "qXfer:siginfo:write+",
		     GDB_PACKET_MAX);
}

void gdb_handle_no_acks(struct gdb_session *s, struct gdb_cursor *rest)
{
	s->wire->acks = false;
	gdb_ok(s);
}

void gdb_handle_attached(struct gdb_session *s, struct gdb_cursor *rest)
{
	bytes_put(&s->reply, "0");
}

void gdb_handle_current(struct gdb_session *s, struct gdb_cursor *rest)
{
	bytes_put(&s->reply, "QC");
	gdb_put_thread(s, &s->reply, gdb_general_thread(s));
}

/* ---- threads ---- */

void gdb_handle_threads(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct timeline_tids tids = {0};

	timeline_threads(s->timeline, &tids);
	vec_foreach (&tids, tid) {
		bytes_put(&s->reply, tid == tids.items ? "m" : ",");
		gdb_put_thread(s, &s->reply, *tid);
	}
	if (!tids.count)
		bytes_put(&s->reply, "l");
	vec_deinit(&tids);
}

void gdb_handle_no_more(struct gdb_session *s, struct gdb_cursor *rest)
{
	bytes_put(&s->reply, "l");
}

/* A thread of this process that lives; else an error is the answer. */
static bool take_living(struct gdb_session *s, struct gdb_cursor *rest, uint32_t *tid)
{
	struct gdb_thread thread;

	if (!gdb_take_thread(rest, &thread)) {
		gdb_refuse(s, EINVAL);
		return false;
	}
	*tid = thread.tid;
	if (thread.pid != GDB_ANY && thread.pid != GDB_EVERY &&
	    thread.pid != timeline_process(s->timeline)) {
		gdb_refuse(s, ESRCH);
		return false;
	}
	if (*tid == GDB_ANY || *tid == GDB_EVERY || gdb_is_alive(s, *tid))
		return true;
	gdb_refuse(s, ESRCH);
	return false;
}

void gdb_handle_thread_info(struct gdb_session *s, struct gdb_cursor *rest)
{
	char name[16];
	uint32_t tid;

	if (!take_living(s, rest, &tid))
		return;
	timeline_thread_name(s->timeline, tid, name);
	gdb_put_hex(&s->reply, name, strnlen(name, sizeof(name)));
}

static void choose(struct gdb_session *s, struct gdb_cursor *rest, uint32_t *chosen)
{
	uint32_t tid;

	if (!take_living(s, rest, &tid))
		return;
	*chosen = tid;
	gdb_ok(s);
}

void gdb_handle_choose(struct gdb_session *s, struct gdb_cursor *rest)
{
	choose(s, rest, &s->general);
}

void gdb_handle_choose_mover(struct gdb_session *s, struct gdb_cursor *rest)
{
	choose(s, rest, &s->mover);
}

void gdb_handle_is_alive(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint32_t tid;

	if (take_living(s, rest, &tid))
		gdb_ok(s);
}

/* ---- lldb ---- */

static void put_machine(struct gdb_session *s)
{
	bytes_put(&s->reply, "triple:");
	gdb_put_hex(&s->reply, arch.triple, strlen(arch.triple));
	bytes_put(&s->reply, ";ptrsize:8;endian:little;");
}

void gdb_handle_host(struct gdb_session *s, struct gdb_cursor *rest)
{
	put_machine(s);
}

void gdb_handle_process(struct gdb_session *s, struct gdb_cursor *rest)
{
	bytes_format(&s->reply, "pid:%" PRIx32 ";", timeline_process(s->timeline));
	put_machine(s);
}
