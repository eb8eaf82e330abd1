/* Where the agent is entered and left. src/abi/agent_abi.h has the addresses; the offsets of
 * agent_state's first words are known here.
 *
 * A site (call_stub in src/arch/x86_64/place.c) has saved the stack pointer in agent_state.sp and
 * has called us on our own stack. All registers and flags are the program's, and are so again when
 * the site goes on, but for rax, rcx and r11 of a call that was made. */
#define STATE 0x70020000
#define SP    STATE + 8
#define RESUME STATE + 16

/* In struct frame; and a flag in its third byte. */
#define FLAGS		120
#define ALIGNMENT_CHECK 4

	.section .entry, "ax"
	.globl agent_entry
agent_entry:
	jmp record
	.balign 8, 0xcc
	jmp decline
	.balign 8, 0xcc
	.globl agent_syscall
agent_syscall:
	syscall
	ret
	.balign 8, 0xcc
	int3
	int3

decline:
	popq RESUME
	movq SP, %rsp
	jmpq *RESUME

	/* struct frame in agent.c, upwards from the stack pointer */
record:
	pushfq
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	testb $ALIGNMENT_CHECK, FLAGS + 2(%rsp)
	jnz unchecked
ready:
	movq %rsp, %rdi
	andq $-16, %rsp
	movq %rdi, %rbx
	call agent_call
	movq %rbx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popfq
	movq SP, %rsp
	jmpq *RESUME

	/* The program wants a SIGBUS for what we do, too. */
unchecked:
	pushq $2
	popfq
	jmp ready

	.section .note.GNU-stack, "", @progbits
