/* The commands: one file each, rows of the table in main.c. */
#ifndef WARP_CMD_CMD_H
#define WARP_CMD_CMD_H

struct command {
	const char *name;
	const char *usage;   /* after "warp NAME " */
	const char *summary; /* one line */
	/* Runs it; argv[0] is its name. Returns the exit status of warp. */
	int (*run)(int argc, char **argv);
};

struct error;

/* Prints the error as "warp: TEXT", frees it, and returns its exit status. */
int cmd_fail(struct error *error);
/* Prints what is wrong with the command line and where to read on; returns 125. */
int cmd_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for an option that getopt_long() does not know: the letter in `optopt`, or `word`. */
int cmd_unknown(const char *command, const char *word);
const struct command *cmd_find(const char *name);

int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_regs(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_intercept(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* Ends as the recorded program did, whose wait status this is: returns its status, or dies by its
 * signal. */
int cmd_end_like(int status);

#endif
