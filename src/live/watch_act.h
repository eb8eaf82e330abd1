/* What warp watch does at the moment that it has found. */
#ifndef WARP_LIVE_WATCH_ACT_H
#define WARP_LIVE_WATCH_ACT_H

#include <stdio.h>
#include <sys/types.h>

#include "syscalls/syscalls.h"
#include "util/error.h"

struct live_process;
struct live_task;

/* Prints the stopped task's general registers. */
void watch_registers(FILE *out, struct live_task *task);
/* A breakpoint that writes to the memory do not remove, if the processor has one left. */
struct error *watch_break(struct live_process *process, taddr at);
/* Runs a shell command, with WARP_PID, WARP_TID and WARP_RESULT set, while the task's process
 * waits. */
void watch_command(struct live_task *task, const char *command, const struct sc_call *call);
/* Runs gdb on a process that was let go, stopped; then lets it run if it is still stopped.
 * `arguments`: of gdb, for the shell, or NULL. */
void watch_gdb(pid_t pid, const char *arguments, taddr result);

#endif
