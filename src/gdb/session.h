/* What the parts of the server share: one client's session with the timeline, and the handlers of
 * packets. */
#ifndef WARP_GDB_SESSION_H
#define WARP_GDB_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "gdb/gdb.h"
#include "gdb/packet.h"
#include "gdb/wire.h"
#include "timeline/timeline.h"
#include "trace/reader.h"
#include "util/bytes.h"
#include "util/vec.h"

/* What gdb calls Z0 ... Z4. */
enum gdb_point_kind {
	GDB_POINT_SOFTWARE,
	GDB_POINT_HARDWARE,
	GDB_POINT_WRITE,
	GDB_POINT_READ,
	GDB_POINT_ACCESS,
	GDB_POINT_KINDS
};

struct gdb_point {
	enum gdb_point_kind kind;
	taddr addr;
	uint64_t length;
};

/* A file that the client has open: of the recording's, or a text of our own. gdb keeps one open for
 * each library: there is no descriptor behind it. */
struct gdb_file {
	bool open;
	uint32_t id; /* TRACE_NO_FILE: it is `text` */
	uint64_t size;
	int64_t mtime;
	struct bytes text;
};

#define GDB_FILES 65536

/* Where a thread was when a diversion began. */
struct gdb_home {
	uint32_t tid;
	taddr pc, sp;
};

struct gdb_checkpoint {
	unsigned number;
	uint64_t event; /* for the list of them */
	struct timeline_mark *mark;
};

/* Offsets in the C library's structures, as it tells them to debuggers; by enum gdb_tls. */
enum gdb_tls {
	GDB_TLS_MODULE, /* in link_map: the module's number */
	GDB_TLS_OFFSET, /* in link_map: its distance from the thread pointer */
	GDB_TLS_VECTOR, /* in the thread's structure: pointer to its dtv */
	GDB_TLS_SLOT,	/* in the dtv: slots */
	GDB_TLS_VALUE,	/* in a slot: the address */
	GDB_TLS_PARTS
};

struct gdb_session {
	struct timeline *timeline; /* borrowed */
	const struct gdb_options *options;
	struct gdb_wire *wire;
	struct trace_reader *reader; /* of our own: its position is moved at will */
	uint64_t features;	     /* parts of the vector state */
	struct arch_layout layout;
	struct timeline_mark *beginning; /* where the session has begun */
	struct bytes reply;		 /* to the present packet */
	struct bytes document;
	const void *document_kind;

	/* ---- what the client has chosen ---- */
	uint32_t general, mover; /* thread of registers; of old motions; GDB_ANY, GDB_EVERY */
	bool knows_exec, knows_history;
	bool quiet; /* the present packet gets no reply */
	struct vec(struct gdb_point) points;
	struct vec(taddr) withdrawn; /* breakpoints that it has removed since the last motion */
	bool passed[_NSIG];	     /* signals that are not reported */
	bool catches;
	struct vec(int) caught;		   /* empty: all */
	struct vec(struct gdb_file) files; /* numbers are their places */
	struct vec(struct gdb_checkpoint) checkpoints;
	unsigned last_checkpoint;
	struct vec(struct gdb_home) homes; /* in a diversion: of each thread */
	taddr tls[GDB_TLS_PARTS];	   /* where the offsets are; 0: not known */

	/* ---- what the client believes ---- */
	struct timeline_stop stop; /* the last one */
	char *program;
	uint64_t entry; /* of the program: it can be executed again, and lie elsewhere */
	/* The place was changed without its knowing: its next step only shows where it is. */
	bool arrived;
	/* A stop of a thread that it believed locked: it is told when all may move again. */
	bool is_owed;
	bool owes_step; /* the thread that had stepped was stepped again */
	struct timeline_stop owed;
	bool interrupted; /* while nothing moved */

	bool detached;	     /* it leaves soon */
	bool over;	     /* it has detached and left, or killed the program */
	struct error *error; /* the timeline has failed: nothing goes on */
};

/* ---- session.c ---- */

/* `wire` is set by the caller for each client. gdb_session_deinit() frees what it holds. */
struct error *gdb_session_init(struct gdb_session *s, struct timeline *timeline,
			       const struct gdb_options *options);
void gdb_session_deinit(struct gdb_session *s);
/* Answers the client's packets until it is gone, or `over`, or `error`. */
void gdb_session_run(struct gdb_session *s);

void gdb_ok(struct gdb_session *s);
/* An errno value, which gdb shows as a number. */
void gdb_refuse(struct gdb_session *s, int errnum);
/* Shows a text in the client's console; only while it waits for a stop or for "monitor". */
void gdb_say(struct gdb_session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes over a failure of the timeline; true if it is one. */
bool gdb_failed(struct gdb_session *s, struct error *error);
/* The next event that our own reader gives; false: none that can be read. */
bool gdb_next_event(struct gdb_session *s, struct trace_event *event);
/* The thread that the client means with its last Hg, or another living one; 0: there is none. */
uint32_t gdb_general_thread(struct gdb_session *s);
bool gdb_is_alive(struct gdb_session *s, uint32_t tid);
/* For the console: printable, whatever bytes the program has chosen. */
void gdb_thread_name(struct gdb_session *s, uint32_t tid, char out[16]);
void gdb_put_thread(struct gdb_session *s, struct bytes *out, uint32_t tid);
/* All its breakpoints are removed, as gdb takes for granted when a program ends. */
void gdb_forget_points(struct gdb_session *s);

/* ---- commands.c ---- */

struct gdb_command {
	const char *name; /* how the packet begins */
	bool whole;	  /* and that is all of it */
	void (*handle)(struct gdb_session *s, struct gdb_cursor *rest);
};

/* Appends the answer to s->reply; what is not known is answered with nothing. */
void gdb_dispatch(struct gdb_session *s, const struct bytes *packet);

/* ---- motion.c ---- */

struct gdb_motion {
	enum timeline_direction direction;
	bool step;
	bool alone;   /* the client has locked all other threads: it can take stops of this only */
	uint32_t tid; /* that steps */
	taddr start, end; /* steps go on while its pc is in there */
};

/* Moves, and appends the stop's description to s->reply. */
void gdb_move(struct gdb_session *s, const struct gdb_motion *motion);
/* Runs towards what stops, without telling the client. False: s->error. */
bool gdb_run(struct gdb_session *s, enum timeline_direction direction, struct timeline_stop *stop);
/* The client was told nothing of the motion to here. */
void gdb_arrive(struct gdb_session *s, const struct timeline_stop *stop);
void gdb_put_stop(struct gdb_session *s);
/* Does the process execute another program than the client knows of? True once for each. */
bool gdb_program_changed(struct gdb_session *s);
void gdb_watch_input(struct gdb_session *s, bool on);
void gdb_handle_vcont(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_continue(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_step(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_back(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_back_step(struct gdb_session *s, struct gdb_cursor *rest);

/* ---- diversion.c ---- */

/* Before something is written. False: it failed, s->error. */
bool gdb_divert(struct gdb_session *s);
/* Before another place is gone to. False: s->error. */
bool gdb_leave(struct gdb_session *s);
/* Is it in a function that the client calls, or anywhere else than where the diversion began? */
bool gdb_in_call(struct gdb_session *s);

/* ---- state.c: registers and memory ---- */

void gdb_handle_get_all(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_set_all(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_get_one(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_set_one(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_read(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_read_binary(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_write(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_write_binary(struct gdb_session *s, struct gdb_cursor *rest);
bool gdb_read_word(struct gdb_session *s, taddr addr, uint64_t *value);
/* Up to the NUL, at most room - 1 characters. */
bool gdb_read_text(struct gdb_session *s, taddr addr, char *to, size_t room);
/* Registers of a flavor; to be freed: state->vector. */
bool gdb_get_state(struct gdb_session *s, uint32_t tid, unsigned flavors, struct arch_state *state);
/* Appends "number:value;" of a register. */
void gdb_put_register(struct gdb_session *s, const struct arch_state *state, unsigned number);

/* ---- points.c: breakpoints, signals and calls to stop at ---- */

void gdb_handle_set_point(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_clear_point(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_pass_signals(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_catch_calls(struct gdb_session *s, struct gdb_cursor *rest);
/* All of them count (again), or none. */
void gdb_enable_points(struct gdb_session *s, bool on);
/* The breakpoint or watchpoint of the client's that is there, or NULL. */
const struct gdb_point *gdb_point_at(const struct gdb_session *s, taddr addr, bool watch);
/* Has the client removed a breakpoint there since the last motion? */
bool gdb_is_withdrawn(const struct gdb_session *s, taddr addr);
/* gdb has numbers of its own for signals. */
int gdb_signal_number(int signal);

/* ---- query.c ---- */

void gdb_handle_supported(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_no_acks(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_current(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_threads(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_no_more(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_thread_info(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_choose(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_choose_mover(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_is_alive(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_attached(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_host(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_process(struct gdb_session *s, struct gdb_cursor *rest);

/* ---- xfer.c: documents that the client reads in pieces ---- */

void gdb_handle_xfer(struct gdb_session *s, struct gdb_cursor *rest);

/* ---- files.c ---- */

void gdb_handle_file(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_close_files(struct gdb_session *s);

/* ---- loaded.c ---- */

/* The recording's file that the process, where it is, has loaded under that name, or was recorded
 * with it; TRACE_NO_FILE. */
uint32_t gdb_loaded_file(struct gdb_session *s, const char *path);
/* A value of the auxiliary vector (AT_...). */
bool gdb_auxv_value(struct gdb_session *s, uint64_t key, uint64_t *value);

/* ---- proc.c: what /proc said of the process ---- */

/* The text of a file, or what a link says; false: nothing is known of that name. */
bool gdb_proc_file(struct gdb_session *s, const char *path, struct bytes *out);
bool gdb_proc_link(struct gdb_session *s, const char *path, struct bytes *out);

/* ---- tls.c ---- */

void gdb_handle_symbol(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_tls(struct gdb_session *s, struct gdb_cursor *rest);

/* ---- monitor.c ---- */

void gdb_handle_monitor(struct gdb_session *s, struct gdb_cursor *rest);
void gdb_handle_variable(struct gdb_session *s, struct gdb_cursor *rest);

/* ---- places.c: the monitor's motions. Each says where it led; one that fails moves nothing
 * ---- */

void gdb_place_when(struct gdb_session *s, char **words);
void gdb_place_seek(struct gdb_session *s, char **words);
void gdb_place_checkpoint(struct gdb_session *s, char **words);
void gdb_place_checkpoints(struct gdb_session *s, char **words);
void gdb_place_restart(struct gdb_session *s, char **words);
void gdb_place_delete(struct gdb_session *s, char **words);
void gdb_place_last_write(struct gdb_session *s, char **words);
/* Drops the marks. */
void gdb_forget_checkpoints(struct gdb_session *s);
/* Back to the beginning, as for a new run. False: s->error. */
bool gdb_begin_again(struct gdb_session *s);
/* An event number, a time with an 's', END. False: it is none. */
bool gdb_parse_place(struct gdb_session *s, const char *text, uint64_t *event);

#endif
