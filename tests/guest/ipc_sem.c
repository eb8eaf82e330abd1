/*
 * SysV semaphores: semop, semtimedop, undo, semctl with every command, two processes taking turns.
 */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static void change(int id, int which, int by, int flags)
{
	struct sembuf op = {which, by, flags};
	need(semop(id, &op, 1));
}

static void commands(int id)
{
	unsigned short set[3] = {4, 5, 6}, got[3] = {0};
	struct semid_ds ds;
	struct seminfo info;

	need(semctl(id, 0, SETALL, (union semun){.array = set}));
	need(semctl(id, 0, GETALL, (union semun){.array = got}));
	expect_eq_long(memcmp(set, got, sizeof(set)), 0, "GETALL after SETALL");
	need(semctl(id, 1, SETVAL, (union semun){.val = 42}));
	expect_eq_long(semctl(id, 1, GETVAL), 42, "GETVAL");
	expect_eq_long(semctl(id, 1, GETPID), getpid(), "GETPID");
	expect_eq_long(semctl(id, 1, GETNCNT), 0, "GETNCNT");
	expect_eq_long(semctl(id, 1, GETZCNT), 0, "GETZCNT");
	need(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
	expect_eq_long(ds.sem_nsems, 3, "semaphores");
	show("mode %o, times %ld %ld", ds.sem_perm.mode, ds.sem_otime, ds.sem_ctime);
	ds.sem_perm.mode = 0640;
	need(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
	int index = semctl(0, 0, IPC_INFO, (union semun){.info = &info});
	show("IPC_INFO: highest index %d, semmni %d, semmsl %d", index, info.semmni, info.semmsl);
	expect(semctl(0, 0, SEM_INFO, (union semun){.info = &info}) >= 0, "SEM_INFO: %d sets",
	       info.semusz);
	show("SEM_STAT: %d", semctl(index, 0, SEM_STAT, (union semun){.buf = &ds}));
	expect_errno(semctl(id, 99, GETVAL), EINVAL);
	expect_errno(semctl(id, 0, SETVAL, (union semun){.val = 40000}), ERANGE);
	expect_errno(semctl(id, 0, 999), EINVAL);
}

int main(void)
{
	int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
	struct timespec ts = {0, 2000000};
	struct sembuf ops[2] = {{0, -1, 0}, {1, -1, 0}}, zero = {0, 0, 0};

	if (id == -1)
		skip("SysV semaphores: %s", strerror(errno));
	show("set %d", id);
	change(id, 0, 1, 0);
	expect_errno(semtimedop(id, ops, 2, &ts), EAGAIN);
	expect_eq_long(semctl(id, 0, GETVAL), 1, "all or nothing: still");
	ops[1].sem_flg = IPC_NOWAIT;
	expect_errno(semop(id, ops, 2), EAGAIN);
	expect_errno(semtimedop(id, &zero, 1, &ts), EAGAIN);
	change(id, 0, -1, 0);
	expect_eq_long(semop(id, &zero, 1), 0, "waiting for zero");

	pid_t pid = need(fork());
	if (pid == 0) {
		for (int i = 0; i < 100; i++) {
			change(id, 0, -1, 0);
			change(id, 1, 1, 0);
		}
		change(id, 2, 7, SEM_UNDO);
		expect_eq_long(semctl(id, 2, GETVAL), 7, "before the undo");
		_exit(done());
	}
	for (int i = 0; i < 100; i++) {
		change(id, 0, 1, 0);
		change(id, 1, -1, 0);
	}
	expect_child(pid, 0);
	expect_eq_long(semctl(id, 2, GETVAL), 0, "undone at the child's exit");
	commands(id);
	expect_eq_long(semctl(id, 0, IPC_RMID), 0, "IPC_RMID");
	expect(semop(id, &zero, 1) == -1 && (errno == EINVAL || errno == EIDRM), "gone");
	return done();
}
