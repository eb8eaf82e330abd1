/* x86-64: the code page, the stub executable that brings it, and the seccomp program that lets
 * its calls pass. */
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "abi/agent_abi.h"
#include "arch/x86_64/x86_64.h"

/* syscall; int3; and once more int3 for whoever runs on. */
const uint8_t x86_64_code_page[] = {0x0f, 0x05, 0xcc, 0xcc};
const size_t x86_64_code_page_size = sizeof(x86_64_code_page);

#define LE16(x) (x) & 0xff, (x) >> 8 & 0xff
#define LE32(x) LE16((x)), LE16((x) >> 16)
#define LE64(x) LE32((uint64_t)(x)), LE32((uint64_t)(x) >> 32)

/* An ELF file of two segments: the code page, which begins as this very file and whose entry point
 * traps at once (the replayer then writes the code page over it), and the data page. */
/* clang-format off */
const uint8_t x86_64_stub[256] = {
	0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV,
	0, 0, 0, 0, 0, 0, 0, 0,
	LE16(ET_EXEC), LE16(EM_X86_64), LE32(EV_CURRENT),
	LE64(WARP_CODE_PAGE + 0xf0), LE64(64), LE64(0), LE32(0),
	LE16(64), LE16(56), LE16(2), LE16(64), LE16(0), LE16(0),
	/* PT_LOAD: this file, readable and executable */
	LE32(PT_LOAD), LE32(PF_R | PF_X), LE64(0), LE64(WARP_CODE_PAGE), LE64(WARP_CODE_PAGE),
	LE64(256), LE64(256), LE64(4096),
	/* PT_LOAD: zeros, readable and writable */
	LE32(PT_LOAD), LE32(PF_R | PF_W), LE64(0), LE64(WARP_DATA_PAGE), LE64(WARP_DATA_PAGE),
	LE64(0), LE64(4096), LE64(4096),
	[0xf0] = 0xcc, /* the entry point: int3 */
};
/* clang-format on */
const size_t x86_64_stub_size = sizeof(x86_64_stub);

#define DATA(field) offsetof(struct seccomp_data, field)

/* Calls made from the code page and by the agent pass; all others stop, those of foreign gates
 * too. */
const struct sock_fprog *x86_64_stop_filter(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WARP_CODE_PAGE >> 32, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)AGENT_SYSCALL + 2, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)WARP_CODE_PAGE + 2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 1),
	};
	static const struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	return &program;
}
