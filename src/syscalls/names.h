/* Tables of named constants, as strace spells them. Private to the formatter. */
#ifndef WARP_SYSCALLS_NAMES_H
#define WARP_SYSCALLS_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct name {
	uint64_t value;
	const char *text;
};

/* For masks the order counts: names are printed in the order of the table, and one of several bits
 * has to come before its parts. */
struct names {
	const char *unknown; /* comment behind a value without a name, or NULL */
	size_t count;
	const struct name *items;
};

#define N(macro)                          \
	{                                 \
		(uint32_t)(macro), #macro \
	}
#define NAMED(value, text)    \
	{                     \
		(value), text \
	}
#define NAMES(id, unknown, ...)                                                            \
	const struct names names_##id = {                                                  \
		unknown, sizeof((const struct name[]){__VA_ARGS__}) / sizeof(struct name), \
		(const struct name[]){__VA_ARGS__}}

/* The text for a value, or NULL. */
const char *names_find(const struct names *names, uint64_t value);

#define NAMES_LIST(X)        \
	X(access)            \
	X(arch_prctl)        \
	X(at)                \
	X(at_statx_sync)     \
	X(audit_arch)        \
	X(baud)              \
	X(cap)               \
	X(cap_version)       \
	X(clock_flags)       \
	X(clockid)           \
	X(clone)             \
	X(close_range)       \
	X(cmsg_ip)           \
	X(cmsg_socket)       \
	X(domain)            \
	X(dumpable)          \
	X(epoll)             \
	X(epoll_create)      \
	X(epoll_op)          \
	X(eventfd)           \
	X(faccessat)         \
	X(fadvice)           \
	X(falloc)            \
	X(fanotify_class)    \
	X(fanotify_init)     \
	X(fanotify_mark)     \
	X(fanotify_mask)     \
	X(fcntl)             \
	X(fdflags)           \
	X(flock)             \
	X(flock_type)        \
	X(fsconfig)          \
	X(fsmount)           \
	X(fsmount_attr)      \
	X(fsopen)            \
	X(fspick)            \
	X(fstype)            \
	X(futex)             \
	X(futex2)            \
	X(futex_bitset)      \
	X(futex_wake_cmp)    \
	X(futex_wake_op)     \
	X(getrandom)         \
	X(inotify)           \
	X(inotify_init)      \
	X(ioprio)            \
	X(ioprio_class)      \
	X(ipc_flags)         \
	X(ipproto)           \
	X(itimer)            \
	X(kcmp)              \
	X(key_spec)          \
	X(keyctl)            \
	X(landlock_rule)     \
	X(lsm_attr)          \
	X(madvise)           \
	X(membarrier)        \
	X(memfd)             \
	X(mlock)             \
	X(mlockall)          \
	X(mmap)              \
	X(mode_type)         \
	X(module)            \
	X(mount)             \
	X(move_mount)        \
	X(mpol)              \
	X(mpol_flags)        \
	X(mremap)            \
	X(msg)               \
	X(msg_ipc)           \
	X(msgctl)            \
	X(msync)             \
	X(netlink)           \
	X(open)              \
	X(open_access)       \
	X(open_tree)         \
	X(owner_type)        \
	X(personality)       \
	X(personality_flags) \
	X(pidfd)             \
	X(poll)              \
	X(prctl)             \
	X(prio)              \
	X(prot)              \
	X(ptrace)            \
	X(ptrace_options)    \
	X(reboot)            \
	X(reboot_magic)      \
	X(rename)            \
	X(resolve)           \
	X(rlimit)            \
	X(rusage)            \
	X(rwf)               \
	X(sched)             \
	X(seals)             \
	X(seccomp)           \
	X(seccomp_filter)    \
	X(seccomp_mode)      \
	X(semctl)            \
	X(shmat)             \
	X(shmctl)            \
	X(shutdown)          \
	X(si_bus)            \
	X(si_chld)           \
	X(si_code)           \
	X(si_fpe)            \
	X(si_ill)            \
	X(si_poll)           \
	X(si_segv)           \
	X(si_sys)            \
	X(si_trap)           \
	X(sigaction)         \
	X(sigaltstack)       \
	X(sigev)             \
	X(sigmask)           \
	X(signalfd)          \
	X(so)                \
	X(so_ip)             \
	X(so_ipv6)           \
	X(so_netlink)        \
	X(so_tcp)            \
	X(sock_flags)        \
	X(sock_type)         \
	X(sol)               \
	X(splice)            \
	X(st)                \
	X(statx)             \
	X(statx_attributes)  \
	X(swap)              \
	X(sync_file_range)   \
	X(syslog)            \
	X(tcflush)           \
	X(tcxonc)            \
	X(termios_cflag)     \
	X(termios_csize)     \
	X(termios_iflag)     \
	X(termios_lflag)     \
	X(termios_oflag)     \
	X(timerfd)           \
	X(timerfd_set)       \
	X(timex_state)       \
	X(timex_status)      \
	X(tsc)               \
	X(umount)            \
	X(wait)              \
	X(waitid)            \
	X(whence)            \
	X(xattr)

#define NAMES_DECLARE(id) extern const struct names names_##id;
NAMES_LIST(NAMES_DECLARE)
#undef NAMES_DECLARE

#endif
