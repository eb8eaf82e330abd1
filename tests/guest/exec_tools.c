/* Ordinary programs run with their input and output on pipes: cat, sort, wc, sh. */
#include "guest_task.h"

/* Run argv with this input, which fits a pipe; its output replaces the text in out. */
static int run(char **argv, const char *input, char *out, size_t size)
{
	int to[2], from[2];
	size_t len = 0;
	ssize_t n;

	need(pipe2(to, O_CLOEXEC));
	need(pipe2(from, O_CLOEXEC));
	pid_t pid = need(fork());
	if (pid == 0) {
		need(dup2(to[0], 0));
		need(dup2(from[1], 1));
		execvp(argv[0], argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	need(write(to[1], input, strlen(input)));
	close(to[1]);
	while ((n = read(from[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(from[0]);
	return WEXITSTATUS(wait_status(pid, 0));
}

int main(void)
{
	char out[1024];

	need(setenv("PATH", "/usr/bin:/bin", 1));
	need(setenv("LC_ALL", "C", 1));
	char *cat[] = {"cat", "-", NULL};
	expect_eq_long(run(cat, "through cat\n", out, sizeof(out)), 0, "status of cat");
	expect(strcmp(out, "through cat\n") == 0, "output of cat");
	char *sort[] = {"sort", "-n", NULL};
	expect_eq_long(run(sort, "10\n9\n100\n", out, sizeof(out)), 0, "status of sort");
	expect(strcmp(out, "9\n10\n100\n") == 0, "output of sort");
	char *wc[] = {"wc", "-c", NULL};
	expect_eq_long(run(wc, "12345", out, sizeof(out)), 0, "status of wc");
	expect_eq_long(atoi(out), 5, "output of wc");
	char *sh[] = {"sh", "-c", "read x; echo $((x * 2)) $$; (exit 4)", NULL};
	expect_eq_long(run(sh, "21\n", out, sizeof(out)), 4, "status of sh");
	show("shell: %s", out);
	expect_eq_long(atoi(out), 42, "output of sh");
	char *none[] = {"no-such-program-here", NULL};
	expect_eq_long(run(none, "", out, sizeof(out)), 127, "status of nothing");
	return done();
}
