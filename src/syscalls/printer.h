/* What the printers of arguments share. Private to the formatter (format*.c, printer.c). */
#ifndef WARP_SYSCALLS_PRINTER_H
#define WARP_SYSCALLS_PRINTER_H

#include "syscalls/format.h"
#include "syscalls/names.h"
#include "syscalls/syscalls.h"

struct printer {
	struct bytes *out; /* appended to */
	const struct sc_style *style;
	const struct sc_row *row;
	const struct sc_call *call;
	const struct sc_memory *memory; /* where the current argument is read from */
	const struct sc_memory *entry;	/* as it was when the call was made; may be the same */
	const struct sc_memory *after;	/* as it is now */
	unsigned arg;			/* the argument being printed */
	bool failed;			/* the call ended with an error */
	bool last; /* set by a printer: the arguments that follow have no meaning */
};

/* Prints the argument (or result) `value`; `names` is what the table of types holds beside it. */
struct type_printer {
	void (*print)(struct printer *p, uint64_t value, const struct names *names);
	const struct names *names;
};

void put(struct printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The frequent forms, without the price of a format. */
void put_plain(struct printer *p, const char *text);
void put_decimal(struct printer *p, int64_t value);
/* With "0x", 0 as "0". */
void put_hex(struct printer *p, uint64_t value);
/* A descriptor, with its path if the style asks for that. */
void put_fd(struct printer *p, int fd);
/* A descriptor or AT_FDCWD. */
void put_dirfd(struct printer *p, int fd);
/* "NULL" or the address. */
void put_addr(struct printer *p, taddr addr);
/* Reads the whole of an object; false if it is not all there. */
bool fetch(struct printer *p, taddr addr, void *to, size_t size);
/* As fetch(), and prints the address if that fails. */
bool fetch_or_addr(struct printer *p, taddr addr, void *to, size_t size);

/* Bytes at hand between quotes, all of them, with C escapes (or every byte as \xHH). */
void put_quoted(struct printer *p, const void *bytes, size_t length, bool hex);
/* `length` bytes of memory, cut at the style's string_max. */
void put_bytes(struct printer *p, taddr addr, uint64_t length);
void put_bytes_hex(struct printer *p, taddr addr, uint64_t length);
/* A string of memory up to its NUL, cut at `max` bytes. */
void put_string(struct printer *p, taddr addr, size_t max);
/* A path: never cut. */
void put_path(struct printer *p, taddr addr);
/* A character array of a structure, up to its NUL. */
void put_chars(struct printer *p, const char *chars, size_t size);

void put_name(struct printer *p, const struct names *names, uint64_t value);
/* As put_name(), with an unknown value in decimal. */
void put_name_decimal(struct printer *p, const struct names *names, int64_t value);
/* A|B|0x80. */
void put_flags(struct printer *p, const struct names *names, uint64_t value);
void put_signal(struct printer *p, int signal);
/* A time as local date between two texts; nothing at all for time 0. */
void put_date(struct printer *p, const char *before, int64_t seconds, long nanoseconds,
	      const char *after);
/* [5], an int of memory. */
void put_int_at(struct printer *p, taddr addr);
/* The signals whose bits are set: [INT CHLD], or ~[...] if those are more than two thirds. */
void put_sigset(struct printer *p, uint64_t set);
void put_mode(struct printer *p, unsigned mode);
void put_open_flags(struct printer *p, uint64_t flags);
void put_timespec(struct printer *p, taddr addr);
void put_timeval(struct printer *p, taddr addr);
/* [element, element]: `put_element` prints the element of `size` bytes it is given. */
void put_array(struct printer *p, taddr addr, uint64_t count, size_t size,
	       void (*put_element)(struct printer *p, const void *element));
/* The struct iovec[] of a call that moves `limit` bytes through it (-1: all it has room for). */
void put_iovec(struct printer *p, taddr addr, uint64_t count, uint64_t limit);
void put_sockaddr(struct printer *p, taddr addr, uint64_t length);
void put_siginfo(struct printer *p, taddr addr);
void put_fd_set(struct printer *p, taddr addr, uint64_t nfds);
void put_pollfds(struct printer *p, taddr addr, uint64_t count, bool revents);

/* How many bytes an argument has, by its row; see enum sc_size. */
uint64_t arg_length(struct printer *p);
/* Another argument of the call, 0 beyond the last. */
uint64_t arg_value(const struct printer *p, unsigned arg);

#define TYPE_PRINTER(name) void print_##name(struct printer *, uint64_t, const struct names *)
#define PRINTER(name) \
	void print_##name(struct printer *p, uint64_t value, const struct names *names)

/* format_file.c */
TYPE_PRINTER(access_mode);
TYPE_PRINTER(dev);
TYPE_PRINTER(dirents);
TYPE_PRINTER(dirfd);
TYPE_PRINTER(epoll_event);
TYPE_PRINTER(epoll_events);
TYPE_PRINTER(fcntl_arg);
TYPE_PRINTER(fd_set);
TYPE_PRINTER(iovec);
TYPE_PRINTER(iovec_remote);
TYPE_PRINTER(mode);
TYPE_PRINTER(mode_type);
TYPE_PRINTER(mount_data);
TYPE_PRINTER(offset_ptr);
TYPE_PRINTER(open_flags);
TYPE_PRINTER(open_how);
TYPE_PRINTER(pollfds);
TYPE_PRINTER(pselect_sig);
TYPE_PRINTER(stat);
TYPE_PRINTER(statfs);
TYPE_PRINTER(statx);
TYPE_PRINTER(statx_flags);
TYPE_PRINTER(utimbuf);
TYPE_PRINTER(utimens);
TYPE_PRINTER(utimes);
TYPE_PRINTER(fanotify_flags);
/* format_ipc.c */
TYPE_PRINTER(ipc_cmd);
TYPE_PRINTER(ipc_flags);
TYPE_PRINTER(ipc_key);
TYPE_PRINTER(mq_attr);
TYPE_PRINTER(msgbuf);
TYPE_PRINTER(msgctl_buf);
TYPE_PRINTER(semctl_arg);
TYPE_PRINTER(sembufs);
TYPE_PRINTER(shmctl_buf);
/* format_ioctl.c */
TYPE_PRINTER(ioctl_arg);
TYPE_PRINTER(ioctl_cmd);
/* format_net.c */
TYPE_PRINTER(mmsghdr);
TYPE_PRINTER(msghdr);
TYPE_PRINTER(sock_proto);
TYPE_PRINTER(sock_type);
TYPE_PRINTER(sockaddr);
TYPE_PRINTER(sockaddr_len);
TYPE_PRINTER(sockopt_name);
TYPE_PRINTER(sockopt_val);
/* format_process.c */
TYPE_PRINTER(arch_prctl_arg);
TYPE_PRINTER(argv);
TYPE_PRINTER(cap_data);
TYPE_PRINTER(cap_header);
TYPE_PRINTER(clone_args);
TYPE_PRINTER(clone_flags);
TYPE_PRINTER(cpu_set);
TYPE_PRINTER(envp);
TYPE_PRINTER(futex_op);
TYPE_PRINTER(futex_timeout);
TYPE_PRINTER(futex_val);
TYPE_PRINTER(futex_val3);
TYPE_PRINTER(ioprio);
TYPE_PRINTER(mmap_flags);
TYPE_PRINTER(personality);
TYPE_PRINTER(prctl_arg);
TYPE_PRINTER(ptrace_data);
TYPE_PRINTER(rlimit);
TYPE_PRINTER(rusage);
TYPE_PRINTER(sched_param);
TYPE_PRINTER(seccomp_arg);
TYPE_PRINTER(syslog_op);
TYPE_PRINTER(wait_rusage);
TYPE_PRINTER(wait_status);
/* format_signal.c */
TYPE_PRINTER(clock_rem);
TYPE_PRINTER(epoll_sigset);
TYPE_PRINTER(itimerspec);
TYPE_PRINTER(itimerval);
TYPE_PRINTER(sigaction);
TYPE_PRINTER(sigaltstack);
TYPE_PRINTER(sigevent);
TYPE_PRINTER(siginfo);
TYPE_PRINTER(signal);
TYPE_PRINTER(sigset);
TYPE_PRINTER(sysinfo);
TYPE_PRINTER(times);
TYPE_PRINTER(timespec);
TYPE_PRINTER(timespec_rem);
TYPE_PRINTER(timeval);
TYPE_PRINTER(timex);
TYPE_PRINTER(timezone);
TYPE_PRINTER(utsname);

/* Calls whose arguments strace prints in an order or form of its own (forms in format.c).
 * format_NAME_end() prints what only the end of the call decides. */
void format_clone(struct printer *p, struct sc_half *half);
void format_clone_end(struct printer *p);
void format_clone3_end(struct printer *p);
void format_sendfile_end(struct printer *p);
void format_sigreturn(struct printer *p, struct sc_half *half);
void format_sigreturn_end(struct printer *p);
/* The end has something to add: clone3 has memory to write to, and sendfile an offset. */
bool clone3_writes(const struct printer *p);
bool sendfile_writes(const struct printer *p);
/* The argument is one that the kernel writes, by the command of the call. */
bool ioctl_arg_by_end(const struct printer *p);
bool fcntl_arg_by_end(const struct printer *p);
bool ipc_arg_by_end(const struct printer *p, const struct sc_arg *arg);
bool prctl_arg_by_end(const struct printer *p);
bool arch_prctl_arg_by_end(const struct printer *p);
/* Bit i: the futex operation uses argument i (futex(2)). */
unsigned futex_arguments(const struct printer *p);
/* The ioctl command has an argument. */
bool ioctl_has_argument(uint32_t command);

/* format_result.c */
/* Prints the result of an ended call that did not fail, and what strace says behind it. */
void put_result(struct printer *p);
/* What stands behind the result is read from memory: a half of a line cannot be all but the
 * result. */
bool result_reads_memory(const struct printer *p);

#endif
