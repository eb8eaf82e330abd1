/* The code that single-stepped threads are about to execute, without a read of their memory at each
 * step. */
#ifndef WARP_LIVE_STEP_CODE_H
#define WARP_LIVE_STEP_CODE_H

#include "arch/arch.h"

struct live_task;
struct step_code;

struct step_code *step_code_create(void);
void step_code_destroy(struct step_code *code);

/* Makes the bytes that the stopped task is about to execute known: task->code. Returns how many. */
size_t step_code_look(struct step_code *code, struct live_task *task, taddr pc);
/* To where the stopped task may run, which is at pc and makes no call there: the next instruction
 * that makes one, or from which one cannot tell where it goes. 0: that is this one. */
taddr step_code_run(struct step_code *code, struct live_task *task, taddr pc);
/* Some address space, or a file, has changed: nothing is known of any. */
void step_code_forget(struct step_code *code);

#endif
