/*
 * mprotect and SIGSEGV: siginfo, the error code and address in the context, execution of what is
 * not executable, a null pointer, a non-canonical address; repaired by mprotect.
 */
#include "guest.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static siginfo_t info;
static greg_t err, cr2, trapno;
static sigjmp_buf jump;
static char *repair;

static void handler(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	info = *si;
	err = uc->uc_mcontext.gregs[REG_ERR];
	cr2 = uc->uc_mcontext.gregs[REG_CR2];
	trapno = uc->uc_mcontext.gregs[REG_TRAPNO];
	if (repair) {
		need(mprotect(repair, 4096, PROT_READ | PROT_WRITE));
		repair = NULL;
		return;
	}
	siglongjmp(jump, 1);
}

static void fault(const char *what, volatile char *at, bool store, int code)
{
	info.si_signo = 0;
	if (sigsetjmp(jump, 1) == 0) {
		if (store)
			*at = 1;
		else
			show("loaded %d", *at);
	}
	expect(info.si_signo == SIGSEGV && info.si_code == code, "%s: code %d", what, info.si_code);
	show("address %p, trap %ld, error 0x%lx, cr2 %lx", info.si_addr, (long)trapno, (long)err,
	     (long)cr2);
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};

	need(sigaction(SIGSEGV, &act, NULL));
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	need(munmap(p + 4096, 4096));
	need(mprotect(p, 4096, PROT_READ));
	fault("store to read-only", p + 10, true, SEGV_ACCERR);
	expect(info.si_addr == p + 10, "si_addr is what was stored to");
	need(mprotect(p, 4096, PROT_NONE));
	fault("load from PROT_NONE", p + 11, false, SEGV_ACCERR);
	fault("load from nothing", p + 4096, false, SEGV_MAPERR);
	fault("store to a null pointer", (char *)8, true, SEGV_MAPERR);
	fault("non-canonical address", (char *)0x800000000000abcd, false, SI_KERNEL);

	need(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	p[0] = (char)0xc3;
	info.si_signo = 0;
	if (sigsetjmp(jump, 1) == 0)
		((void (*)(void))(uintptr_t)p)();
	expect(info.si_signo == SIGSEGV && info.si_addr == p, "no execution at %p", info.si_addr);

	for (int i = 0; i < 20; i++) {
		need(mprotect(p, 4096, PROT_NONE));
		repair = p;
		p[100]++;
	}
	expect_eq_long(p[100], 20, "stores repaired by mprotect");
	expect_errno(mprotect(p + 1, 4096, PROT_READ), EINVAL);
	expect_errno(mprotect(p, 12288, PROT_READ), ENOMEM);
	return done();
}
