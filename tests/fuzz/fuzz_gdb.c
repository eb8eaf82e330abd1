/* The server of gdb's protocol against clients that send anything: on a made-up timeline, which aborts
 * where the server breaks the rules of timeline.h.
 *
 * The first byte says how. Even: all bytes come over a connection; motions are interrupted by what comes
 * next. Odd: each packet is handled by itself, and motions go on to their end. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gdb/fake.h"
#include "gdb/serve.h"
#include "gdb/session.h"
#include "util/cleanup.h"
#include "util/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

struct world {
	struct gdb_options options;
	struct timeline *timeline;
	struct gdb_session session;
	int out, silent; /* takes everything; never has anything */
};

static struct error *list_events(const struct gdb_listing *listing, FILE *out)
{
	fprintf(out, "%s\n", listing->expression ? listing->expression : "all");
	return NULL;
}

static char *recording;

static void remove_recording(void)
{
	fake_remove_recording(recording);
}

static struct world *make_world(void)
{
	struct world *world = calloc(1, sizeof(*world));
	int ends[2];

	recording = fake_record();
	atexit(remove_recording);
	world->timeline = fake_create();
	world->options = (struct gdb_options){.directory = recording, .list_events = list_events};
	world->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (world->out < 0 || pipe2(ends, O_CLOEXEC) ||
	    gdb_session_init(&world->session, world->timeline, &world->options))
		abort();
	world->silent = ends[0];
	return world;
}

static void by_connection(struct world *world, const uint8_t *input, size_t length)
{
	int in _cleanup_fd_ = memfd_create("input", MFD_CLOEXEC);

	if (in < 0 || os_write_all(in, input, length) || lseek(in, 0, SEEK_SET))
		abort();
	gdb_serve_client(&world->session, in, world->out, -1);
}

static void by_packet(struct world *world, const uint8_t *input, size_t length)
{
	struct gdb_session *s = &world->session;
	struct gdb_framer framer = {0};
	struct gdb_wire wire;

	gdb_wire_init(&wire, world->silent, world->out, -1);
	s->wire = &wire;
	while (length && !s->over && !s->error) {
		size_t used;

		if (gdb_framer_feed(&framer, input, length, &used) == GDB_IN_PACKET) {
			vec_clear(&s->reply);
			gdb_dispatch(s, &framer.packet);
		}
		input += used;
		length -= used;
	}
	s->wire = NULL;
	gdb_wire_deinit(&wire);
	gdb_framer_deinit(&framer);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	static struct world *world;

	if (!world)
		world = make_world();
	if (!length)
		return 0;
	if (*input % 2)
		by_packet(world, input + 1, length - 1);
	else
		by_connection(world, input + 1, length - 1);
	/* As the next client finds it: nothing, which also makes the end of one by packets. */
	by_connection(world, NULL, 0);
	if (world->session.error || timeline_diverted(world->timeline) ||
	    world->session.points.count)
		abort();
	world->session.over = false;
	gdb_forget_checkpoints(&world->session);
	return 0;
}
