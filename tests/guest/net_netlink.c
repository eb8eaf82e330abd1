/*
 * Links and addresses: an rtnetlink dump, SIOCGIFCONF and its relatives, if_nameindex, getifaddrs.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int dump_links(void)
{
	struct {
		struct nlmsghdr nh;
		struct rtgenmsg gen;
	} req = {{NLMSG_LENGTH(sizeof(struct rtgenmsg)), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1,
		  0},
		 {AF_UNSPEC}};
	static char buf[65536] __attribute__((aligned(8)));
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK};
	socklen_t len = sizeof(nl);
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), links = 0;

	if (s == -1)
		skip("netlink: %s", strerror(errno));
	need(bind(s, (struct sockaddr *)&nl, sizeof(nl)));
	need(getsockname(s, (struct sockaddr *)&nl, &len));
	show("netlink port %u", nl.nl_pid);
	need(send(s, &req, req.nh.nlmsg_len, 0));
	for (;;) {
		int n = need(recv(s, buf, sizeof(buf), 0));
		show("%d bytes, hash %016lx", n, (unsigned long)hash_bytes(buf, n));
		for (struct nlmsghdr *nh = (void *)buf; NLMSG_OK(nh, (unsigned)n);
		     nh = NLMSG_NEXT(nh, n)) {
			if (nh->nlmsg_type == NLMSG_DONE || nh->nlmsg_type == NLMSG_ERROR)
				return links;
			struct ifinfomsg *ifi = NLMSG_DATA(nh);
			show("link %d, type %d, flags 0x%x", ifi->ifi_index, ifi->ifi_type,
			     ifi->ifi_flags);
			links++;
		}
	}
}

int main(void)
{
	int links = dump_links(), s = need(socket(AF_INET, SOCK_DGRAM, 0)), count = 0;
	struct ifreq req[32];
	struct ifconf conf = {.ifc_len = sizeof(req), .ifc_req = req};

	expect(links >= 1, "%d links", links);
	expect_eq_long(ioctl(s, SIOCGIFCONF, &conf), 0, "SIOCGIFCONF");
	for (size_t i = 0; i < conf.ifc_len / sizeof(req[0]); i++) {
		struct sockaddr_in sin;
		memcpy(&sin, &req[i].ifr_addr, sizeof(sin));
		show("%s %s", req[i].ifr_name, inet_ntoa(sin.sin_addr));
	}
	struct ifreq lo = {.ifr_name = "lo"};
	expect_eq_long(ioctl(s, SIOCGIFINDEX, &lo), 0, "SIOCGIFINDEX");
	show("lo is number %d", lo.ifr_ifindex);
	expect_eq_long(if_nametoindex("lo"), lo.ifr_ifindex, "if_nametoindex");
	expect_eq_long(ioctl(s, SIOCGIFFLAGS, &lo), 0, "SIOCGIFFLAGS");
	expect(lo.ifr_flags & IFF_LOOPBACK, "flags 0x%x", lo.ifr_flags);
	expect_eq_long(ioctl(s, SIOCGIFMTU, &lo), 0, "SIOCGIFMTU");
	show("MTU %d", lo.ifr_mtu);
	strcpy(lo.ifr_name, "nonesuch");
	expect_errno(ioctl(s, SIOCGIFMTU, &lo), ENODEV);

	struct if_nameindex *names = if_nameindex();
	for (struct if_nameindex *n = names; n && n->if_index; n++, count++)
		show("%u %s", n->if_index, n->if_name);
	if_freenameindex(names);
	expect_eq_long(count, links, "links by if_nameindex");
	struct ifaddrs *addrs = NULL;
	expect_eq_long(getifaddrs(&addrs), 0, "getifaddrs");
	for (struct ifaddrs *a = addrs; a; a = a->ifa_next)
		show("%s: family %d, flags 0x%x", a->ifa_name,
		     a->ifa_addr ? a->ifa_addr->sa_family : -1, a->ifa_flags);
	freeifaddrs(addrs);
	return done();
}
