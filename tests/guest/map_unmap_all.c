/* Unmaps what it finds in /proc/self/maps that it does not need itself, whoever put it there: what
 * belongs to a recorder is refused, and calls and threads work as before. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>

static void *in_thread(void *unused)
{
	char random[8];

	need(syscall(SYS_getrandom, random, sizeof(random), 0));
	hexdump("random", random, sizeof(random));
	return unused;
}

/* Anonymous or of a file that is not the program's: below the addresses that the kernel gives out. */
static void unmap_low(void)
{
	char line[512];
	unsigned long start, end;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || start < 0x60000000 ||
		    end > 0x80000000)
			continue;
		errno = 0;
		long result = munmap((void *)start, end - start);
		show("%lx-%lx: %ld, errno %d", start, end, result, errno);
	}
	fclose(maps);
}

/* To a place where something is already. */
static void move_there(char *at)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	p[0] = 'p';
	char *moved = mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	show("mremap %p, errno %d", (void *)moved, errno);
	expect(moved == MAP_FAILED ? errno == EPERM && p[0] == 'p' : moved[0] == 'p', "mremap");
	int segment = shmget(IPC_PRIVATE, 8192, 0600);
	if (segment == -1)
		return;
	void *attached = shmat(segment, at - 4096, SHM_REMAP);
	show("shmat %p, errno %d", attached, errno);
	expect(attached != (void *)-1 || errno == EPERM, "shmat");
	need(shmctl(segment, IPC_RMID, NULL));
}

int main(void)
{
	char *at = (char *)0x70000000;
	pthread_t thread;

	unmap_low();
	show("mprotect %d", mprotect(at, 8192, PROT_READ));
	show("munmap %d", munmap(at - 4096, 3 * 4096));
	show("madvise %d", madvise(at, 8192, MADV_DONTNEED));
	void *fixed = mmap(at, 8192, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	show("mmap %p", fixed);
	move_there(at);
	need_zero(pthread_create(&thread, NULL, in_thread, NULL));
	need_zero(pthread_join(thread, NULL));
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(0);
	expect_child(pid, 0);

	/* Other types of mapping. */
	int zero = need(open("/dev/zero", O_RDWR));
	void *validated = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE, zero, 0);
	expect(validated != MAP_FAILED, "MAP_SHARED_VALIDATE of /dev/zero: %p", validated);
	char *droppable = mmap(NULL, 8192, PROT_READ | PROT_WRITE, 8 | MAP_ANONYMOUS, -1, 0);
	show("MAP_DROPPABLE: %p", (void *)droppable);
	if (droppable != MAP_FAILED)
		droppable[0] = 1;
	return done();
}
