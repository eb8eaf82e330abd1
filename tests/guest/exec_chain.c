/* Twenty images in a row in one process, each with a pipe's data and a count handed on. */
#include "guest_task.h"
#include <sys/random.h>

#define IMAGES 20

int main(int argc, char **argv)
{
	int image = argc > 1 ? atoi(argv[1]) : 0;
	char number[16], pid[16], fd_text[16];
	unsigned char random[4];
	int fds[2];

	if (image == 0) {
		need(pipe(fds));
	} else {
		fds[0] = atoi(argv[3]);
		fds[1] = fds[0] + 1;
		expect_eq_long(getpid(), atoi(argv[2]), "pid");
	}
	need(getrandom(random, sizeof(random), 0));
	need(write(fds[1], &image, sizeof(image)));
	show("image %d: stack %p, random %02x%02x%02x%02x", image, (void *)&image, random[0],
	     random[1], random[2], random[3]);
	if (done() != 0)
		return 1;
	if (image < IMAGES) {
		snprintf(number, sizeof(number), "%d", image + 1);
		snprintf(pid, sizeof(pid), "%d", getpid());
		snprintf(fd_text, sizeof(fd_text), "%d", fds[0]);
		need(execl("/proc/self/exe", "exec_chain", number, pid, fd_text, NULL));
	}
	for (int i = 0; i <= IMAGES; i++) {
		int value = -1;
		need(read(fds[0], &value, sizeof(value)));
		if (value != i)
			expect(false, "value %d, expected %d", value, i);
	}
	return done();
}
