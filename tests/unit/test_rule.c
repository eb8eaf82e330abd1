/* Rules: what is understood of them, which matches they act on, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "expr/rule.h"

static struct rule *parse(const char *text)
{
	struct rule *rule;
	struct error *error = rule_parse(text, &rule);

	if (error)
		fail_msg("%s", error->text);
	return rule;
}

/* Parses a rule of one action and expects its kind and number. */
static void one(const char *text, enum rule_kind kind, uint64_t number)
{
	struct rule *rule = parse(text);

	assert_string_equal(rule->text, text);
	assert_int_equal(rule->actions.count, 1);
	assert_int_equal(rule->actions.items[0].kind, kind);
	assert_int_equal(rule->actions.items[0].number, number);
	rule_destroy(rule);
}

static void test_actions(void **state)
{
	one("write(fd == 2) => exit(123)", RULE_EXIT, 123);
	one("open* => fail(ENOENT)", RULE_FAIL, ENOENT);
	one("open* => fail(13)", RULE_FAIL, 13);
	one("open => call(openat)", RULE_CALL, SYS_openat);
	one("open => call(999)", RULE_CALL, 999);
	one("%file => delay(10ms)", RULE_DELAY, 10000000);
	one("%file => delay(2s)", RULE_DELAY, 2000000000);
	one("%file => delay(7us)", RULE_DELAY, 7000);
	one("read => signal(SIGUSR1)", RULE_SIGNAL, SIGUSR1);
	one("read, write => log", RULE_LOG, 0);
	one("read(ret > 0) => after log", RULE_LOG, 0);
	one("read => before log:once", RULE_LOG, 0);
}

static void test_values(void **state)
{
	struct sc_call call = {.nr = SYS_write, .args = {1, 2, 9}, .ended = true, .result = 9};
	struct expr_process process = {.pid = 5, .tid = 6};
	struct expr_call at = {&call, NULL, &process};
	struct rule *rule = parse("(read, write) => set(fd = 7, count = count >> 1), log");

	assert_string_equal(expr_text(rule->expr), "(read, write)");
	assert_int_equal(rule->actions.count, 3);
	/* both assignments, in whatever order, and the log */
	for (int i = 0; i < 2; i++) {
		const struct rule_action *action = &rule->actions.items[i];
		bool fd = rule_arg(action, SYS_write) == 0;

		assert_int_equal(action->kind, RULE_SET);
		assert_int_equal(rule_arg(action, SYS_read), fd ? 0 : 2);
		assert_int_equal(rule_value(action, &at), fd ? 7 : 4);
		assert_int_equal(rule_arg(action, SYS_close), -1);
	}
	rule_destroy(rule);
	rule = parse("write => after return(ret - 1)");
	assert_int_equal(rule_value(&rule->actions.items[0], &at), 8);
	rule_destroy(rule);
	rule = parse("dup2 => set(fd = -1)");
	assert_int_equal(rule_arg(&rule->actions.items[0], SYS_dup2), 0);
	call.nr = SYS_dup2;
	assert_int_equal(rule_value(&rule->actions.items[0], &at), UINT64_MAX);
	rule_destroy(rule);
	rule = parse("%all => return(0)");
	call.nr = 5000;
	assert_int_equal(rule_value(&rule->actions.items[0], &at), 0);
	rule_destroy(rule);
}

static void test_memory(void **state)
{
	struct rule *rule = parse("openat(filename == \"/etc/*\") => path(\"/tmp/x\\x41\")");

	assert_int_equal(rule->actions.items[0].bytes.count, 8);
	assert_string_equal((char *)rule->actions.items[0].bytes.items, "/tmp/xA");
	assert_int_equal(rule_arg(&rule->actions.items[0], SYS_openat), 1);
	rule_destroy(rule);
	rule = parse("rename => path(newname = \"/tmp/*\")");
	assert_int_equal(rule_arg(&rule->actions.items[0], SYS_rename), 1);
	assert_string_equal((char *)rule->actions.items[0].bytes.items, "/tmp/*");
	rule_destroy(rule);
	rule = parse("read, recvfrom => after data(\"a\\0b\")");
	assert_int_equal(rule->actions.items[0].bytes.count, 3);
	assert_int_equal(rule_arg(&rule->actions.items[0], SYS_recvfrom), 1);
	rule_destroy(rule);
}

static void due(const char *text, const char *expected)
{
	struct rule *rule = parse(text);

	for (; *expected; expected++)
		assert_int_equal(rule_due(rule), *expected == 'x');
	rule_destroy(rule);
}

static void test_when(void **state)
{
	due("read => log", "xxxx");
	due("read => log:once", "x...");
	due("read => log:when=3", "..x..");
	due("read => log:when=3+", "..xxx");
	due("read => log:when=2+3", ".x..x..x");
	due("read => log :when = 2 + 3", ".x..x..x");
}

static void wrong(const char *text, const char *what, int column)
{
	struct rule *rule;
	struct error *error = rule_parse(text, &rule);
	const char *mark;

	if (!error)
		fail_msg("understood: %s", text);
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
	wrong("read", "expected => and an action, but the rule ends", 4);
	wrong("read =>", "expected an action", 7);
	wrong("reed => log", "do you mean 'read'?", 0);
	wrong("read => explode", "there is no action 'explode'; the actions are exit fail", 8);
	wrong("read => exit", "expected an opening bracket", 12);
	wrong("read => exit(256)", "exit takes a number from 0 to 255", 13);
	wrong("read => exit(fd)", "there is nothing named 'fd'", 13);
	wrong("read => exit(a0)", "a constant is needed", 13);
	wrong("read => exit(-1)", "exit takes a number from 0 to 255", 13);
	wrong("read => fail(0)", "fail takes a number from 1 to 4095", 13);
	wrong("read => fail(ENOPE)", "there is nothing named 'ENOPE'", 13);
	wrong("read => fail(EFOO)", "there is nothing named 'EFOO'; errors have the names that",
	      13);
	wrong("read => fail(ENOENTT)", "do you mean 'ENOENT'?", 13);
	wrong("read => set(fdd = 1)", "read has no argument 'fdd'", 12);
	wrong("(read, getpid) => set(fd = 1)", "getpid has no argument 'fd'", 22);
	wrong("read => set(fd == 1)", "expected = behind", 15);
	wrong("read => return(ret)", "write => after", 15);
	wrong("read(ret > 1) => log", "write => after", 17);
	wrong("read => after set(fd = 1)", "set makes no sense after the call", 14);
	wrong("read => path(\"x\")", "read has no path argument", 13);
	wrong("rename => path(old = \"x\")", "rename has no path argument old", 15);
	wrong("open => path(\"\")", "a path has 1 to 4095 bytes", 13);
	wrong("write => data(\"x\")", "write has no output argument", 14);
	wrong("read => delay(10)", "expected a time with its unit", 14);
	wrong("read => delay(10m)", "expected a time with its unit", 14);
	wrong("read => delay(99999999999s)", "too long a time", 14);
	wrong("read => fail(1), exit(1)", "a rule can have one", 8);
	wrong("read => fail(1), set(fd = 1)", "of no use", 8);
	wrong("read => log:", "expected once or when", 12);
	wrong("read => log:when=0", "a number from 1 on", 17);
	wrong("read => log:when=1+0", "a number from 1 on", 19);
	wrong("read => log log", "expected a comma", 12);
	wrong("read => call(nothing)", "there is no system call 'nothing'", 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),	 cmocka_unit_test(test_values),
		cmocka_unit_test(test_memory),	 cmocka_unit_test(test_when),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
