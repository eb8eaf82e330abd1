/* personality(READ_IMPLIES_EXEC): what is mapped to be read can be executed, also in children. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/personality.h>

#define RW (PROT_READ | PROT_WRITE)

/* mov eax, 42; ret */
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};

static int run(void *at)
{
	int (*function)(void);

	memcpy(at, code, sizeof(code));
	memcpy(&function, &at, sizeof(function));
	return function();
}

static void *fresh(void)
{
	void *p = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	return p;
}

int main(void)
{
	void *before = fresh();
	int status = 0, old = personality(0xffffffff);

	if (old == -1 || personality((unsigned long)old | READ_IMPLIES_EXEC) == -1)
		skip("the right to set the personality");
	expect((personality(0xffffffff) & READ_IMPLIES_EXEC) != 0, "set");
	expect_eq_long(run(fresh()), 42, "code in new memory");
	need(mprotect(before, 4096, RW));
	expect_eq_long(run(before), 42, "code in memory that is protected anew");
	char *heap = sbrk(0);
	need((long)sbrk(65536));
	expect_eq_long(run(heap + 32768), 42, "code in the heap");
	pid_t pid = need(fork());
	if (pid == 0) {
		expect_eq_long(run(fresh()), 42, "code in a child's memory");
		_exit(done());
	}
	expect_child(pid, 0);
	need(personality((unsigned long)old & ~(unsigned long)READ_IMPLIES_EXEC));
	void *after = fresh();
	pid = need(fork());
	if (pid == 0)
		_exit(run(after));
	need(waitpid(pid, &status, 0));
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "no longer: %#x", status);
	return done();
}
