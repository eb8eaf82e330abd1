/* The table of system calls and the memory that its rows say a call reaches, over a made-up memory:
 * every kind of size, every irregular argument, failed calls, and lengths meant to do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "syscalls/syscalls.h"

/* Memory is this array, at this address; nothing else can be read. */
#define BASE 0x10000000ull
static unsigned char fake[65536];

static size_t fake_read(void *context, taddr addr, void *to, size_t length)
{
	if (addr < BASE || addr >= BASE + sizeof(fake))
		return 0;
	if (length > BASE + sizeof(fake) - addr)
		length = BASE + sizeof(fake) - addr;
	memcpy(to, fake + (addr - BASE), length);
	return length;
}

static const struct sc_memory memory = {fake_read, NULL};
static struct sc_regions regions;
static struct sc_call call;
static const struct sc_row *row;

static void put32(unsigned at, uint32_t value)
{
	memcpy(fake + at, &value, sizeof(value));
}

static void put64(unsigned at, uint64_t value)
{
	memcpy(fake + at, &value, sizeof(value));
}

static void put_iov(unsigned at, unsigned i, uint64_t base, uint64_t length)
{
	put64(at + i * 16, base);
	put64(at + i * 16 + 8, length);
}

static void put_message(unsigned at, uint64_t name, uint32_t namelen, uint64_t iov, uint64_t iovs,
			uint64_t control, uint64_t controllen)
{
	put64(at, name);
	put32(at + 8, namelen);
	put64(at + 16, iov);
	put64(at + 24, iovs);
	put64(at + 32, control);
	put64(at + 40, controllen);
}

/* Lists the regions of a call; arguments are absolute. */
#define begin(name, ...) begin_(name, (uint64_t[SC_ARGS]){__VA_ARGS__})
static bool begin_(const char *name, const uint64_t *args)
{
	vec_clear(&regions);
	row = sc_row_by_name(name);
	assert_non_null(row);
	call = (struct sc_call){.nr = row->nr};
	memcpy(call.args, args, sizeof(call.args));
	row = sc_row_refine(row, &call);
	return sc_regions_begin(row, &call, &memory, &regions);
}

static void end(int64_t result)
{
	call.result = result;
	call.ended = true;
	sc_regions_end(row, &call, &memory, &regions);
}

static void expect(size_t i, taddr addr, uint64_t capacity, int dir, int arg)
{
	assert_true(i < regions.count);
	assert_int_equal(regions.items[i].addr, addr);
	assert_int_equal(regions.items[i].capacity, capacity);
	assert_int_equal(regions.items[i].dir, dir);
	assert_int_equal(regions.items[i].arg, arg);
	assert_int_equal(regions.items[i].parent, -1);
	assert_int_equal(regions.items[i].length, 0);
}

static void expect_child(size_t i, taddr addr, uint64_t capacity, int dir, int parent,
			 uint32_t offset)
{
	assert_true(i < regions.count);
	assert_int_equal(regions.items[i].addr, addr);
	assert_int_equal(regions.items[i].capacity, capacity);
	assert_int_equal(regions.items[i].dir, dir);
	assert_int_equal(regions.items[i].parent, parent);
	assert_int_equal(regions.items[i].parent_offset, offset);
}

static void expect_length(size_t i, uint64_t length)
{
	assert_true(i < regions.count);
	assert_int_equal(regions.items[i].length, length);
}

static int reset(void **state)
{
	memset(fake, 0, sizeof(fake));
	vec_clear(&regions);
	return 0;
}

/* ---- the table ---- */

/* Every call of Linux 6.x is there; a row more, for a newer one, is welcome. */
static void test_table_numbers(void **state)
{
	size_t count = sc_row_count();
	int before = -1;

	assert_true(count >= 336 + 469 - 424 + 1);
	for (size_t i = 0; i < count; i++) {
		const struct sc_row *r = sc_row_at(i);

		assert_true(r->nr > before);
		before = r->nr;
		assert_ptr_equal(sc_row(r->nr), r);
		assert_ptr_equal(sc_row_by_name(r->name), r);
	}
	for (int nr = 0; nr <= 469; nr++)
		assert_true((nr > 335 && nr < 424) == !sc_row(nr));
	assert_null(sc_row_at(count));
	assert_null(sc_row(-1));
	assert_null(sc_row(100000));
	assert_null(sc_row_by_name("no_such_call"));
}

static void check_arg(const struct sc_row *r, const struct sc_arg *arg)
{
	bool counted = arg->size_kind == SC_S_ARG || arg->size_kind == SC_S_ARG_RET ||
		       arg->size_kind == SC_S_ARG_DEREF;

	assert_non_null(arg->name);
	assert_true(arg->type > SC_T_NONE && arg->type < SC_TYPES);
	assert_int_equal(arg->dir == SC_VALUE, arg->size_kind == SC_S_NONE);
	if (arg->size_kind == SC_S_CONST || counted)
		assert_true(arg->size > 0);
	if (counted)
		assert_true(arg->size_arg < r->nargs && &r->args[arg->size_arg] != arg);
	if (arg->size_kind == SC_S_ARG_DEREF)
		assert_int_equal(r->args[arg->size_arg].dir, SC_INOUT);
	if (arg->size_kind == SC_S_CUSTOM)
		assert_true(arg->size_arg < r->nargs);
	if (arg->size_kind == SC_S_ARG_RET)
		assert_int_equal(arg->dir, SC_OUT);
}

static void test_table_rows(void **state)
{
	for (size_t i = 0; i < sc_row_count(); i++) {
		const struct sc_row *r = sc_row_at(i);

		assert_true(r->nargs <= SC_ARGS);
		assert_true(r->fd_arg >= -1 && r->fd_arg < r->nargs);
		assert_true(r->handler < SC_HANDLERS);
		assert_true(r->ret_type > SC_T_NONE && r->ret_type < SC_TYPES);
		assert_int_equal(r->refuse_errno != 0, r->action == SC_REFUSE);
		if (r->action == SC_PERFORM || r->action == SC_EMULATE)
			assert_int_not_equal(r->handler, SC_H_NONE);
		if (r->flags & (SC_WRITES_FD | SC_MOVES_FD))
			assert_true(r->fd_arg >= 0);
		if (r->flags & SC_BUFFERABLE)
			assert_false(r->flags & (SC_CHANGES_MM | SC_CHANGES_TASKS));
		for (int a = 0; a < r->nargs; a++)
			check_arg(r, &r->args[a]);
		for (int a = r->nargs; a < SC_ARGS; a++)
			assert_null(r->args[a].name);
	}
}

/* Every row has to stand any argument at all. */
static void test_table_hostile(void **state)
{
	static const uint64_t values[] = {
		0,	   1,	       7,	  4096,	      BASE,	     BASE + 65535,
		INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
	size_t n = sizeof(values) / sizeof(values[0]);

	for (size_t i = 0; i < sizeof(fake); i++)
		fake[i] = i * 37 >> 3;
	for (size_t i = 0; i < sc_row_count(); i++) {
		for (size_t v = 0; v < n * n; v++) {
			uint64_t args[SC_ARGS];

			for (size_t a = 0; a < SC_ARGS; a++)
				args[a] = values[(a % 2 ? v / n : v + a) % n];
			if (!begin_(sc_row_at(i)->name, args)) {
				assert_int_equal(regions.count, 0);
				continue;
			}
			end(v % 3 ? (int64_t)values[v % n] : -14);
			vec_foreach (&regions, r) {
				assert_true(r->addr && r->capacity);
				assert_true(r->addr + r->capacity >= r->addr);
				assert_true(r->length <= r->capacity);
				assert_true(r->parent < r - regions.items);
				assert_true(r->arg >= 0 && r->arg < row->nargs);
			}
		}
	}
}

static void test_refined(void **state)
{
	begin("ioctl", 0, 0x5401);
	assert_ptr_equal(row, sc_row_by_name("ioctl"));
	begin("ioctl", 0, 0x5403);
	assert_true(row->flags & SC_MAY_BLOCK);
	assert_string_equal(row->name, "ioctl");
	begin("ioctl", 0, 0xc0406400);
	assert_int_equal(row->action, SC_REFUSE);
	assert_int_equal(row->refuse_errno, 25);
	assert_false(begin("ioctl", 0, 0xdeadbeef, BASE));
	assert_true(row->flags & SC_FALLBACK);
	begin("fcntl", 0, 7, BASE);
	assert_true(row->flags & SC_MAY_BLOCK);
	begin("fcntl", 0, 3);
	assert_false(row->flags & SC_MAY_BLOCK);
	begin("fcntl", 0, 1030);
	assert_true(row->flags & SC_CHANGES_FDS);
	begin("prctl", 26, 1);
	assert_int_equal(row->action, SC_EMULATE);
	assert_int_equal(row->handler, SC_H_TSC);
	begin("prctl", 22, 2, BASE);
	assert_int_equal(row->handler, SC_H_PRCTL_SECCOMP);
	begin("prctl", 39);
	assert_int_equal(row->handler, SC_H_NO_NEW_PRIVS);
	begin("prctl", 15, BASE);
	assert_int_equal(row->action, SC_INJECT);
	assert_int_equal(row->handler, SC_H_THREAD_NAME);
	assert_null(sc_row_refine(NULL, &call));
}

/* ---- regular arguments ---- */

static void test_const(void **state)
{
	strcpy((char *)fake, "/etc");
	assert_true(begin("stat", BASE, BASE + 100));
	assert_int_equal(regions.count, 2);
	expect(0, BASE, 5, SC_IN, 0);
	expect(1, BASE + 100, 144, SC_OUT, 1);
	end(0);
	expect_length(0, 5);
	expect_length(1, 144);
	end(-2);
	expect_length(0, 5);
	expect_length(1, 0);
}

static void test_null(void **state)
{
	assert_true(begin("gettimeofday", BASE, 0));
	assert_int_equal(regions.count, 1);
	assert_true(begin("time", 0));
	assert_int_equal(regions.count, 0);
	end(5);
	assert_true(begin("read", 0, BASE, 0));
	assert_int_equal(regions.count, 0);
}

static void test_count_and_result(void **state)
{
	assert_true(begin("read", 0, BASE, 100));
	expect(0, BASE, 100, SC_OUT, 1);
	end(30);
	expect_length(0, 30);
	end(0);
	expect_length(0, 0);
	end(-512);
	expect_length(0, 0);
	end(200);
	expect_length(0, 100);
	assert_true(begin("write", 1, BASE, 100));
	expect(0, BASE, 100, SC_IN, 1);
	end(-32);
	expect_length(0, 100);
	assert_true(begin("epoll_wait", 3, BASE, 10, 0));
	expect(0, BASE, 120, SC_OUT, 1);
	end(3);
	expect_length(0, 36);
}

static void test_count_width(void **state)
{
	/* An int counts with its low half, and not when negative. */
	assert_true(begin("epoll_wait", 3, BASE, 0x7700000002ull, 0));
	expect(0, BASE, 24, SC_OUT, 1);
	assert_true(begin("epoll_wait", 3, BASE, (uint32_t)-1, 0));
	assert_int_equal(regions.count, 0);
	assert_true(begin("poll", BASE, 0x100000003ull, 0));
	expect(0, BASE, 24, SC_INOUT, 0);
	/* Too much is cut at the end of the address space. */
	assert_true(begin("read", 0, BASE, UINT64_MAX));
	expect(0, BASE, UINT64_MAX - BASE, SC_OUT, 1);
	assert_true(begin("move_pages", 0, UINT64_MAX / 4, BASE, 0, BASE + 8, 0));
	expect(0, BASE, UINT64_MAX - BASE, SC_IN, 2);
}

static void test_inout_is_saved_on_failure(void **state)
{
	assert_true(begin("poll", BASE, 3, 10));
	end(-4);
	expect_length(0, 24);
	assert_true(begin("socketpair", 1, 1, 0, BASE));
	end(-95);
	expect_length(0, 8);
	assert_true(begin("waitid", 0, 0, BASE, 4, 0));
	end(-10);
	expect_length(0, 128);
}

/* A fault can come after some outputs were written. */
static void test_fault(void **state)
{
	put_message(0, BASE + 500, 28, BASE + 600, 1, BASE + 700, 64);
	put_iov(600, 0, BASE + 1000, 10);
	assert_true(begin("recvmsg", 3, BASE, 0));
	end(-14);
	vec_foreach (&regions, region)
		assert_int_equal(region->length, region->capacity);
	assert_true(begin("read", 0, BASE, UINT64_MAX));
	end(-14);
	expect_length(0, 4 << 20);
}

static void test_pointed_length(void **state)
{
	put32(0, 28);
	assert_true(begin("accept", 3, BASE + 64, BASE));
	expect(0, BASE + 64, 28, SC_OUT, 1);
	expect(1, BASE, 4, SC_INOUT, 2);
	put32(0, 16);
	end(5);
	expect_length(0, 16);
	expect_length(1, 4);
	put32(0, 110); /* cut: the true length is larger than the room was */
	end(5);
	expect_length(0, 28);
	end(-11);
	expect_length(0, 0);
	put32(0, UINT32_MAX);
	assert_true(begin("getsockname", 3, BASE + 64, BASE));
	assert_int_equal(regions.count, 1);
	assert_true(begin("accept", 3, 0, 0));
	assert_int_equal(regions.count, 0);
	assert_true(begin("accept", 3, BASE + 64, 1)); /* unreadable length */
	assert_int_equal(regions.count, 1);
}

static void test_strings(void **state)
{
	memset(fake + 100, 'x', 400);
	assert_true(begin("chdir", BASE + 100));
	expect(0, BASE + 100, 401, SC_IN, 0);
	/* No NUL before memory ends; none within PATH_MAX; nothing readable. */
	memset(fake + sizeof(fake) - 10, 'x', 10);
	assert_true(begin("chdir", BASE + sizeof(fake) - 10));
	expect(0, BASE + sizeof(fake) - 10, 10, SC_IN, 0);
	memset(fake, 'x', 20000);
	assert_true(begin("chdir", BASE));
	expect(0, BASE, 4096, SC_IN, 0);
	assert_true(begin("chdir", 5));
	assert_int_equal(regions.count, 0);
}

/* ---- vectors and messages ---- */

static void test_readv(void **state)
{
	put_iov(0, 0, BASE + 1000, 10);
	put_iov(0, 1, BASE + 2000, 0);
	put_iov(0, 2, BASE + 3000, 20);
	assert_true(begin("readv", 0, BASE, 3));
	assert_int_equal(regions.count, 3);
	expect(0, BASE, 48, SC_IN, 1);
	expect_child(1, BASE + 1000, 10, SC_OUT, 0, 0);
	expect_child(2, BASE + 3000, 20, SC_OUT, 0, 32);
	end(15);
	expect_length(0, 48);
	expect_length(1, 10);
	expect_length(2, 5);
	end(-11);
	expect_length(1, 0);
	expect_length(2, 0);
	end(100);
	expect_length(2, 20);
}

static void test_writev(void **state)
{
	put_iov(0, 0, BASE + 1000, 10);
	assert_true(begin("writev", 1, BASE, 1));
	expect_child(1, BASE + 1000, 10, SC_IN, 0, 0);
	end(4);
	expect_length(1, 10);
}

static void test_hostile_iov(void **state)
{
	assert_true(begin("readv", 0, BASE, 1025));
	assert_int_equal(regions.count, 0);
	assert_true(begin("readv", 0, BASE, UINT64_MAX));
	assert_int_equal(regions.count, 0);
	put_iov(0, 0, BASE + 100, UINT64_MAX);
	put_iov(0, 1, BASE + 100, INT64_MAX);
	assert_true(begin("readv", 0, BASE, 2));
	assert_int_equal(regions.count, 2);
	/* An array that ends in unreadable memory. */
	put_iov(sizeof(fake) - 24, 0, BASE + 100, 5);
	assert_true(begin("readv", 0, BASE + sizeof(fake) - 24, 3));
	assert_int_equal(regions.count, 2);
	assert_true(begin("readv", 0, 64, 3));
	assert_int_equal(regions.count, 1);
}

static void test_recvmsg(void **state)
{
	put_message(0, BASE + 500, 28, BASE + 600, 2, BASE + 700, 64);
	put_iov(600, 0, BASE + 1000, 10);
	put_iov(600, 1, BASE + 2000, 20);
	assert_true(begin("recvmsg", 3, BASE, 0));
	assert_int_equal(regions.count, 6);
	expect(0, BASE, 56, SC_INOUT, 1);
	expect_child(1, BASE + 500, 28, SC_OUT, 0, 0);
	expect_child(2, BASE + 600, 32, SC_IN, 0, 16);
	expect_child(3, BASE + 1000, 10, SC_OUT, 2, 0);
	expect_child(4, BASE + 2000, 20, SC_OUT, 2, 16);
	expect_child(5, BASE + 700, 64, SC_INOUT, 0, 32);
	put32(8, 16);
	put64(40, 24);
	end(13);
	expect_length(0, 56);
	expect_length(1, 16);
	expect_length(2, 32);
	expect_length(3, 10);
	expect_length(4, 3);
	expect_length(5, 24);
	end(-11);
	expect_length(0, 56);
	expect_length(1, 0);
	expect_length(3, 0);
	expect_length(5, 0);
	end(1000); /* MSG_TRUNC: more than there was room for */
	expect_length(4, 20);
}

static void test_sendmsg(void **state)
{
	put_message(0, BASE + 500, 16, BASE + 600, 1, BASE + 700, 20);
	put_iov(600, 0, BASE + 1000, 10);
	assert_true(begin("sendmsg", 3, BASE, 0));
	assert_int_equal(regions.count, 5);
	expect(0, BASE, 56, SC_IN, 1);
	vec_foreach (&regions, region)
		assert_int_equal(region->dir, SC_IN);
	end(10);
	expect_length(3, 10);
	expect_length(4, 20);
}

static void test_hostile_message(void **state)
{
	put_message(0, BASE + 500, UINT32_MAX, BASE + 600, UINT64_MAX, BASE + 700, UINT64_MAX);
	assert_true(begin("recvmsg", 3, BASE, 0));
	assert_int_equal(regions.count, 2);
	expect_child(1, BASE + 700, UINT64_MAX - BASE - 700, SC_INOUT, 0, 32);
	assert_true(begin("recvmsg", 3, 77, 0));
	assert_int_equal(regions.count, 1);
	assert_true(begin("recvmsg", 3, 0, 0));
	assert_int_equal(regions.count, 0);
}

static void test_recvmmsg(void **state)
{
	put_message(0, 0, 0, BASE + 600, 1, 0, 0);
	put_message(64, BASE + 500, 28, BASE + 616, 1, 0, 0);
	put_iov(600, 0, BASE + 1000, 10);
	put_iov(600, 1, BASE + 2000, 20);
	assert_true(begin("recvmmsg", 3, BASE, 2, 0, BASE + 400));
	assert_int_equal(regions.count, 7);
	expect(0, BASE, 128, SC_INOUT, 1);
	expect_child(1, BASE + 600, 16, SC_IN, 0, 16);
	expect_child(2, BASE + 1000, 10, SC_OUT, 1, 0);
	expect_child(3, BASE + 500, 28, SC_OUT, 0, 64);
	expect_child(4, BASE + 616, 16, SC_IN, 0, 80);
	expect_child(5, BASE + 2000, 20, SC_OUT, 4, 0);
	expect(6, BASE + 400, 16, SC_INOUT, 4);
	put32(56, 7);
	put32(64 + 56, 9);
	put32(64 + 8, 16);
	end(2);
	expect_length(0, 128);
	expect_length(2, 7);
	expect_length(3, 16);
	expect_length(5, 9);
	end(1);
	expect_length(2, 7);
	expect_length(3, 0);
	expect_length(5, 0);
}

static void test_many_messages(void **state)
{
	assert_true(begin("sendmmsg", 3, BASE, 1, 0));
	expect(0, BASE, 64, SC_INOUT, 1);
	assert_true(begin("sendmmsg", 3, BASE, UINT32_MAX, 0));
	expect(0, BASE, 65536, SC_INOUT, 1);
	assert_false(begin("recvmmsg", 3, BASE, UINT32_MAX, 0, 0));
	assert_int_equal(regions.count, 0);
	/* A thousand messages that each claim a thousand buffers. */
	for (unsigned i = 0; i < 500; i++)
		put_message(i * 64, 0, 0, BASE + 32768, 1000, 0, 0);
	for (unsigned i = 0; i < 1000; i++)
		put_iov(32768, i, BASE, 1);
	assert_false(begin("recvmmsg", 3, BASE, 500, 0, 0));
	assert_int_equal(regions.count, 0);
}

static void test_sockopt(void **state)
{
	put32(0, 4);
	assert_true(begin("getsockopt", 3, 1, 4, BASE + 64, BASE));
	expect(0, BASE + 64, 4, SC_INOUT, 3);
	expect(1, BASE, 4, SC_INOUT, 4);
	assert_true(begin("getsockopt", 3, 1, 26, BASE + 64, BASE)); /* SO_GET_FILTER */
	expect(0, BASE + 64, 32, SC_INOUT, 3);
	assert_true(begin("setsockopt", 3, 1, 4, BASE + 64, 4));
	expect(0, BASE + 64, 4, SC_IN, 3);
	assert_int_equal(regions.count, 1);
	put32(200, 3);
	put64(208, BASE + 300);
	assert_true(begin("setsockopt", 3, 1, 26, BASE + 200, 16)); /* SO_ATTACH_FILTER */
	expect_child(1, BASE + 300, 24, SC_IN, 0, 8);
	assert_false(begin("getsockopt", 3, 6, 35, BASE + 64, BASE)); /* TCP_ZEROCOPY_RECEIVE */
	put32(0, UINT32_MAX);
	assert_true(begin("getsockopt", 3, 1, 4, BASE + 64, BASE));
	assert_int_equal(regions.count, 1);
}

/* ---- files ---- */

static void test_fd_sets(void **state)
{
	assert_true(begin("select", 65, BASE, 0, BASE + 64, BASE + 128));
	assert_int_equal(regions.count, 3);
	expect(0, BASE, 16, SC_INOUT, 1);
	expect(1, BASE + 64, 16, SC_INOUT, 3);
	expect(2, BASE + 128, 16, SC_INOUT, 4);
	assert_true(begin("select", UINT64_MAX, BASE, BASE, BASE, 0));
	assert_int_equal(regions.count, 0);
	put64(0, BASE + 64);
	put64(8, 8);
	assert_true(begin("pselect6", 0, 0, 0, 0, 0, BASE));
	expect(0, BASE, 16, SC_IN, 5);
	expect_child(1, BASE + 64, 8, SC_IN, 0, 0);
}

static void test_file_handle(void **state)
{
	put32(0, 20);
	assert_true(begin("name_to_handle_at", 0, BASE + 500, BASE, BASE + 400, 0));
	expect(1, BASE, 28, SC_INOUT, 2);
	expect(2, BASE + 400, 4, SC_INOUT, 3);
	assert_true(begin("name_to_handle_at", 0, BASE + 500, BASE, BASE + 400, 1));
	expect(2, BASE + 400, 8, SC_INOUT, 3);
	assert_true(begin("open_by_handle_at", 0, BASE, 0));
	expect(0, BASE, 28, SC_IN, 1);
	put32(0, UINT32_MAX);
	assert_true(begin("open_by_handle_at", 0, BASE, 0));
	expect(0, BASE, 8, SC_IN, 1);
}

static void test_xattr_args(void **state)
{
	put64(0, BASE + 100);
	put32(8, 50);
	assert_true(begin("getxattrat", 0, 0, 0, 0, BASE, 16));
	expect(0, BASE, 16, SC_IN, 4);
	expect_child(1, BASE + 100, 50, SC_OUT, 0, 0);
	end(20);
	expect_length(0, 16);
	expect_length(1, 20);
	assert_true(begin("setxattrat", 0, 0, 0, 0, BASE, 16));
	expect_child(1, BASE + 100, 50, SC_IN, 0, 0);
	assert_true(begin("getxattrat", 0, 0, 0, 0, BASE, 8));
	assert_int_equal(regions.count, 1);
}

static void test_mounts(void **state)
{
	strcpy((char *)fake, "value");
	assert_true(begin("fsconfig", 3, 1, 0, BASE, 0));
	expect(0, BASE, 6, SC_IN, 3);
	assert_true(begin("fsconfig", 3, 2, 0, BASE, 77));
	expect(0, BASE, 77, SC_IN, 3);
	assert_true(begin("fsconfig", 3, 6, 0, BASE, 0));
	assert_int_equal(regions.count, 0);
	put32(100, 24);
	assert_true(begin("listmount", BASE + 100, BASE + 200, 10, 0));
	expect(0, BASE + 100, 24, SC_IN, 0);
	expect(1, BASE + 200, 80, SC_OUT, 1);
	end(3);
	expect_length(1, 24);
}

static void test_quota(void **state)
{
	assert_true(begin("quotactl", 0x80000700, 0, 0, BASE)); /* Q_GETQUOTA */
	expect(0, BASE, 72, SC_INOUT, 3);
	strcpy((char *)fake, "/q");
	assert_true(begin("quotactl", 0x80000200, 0, 0, BASE)); /* Q_QUOTAON */
	expect(0, BASE, 3, SC_IN, 3);
	assert_false(begin("quotactl", 0x12345600, 0, 0, BASE));
	assert_true(begin("quotactl_fd", 3, 0x80000500, 0, BASE)); /* Q_GETINFO */
	expect(0, BASE, 24, SC_INOUT, 3);
}

static void test_landlock(void **state)
{
	assert_true(begin("landlock_add_rule", 3, 1, BASE, 0));
	expect(0, BASE, 12, SC_IN, 2);
	assert_true(begin("landlock_add_rule", 3, 9, BASE, 0));
	assert_int_equal(regions.count, 0);
}

static void test_fcntl(void **state)
{
	assert_true(begin("fcntl", 3, 5, BASE)); /* F_GETLK */
	expect(0, BASE, 32, SC_INOUT, 2);
	assert_true(begin("fcntl", 3, 16, BASE)); /* F_GETOWN_EX */
	expect(0, BASE, 8, SC_OUT, 2);
	end(-9);
	expect_length(0, 0);
	assert_true(begin("fcntl", 3, 4, BASE)); /* F_SETFL: a value that looks like an address */
	assert_int_equal(regions.count, 0);
	assert_false(begin("fcntl", 3, 12345, BASE));
}

static void test_ioctl(void **state)
{
	assert_true(begin("ioctl", 0, 0x5401, BASE)); /* TCGETS */
	expect(0, BASE, 36, SC_OUT, 2);
	end(-25);
	expect_length(0, 0);
	end(0);
	expect_length(0, 36);
	assert_true(begin("ioctl", 0, 0x5402, BASE)); /* TCSETS */
	expect(0, BASE, 36, SC_IN, 2);
	assert_true(begin("ioctl", 0, 0x540e, BASE)); /* TIOCSCTTY: a value */
	assert_int_equal(regions.count, 0);
	put32(0, 400);
	put64(8, BASE + 100);
	assert_true(begin("ioctl", 0, 0x8912, BASE)); /* SIOCGIFCONF */
	expect(0, BASE, 16, SC_INOUT, 2);
	expect_child(1, BASE + 100, 400, SC_INOUT, 0, 8);
	put32(24, 10);
	assert_true(begin("ioctl", 0, 0xc020660b, BASE)); /* FS_IOC_FIEMAP */
	expect(0, BASE, 32 + 560, SC_INOUT, 2);
	put32(16, 2);
	assert_true(begin("ioctl", 0, 0xc0189436, BASE)); /* FIDEDUPERANGE */
	expect(0, BASE, 24 + 64, SC_INOUT, 2);
	/* One that is not in the table, though its number encodes 16 bytes, out. */
	assert_false(begin("ioctl", 0, 0x8010ee01, BASE));
}

static void test_sysfs(void **state)
{
	strcpy((char *)fake, "ext4");
	assert_true(begin("sysfs", 1, BASE));
	expect(0, BASE, 5, SC_IN, 1);
	assert_true(begin("sysfs", 2, 3, BASE + 100));
	expect(0, BASE + 100, 256, SC_INOUT, 2);
	assert_true(begin("sysfs", 3, BASE, BASE));
	assert_int_equal(regions.count, 0);
}

/* ---- processes ---- */

static void test_clone(void **state)
{
	assert_true(begin("clone", 0x01100000, 0, BASE, BASE + 8, 0));
	assert_int_equal(regions.count, 2);
	expect(0, BASE, 4, SC_INOUT, 2);
	expect(1, BASE + 8, 4, SC_INOUT, 3);
	assert_true(begin("clone", 17, 0, BASE, BASE + 8, 0));
	assert_int_equal(regions.count, 0);
	assert_true(begin("clone", 0x1000, 0, BASE, BASE + 8, 0)); /* CLONE_PIDFD */
	expect(0, BASE, 4, SC_INOUT, 2);
}

static void test_clone3(void **state)
{
	put64(0, 0x01101000);
	put64(8, BASE + 200);
	put64(16, BASE + 204);
	put64(24, BASE + 208);
	put64(64, BASE + 300);
	put64(72, 2);
	assert_true(begin("clone3", BASE, 88));
	assert_int_equal(regions.count, 5);
	expect(0, BASE, 88, SC_IN, 0);
	expect_child(1, BASE + 200, 4, SC_INOUT, 0, 8);
	expect_child(2, BASE + 204, 4, SC_INOUT, 0, 16);
	expect_child(3, BASE + 208, 4, SC_INOUT, 0, 24);
	expect_child(4, BASE + 300, 8, SC_IN, 0, 64);
	assert_true(begin("clone3", BASE, 64)); /* the first version has no set_tid */
	assert_int_equal(regions.count, 4);
	put64(72, UINT64_MAX);
	assert_true(begin("clone3", BASE, 88));
	assert_int_equal(regions.count, 4);
}

static void test_wait4(void **state)
{
	assert_true(begin("wait4", -1, BASE, 0, BASE + 100));
	expect(0, BASE, 4, SC_OUT, 1);
	expect(1, BASE + 100, 144, SC_OUT, 3);
	end(0);
	expect_length(0, 0);
	expect_length(1, 0);
	end(77);
	expect_length(0, 4);
	expect_length(1, 144);
	end(-10);
	expect_length(0, 0);
}

static void test_prctl(void **state)
{
	assert_true(begin("prctl", 16, BASE));
	expect(0, BASE, 16, SC_OUT, 1);
	strcpy((char *)fake, "name");
	assert_true(begin("prctl", 15, BASE));
	expect(0, BASE, 5, SC_IN, 1);
	assert_true(begin("prctl", 1, BASE, BASE, BASE, BASE)); /* PR_SET_PDEATHSIG: values */
	assert_int_equal(regions.count, 0);
	put32(100, 2);
	put64(108, BASE + 200);
	assert_true(begin("prctl", 22, 2, BASE + 100)); /* PR_SET_SECCOMP */
	expect_child(1, BASE + 200, 16, SC_IN, 0, 8);
	assert_true(begin("prctl", 0x41555856, BASE, 100)); /* PR_GET_AUXV */
	expect(0, BASE, 100, SC_INOUT, 1);
	assert_true(begin("prctl", 35, 15, BASE)); /* PR_SET_MM_MAP_SIZE */
	expect(0, BASE, 4, SC_OUT, 2);
	assert_false(begin("prctl", 9999, BASE));
	assert_int_equal(regions.count, 0);
}

static void test_arch(void **state)
{
	assert_true(begin("arch_prctl", 0x1003, BASE));
	expect(0, BASE, 8, SC_OUT, 1);
	assert_true(begin("arch_prctl", 0x1002, BASE));
	assert_int_equal(regions.count, 0);
	assert_true(begin("modify_ldt", 0, BASE, 64));
	expect(0, BASE, 64, SC_OUT, 1);
	end(64);
	expect_length(0, 64);
	end((uint32_t)-22); /* an error, as this call returns it */
	expect_length(0, 0);
	assert_true(begin("modify_ldt", 1, BASE, 16));
	expect(0, BASE, 16, SC_IN, 1);
	end(0);
	expect_length(0, 16);
}

static void test_seccomp(void **state)
{
	put32(0, 5);
	put64(8, BASE + 100);
	assert_true(begin("seccomp", 1, 0, BASE));
	expect(0, BASE, 16, SC_IN, 2);
	expect_child(1, BASE + 100, 40, SC_IN, 0, 8);
	assert_true(begin("seccomp", 3, 0, BASE));
	expect(0, BASE, 6, SC_OUT, 2);
}

static void test_capabilities(void **state)
{
	put32(0, 0x20080522);
	assert_true(begin("capget", BASE, BASE + 100));
	expect(0, BASE, 8, SC_INOUT, 0);
	expect(1, BASE + 100, 24, SC_OUT, 1);
	put32(0, 0x19980330);
	assert_true(begin("capset", BASE, BASE + 100));
	expect(1, BASE + 100, 12, SC_IN, 1);
	put32(0, 1);
	assert_true(begin("capget", BASE, BASE + 100));
	assert_int_equal(regions.count, 1);
	end(-22);
	expect_length(0, 8);
}

static void test_sched_attr(void **state)
{
	put32(0, 56);
	assert_true(begin("sched_setattr", 0, BASE, 0));
	expect(0, BASE, 56, SC_INOUT, 1);
	put32(0, 0);
	assert_true(begin("sched_setattr", 0, BASE, 0));
	expect(0, BASE, 48, SC_INOUT, 1);
	put32(0, UINT32_MAX);
	assert_true(begin("sched_setattr", 0, BASE, 0));
	expect(0, BASE, 48, SC_INOUT, 1);
}

static void test_futex(void **state)
{
	assert_true(begin("futex", BASE, 128, 1, BASE + 100, BASE + 200, 0)); /* WAIT | PRIVATE */
	assert_int_equal(regions.count, 1);
	expect(0, BASE + 100, 16, SC_IN, 3);
	assert_true(begin("futex", BASE, 1, 1, BASE + 100, BASE + 200, 0)); /* WAKE */
	assert_int_equal(regions.count, 0);
	assert_true(begin("futex", BASE, 5, 1, 1, BASE + 200, 0)); /* WAKE_OP */
	assert_int_equal(regions.count, 1);
	expect(0, BASE + 200, 4, SC_INOUT, 4);
	assert_true(regions.items[0].fixed);
	assert_true(begin("futex", BASE, 6, 0, BASE + 100, 0, 0)); /* LOCK_PI */
	expect(0, BASE, 4, SC_INOUT, 0);
	expect(1, BASE + 100, 16, SC_IN, 3);
	end(-512);
	expect_length(0, 4);
	assert_true(begin("futex", BASE, 11, 0, BASE + 100, BASE + 200, 0)); /* WAIT_REQUEUE_PI */
	expect(1, BASE + 200, 4, SC_INOUT, 4);
}

static void test_sleep(void **state)
{
	assert_true(begin("nanosleep", BASE, BASE + 16));
	expect(1, BASE + 16, 16, SC_OUT, 1);
	end(0);
	expect_length(1, 0);
	end(-4);
	expect_length(1, 16);
	end(-516);
	expect_length(1, 16);
	assert_true(begin("clock_nanosleep", 1, 1, BASE, BASE + 16)); /* TIMER_ABSTIME */
	assert_int_equal(regions.count, 1);
	assert_true(begin("clock_nanosleep", 1, 0, BASE, BASE + 16));
	end(-22);
	expect_length(1, 0);
}

static void test_memory_calls(void **state)
{
	assert_true(begin("mincore", BASE, 4097, BASE));
	expect(0, BASE, 2, SC_INOUT, 2);
	assert_true(begin("mincore", BASE, UINT64_MAX, BASE));
	expect(0, BASE, UINT64_MAX / 4096 + 1, SC_INOUT, 2);
	assert_true(begin("get_mempolicy", BASE, BASE + 8, 65, 0, 0));
	expect(0, BASE, 4, SC_INOUT, 0);
	expect(1, BASE + 8, 8, SC_INOUT, 1);
	assert_true(begin("mbind", BASE, 4096, 2, BASE + 8, 66, 0));
	expect(0, BASE + 8, 16, SC_IN, 3);
	assert_true(begin("set_mempolicy", 2, BASE + 8, UINT64_MAX));
	assert_int_equal(regions.count, 0);
}

static void test_syslog(void **state)
{
	assert_true(begin("syslog", 3, BASE, 100));
	expect(0, BASE, 100, SC_OUT, 1);
	end(40);
	expect_length(0, 40);
	assert_true(begin("syslog", 10, BASE, 100)); /* SYSLOG_ACTION_SIZE_BUFFER */
	assert_int_equal(regions.count, 0);
	assert_true(begin("syslog", 3, BASE, (uint32_t)-5));
	assert_int_equal(regions.count, 0);
}

/* ---- IPC ---- */

static void test_sysv_control(void **state)
{
	static const struct {
		const char *name;
		int cmd, cmd_arg, size, dir;
	} cases[] = {
		{"semctl", 1, 2, 104, SC_IN},  {"semctl", 2, 2, 104, SC_OUT},
		{"semctl", 19, 2, 40, SC_OUT}, {"semctl", 13, 2, 131072, SC_INOUT},
		{"semctl", 16, 2, 0, 0},       {"semctl", 17, 2, 131072, SC_IN},
		{"shmctl", 2, 1, 112, SC_OUT}, {"shmctl", 3, 1, 72, SC_OUT},
		{"shmctl", 14, 1, 48, SC_OUT}, {"shmctl", 11, 1, 0, 0},
		{"msgctl", 1, 1, 120, SC_IN},  {"msgctl", 2, 1, 120, SC_OUT},
		{"msgctl", 3, 1, 32, SC_OUT},  {"msgctl", 0, 1, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t args[SC_ARGS] = {0};

		args[cases[i].cmd_arg] = cases[i].cmd;
		args[cases[i].cmd_arg + 1] = BASE;
		assert_true(begin_(cases[i].name, args));
		assert_int_equal(regions.count, cases[i].size ? 1 : 0);
		if (cases[i].size)
			expect(0, BASE, cases[i].size, cases[i].dir, cases[i].cmd_arg + 1);
	}
}

static void test_sysv_messages(void **state)
{
	assert_true(begin("msgrcv", 1, BASE, 100, 0, 0));
	expect(0, BASE, 108, SC_OUT, 1);
	end(5);
	expect_length(0, 13);
	end(0); /* an empty message has a type too */
	expect_length(0, 8);
	end(-42);
	expect_length(0, 0);
	assert_true(begin("msgsnd", 1, BASE, 100, 0));
	expect(0, BASE, 108, SC_IN, 1);
	assert_true(begin("msgrcv", 1, BASE, UINT64_MAX, 0, 0));
	assert_int_equal(regions.count, 0);
}

static void test_keyctl(void **state)
{
	assert_true(begin("keyctl", 11, 5, BASE, 100)); /* READ */
	expect(0, BASE, 100, SC_INOUT, 2);
	strcpy((char *)fake, "user");
	assert_true(begin("keyctl", 10, 5, BASE, BASE, 0)); /* SEARCH */
	assert_int_equal(regions.count, 2);
	expect(0, BASE, 5, SC_IN, 2);
	put_iov(100, 0, BASE + 300, 7);
	assert_true(begin("keyctl", 20, 5, BASE + 100, 1)); /* INSTANTIATE_IOV */
	expect_child(1, BASE + 300, 7, SC_IN, 0, 0);
	put32(104, 30);
	put32(108, 40);
	assert_true(begin("keyctl", 27, BASE + 100, 0, BASE + 200, BASE + 300)); /* PKEY_SIGN */
	expect(0, BASE + 100, 40, SC_IN, 1);
	expect(1, BASE + 200, 30, SC_IN, 3);
	expect(2, BASE + 300, 40, SC_INOUT, 4);
	assert_true(begin("keyctl", 24, 1, 0, BASE, BASE + 300)); /* PKEY_QUERY */
	expect(1, BASE + 300, 56, SC_INOUT, 4);
	assert_true(begin("keyctl", 23, BASE + 300, BASE + 400, 64, 0)); /* DH_COMPUTE */
	expect(0, BASE + 300, 12, SC_IN, 1);
	expect(1, BASE + 400, 64, SC_INOUT, 2);
	assert_false(begin("keyctl", 99, BASE, BASE, BASE));
}

/* What was in the vector before stays, also when the table cannot tell. */
static void test_appends(void **state)
{
	struct sc_region other = {.addr = 1, .capacity = 1, .parent = -1};

	vec_clear(&regions);
	vec_push(&regions, other);
	row = sc_row_by_name("recvmmsg");
	call = (struct sc_call){.nr = row->nr, .args = {3, BASE, UINT32_MAX}};
	assert_false(sc_regions_begin(row, &call, &memory, &regions));
	assert_int_equal(regions.count, 1);
	assert_false(sc_regions_begin(NULL, &call, &memory, &regions));
	assert_int_equal(regions.count, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table_numbers),
		TEST(test_table_rows),
		TEST(test_table_hostile),
		TEST(test_refined),
		TEST(test_const),
		TEST(test_null),
		TEST(test_count_and_result),
		TEST(test_count_width),
		TEST(test_inout_is_saved_on_failure),
		TEST(test_fault),
		TEST(test_pointed_length),
		TEST(test_strings),
		TEST(test_readv),
		TEST(test_writev),
		TEST(test_hostile_iov),
		TEST(test_recvmsg),
		TEST(test_sendmsg),
		TEST(test_hostile_message),
		TEST(test_recvmmsg),
		TEST(test_many_messages),
		TEST(test_sockopt),
		TEST(test_fd_sets),
		TEST(test_file_handle),
		TEST(test_xattr_args),
		TEST(test_mounts),
		TEST(test_quota),
		TEST(test_landlock),
		TEST(test_fcntl),
		TEST(test_ioctl),
		TEST(test_sysfs),
		TEST(test_clone),
		TEST(test_clone3),
		TEST(test_wait4),
		TEST(test_prctl),
		TEST(test_arch),
		TEST(test_seccomp),
		TEST(test_capabilities),
		TEST(test_sched_attr),
		TEST(test_futex),
		TEST(test_sleep),
		TEST(test_memory_calls),
		TEST(test_syslog),
		TEST(test_sysv_control),
		TEST(test_sysv_messages),
		TEST(test_keyctl),
		TEST(test_appends),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	vec_deinit(&regions);
	return failed;
}
