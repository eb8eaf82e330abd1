/* The expression language: what is understood and what is not, evaluation, and the seccomp programs:
 * run by a small interpreter and by the kernel, on random calls, against the evaluator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "expr/expr.h"
#include "expr/glob.h"
#include "syscalls/constants.h"
#include "syscalls/names.h"
#include "util/cleanup.h"

#define A(pointer) ((uint64_t)(uintptr_t)(pointer))

/* ---- calls as a tool would present them ---- */

/* Our own memory, of which not every address is there. */
static size_t read_self(void *context, taddr addr, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)addr, length};
	ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return got < 0 ? 0 : (size_t)got;
}

static const struct sc_memory memory = {.read = read_self};

static size_t comm(void *context, char *to, size_t room)
{
	memcpy(to, "cc1", 3);
	return 3;
}

static size_t fd_path(void *context, int fd, char *to, size_t room)
{
	return (size_t)sprintf(to, "/dev/fd-%d", fd);
}

static const struct expr_process process = {
	.pid = 100, .tid = 101, .comm = comm, .fd_path = fd_path};

static struct expr *parse(const char *text)
{
	struct expr *expr;
	struct error *error = expr_parse(text, &expr);

	if (error)
		fail_msg("%s", error->text);
	return expr;
}

static enum expr_answer at_entry(const char *text, struct sc_call call)
{
	struct expr *expr = parse(text);
	struct expr_call at = {&call, &memory, &process};
	enum expr_answer answer = expr_match_entry(expr, &at, NULL);

	expr_destroy(expr);
	return answer;
}

static bool at_end(const char *text, struct sc_call call, int64_t result)
{
	struct expr *expr = parse(text);
	struct expr_call at = {&call, &memory, &process};
	bool answer;

	call.ended = true;
	call.result = result;
	answer = expr_match_exit(expr, &at, NULL);
	expr_destroy(expr);
	return answer;
}

#define CALL(number, ...) ((struct sc_call){.nr = (number), .args = {__VA_ARGS__}})
#define yes(text, ...)	  assert_int_equal(at_entry(text, CALL(__VA_ARGS__)), EXPR_YES)
#define no(text, ...)	  assert_int_equal(at_entry(text, CALL(__VA_ARGS__)), EXPR_NO)
#define maybe(text, ...)  assert_int_equal(at_entry(text, CALL(__VA_ARGS__)), EXPR_MAYBE)

/* ---- the language ---- */

static void test_calls(void **state)
{
	yes("read", SYS_read);
	no("read", SYS_write);
	yes("read,write", SYS_write);
	yes("open*", SYS_openat);
	no("open*", SYS_read);
	yes("?ead", SYS_read);
	yes("39", SYS_getpid);
	yes("%file", SYS_openat);
	no("%file", SYS_read);
	yes("%network , %signal", SYS_kill);
	yes("%all", 1000);
	yes("%all", SYS_read);
	yes("all", 1000);
	yes("network, file", SYS_open);
	no("network, file", SYS_read);
	no("none", SYS_read);
	no("!read", SYS_read);
	yes("!read", SYS_write);
	yes("!read", 1000);
	no("!(read, write)", SYS_write);
	no("!read,!write", SYS_write);
	no("%desc, !read", SYS_read);
	yes("%desc, !read", SYS_write);
	no("!read, %desc", SYS_read);
	yes("(read, write)(fd == 2)", SYS_write, 2);
	no("(read, write)(fd == 2)", SYS_write, 3);
	yes("read()", SYS_read);
}

static void test_numbers(void **state)
{
	yes("mmap(len >= 0x80000)", SYS_mmap, 0, 0x80000);
	no("mmap(len >= 0x80000)", SYS_mmap, 0, 0x7ffff);
	yes("mmap(len >= 512K)", SYS_mmap, 0, 0x80000);
	yes("mmap(len == 1M)", SYS_mmap, 0, 1 << 20);
	yes("mmap(len == 1G)", SYS_mmap, 0, 1 << 30);
	yes("chmod(mode == 0644)", SYS_chmod, 0, 0644);
	yes("chmod(mode == 0o644)", SYS_chmod, 0, 0644);
	yes("read(count == 0b101)", SYS_read, 0, 0, 5);
	yes("read(count == 18446744073709551615)", SYS_read, 0, 0, UINT64_MAX);
	yes("read(count == -1)", SYS_read, 0, 0, UINT64_MAX);
	yes("0x10 < a0", 1000, 0x11);
}

static void test_signs(void **state)
{
	/* 32-bit descriptors: the upper half of the register means nothing */
	yes("read(fd == -1)", SYS_read, 0x12345678ffffffff);
	yes("read(fd == 0xffffffff)", SYS_read, UINT64_MAX);
	yes("read(fd < 0)", SYS_read, 0xffffffff);
	no("read(fd > 2)", SYS_read, 0xffffffff);
	yes("read(fd == 3)", SYS_read, 0x700000003);
	/* sizes have no sign */
	yes("read(count > 0x7fffffffffffffff)", SYS_read, 0, 0, UINT64_MAX);
	yes("lseek(offset < 0)", SYS_lseek, 0, (uint64_t)-5);
	yes("lseek(offset == -5)", SYS_lseek, 0, (uint64_t)-5);
	yes("fchown(user == -1)", SYS_fchown, 0, 0xffffffff);
	/* true values, whatever the signs of the two sides */
	yes("read(fd < count)", SYS_read, (uint32_t)-1, 0, 0);
	no("read(fd == count)", SYS_read, (uint32_t)-1, 0, UINT64_MAX);
}

static void test_flags(void **state)
{
	yes("mmap(prot & PROT_EXEC)", SYS_mmap, 0, 0, 5);
	no("mmap(prot & PROT_EXEC)", SYS_mmap, 0, 0, 3);
	yes("mmap(prot == PROT_READ|PROT_WRITE)", SYS_mmap, 0, 0, 3);
	yes("mmap(prot & PROT_EXEC == 0)", SYS_mmap, 0, 0, 3);
	yes("mmap(!prot & PROT_EXEC)", SYS_mmap, 0, 0, 3);
	yes("openat(flags & O_CREAT && flags & O_WRONLY)", SYS_openat, 0, 0, O_CREAT | O_WRONLY);
	yes("openat(dfd == AT_FDCWD)", SYS_openat, (uint32_t)AT_FDCWD);
	yes("kill(sig == SIGKILL)", SYS_kill, 1, 9);
	yes("chmod(mode & ~0777)", SYS_chmod, 0, 04755);
	no("chmod(mode & ~0777)", SYS_chmod, 0, 0755);
	yes("socket(family == AF_INET)", SYS_socket, AF_INET);
	yes("read(1 << fd & 0x6)", SYS_read, 2);
	yes("mmap(addr + len > 0x2000)", SYS_mmap, 0x1fff, 2);
	yes("mmap(len - 1 >= 4095)", SYS_mmap, 0, 4096);
	yes("read(count * 2 == 8)", SYS_read, 0, 0, 4);
	yes("read(fd ^ 1 == 3)", SYS_read, 2);
	yes("read(~fd == 0xfffffffd)", SYS_read, 2);
	yes("read(-fd == -2)", SYS_read, 2);
	yes("write(-count == -2)", SYS_write, 0, 0, 2);
}

static void test_logic(void **state)
{
	yes("read(fd == 1 || fd == 2 && count == 3)", SYS_read, 1, 0, 9);
	no("read((fd == 1 || fd == 2) && count == 3)", SYS_read, 1, 0, 9);
	yes("read(!(fd == 1) && !!(count == 9))", SYS_read, 2, 0, 9);
	yes("read(!fd == 1)", SYS_read, 2);
	yes("read(fd)", SYS_read, 2);
	no("read(fd)", SYS_read, 0);
	yes("read(1)", SYS_read);
	no("read(0)", SYS_read);
	yes("read(2 == fd)", SYS_read, 2);
	yes("read(3 > fd)", SYS_read, 2);
	no("write, !write(fd == 1)", SYS_write, 1);
	yes("write, !write(fd == 1)", SYS_write, 2);
}

static void test_process(void **state)
{
	yes("comm == \"cc1\"", SYS_read);
	yes("\"cc1\" == comm", SYS_read);
	yes("comm == \"cc?\"", 1000);
	no("comm != \"c*\"", SYS_read);
	yes("%all(comm == \"cc1\" && pid == 100)", SYS_kill, 7);
	yes("pid == 100", SYS_kill, 7);
	yes("kill(pid == 7 && caller_pid == 100)", SYS_kill, 7);
	yes("tid == 101", SYS_read);
	yes("!comm == \"make\"", SYS_read);
	no("!comm == \"cc1\"", SYS_read);
	yes("(comm == \"x\" || tid == 101)", SYS_read);
}

static void test_texts(void **state)
{
	yes("openat(filename == \"/etc/*\")", SYS_openat, 0, A("/etc/x/passwd"));
	no("openat(filename == \"/etc/*\")", SYS_openat, 0, A("/usr/etc/passwd"));
	yes("openat(filename != \"/etc/*\")", SYS_openat, 0, A("/usr"));
	no("openat(filename == \"*\")", SYS_openat, 0, 16);
	yes("%file(path == \"/b\")", SYS_rename, A("/a"), A("/b"));
	no("%file(path == \"/c\")", SYS_rename, A("/a"), A("/b"));
	no("%file(path != \"/b\")", SYS_rename, A("/a"), A("/b"));
	yes("write(buf == \"*error*\")", SYS_write, 1, A("an error\n"), 9);
	no("write(buf == \"*error*\")", SYS_write, 1, A("an error\n"), 4);
	yes("openat(filename == \"a\\*b\")", SYS_openat, 0, A("a*b"));
	no("openat(filename == \"a\\*b\")", SYS_openat, 0, A("axb"));
	yes("write(buf == \"a\\nb\\x41\\0\")", SYS_write, 1, A("a\nbA\0"), 5);
	yes("read(fd == \"/dev/fd-3\")", SYS_read, 3);
	maybe("read(buf == \"x\")", SYS_read, 3, A("x"), 8);
	assert_true(at_end("read(buf == \"x\")", CALL(SYS_read, 3, A("xyz"), 8), 1));
	assert_false(at_end("read(buf == \"x\")", CALL(SYS_read, 3, A("xyz"), 8), -EIO));
}

static void test_results(void **state)
{
	maybe("read(ret == 3)", SYS_read);
	no("read(ret == 3 && fd == 1)", SYS_read, 2);
	yes("read(ret == 3 || fd == 1)", SYS_read, 1);
	maybe("read(!ret == 3)", SYS_read);
	maybe("read, !read(ret == 3)", SYS_read);
	assert_true(at_end("read(ret == 3)", CALL(SYS_read), 3));
	assert_true(at_end("read(ret < 0 && errno == EBADF)", CALL(SYS_read), -EBADF));
	assert_true(at_end("read(errno)", CALL(SYS_read), -EBADF));
	assert_false(at_end("read(errno)", CALL(SYS_read), 5));
	assert_true(at_end("mmap(ret >= 0x7f0000000000)", CALL(SYS_mmap), 0x7f1234567000));
	assert_false(at_end("mmap(ret >= 0x7f0000000000)", CALL(SYS_mmap), -ENOMEM));
}

/* What the path was when the call was made counts, whatever it is at the end. */
static void test_memo(void **state)
{
	char path[] = "/etc/passwd";
	struct sc_call call = CALL(SYS_openat, 0, A(path));
	struct expr *expr = parse("openat(filename == \"/etc/*\" && errno == ENOENT)");
	struct expr_call at = {&call, &memory, &process};
	struct expr_memo memo = {0};

	assert_int_equal(expr_match_entry(expr, &at, &memo), EXPR_MAYBE);
	path[1] = 'x';
	call.ended = true;
	call.result = -ENOENT;
	assert_true(expr_match_exit(expr, &at, &memo));
	assert_false(expr_match_exit(expr, &at, NULL));
	expr_destroy(expr);
}

static void test_which_calls(void **state)
{
	struct expr *expr = parse("%desc(fd == 3), !read, write(ret > 0), !pread64(fd == 3)");

	assert_true(expr_may_match(expr, SYS_write));
	assert_false(expr_may_match(expr, SYS_read));
	assert_true(expr_may_match(expr, SYS_pread64));
	assert_false(expr_may_match(expr, SYS_getpid));
	assert_false(expr_may_match(expr, 1000));
	assert_true(expr_needs_result(expr, SYS_write));
	assert_false(expr_needs_result(expr, SYS_close));
	assert_string_equal(expr_text(expr),
			    "%desc(fd == 3), !read, write(ret > 0), !pread64(fd == 3)");
	expr_destroy(expr);
}

/* ---- mistakes ---- */

static void wrong(const char *text, const char *what, int column)
{
	struct expr *expr;
	struct error *error = expr_parse(text, &expr);
	const char *mark;

	if (!error)
		fail_msg("understood: %s", text);
	assert_null(expr);
	if (!strstr(error->text, what))
		fail_msg("%s: %s is not in: %s", text, what, error->text);
	mark = strrchr(error->text, '\t');
	assert_non_null(mark);
	if (strlen(mark) - 2 != (size_t)column)
		fail_msg("expected column %d: %s", column, error->text);
	error_free(error);
}

static void test_mistakes(void **state)
{
	wrong("", "expected the name of a system call or a class", 0);
	wrong("reed", "do you mean 'read'?", 0);
	wrong("read,opennat", "do you mean 'openat'?", 5);
	wrong("xyzzyplugh", "there is no system call 'xyzzyplugh'", 0);
	wrong("xyz*", "no system call has a name like", 0);
	wrong("%files", "there is no class '%files'", 1);
	wrong("99999", "has this number", 0);
	wrong("read(", "expected a name, a number or a string, but the expression ends", 5);
	wrong("read(fd == )", "expected a name, a number or a string", 11);
	wrong("read(fd == 2", "expected an operator or a closing bracket", 12);
	wrong("read(fd == 2))", "expected a comma or the end", 13);
	wrong("mmap(lenn >= 1)", "mmap has no argument 'lenn'; its arguments are addr, len, prot",
	      5);
	wrong("mmap(len >= LEN)", "mmap has no argument 'LEN'", 12);
	wrong("openat(errno == EFOO)",
	      "openat has no argument 'EFOO', and there is no constant of that "
	      "name; errors have the names that errno(3) lists",
	      16);
	wrong("%all(errno == ENOENTT)", "nothing named 'ENOENTT'; do you mean 'ENOENT'?", 14);
	wrong("kill(sig == SIGXYZZY)",
	      "SIGXYZZY', and there is no constant of that name; signals have", 12);
	wrong("openat(flags == FOOBAR)", "constants have the names that warp trace prints", 16);
	wrong("openat(flags == O_RDWRR)", "do you mean 'O_RDWR'?", 16);
	wrong("getpid(fd == 1)", "it has none at all", 7);
	wrong("%process(statbuf == 0)", "none of these calls has 'statbuf'", 9);
	wrong("%all(nonsense == 0)", "no system call has an argument 'nonsense'", 5);
	wrong("read(fd == 0x100000000)", "32 bits that are signed", 11);
	wrong("read(count > -1)", "64 bits that are unsigned", 13);
	wrong("read(fd = 2)", "expected an operator", 8);
	wrong("read(fd == 2x)", "this is no number", 11);
	wrong("read(fd == 0x)", "needs digits", 11);
	wrong("read(fd == 08)", "this is no number", 11);
	wrong("read(count == 99999999999999999999)", "more than 64 bits", 14);
	wrong("read(count == 99999999999G)", "more than 64 bits", 14);
	wrong("read(fd == 1 == 2)", "comparison of a comparison", 13);
	wrong("read(count == \"x\")", "no text", 5);
	wrong("read(\"x\")", "a text is no condition", 5);
	wrong("comm < \"x\"", "== or != only", 5);
	wrong("comm == 3", "compared with a string", 5);
	wrong("openat(filename + 1 == 2 && (fd == 1) + 1)", "has no argument 'fd'", 29);
	wrong("read((fd == 1) + 1)", "a number is needed", 9);
	wrong("comm == \"x", "the string has no end", 8);
	wrong("read(fd == $)", "means nothing here", 11);
	wrong("!read, write", "write !(read, write)", 0);
	wrong("!!read", "one ! is enough", 1);
	wrong("comm == \"ä\" && fdd == 1", "fdd", 15);
}

static void test_large(void **state)
{
	char *text = xmalloc(70000);
	struct expr *expr;

	memset(text, '(', 60000);
	text[60000] = 0;
	wrong(text, "too many brackets", 60);
	strcpy(text, "read(");
	for (int i = 0; i < 3000; i++)
		strcat(text, "fd || ");
	struct error *error = expr_parse(text, &expr);
	assert_non_null(error);
	assert_non_null(strstr(error->text, "the condition is too long"));
	error_free(error);
	*text = 0;
	for (int i = 0; i < 3000; i++)
		strcpy(text + 3 * i, "*,*");
	error = expr_parse(text, &expr);
	assert_non_null(error);
	assert_non_null(strstr(error->text, "the expression is too long"));
	error_free(error);
	free(text);
}

static void test_globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{"", "", true},		  {"*", "", true},
		{"a*", "abc", true},	  {"*c", "abc", true},
		{"a*c*e", "abcde", true}, {"a?c", "abc", true},
		{"a?c", "ac", false},	  {"[a-c]x", "bx", true},
		{"[!a-c]x", "bx", false}, {"[]]", "]", true},
		{"[", "[", true},	  {"a\\*", "a*", true},
		{"a\\*", "ab", false},	  {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
		{"a**", "a", true},	  {"[a", "[a", true},
		{"\\", "\\", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (glob_match(cases[i].pattern, strlen(cases[i].pattern), cases[i].text,
			       strlen(cases[i].text)) != cases[i].matches)
			fail_msg("%s and %s", cases[i].pattern, cases[i].text);
}

/* A name has one value, so it needs no context. */
static void test_constants(void **state)
{
#define TABLE(id) &names_##id,
	static const struct names *const tables[] = {NAMES_LIST(TABLE)};
#undef TABLE
	int64_t value;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (size_t j = 0; j < tables[i]->count; j++) {
			assert_true(sc_constant(tables[i]->items[j].text, &value));
			assert_int_equal(value, tables[i]->items[j].value);
		}
	assert_true(sc_constant("ENOENT", &value) && value == ENOENT);
	assert_true(sc_constant("SIGTERM", &value) && value == SIGTERM);
	assert_true(sc_constant("AT_FDCWD", &value) && value == AT_FDCWD);
	assert_false(sc_constant("PROT_", &value));
	assert_false(sc_constant("", &value));
}

/* ---- seccomp programs ---- */

#define MATCH 0x7ff00000u /* SECCOMP_RET_TRACE */

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	assert_true(offset <= sizeof(*data) - 4 && offset % 4 == 0);
	memcpy(&word, (const char *)data + offset, 4);
	return word;
}

static bool jumps(const struct sock_filter *insn, uint32_t a)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == insn->k;
	case BPF_JGT:
		return a > insn->k;
	case BPF_JGE:
		return a >= insn->k;
	}
	fail_msg("unexpected jump %#x", insn->code);
	return false;
}

static uint32_t interpret(const struct expr_code *code, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < code->count; pc++) {
		const struct sock_filter *insn = &code->items[pc];

		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
			a = load(data, insn->k);
			break;
		case BPF_ALU:
			a = BPF_OP(insn->code) == BPF_AND ? a & insn->k : a ^ insn->k;
			break;
		case BPF_JMP:
			pc += BPF_OP(insn->code) == BPF_JA ? insn->k
			      : jumps(insn, a)		   ? insn->jt
							   : insn->jf;
			break;
		case BPF_RET:
			return insn->k;
		}
	}
	fail_msg("the program has no end");
	return 0;
}

/* Expressions that a program decides completely. */
static const char *const exact[] = {
	"mmap(len >= 0x80000)",
	"read, write(fd == 2)",
	"%desc(fd == 2)",
	"%desc(fd >= 2), !close",
	"!%file",
	"%all",
	"!(read, write), %desc(fd > 3)",
	"lseek(offset < -1)",
	"lseek(offset >= 0x100000000)",
	"lseek(offset > -0x100000001 && offset <= 5)",
	"read(fd < 0 || count > 0xffffffff)",
	"read(fd != 1 && !(count <= 0x100000000))",
	"mmap(prot & PROT_EXEC && flags & MAP_ANONYMOUS)",
	"mmap(prot & (PROT_READ|PROT_EXEC) == PROT_READ)",
	"mmap(addr & 0xffffffff00000000)",
	"mmap(addr & 0x1000000010 >= 0x1000000000)",
	"mmap(addr != 0), munmap(addr == 0x7f0000000000)",
	"kill(sig == SIGKILL || sig == SIGTERM)",
	"*chown*(user != -1)",
	"(read, write, pread64, pwrite64)(count > 10 && count < 20 || count == -1)",
	"write, !write(fd == 1), !write(count == 0)",
	"%all(a0 == 3 && a1 > 5)",
	"!%all(a0 == 3), %all",
	"read(1), write(0)",
	"fchown(user == -1 && group == 0xffffffff)",
};

static const uint64_t interesting[] = {
	0,
	1,
	2,
	3,
	4,
	5,
	10,
	11,
	19,
	20,
	0x7ffff,
	0x80000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x100000001,
	0x1000000000,
	0x1000000010,
	0x7f0000000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffeffffffff,
	0xffffffff00000000,
	0xfffffffefffffffe,
	0xfffffffffffffffe,
	0xffffffffffffffff,
	9,
	15,
	0x22,
};

static uint64_t random_state = 88172645463325252ull;

static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t random_argument(void)
{
	uint64_t one = interesting[random_bits() % (sizeof(interesting) / sizeof(*interesting))];

	switch (random_bits() % 4) {
	case 0:
		return random_bits();
	case 1:
		return random_bits() << 32 | (uint32_t)one;
	default:
		return one;
	}
}

static struct sc_call random_call(int nr)
{
	struct sc_call call = {.nr = nr};

	for (int i = 0; i < SC_ARGS; i++)
		call.args[i] = random_argument();
	return call;
}

static int random_number(void)
{
	if (random_bits() % 20 == 0)
		return (int)(random_bits() % 2000);
	if (random_bits() % 2)
		return (int)(random_bits() % 12);
	return sc_row_at(random_bits() % sc_row_count())->nr;
}

static struct seccomp_data as_data(const struct sc_call *call)
{
	struct seccomp_data data = {
		.nr = call->nr, .arch = arch.audit_arch, .instruction_pointer = 0x401000};

	memcpy(data.args, call->args, sizeof(data.args));
	return data;
}

static const struct expr_bpf_options options = {MATCH, SECCOMP_RET_ALLOW};

static void compare_program(const struct expr *const *exprs, size_t count, bool exactly)
{
	struct expr_code code = {0};

	expr_bpf(exprs, count, &options, &code);
	assert_true(code.count <= BPF_MAXINSNS);
	for (int i = 0; i < 20000; i++) {
		struct sc_call call = random_call(random_number());
		struct seccomp_data data = as_data(&call);
		struct expr_call at = {&call, &memory, &process};
		bool stops = interpret(&code, &data) == MATCH, wanted = false;

		for (size_t e = 0; e < count; e++)
			wanted |= expr_match_entry(exprs[e], &at, NULL) != EXPR_NO;
		if (exactly ? stops != wanted : wanted && !stops)
			fail_msg("%s: call %d(%#lx, %#lx, %#lx): program %d, evaluator %d",
				 expr_text(exprs[0]), call.nr, call.args[0], call.args[1],
				 call.args[2], stops, wanted);
	}
	vec_deinit(&code);
}

static void test_programs(void **state)
{
	const struct expr *all[sizeof(exact) / sizeof(*exact)];
	size_t count = sizeof(exact) / sizeof(*exact);

	for (size_t i = 0; i < count; i++) {
		all[i] = parse(exact[i]);
		compare_program(&all[i], 1, true);
	}
	for (size_t i = 0; i + 3 <= count; i++)
		compare_program(all + i, 3, true);
	for (size_t i = 0; i < count; i++)
		expr_destroy((struct expr *)all[i]);
}

/* Programs let stop what they cannot tell. */
static void test_approximations(void **state)
{
	static const char *const texts[] = {
		"read(count == fd)",
		"read(!(count == fd || fd == 1))",
		"write(ret == 3 && fd == 1)",
		"write, !write(ret == 3 && fd == 1)",
		"write, !write(ret == 3 || fd == 1)",
		"comm == \"cc1\"",
		"comm != \"cc1\"",
		"%all(comm == \"cc1\" && a0 < 5)",
		"!comm == \"cc1\"",
		"read(count + 1 == 4 || fd == 3)",
		"%file(path == \"/etc/*\")",
		"pid == 100 && tid == 101",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const struct expr *expr = parse(texts[i]);

		compare_program(&expr, 1, false);
		expr_destroy((struct expr *)expr);
	}
}

/* Not everything stops where something is unknown. */
static void test_no_needless_stop(void **state)
{
	struct expr_code code = {0};
	const struct expr *expr = parse("write(ret == 3 && fd == 1)");
	struct sc_call call = CALL(SYS_write, 2);
	struct seccomp_data data = as_data(&call);

	expr_bpf(&expr, 1, &options, &code);
	assert_int_equal(interpret(&code, &data), SECCOMP_RET_ALLOW);
	data.args[0] = 1;
	assert_int_equal(interpret(&code, &data), MATCH);
	data.instruction_pointer = WARP_CODE_PAGE + 2;
	assert_int_equal(interpret(&code, &data), SECCOMP_RET_ALLOW);
	data.instruction_pointer = 0x401000;
	data.arch = AUDIT_ARCH_I386;
	assert_int_equal(interpret(&code, &data), SECCOMP_RET_ALLOW);
	vec_deinit(&code);
	expr_destroy((struct expr *)expr);
}

/* A chain of comparisons whose jumps go over more than 255 instructions, and one for which there are
 * not enough instructions: then more calls stop, but none too few. */
static void test_long_programs(void **state)
{
	char *text = xmalloc(60000);
	const struct expr *expr;
	struct expr_code code = {0};

	strcpy(text, "read(fd == 1 && (count == 77");
	for (int i = 0; i < 180; i++)
		sprintf(text + strlen(text), " || count == %d", 1000 + i);
	strcat(text, ") || fd == 3), write(fd == 2)");
	expr = parse(text);
	expr_bpf(&expr, 1, &options, &code);
	assert_true(code.count > 700);
	vec_deinit(&code);
	compare_program(&expr, 1, true);
	expr_destroy((struct expr *)expr);

	*text = 0;
	for (int i = 0; i < 40; i++) {
		sprintf(text + strlen(text), "%s%s(fd == %d", i ? "," : "",
			i % 2 ? "read" : "write", i);
		for (int j = 0; j < 60; j++)
			sprintf(text + strlen(text), " && count != %d", j);
		strcat(text, ")");
	}
	strcat(text, ",close(fd == 1)");
	expr = parse(text);
	compare_program(&expr, 1, false);
	expr_destroy((struct expr *)expr);
	free(text);
}

/* ---- by the kernel ---- */

/* The errno of calls that the program under test lets pass, and of those that it does not. */
#define PASSED	777
#define STOPPED 1000
#define CALLS	3000

static void install(const struct sock_filter *insns, size_t count)
{
	struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)insns};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		_exit(2);
}

/* Answers every call with an error. Of two programs that do so, the younger one's error counts
 * (seccomp(2)), and it is the program under test. seccomp itself is needed to install that. */
static const struct sock_filter answers[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | PASSED),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* The kernel lets the calls of its uprobes pass without asking any program (335 and 336;
 * kernel/seccomp.c, since 6.14). */
static int number_for_kernel(void)
{
	int nr;

	do
		nr = random_number();
	while (nr == SYS_seccomp || nr == SYS_prctl || nr == 335 || nr == 336);
	return nr;
}

/* No call of its own works any more: it ends by a trap, and says in results[CALLS] that it is done. */
static _Noreturn void make_calls(const struct expr_code *code, const struct sc_call *calls,
				 int *results)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(SIGILL, SIG_DFL); /* the trap is not a failed test's */
	install(answers, sizeof(answers) / sizeof(*answers));
	install(code->items, code->count);
	for (size_t i = 0; i < CALLS; i++) {
		const uint64_t *a = calls[i].args;

		errno = 0;
		syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		results[i] = errno;
	}
	results[CALLS] = 1;
	__builtin_trap();
}

static void compare_with_kernel(const char *text, struct sc_call *calls, int *results)
{
	const struct expr_bpf_options refuse = {SECCOMP_RET_ERRNO | STOPPED, SECCOMP_RET_ALLOW};
	const struct expr *expr = parse(text);
	struct expr_code code = {0};
	int status;
	pid_t child;

	expr_bpf(&expr, 1, &refuse, &code);
	for (size_t i = 0; i < CALLS; i++)
		calls[i] = random_call(number_for_kernel());
	results[CALLS] = 0;
	child = fork();
	if (!child)
		make_calls(&code, calls, results);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && results[CALLS]);
	for (size_t i = 0; i < CALLS; i++) {
		struct expr_call at = {&calls[i], &memory, &process};
		bool match = expr_match_entry(expr, &at, NULL) != EXPR_NO;

		if (results[i] != (match ? STOPPED : PASSED))
			fail_msg("%s: call %d(%#lx, %#lx, %#lx): kernel %d, evaluator %d", text,
				 calls[i].nr, calls[i].args[0], calls[i].args[1], calls[i].args[2],
				 results[i], match);
	}
	vec_deinit(&code);
	expr_destroy((struct expr *)expr);
}

static void test_kernel(void **state)
{
	struct sc_call *calls = xcalloc(CALLS, sizeof(*calls));
	size_t size = (CALLS + 1) * sizeof(int);
	int *results = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(results != MAP_FAILED);
	for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++)
		compare_with_kernel(exact[i], calls, results);
	munmap(results, size);
	free(calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_logic),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_memo),
		cmocka_unit_test(test_which_calls),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_approximations),
		cmocka_unit_test(test_no_needless_stop),
		cmocka_unit_test(test_long_programs),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
