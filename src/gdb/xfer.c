/* qXfer: documents that the client reads in pieces. A document is made when its beginning is asked
 * for.
 *
 * Invariant: pieces behind the first come from the document that that came from, unless another was
 * read in between. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "gdb/session.h"

/* Half of a packet: every byte may need two. */
#define PIECE_MAX ((GDB_PACKET_MAX - 16) / 2)

/* siginfo_t on every 64-bit architecture */
#define SIGINFO_SIZE 128

struct document {
	const char *name; /* "OBJECT:read:ANNEX:" */
	bool any_annex;	  /* `name` is "OBJECT:read:"; what stands before the ':' does not matter */
	bool (*make)(struct gdb_session *s, struct bytes *out);
};

static bool make_target(struct gdb_session *s, struct bytes *out)
{
	arch.gdb_describe(s->features, out);
	return true;
}

/* An element's attribute: names are the program's, and can be any bytes. */
static void put_attribute(struct bytes *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~' || c == '&' || c == '<' || c == '>' || c == '"')
			bytes_format(out, "&#%u;", c < ' ' ? '?' : c);
		else
			vec_push(out, c);
	}
}

static bool make_threads(struct gdb_session *s, struct bytes *out)
{
	struct timeline_tids tids = {0};
	char name[16];

	timeline_threads(s->timeline, &tids);
	bytes_put(out, "<?xml version=\"1.0\"?>\n<threads>\n");
	vec_foreach (&tids, tid) {
		timeline_thread_name(s->timeline, *tid, name);
		bytes_put(out, "<thread id=\"");
		gdb_put_thread(s, out, *tid);
		bytes_put(out, "\" name=\"");
		put_attribute(out, name);
		bytes_put(out, "\"/>\n");
	}
	bytes_put(out, "</threads>\n");
	vec_deinit(&tids);
	return true;
}

static bool make_auxv(struct gdb_session *s, struct bytes *out)
{
	timeline_auxv(s->timeline, out);
	return out->count;
}

static bool make_program(struct gdb_session *s, struct bytes *out)
{
	bytes_put(out, timeline_program(s->timeline));
	return out->count;
}

/* The signal that the thread takes next, if it stands before one. */
static bool find_siginfo(struct gdb_session *s, struct bytes *out)
{
	struct timeline_where where;
	struct trace_event event;
	struct trace_datum_view view;
	struct error *error;

	timeline_where(s->timeline, &where);
	if (s->stop.cause != TIMELINE_SIGNAL || !trace_reader_seek(s->reader, where.event + 1))
		return false;
	while (gdb_next_event(s, &event)) {
		if (event.tid != s->stop.tid)
			continue;
		if (event.kind != TRACE_EV_SIGNAL && event.kind != TRACE_EV_SIGNAL_FATAL)
			return false;
		error = trace_reader_find(s->reader, TRACE_D_SIGINFO, &view);
		if (error || !view.bytes || view.length < SIGINFO_SIZE) {
			error_free(error);
			return false;
		}
		vec_append(out, (const unsigned char *)view.bytes, SIGINFO_SIZE);
		return true;
	}
	return false;
}

static bool make_siginfo(struct gdb_session *s, struct bytes *out)
{
	static const unsigned char none[SIGINFO_SIZE];

	if (!find_siginfo(s, out))
		vec_append(out, none, sizeof(none));
	return true;
}

static const struct document documents[] = {
	{"features:read:target.xml:", false, make_target},
	{"threads:read::", false, make_threads},
	{"auxv:read::", false, make_auxv},
	{"siginfo:read::", false, make_siginfo},
	{"exec-file:read:", true, make_program},
};

/* gdb reads single members of a siginfo, which is not from its beginning. */
static bool make_document(struct gdb_session *s, const struct document *document, uint64_t offset)
{
	if (offset && s->document_kind == document)
		return true;
	vec_clear(&s->document);
	s->document_kind = document;
	return document->make(s, &s->document);
}

/* "OFFSET,LENGTH" */
static void put_piece(struct gdb_session *s, const struct document *document,
		      struct gdb_cursor *rest)
{
	uint64_t offset, length;

	if (!gdb_take_hex(rest, &offset) || !gdb_take(rest, ",") || !gdb_take_hex(rest, &length)) {
		gdb_refuse(s, EINVAL);
		return;
	}
	if (!make_document(s, document, offset)) {
		gdb_refuse(s, ENOENT);
		return;
	}
	if (offset >= s->document.count) {
		bytes_put(&s->reply, "l");
		return;
	}
	uint64_t left = s->document.count - offset;

	if (length > PIECE_MAX)
		length = PIECE_MAX;
	bytes_put(&s->reply, length < left ? "m" : "l");
	vec_append(&s->reply, s->document.items + offset, length < left ? length : left);
}

/* "OFFSET:BYTES", which gdb puts back after a function that it has called: the recording's
 * stays. */
static void write_siginfo(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint64_t offset;

	if (!gdb_take_hex(rest, &offset) || !gdb_take(rest, ":")) {
		gdb_refuse(s, EINVAL);
		return;
	}
	bytes_format(&s->reply, "%zx", (size_t)(rest->end - rest->at));
}

void gdb_handle_xfer(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint64_t pid;

	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		struct gdb_cursor at = *rest;

		if (!gdb_take(&at, documents[i].name))
			continue;
		if (documents[i].any_annex) {
			gdb_take_hex(&at, &pid);
			if (!gdb_take(&at, ":"))
				continue;
		}
		put_piece(s, &documents[i], &at);
		return;
	}
	if (gdb_take(rest, "siginfo:write::"))
		write_siginfo(s, rest);
}
