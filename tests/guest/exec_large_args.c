/* 100 KB of arguments and as much environment pass through execve() unchanged. */
#include "guest_task.h"

#define STRINGS 200
#define LENGTH	512

extern char **environ;

static void fill(char *text, int number, const char *prefix)
{
	int len = sprintf(text, "%s%d=", prefix, number);
	for (int i = len; i < LENGTH - 1; i++)
		text[i] = (char)('!' + (i * 7 + number) % 90);
	text[LENGTH - 1] = '\0';
}

static void check(char **strings, const char *prefix)
{
	char want[LENGTH];
	int bad = 0;

	for (int i = 0; i < STRINGS; i++) {
		fill(want, i, prefix);
		if (strings[i] == NULL || strcmp(strings[i], want) != 0)
			bad++;
	}
	expect_eq_long(bad, 0, "strings that differ");
	expect(strings[STRINGS] == NULL, "end of the list at %p", (void *)strings);
}

int main(int argc, char **argv)
{
	static char args[STRINGS][LENGTH], envs[STRINGS][LENGTH];
	char *new_argv[STRINGS + 3] = {"exec_large_args", "second"};
	char *new_env[STRINGS + 1] = {NULL};

	if (argc > 2) {
		expect_eq_long(argc, STRINGS + 2, "argc");
		check(argv + 2, "arg");
		check(environ, "env");
		show("strings from %p to %p", (void *)argv[0], (void *)environ[STRINGS - 1]);
		return done();
	}
	for (int i = 0; i < STRINGS; i++) {
		fill(args[i], i, "arg");
		fill(envs[i], i, "env");
		new_argv[i + 2] = args[i];
		new_env[i] = envs[i];
	}
	need(execve("/proc/self/exe", new_argv, new_env));
	return 1;
}
