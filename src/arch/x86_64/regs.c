/* x86-64: registers, the system call convention, and the table of operations.
 *
 * At a system call the hardware puts rip into rcx and rflags into r11 (SDM, SYSCALL); the kernel
 * shows both in its registers, so recording and replay see the same values there. */
#include <elf.h>
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "arch/x86_64/x86_64.h"

_Static_assert(sizeof(struct user_regs_struct) == sizeof(struct regs), "register layout");
_Static_assert(offsetof(struct user_regs_struct, rip) == 8 * RIP, "register order");
_Static_assert(offsetof(struct user_regs_struct, gs) == 8 * GS, "register order");

static const char *const names[TRACE_REGS] = {
	"r15",	  "r14", "r13", "r12",	   "rbp",     "rbx", "r11",	 "r10", "r9",
	"r8",	  "rax", "rcx", "rdx",	   "rsi",     "rdi", "orig_rax", "rip", "cs",
	"eflags", "rsp", "ss",	"fs_base", "gs_base", "ds",  "es",	 "fs",	"gs",
};

static const enum x86_64_reg arg_regs[SC_ARGS] = {RDI, RSI, RDX, R10, R8, R9};

static taddr pc(const struct regs *regs)
{
	return regs->word[RIP];
}

static void set_pc(struct regs *regs, taddr value)
{
	regs->word[RIP] = value;
}

static taddr sp(const struct regs *regs)
{
	return regs->word[RSP];
}

static taddr thread_pointer(const struct regs *regs)
{
	return regs->word[FS_BASE];
}

static int call_nr(const struct regs *regs)
{
	return (int)regs->word[ORIG_RAX];
}

static int upcoming_call(const struct regs *regs)
{
	return (int)regs->word[RAX];
}

/* mov $NR, %eax; syscall: what compilers and C libraries write. */
static int call_set(const uint8_t bytes[ARCH_CALL_SET_SIZE])
{
	int32_t nr;

	if (bytes[0] != 0xb8 || memcmp(bytes + 5, x86_64_code_page, 2))
		return -1;
	memcpy(&nr, bytes + 1, sizeof(nr));
	return nr;
}

static uint64_t call_arg(const struct regs *regs, int index)
{
	return regs->word[arg_regs[index]];
}

static void set_call_arg(struct regs *regs, int index, uint64_t value)
{
	regs->word[arg_regs[index]] = value;
}

static void set_call_nr(struct regs *regs, int nr)
{
	regs->word[ORIG_RAX] = (uint64_t)(int64_t)nr;
}

static int64_t call_result(const struct regs *regs)
{
	return (int64_t)regs->word[RAX];
}

static void set_call_result(struct regs *regs, int64_t value)
{
	regs->word[RAX] = (uint64_t)value;
}

static bool in_call(const struct regs *regs)
{
	return (int64_t)regs->word[ORIG_RAX] >= 0;
}

/* The page at this address (VSYSCALL_ADDR) and emulate_vsyscall():
 * arch/x86/entry/vsyscall/vsyscall_64.c */
#define VSYSCALL_PAGE 0xffffffffff600000ull

static bool is_emulated(const struct regs *regs)
{
	return regs->word[RIP] >> 12 == VSYSCALL_PAGE >> 12;
}

static bool is_narrow(const struct regs *regs)
{
	return regs->word[CS] == 0x23; /* __USER32_CS */
}

static void call_skip(struct regs *regs)
{
	regs->word[ORIG_RAX] = (uint64_t)-1;
}

static void call_rewind(struct regs *regs, int nr)
{
	regs->word[RIP] -= 2;
	regs->word[RAX] = (uint64_t)(int64_t)nr;
	regs->word[ORIG_RAX] = (uint64_t)-1;
}

static void remote_call(struct regs *regs, int nr, const uint64_t args[SC_ARGS])
{
	for (int i = 0; i < SC_ARGS; i++)
		regs->word[arg_regs[i]] = args[i];
	regs->word[RAX] = (uint64_t)(int64_t)nr;
	regs->word[ORIG_RAX] = (uint64_t)-1;
	regs->word[RIP] = WARP_CODE_PAGE;
	regs->word[CS] = 0x33; /* __USER_CS, __USER_DS: no segment of a hostile recording's */
	regs->word[SS] = 0x2b;
	regs->word[EFLAGS] &= ~0x100ull; /* no single-stepping by the program's own trap flag */
}

/* syscall, sysenter, int 0x80. The compilers' prefixes before these do not occur. */
static bool makes_call(const uint8_t *bytes, size_t length)
{
	if (length < 2)
		return false;
	return (bytes[0] == 0x0f && (bytes[1] == 0x05 || bytes[1] == 0x34)) ||
	       (bytes[0] == 0xcd && bytes[1] == 0x80);
}

static const uint8_t break_code[] = {0xcc}; /* int3 */

static taddr break_pc(const struct regs *regs)
{
	return regs->word[RIP] - sizeof(break_code);
}

#define TRAP_FLAG 0x100ull

/* pushf, with an operand size or REX prefix; syscall copies the flags to r11. */
static enum arch_show shows_step(const uint8_t *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && (bytes[at] == 0x66 || (bytes[at] & 0xf0) == 0x40))
		at++;
	if (at < length && bytes[at] == 0x9c)
		return ARCH_SHOW_PUSHED;
	return length >= 2 && bytes[0] == 0x0f && bytes[1] == 0x05 ? ARCH_SHOW_REGISTER
								   : ARCH_SHOW_NOTHING;
}

static bool traces_itself(const struct regs *regs)
{
	return regs->word[EFLAGS] & TRAP_FLAG;
}

static void hide_step(struct regs *regs)
{
	regs->word[R11] &= ~TRAP_FLAG;
}

const struct arch_ops arch = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.audit_arch = AUDIT_ARCH_X86_64,
	.reg_names = names,
	.get_regs = PTRACE_GETREGS,
	.set_regs = PTRACE_SETREGS,
	.pc = pc,
	.set_pc = set_pc,
	.sp = sp,
	.layout = x86_64_layout,
	.state_read = x86_64_state_read,
	.state_write = x86_64_state_write,
	.reg_at = x86_64_reg_at,
	.reg_find = x86_64_reg_find,
	.reg_get = x86_64_reg_get,
	.reg_set = x86_64_reg_set,
	.reg_explain = x86_64_reg_explain,
	.reg_parse_float = x86_64_reg_parse_float,
	.unwind_regs = x86_64_unwind_regs,
	.thread_pointer = thread_pointer,
	.gdb_describe = x86_64_gdb_describe,
	.gdb_get = x86_64_gdb_get,
	.gdb_set = x86_64_gdb_set,
	.gdb_sp = 7,
	.gdb_pc = 16,
	.triple = "x86_64-pc-linux-gnu",
	.call_nr = call_nr,
	.call_arg = call_arg,
	.set_call_arg = set_call_arg,
	.narrow_call_arg = x86_64_narrow_call_arg,
	.narrow_call_name = x86_64_narrow_call_name,
	.set_call_nr = set_call_nr,
	.call_result = call_result,
	.set_call_result = set_call_result,
	.is_narrow = is_narrow,
	.in_call = in_call,
	.is_emulated = is_emulated,
	.call_skip = call_skip,
	.call_rewind = call_rewind,
	.remote_call = remote_call,
	.call_code = x86_64_code_page,
	.call_size = 2,
	.upcoming_call = upcoming_call,
	.call_set = call_set,
	.makes_call = makes_call,
	.break_code = break_code,
	.break_size = sizeof(break_code),
	.break_pc = break_pc,
	.shows_step = shows_step,
	.traces_itself = traces_itself,
	.hide_step = hide_step,
	.step_flag = TRAP_FLAG,
	.debug_slots = 4,
	.set_debug = x86_64_set_debug,
	.move_debug = x86_64_move_debug,
	.debug_hits = x86_64_debug_hits,
	.debug_hit_only = x86_64_debug_hit_only,
	.xstate_note = NT_X86_XSTATE,
	.insn_max = 15,
	.trap_kind = x86_64_trap_kind,
	.trap_emulate = x86_64_trap_emulate,
	.arm_time_trap = x86_64_arm_time_trap,
	.arm_cpuid_trap = x86_64_arm_cpuid_trap,
	.cpuid_trap_call = x86_64_cpuid_trap_call,
	.share_cpuid_trap = x86_64_share_cpuid_trap,
	.identify_cpu = x86_64_identify_cpu,
	.classify = x86_64_classify,
	.window = x86_64_window,
	.call_window = x86_64_call_window,
	.call_before = 5,
	.window_starts = x86_64_window_starts,
	.traps_alone = x86_64_traps_alone,
	.clear_resume = x86_64_clear_resume,
	.compare_stub = x86_64_compare_stub,
	.count_stub = x86_64_count_stub,
	.call_stub = x86_64_call_stub,
	.leave_call_copy = x86_64_leave_call_copy,
	.agent_regs = x86_64_agent_regs,
	.bases_are_readable = x86_64_bases_are_readable,
	.agent_record_regs = x86_64_agent_record_regs,
	.restart_stub = x86_64_restart_stub,
	.flags_dead = x86_64_flags_dead,
	.clear_dead_flags = x86_64_clear_dead_flags,
	.branch = x86_64_branch,
	.flow = x86_64_flow,
	.falls_through = x86_64_falls_through,
	.behind_call = x86_64_behind_call,
	.make_jump = x86_64_make_jump,
	.xstate_normalise = x86_64_xstate_normalise,
	.vdso_patches = x86_64_vdso_patches,
	.stub = x86_64_stub,
	.stub_size = 256,
	.code_page = x86_64_code_page,
	.code_page_size = 4,
	.user_end = 0x7ffffffff000,
	.sigframe_size = x86_64_sigframe_size,
	.sigframe_step_mark = x86_64_sigframe_step_mark,
	.sigreturn_mask = x86_64_sigreturn_mask,
	.stop_filter = x86_64_stop_filter,
};
