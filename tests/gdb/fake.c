/* A timeline without a replay: the functions of timeline/timeline.h on a process that is made up.
 *
 * A state is one number, the place; what is written in a diversion is kept beside it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake.h"
#include "timeline/timeline.h"
#include "trace/place.h"
#include "trace/writer.h"

#define VECTOR_SIZE	 2696u
#define FEATURES_OFFSET	 464u
#define FEATURES	 0xe7ull
#define PLACES_PER_EVENT 10u
#define POINTS		 64u

struct point {
	bool watch;
	taddr addr;
	uint64_t length;
};

struct timeline {
	unsigned place;
	bool diverted;
	unsigned origin; /* place of the diversion */
	uint8_t code[FAKE_SIZE], data[FAKE_SIZE], stack[FAKE_SIZE];
	struct regs own; /* in a diversion: of the thread whose turn it is */
	struct vec(struct point) points;
	bool catches;
	bool interrupted;
	struct trace_reader *reader;
};

/* ---- the process ---- */

static uint32_t mover(const struct timeline *t)
{
	return FAKE_PROCESS + t->place / FAKE_TURN % FAKE_THREADS;
}

/* A thread that waits stands where its last turn ended. */
static unsigned place_of(const struct timeline *t, uint32_t tid)
{
	unsigned turn = t->place / FAKE_TURN;

	if (tid == mover(t))
		return t->place;
	return turn ? turn * FAKE_TURN : 0;
}

static void set_memory(struct timeline *t)
{
	uint64_t word = t->place / FAKE_WRITES;

	memset(t->code, 0x90, sizeof(t->code));
	memset(t->stack, 0, sizeof(t->stack));
	memset(t->data, 0, sizeof(t->data));
	memcpy(t->data, &word, sizeof(word));
}

/* Registers in the order of struct user_regs_struct. */
enum {
	WORD_RAX = 10,
	WORD_RDI = 14,
	WORD_CS = 17,
	WORD_RSP = 19,
};

static void usual_regs(const struct timeline *t, uint32_t tid, struct regs *regs)
{
	*regs = (struct regs){0};
	arch.set_pc(regs, FAKE_CODE + place_of(t, tid) * FAKE_INSN);
	regs->word[WORD_RAX] = place_of(t, tid);
	regs->word[WORD_CS] = 0x33;
	regs->word[WORD_RSP] = FAKE_STACK + FAKE_SIZE / 2;
}

static void move_to(struct timeline *t, unsigned place)
{
	t->place = place;
	set_memory(t);
}

struct timeline *fake_create(void)
{
	struct timeline *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	move_to(t, 0);
	return t;
}

void fake_destroy(struct timeline *t)
{
	vec_deinit(&t->points);
	free(t);
}

struct error *timeline_open(const struct timeline_options *options, struct timeline **out)
{
	*out = fake_create();
	return NULL;
}

void timeline_close(struct timeline *t)
{
	fake_destroy(t);
}

void timeline_interrupt(struct timeline *t)
{
	t->interrupted = true;
}

/* ---- motion ---- */

static bool breaks_at(const struct timeline *t, taddr pc, struct timeline_stop *stop)
{
	vec_foreach (&t->points, point) {
		if (point->watch || point->addr != pc)
			continue;
		stop->cause = TIMELINE_BREAKPOINT;
		stop->addr = pc;
		return true;
	}
	return false;
}

/* Between place and place + 1 the word is written. */
static bool watched_between(const struct timeline *t, unsigned place, struct timeline_stop *stop)
{
	if (place / FAKE_WRITES == (place + 1) / FAKE_WRITES)
		return false;
	vec_foreach (&t->points, point) {
		if (!point->watch || FAKE_DATA < point->addr ||
		    FAKE_DATA - point->addr >= point->length)
			continue;
		stop->cause = TIMELINE_WATCHPOINT;
		stop->addr = FAKE_DATA;
		return true;
	}
	return false;
}

/* What stops at the place just reached. */
static bool stops_here(const struct timeline *t, struct timeline_stop *stop)
{
	if (breaks_at(t, FAKE_CODE + t->place * FAKE_INSN, stop))
		return true;
	if (t->place == FAKE_SIGNAL) {
		stop->cause = TIMELINE_SIGNAL;
		stop->signal = SIGUSR1;
		return true;
	}
	if (t->catches && (t->place == FAKE_CALL || t->place == FAKE_CALL + 1)) {
		stop->cause = TIMELINE_CALL;
		stop->number = FAKE_CALL_NR;
		stop->before = t->place == FAKE_CALL;
		return true;
	}
	return false;
}

/* One instruction; true if it stops something. */
static bool one(struct timeline *t, enum timeline_direction direction, struct timeline_stop *stop)
{
	bool forwards = direction == TIMELINE_FORWARDS;
	unsigned from = t->place;

	if (from == (forwards ? FAKE_LAST : 0)) {
		*stop = (struct timeline_stop){.cause = forwards ? TIMELINE_END : TIMELINE_BEGIN,
					       .ended = forwards,
					       .status = 3 << 8};
	} else {
		move_to(t, forwards ? from + 1 : from - 1);
		if (!watched_between(t, forwards ? from : t->place, stop) && !stops_here(t, stop)) {
			stop->tid = mover(t);
			return false;
		}
	}
	stop->tid = mover(t);
	return true;
}

/* The function that can be called ends at once, anything else runs to the end of the world. */
static void run_diverted(struct timeline *t, struct timeline_stop *stop)
{
	taddr back;
	size_t at = t->own.word[WORD_RSP] - FAKE_STACK;

	*stop = (struct timeline_stop){.cause = TIMELINE_END, .tid = mover(t), .ended = true};
	if (arch.pc(&t->own) != FAKE_FUNCTION || at > FAKE_SIZE - sizeof(back))
		return;
	memcpy(&back, t->stack + at, sizeof(back));
	t->own.word[WORD_RAX] = 2 * t->own.word[WORD_RDI];
	t->own.word[WORD_RSP] += sizeof(back);
	arch.set_pc(&t->own, back);
	breaks_at(t, back, stop);
}

struct error *timeline_run(struct timeline *t, enum timeline_direction direction,
			   struct timeline_stop *stop)
{
	*stop = (struct timeline_stop){0};
	if (t->diverted) {
		if (direction == TIMELINE_BACKWARDS)
			abort();
		run_diverted(t, stop);
		return NULL;
	}
	while (!one(t, direction, stop)) {
	}
	return NULL;
}

struct error *timeline_step(struct timeline *t, uint32_t tid, enum timeline_direction direction,
			    struct timeline_stop *stop)
{
	uint32_t moved;

	if (t->diverted)
		return timeline_run(t, direction, stop);
	*stop = (struct timeline_stop){0};
	do {
		moved = mover(t);
		if (one(t, direction, stop))
			return NULL;
	} while (direction == TIMELINE_FORWARDS ? moved != tid : mover(t) != tid);
	stop->cause = TIMELINE_STEPPED;
	stop->tid = tid;
	return NULL;
}

struct error *timeline_go_to_event(struct timeline *t, uint64_t event, struct timeline_stop *stop)
{
	if (t->diverted)
		abort();
	move_to(t, event >= FAKE_LAST / PLACES_PER_EVENT
			   ? FAKE_LAST
			   : (event ? (unsigned)event - 1 : 0) * PLACES_PER_EVENT);
	*stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = mover(t)};
	return NULL;
}

struct timeline_mark {
	unsigned place;
};

struct timeline_mark *timeline_mark(struct timeline *t)
{
	struct timeline_mark *mark = xmalloc(sizeof(*mark));

	mark->place = t->place;
	return mark;
}

struct error *timeline_go_to_mark(struct timeline *t, const struct timeline_mark *mark,
				  struct timeline_stop *stop)
{
	if (t->diverted)
		abort();
	move_to(t, mark->place);
	*stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = mover(t)};
	return NULL;
}

void timeline_drop_mark(struct timeline *t, struct timeline_mark *mark)
{
	free(mark);
}

/* ---- what stops ---- */

static bool set_point(struct timeline *t, struct point point, bool on)
{
	vec_foreach (&t->points, each) {
		if (each->watch != point.watch || each->addr != point.addr ||
		    each->length != point.length)
			continue;
		if (!on)
			vec_remove(&t->points, (size_t)(each - t->points.items));
		return true;
	}
	if (on && t->points.count >= POINTS)
		return false;
	if (on)
		vec_push(&t->points, point);
	return true;
}

void timeline_leave_core(const struct timeline *t)
{
}

void timeline_set_breakpoint(struct timeline *t, taddr addr, bool on)
{
	set_point(t, (struct point){.addr = addr}, on);
}

bool timeline_set_watchpoint(struct timeline *t, enum arch_debug kind, taddr addr, uint64_t length,
			     bool on)
{
	return length <= 32 && set_point(t, (struct point){true, addr, length}, on);
}

void timeline_catch_calls(struct timeline *t, bool on, const int *numbers, size_t count)
{
	t->catches = on && !count;
	for (size_t i = 0; on && i < count; i++)
		t->catches = t->catches || numbers[i] == FAKE_CALL_NR;
}

/* ---- the present ---- */

void timeline_where(struct timeline *t, struct timeline_where *out)
{
	*out = (struct timeline_where){
		.event = t->place / PLACES_PER_EVENT + 1,
		.time_ns = t->place * 1000000ull,
		.tid = mover(t),
		.last = FAKE_LAST / PLACES_PER_EVENT,
	};
}

uint64_t timeline_memory_hash(struct timeline *t)
{
	return t->place;
}

uint32_t timeline_process(const struct timeline *t)
{
	return FAKE_PROCESS;
}

void timeline_threads(struct timeline *t, struct timeline_tids *out)
{
	for (uint32_t i = 0; i < FAKE_THREADS; i++)
		vec_push(out, FAKE_PROCESS + i);
}

void timeline_thread_name(struct timeline *t, uint32_t tid, char out[16])
{
	strcpy(out, tid == FAKE_PROCESS ? "fake" : "<worker>\033");
}

static bool is_thread(uint32_t tid)
{
	return tid >= FAKE_PROCESS && tid < FAKE_PROCESS + FAKE_THREADS;
}

bool timeline_get_state(struct timeline *t, uint32_t tid, unsigned flavors,
			struct arch_state *state)
{
	uint64_t features = FEATURES;

	if (!is_thread(tid))
		return false;
	if (t->diverted && tid == mover(t))
		state->regs = t->own;
	else
		usual_regs(t, tid, &state->regs);
	vec_clear(&state->vector);
	vec_reserve(&state->vector, VECTOR_SIZE);
	memset(state->vector.items, 0, VECTOR_SIZE);
	state->vector.count = VECTOR_SIZE;
	memcpy(state->vector.items + FEATURES_OFFSET, &features, sizeof(features));
	return true;
}

/* What there is at an address, up to the end of its piece. */
static uint8_t *piece_at(struct timeline *t, taddr addr, size_t *length)
{
	const struct {
		taddr start;
		uint8_t *bytes;
	} pieces[] = {{FAKE_CODE, t->code}, {FAKE_DATA, t->data}, {FAKE_STACK, t->stack}};

	for (size_t i = 0; i < 3; i++) {
		if (addr < pieces[i].start || addr - pieces[i].start >= FAKE_SIZE)
			continue;
		size_t left = FAKE_SIZE - (addr - pieces[i].start);

		if (*length > left)
			*length = left;
		return pieces[i].bytes + (addr - pieces[i].start);
	}
	*length = 0;
	return NULL;
}

size_t timeline_read(struct timeline *t, taddr addr, void *to, size_t length)
{
	const uint8_t *bytes = piece_at(t, addr, &length);

	if (length)
		memcpy(to, bytes, length);
	return length;
}

void timeline_auxv(struct timeline *t, struct bytes *out)
{
	uint64_t vector[] = {9, FAKE_CODE, 0, 0}; /* AT_ENTRY, AT_NULL */

	vec_append(out, (unsigned char *)vector, sizeof(vector));
}

const char *timeline_program(struct timeline *t)
{
	return FAKE_PROGRAM;
}

void timeline_maps(struct timeline *t, struct timeline_maps *out)
{
	vec_push(out, (struct timeline_map){.start = FAKE_CODE,
					    .end = FAKE_CODE + FAKE_SIZE,
					    .prot = PROT_READ | PROT_EXEC,
					    .file = 0,
					    .name = FAKE_PROGRAM});
	vec_push(out, (struct timeline_map){.start = FAKE_DATA,
					    .end = FAKE_DATA + FAKE_SIZE,
					    .prot = PROT_READ | PROT_WRITE,
					    .file = TRACE_NO_FILE});
	vec_push(out, (struct timeline_map){.start = FAKE_STACK,
					    .end = FAKE_STACK + FAKE_SIZE,
					    .prot = PROT_READ | PROT_WRITE,
					    .file = TRACE_NO_FILE,
					    .name = "[stack]"});
}

const struct trace_reader *timeline_reader(const struct timeline *t)
{
	return t->reader;
}

/* ---- diversions ---- */

struct error *timeline_divert(struct timeline *t)
{
	if (t->diverted)
		abort();
	usual_regs(t, mover(t), &t->own);
	t->diverted = true;
	t->origin = t->place;
	return NULL;
}

struct error *timeline_return(struct timeline *t)
{
	if (!t->diverted)
		abort();
	t->diverted = false;
	move_to(t, t->origin);
	return NULL;
}

bool timeline_diverted(const struct timeline *t)
{
	return t->diverted;
}

bool timeline_put_state(struct timeline *t, uint32_t tid, unsigned flavors,
			const struct arch_state *state)
{
	if (!t->diverted || !is_thread(tid))
		return false;
	if (tid == mover(t))
		t->own = state->regs;
	return true;
}

size_t timeline_write(struct timeline *t, taddr addr, const void *from, size_t length)
{
	uint8_t *bytes = t->diverted ? piece_at(t, addr, &length) : NULL;

	if (!bytes)
		return 0;
	if (length)
		memcpy(bytes, from, length);
	return length;
}

/* ---- the recording ---- */

static void write_event(struct trace_writer *writer, uint16_t kind, uint64_t number)
{
	struct trace_event event = {.kind = kind,
				    .tid = FAKE_PROCESS,
				    .time_ns = (number - 1) * PLACES_PER_EVENT * 1000000ull,
				    .arg = kind == TRACE_EV_SIGNAL ? SIGUSR1 : FAKE_CALL_NR};
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};

	if (kind == TRACE_EV_SIGNAL) {
		event.tid = FAKE_PROCESS + FAKE_SIGNAL / FAKE_TURN % FAKE_THREADS;
		trace_writer_datum(writer, 0, TRACE_D_SIGINFO, 0, &info, sizeof(info));
	}
	trace_writer_commit(writer, 0, &event);
}

char *fake_record(void)
{
	const char *base = getenv("TMPDIR");
	char *directory = xasprintf("%s/fake-XXXXXX", base ? base : "/tmp");
	struct trace_meta meta;
	struct trace_writer *writer;
	uint32_t id;

	trace_meta_init_host(&meta);
	meta.numbers.xstate_features = FEATURES;
	trace_texts_append(&meta.command, (char *[]){"fake", "argument", NULL});
	if (!mkdtemp(directory) || trace_writer_create_in(directory, &meta, NULL, &writer) ||
	    trace_files_add_bytes(trace_writer_files(writer), FAKE_CONTENT, strlen(FAKE_CONTENT),
				  FAKE_PROGRAM, 0, &id))
		abort();
	for (uint64_t i = 1; i < FAKE_LAST / PLACES_PER_EVENT; i++)
		write_event(writer,
			    i == 1				      ? TRACE_EV_START
			    : i == FAKE_SIGNAL / PLACES_PER_EVENT + 2 ? TRACE_EV_SIGNAL
								      : TRACE_EV_SYSCALL,
			    i);
	write_event(writer, TRACE_EV_END, FAKE_LAST / PLACES_PER_EVENT);
	if (trace_writer_finish(writer))
		abort();
	trace_writer_destroy(writer);
	trace_meta_deinit(&meta);
	return directory;
}

void fake_remove_recording(char *directory)
{
	error_free(trace_place_remove(directory));
	free(directory);
}
