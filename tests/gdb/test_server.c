/* The server on a made-up timeline: packets and what they are answered with. The server has a thread of
 * its own, since a client that sends while the program runs interrupts it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "gdb/serve.h"
#include "gdb/session.h"
#include "util/os.h"

#define ASK_ROOM 65536

/* ---- a client ---- */

struct client {
	char *directory;
	struct timeline *timeline;
	struct gdb_options options;
	struct gdb_session session;
	pthread_t server;
	int server_fd, fd;
	struct gdb_framer framer;
	struct bytes console; /* what was shown there since the last packet */
	char answer[ASK_ROOM];
};

static struct error *list_events(const struct gdb_listing *listing, FILE *out)
{
	fprintf(out, "events at %u: %s\n", (unsigned)listing->here,
		listing->expression ? listing->expression : "all");
	return NULL;
}

static void *serve(void *argument)
{
	struct client *c = argument;

	gdb_serve_client(&c->session, c->server_fd, c->server_fd, -1);
	close(c->server_fd);
	return NULL;
}

static void send_raw(struct client *c, const void *bytes, size_t length)
{
	assert_int_equal(os_write_all(c->fd, bytes, length), 0);
}

/* The next thing that the server says. */
static enum gdb_input receive(struct client *c)
{
	for (;;) {
		uint8_t byte;
		size_t used;

		if (read(c->fd, &byte, 1) != 1)
			return GDB_IN_NOTHING;
		enum gdb_input input = gdb_framer_feed(&c->framer, &byte, 1, &used);

		if (input != GDB_IN_NOTHING)
			return input;
	}
}

/* The answer, after what is shown in the console; NULL: the connection has ended. */
static const char *answer(struct client *c)
{
	const struct bytes *packet = &c->framer.packet;

	vec_clear(&c->console);
	for (;;) {
		enum gdb_input input = receive(c);

		if (input == GDB_IN_NOTHING)
			return NULL;
		if (input != GDB_IN_PACKET)
			continue;
		struct gdb_cursor text = {packet->items, packet->items + packet->count};

		if (packet->count < 2 || packet->items[0] != 'O' || packet->items[1] == 'K')
			break;
		gdb_take(&text, "O");
		gdb_take_bytes(&text, &c->console);
	}
	assert_true(packet->count < sizeof(c->answer));
	if (packet->count)
		memcpy(c->answer, packet->items, packet->count);
	c->answer[packet->count] = 0;
	vec_push(&c->console, 0);
	return c->answer;
}

static void say(struct client *c, const void *packet, size_t length)
{
	struct bytes content = {0}, frame = {0};

	vec_append(&content, (const unsigned char *)packet, length);
	gdb_frame(&content, &frame);
	send_raw(c, frame.items, frame.count);
	vec_deinit(&content);
	vec_deinit(&frame);
}

static const char *ask(struct client *c, const char *packet)
{
	say(c, packet, strlen(packet));
	return answer(c);
}

/* "monitor" with that command; the console's text. */
static const char *monitor(struct client *c, const char *command)
{
	struct bytes packet = {0};

	bytes_put(&packet, "qRcmd,");
	gdb_put_hex(&packet, command, strlen(command));
	say(c, packet.items, packet.count);
	vec_deinit(&packet);
	assert_string_equal(answer(c), "OK");
	return (char *)c->console.items;
}

static void expect_begins(const char *text, const char *beginning)
{
	if (!text || strncmp(text, beginning, strlen(beginning)))
		fail_msg("expected '%s...', found '%s'", beginning, text ? text : "(the end)");
}

static void expect_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("expected '...%s...', found '%s'", part, text ? text : "(the end)");
}

/* The pc of a stop's description, as a place. */
static unsigned place_in(const char *stop)
{
	char name[8];
	uint64_t pc = 0;

	snprintf(name, sizeof(name), ";%02x:", arch.gdb_pc);
	const char *found = strstr(stop, name);

	assert_non_null(found);
	struct gdb_cursor text = {(const uint8_t *)found + 4, (const uint8_t *)found + 20};
	struct bytes bytes = {0};

	gdb_take_bytes(&text, &bytes);
	assert_int_equal(bytes.count, sizeof(pc));
	memcpy(&pc, bytes.items, sizeof(pc));
	vec_deinit(&bytes);
	return (unsigned)((pc - FAKE_CODE) / FAKE_INSN);
}

static void expect_stop(const char *stop, const char *beginning, unsigned place)
{
	expect_begins(stop, beginning);
	assert_int_equal(place_in(stop), place);
}

static int begin(void **state)
{
	struct client *c = calloc(1, sizeof(*c));
	int pair[2];

	c->directory = fake_record();
	c->timeline = fake_create();
	c->options = (struct gdb_options){.directory = c->directory, .list_events = list_events};
	if (gdb_session_init(&c->session, c->timeline, &c->options) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 1;
	c->server_fd = pair[0];
	c->fd = pair[1];
	*state = c;
	return pthread_create(&c->server, NULL, serve, c);
}

static int end(void **state)
{
	struct client *c = *state;

	if (c->fd >= 0)
		close(c->fd);
	pthread_join(c->server, NULL);
	gdb_session_deinit(&c->session);
	fake_destroy(c->timeline);
	fake_remove_recording(c->directory);
	gdb_framer_deinit(&c->framer);
	vec_deinit(&c->console);
	free(c);
	return 0;
}

/* As gdb begins. */
static struct client *connected(void **state)
{
	struct client *c = *state;

	expect_begins(ask(c, "qSupported:multiprocess+;swbreak+;exec-events+"),
		      "PacketSize=20000;");
	assert_string_equal(ask(c, "QStartNoAckMode"), "OK");
	return c;
}

/* ---- tests ---- */

static void test_acknowledgements(void **state)
{
	struct client *c = *state;

	send_raw(c, "$qC#b4", 6);
	assert_int_equal(receive(c), GDB_IN_ACK);
	assert_int_equal(receive(c), GDB_IN_PACKET);
	send_raw(c, "-", 1);
	assert_int_equal(receive(c), GDB_IN_PACKET);
	send_raw(c, "+$qC#b5", 7);
	assert_int_equal(receive(c), GDB_IN_RESEND);
	send_raw(c, "\3", 1); /* it means the next motion */
	assert_string_equal(ask(c, "QStartNoAckMode"), "OK");
	assert_string_equal(ask(c, "qC"), "QCp64.64");
	expect_stop(ask(c, "vCont;c"), "T02", 0);
	expect_begins(ask(c, "vCont;c"), "T1e");
}

static void test_unknown(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "vMustReplyEmpty"), "");
	assert_string_equal(ask(c, ""), "");
	assert_string_equal(ask(c, "qTStatus"), "");
	assert_string_equal(ask(c, "qXfer:memory-map:read::0,100"), "");
	assert_string_equal(ask(c, "vFile:chmod:2f,0"), "");
}

static void test_malformed(void **state)
{
	static const char *const packets[] = {
		"m",
		"mzz,1",
		"m401000",
		"M404000,2:0",
		"P",
		"P10",
		"P10=zz",
		"Pffffffffff=00",
		"pffff",
		"Z0",
		"Z9,1,1",
		"Z2,404000,0",
		"z1,1",
		"vCont;",
		"vCont;x",
		"vCont;s:zz",
		"QCatchSyscalls:2",
		"Hgzz",
		"Hgp99.1",
		"Hg99",
		"T99",
		"qThreadExtraInfo,",
		"qSymbol:x",
		"qGetTLSAddr:1",
		"qXfer:features:read:target.xml:x",
		"qXfer:siginfo:write::",
		"qRcmd,00",
		"X404000,4:ab",
	};
	struct client *c = connected(state);

	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++)
		expect_begins(ask(c, packets[i]), "E");
	assert_string_equal(ask(c, "qC"), "QCp64.64");
}

static void test_threads(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "qfThreadInfo"), "mp64.64,p64.65");
	assert_string_equal(ask(c, "qsThreadInfo"), "l");
	assert_string_equal(ask(c, "Tp64.65"), "OK");
	assert_string_equal(ask(c, "Hgp64.65"), "OK");
	assert_string_equal(ask(c, "qC"), "QCp64.65");
	assert_string_equal(ask(c, "Hg0"), "OK");
	assert_string_equal(ask(c, "qC"), "QCp64.64");
	/* names are the program's choice, and neither XML nor terminals believe them */
	expect_has(ask(c, "qXfer:threads:read::0,1000"), "name=\"&#60;worker&#62;&#63;\"");
	expect_has(monitor(c, "threads"), "=> 100 fake\n   101 <worker>?\n");
}

static void test_registers(void **state)
{
	struct client *c = connected(state);

	expect_has(ask(c, "qXfer:features:read:target.xml:0,ffff"), "org.gnu.gdb.i386.avx512");
	/* general registers, x87, SSE, the others: 164 + 112 + 260 + 24 + 256 + 1600 bytes */
	assert_int_equal(strlen(ask(c, "g")), 2 * (164 + 112 + 260 + 24 + 256 + 1600));
	assert_string_equal(ask(c, "p10"), "0010400000000000");
	assert_string_equal(ask(c, "p18"), "00000000000000000000");
	/* what it has already, and what it has not */
	assert_string_equal(ask(c, "P10=0010400000000000"), "OK");
	assert_false(timeline_diverted(c->timeline));
	assert_string_equal(ask(c, "P0=0100000000000000"), "OK");
	assert_true(timeline_diverted(c->timeline));
	assert_string_equal(ask(c, "p0"), "0100000000000000");
}

static void test_memory(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "m401000,4"), "90909090");
	assert_string_equal(ask(c, "m401ffe,4"), "9090");
	expect_begins(ask(c, "m402000,4"), "E");
	expect_begins(ask(c, "m0,ffffffffffffffff"), "E");
	assert_int_equal(strlen(ask(c, "m404000,ffffffffffffffff")), 2 * FAKE_SIZE);
	assert_string_equal(ask(c, "x401000,2"), "b\x90\x90");
	assert_string_equal(ask(c, "X404000,0:"), "OK");
	assert_false(timeline_diverted(c->timeline));
	assert_string_equal(ask(c, "X404000,2:}\3"), "OK");
	assert_string_equal(ask(c, "m404000,2"), "7d03");
	expect_begins(ask(c, "M0,1:00"), "E");
}

static void test_steps(void **state)
{
	struct client *c = connected(state);

	expect_stop(ask(c, "?"), "T05thread:p64.64;", 0);
	expect_stop(ask(c, "vCont;s:p64.64;c"), "T05thread:p64.64;", 1);
	expect_stop(ask(c, "s"), "T05", 2);
	expect_stop(ask(c, "bs"), "T05", 1);
	expect_stop(ask(c, "bs"), "T05", 0);
	expect_has(ask(c, "bs"), "replaylog:begin;");
	/* a range */
	expect_stop(ask(c, "vCont;r401000,40100c:p64.64"), "T05", 3);
	/* the other thread's turn is on the way */
	expect_stop(ask(c, "vCont;s:p64.64"), "T05thread:p64.64;", 4);
	assert_string_equal(ask(c, "Hcp64.65"), "OK");
	expect_stop(ask(c, "s"), "T05thread:p64.65;", 6);
}

static void test_breakpoints(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "Z0,401050,1"), "OK"); /* place 20 */
	assert_string_equal(ask(c, "Z1,401050,1"), "OK");
	expect_stop(ask(c, "vCont;c"), "T05thread:p64.64;swbreak:;", 20);
	assert_string_equal(ask(c, "z0,401050,1"), "OK");
	assert_string_equal(ask(c, "z0,401050,1"), "OK");
	expect_has(ask(c, "bc"), "replaylog:begin;");
	expect_stop(ask(c, "c"), "T05thread:p64.64;hwbreak:;", 20);
	assert_string_equal(ask(c, "z1,401050,1"), "OK");
	expect_has(ask(c, "bc"), "replaylog:begin;");
	expect_begins(ask(c, "c"), "T1e");
}

static void test_watchpoints(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "Z3,404000,8"), "");
	expect_begins(ask(c, "Z2,404000,21"), "E");
	assert_string_equal(ask(c, "Z2,404000,8"), "OK");
	expect_stop(ask(c, "vCont;c"), "T05thread:p64.65;watch:404000;", 7);
	assert_string_equal(ask(c, "m404000,1"), "01");
	expect_stop(ask(c, "vCont;c"), "T05thread:p64.64;watch:404000;", 14);
	expect_stop(ask(c, "bc"), "T05thread:p64.64;watch:404000;", 13);
	assert_string_equal(ask(c, "m404000,1"), "01");
	assert_string_equal(ask(c, "z2,404000,8"), "OK");
	assert_string_equal(ask(c, "Z4,404000,4"), "OK");
	expect_stop(ask(c, "vCont;c"), "T05thread:p64.64;awatch:404000;", 14);
}

static void test_signals(void **state)
{
	struct client *c = connected(state);

	/* SIGUSR1 is 10 here and 30 to gdb */
	expect_stop(ask(c, "vCont;c"), "T1ethread:p64.64;", FAKE_SIGNAL);
	expect_begins(ask(c, "qXfer:siginfo:read::0,80"), "l\n");
	expect_has(ask(c, "vCont;C1e:p64.64;c"), "replaylog:end;");
	expect_stop(ask(c, "bc"), "T1e", FAKE_SIGNAL);
	expect_has(ask(c, "bc"), "replaylog:begin;");
	assert_string_equal(ask(c, "QPassSignals:e;1e"), "OK");
	expect_has(ask(c, "vCont;c"), "replaylog:end;");
}

static void test_calls(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "QPassSignals:1e"), "OK");
	assert_string_equal(ask(c, "QCatchSyscalls:1;1;27"), "OK");
	expect_has(ask(c, "vCont;c"), "syscall_entry:27;");
	expect_has(ask(c, "vCont;c"), "syscall_return:27;");
	assert_string_equal(ask(c, "QCatchSyscalls:0"), "OK");
	expect_has(ask(c, "vCont;c"), "replaylog:end;");
}

/* One that does not know of histories sees the process end. */
static void test_plain_client(void **state)
{
	struct client *c = *state;

	expect_begins(ask(c, "qSupported:xmlRegisters=i386"), "PacketSize=");
	assert_string_equal(ask(c, "QStartNoAckMode"), "OK");
	assert_string_equal(ask(c, "Z0,401050,1"), "OK");
	assert_null(strstr(ask(c, "vCont;c"), "swbreak"));
	assert_string_equal(ask(c, "QPassSignals:1e"), "OK");
	assert_string_equal(ask(c, "vCont;c"), "W03;process:64");
}

/* A function is called as gdb does. */
static void test_function_call(void **state)
{
	struct client *c = connected(state);

	expect_stop(ask(c, "vCont;s:p64.64"), "T05", 1);
	expect_begins(ask(c, "qXfer:siginfo:read::0,80"), "l");
	assert_string_equal(ask(c, "P7=f807ff7f00000000"), "OK");  /* sp */
	assert_string_equal(ask(c, "P5=1500000000000000"), "OK");  /* the argument: 21 */
	assert_string_equal(ask(c, "P10=0018400000000000"), "OK"); /* pc */
	assert_string_equal(ask(c, "M7fff07f8,8:ff07ff7f00000000"), "OK");
	assert_string_equal(ask(c, "Z0,7fff07ff,1"), "OK");
	expect_begins(ask(c, "vCont;c"), "T05thread:p64.64;swbreak:;07:0008ff7f");
	assert_string_equal(ask(c, "p0"), "2a00000000000000");
	assert_string_equal(ask(c, "z0,7fff07ff,1"), "OK");
	assert_string_equal(ask(c, "P10=0410400000000000"), "OK");
	assert_string_equal(ask(c, "qXfer:siginfo:write::0:xx"), "2");
	assert_true(timeline_diverted(c->timeline));
	/* the program goes on as it did */
	expect_stop(ask(c, "vCont;s:p64.64"), "T05", 2);
	assert_false(timeline_diverted(c->timeline));
	assert_string_equal(ask(c, "p0"), "0200000000000000");
}

/* What is written without going elsewhere is gone with the next motion. */
static void test_no_call(void **state)
{
	struct client *c = connected(state);

	expect_begins(ask(c, "qXfer:siginfo:read::0,80"), "l");
	assert_string_equal(ask(c, "P0=0100000000000000"), "OK");
	expect_stop(ask(c, "vCont;s:p64.64"), "T05", 1);
	assert_false(timeline_diverted(c->timeline));
	assert_string_equal(ask(c, "p0"), "0100000000000000");
	expect_stop(ask(c, "vCont;c"), "T1e", FAKE_SIGNAL);
	/* a piece of the siginfo (SI_USER), not of the threads */
	expect_has(ask(c, "qXfer:threads:read::0,1000"), "<threads>");
	say(c, "qXfer:siginfo:read::8,4", 23);
	answer(c);
	assert_memory_equal(c->framer.packet.items, "m\0\0\0\0", 5);
}

/* A function that does not come back, and one that is given up. */
static void test_lost_call(void **state)
{
	struct client *c = connected(state);

	expect_begins(ask(c, "qXfer:siginfo:read::0,80"), "l");
	assert_string_equal(ask(c, "P10=0000400000000000"), "OK");
	expect_stop(ask(c, "vCont;c"), "T05thread:p64.64;", 0);
	expect_has((char *)c->console.items, "ended the program's copy");
	assert_false(timeline_diverted(c->timeline));
	expect_begins(ask(c, "qXfer:siginfo:read::0,80"), "l");
	assert_string_equal(ask(c, "P10=0000400000000000"), "OK");
	expect_has(ask(c, "bc"), "replaylog:begin;");
	assert_false(timeline_diverted(c->timeline));
}

static void test_monitor(void **state)
{
	struct client *c = connected(state);

	expect_begins(monitor(c, "when"),
		      "event 1 of 10, 0.000000 s, thread 100 (fake) at 0x401000\n");
	expect_begins(monitor(c, "seek 5"), "event 5 of 10, 0.040000 s");
	/* the next step shows it */
	expect_stop(ask(c, "vCont;s:p64.64"), "T05", 40);
	expect_stop(ask(c, "vCont;s:p64.64"), "T05", 41);
	expect_begins(monitor(c, "seek 0.025s"), "event 3 of");
	expect_begins(monitor(c, "seek END"), "event 11 of");
	expect_begins(monitor(c, "seek 12"),
		      "there is no event 12: the last one is 10; this is the end\nevent 11 of");
	expect_begins(ask(c, "qTV:1"), "V1");
	assert_string_equal(monitor(c, "hash"), "0000000000000064\n");
	expect_begins(monitor(c, "seek -1"), "'-1' is no place");
	expect_begins(monitor(c, "seek 99999999999999999999"),
		      "'99999999999999999999' is no place");
	expect_begins(monitor(c, "seek nans"), "'nans' is no place");
	expect_begins(monitor(c, "seek"), "usage: seek");
	expect_begins(monitor(c, "dance"), "there is no such command");
	expect_has(monitor(c, "help"), "last-write ADDR");
	assert_string_equal(monitor(c, "events"), "events at 11: all\n");
	assert_string_equal(monitor(c, "events 'write(fd == 1)'"),
			    "events at 11: write(fd == 1)\n");
}

static void test_checkpoints(void **state)
{
	struct client *c = connected(state);

	monitor(c, "seek 3");
	ask(c, "s");
	expect_stop(ask(c, "s"), "T05", 21);
	expect_begins(monitor(c, "checkpoints"), "there are no checkpoints");
	expect_begins(monitor(c, "restart 7"), "there is no checkpoint '7'; there are none");
	expect_begins(ask(c, "qTV:1"), "V0");
	expect_begins(monitor(c, "checkpoint"), "checkpoint 1: event 3 of");
	monitor(c, "seek 7");
	expect_begins(monitor(c, "checkpoint"), "checkpoint 2: event 7 of");
	expect_begins(monitor(c, "checkpoints"), "  1 at event 3\n  2 at event 7\n");
	expect_begins(monitor(c, "restart 1"), "event 3 of");
	expect_stop(ask(c, "bs"), "T05", 21);
	assert_string_equal(monitor(c, "delete checkpoint 1"), "");
	expect_begins(monitor(c, "restart 1"),
		      "there is no checkpoint '1'; these are there:\n  2 at");
}

static void test_last_write(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "Z0,401050,1"), "OK");
	monitor(c, "seek 8"); /* place 70, which was just written */
	expect_begins(monitor(c, "last-write 0x404000:8"),
		      "the instruction here writes to 0x404000");
	/* not the thread that gdb steps: it has stopped, no more */
	expect_stop(ask(c, "vCont;s:p64.64;c"), "T00thread:p64.65;", 69);
	monitor(c, "seek 8");
	monitor(c, "last-write 0x404000:8");
	/* with all others locked gdb takes stops of that thread only */
	expect_begins(ask(c, "vCont;s:p64.64"), "T05thread:p64.64;");
	monitor(c, "last-write 0x404000:8");
	expect_stop(ask(c, "vCont;s:p64.64"), "T05", 62);
	expect_begins(ask(c, "qTV:1"), "V0");
	expect_begins(monitor(c, "last-write 0x404008"), "nothing writes to 0x404008 before");
	expect_begins(monitor(c, "when"), "event 7 of");
	expect_begins(monitor(c, "last-write x"), "'x' is no piece");
	expect_begins(monitor(c, "last-write 0x404000:100"), "100 bytes at 0x404000 are too much");
	expect_begins(monitor(c, "when"), "event 7 of");
	expect_begins(ask(c, "qTV:1"), "V0");
	/* what the client had set is there again */
	monitor(c, "seek 1");
	expect_stop(ask(c, "c"), "T05thread:p64.64;swbreak:;", 20);
}

/* A file of the recording: opened by its name, read in pieces, never written. */
static void test_files(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "vFile:setfs:0"), "F0");
	/* /bin/fake, /etc/passwd */
	assert_string_equal(ask(c, "vFile:open:2f62696e2f66616b65,0,0"), "F0");
	assert_string_equal(ask(c, "vFile:open:2f6574632f706173737764,0,0"), "F-1,2");
	assert_string_equal(ask(c, "vFile:open:2f62696e2f66616b65,1,0"), "F-1,1e");
	assert_string_equal(ask(c, "vFile:pread:0,4,0"), "F4;what");
	assert_string_equal(ask(c, "vFile:pread:0,ffffffffffffffff,5"),
			    "F18;the program's file holds");
	assert_string_equal(ask(c, "vFile:pread:0,1,ffffffffffffffff"), "F0;");
	expect_begins(ask(c, "vFile:fstat:0"), "F40;");
	assert_string_equal(ask(c, "vFile:pread:1,1,0"), "F-1,9");
	assert_string_equal(ask(c, "vFile:pwrite:0,0,x"), "F-1,1e");
	assert_string_equal(ask(c, "vFile:unlink:2f62696e2f66616b65"), "F-1,1e");
	assert_string_equal(ask(c, "vFile:close:0"), "F0");
	assert_string_equal(ask(c, "vFile:close:0"), "F-1,9");
}

static void test_proc(void **state)
{
	struct client *c = connected(state);

	/* /proc/100/maps, /proc/100/exe, /proc/1/maps */
	assert_string_equal(ask(c, "vFile:open:2f70726f632f3130302f6d617073,0,0"), "F0");
	expect_has(ask(c, "vFile:pread:0,1000,0"),
		   "00401000-00402000 r-xp 00000000 00:00 0 /bin/fake\n");
	assert_string_equal(ask(c, "vFile:readlink:2f70726f632f3130302f657865"), "F9;/bin/fake");
	assert_string_equal(ask(c, "vFile:open:2f70726f632f312f6d617073,0,0"), "F-1,2");
	/* gdb keeps many open */
	for (unsigned i = 1; i < 2000; i++)
		expect_begins(ask(c, "vFile:open:2f62696e2f66616b65,0,0"), "F");
	assert_string_equal(ask(c, "vFile:pread:7cf,4,0"), "F4;what");
	assert_string_equal(ask(c, "vFile:close:7cf"), "F0");
	assert_string_equal(ask(c, "vFile:open:2f62696e2f66616b65,0,0"), "F7cf");
}

static void test_documents(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "qXfer:exec-file:read:64:0,4"), "m/bin");
	assert_string_equal(ask(c, "qXfer:exec-file:read:64:4,100"), "l/fake");
	assert_string_equal(ask(c, "qXfer:exec-file:read:64:100,100"), "l");
	say(c, "qXfer:auxv:read::0,1000", 23);
	answer(c);
	assert_int_equal(c->framer.packet.count, 33);
}

static void test_run_again(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "!"), "OK");
	assert_string_equal(ask(c, "Z0,401050,1"), "OK");
	expect_stop(ask(c, "vCont;c"), "T05thread:p64.64;swbreak", 20);
	assert_string_equal(ask(c, "vKill;64"), "OK");
	expect_stop(ask(c, "vRun;2f62696e2f66616b65"), "T05thread:p64.64;", 0);
	expect_begins(ask(c, "vCont;c"), "T1e"); /* the breakpoint has gone with the program */
	say(c, "R00", 3);
	expect_stop(ask(c, "?"), "T05thread:p64.64;", 0);
}

static void test_detach(void **state)
{
	struct client *c = connected(state);

	assert_string_equal(ask(c, "D;64"), "OK");
	/* gdb closes its files then; what is not answered it waits for. */
	expect_begins(ask(c, "vFile:close:3"), "F");
	assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
	assert_null(answer(c));
	assert_true(c->session.over);
}

/* A client that vanishes in the middle of a packet leaves a server that takes the next one. */
static void test_disconnect(void **state)
{
	static const char packet[] = "$Z0,401050,1#9c$P0=0100000000000000#7d$vCont;c#a8";
	struct client *c = *state;

	for (size_t length = 0; length < sizeof(packet); length++) {
		int pair[2];

		send_raw(c, packet, length);
		close(c->fd);
		pthread_join(c->server, NULL);
		assert_false(timeline_diverted(c->timeline));
		assert_false(c->session.over);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		c->server_fd = pair[0];
		c->fd = pair[1];
		assert_int_equal(pthread_create(&c->server, NULL, serve, c), 0);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledgements),
		TEST(test_unknown),
		TEST(test_malformed),
		TEST(test_threads),
		TEST(test_registers),
		TEST(test_memory),
		TEST(test_steps),
		TEST(test_breakpoints),
		TEST(test_watchpoints),
		TEST(test_signals),
		TEST(test_calls),
		TEST(test_plain_client),
		TEST(test_function_call),
		TEST(test_no_call),
		TEST(test_lost_call),
		TEST(test_monitor),
		TEST(test_checkpoints),
		TEST(test_last_write),
		TEST(test_files),
		TEST(test_proc),
		TEST(test_documents),
		TEST(test_run_again),
		TEST(test_detach),
		TEST(test_disconnect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
