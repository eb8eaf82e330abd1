/* execve() of this program with arguments and an environment, first with odd contents. */
#include "guest_task.h"

extern char **environ;

static int second(int argc, char **argv)
{
	int n = 0;

	show("second image: pid %d of %d", getpid(), getppid());
	expect_eq_long(argc, 5, "argc");
	expect(strcmp(argv[2], "") == 0, "an empty argument");
	expect(strcmp(argv[3], "with space and\nnewline") == 0, "an argument with a newline");
	expect(strcmp(argv[4], "\xff\xfe\x01") == 0, "an argument that is not UTF-8");
	expect(argv[5] == NULL, "the end of argv");
	for (char **e = environ; *e != NULL; e++, n++)
		show("environment: %s", *e);
	expect_eq_long(n, 3, "environment entries");
	expect(getenv("SECOND") != NULL && strcmp(getenv("SECOND"), "2=2") == 0, "SECOND");
	expect_eq_long(atoi(getenv("PARENT")), getpid(), "pid kept over exec");
	return done();
}

int main(int argc, char **argv)
{
	char pid[32];

	if (argc > 1 && strcmp(argv[1], "second") == 0)
		return second(argc, argv);
	snprintf(pid, sizeof(pid), "PARENT=%d", getpid());
	char *new_argv[] = {"any name",	    "second", "", "with space and\nnewline",
			    "\xff\xfe\x01", NULL};
	char *new_env[] = {"FIRST=1", "SECOND=2=2", pid, NULL};
	show("first image: %s", guest_base(argv[0]));
	need(execve("/proc/self/exe", new_argv, new_env));
	return 1;
}
