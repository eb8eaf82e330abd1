/* A program for Darwin on x86-64, without any library. It prints hello, by way of a file, checks errors on the way, and
 * ends with 7; with another status if something is not as on Darwin. */

enum {
	SYS_EXIT = 1,
	SYS_READ = 3,
	SYS_WRITE = 4,
	SYS_OPEN = 5,
	SYS_CLOSE = 6,
	SYS_UNLINK = 10,
	SYS_MKDIR = 136,
	SYS_RMDIR = 137,
	CLASS_UNIX = 0x2000000,

	RDONLY = 0,
	WRONLY = 1,
	CREAT = 0x200,
	TRUNC = 0x400,
	EXCL = 0x800,

	NO_ENTRY = 2,
	EXISTS = 17,
	NO_CALL = 78,
	NOT_EMPTY = 66,
};

/* The result; a failed call's error as a negative number. */
static long call(long number, const void *a, long b, long c)
{
	unsigned char failed;
	long result;

	__asm__ volatile("syscall\n setc %1"
			 : "=a"(result), "=r"(failed)
			 : "0"(number | CLASS_UNIX), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory", "cc");
	return failed ? -result : result;
}

static void leave(long status)
{
	call(SYS_EXIT, (void *)status, 0, 0);
}

static void expect(int step, long result, long expected)
{
	if (result != expected)
		leave(100 + step);
}

static const char greeting[] = "hello\n";
static char buffer[20000]; /* beyond the pages that the file has */

static void write_file(void)
{
	long fd = call(SYS_OPEN, "greeting", WRONLY | CREAT | TRUNC, 0644);

	expect(1, fd > 2, 1);
	expect(2, call(SYS_WRITE, (void *)fd, (long)greeting, 6), 6);
	expect(3, call(SYS_CLOSE, (void *)fd, 0, 0), 0);
	expect(4, call(SYS_OPEN, "greeting", WRONLY | CREAT | EXCL, 0644), -EXISTS);
}

static void print_file(void)
{
	long fd = call(SYS_OPEN, "greeting", RDONLY, 0);

	expect(5, call(SYS_READ, (void *)fd, (long)(buffer + 19000), 1000), 6);
	expect(6, call(SYS_WRITE, (void *)1, (long)(buffer + 19000), 6), 6);
	expect(7, call(SYS_UNLINK, "greeting", 0, 0), 0);
	expect(8, call(SYS_OPEN, "greeting", RDONLY, 0), -NO_ENTRY);
}

static void fail_to_remove(void)
{
	expect(9, call(SYS_MKDIR, "outer", 0755, 0), 0);
	expect(10, call(SYS_MKDIR, "outer/inner", 0755, 0), 0);
	expect(11, call(SYS_RMDIR, "outer", 0, 0), -NOT_EMPTY);
	expect(12, call(SYS_RMDIR, "outer/inner", 0, 0), 0);
	expect(13, call(SYS_RMDIR, "outer", 0, 0), 0);
	expect(14, call(400, 0, 0, 0), -NO_CALL);
}

void start(void)
{
	write_file();
	print_file();
	fail_to_remove();
	leave(7);
}
