/*
 * SIGBUS behind the end of a mapped file, caught, with its siginfo; repaired by ftruncate.
 */
#include "guest.h"
#include <setjmp.h>
#include <sys/mman.h>

static int fd;
static siginfo_t info;
static sigjmp_buf jump;
static volatile int repair, count;

static void handler(int sig, siginfo_t *si, void *ctx)
{
	info = *si;
	count++;
	if (repair)
		need(ftruncate(fd, 3 * 4096));
	else
		siglongjmp(jump, 1);
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	need(sigaction(SIGBUS, &act, NULL));
	fd = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	need(ftruncate(fd, 100));
	char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need((long)map);
	map[4095] = 'z';
	expect(map[200] == 0, "zeroes in the rest of the last page");

	volatile char *beyond = map + 5000;
	if (sigsetjmp(jump, 1) == 0) {
		*beyond = 1;
		expect(false, "a store behind the end went through");
	}
	expect_eq_long(count, 1, "SIGBUS");
	expect(info.si_code == BUS_ADRERR, "si_code %d", info.si_code);
	expect(info.si_addr == beyond, "si_addr %p", info.si_addr);

	/* The same again, but the handler makes the file longer and returns. */
	repair = 1;
	*beyond = 7;
	expect_eq_long(count, 2, "SIGBUS");
	char c = 0;
	need(pread(fd, &c, 1, 5000));
	expect_eq_long(c, 7, "the store happened after the repair");
	need(ftruncate(fd, 0));
	c = map[1];
	expect(count == 3 && c == 0, "a load from the emptied file faults and is repaired");
	/* A system call that meets the same page fails instead. */
	need(ftruncate(fd, 0));
	int zero = need(open("/dev/zero", O_RDONLY));
	expect_errno(read(zero, map, 10), EFAULT);
	expect_eq_long(count, 3, "SIGBUS in all");
	return done();
}
