/* remap_file_pages(2): pages of a shared mapping in another order. */
#include "guest_task.h"

#define PAGES 4
#define PAGE  4096

static void reverse(char *at, const char *what)
{
	for (int i = 0; i < PAGES; i++)
		if (syscall(SYS_remap_file_pages, at + i * PAGE, PAGE, 0, PAGES - 1 - i, 0) < 0)
			skip("remap_file_pages: %s", strerror(errno));
	for (int i = 0; i < PAGES; i++)
		expect(at[i * PAGE] == 'a' + PAGES - 1 - i, "%s: page %d holds %c", what, i,
		       at[i * PAGE]);
	at[0] = 'z';
}

int main(void)
{
	int fd = need(open(temp_path("file"), O_RDWR | O_CREAT, 0600));
	char *anonymous =
		mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char byte;

	need(ftruncate(fd, PAGES * PAGE));
	char *of_file = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(anonymous != MAP_FAILED && of_file != MAP_FAILED, "mappings");
	for (int i = 0; i < PAGES; i++)
		anonymous[i * PAGE] = of_file[i * PAGE] = (char)('a' + i);
	reverse(anonymous, "anonymous");
	reverse(of_file, "of a file");
	need(pread(fd, &byte, 1, (PAGES - 1) * PAGE));
	expect(byte == 'z', "the file has %c", byte);
	expect_errno(syscall(SYS_remap_file_pages, of_file, PAGE, PROT_READ, 0, 0), EINVAL);
	return done();
}
