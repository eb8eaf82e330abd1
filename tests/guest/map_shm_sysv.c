/*
 * SysV shared memory: shmget, shmat at several places, shmdt, shmctl with every command, and a
 * child that attaches by key.
 */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/shm.h>

static void show_segment(int id, int attached)
{
	struct shmid_ds ds;

	need(shmctl(id, IPC_STAT, &ds));
	show("size %zu, mode %o, creator %d, last %d, attached %lu, times %ld %ld %ld, key 0x%x",
	     ds.shm_segsz, ds.shm_perm.mode, ds.shm_cpid, ds.shm_lpid, ds.shm_nattch, ds.shm_atime,
	     ds.shm_dtime, ds.shm_ctime, ds.shm_perm.__key);
	expect_eq_long(ds.shm_nattch, attached, "attached");
}

int main(void)
{
	struct shmid_ds ds;
	struct shminfo info;
	struct shm_info usage;
	int id = shmget(IPC_PRIVATE, 10000, IPC_CREAT | 0600);

	if (id == -1)
		skip("SysV shared memory: %s", strerror(errno));
	show("segment %d", id);
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
	need((long)a);
	need((long)b);
	show("attached at %p and %p", a, b);
	strcpy(a + 5000, "written at one place");
	expect(strcmp(b + 5000, "written at one place") == 0, "read at the other");
	show_segment(id, 2);

	pid_t pid = need(fork());
	if (pid == 0) {
		char *c = shmat(id, NULL, 0);
		need((long)c);
		strcpy(c, "from the child");
		show_segment(id, 5); /* two inherited, two of the parent, one new */
		_exit(done());
	}
	expect_child(pid, 0);
	expect(strcmp(a, "from the child") == 0, "%s", a);
	expect_eq_long(shmdt(b), 0, "shmdt");
	expect_errno(shmdt(b), EINVAL);
	show_segment(id, 1);

	need(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0640;
	expect_eq_long(shmctl(id, IPC_SET, &ds), 0, "IPC_SET");
	int highest = shmctl(0, IPC_INFO, (struct shmid_ds *)&info);
	show("IPC_INFO: highest index %d, shmmni %ld, shmmax %lx", highest, (long)info.shmmni,
	     (long)info.shmmax);
	expect(highest >= 0, "IPC_INFO");
	expect(shmctl(0, SHM_INFO, (struct shmid_ds *)&usage) >= 0, "SHM_INFO: %d in use",
	       usage.used_ids);
	int r = shmctl(highest, SHM_STAT, &ds);
	show("SHM_STAT: %d", r);
	expect_errno(shmctl(id, 999, &ds), EINVAL);
	expect_eq_long(shmctl(id, IPC_RMID, NULL), 0, "IPC_RMID");
	strcpy(a, "still attached");
	need(shmdt(a));
	expect(shmat(id, NULL, 0) == (void *)-1, "gone after the last shmdt");
	key_t key = ftok(temp_dir(), 'g');
	show("ftok 0x%x", key);
	expect_errno(shmget(key, 100, 0), ENOENT);
	return done();
}
