/* Memory of irregular arguments: messages and socket options.
 *
 * recvmsg() and recvmmsg() write the header (length of the name, flags, length of the control data)
 * as well as what it points at; sendmmsg() writes the length it sent. Control data is in and out:
 * the kernel leaves the padding between two control messages as it was. */
#include "syscalls/regions.h"

#define MSGHDR_SIZE	  56
#define MSGHDR_NAME	  0
#define MSGHDR_NAMELEN	  8
#define MSGHDR_IOV	  16
#define MSGHDR_IOVLEN	  24
#define MSGHDR_CONTROL	  32
#define MSGHDR_CONTROLLEN 40
#define MMSGHDR_SIZE	  64
#define MMSGHDR_LEN	  56

/* One message header in memory, and the regions that hang at it. */
struct message {
	taddr at;	 /* the header */
	int parent;	 /* its region */
	uint32_t offset; /* of the header in that region */
};

/* Data goes out of the caller's memory, or comes in. */
static bool sends(const struct walk *walk)
{
	return walk_dir(walk) == SC_IN;
}

static void message_begin(struct walk *walk, const struct message *m)
{
	bool out = sends(walk);
	int32_t namelen = walk_read_u32(walk, m->at + MSGHDR_NAMELEN);

	if (namelen > 0)
		walk_add(walk, m->parent, m->offset + MSGHDR_NAME,
			 walk_read_u64(walk, m->at + MSGHDR_NAME), namelen, out ? SC_IN : SC_OUT);
	walk_add_iov(walk, m->parent, m->offset + MSGHDR_IOV,
		     walk_read_u64(walk, m->at + MSGHDR_IOV),
		     walk_read_u64(walk, m->at + MSGHDR_IOVLEN), out ? SC_IN : SC_OUT);
	walk_add(walk, m->parent, m->offset + MSGHDR_CONTROL,
		 walk_read_u64(walk, m->at + MSGHDR_CONTROL),
		 walk_read_u64(walk, m->at + MSGHDR_CONTROLLEN), out ? SC_IN : SC_INOUT);
}

/* Sets the lengths of the regions of a message received with `bytes` of data, or, with `received`
 * false, of one that was not. */
static void message_end(struct walk *walk, const struct message *m, bool received, uint64_t bytes)
{
	uint64_t namelen = walk_read_u32(walk, m->at + MSGHDR_NAMELEN);
	uint64_t controllen = walk_read_u64(walk, m->at + MSGHDR_CONTROLLEN);

	for (size_t i = 0; i < walk->regions->count; i++) {
		struct sc_region *region = &walk->regions->items[i];
		uint32_t field = region->parent_offset - m->offset;

		if (region->parent != m->parent || region->parent_offset < m->offset ||
		    field >= MMSGHDR_SIZE)
			continue;
		if (field == MSGHDR_IOV)
			walk_distribute(walk, i, received ? bytes : 0);
		else if (!received)
			region->length = 0;
		else if (field == MSGHDR_NAME && namelen < region->capacity)
			region->length = namelen;
		else if (field == MSGHDR_CONTROL && controllen < region->capacity)
			region->length = controllen;
	}
}

/* The region at the argument itself, or -1. */
static int root_region(const struct walk *walk)
{
	for (size_t i = 0; i < walk->regions->count; i++)
		if (walk->regions->items[i].arg == walk->arg)
			return i;
	return -1;
}

static bool msghdr_begin(struct walk *walk)
{
	struct message m = {.at = walk_value(walk)};

	m.parent = walk_add_arg(walk, MSGHDR_SIZE, walk_dir(walk));
	if (m.parent >= 0)
		message_begin(walk, &m);
	return true;
}

static void msghdr_end(struct walk *walk)
{
	struct message m = {.at = walk_value(walk), .parent = root_region(walk)};

	if (m.parent >= 0 && !sends(walk))
		message_end(walk, &m, !walk_failed(walk), walk->call->result);
}

const struct region_fn region_msghdr = {msghdr_begin, msghdr_end};

/* How many headers the kernel may reach; sendmmsg() stops at UIO_MAXIOV, recvmmsg() does not
 * (net/socket.c), so more than that many are left to the fallback. */
static bool mmsghdr_count(const struct walk *walk, uint32_t *count)
{
	*count = walk_selector(walk);
	if (*count <= WALK_MAX_IOV)
		return true;
	*count = WALK_MAX_IOV;
	return sends(walk);
}

static bool mmsghdr_begin(struct walk *walk)
{
	struct message m;
	uint32_t count;

	if (!mmsghdr_count(walk, &count))
		return false;
	m.parent = walk_add_arg(walk, count * (uint64_t)MMSGHDR_SIZE, SC_INOUT);
	for (uint32_t i = 0; m.parent >= 0 && i < count; i++) {
		m.offset = i * MMSGHDR_SIZE;
		m.at = walk_value(walk) + m.offset;
		message_begin(walk, &m);
		if (walk->regions->count > INT16_MAX)
			return false;
	}
	return true;
}

static void mmsghdr_end(struct walk *walk)
{
	struct message m = {.parent = root_region(walk)};
	uint32_t count;

	mmsghdr_count(walk, &count);
	for (uint32_t i = 0; m.parent >= 0 && !sends(walk) && i < count; i++) {
		m.offset = i * MMSGHDR_SIZE;
		m.at = walk_value(walk) + m.offset;
		message_end(walk, &m, !walk_failed(walk) && i < walk->call->result,
			    walk_read_u32(walk, m.at + MMSGHDR_LEN));
	}
}

const struct region_fn region_mmsghdr = {mmsghdr_begin, mmsghdr_end};

/* ---- socket options ---- */

#define SOL_IP_		      0
#define SOL_SOCKET_	      1
#define SOL_TCP_	      6
#define SOL_IPV6_	      41
#define SO_GET_FILTER_	      26
#define TCP_ZEROCOPY_RECEIVE_ 35
#define XT_BASE_	      64 /* IPT_BASE_CTL, IP6T_BASE_CTL: tables with pointers in them */

/* Options whose value points at more memory than this file knows. */
static bool sockopt_is_known(uint32_t level, uint32_t name, bool get)
{
	if (level == SOL_TCP_ && name == TCP_ZEROCOPY_RECEIVE_)
		return !get;
	if (level == SOL_IP_ || level == SOL_IPV6_)
		return get || name < XT_BASE_ || name > XT_BASE_ + 1;
	return true;
}

/* Some options take a question in the buffer that they answer into, and some fill the buffer but
 * shorten the length: it is in and out in full. */
static bool sockopt_val_begin(struct walk *walk)
{
	uint32_t level = walk->call->args[1], name = walk->call->args[2];
	bool get = walk_dir(walk) != SC_IN;
	uint64_t length = walk_selector(walk);

	if (!sockopt_is_known(level, name, get))
		return false;
	length = get ? walk_read_u32(walk, length) : (uint32_t)length;
	if (length > INT32_MAX)
		length = 0;
	if (!get && level == SOL_SOCKET_ && name == SO_GET_FILTER_)
		walk_add_filter(walk); /* SO_ATTACH_FILTER has the same number */
	else if (get && level == SOL_SOCKET_ && name == SO_GET_FILTER_)
		walk_add_arg(walk, length * 8, SC_INOUT); /* counts struct sock_filter */
	else
		walk_add_arg(walk, length, walk_dir(walk));
	return true;
}

const struct region_fn region_sockopt_val = {sockopt_val_begin, NULL};
