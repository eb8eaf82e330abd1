/* The command `warp`: its table of commands, help, and how errors are printed. */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cmd/cmd.h"
#include "cmd/text.h"
#include "util/error.h"
#include "util/log.h"

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
	{"record", "[-o DIR] [--chaos[=SEED]] [--no-sites] [--agent] [--verify] [--] CMD ARG...",
	 "run a program and record it", cmd_record},
	{"replay", "[-a [-q]] [OPTION...] [TRACE] [-- ARG...]",
	 "replay a recording, in gdb or (-a) to its end", cmd_replay},
	{"dump", "[--json [--registers]] [--at EVENT [-p PID]] [TRACE]",
	 "print the events of a recording, or a process at one", cmd_dump},
	{"regs", "[-f FLAVOR] [-k] [-n INTERVAL] PID", "show threads and registers of a process",
	 cmd_regs},
	{"ls", "", "list recordings", cmd_ls},
	{"info", "[TRACE]", "tell what a recording is of", cmd_info},
	{"watch", "[--then ACTION] EXPR -- CMD ARG...", "find the moment of a system call",
	 cmd_watch},
	{"intercept", "-r RULE... [--] CMD ARG...", "rewrite a program's system calls",
	 cmd_intercept},
	{"rm", "TRACE...", "remove recordings", cmd_rm},
	{"trace", "[OPTION...] -p PID... | [--] CMD ARG...", "show the system calls of a program",
	 cmd_trace},
	{"help", "[COMMAND]", "explain a command", cmd_help},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

const struct command *cmd_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int cmd_fail(struct error *error)
{
	int status = error->kind;

	fprintf(stderr, "warp: %s\n", error->text);
	error_free(error);
	return status;
}

int cmd_usage(const char *command, const char *format, ...)
{
	va_list args;

	fputs("warp: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see warp help%s%s\n", command ? " " : "", command ? command : "");
	return ERROR_FAILED;
}

int cmd_unknown(const char *command, const char *word)
{
	char letter[] = {'-', (char)optopt, 0};
	bool has_value = !strncmp(word, "--", 2) && strchr(word, '='); /* and should not */

	return cmd_usage(command, "%s does not know the option '%s'", command,
			 optopt && !has_value ? letter : word);
}

/* Ends as the program did: with its status, or by its signal, without a core file of ours. */
int cmd_end_like(int status)
{
	struct rlimit none = {0, 0};

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fflush(NULL);
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int finish(void)
{
	struct error *error = text_finish();

	return error ? cmd_fail(error) : 0;
}

static int cmd_help(int argc, char **argv)
{
	if (argc > 2)
		return cmd_usage("help", "help takes one command");
	if (argc == 2) {
		const struct command *command = cmd_find(argv[1]);

		if (!command)
			return cmd_usage(NULL, "there is no command '%s'", argv[1]);
		printf("usage: warp %s%s%s\n%s; man warp-%s tells all\n", command->name,
		       *command->usage ? " " : "", command->usage, command->summary, command->name);
		return finish();
	}
	puts("usage: warp COMMAND ...\n\n"
	     "Records how a program ran and replays that very run.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-9s %-30s %s\n", commands[i].name, commands[i].usage,
		       commands[i].summary);
	puts("\n'warp help COMMAND' and 'man warp-COMMAND' tell more; 'warp --version' the "
	     "version.");
	return finish();
}

int main(int argc, char **argv)
{
	log_init();
	if (argc < 2)
		return cmd_usage(NULL, "what shall it do? name a command");
	if (!strcmp(argv[1], "--version")) {
		puts("warp " WARP_VERSION);
		return finish();
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(1, argv);
	const struct command *command = cmd_find(argv[1]);

	if (!command)
		return cmd_usage(NULL, "there is no command '%s'", argv[1]);
	if (argc > 2 && !strcmp(argv[2], "--help"))
		return cmd_help(2, argv);
	return command->run(argc - 1, argv + 1);
}
