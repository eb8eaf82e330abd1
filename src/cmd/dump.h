/* What the parts of `warp dump` share: an event with its data at hand, and the two ways to print
 * it. */
#ifndef WARP_CMD_DUMP_H
#define WARP_CMD_DUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "abi/trace_abi.h"
#include "arch/arch.h"
#include "syscalls/syscalls.h"
#include "trace/reader.h"
#include "util/error.h"
#include "util/vec.h"

/* A data record of an event. Of long ones only the first bytes are kept. */
struct dump_record {
	uint32_t kind; /* enum trace_datum_kind */
	taddr addr;
	uint64_t length;
	size_t at; /* of the bytes kept in struct dump_data */
	size_t kept;
};

struct dump_data {
	struct vec(struct dump_record) records;
	struct bytes bytes;
};

struct dump_event {
	struct trace_event event;
	unsigned group;
	struct regs regs;
	struct dump_data data;
	/* Records at the beginning of `data` that came with the entry of the call that ends
	 * here. */
	size_t earlier;
	/* A system call (is_call): its row, NULL if the table has none, and the call. */
	bool is_call;
	bool restarted; /* made as restart_syscall(2), on behalf of `call.nr` */
	const struct sc_row *row;
	struct sc_call call;
	const struct trace_reader *reader; /* for the names of mapped files and the command */
};

/* ---- dump_data.c ---- */

/* The calls that are under way, by task: what they read is needed again when they end. */
struct dump_tasks;

struct dump_tasks *dump_tasks_create(void);
/* NULL is fine. */
void dump_tasks_destroy(struct dump_tasks *tasks);

/* Reads the data of the event that trace_reader_next() gave last and fills in *e, which is all
 * zeros or from an earlier call; dump_event_deinit() frees what it holds. */
struct error *dump_event_load(struct trace_reader *reader, const struct trace_event *event,
			      struct dump_tasks *tasks, struct dump_event *e);
void dump_event_deinit(struct dump_event *e);

/* Memory as the call found it, and as it left it. Borrow *e. */
struct sc_memory dump_entry_memory(const struct dump_event *e);
struct sc_memory dump_memory(const struct dump_event *e);
/* The first record of that kind, or NULL. */
const struct dump_record *dump_find(const struct dump_event *e, uint32_t kind);
const void *dump_bytes(const struct dump_event *e, const struct dump_record *record);

/* ---- dump_text.c, dump_json.c ---- */

/* What happened, without number and time, without a line feed; printable ASCII. */
void dump_put_text(FILE *out, const struct dump_event *e);
/* The event as one JSON object and a line feed. */
void dump_put_json(FILE *out, const struct dump_event *e, bool registers);

#endif
