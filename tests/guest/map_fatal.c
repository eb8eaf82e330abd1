/*
 * Dies of a store to a read-only page that nobody handles, after having printed where.
 *
 * guest: signal SIGSEGV
 */
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit none = {0, 0};
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need((long)page);
	need(setrlimit(RLIMIT_CORE, &none));
	pid_t pid = need(fork());
	if (pid == 0) {
		*(volatile char *)page = 1;
		_exit(0);
	}
	int status = 0;
	need(waitpid(pid, &status, 0));
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "the child died: 0x%x", status);
	show("about to store to %p", page);
	/* An unmet expectation must not look like the end that is expected. */
	if (done())
		return 1;
	*(volatile char *)page = 1;
	expect(false, "the store went through");
	return done();
}
