/* For a debugger: a parent, a child that goes on in the same program, a child that executes another (this
 * one, with an argument). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int role;

static int child_work(int amount)
{
	role = amount;
	return amount + 1;
}

static int grandchild_work(int amount)
{
	role = amount * 2;
	return role;
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1) {
		printf("executed: %d\n", grandchild_work(21));
		return 5;
	}
	pid_t child = fork();

	if (!child)
		_exit(child_work(6));
	waitpid(child, &status, 0);
	printf("child: %d\n", WEXITSTATUS(status));
	fflush(stdout);
	child = fork();
	if (!child) {
		execl("/proc/self/exe", "family-member", "again", NULL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	printf("other: %d\n", WEXITSTATUS(status));
	return 0;
}
