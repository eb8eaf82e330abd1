/* Scripts that start with #!: the shell, this program as interpreter with an option, a chain. */
#include "guest_task.h"

static const char *write_script(const char *name, const char *text)
{
	const char *path = temp_path(name);
	int fd = need(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
	need(write(fd, text, strlen(text)));
	close(fd);
	return path;
}

static void run(const char *path, int status)
{
	fflush(stdout);
	pid_t pid = need(fork());
	if (pid == 0) {
		execl(path, "ignored name", "one", "two words", NULL);
		_exit(errno);
	}
	expect_child(pid, status);
}

int main(int argc, char **argv)
{
	char text[PATH_MAX + 64], self[PATH_MAX] = "";

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			show("interpreter's argument %d: %s", i, argv[i]);
		expect_eq_long(argc, 5, "argc");
		expect(strcmp(argv[1], "-opt with spaces") == 0, "one optional argument");
		expect(strcmp(argv[3], "one") == 0 && strcmp(argv[4], "two words") == 0,
		       "the caller's arguments");
		return done() + 30;
	}
	need(readlink("/proc/self/exe", self, sizeof(self) - 1));
	run(write_script("shell", "#!/bin/sh\necho \"$# $1/$2\"\nexit 14\n"), 14);
	run(write_script("spaces", "#! \t /bin/sh -e \nfalse\nexit 3\n"), 1);
	snprintf(text, sizeof(text), "#!%s -opt with spaces\n", self);
	const char *mine = write_script("mine", text);
	/* The kernel reads 256 bytes of the first line, in 5.10 as now. */
	if (strlen(text) < 250)
		run(mine, 30);
	/* A script as the interpreter of a script. */
	snprintf(text, sizeof(text), "#!%s\necho never\n",
		 write_script("inner", "#!/bin/sh\necho \"inner with $# arguments\"\nexit 15\n"));
	if (strlen(text) < 250)
		run(write_script("outer", text), 15);
	run(write_script("missing", "#!/no/such/interpreter\n"), ENOENT);
	run(write_script("binary", "no magic here\n"), ENOEXEC);
	return done();
}
