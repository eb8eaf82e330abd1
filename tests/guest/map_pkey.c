/*
 * Protection keys: allocated, put on a page, denied and allowed by wrpkru.
 */
#include "guest.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf jump;
static siginfo_t info;

static void handler(int sig, siginfo_t *si, void *ctx)
{
	info = *si;
	siglongjmp(jump, 1);
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	int key = pkey_alloc(0, 0);

	if (key == -1)
		skip("protection keys: %s", strerror(errno));
	show("key %d, rights %d", key, pkey_get(key));
	need(sigaction(SIGSEGV, &act, NULL));
	volatile char *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)page);
	expect_eq_long(pkey_mprotect((void *)page, 4096, PROT_READ | PROT_WRITE, key), 0,
		       "pkey_mprotect");
	page[0] = 'k';
	expect_eq_long(pkey_set(key, PKEY_DISABLE_WRITE), 0, "pkey_set");
	expect_eq_long(page[0], 'k', "reading is allowed");
	if (sigsetjmp(jump, 1) == 0) {
		page[0] = 'x';
		expect(false, "the store went through");
	}
	expect(info.si_code == SEGV_PKUERR && (int)info.si_pkey == key, "code %d, key %u",
	       info.si_code, info.si_pkey);
	pkey_set(key, 0);
	page[0] = 'w';
	expect_eq_long(page[0], 'w', "allowed again");
	expect_eq_long(pkey_free(key), 0, "pkey_free");
	expect_errno(pkey_free(key), EINVAL);
	expect_errno(pkey_mprotect((void *)page, 4096, PROT_READ, 15), EINVAL);
	return done();
}
