/* Paths that a call writes over, that lie at the end of what is mapped, or that it does not read
 * because it has failed or ended before. */
#include "guest.h"
#include <sys/mman.h>

#define OFTEN 40
#define PAGE  4096
#define BAD   ((char *)8)

static char *end, target[201];

/* The name at the end of the page, and the link's text over it or right behind it: neither ends with
 * a zero. */
static void write_over(int before, int behind)
{
	int right = 0;

	for (int i = 0; i < OFTEN; i++) {
		memset(end - PAGE, 'x', PAGE);
		strcpy(end - before, "link");
		right += readlink(end - before, end - before + behind, before - behind) ==
				 before - behind &&
			 !memcmp(end - before + behind, target, before - behind);
	}
	expect(right == OFTEN, "%d times", right);
}

static void in_the_result(void)
{
	struct stat status;
	char *volatile path = (char *)&status;

	for (int i = 0; i < OFTEN; i++) {
		strcpy(path, "file");
		need(stat(path, &status));
		expect(S_ISREG(status.st_mode), "mode %o", status.st_mode);
	}
}

static void at_the_end(void)
{
	struct stat status;

	for (int i = 0; i < OFTEN; i++) {
		strcpy(end - 5, i % 2 ? "file" : "none");
		int result = stat(end - 5, &status);

		expect(result == (i % 2 ? 0 : -1), "%d", result);
	}
}

static void not_read(void)
{
	struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};

	for (int i = 0; i < OFTEN; i++) {
		expect(rename("none/at/all", BAD) && errno == ENOENT, "rename: %d", errno);
		expect(symlink("", BAD) && errno == ENOENT, "symlink: %d", errno);
		need(utimensat(AT_FDCWD, BAD, omit, 0));
	}
}

int main(void)
{
	end = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)end);
	end += PAGE;
	need(munmap(end, PAGE));
	memset(target, 't', sizeof(target) - 1);
	need(symlink(target, "link"));
	need(close(need(open("file", O_WRONLY | O_CREAT, 0600))));
	write_over(100, 0);
	write_over(150, 3);
	in_the_result();
	at_the_end();
	not_read();
	need(unlink("link"));
	need(unlink("file"));
	return done();
}
