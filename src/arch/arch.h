/* What an architecture must provide. One const struct of operations; its comments are the porting
 * checklist. Nothing outside src/arch/ARCH and the agent knows a register's name. */
#ifndef WARP_ARCH_ARCH_H
#define WARP_ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/trace_abi.h"
#include "util/memory.h"
#include "util/taddr.h"
#include "util/vec.h"

/* What arch.call_set looks at. */
#define ARCH_CALL_SET_SIZE 7

struct sock_fprog;

/* The general registers, as PTRACE_GETREGSET(NT_PRSTATUS) hands them out of a 64-bit tracee. */
struct regs {
	uint64_t word[TRACE_REGS];
};

/* Where we live in a tracee: one page of code that holds a system call instruction, one of data,
 * and room for scratch memory behind them. Fixed, below 2 GB so that later stubs can address it
 * absolutely; the same in record and replay. */
#define WARP_CODE_PAGE 0x70000000ull
#define WARP_DATA_PAGE 0x70001000ull
#define WARP_PAGES_END 0x70002000ull
#define WARP_SCRATCH   0x70100000ull
/* Nothing of the program's is looked for between the code page and here. */
#define WARP_RESERVED_END 0x78000000ull

/* Instructions whose result differs from run to run and that can be made to trap. */
enum arch_trap {
	ARCH_TRAP_NONE,
	ARCH_TRAP_TIME,	 /* reads the time stamp counter */
	ARCH_TRAP_CPUID, /* asks what the processor is */
};

/* What a debug register watches for. */
enum arch_debug {
	ARCH_DEBUG_OFF,
	ARCH_DEBUG_EXECUTE,
	ARCH_DEBUG_WRITE,
	ARCH_DEBUG_ACCESS,
};

/* Where an instruction that was single-stepped shows that. */
enum arch_show {
	ARCH_SHOW_NOTHING,
	ARCH_SHOW_PUSHED,   /* in the word that it has pushed */
	ARCH_SHOW_REGISTER, /* in a register: hide_step */
};

/* What stepping over an instruction is like. */
enum arch_step {
	ARCH_STEP_PLAIN,
	ARCH_STEP_WHOLE, /* can be interrupted in its middle, or shows that it is stepped */
	ARCH_STEP_SYNC,	 /* a system call or a trapped instruction: a sync event */
};

/* What is executed after an instruction. */
enum arch_flow {
	ARCH_FLOW_ON,	/* the one behind it */
	ARCH_FLOW_TO,	/* the one at a place that is known */
	ARCH_FLOW_STEP, /* only executing it alone tells */
};

/* The instructions that a jump covers can be up to this long. */
#define ARCH_WINDOW_MAX 20
#define ARCH_JUMP	5

/* A word of memory that a stub compares. */
struct arch_word {
	taddr addr;
	uint64_t value;
};

#define ARCH_STUB_WORDS 24

/* How many bytes a decision about flags looks at. */
#define ARCH_AHEAD_MAX 128

/* A stub that compares all general registers and some words of memory with given values and traps
 * if they are equal, and the jump to it. The jump covers a window of whole instructions, which the
 * stub holds copies of. Where one of them begins inside the jump's bytes, its first byte there must
 * trap: whoever jumps into the window is sent to the copy. So it is with code that overlaps, where
 * all bytes of the jump trap. */
struct arch_stub {
	taddr at;	       /* where it will be */
	taddr pc;	       /* beginning of the window */
	const uint8_t *window; /* the instructions */
	unsigned length;       /* of the window, in bytes */
	unsigned known; /* how many bytes of the program are there: the window and some more */
	const uint8_t *order; /* register words, the one to compare first in front */
	struct arch_word words[ARCH_STUB_WORDS];
	unsigned word_count;
	taddr scratch;		       /* 16 bytes below 2 GB that nobody else uses */
	taddr counter;		       /* 8 bytes below 2 GB: of what it counts */
	bool flags_dead;	       /* a counting stub may change the arithmetic flags */
	taddr trapped;		       /* out: program counter after the trap */
	taddr declined;		       /* out, call_stub: the copy of the call's instruction */
	taddr counted;		       /* out: program counter after the counter was written */
	taddr copies[ARCH_WINDOW_MAX]; /* out, by offset: the copy of the instruction there; or 0 */
};

/* A place to patch in the vDSO image, so that its function makes the system call instead. */
struct arch_patch {
	uint64_t offset; /* in the image */
	uint8_t length;
	uint8_t bytes[16];
};

/* Kinds of registers that are asked for apart. */
enum arch_flavor {
	ARCH_GENERAL,
	ARCH_FLOAT,
	ARCH_VECTOR,
	ARCH_DEBUG,
	ARCH_FLAVORS
};

#define ARCH_DEBUG_REGS	 8
#define ARCH_XFEATURES	 20
#define ARCH_REG_BYTES	 64
#define ARCH_UNWIND_REGS 32

/* Where the parts of the vector state lie on this processor. */
struct arch_layout {
	uint32_t offset[ARCH_XFEATURES], size[ARCH_XFEATURES];
};

/* All registers of a stopped thread, as the kernel hands them out. */
struct arch_state {
	const struct arch_layout *layout; /* borrowed */
	bool narrow;			  /* it runs 32-bit code */
	struct regs regs;		  /* in their 64-bit form, also of 32-bit code */
	uint64_t debug[ARCH_DEBUG_REGS];
	struct bytes vector; /* owned */
};

/* A register by name. What `where` and `index` mean is the architecture's affair. */
struct arch_reg {
	char name[12];
	uint8_t flavor; /* enum arch_flavor */
	uint8_t where, index;
	uint16_t bits;
};

struct arch_ops {
	const char *name;
	uint16_t elf_machine;
	uint32_t audit_arch;

	/* ---- registers ---- */
	const char *const *reg_names; /* TRACE_REGS of them */
	/* The ptrace requests for struct regs; of a tracee that runs 32-bit code, too. */
	int get_regs, set_regs;
	taddr (*pc)(const struct regs *);
	void (*set_pc)(struct regs *, taddr);
	taddr (*sp)(const struct regs *);
	/* ---- registers of all flavors, by name. `flavors` has bits 1 << enum arch_flavor ---- */
	/* Asks the processor; costs some 100 us in a virtual machine. */
	void (*layout)(struct arch_layout *);
	/* Reads and writes those of a stopped thread that the caller traces; where that fails,
	 * false and errno is set. General registers are always read. */
	bool (*state_read)(pid_t tid, unsigned flavors, struct arch_state *);
	bool (*state_write)(pid_t tid, unsigned flavors, const struct arch_state *);
	/* The i-th register in the order for printing; false behind the last one. One that is part
	 * of a wider one is not listed. */
	bool (*reg_at)(const struct arch_state *, size_t i, struct arch_reg *);
	/* Finds any that the thread has, also parts of wider ones. */
	bool (*reg_find)(const struct arch_state *, const char *name, struct arch_reg *);
	/* Values are ARCH_REG_BYTES bytes, the lowest first, zero beyond the register's width.
	 * Setting changes the state only. */
	void (*reg_get)(const struct arch_state *, const struct arch_reg *, uint8_t *value);
	void (*reg_set)(struct arch_state *, const struct arch_reg *, const uint8_t *value);
	/* What the value means: names of bits, a floating point number; "" where there is nothing
	 * to say. */
	void (*reg_explain)(const struct arch_state *, const struct arch_reg *, char *text,
			    size_t room);
	/* A decimal fraction for a register that holds floating point numbers; false for others and
	 * for what is no number. */
	bool (*reg_parse_float)(const struct arch_reg *, const char *text, uint8_t *value);
	/* The registers that unwinding a stack needs, in DWARF's order; returns how many. */
	unsigned (*unwind_regs)(const struct arch_state *, uint64_t out[ARCH_UNWIND_REGS]);

	/* What thread-local variables are found from. */
	taddr (*thread_pointer)(const struct regs *);

	/* ---- registers as gdb numbers them. `features`: the parts that the vector state has, as
	 * trace_meta_numbers.xstate_features ---- */
	/* The target description ("Target Descriptions" in gdb's manual). */
	void (*gdb_describe)(uint64_t features, struct bytes *xml);
	/* Returns how many bytes the register has, 0 behind the last one; the lowest byte first. */
	unsigned (*gdb_get)(const struct arch_state *, uint64_t features, unsigned number,
			    uint8_t value[ARCH_REG_BYTES]);
	/* Changes the state only; as many bytes as gdb_get() gives. False: there is no such
	 * register. */
	bool (*gdb_set)(struct arch_state *, uint64_t features, unsigned number,
			const uint8_t *value);
	/* Those that gdb looks at after every stop. */
	uint8_t gdb_sp, gdb_pc;
	/* "x86_64-pc-linux-gnu" */
	const char *triple;

	/* ---- system calls. "At entry": stopped by seccomp or SYSEMU, before the call ---- */
	int (*call_nr)(const struct regs *); /* at entry or exit */
	uint64_t (*call_arg)(const struct regs *, int index);
	void (*set_call_arg)(struct regs *, int index, uint64_t value);
	/* The same for a call through the 32-bit gate, and its name; NULL if there is none. */
	uint64_t (*narrow_call_arg)(const struct regs *, int index);
	const char *(*narrow_call_name)(int nr);
	/* At entry, and at the end of a call that the kernel will make again. */
	void (*set_call_nr)(struct regs *, int nr);
	int64_t (*call_result)(const struct regs *);
	void (*set_call_result)(struct regs *, int64_t value);
	/* It runs 32-bit code. */
	bool (*is_narrow)(const struct regs *);
	bool (*in_call)(const struct regs *); /* the kernel was entered by a system call */
	/* At entry: the call is one that the kernel emulates at an address of its own. */
	bool (*is_emulated)(const struct regs *);
	/* At entry: the call will not be made, and nothing restarts it. */
	void (*call_skip)(struct regs *);
	/* Moves back so that call `nr` is made when the tracee goes on. */
	void (*call_rewind)(struct regs *, int nr);
	/* Sets registers for call nr(args) made from WARP_CODE_PAGE. */
	void (*remote_call)(struct regs *, int nr, const uint64_t args[SC_ARGS]);
	/* The note type under which ptrace gives the vector and floating point state. */
	unsigned xstate_note;

	/* The instruction that makes one, and the number of the call that it is about to make. */
	const uint8_t *call_code;
	size_t call_size;
	int (*upcoming_call)(const struct regs *);
	/* The number that code puts into its register right before it makes a call: `bytes` are
	 * the last ARCH_CALL_SET_SIZE up to the end of the call's instruction. -1: the code does
	 * not show it there. */
	int (*call_set)(const uint8_t bytes[ARCH_CALL_SET_SIZE]);
	/* Do these bytes begin with an instruction that makes a system call? Of any gate. */
	bool (*makes_call)(const uint8_t *bytes, size_t length);

	/* ---- breakpoints in memory ---- */
	const uint8_t *break_code;
	size_t break_size;
	/* Right after such an instruction has trapped: where it is. */
	taddr (*break_pc)(const struct regs *);

	/* Single-stepping sets a flag of the processor's. ptrace hides it from registers (but not
	 * where the program has set it itself: traces_itself), and instructions show it to the
	 * program. Which will the one at these bytes? And takes it out of where it is then: a word
	 * on the stack, or a register. */
	enum arch_show (*shows_step)(const uint8_t *bytes, size_t length);
	bool (*traces_itself)(const struct regs *);
	void (*hide_step)(struct regs *);
	uint64_t step_flag;

	/* Debug registers of a stopped thread: how many; sets or clears one (false: refused; length
	 * 1, 2, 4 or 8, aligned; of an instruction 1); which have trapped since the last time, as a
	 * mask. */
	unsigned debug_slots;
	bool (*set_debug)(pid_t tid, unsigned slot, enum arch_debug kind, taddr at,
			  unsigned length);
	/* Another address for one that was set for this very thread, and not by exec since. */
	bool (*move_debug)(pid_t tid, unsigned slot, taddr at);
	unsigned (*debug_hits)(pid_t tid);
	/* Is it that slot alone? They are told again. */
	bool (*debug_hit_only)(pid_t tid, unsigned slot);

	/* ---- trapped instructions ---- */
	unsigned insn_max;
	/* Which trapped instruction do these bytes begin with? */
	enum arch_trap (*trap_kind)(const uint8_t *bytes, size_t length);
	/* Executes it ourselves and moves the registers past it. */
	void (*trap_emulate)(const uint8_t *bytes, struct regs *);
	/* Makes the calling thread's time stamp and cpuid instructions trap; cpuid may be
	 * impossible (errno is set and false returned). Inherited by fork; tsc also by exec. */
	bool (*arm_time_trap)(void);
	bool (*arm_cpuid_trap)(void);
	/* The same for cpuid through a remote call: number and arguments. */
	void (*cpuid_trap_call)(int *nr, uint64_t args[SC_ARGS]);
	/* Lets cpuid trap for the calling thread, which traces such for which it does, or ends
	 * that: switches between them are cheap then. Takes over SIGSEGV meanwhile. */
	void (*share_cpuid_trap)(bool on);
	/* Fills up to `room` {leaf, subleaf, eax, ebx, ecx, edx}; returns how many. */
	size_t (*identify_cpu)(uint32_t (*leaves)[6], size_t room);

	/* ---- places ---- */
	enum arch_step (*classify)(const uint8_t *bytes, size_t length, unsigned *insn_length);
	/* Length of the whole instructions at pc that a jump would cover, 0 if they cannot be
	 * copied. */
	unsigned (*window)(const uint8_t *bytes, size_t length);
	/* The offsets 1 to 4 at which instructions begin in the window: bit N is offset N. */
	unsigned (*window_starts)(const uint8_t *window, unsigned length);
	/* The same for code that begins with a system call's instruction, or with the one that sets
	 * its number, right before that; and at which offset the call is. */
	unsigned (*call_window)(const uint8_t *bytes, size_t length, unsigned *offset);
	/* How many bytes before a call's instruction such a window can begin. */
	unsigned call_before;
	/* Writes the stub's code; returns its size, 0 if it does not fit or a copy would not reach
	 * what it refers to. No flags are changed. It adds one to the counter each time. */
	size_t (*compare_stub)(struct arch_stub *stub, const struct regs *values, uint8_t *code,
			       size_t room);
	/* A stub that takes one from the counter and traps when that has become 0. No flags are
	 * changed unless stub->flags_dead. Returns its size as above. */
	size_t (*count_stub)(struct arch_stub *stub, uint8_t *code, size_t room);
	/* A stub that lets the agent make the window's call; stub->declined is the copy of its
	 * instruction. Returns its size as above. */
	size_t (*call_stub)(struct arch_stub *stub, uint8_t *code, size_t room);
	/* At a stop in the copy of a call's instruction: as if it were that of the program, which
	 * goes on at `next`. */
	void (*leave_call_copy)(struct regs *, taddr next);
	/* Registers at the entry of a call as a record of the agent has them. What it does not have
	 * (segments, and their bases unless `bases`) stays. */
	void (*agent_regs)(struct regs *, int nr, const uint64_t *record, bool bases);
	/* The other way round. */
	void (*agent_record_regs)(const struct regs *, uint64_t *record);
	/* Can programs read, and set, segment bases by themselves here? */
	bool (*bases_are_readable)(void);
	/* For a thread that is inside a counting stub and has not counted yet: back to the stub's
	 * beginning, as if it had just come there. `spilled`: the word at stub->scratch. */
	void (*restart_stub)(struct regs *, taddr at, uint64_t spilled);
	/* If the arithmetic flags that counting changes are overwritten before anything can read
	 * them: the length of the code up to there, in which a stopped thread's flags mean nothing.
	 * Else 0. */
	unsigned (*flags_dead)(const uint8_t *bytes, size_t length);
	/* Zeros the flags that counting changes. */
	void (*clear_dead_flags)(struct regs *);
	/* The instruction's length, and where it jumps to if it is a jump with a fixed target; else
	 * *target is 0. False where no instruction can be decoded. */
	bool (*branch)(const uint8_t *bytes, size_t length, taddr pc, unsigned *insn_length,
		       taddr *target);
	/* Where does a thread with these registers, which is at pc, go from there? `regs` NULL: they
	 * are not known. Signals apart. */
	enum arch_flow (*flow)(const uint8_t *bytes, size_t length, const struct regs *regs,
			       taddr pc, unsigned *insn_length, taddr *target);
	/* Can the instruction behind these be executed next? */
	bool (*falls_through)(const uint8_t *bytes, size_t length);
	/* Do the `length` bytes end with a call instruction? */
	bool (*behind_call)(const uint8_t *bytes, size_t length);
	/* Does this byte, executed as an instruction, trap (SIGTRAP) or fault (SIGILL) whatever
	 * follows? */
	bool (*traps_alone)(uint8_t byte);
	/* The jump over a window of `length` bytes; what is behind the jump are traps. */
	void (*make_jump)(uint8_t *bytes, taddr from, taddr to, unsigned length);
	/* Clears the mark that a breakpoint register leaves in the flags. */
	void (*clear_resume)(struct regs *);
	/* Clears what differs between equal vector states: which parts the processor calls in use,
	 * where code ran. */
	void (*xstate_normalise)(uint8_t *state, size_t length);

	/* ---- images ---- */
	/* Finds the functions of a vDSO image and how to patch each; returns the number of patches,
	 * 0 if the image is not understood. */
	size_t (*vdso_patches)(const uint8_t *image, size_t size, struct arch_patch *out,
			       size_t room);
	/* A tiny executable that has the pages at WARP_CODE_PAGE and does nothing: what a replayed
	 * process executes to get a fresh address space. */
	const uint8_t *stub;
	size_t stub_size;
	/* The bytes of the code page: a system call instruction at its start, then a trap. */
	const uint8_t *code_page;
	size_t code_page_size;

	/* End of user addresses that a mapping without a hint beyond it can have. */
	taddr user_end;

	/* ---- signals ---- */
	/* At a handler's first instruction: how many bytes from sp on the kernel has written. */
	size_t (*sigframe_size)(const struct regs *, const struct sc_memory *);
	/* At a handler's first instruction, which was reached by single-stepping from `before`: the
	 * word of the frame in which a trace of that can be, and the bits that are; 0 where the
	 * program itself steps. */
	uint64_t (*sigframe_step_mark)(const struct regs *before, const struct regs *in,
				       taddr *word);
	/* At the entry of sigreturn: where the signal mask lies that it puts back. */
	taddr (*sigreturn_mask)(const struct regs *);

	/* ---- seccomp: every call stops (event message 0; 1 for calls through a foreign gate), but
	 * for those made from WARP_CODE_PAGE ---- */
	const struct sock_fprog *(*stop_filter)(void);
};

extern const struct arch_ops arch;

#endif
