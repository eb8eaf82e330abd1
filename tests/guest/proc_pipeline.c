/* A pipeline of ten processes, each adding one to every number that passes through. */
#include "guest_task.h"

#define STAGES	10
#define NUMBERS 50

static void stage(int in, int out)
{
	int value;
	while (read(in, &value, sizeof(value)) == (ssize_t)sizeof(value)) {
		value++;
		need(write(out, &value, sizeof(value)));
	}
	_exit(done());
}

int main(void)
{
	int first[2], in;
	pid_t pids[STAGES];

	need(pipe(first));
	in = first[0];
	for (int i = 0; i < STAGES; i++) {
		int next[2];
		need(pipe(next));
		pids[i] = need(fork());
		if (pids[i] == 0) {
			close(first[1]);
			close(next[0]);
			stage(in, next[1]);
		}
		close(in);
		close(next[1]);
		in = next[0];
	}
	for (int i = 0; i < NUMBERS; i++) {
		int value = i * 100;
		need(write(first[1], &value, sizeof(value)));
	}
	close(first[1]);
	int value, count = 0;
	while (read(in, &value, sizeof(value)) == (ssize_t)sizeof(value)) {
		if (value != count * 100 + STAGES)
			expect(false, "value %d at %d", value, count);
		count++;
	}
	expect_eq_long(count, NUMBERS, "numbers through the pipeline");
	for (int i = 0; i < STAGES; i++)
		expect_child(pids[i], 0);
	return done();
}
