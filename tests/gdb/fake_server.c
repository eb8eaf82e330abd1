/* A server on a made-up process, for a real gdb: fake_server ADDRESS. */
#include <stdio.h>

#include "fake.h"
#include "gdb/gdb.h"
#include "timeline/timeline.h"
#include "util/log.h"

static struct error *list_events(const struct gdb_listing *listing, FILE *out)
{
	fprintf(out, "events around %u, %s\n", (unsigned)listing->here,
		listing->expression ? listing->expression : "all");
	return NULL;
}

int main(int argc, char **argv)
{
	char *directory = fake_record();
	struct timeline *timeline = fake_create();
	struct gdb_options options = {.directory = directory, .list_events = list_events};

	log_init();
	struct error *error = gdb_serve(timeline, &options, argc > 1 ? argv[1] : "-");

	fake_destroy(timeline);
	fake_remove_recording(directory);
	if (error)
		fprintf(stderr, "fake_server: %s\n", error->text);
	error_free(error);
	return error != NULL;
}
