/*
 * Named POSIX semaphores between processes, timed waits, and their files.
 */
#include "guest.h"
#include <semaphore.h>
#include <time.h>

int main(void)
{
	struct timespec past = {1, 0}, soon;
	char a[64], b[64];
	int value = -1;

	snprintf(a, sizeof(a), "/guest-a-%d", getpid());
	snprintf(b, sizeof(b), "/guest-b-%d", getpid());
	sem_t *request = sem_open(a, O_CREAT | O_EXCL, 0600, 0);
	if (request == SEM_FAILED)
		skip("named semaphores: %s", strerror(errno));
	sem_t *answer = sem_open(b, O_CREAT | O_EXCL, 0600, 2);
	expect(sem_open(a, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST, "exists");
	show("at %p and %p", (void *)request, (void *)answer);

	pid_t pid = need(fork());
	if (pid == 0) {
		sem_t *mine = sem_open(a, 0);
		expect(mine != SEM_FAILED, "opened by name in the child");
		for (int i = 0; i < 100; i++) {
			need(sem_wait(mine));
			need(sem_post(answer));
		}
		_exit(done());
	}
	for (int i = 0; i < 100; i++) {
		need(sem_post(request));
		need(sem_wait(answer));
	}
	expect_child(pid, 0);
	sem_getvalue(answer, &value);
	expect_eq_long(value, 2, "sem_getvalue");
	need(sem_wait(answer));
	need(sem_trywait(answer));
	expect_errno(sem_trywait(answer), EAGAIN);
	expect_errno(sem_timedwait(answer, &past), ETIMEDOUT);
	need(clock_gettime(CLOCK_REALTIME, &soon));
	soon.tv_nsec += 2000000;
	if (soon.tv_nsec >= 1000000000) {
		soon.tv_sec++;
		soon.tv_nsec -= 1000000000;
	}
	expect_errno(sem_timedwait(answer, &soon), ETIMEDOUT);
	expect_eq_long(sem_close(answer), 0, "sem_close");
	expect_eq_long(sem_unlink(a), 0, "sem_unlink");
	expect_eq_long(sem_unlink(b), 0, "sem_unlink");
	expect_errno(sem_unlink(a), ENOENT);
	return done();
}
