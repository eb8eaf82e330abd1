/* Thread-local variables: where a thread has its copy of a module's.
 *
 * The C library's structures are its own affair, but for its debugging library (nptl_db/structs.def
 * in glibc) it tells offsets in them: variables _thread_db_STRUCTURE_MEMBER, each {bits, elements,
 * offset}. gdb looks them up for us (qSymbol), since it has the symbols.
 *
 * As in td_thr_tlsbase(): the thread's pointer to its vector, the module's slot of it; and where
 * that is not filled yet, the module may have a fixed distance from the thread pointer. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "gdb/session.h"
#include "util/cleanup.h"

#define UNALLOCATED UINT64_MAX

static const char *const names[GDB_TLS_PARTS] = {
	[GDB_TLS_MODULE] = "_thread_db_link_map_l_tls_modid",
	[GDB_TLS_OFFSET] = "_thread_db_link_map_l_tls_offset",
	[GDB_TLS_VECTOR] = "_thread_db_pthread_dtvp",
	[GDB_TLS_SLOT] = "_thread_db_dtv_dtv",
	[GDB_TLS_VALUE] = "_thread_db_dtv_t_pointer_val",
};

/* Asks for the name after `part`; when there is none, that is all. */
static void ask(struct gdb_session *s, unsigned part)
{
	if (part == GDB_TLS_PARTS) {
		gdb_ok(s);
		return;
	}
	bytes_put(&s->reply, "qSymbol:");
	gdb_put_hex(&s->reply, names[part], strlen(names[part]));
}

/* ":" (ask now) or "VALUE:NAME"; VALUE is empty where gdb does not know it. */
void gdb_handle_symbol(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint64_t value = 0;
	bool known = gdb_take_hex(rest, &value);

	if (!gdb_take(rest, ":")) {
		gdb_refuse(s, EINVAL);
		return;
	}
	char *name _cleanup_free_ = gdb_take_text(rest);

	if (!name || !*name) {
		ask(s, 0);
		return;
	}
	for (unsigned part = 0; part < GDB_TLS_PARTS; part++) {
		if (strcmp(name, names[part]))
			continue;
		s->tls[part] = known ? value : 0;
		/* The first is missing until the C library is loaded: so are the others. */
		ask(s, known ? part + 1 : GDB_TLS_PARTS);
		return;
	}
	gdb_ok(s);
}

struct description {
	uint32_t bits, elements, offset;
};

static bool describe(struct gdb_session *s, enum gdb_tls part, struct description *out)
{
	return s->tls[part] &&
	       timeline_read(s->timeline, s->tls[part], out, sizeof(*out)) == sizeof(*out);
}

/* A word of a structure. */
static bool read_member(struct gdb_session *s, taddr structure, enum gdb_tls part, uint64_t *value)
{
	struct description d;

	return describe(s, part, &d) && gdb_read_word(s, structure + d.offset, value);
}

/* Where the module's variables begin for the thread. */
static bool find_block(struct gdb_session *s, taddr thread, taddr link_map, taddr *block)
{
	struct description slot;
	uint64_t module, vector, offset;

	if (!read_member(s, link_map, GDB_TLS_MODULE, &module) ||
	    !read_member(s, thread, GDB_TLS_VECTOR, &vector) || !describe(s, GDB_TLS_SLOT, &slot))
		return false;
	if (read_member(s, vector + slot.offset + module * (slot.bits / 8), GDB_TLS_VALUE, block) &&
	    *block != UNALLOCATED && *block)
		return true;
	/* 0 and the two highest values (link.h in glibc) say that it has none. */
	if (!read_member(s, link_map, GDB_TLS_OFFSET, &offset) || offset + 2 <= 2)
		return false;
	*block = thread - offset;
	return true;
}

/* "THREAD,OFFSET,LINK_MAP" */
void gdb_handle_tls(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct arch_state state;
	struct gdb_thread thread;
	uint64_t offset;
	taddr link_map, block;

	if (!gdb_take_thread(rest, &thread) || !gdb_take(rest, ",") ||
	    !gdb_take_hex(rest, &offset) || !gdb_take(rest, ",") ||
	    !gdb_take_hex(rest, &link_map)) {
		gdb_refuse(s, EINVAL);
		return;
	}
	if (gdb_get_state(s, thread.tid, 1u << ARCH_GENERAL, &state) &&
	    find_block(s, arch.thread_pointer(&state.regs), link_map, &block))
		bytes_format(&s->reply, "%" PRIx64, block + offset);
	else
		gdb_refuse(s, ENOENT);
	vec_deinit(&state.vector);
}
