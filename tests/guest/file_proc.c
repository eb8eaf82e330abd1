/*
 * Files that the kernel makes up: /proc/self/maps, status, stat, exe, cmdline, environ, auxv,
 * cpuinfo, meminfo, uptime, loadavg.
 */
#include "guest.h"
#include <sys/auxv.h>

static char buf[1 << 18];

static size_t slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd == -1) {
		show("%s: %s", path, strerror(errno));
		buf[0] = 0;
		return 0;
	}
	while (len < sizeof(buf) - 1 && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = 0;
	show("%s: %zu bytes, hash %016lx", path, len, (unsigned long)hash_bytes(buf, len));
	return len;
}

int main(void)
{
	char text[PATH_MAX] = "";
	unsigned long start, end, value[2];

	expect(slurp("/proc/self/maps") > 100, "maps");
	bool found = false;
	for (char *p = buf; *p; p = strchr(p, '\n') + 1) {
		sscanf(p, "%lx-%lx", &start, &end);
		found |= (unsigned long)&found >= start && (unsigned long)&found < end;
	}
	expect(found, "my stack is in there");
	slurp("/proc/self/status");
	char *line = strstr(buf, "\nPid:\t");
	expect(line && atoi(line + 6) == getpid(), "Pid is %d", getpid());
	slurp("/proc/self/stat");
	expect(atoi(buf) == getpid(), "stat: %.60s", buf);
	slurp("/proc/self/cmdline");
	slurp("/proc/self/environ");
	need(readlink("/proc/self/exe", text, sizeof(text) - 1));
	expect(strstr(text, "file_proc") != NULL, "exe: %s", text);
	slurp("/proc/self/comm");
	expect(strncmp(buf, "file_proc", 9) == 0, "comm: %.15s", buf);
	size_t len = slurp("/proc/self/auxv");
	for (size_t i = 0; i + 16 <= len; i += 16) {
		memcpy(value, buf + i, 16);
		if (value[0] == AT_RANDOM || value[0] == AT_ENTRY)
			expect_eq_long(value[1], getauxval(value[0]), "auxv entry");
	}
	hexdump("AT_RANDOM", (void *)getauxval(AT_RANDOM), 16);
	const char *files[] = {
		"/proc/cpuinfo",       "/proc/meminfo",	   "/proc/uptime",
		"/proc/loadavg",       "/proc/stat",	   "/proc/self/io",
		"/proc/self/smaps",    "/proc/self/statm", "/proc/self/mountinfo",
		"/proc/self/limits",   "/proc/self/sched", "/proc/net/dev",
		"/proc/self/cgroup",   "/proc/version",	   "/proc/sys/kernel/pid_max",
		"/proc/self/oom_score"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		slurp(files[i]);
	need(readlink("/proc/self", text, sizeof(text)));
	expect_eq_long(atoi(text), getpid(), "/proc/self");
	return done();
}
