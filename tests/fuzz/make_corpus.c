/* Writes the inputs from which fuzzing begins into a directory: make_corpus tests/fuzz/corpus/reader
 * after a change of the format. */
#include <stdio.h>
#include <string.h>

#include "abi/trace_abi.h"
#include "fuzz_reader.h"
#include "trace/block.h"
#include "util/alloc.h"

#define EVENTS 4u

static void step(struct bytes *out, enum fuzz_action action, unsigned flags, unsigned group,
		 const void *bytes, size_t length)
{
	struct fuzz_step head = {
		.action = action, .flags = flags, .group = group, .length = length};

	vec_append(out, (const unsigned char *)&head, sizeof(head));
	vec_append(out, (const unsigned char *)bytes, length);
}

static void field(struct bytes *out, enum trace_meta_tag tag, const void *bytes, size_t length)
{
	struct trace_meta_field head = {.tag = tag, .length = length};

	vec_append(out, (const unsigned char *)&head, sizeof(head));
	vec_append(out, (const unsigned char *)bytes, length);
	vec_append(out, (const unsigned char[8]){0}, trace_pad8(length) - length);
}

static void meta(struct bytes *out)
{
	struct trace_meta_numbers numbers = {.page_size = 4096};
	struct trace_meta_cpuid cpuid = {.leaf = 1};
	struct bytes fields = {0};

	field(&fields, TRACE_META_MACHINE, "x86_64", 6);
	field(&fields, TRACE_META_ARGUMENT, "prog", 4);
	field(&fields, TRACE_META_ARGUMENT, "", 0);
	field(&fields, TRACE_META_VARIABLE, "A=b", 3);
	field(&fields, TRACE_META_NUMBERS, &numbers, sizeof(numbers));
	field(&fields, TRACE_META_CPUID, &cpuid, sizeof(cpuid));
	step(out, FUZZ_META, 0, 0, fields.items, fields.count);
	vec_deinit(&fields);
}

static void datum(struct bytes *out, enum trace_datum_kind kind, uint64_t length)
{
	static const unsigned char zeros[512];
	struct trace_datum head = {.kind = kind, .addr = 0x1000, .length = length};

	vec_append(out, (const unsigned char *)&head, sizeof(head));
	vec_append(out, zeros, trace_pad8(length));
}

/* Every kind of record, those with a structure with its size. */
static void every_datum(struct bytes *out)
{
	for (unsigned kind = 1; kind < TRACE_D_KINDS; kind++) {
		switch ((enum trace_datum_kind)kind) {
		case TRACE_D_MAPPING:
			datum(out, kind, sizeof(struct trace_mapping));
			break;
		case TRACE_D_TASK:
			datum(out, kind, sizeof(struct trace_task));
			break;
		case TRACE_D_REGS:
			datum(out, kind, TRACE_REGS * 8);
			break;
		default:
			datum(out, kind, 8);
		}
	}
}

/* Events first, first + stride, ...; each refers to the same number of data bytes. */
static void events(struct bytes *out, unsigned group, uint64_t first, uint64_t stride,
		   uint64_t last, uint32_t records, uint64_t bytes)
{
	struct trace_event list[EVENTS] = {0};

	for (unsigned i = 0; i < EVENTS; i++)
		list[i] = (struct trace_event){
			.number = first + i * stride,
			.kind = first + i * stride == last ? TRACE_EV_END : TRACE_EV_SYSCALL,
			.data_count = records,
			.data_offset = i * bytes,
			.data_length = bytes,
		};
	step(out, FUZZ_EVENTS, 0, group, list, sizeof(list));
}

static void file(struct bytes *out, uint32_t id)
{
	struct {
		struct trace_file record;
		char path[8];
	} padded = {.record = {.id = id, .hash_low = 1, .path_length = 5}, .path = "/file"};

	step(out, FUZZ_FILES, 0, 0, &padded, sizeof(padded));
}

static int save(const char *directory, const char *name, struct bytes *out)
{
	char *path = xasprintf("%s/%s", directory, name);
	FILE *to = fopen(path, "w");
	int failed = !to || fwrite(out->items, 1, out->count, to) != out->count;

	if ((to && fclose(to)) || failed) {
		perror(path);
		failed = 1;
	}
	free(path);
	vec_deinit(out);
	return failed;
}

static struct bytes plain(void)
{
	struct bytes out = {0}, data = {0};

	meta(&out);
	file(&out, 0);
	file(&out, 1);
	file(&out, 0);
	for (unsigned i = 0; i < EVENTS; i++)
		every_datum(&data);
	step(&out, FUZZ_DATA, 0, 0, data.items, data.count);
	events(&out, 0, 1, 1, EVENTS, TRACE_D_KINDS - 1, data.count / EVENTS);
	vec_deinit(&data);
	return out;
}

/* Three groups in turn; data records that lie in two frames. */
static struct bytes groups(void)
{
	struct bytes out = {0};

	meta(&out);
	for (unsigned group = 0; group < FUZZ_GROUPS; group++) {
		struct bytes data = {0};

		for (unsigned i = 0; i < EVENTS; i++)
			datum(&data, TRACE_D_MEMORY, 64);
		step(&out, FUZZ_DATA, 0, group, data.items, 40);
		step(&out, FUZZ_DATA, 0, group, data.items + 40, data.count - 40);
		events(&out, group, 1 + group, FUZZ_GROUPS, FUZZ_GROUPS * EVENTS, 1,
		       data.count / EVENTS);
		vec_deinit(&data);
	}
	return out;
}

int main(int argc, char **argv)
{
	struct bytes out;
	int failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: make_corpus DIRECTORY\n");
		return 2;
	}
	out = plain();
	failed |= save(argv[1], "plain", &out);
	out = groups();
	failed |= save(argv[1], "groups", &out);
	out = plain();
	step(&out, FUZZ_CUT, 0, 0, "\5", 2);
	failed |= save(argv[1], "cut", &out);
	out = groups();
	step(&out, FUZZ_RAW, 0, 1, "garbage", 7);
	step(&out, FUZZ_CUT, 1, 2, "\40", 2);
	failed |= save(argv[1], "damaged", &out);
	return failed;
}
