/*
 * An ioctl that the table of system calls does not have, on purpose: what it writes is found by
 * comparing memory before and after. (RNDGETENTCNT must stay out of src/syscalls/ioctl.def.)
 */
#include "guest.h"
#include <linux/random.h>
#include <sys/ioctl.h>

int main(void)
{
	struct {
		int before, count, after;
	} words = {0x11111111, -1, 0x22222222};
	int fd = need(open("/dev/urandom", O_RDONLY));

	if (ioctl(fd, RNDGETENTCNT, &words.count) < 0)
		skip("RNDGETENTCNT: %s", strerror(errno));
	expect(words.count >= 0, "the kernel has written %d", words.count);
	expect(words.before == 0x11111111 && words.after == 0x22222222, "and nothing beside it");
	/* Again: memory that the call leaves as it was. */
	int same = words.count;
	expect_eq_long(ioctl(fd, RNDGETENTCNT, &same), 0, "a second time");
	show("%d, %d", words.count, same);
	return done();
}
