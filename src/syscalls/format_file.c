/* Printers: files, directories, descriptors and waiting for them. */
#include "syscalls/printer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <utime.h>

/* The kernel's struct stat (arch/x86/include/uapi/asm/stat.h): libc's header clashes with
 * linux/stat.h, which struct statx comes from. */
struct kernel_stat {
	uint64_t st_dev, st_ino, st_nlink;
	uint32_t st_mode, st_uid, st_gid, pad;
	uint64_t st_rdev;
	int64_t st_size;
	int64_t rest[11];
};

#define MODE_FORMAT 0170000u
#define MODE_BLOCK  0060000u
#define MODE_CHAR   0020000u
#define MODE_SUID   04000u
#define MODE_SGID   02000u
#define MODE_STICKY 01000u
#define TIME_NOW    ((1l << 30) - 1l) /* UTIME_NOW of utimensat(2) */
#define TIME_OMIT   ((1l << 30) - 2l)

/* ---- modes and flags ---- */

void put_mode(struct printer *p, unsigned mode)
{
	const char *type = names_find(&names_mode_type, mode & MODE_FORMAT);

	if (type)
		put(p, "%s|", type);
	else if (mode & MODE_FORMAT)
		put(p, "%#o|", mode & MODE_FORMAT);
	put(p, "%s%s%s%#03o", mode & MODE_SUID ? "S_ISUID|" : "",
	    mode & MODE_SGID ? "S_ISGID|" : "", mode & MODE_STICKY ? "S_ISVTX|" : "", mode & 0777);
}

PRINTER(mode)
{
	put(p, "%#03o", (unsigned)value & 0xffff);
}

PRINTER(mode_type)
{
	unsigned type = value & MODE_FORMAT;

	put_mode(p, value & 0xffff);
	if (type != MODE_BLOCK && type != MODE_CHAR)
		p->last = true;
}

static void put_dev(struct printer *p, uint64_t dev)
{
	put(p, "makedev(%#x, %#x)", major(dev), minor(dev));
}

PRINTER(dev)
{
	put_dev(p, value);
}

void put_open_flags(struct printer *p, uint64_t flags)
{
	put_name(p, &names_open_access, flags & O_ACCMODE);
	flags &= ~(uint64_t)O_ACCMODE;
	if (flags) {
		struct names plain = names_open;

		plain.unknown = NULL;
		put_plain(p, "|");
		put_flags(p, &plain, flags);
	}
}

/* Without a file to create the mode that follows has no meaning (open(2)). */
PRINTER(open_flags)
{
	put_open_flags(p, (uint32_t)value);
	if (!(value & O_CREAT) && (value & O_TMPFILE) != O_TMPFILE)
		p->last = true;
}

PRINTER(dirfd)
{
	put_dirfd(p, (int)value);
}

PRINTER(statx_flags)
{
	uint64_t sync = value & (AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC);

	value = (uint32_t)value;
	put_name(p, &names_at_statx_sync, sync);
	if (value & ~sync) {
		put_plain(p, "|");
		put_flags(p, &names_at, value & ~sync);
	}
}

PRINTER(access_mode)
{
	put_flags(p, &names_access, (uint32_t)value);
}

PRINTER(open_how)
{
	struct open_how how;

	if (arg_value(p, 3) < sizeof(how) || !fetch(p, value, &how, sizeof(how))) {
		put_addr(p, value);
		return;
	}
	put_plain(p, "{flags=");
	put_open_flags(p, how.flags);
	if ((how.flags & O_CREAT) || how.mode)
		put(p, ", mode=%#03" PRIo64, (uint64_t)how.mode);
	put_plain(p, ", resolve=");
	put_flags(p, &names_resolve, how.resolve);
	put_plain(p, "}");
}

/* ---- files ---- */

PRINTER(stat)
{
	struct kernel_stat st;
	unsigned type;

	if (!fetch_or_addr(p, value, &st, sizeof(st)))
		return;
	type = st.st_mode & MODE_FORMAT;
	put_plain(p, "{st_mode=");
	put_mode(p, st.st_mode);
	if (type == MODE_CHAR || type == MODE_BLOCK) {
		put_plain(p, ", st_rdev=");
		put_dev(p, st.st_rdev);
	} else {
		put(p, ", st_size=%" PRId64, st.st_size);
	}
	put_plain(p, ", ...}");
}

PRINTER(statx)
{
	struct statx st;

	if (!fetch_or_addr(p, value, &st, sizeof(st)))
		return;
	put_plain(p, "{stx_mask=");
	put_flags(p, &names_statx, st.stx_mask);
	put_plain(p, ", stx_attributes=");
	put_flags(p, &names_statx_attributes, st.stx_attributes);
	put_plain(p, ", stx_mode=");
	put_mode(p, st.stx_mode);
	put(p, ", stx_size=%" PRIu64 ", ...}", (uint64_t)st.stx_size);
}

PRINTER(statfs)
{
	struct statfs fs;
	int fsid[2];

	if (!fetch_or_addr(p, value, &fs, sizeof(fs)))
		return;
	memcpy(fsid, &fs.f_fsid, sizeof(fsid));
	put_plain(p, "{f_type=");
	put_name(p, &names_fstype, fs.f_type);
	put(p,
	    ", f_bsize=%" PRIu64 ", f_blocks=%" PRIu64 ", f_bfree=%" PRIu64 ", f_bavail=%" PRIu64,
	    (uint64_t)fs.f_bsize, (uint64_t)fs.f_blocks, (uint64_t)fs.f_bfree,
	    (uint64_t)fs.f_bavail);
	put(p, ", f_files=%" PRIu64 ", f_ffree=%" PRIu64 ", f_fsid={val=[%#x, %#x]}",
	    (uint64_t)fs.f_files, (uint64_t)fs.f_ffree, (unsigned)fsid[0], (unsigned)fsid[1]);
	put(p, ", f_namelen=%" PRIu64 ", f_frsize=%" PRIu64 ", f_flags=", (uint64_t)fs.f_namelen,
	    (uint64_t)fs.f_frsize);
	put_flags(p, &names_st, fs.f_flags);
	put_plain(p, "}");
}

/* Where getdents(2) and getdents64(2) have the length of a record. */
#define DIRENT_LENGTH_AT 16
#define DIRENTS_CHUNK	 4096

/* Counts the records that begin in a piece of memory; returns where the next one begins, 0 if none
 * can. */
static size_t count_dirents(const uint8_t *piece, size_t size, uint64_t *count)
{
	size_t at = 0;
	uint16_t length;

	while (size - at >= DIRENT_LENGTH_AT + sizeof(length)) {
		memcpy(&length, piece + at + DIRENT_LENGTH_AT, sizeof(length));
		if (!length)
			return 0;
		++*count;
		if (length >= size - at)
			return at + length;
		at += length;
	}
	return at;
}

PRINTER(dirents)
{
	uint64_t at = 0, size = p->call->result, count = 0;
	uint8_t piece[DIRENTS_CHUNK];

	while (at < size) {
		size_t length = size - at < sizeof(piece) ? size - at : sizeof(piece);
		size_t next = fetch(p, value + at, piece, length)
				      ? count_dirents(piece, length, &count)
				      : 0;

		if (!next)
			break;
		at += next;
	}
	put_addr(p, value);
	put(p, " /* %" PRIu64 " entries */", count);
}

PRINTER(offset_ptr)
{
	int64_t before;
	const struct sc_memory *memory = p->memory;
	bool known;

	p->memory = p->entry;
	known = fetch_or_addr(p, value, &before, sizeof(before));
	p->memory = memory;
	if (!known)
		return;
	put(p, "[%" PRId64 "]", before);
}

bool sendfile_writes(const struct printer *p)
{
	(void)p;
	return true;
}

void format_sendfile_end(struct printer *p)
{
	struct printer entry = *p;
	taddr addr = arg_value(p, 2);
	int64_t before, offset;

	entry.memory = p->entry;
	if (p->call->ended && !p->failed && fetch(&entry, addr, &before, sizeof(before)) &&
	    fetch(p, addr, &offset, sizeof(offset)) && offset != before)
		put(p, " => [%" PRId64 "]", offset);
}

PRINTER(mount_data)
{
	put_string(p, value, p->style->string_max);
}

/* ---- times of files ---- */

void put_date(struct printer *p, const char *before, int64_t seconds, long nanoseconds,
	      const char *after)
{
	char date[64], zone[16];
	time_t when = seconds;
	struct tm tm;

	if (!seconds && !nanoseconds)
		return;
	if (!localtime_r(&when, &tm) || !strftime(date, sizeof(date), "%FT%T", &tm))
		return;
	strftime(zone, sizeof(zone), "%z", &tm);
	if (nanoseconds)
		put(p, "%s%s.%09ld%s%s", before, date, nanoseconds, zone, after);
	else
		put(p, "%s%s%s%s", before, date, zone, after);
}

static void put_utimens(struct printer *p, const void *element)
{
	const struct timespec *time = element;

	if (time->tv_nsec == TIME_NOW) {
		put_plain(p, "UTIME_NOW");
	} else if (time->tv_nsec == TIME_OMIT) {
		put_plain(p, "UTIME_OMIT");
	} else {
		put(p, "{tv_sec=%ld, tv_nsec=%ld}", time->tv_sec, time->tv_nsec);
		put_date(p, " /* ", time->tv_sec, time->tv_nsec, " */");
	}
}

PRINTER(utimens)
{
	put_array(p, value, 2, sizeof(struct timespec), put_utimens);
}

static void put_utimes(struct printer *p, const void *element)
{
	const struct timeval *time = element;

	put(p, "{tv_sec=%ld, tv_usec=%ld}", time->tv_sec, time->tv_usec);
	put_date(p, " /* ", time->tv_sec, time->tv_usec * 1000, " */");
}

PRINTER(utimes)
{
	put_array(p, value, 2, sizeof(struct timeval), put_utimes);
}

PRINTER(utimbuf)
{
	struct utimbuf times;

	if (!fetch_or_addr(p, value, &times, sizeof(times)))
		return;
	put(p, "{actime=%ld", times.actime);
	put_date(p, " /* ", times.actime, 0, " */");
	put(p, ", modtime=%ld", times.modtime);
	put_date(p, " /* ", times.modtime, 0, " */");
	put_plain(p, "}");
}

/* ---- vectors ---- */

static bool writes_memory(const struct printer *p)
{
	return p->row->args[p->arg].dir != SC_IN;
}

void put_iovec(struct printer *p, taddr addr, uint64_t count, uint64_t limit)
{
	bool bases_only = p->failed && limit != UINT64_MAX;

	if (!addr || (!count && !p->call->ended)) {
		put_addr(p, addr);
		return;
	}
	put_plain(p, "[");
	for (uint64_t i = 0; i < count; i++) {
		struct iovec v;
		uint64_t length;

		put_plain(p, i ? ", " : "");
		if (i == p->style->string_max) {
			put_plain(p, "...");
			break;
		}
		if (!fetch(p, addr + i * sizeof(v), &v, sizeof(v))) {
			put(p, "... /* %#" PRIx64 " */", addr + i * sizeof(v));
			break;
		}
		length = v.iov_len < limit ? v.iov_len : limit;
		if (limit != UINT64_MAX)
			limit -= length;
		put_plain(p, "{iov_base=");
		if (bases_only)
			put_addr(p, (uintptr_t)v.iov_base);
		else
			put_bytes(p, (uintptr_t)v.iov_base, length);
		put(p, ", iov_len=%zu}", v.iov_len);
	}
	put_plain(p, "]");
}

PRINTER(iovec)
{
	put_iovec(p, value, arg_value(p, p->arg + 1),
		  writes_memory(p) ? (uint64_t)p->call->result : UINT64_MAX);
}

static void put_remote(struct printer *p, const void *element)
{
	const struct iovec *v = element;

	put_plain(p, "{iov_base=");
	put_addr(p, (uintptr_t)v->iov_base);
	put(p, ", iov_len=%zu}", v->iov_len);
}

PRINTER(iovec_remote)
{
	put_array(p, value, arg_value(p, p->arg + 1), sizeof(struct iovec), put_remote);
}

/* ---- waiting ---- */

void put_pollfds(struct printer *p, taddr addr, uint64_t count, bool revents)
{
	const char *comma = "";

	if (!addr || (count && !fetch(p, addr, &(struct pollfd){0}, sizeof(struct pollfd)))) {
		put_addr(p, addr);
		return;
	}
	put_plain(p, "[");
	for (uint64_t i = 0, shown = 0; i < count; i++) {
		struct pollfd fd;

		if (!fetch(p, addr + i * sizeof(fd), &fd, sizeof(fd)))
			break;
		if (revents && !fd.revents)
			continue;
		put(p, "%s", comma);
		comma = ", ";
		if (shown++ == p->style->string_max) {
			put_plain(p, "...");
			break;
		}
		put_plain(p, "{fd=");
		if (revents)
			put_decimal(p, fd.fd);
		else
			put_fd(p, fd.fd);
		if (fd.fd >= 0) {
			put(p, revents ? ", revents=" : ", events=");
			put_flags(p, &names_poll, (uint16_t)(revents ? fd.revents : fd.events));
		}
		put_plain(p, "}");
	}
	put_plain(p, "]");
}

PRINTER(pollfds)
{
	put_pollfds(p, value, arg_value(p, p->arg + 1), false);
}

void put_fd_set(struct printer *p, taddr addr, uint64_t nfds)
{
	uint8_t bits[1024 / 8];
	uint64_t limit = (int)nfds < 0 ? 0 : nfds < 1024 ? nfds : 1024;
	size_t size = (limit + 63) / 64 * 8;
	const char *space = "";

	if (!addr || (size && !fetch(p, addr, bits, size))) {
		put_addr(p, addr);
		return;
	}
	put_plain(p, "[");
	for (uint64_t fd = 0; fd < limit; fd++)
		if (bits[fd / 8] & (1 << fd % 8)) {
			put_plain(p, space);
			put_fd(p, fd);
			space = " ";
		}
	put_plain(p, "]");
}

PRINTER(fd_set)
{
	p->memory = p->entry;
	put_fd_set(p, value, arg_value(p, 0));
}

PRINTER(pselect_sig)
{
	uint64_t pair[2], set;

	if (!fetch_or_addr(p, value, pair, sizeof(pair)))
		return;
	put_plain(p, "{sigmask=");
	if (fetch_or_addr(p, pair[0], &set, sizeof(set)))
		put_sigset(p, set);
	put(p, ", sigsetsize=%" PRIu64 "}", pair[1]);
}

static void put_epoll_event(struct printer *p, const void *element)
{
	const struct epoll_event *event = element;

	put_plain(p, "{events=");
	put_flags(p, &names_epoll, event->events);
	put(p, ", data={u32=%u, u64=%" PRIu64 "}}", event->data.u32, (uint64_t)event->data.u64);
}

PRINTER(epoll_event)
{
	struct epoll_event event;

	if (arg_value(p, 1) == EPOLL_CTL_DEL)
		put_addr(p, value);
	else if (fetch_or_addr(p, value, &event, sizeof(event)))
		put_epoll_event(p, &event);
}

PRINTER(epoll_events)
{
	put_array(p, value, p->call->result, sizeof(struct epoll_event), put_epoll_event);
}

/* ---- fcntl ---- */

static void put_flock(struct printer *p, taddr addr, bool with_pid)
{
	struct flock lock;

	if (!fetch_or_addr(p, addr, &lock, sizeof(lock)))
		return;
	put_plain(p, "{l_type=");
	put_name(p, &names_flock_type, (uint16_t)lock.l_type);
	put_plain(p, ", l_whence=");
	put_name(p, &names_whence, (uint16_t)lock.l_whence);
	put(p, ", l_start=%ld, l_len=%ld", lock.l_start, lock.l_len);
	if (with_pid)
		put(p, ", l_pid=%d", lock.l_pid);
	put_plain(p, "}");
}

static void put_owner(struct printer *p, taddr addr)
{
	int owner[2]; /* struct f_owner_ex: type, pid */

	if (p->failed && arg_value(p, 1) == F_GETOWN_EX) {
		put_addr(p, addr);
		return;
	}
	if (!fetch_or_addr(p, addr, owner, sizeof(owner)))
		return;
	put_plain(p, "{type=");
	put_name(p, &names_owner_type, (uint32_t)owner[0]);
	put(p, ", pid=%d}", owner[1]);
}

bool fcntl_arg_by_end(const struct printer *p)
{
	int command = arg_value(p, 1);

	return command == F_GETLK || command == F_OFD_GETLK || command == F_GETOWN_EX;
}

/* Commands whose third argument strace shows; fcntl(2). The others have none. */
PRINTER(fcntl_arg)
{
	switch ((int)arg_value(p, 1)) {
	case F_SETFD:
		put_flags(p, &names_fdflags, (uint32_t)value);
		break;
	case F_SETFL:
		put_open_flags(p, (uint32_t)value);
		break;
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		put_flock(p, value, false);
		break;
	case F_GETLK:
	case F_OFD_GETLK:
		if (p->failed)
			put_addr(p, value);
		else
			put_flock(p, value, true);
		break;
	case F_SETSIG:
		put_signal(p, value);
		break;
	case F_ADD_SEALS:
		put_flags(p, &names_seals, (uint32_t)value);
		break;
	case F_SETLEASE:
		put_name(p, &names_flock_type, (uint32_t)value);
		break;
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		put_owner(p, value);
		break;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETOWN:
	case F_SETPIPE_SZ:
		put(p, "%d", (int)value);
		break;
	default:
		put(p, "%#" PRIx64, value);
	}
}

/* ---- watching files ---- */

#define FANOTIFY_CLASS 0xcu /* fanotify_init(2) */

PRINTER(fanotify_flags)
{
	put_name(p, &names_fanotify_class, value & FANOTIFY_CLASS);
	if ((uint32_t)value & ~FANOTIFY_CLASS) {
		put_plain(p, "|");
		put_flags(p, &names_fanotify_init, (uint32_t)value & ~FANOTIFY_CLASS);
	}
}
