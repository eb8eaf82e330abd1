/* Memory of irregular arguments: System V IPC and keys.
 *
 * The structures are those of 64-bit processes (include/uapi/asm-generic: semid64_ds and the like
 * for x86-64); IPC_64 is not a flag there. */
#include "syscalls/regions.h"

enum {
	IPC_SET_ = 1,
	IPC_STAT_ = 2,
	IPC_INFO_ = 3
};

/* GETALL and SETALL do not say how many semaphores the set has. A semaphore's number is a u16, so
 * this much is the most a set can use by number: it is saved in full, as far as it is mapped. */
#define SEM_ALL (65536 * 2)

static bool semctl_arg_begin(struct walk *walk)
{
	switch ((int32_t)walk_selector(walk)) {
	case IPC_SET_:
		walk_add_arg(walk, 104, SC_IN);
		return true;
	case IPC_STAT_:
	case 18: /* SEM_STAT */
	case 20: /* SEM_STAT_ANY */
		walk_add_arg(walk, 104, SC_OUT);
		return true;
	case IPC_INFO_:
	case 19: /* SEM_INFO */
		walk_add_arg(walk, 40, SC_OUT);
		return true;
	case 13: /* GETALL */
		walk_add_arg(walk, SEM_ALL, SC_INOUT);
		return true;
	case 17: /* SETALL */
		walk_add_arg(walk, SEM_ALL, SC_IN);
		return true;
	default:
		return true; /* IPC_RMID, GETPID, GETVAL, GETNCNT, GETZCNT, SETVAL, unknown ones */
	}
}

const struct region_fn region_semctl_arg = {semctl_arg_begin, NULL};

static bool shmctl_buf_begin(struct walk *walk)
{
	switch ((int32_t)walk_selector(walk)) {
	case IPC_SET_:
		walk_add_arg(walk, 112, SC_IN);
		return true;
	case IPC_STAT_:
	case 13: /* SHM_STAT */
	case 15: /* SHM_STAT_ANY */
		walk_add_arg(walk, 112, SC_OUT);
		return true;
	case IPC_INFO_:
		walk_add_arg(walk, 72, SC_OUT);
		return true;
	case 14: /* SHM_INFO */
		walk_add_arg(walk, 48, SC_OUT);
		return true;
	default:
		return true; /* IPC_RMID, SHM_LOCK, SHM_UNLOCK, unknown ones */
	}
}

const struct region_fn region_shmctl_buf = {shmctl_buf_begin, NULL};

static bool msgctl_buf_begin(struct walk *walk)
{
	switch ((int32_t)walk_selector(walk)) {
	case IPC_SET_:
		walk_add_arg(walk, 120, SC_IN);
		return true;
	case IPC_STAT_:
	case 11: /* MSG_STAT */
	case 13: /* MSG_STAT_ANY */
		walk_add_arg(walk, 120, SC_OUT);
		return true;
	case IPC_INFO_:
	case 12: /* MSG_INFO */
		walk_add_arg(walk, 32, SC_OUT);
		return true;
	default:
		return true; /* IPC_RMID, unknown ones */
	}
}

const struct region_fn region_msgctl_buf = {msgctl_buf_begin, NULL};

/* long mtype, then the text, whose size is what the other argument and the result count. */
#define MSGBUF_HEADER 8

static bool msgbuf_begin(struct walk *walk)
{
	uint64_t size = walk_selector(walk);

	/* A negative size fails with EINVAL. */
	if (size <= INT64_MAX)
		walk_add_arg(walk, MSGBUF_HEADER + size, walk_dir(walk));
	return true;
}

static void msgbuf_end(struct walk *walk)
{
	if (walk_dir(walk) == SC_OUT && !walk_failed(walk))
		walk_set_lengths(walk, MSGBUF_HEADER + (uint64_t)walk->call->result);
}

const struct region_fn region_msgbuf = {msgbuf_begin, msgbuf_end};

/* ---- keyctl: linux/keyctl.h ---- */

/* What the pointer `arg` of an operation is. Outputs are in and out: kernels differ in whether they
 * fill a buffer that is too small, and the result is the size there would be. */
enum key_pointer {
	KEY_STRING,   /* in */
	KEY_BUFFER,   /* out: the next argument counts bytes */
	KEY_PAYLOAD,  /* in: the next argument counts bytes */
	KEY_IOV,      /* in: struct iovec[], the next argument counts */
	KEY_DH,	      /* in: struct keyctl_dh_params: 12 bytes */
	KEY_KDF,      /* in: struct keyctl_kdf_params: 56 bytes, with pointers */
	KEY_QUERY,    /* out: struct keyctl_pkey_query: 56 bytes */
	KEY_PKEY,     /* in: struct keyctl_pkey_params: 40 bytes */
	KEY_PKEY_IN,  /* in: bytes counted by in_len at 4 of the KEY_PKEY in argument 1 */
	KEY_PKEY_OUT, /* out: out_len at 8 */
	KEY_PKEY_IN2, /* in: in2_len at 8 */
};

static const struct {
	uint8_t operation, arg, what;
} key_pointers[] = {
	{1, 1, KEY_STRING},						 /* JOIN_SESSION_KEYRING */
	{2, 2, KEY_PAYLOAD},						 /* UPDATE */
	{6, 2, KEY_BUFFER},						 /* DESCRIBE */
	{10, 2, KEY_STRING},						 /* SEARCH */
	{10, 3, KEY_STRING},  {11, 2, KEY_BUFFER},			 /* READ */
	{12, 2, KEY_PAYLOAD},						 /* INSTANTIATE */
	{17, 2, KEY_BUFFER},						 /* GET_SECURITY */
	{20, 2, KEY_IOV},						 /* INSTANTIATE_IOV */
	{23, 1, KEY_DH},						 /* DH_COMPUTE */
	{23, 2, KEY_BUFFER},  {23, 4, KEY_KDF},	    {24, 3, KEY_STRING}, /* PKEY_QUERY */
	{24, 4, KEY_QUERY},   {25, 1, KEY_PKEY},			 /* PKEY_ENCRYPT */
	{25, 2, KEY_STRING},  {25, 3, KEY_PKEY_IN}, {25, 4, KEY_PKEY_OUT},
	{26, 1, KEY_PKEY}, /* PKEY_DECRYPT */
	{26, 2, KEY_STRING},  {26, 3, KEY_PKEY_IN}, {26, 4, KEY_PKEY_OUT},
	{27, 1, KEY_PKEY}, /* PKEY_SIGN */
	{27, 2, KEY_STRING},  {27, 3, KEY_PKEY_IN}, {27, 4, KEY_PKEY_OUT},
	{28, 1, KEY_PKEY}, /* PKEY_VERIFY */
	{28, 2, KEY_STRING},  {28, 3, KEY_PKEY_IN}, {28, 4, KEY_PKEY_IN2},
	{29, 2, KEY_STRING},			   /* RESTRICT_KEYRING */
	{29, 3, KEY_STRING},  {31, 1, KEY_BUFFER}, /* CAPABILITIES */
};

#define KEYCTL_LAST_KNOWN 32 /* KEYCTL_WATCH_KEY */

static void add_key_pointer(struct walk *walk, enum key_pointer what)
{
	taddr params = walk->call->args[1];
	uint64_t next = walk->arg + 1 < SC_ARGS ? walk->call->args[walk->arg + 1] : 0;

	switch (what) {
	case KEY_STRING:
		walk_add_string(walk, -1, 0, walk_value(walk));
		break;
	case KEY_BUFFER:
		walk_add_arg(walk, next, SC_INOUT);
		break;
	case KEY_PAYLOAD:
		walk_add_arg(walk, next, SC_IN);
		break;
	case KEY_IOV:
		walk_add_iov(walk, -1, 0, walk_value(walk), next, SC_IN);
		break;
	case KEY_DH:
		walk_add_arg(walk, 12, SC_IN);
		break;
	case KEY_KDF:
		walk_add_arg(walk, 56, SC_IN);
		break;
	case KEY_QUERY:
		walk_add_arg(walk, 56, SC_INOUT);
		break;
	case KEY_PKEY:
		walk_add_arg(walk, 40, SC_IN);
		break;
	case KEY_PKEY_IN:
		walk_add_arg(walk, walk_read_u32(walk, params + 4), SC_IN);
		break;
	case KEY_PKEY_OUT:
		walk_add_arg(walk, walk_read_u32(walk, params + 8), SC_INOUT);
		break;
	case KEY_PKEY_IN2:
		walk_add_arg(walk, walk_read_u32(walk, params + 8), SC_IN);
		break;
	}
}

static bool keyctl_arg_begin(struct walk *walk)
{
	uint32_t operation = walk->call->args[0];

	if (operation > KEYCTL_LAST_KNOWN)
		return false;
	for (size_t i = 0; i < sizeof(key_pointers) / sizeof(key_pointers[0]); i++)
		if (key_pointers[i].operation == operation && key_pointers[i].arg == walk->arg)
			add_key_pointer(walk, key_pointers[i].what);
	return true;
}

const struct region_fn region_keyctl_arg = {keyctl_arg_begin, NULL};
