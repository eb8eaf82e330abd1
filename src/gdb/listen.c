/* Where a server listens: a unix socket that only its user can open, or a port, of the loopback
 * interface unless a host is named, since whoever connects can read what the recording holds. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdb/listen.h"
#include "util/alloc.h"
#include "util/cleanup.h"

#define WAITING_MAX 4

void gdb_listener_deinit(struct gdb_listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path)
		unlink(listener->path);
	free(listener->path);
	free(listener->shown);
	*listener = (struct gdb_listener){.fd = -1};
}

static struct error *listen_unix(const char *path, struct gdb_listener *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd _cleanup_fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return error_new("cannot listen at unix:%s: such a path has 1 to %zu characters",
				 path, sizeof(address.sun_path) - 1);
	if (fd < 0)
		return error_os(errno, "cannot make a socket");
	strcpy(address.sun_path, path);
	mode_t before = umask(0077);
	int failed = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;

	umask(before);
	if (failed == EADDRINUSE)
		return error_new(
			"cannot listen at unix:%s: there is a file of that name; remove it or "
			"choose another",
			path);
	if (failed)
		return error_hint(error_os(failed, "cannot listen at unix:%s", path),
				  "name a new file in a directory that you may write to");
	out->path = xstrdup(path);
	out->shown = xstrdup(path);
	if (listen(fd, WAITING_MAX))
		return error_os(errno, "cannot listen at unix:%s", path);
	out->fd = take_fd(&fd);
	return NULL;
}

/* Binds one of the addresses that the names mean; 0 or an errno value. */
static int bind_any(const struct addrinfo *found, int *out)
{
	static const int yes = 1;
	int failed = EADDRNOTAVAIL;

	for (const struct addrinfo *each = found; each; each = each->ai_next) {
		int fd _cleanup_fd_ = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0) {
			failed = errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (!bind(fd, each->ai_addr, each->ai_addrlen) && !listen(fd, WAITING_MAX)) {
			*out = take_fd(&fd);
			return 0;
		}
		failed = errno;
	}
	return failed;
}

/* The port that the system has chosen, if it was to. */
static unsigned port_of(int fd)
{
	struct sockaddr_storage name = {0};
	socklen_t length = sizeof(name);

	getsockname(fd, (struct sockaddr *)&name, &length);
	if (name.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
	return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

/* Splits "HOST:PORT"; [HOST] for one that has colons. */
static char *split_host(const char *address, const char **port)
{
	const char *colon = strrchr(address, ':');
	char *host = xstrdup(address);

	*port = colon + 1;
	host[colon - address] = 0;
	size_t length = strlen(host);

	if (length >= 2 && *host == '[' && host[length - 1] == ']') {
		host[length - 1] = 0;
		memmove(host, host + 1, length - 1);
	}
	return host;
}

/* getaddrinfo() takes larger numbers, and uses what is left of them in 16 bits. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits <= 5 && !text[digits] && strtoul(text, NULL, 10) <= UINT16_MAX;
}

static struct error *cannot_bind(int errnum, const char *address)
{
	const char *hint = "give another one, or :0 for one that is free";

	if (errnum == EADDRNOTAVAIL)
		hint = "give an address of this machine (ip address lists them), or :PORT for "
		       "127.0.0.1";
	else if (errnum == EADDRINUSE)
		hint = "another program listens there: give another port, or :0 for one that is "
		       "free";
	else if (errnum == EACCES)
		hint = "ports below 1024 are for root: give another one, or :0 for one that is "
		       "free";
	return error_hint(error_os(errnum, "cannot listen at %s", address), hint);
}

static struct error *listen_port(const char *address, struct gdb_listener *out)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const char *port;
	char *host _cleanup_free_ = split_host(address, &port);
	struct addrinfo *found;
	int failed = getaddrinfo(*host ? host : "127.0.0.1", port, &hints, &found);

	if (failed)
		return error_new("cannot listen at %s: %s; give a name or an address of this "
				 "machine, or :PORT for 127.0.0.1",
				 address, gai_strerror(failed));
	failed = bind_any(found, &out->fd);
	freeaddrinfo(found);
	if (failed)
		return cannot_bind(failed, address);
	out->shown = xasprintf("%.*s:%u", (int)(port - 1 - address), address, port_of(out->fd));
	return NULL;
}

struct error *gdb_listen(const char *address, struct gdb_listener *out)
{
	const char *colon = strrchr(address, ':');
	struct error *error;

	*out = (struct gdb_listener){.fd = -1};
	if (!strncmp(address, "unix:", 5))
		error = listen_unix(address + 5, out);
	else if (colon && is_port(colon + 1))
		error = listen_port(address, out);
	else if (colon)
		error = error_new("cannot listen at '%s': '%s' is no port; ports are numbers from "
				  "0 (one that is free) to %d",
				  address, colon + 1, UINT16_MAX);
	else
		error = error_new("cannot listen at '%s': give unix:PATH, HOST:PORT or :PORT",
				  address);
	if (error)
		gdb_listener_deinit(out);
	return error;
}

struct error *gdb_accept(const struct gdb_listener *listener, int other, int *client)
{
	static const int yes = 1;
	struct pollfd fds[] = {{listener->fd, POLLIN, 0}, {other, POLLIN, 0}};

	*client = -1;
	while (*client < 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error_os(errno, "cannot wait for gdb");
		if (fds[1].revents)
			return NULL;
		if (!fds[0].revents)
			continue;
		*client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
		if (*client < 0 && errno != EINTR && errno != ECONNABORTED)
			return error_os(errno, "cannot accept a connection");
	}
	/* Refused by sockets that are not TCP's. */
	setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return NULL;
}
