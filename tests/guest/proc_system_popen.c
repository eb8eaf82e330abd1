/* system(), popen() for reading and writing, and their exit statuses. */
#include "guest_task.h"

int main(void)
{
	char line[128];

	int status = system("exit 9");
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 9, "system: status %#x",
	       (unsigned)status);
	status = system("kill -KILL $$");
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "system: killed by %d",
	       WTERMSIG(status));
	expect(system(NULL) != 0, "there is a shell");

	FILE *file = popen("echo $PPID; echo two; exit 3", "r");
	need(file ? 0 : -1);
	need(fgets(line, sizeof(line), file) ? 0 : -1);
	expect_eq_long(atoi(line), getpid(), "parent of the shell");
	need(fgets(line, sizeof(line), file) ? 0 : -1);
	expect(strcmp(line, "two\n") == 0, "second line");
	expect(fgets(line, sizeof(line), file) == NULL, "end of output");
	status = pclose(file);
	expect_eq_long(WEXITSTATUS(status), 3, "status of pclose");

	file = popen("read a; read b; test \"$a-$b\" = one-two && exit 5", "w");
	need(file ? 0 : -1);
	fprintf(file, "one\ntwo\n");
	status = pclose(file);
	expect_eq_long(WEXITSTATUS(status), 5, "status of pclose");

	/* A pipeline inside the shell. */
	file = popen("printf 'c\\na\\nb\\n' | sort | tr '\\n' ' '", "r");
	need(file ? 0 : -1);
	need(fgets(line, sizeof(line), file) ? 0 : -1);
	expect(strcmp(line, "a b c ") == 0, "sorted: %s", line);
	expect_eq_long(pclose(file), 0, "status of pclose");
	return done();
}
