/*
 * SysV shared memory in IPC namespaces of its own: the same number is another segment in each.
 */
#include "guest.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define MOST 1000 /* segments; numbers are given in order */

static char *attach_new(const char *text, size_t size)
{
	if (unshare(CLONE_NEWIPC) < 0)
		skip("IPC namespaces: %s", strerror(errno));
	int id = (int)need(shmget(IPC_PRIVATE, size, IPC_CREAT | 0600));
	char *first = shmat(id, NULL, 0);

	need((long)first);
	strcpy(first + size - 100, text);
	/* Once more: what it holds by then is known to a replay. */
	char *second = shmat(id, NULL, 0);

	need((long)second);
	show("segment %d: %s", id, second + size - 100);
	expect(strcmp(second + size - 100, text) == 0, "the same memory");
	strcpy(second, "written there");
	expect(strcmp(first, "written there") == 0, "the same memory: %s", first);
	need(shmdt(second));
	need(shmctl(id, IPC_RMID, NULL));
	return first;
}

/* Put over warp's pages, where a shorter segment of the same number elsewhere would not reach. */
static void attach_over(int number)
{
	int id = -1;

	for (int i = 0; i < MOST && id != number; i++)
		id = (int)need(shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600));
	show("the same number: %d", id == number);
	char *at = shmat(id, (char *)0x70000000 - 0x10000, SHM_REMAP);

	expect(at != (char *)-1 || errno == EPERM, "SHM_REMAP");
}

static void test_over(void)
{
	int number = (int)need(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
	pid_t pid = need(fork());

	if (pid == 0) {
		if (unshare(CLONE_NEWIPC) == 0)
			attach_over(number);
		_exit(done());
	}
	expect_child(pid, 0);
	need(shmctl(number, IPC_RMID, NULL));
}

int main(void)
{
	test_over();
	char *outer = attach_new("outer", 9000);
	pid_t pid = need(fork());

	if (pid == 0) {
		char *inner = attach_new("inner", 3 * 4096);

		strcpy(inner + 8192, "in the child");
		show("%s", inner + 8192);
		expect(strcmp(outer + 8900, "outer") == 0, "another segment than %s", outer + 8900);
		need(shmdt(inner));
		_exit(done());
	}
	expect_child(pid, 0);
	expect(strcmp(outer + 8900, "outer") == 0, "still %s", outer + 8900);
	need(shmdt(outer));
	return done();
}
