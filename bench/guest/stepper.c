/* What single-stepping costs at the least: stepper CMD... runs a program by PTRACE_SINGLESTEP and looks at nothing. */
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status;
	pid_t child = fork();

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[1], argv + 1);
		perror("stepper: cannot run the program");
		_exit(127);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
	return WEXITSTATUS(status);
}
