/* Printers: System V and POSIX IPC. */
#include "syscalls/printer.h"

#include <inttypes.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/* Bit of a command of semctl(2) and kin that 32-bit programs set, which strace names:
 * include/uapi/linux/ipc.h. */
#define IPC_64_BIT 0x100u

PRINTER(ipc_key)
{
	if ((uint32_t)value)
		put(p, "%#x", (uint32_t)value);
	else
		put_plain(p, "IPC_PRIVATE");
}

PRINTER(ipc_flags)
{
	uint32_t flags = (uint32_t)value & ~0777u;

	if (flags) {
		put_flags(p, &names_ipc_flags, flags);
		put_plain(p, "|");
	}
	put(p, "%#03o", (uint32_t)value & 0777);
}

PRINTER(ipc_cmd)
{
	uint32_t command = value;

	if (command & IPC_64_BIT) {
		put_plain(p, "IPC_64|");
		command &= ~IPC_64_BIT;
	}
	put_name(p, names, command);
}

static void put_sembuf(struct printer *p, const void *element)
{
	const struct sembuf *op = element;

	put(p, "{sem_num=%u, sem_op=%d, sem_flg=", op->sem_num, op->sem_op);
	if (op->sem_flg & SEM_UNDO)
		put_plain(p, op->sem_flg & IPC_NOWAIT ? "SEM_UNDO|IPC_NOWAIT" : "SEM_UNDO");
	else
		put_plain(p, op->sem_flg & IPC_NOWAIT ? "IPC_NOWAIT" : "0");
	put_plain(p, "}");
}

PRINTER(sembufs)
{
	put_array(p, value, arg_value(p, p->arg + 1), sizeof(struct sembuf), put_sembuf);
}

/* ---- messages ---- */

PRINTER(msgbuf)
{
	bool receives = p->row->args[p->arg].dir == SC_OUT;
	uint64_t length = receives ? (uint64_t)p->call->result : arg_value(p, 2);
	int64_t type;

	if (!fetch_or_addr(p, value, &type, sizeof(type)))
		return;
	put(p, "{mtype=%" PRId64 ", mtext=", type);
	put_bytes(p, value + sizeof(type), length);
	put_plain(p, "}");
}

PRINTER(mq_attr)
{
	int64_t attr[4];

	if (!fetch_or_addr(p, value, attr, sizeof(attr)))
		return;
	put_plain(p, "{mq_flags=");
	if (attr[0])
		put_flags(p, &names_open, (uint64_t)attr[0]);
	else
		put_plain(p, "0");
	put(p, ", mq_maxmsg=%" PRId64 ", mq_msgsize=%" PRId64 ", mq_curmsgs=%" PRId64 "}", attr[1],
	    attr[2], attr[3]);
}

/* ---- control commands ---- */

/* IPC_SET shows what it can change: owner and mode. */
static void put_perm(struct printer *p, const char *name, const struct ipc_perm *perm, bool sets)
{
	put(p, "{%s={uid=%d, gid=%d, mode=%#03o", name, (int)perm->uid, (int)perm->gid,
	    perm->mode & 0xffffu);
	if (!sets)
		put(p, ", key=%d, cuid=%d, cgid=%d", perm->__key, (int)perm->cuid, (int)perm->cgid);
	put_plain(p, "}");
}

static void put_shmid(struct printer *p, taddr addr, bool sets)
{
	struct shmid_ds ds;

	if (!fetch_or_addr(p, addr, &ds, sizeof(ds)))
		return;
	put_perm(p, "shm_perm", &ds.shm_perm, sets);
	if (!sets)
		put(p,
		    ", shm_segsz=%zu, shm_cpid=%d, shm_lpid=%d, shm_nattch=%lu, shm_atime=%ld"
		    ", shm_dtime=%ld, shm_ctime=%ld",
		    ds.shm_segsz, ds.shm_cpid, ds.shm_lpid, ds.shm_nattch, ds.shm_atime,
		    ds.shm_dtime, ds.shm_ctime);
	put_plain(p, "}");
}

static void put_shminfo(struct printer *p, taddr addr)
{
	struct shminfo info;

	if (fetch_or_addr(p, addr, &info, sizeof(info)))
		put(p, "{shmmax=%lu, shmmin=%lu, shmmni=%lu, shmseg=%lu, shmall=%lu}", info.shmmax,
		    info.shmmin, info.shmmni, info.shmseg, info.shmall);
}

static void put_shm_info(struct printer *p, taddr addr)
{
	struct shm_info info;

	if (fetch_or_addr(p, addr, &info, sizeof(info)))
		put(p,
		    "{used_ids=%d, shm_tot=%lu, shm_rss=%lu, shm_swp=%lu, swap_attempts=%lu, "
		    "swap_successes=%lu}",
		    info.used_ids, info.shm_tot, info.shm_rss, info.shm_swp, info.swap_attempts,
		    info.swap_successes);
}

static void put_msqid(struct printer *p, taddr addr, bool sets)
{
	struct msqid_ds ds;

	if (!fetch_or_addr(p, addr, &ds, sizeof(ds)))
		return;
	put_perm(p, "msg_perm", &ds.msg_perm, sets);
	if (sets)
		put(p, ", msg_qbytes=%lu", ds.msg_qbytes);
	else
		put(p,
		    ", msg_stime=%ld, msg_rtime=%ld, msg_ctime=%ld, msg_qnum=%lu, msg_qbytes=%lu"
		    ", msg_lspid=%d, msg_lrpid=%d",
		    ds.msg_stime, ds.msg_rtime, ds.msg_ctime, ds.msg_qnum, ds.msg_qbytes,
		    ds.msg_lspid, ds.msg_lrpid);
	put_plain(p, "}");
}

static void put_msginfo(struct printer *p, taddr addr)
{
	struct msginfo info;

	if (fetch_or_addr(p, addr, &info, sizeof(info)))
		put(p,
		    "{msgpool=%d, msgmap=%d, msgmax=%d, msgmnb=%d, msgmni=%d, msgssz=%d, "
		    "msgtql=%d, "
		    "msgseg=%u}",
		    info.msgpool, info.msgmap, info.msgmax, info.msgmnb, info.msgmni, info.msgssz,
		    info.msgtql, info.msgseg);
}

static void put_semid(struct printer *p, taddr addr, bool sets)
{
	struct semid_ds ds;

	if (!fetch_or_addr(p, addr, &ds, sizeof(ds)))
		return;
	put_perm(p, "sem_perm", &ds.sem_perm, sets);
	if (!sets)
		put(p, ", sem_otime=%ld, sem_ctime=%ld, sem_nsems=%lu", ds.sem_otime, ds.sem_ctime,
		    ds.sem_nsems);
	put_plain(p, "}");
}

static void put_seminfo(struct printer *p, taddr addr)
{
	struct seminfo info;

	if (fetch_or_addr(p, addr, &info, sizeof(info)))
		put(p,
		    "{semmap=%d, semmni=%d, semmns=%d, semmnu=%d, semmsl=%d, semopm=%d, semume=%d, "
		    "semusz=%d, semvmx=%d, semaem=%d}",
		    info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl, info.semopm,
		    info.semume, info.semusz, info.semvmx, info.semaem);
}

/* The command stands in the argument that the row names. */
static unsigned command_of(const struct printer *p, const struct sc_arg *arg)
{
	return (uint32_t)arg_value(p, arg->size_arg);
}

bool ipc_arg_by_end(const struct printer *p, const struct sc_arg *arg)
{
	switch (command_of(p, arg)) {
	case IPC_STAT:
	case IPC_INFO:
	case MSG_STAT:
	case MSG_INFO:
	case 13: /* MSG_STAT_ANY, SHM_STAT */
	case SHM_INFO:
	case 15: /* SHM_STAT_ANY, for semctl GETNCNT, which has no argument */
	case SEM_STAT:
	case SEM_INFO:
	case 20: /* SEM_STAT_ANY */
		return true;
	default:
		return false;
	}
}

PRINTER(shmctl_buf)
{
	switch (command_of(p, &p->row->args[p->arg])) {
	case IPC_SET:
		put_shmid(p, value, true);
		break;
	case IPC_STAT:
	case SHM_STAT:
	case 15: /* SHM_STAT_ANY */
		put_shmid(p, value, false);
		break;
	case IPC_INFO:
		put_shminfo(p, value);
		break;
	case SHM_INFO:
		put_shm_info(p, value);
		break;
	default:
		put_addr(p, value);
	}
}

PRINTER(msgctl_buf)
{
	switch (command_of(p, &p->row->args[p->arg])) {
	case IPC_SET:
		put_msqid(p, value, true);
		break;
	case IPC_STAT:
	case MSG_STAT:
	case 13: /* MSG_STAT_ANY */
		put_msqid(p, value, false);
		break;
	case IPC_INFO:
	case MSG_INFO:
		put_msginfo(p, value);
		break;
	default:
		put_addr(p, value);
	}
}

PRINTER(semctl_arg)
{
	switch (command_of(p, &p->row->args[p->arg])) {
	case IPC_SET:
		put_semid(p, value, true);
		break;
	case IPC_STAT:
	case SEM_STAT:
	case 20: /* SEM_STAT_ANY */
		put_semid(p, value, false);
		break;
	case IPC_INFO:
	case SEM_INFO:
		put_seminfo(p, value);
		break;
	default:
		put_addr(p, value);
	}
}
