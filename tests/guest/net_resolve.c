/*
 * The C library's resolver on local names: getaddrinfo, getnameinfo, gethostname, getservbyname,
 * getpwuid (which reads files, maps caches and loads libraries).
 */
#include "guest.h"
#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>

int main(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	char host[256] = "", service[32] = "";
	bool loopback = false;

	int r = getaddrinfo("localhost", "80", &hints, &list);
	if (r != 0)
		skip("localhost does not resolve: %s", gai_strerror(r));
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		r = getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), service,
				sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV);
		show("localhost: family %d, %s port %s", a->ai_family, r ? "?" : host, service);
		loopback |= strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
	}
	expect(loopback, "localhost is a loopback address");
	freeaddrinfo(list);
	hints.ai_flags = AI_NUMERICHOST;
	expect_eq_long(getaddrinfo("192.0.2.1", NULL, &hints, &list), 0, "a numeric address");
	freeaddrinfo(list);
	expect_eq_long(getaddrinfo("not numeric", NULL, &hints, &list), EAI_NONAME, "a bad one");

	expect_eq_long(gethostname(host, sizeof(host)), 0, "gethostname");
	show("host name \"%s\"", host);
	struct servent *se = getservbyname("http", "tcp");
	show("http is port %d", se ? ntohs(se->s_port) : -1);
	struct passwd *pw = getpwuid(getuid());
	show("user %u is %s", getuid(), pw ? pw->pw_name : "nobody known");
	struct group *gr = getgrgid(getgid());
	show("group %u is %s", getgid(), gr ? gr->gr_name : "not known");
	return done();
}
