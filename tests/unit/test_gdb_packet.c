/* The framing of gdb's remote protocol, and reading what is in packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gdb/packet.h"

/* Feeds a text; the kinds of what comes of it, one letter each: p(acket), b(roken), i(nterrupt), +, -. */
static const char *feed(struct gdb_framer *framer, const char *text, size_t length)
{
	static const char letters[] = {
		[GDB_IN_PACKET] = 'p', [GDB_IN_BROKEN] = 'b', [GDB_IN_INTERRUPT] = 'i',
		[GDB_IN_ACK] = '+',    [GDB_IN_RESEND] = '-',
	};
	static char found[64];
	size_t count = 0, used;

	while (count < sizeof(found) - 1) {
		enum gdb_input input =
			gdb_framer_feed(framer, (const uint8_t *)text, length, &used);

		text += used;
		length -= used;
		if (input == GDB_IN_NOTHING)
			break;
		found[count++] = letters[input];
	}
	assert_int_equal(length, 0);
	found[count] = 0;
	return found;
}

#define FEED(framer, text) feed(framer, text, sizeof(text) - 1)

static void expect_packet(const struct gdb_framer *framer, const char *content)
{
	assert_int_equal(framer->packet.count, strlen(content));
	assert_memory_equal(framer->packet.items, content, strlen(content));
}

static void test_packets_in(void **state)
{
	struct gdb_framer framer = {0};

	assert_string_equal(FEED(&framer, "+$g#67"), "+p");
	expect_packet(&framer, "g");
	assert_string_equal(FEED(&framer, "$#00"), "p");
	expect_packet(&framer, "");
	assert_string_equal(FEED(&framer, "noise-\3$g#"), "-i");
	assert_string_equal(FEED(&framer, "6"), "");
	assert_string_equal(FEED(&framer, "7"), "p");
	/* a wrong checksum, one that is none, a packet whose end was lost */
	assert_string_equal(FEED(&framer, "$g#68"), "b");
	assert_string_equal(FEED(&framer, "$g#zz+"), "b+");
	assert_string_equal(FEED(&framer, "$m1,$g#67"), "p");
	expect_packet(&framer, "g");
	/* an interrupt's byte inside a packet is the packet's */
	assert_string_equal(FEED(&framer, "$\3#03"), "p");
	gdb_framer_deinit(&framer);
}

static void test_escapes_in(void **state)
{
	struct gdb_framer framer = {0};

	assert_string_equal(FEED(&framer, "$a}\3b}]#1d"), "p");
	expect_packet(&framer, "a#b}");
	/* an escape without what it escapes */
	assert_string_equal(FEED(&framer, "$a}#de"), "b");
	gdb_framer_deinit(&framer);
}

static void test_repetitions_in(void **state)
{
	struct gdb_framer framer = {0};

	assert_string_equal(FEED(&framer, "$0* #7a"), "p");
	expect_packet(&framer, "0000");
	/* of nothing, without a count, with a count below the least */
	assert_string_equal(FEED(&framer, "$* #4a"), "b");
	assert_string_equal(FEED(&framer, "$0*#5a"), "b");
	assert_string_equal(FEED(&framer, "$0*\37#79"), "b");
	gdb_framer_deinit(&framer);
}

static void test_too_long(void **state)
{
	struct gdb_framer framer = {0};
	uint8_t byte = 'a', sum = 0;
	char end[8];
	size_t used;

	assert_string_equal(FEED(&framer, "$"), "");
	for (size_t i = 0; i <= GDB_PACKET_MAX; i++, sum += byte)
		assert_int_equal(gdb_framer_feed(&framer, &byte, 1, &used), GDB_IN_NOTHING);
	assert_true(framer.raw.count <= GDB_PACKET_MAX);
	snprintf(end, sizeof(end), "#%02x", sum);
	assert_string_equal(feed(&framer, end, 3), "b");
	assert_string_equal(FEED(&framer, "$g#67"), "p");
	gdb_framer_deinit(&framer);
}

/* A short packet can say that it is long. */
static void test_expands_too_long(void **state)
{
	struct gdb_framer framer = {0};
	struct bytes packet = {0};
	uint8_t sum = 0;
	char end[8];

	vec_push(&packet, '0');
	for (unsigned i = 0; i < 2000; i++) {
		vec_push(&packet, '*');
		vec_push(&packet, '~');
	}
	vec_foreach (&packet, c)
		sum += *c;
	snprintf(end, sizeof(end), "#%02x", sum);
	assert_string_equal(FEED(&framer, "$"), "");
	assert_string_equal(feed(&framer, (char *)packet.items, packet.count), "");
	assert_string_equal(feed(&framer, end, 3), "b");
	vec_deinit(&packet);
	gdb_framer_deinit(&framer);
}

static void expect_frame(const char *content, size_t length, const char *frame)
{
	struct bytes in = {0}, out = {0};

	vec_append(&in, (const unsigned char *)content, length);
	gdb_frame(&in, &out);
	vec_push(&out, 0);
	assert_string_equal((char *)out.items, frame);
	vec_deinit(&in);
	vec_deinit(&out);
}

static void test_packets_out(void **state)
{
	expect_frame("", 0, "$#00");
	expect_frame("OK", 2, "$OK#9a");
	expect_frame("a#b", 3, "$a}\3b#43");
	expect_frame("000", 3, "$000#90");
	expect_frame("0000", 4, "$0* #7a");
	/* 7 of them would be said with '#': 6 and one more */
	expect_frame("0000000", 7, "$0*\"0#ac");
}

/* Whatever goes out comes in as it was. */
static void test_round_trip(void **state)
{
	struct gdb_framer framer = {0};
	struct bytes in = {0}, out = {0};
	uint32_t chance = 1;

	for (unsigned round = 0; round < 300; round++) {
		vec_clear(&in);
		vec_clear(&out);
		for (unsigned i = 0; i < round * 3; i++) {
			chance = chance * 1103515245 + 12345;
			uint8_t c = (uint8_t)(chance >> 16);

			for (unsigned n = chance >> 24 & 1 ? chance >> 25 : 1; n; n--)
				vec_push(&in, c);
		}
		gdb_frame(&in, &out);
		assert_string_equal(feed(&framer, (char *)out.items, out.count), "p");
		assert_int_equal(framer.packet.count, in.count);
		if (in.count)
			assert_memory_equal(framer.packet.items, in.items, in.count);
	}
	vec_deinit(&in);
	vec_deinit(&out);
	gdb_framer_deinit(&framer);
}

static struct gdb_cursor cursor_on(const char *text)
{
	return (struct gdb_cursor){(const uint8_t *)text, (const uint8_t *)text + strlen(text)};
}

static void test_numbers(void **state)
{
	struct gdb_cursor c = cursor_on("ffffffffffffffff,10000000000000000");
	uint64_t value = 1;

	assert_true(gdb_take_hex(&c, &value));
	assert_true(value == UINT64_MAX);
	assert_false(gdb_take_hex(&c, &value));
	assert_false(gdb_take(&c, ":"));
	assert_true(gdb_take(&c, ","));
	/* 65 bits are none, and nothing has moved */
	assert_false(gdb_take_hex(&c, &value));
	assert_true(gdb_take(&c, "1"));
}

static void expect_thread(const char *text, uint32_t pid, uint32_t tid)
{
	struct gdb_cursor c = cursor_on(text);
	struct gdb_thread thread;

	assert_true(gdb_take_thread(&c, &thread));
	assert_true(gdb_at_end(&c));
	assert_int_equal(thread.pid, pid);
	assert_int_equal(thread.tid, tid);
}

static void test_threads(void **state)
{
	struct gdb_cursor c = cursor_on("p1.x");
	struct gdb_thread thread;

	expect_thread("1f", GDB_ANY, 0x1f);
	expect_thread("0", GDB_ANY, GDB_ANY);
	expect_thread("-1", GDB_ANY, GDB_EVERY);
	expect_thread("p2.3", 2, 3);
	expect_thread("p2", 2, GDB_EVERY);
	expect_thread("p-1.-1", GDB_EVERY, GDB_EVERY);
	assert_false(gdb_take_thread(&c, &thread));
	c = cursor_on("100000000");
	assert_false(gdb_take_thread(&c, &thread));
}

static void test_texts(void **state)
{
	struct gdb_cursor c = cursor_on("2f62696E,7");
	char *text = gdb_take_text(&c);

	assert_string_equal(text, "/bin");
	assert_true(gdb_take(&c, ",7"));
	free(text);
	c = cursor_on("2f00");
	assert_null(gdb_take_text(&c));
	c = cursor_on("2f6"); /* half a byte is none */
	text = gdb_take_text(&c);
	assert_string_equal(text, "/");
	assert_true(gdb_take(&c, "6"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets_in),	 cmocka_unit_test(test_escapes_in),
		cmocka_unit_test(test_repetitions_in),	 cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_expands_too_long), cmocka_unit_test(test_packets_out),
		cmocka_unit_test(test_round_trip),	 cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_threads),		 cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
