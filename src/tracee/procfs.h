/* What /proc tells about a process. */
#ifndef WARP_TRACEE_PROCFS_H
#define WARP_TRACEE_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/taddr.h"
#include "util/vec.h"

/* An error if there is no /proc, or not that of our PID namespace: why it was not possible to
 * `attempt` ("record true"). */
struct error *proc_check(const char *attempt);

/* A line of /proc/PID/maps. `name` is owned. */
struct proc_map {
	taddr start, end;
	uint64_t offset, inode;
	dev_t device;
	uint32_t prot; /* PROT_* */
	bool shared;
	char *name; /* "" if it has none */
};

struct proc_maps vec(struct proc_map);

bool proc_read_maps(pid_t pid, struct proc_maps *maps);
void proc_maps_deinit(struct proc_maps *maps);

/* A signal in a set of them, as the kernel has them: bit N-1 is signal N. */
#define SIGNAL_BIT(signal) (1ull << ((signal)-1))

/* Masks of /proc/TID/status. */
struct proc_signals {
	uint64_t pending, shared_pending, blocked, ignored, caught;
};

bool proc_read_signals(pid_t tid, struct proc_signals *signals);
/* The thread's effective capabilities, in its own user namespace: bit N is CAP_* number N. */
uint64_t proc_capabilities(pid_t tid);
/* The state letter of /proc/TID/stat; 0 if there is no such thread. */
char proc_state(pid_t tid);
/* How long the thread has been on a core; UINT64_MAX where the kernel does not tell. */
uint64_t proc_cpu_ns(pid_t tid);
/* The first number behind "LABEL:" in /proc/TID/status; 0 if there is none. */
pid_t proc_status_number(pid_t tid, const char *label);
/* The id by which the thread knows itself: in its own pid namespace. */
pid_t proc_own_tid(pid_t tid);

bool proc_same_pid_namespace(pid_t a, pid_t b);

struct proc_tids vec(pid_t);

/* The living children that this thread has made; false where the kernel does not list them. */
bool proc_read_children(pid_t tid, struct proc_tids *children);
/* What file it is: device, inode, type, mode, device number. Only what the kernel knows: asking a
 * file system's server (FUSE) waits for ever where that is one of those who are stopped. */
bool proc_stat_known(const char *path, struct stat *status);
/* The same for /proc/PID/fd/FD: what the descriptor is open on. */
bool proc_fd_stat(pid_t pid, int fd, struct stat *status);
/* Its file offset and O_* flags. */
bool proc_fd_info(pid_t pid, int fd, int64_t *position, int *flags);
/* Opens the same file anew for reading; -1 where that cannot be. */
int proc_fd_reopen(pid_t pid, int fd, int flags);
/* Reads a whole file below /proc/PID; *out is the caller's. */
bool proc_read(pid_t pid, const char *name, struct bytes *out);

#endif
