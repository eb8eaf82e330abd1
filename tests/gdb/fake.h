/* A timeline without a replay, for tests of what stands above it: a made-up process with two threads that
 * execute one instruction of FAKE_INSN bytes in turns of five, at places 0 to FAKE_LAST. */
#ifndef TESTS_GDB_FAKE_H
#define TESTS_GDB_FAKE_H

#define FAKE_PROCESS 100u
#define FAKE_THREADS 2u /* FAKE_PROCESS and the next */
#define FAKE_LAST    100u
#define FAKE_TURN    5u
#define FAKE_CODE    0x401000ull
#define FAKE_INSN    4u /* place p is at FAKE_CODE + p * FAKE_INSN, for the thread whose turn it is */
#define FAKE_STACK   0x7fff0000ull
#define FAKE_SIZE    0x1000u /* of each of the three pieces of memory */
/* A word that is p / FAKE_WRITES at place p. */
#define FAKE_DATA    0x404000ull
#define FAKE_WRITES  7u
#define FAKE_SIGNAL  33u /* place before a signal */
#define FAKE_CALL    50u /* place before a system call, and behind it the next */
#define FAKE_CALL_NR 39
/* A function of one argument that doubles it, for diversions; it is not on the way. */
#define FAKE_FUNCTION (FAKE_CODE + 0x800)
#define FAKE_PROGRAM  "/bin/fake"
#define FAKE_CONTENT  "what the program's file holds"

struct timeline;

struct timeline *fake_create(void);
void fake_destroy(struct timeline *timeline);
/* A small recording that fits, in a new directory below $TMPDIR; the caller's, to be removed with
 * fake_remove_recording(). */
char *fake_record(void);
void fake_remove_recording(char *directory);

#endif
