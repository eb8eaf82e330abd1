/* Printers: sockets, their addresses, options and messages. */
#include "syscalls/printer.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "util/alloc.h"
#include "util/cleanup.h"

/* Control data beyond this is shown as an address. */
#define CONTROL_MAX (64u << 10)

union any_address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_nl nl;
	uint8_t bytes[sizeof(struct sockaddr_storage)];
};

/* ---- addresses ---- */

static void put_un(struct printer *p, const union any_address *a, size_t length)
{
	const char *path = a->un.sun_path;
	size_t size = length - offsetof(struct sockaddr_un, sun_path);

	put_plain(p, ", sun_path=");
	if (path[0]) {
		put_chars(p, path, size);
	} else { /* an abstract name: unix(7) */
		put_plain(p, "@");
		put_quoted(p, path + 1, size - 1, false);
	}
}

static void put_in(struct printer *p, const union any_address *a)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof(text));
	put(p, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(a->in.sin_port), text);
}

static void put_in6(struct printer *p, const union any_address *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text));
	put(p, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u)", ntohs(a->in6.sin6_port),
	    ntohl(a->in6.sin6_flowinfo));
	put(p, ", inet_pton(AF_INET6, \"%s\", &sin6_addr), sin6_scope_id=%u", text,
	    a->in6.sin6_scope_id);
}

static void put_address(struct printer *p, const union any_address *a, size_t length)
{
	put_plain(p, "{sa_family=");
	put_name(p, &names_domain, a->any.sa_family);
	if (a->any.sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path))
		put_un(p, a, length);
	else if (a->any.sa_family == AF_INET && length >= sizeof(a->in))
		put_in(p, a);
	else if (a->any.sa_family == AF_INET6 && length >= sizeof(a->in6))
		put_in6(p, a);
	else if (a->any.sa_family == AF_NETLINK && length >= sizeof(a->nl))
		put(p, ", nl_pid=%d, nl_groups=%08x", (int)a->nl.nl_pid, a->nl.nl_groups);
	else if (length > sizeof(a->any.sa_family)) {
		put_plain(p, ", sa_data=");
		put_quoted(p, a->bytes + 2, length - 2, false);
	}
	put_plain(p, "}");
}

void put_sockaddr(struct printer *p, taddr addr, uint64_t length)
{
	union any_address address = {0};

	if (length > sizeof(address))
		length = sizeof(address);
	if (length < 2 || !fetch(p, addr, &address, length))
		put_addr(p, addr);
	else
		put_address(p, &address, length);
}

static bool entry_int(struct printer *p, taddr addr, int *number)
{
	const struct sc_memory *memory = p->memory;
	bool known;

	p->memory = p->entry;
	known = fetch(p, addr, number, sizeof(*number));
	p->memory = memory;
	return known;
}

PRINTER(sockaddr)
{
	const struct sc_arg *arg = &p->row->args[p->arg];
	int before, after;

	if (arg->size_kind != SC_S_ARG_DEREF) {
		put_sockaddr(p, value, arg_value(p, p->arg + 1));
		return;
	}
	if (!entry_int(p, arg_value(p, arg->size_arg), &before) ||
	    !fetch(p, arg_value(p, arg->size_arg), &after, sizeof(after)) || after < 2)
		put_addr(p, value);
	else
		put_sockaddr(p, value, before < after ? before : after);
}

PRINTER(sockaddr_len)
{
	int before, after;

	if (!entry_int(p, value, &before)) {
		put_addr(p, value);
		return;
	}
	put(p, "[%d", before);
	if (p->call->ended && !p->failed && fetch(p, value, &after, sizeof(after)) &&
	    after != before)
		put(p, " => %d", after);
	put_plain(p, "]");
}

/* ---- socket() ---- */

PRINTER(sock_type)
{
	uint32_t flags = (uint32_t)value & (SOCK_CLOEXEC | SOCK_NONBLOCK);

	put_name(p, &names_sock_type, (uint32_t)value & ~flags);
	if (flags) {
		put_plain(p, "|");
		put_flags(p, &names_sock_flags, flags);
	}
}

PRINTER(sock_proto)
{
	switch ((int)arg_value(p, 0)) {
	case AF_INET:
	case AF_INET6:
		put_name(p, &names_ipproto, (uint32_t)value);
		break;
	case AF_NETLINK:
		put_name(p, &names_netlink, (uint32_t)value);
		break;
	default:
		put(p, "%u", (uint32_t)value);
	}
}

/* ---- options ---- */

PRINTER(sockopt_name)
{
	const struct names *table;

	switch ((int)arg_value(p, 1)) {
	case SOL_SOCKET:
		table = &names_so;
		break;
	case SOL_IP:
		table = &names_so_ip;
		break;
	case SOL_IPV6:
		table = &names_so_ipv6;
		break;
	case IPPROTO_TCP:
		table = &names_so_tcp;
		break;
	case SOL_NETLINK:
		table = &names_so_netlink;
		break;
	default:
		put(p, "%#x", (uint32_t)value);
		return;
	}
	put_name(p, table, (uint32_t)value);
}

static bool put_so_struct(struct printer *p, taddr addr, int name, uint64_t length)
{
	struct linger linger;
	struct ucred credentials;

	if (name == SO_LINGER && length == sizeof(linger)) {
		if (fetch_or_addr(p, addr, &linger, sizeof(linger)))
			put(p, "{l_onoff=%d, l_linger=%d}", linger.l_onoff, linger.l_linger);
		return true;
	}
	if (name == SO_PEERCRED && length == sizeof(credentials)) {
		if (fetch_or_addr(p, addr, &credentials, sizeof(credentials)))
			put(p, "{pid=%d, uid=%d, gid=%d}", credentials.pid, (int)credentials.uid,
			    (int)credentials.gid);
		return true;
	}
	return false;
}

static bool text_option(int level, int name)
{
	return (level == IPPROTO_TCP && (name == 13 || name == 31)) /* TCP_CONGESTION, TCP_ULP */
	       || (level == SOL_SOCKET && name == SO_BINDTODEVICE);
}

PRINTER(sockopt_val)
{
	bool sets = p->row->args[p->arg].dir == SC_IN;
	int level = arg_value(p, 1), name = arg_value(p, 2), length = arg_value(p, 4);
	int number;

	if (!sets && (p->failed || !fetch(p, arg_value(p, 4), &length, sizeof(length)))) {
		put_addr(p, value);
		return;
	}
	if (level == SOL_SOCKET && put_so_struct(p, value, name, length))
		return;
	if (length <= 0 || (sets && level == SOL_SOCKET && length < (int)sizeof(number)))
		put_addr(p, value);
	else if (text_option(level, name))
		put_string(p, value, p->style->string_max);
	else if (length == sizeof(number) && fetch(p, value, &number, sizeof(number)))
		put(p, "[%d]", number);
	else
		put_bytes(p, value, length);
}

/* ---- messages ---- */

static void put_fds(struct printer *p, const uint8_t *data, size_t size)
{
	put_plain(p, "[");
	for (size_t i = 0; i < size / sizeof(int); i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		put_plain(p, i ? ", " : "");
		put_fd(p, fd);
	}
	put_plain(p, "]");
}

static void put_socket_cmsg(struct printer *p, int type, const uint8_t *data, size_t size)
{
	struct ucred credentials;
	struct timespec time;

	put_name(p, &names_cmsg_socket, type);
	if (type == SCM_RIGHTS && size >= sizeof(int)) {
		put_plain(p, ", cmsg_data=");
		put_fds(p, data, size);
	} else if (type == SCM_CREDENTIALS && size >= sizeof(credentials)) {
		memcpy(&credentials, data, sizeof(credentials));
		put(p, ", cmsg_data={pid=%d, uid=%d, gid=%d}", credentials.pid,
		    (int)credentials.uid, (int)credentials.gid);
	} else if ((type == SCM_TIMESTAMP || type == SCM_TIMESTAMPNS) && size >= sizeof(time)) {
		memcpy(&time, data, sizeof(time));
		put(p, ", cmsg_data={tv_sec=%ld, %s=%ld}", time.tv_sec,
		    type == SCM_TIMESTAMP ? "tv_usec" : "tv_nsec", time.tv_nsec);
	}
}

static void put_ip_cmsg(struct printer *p, int type, const uint8_t *data, size_t size)
{
	char local[INET_ADDRSTRLEN], sender[INET_ADDRSTRLEN], name[IF_NAMESIZE];
	struct in_pktinfo info;
	uint32_t number;

	put_name(p, &names_cmsg_ip, (uint32_t)type);
	if (type == IP_PKTINFO && size >= sizeof(info)) {
		memcpy(&info, data, sizeof(info));
		inet_ntop(AF_INET, &info.ipi_spec_dst, local, sizeof(local));
		inet_ntop(AF_INET, &info.ipi_addr, sender, sizeof(sender));
		put_plain(p, ", cmsg_data={ipi_ifindex=");
		if (if_indextoname(info.ipi_ifindex, name))
			put(p, "if_nametoindex(\"%s\")", name);
		else
			put_decimal(p, info.ipi_ifindex);
		put(p, ", ipi_spec_dst=inet_addr(\"%s\"), ipi_addr=inet_addr(\"%s\")}", local,
		    sender);
	} else if (type == IP_TTL && size >= sizeof(number)) {
		memcpy(&number, data, sizeof(number));
		put(p, ", cmsg_data=[%u]", number);
	}
}

static void put_cmsg(struct printer *p, const struct cmsghdr *header, const uint8_t *data,
		     size_t size)
{
	put(p, "{cmsg_len=%zu, cmsg_level=", (size_t)header->cmsg_len);
	put_name(p, &names_sol, (uint32_t)header->cmsg_level);
	put_plain(p, ", cmsg_type=");
	if (header->cmsg_level == SOL_SOCKET)
		put_socket_cmsg(p, header->cmsg_type, data, size);
	else if (header->cmsg_level == SOL_IP)
		put_ip_cmsg(p, header->cmsg_type, data, size);
	else
		put(p, "%#x", (unsigned)header->cmsg_type);
	put_plain(p, "}");
}

static void put_control(struct printer *p, taddr addr, uint64_t length)
{
	uint8_t *control _cleanup_free_ = NULL;
	uint64_t at = 0;

	if (!length)
		return;
	put_plain(p, ", msg_control=");
	if (length > CONTROL_MAX || length < sizeof(struct cmsghdr)) {
		put_addr(p, addr);
		return;
	}
	control = xmalloc(length);
	if (!fetch_or_addr(p, addr, control, length))
		return;
	put_plain(p, "[");
	while (length - at >= sizeof(struct cmsghdr)) {
		struct cmsghdr header;
		uint64_t size;

		memcpy(&header, control + at, sizeof(header));
		put(p, "%s", at ? ", " : "");
		size = header.cmsg_len < length - at ? header.cmsg_len : length - at;
		put_cmsg(p, &header, control + at + sizeof(header),
			 size > sizeof(header) ? size - sizeof(header) : 0);
		if (size < sizeof(header))
			break;
		size = (size + 7) & ~UINT64_C(7);
		at = size < length - at ? at + size : length;
	}
	put_plain(p, "]");
}

/* `name_room` is msg_namelen as it was before the call, or -1; `limit` as for put_iovec(). */
static void put_msghdr(struct printer *p, const struct msghdr *msg, int name_room, uint64_t limit)
{
	int length = msg->msg_namelen;

	if (name_room >= 0 && length > name_room)
		length = name_room;
	put_plain(p, "{msg_name=");
	put_sockaddr(p, (uintptr_t)msg->msg_name, length < 0 ? 0 : length);
	put_plain(p, ", msg_namelen=");
	if (name_room >= 0 && name_room != (int)msg->msg_namelen)
		put(p, "%d => ", name_room);
	put(p, "%d, msg_iov=", (int)msg->msg_namelen);
	put_iovec(p, (uintptr_t)msg->msg_iov, msg->msg_iovlen, limit);
	put(p, ", msg_iovlen=%zu", msg->msg_iovlen);
	put_control(p, (uintptr_t)msg->msg_control, msg->msg_controllen);
	put(p, ", msg_controllen=%zu, msg_flags=", msg->msg_controllen);
	put_flags(p, &names_msg, (uint32_t)msg->msg_flags);
	put_plain(p, "}");
}

PRINTER(msghdr)
{
	bool receives = p->row->args[p->arg].dir != SC_IN;
	struct msghdr msg, before;
	int room = -1;

	if (receives) {
		const struct sc_memory *memory = p->memory;

		p->memory = p->entry;
		if (fetch(p, value, &before, sizeof(before)))
			room = before.msg_namelen;
		p->memory = memory;
	}
	if (!fetch_or_addr(p, value, &msg, sizeof(msg)))
		return;
	if (receives && p->failed)
		put(p, "{msg_namelen=%d}", room);
	else
		put_msghdr(p, &msg, room, receives ? (uint64_t)p->call->result : UINT64_MAX);
}

static void put_mmsghdr(struct printer *p, const void *element)
{
	const struct mmsghdr *m = element;
	bool receives = p->row->args[p->arg].dir != SC_IN;

	put_plain(p, "{msg_hdr=");
	put_msghdr(p, &m->msg_hdr, -1, receives ? m->msg_len : UINT64_MAX);
	if (p->call->ended && !p->failed)
		put(p, ", msg_len=%u", m->msg_len);
	put_plain(p, "}");
}

PRINTER(mmsghdr)
{
	uint64_t count = arg_value(p, p->arg + 1);

	if (p->failed && p->row->args[p->arg].dir != SC_IN) {
		put_addr(p, value);
		return;
	}
	if (p->call->ended && !p->failed && (uint64_t)p->call->result < count)
		count = p->call->result;
	put_array(p, value, count, sizeof(struct mmsghdr), put_mmsghdr);
}
