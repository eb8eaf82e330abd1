/* Printers: ioctl commands and what they point at. The names come from ioctl.def. */
#include "syscalls/printer.h"

#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <asm/termbits.h>
#include <inttypes.h>
#include <linux/fs.h>

#include "syscalls/ioctl.h"

struct window_size {
	unsigned short rows, columns, x, y;
};

/* How the argument of a command prints. */
enum ioctl_kind {
	KIND_NONE,
	KIND_TERMIOS_OUT,
	KIND_TERMIOS_IN,
	KIND_WINSIZE_OUT,
	KIND_WINSIZE_IN,
	KIND_INT_OUT,
	KIND_INT_IN,
	KIND_INT,
	KIND_TCFLUSH,
	KIND_TCXONC,
	KIND_ADDR,
};

/* What is not in ioctl.def: how the argument looks, and where strace has another name. */
struct shape {
	uint32_t command;
	uint32_t kind;
	const char *alias; /* NULL: the name in ioctl.def */
};

static const struct shape shapes[] = {
	{TCGETS, KIND_TERMIOS_OUT, NULL},
	{TCSETS, KIND_TERMIOS_IN, "SNDCTL_TMR_START or TCSETS"},
	{TCSETSW, KIND_TERMIOS_IN, "SNDCTL_TMR_STOP or TCSETSW"},
	{TCSETSF, KIND_TERMIOS_IN, "SNDCTL_TMR_CONTINUE or TCSETSF"},
	{TCSBRK, KIND_INT, NULL},
	{TCSBRKP, KIND_INT, NULL},
	{TCXONC, KIND_TCXONC, NULL},
	{TCFLSH, KIND_TCFLUSH, NULL},
	{SIOCATMARK, KIND_INT_OUT, NULL},
	{TIOCSCTTY, KIND_INT, NULL},
	{TIOCGPGRP, KIND_INT_OUT, NULL},
	{TIOCSPGRP, KIND_INT_IN, NULL},
	{TIOCOUTQ, KIND_INT_OUT, NULL},
	{TIOCGWINSZ, KIND_WINSIZE_OUT, NULL},
	{TIOCSWINSZ, KIND_WINSIZE_IN, NULL},
	{FIONREAD, KIND_INT_OUT, NULL},
	{TIOCGSID, KIND_INT_OUT, NULL},
	{TIOCGETD, KIND_INT_OUT, NULL},
	{TIOCSETD, KIND_INT_IN, NULL},
	{TIOCGPTN, KIND_INT_OUT, NULL},
	{TIOCSPTLCK, KIND_INT_IN, NULL},
	{TIOCPKT, KIND_INT_IN, NULL},
	{FIONBIO, KIND_INT_IN, NULL},
	{FIOASYNC, KIND_INT_IN, NULL},
	{TIOCEXCL, KIND_NONE, NULL},
	{TIOCNXCL, KIND_NONE, NULL},
	{TIOCNOTTY, KIND_NONE, NULL},
	{TIOCSBRK, KIND_NONE, NULL},
	{TIOCCBRK, KIND_NONE, NULL},
	{TIOCCONS, KIND_NONE, NULL},
	{FIOCLEX, KIND_NONE, NULL},
	{FIONCLEX, KIND_NONE, NULL},
	{FICLONE, KIND_INT, "BTRFS_IOC_CLONE or FICLONE"},
};

static const struct shape *find(uint32_t command)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].command == command)
			return &shapes[i];
	return NULL;
}

bool ioctl_has_argument(uint32_t command)
{
	const struct shape *known = find(command);

	return !known || known->kind != KIND_NONE;
}

PRINTER(ioctl_cmd)
{
	static const char *const directions[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ",
						 "_IOC_READ|_IOC_WRITE"};
	uint32_t command = value;
	const struct shape *shape = find(command);
	const struct ioctl *known = ioctl_find(command);

	if (shape && shape->alias)
		put(p, "%s", shape->alias);
	else if (known)
		put(p, "%s", known->name);
	else
		put(p, "_IOC(%s, %#x, %#x, %#x)", directions[_IOC_DIR(command)], _IOC_TYPE(command),
		    _IOC_NR(command), _IOC_SIZE(command));
}

static void put_c_oflag(struct printer *p, uint32_t flags)
{
	static const struct {
		uint32_t mask, shift;
		const char *name;
	} delays[] = {{NLDLY, 8, "NL"},	 {CRDLY, 9, "CR"},  {TABDLY, 11, "TAB"},
		      {BSDLY, 13, "BS"}, {VTDLY, 14, "VT"}, {FFDLY, 15, "FF"}};

	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		uint32_t delay = (flags & delays[i].mask) >> delays[i].shift;

		if (delays[i].mask == TABDLY && (flags & TABDLY) == XTABS)
			put_plain(p, "XTABS|");
		else
			put(p, "%s%u|", delays[i].name, delay);
		flags &= ~delays[i].mask;
	}
	put_flags(p, &names_termios_oflag, flags);
}

static void put_c_cflag(struct printer *p, uint32_t flags)
{
	put_name(p, &names_baud, flags & CBAUD);
	put_plain(p, "|");
	if (flags & CIBAUD) {
		put_name(p, &names_baud, (flags & CIBAUD) >> IBSHIFT);
		put_plain(p, "<<IBSHIFT|");
	}
	put_name(p, &names_termios_csize, flags & CSIZE);
	put_plain(p, "|");
	put_flags(p, &names_termios_cflag, flags & ~(uint32_t)(CBAUD | CIBAUD | CSIZE));
}

static void put_termios(struct printer *p, taddr addr)
{
	struct termios t;

	if (!fetch_or_addr(p, addr, &t, sizeof(t)))
		return;
	put_plain(p, "{c_iflag=");
	if (t.c_iflag)
		put_flags(p, &names_termios_iflag, t.c_iflag);
	put_plain(p, ", c_oflag=");
	put_c_oflag(p, t.c_oflag);
	put_plain(p, ", c_cflag=");
	put_c_cflag(p, t.c_cflag);
	put_plain(p, ", c_lflag=");
	if (t.c_lflag)
		put_flags(p, &names_termios_lflag, t.c_lflag);
	put_plain(p, ", ...}");
}

static void put_window(struct printer *p, taddr addr)
{
	struct window_size w;

	if (fetch_or_addr(p, addr, &w, sizeof(w)))
		put(p, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", w.rows, w.columns, w.x,
		    w.y);
}

bool ioctl_arg_by_end(const struct printer *p)
{
	const struct shape *known = find(arg_value(p, 1));

	return known && (known->kind == KIND_TERMIOS_OUT || known->kind == KIND_WINSIZE_OUT ||
			 known->kind == KIND_INT_OUT);
}

PRINTER(ioctl_arg)
{
	const struct shape *known = find(arg_value(p, 1));
	unsigned kind = known ? known->kind : KIND_ADDR;
	bool out = ioctl_arg_by_end(p);

	p->memory = out ? p->after : p->entry;
	if (out && p->failed) {
		put_addr(p, value);
		return;
	}
	switch (kind) {
	case KIND_TERMIOS_OUT:
	case KIND_TERMIOS_IN:
		put_termios(p, value);
		break;
	case KIND_WINSIZE_OUT:
	case KIND_WINSIZE_IN:
		put_window(p, value);
		break;
	case KIND_INT_OUT:
	case KIND_INT_IN:
		put_int_at(p, value);
		break;
	case KIND_INT:
		put(p, "%d", (int)value);
		break;
	case KIND_TCFLUSH:
		put_name(p, &names_tcflush, value);
		break;
	case KIND_TCXONC:
		put_name(p, &names_tcxonc, value);
		break;
	default:
		put(p, "%#" PRIx64, value);
	}
}
