/* Indices into struct regs: the order of struct user_regs_struct. Private to this folder. */
#ifndef WARP_ARCH_X86_64_H
#define WARP_ARCH_X86_64_H

#include "arch/arch.h"

enum x86_64_reg {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	FS_BASE,
	GS_BASE,
	DS,
	ES,
	FS,
	GS,
};

/* Where a struct arch_reg is, and which of them. */
enum x86_64_where {
	X86_64_WORD, /* of struct regs: enum x86_64_reg */
	X86_64_STACK,
	X86_64_CONTROL, /* enum x86_64_control */
	X86_64_XMM,
	X86_64_YMM,
	X86_64_ZMM,
	X86_64_MASK,
	X86_64_DEBUG,
};

enum x86_64_control {
	X86_64_FCTRL,
	X86_64_FSTAT,
	X86_64_FTAG,
	X86_64_FOP,
	X86_64_FIP,
	X86_64_FDP,
	X86_64_MXCSR,
};

extern const uint8_t x86_64_stub[];
extern const size_t x86_64_stub_size;
extern const uint8_t x86_64_code_page[];
extern const size_t x86_64_code_page_size;

enum arch_trap x86_64_trap_kind(const uint8_t *bytes, size_t length);
void x86_64_trap_emulate(const uint8_t *bytes, struct regs *regs);
bool x86_64_arm_time_trap(void);
bool x86_64_arm_cpuid_trap(void);
void x86_64_share_cpuid_trap(bool on);
/* What cpuid says, asked once a thread: for threads that stay on one core. */
void x86_64_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
void x86_64_cpuid_trap_call(int *nr, uint64_t args[SC_ARGS]);
enum arch_step x86_64_classify(const uint8_t *bytes, size_t length, unsigned *insn_length);
unsigned x86_64_window(const uint8_t *bytes, size_t length);
unsigned x86_64_call_window(const uint8_t *bytes, size_t length, unsigned *offset);
size_t x86_64_call_stub(struct arch_stub *stub, uint8_t *code, size_t room);
void x86_64_leave_call_copy(struct regs *regs, taddr next);
bool x86_64_bases_are_readable(void);
void x86_64_agent_record_regs(const struct regs *regs, uint64_t *record);
void x86_64_agent_regs(struct regs *regs, int nr, const uint64_t *record, bool bases);
unsigned x86_64_window_starts(const uint8_t *window, unsigned length);
size_t x86_64_compare_stub(struct arch_stub *stub, const struct regs *values, uint8_t *code,
			   size_t room);
size_t x86_64_count_stub(struct arch_stub *stub, uint8_t *code, size_t room);
void x86_64_restart_stub(struct regs *regs, taddr at, uint64_t spilled);
unsigned x86_64_flags_dead(const uint8_t *bytes, size_t length);
void x86_64_clear_dead_flags(struct regs *regs);
enum arch_flow x86_64_flow(const uint8_t *bytes, size_t length, const struct regs *regs, taddr pc,
			   unsigned *insn_length, taddr *target);
bool x86_64_branch(const uint8_t *bytes, size_t length, taddr pc, unsigned *insn_length,
		   taddr *target);
bool x86_64_falls_through(const uint8_t *bytes, size_t length);
bool x86_64_behind_call(const uint8_t *bytes, size_t length);
void x86_64_make_jump(uint8_t *bytes, taddr from, taddr to, unsigned length);
bool x86_64_traps_alone(uint8_t byte);
void x86_64_clear_resume(struct regs *regs);
bool x86_64_move_debug(pid_t tid, unsigned slot, taddr at);
bool x86_64_set_debug(pid_t tid, unsigned slot, enum arch_debug kind, taddr at, unsigned length);
unsigned x86_64_debug_hits(pid_t tid);
bool x86_64_debug_hit_only(pid_t tid, unsigned slot);
void x86_64_xstate_normalise(uint8_t *state, size_t length);
size_t x86_64_identify_cpu(uint32_t (*leaves)[6], size_t room);
size_t x86_64_vdso_patches(const uint8_t *image, size_t size, struct arch_patch *out, size_t room);
size_t x86_64_sigframe_size(const struct regs *regs, const struct sc_memory *memory);
uint64_t x86_64_sigframe_step_mark(const struct regs *before, const struct regs *in, taddr *word);
taddr x86_64_sigreturn_mask(const struct regs *regs);
const struct sock_fprog *x86_64_stop_filter(void);
void x86_64_layout(struct arch_layout *layout);
bool x86_64_state_read(pid_t tid, unsigned flavors, struct arch_state *state);
bool x86_64_state_write(pid_t tid, unsigned flavors, const struct arch_state *state);
bool x86_64_reg_at(const struct arch_state *state, size_t i, struct arch_reg *reg);
bool x86_64_reg_find(const struct arch_state *state, const char *name, struct arch_reg *reg);
void x86_64_reg_get(const struct arch_state *state, const struct arch_reg *reg, uint8_t *value);
void x86_64_reg_set(struct arch_state *state, const struct arch_reg *reg, const uint8_t *value);
void x86_64_reg_explain(const struct arch_state *state, const struct arch_reg *reg, char *text,
			size_t room);
bool x86_64_reg_parse_float(const struct arch_reg *reg, const char *text, uint8_t *value);
void x86_64_gdb_describe(uint64_t features, struct bytes *xml);
unsigned x86_64_gdb_get(const struct arch_state *state, uint64_t features, unsigned number,
			uint8_t *value);
bool x86_64_gdb_set(struct arch_state *state, uint64_t features, unsigned number,
		    const uint8_t *value);
unsigned x86_64_unwind_regs(const struct arch_state *state, uint64_t out[ARCH_UNWIND_REGS]);
uint64_t x86_64_narrow_call_arg(const struct regs *regs, int index);
const char *x86_64_narrow_call_name(int nr);

#endif
