/*
 * The ring of a packet socket in memory: the kernel writes there by itself, so a recorder refuses
 * it. It either works or fails with an ordinary error; what is in it is printed.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define SIZE 16384

static void send_one(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = need(socket(AF_INET, SOCK_DGRAM, 0));

	need(sendto(fd, "in the ring", 11, 0, (void *)&to, sizeof(to)));
	close(fd);
}

/* Where it is refused, what was there is there as before. */
static void over_memory(int fd)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need((long)p);
	strcpy(p, "before");
	void *ring = mmap(p, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);

	expect(ring != MAP_FAILED || errno == ENODEV, "mapped over memory or refused");
	expect(ring != MAP_FAILED || strcmp(p, "before") == 0, "the memory is there");
	if (ring != MAP_FAILED)
		need(munmap(ring, SIZE));
}

int main(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct tpacket_req request = {SIZE, 1, 2048, SIZE / 2048};
	struct sockaddr_ll on = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex("lo")};

	if (fd < 0)
		skip("packet sockets: %s", strerror(errno));
	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
		skip("rings of packet sockets: %s", strerror(errno));
	over_memory(fd);
	struct tpacket_hdr *ring = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	expect(ring != MAP_FAILED || errno == ENODEV, "mapped or refused");
	if (ring == MAP_FAILED)
		return done();
	if (!on.sll_ifindex || bind(fd, (void *)&on, sizeof(on)) < 0)
		skip("no loopback");
	send_one();
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	need(poll(&ready, 1, 1000));
	show("status %lx length %u", ring->tp_status, ring->tp_len);
	return done();
}
