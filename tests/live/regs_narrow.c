/* A 32-bit program without a C library: known values in its registers, then a call that blocks.
 *
 * Built with -m32 -nostdlib. Spins with known registers until a byte of its memory is changed (the
 * first word it writes is that byte's address), writes what is in esi then, blocks in read, and ends
 * with the byte it got. */
static volatile unsigned char go;
static volatile unsigned seen;

static int call3(int nr, int a, const void *b, int c)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

static void spin(void)
{
	__asm__ volatile("push %%ebx\n push %%ebp\n push %%esi\n push %%edi\n"
			 "mov $0x11111111, %%eax\n mov $0x22222222, %%ebx\n"
			 "mov $0x33333333, %%ecx\n mov $0x84444444, %%edx\n"
			 "mov $0x55555555, %%esi\n mov $0x66666666, %%edi\n"
			 "mov $0x77777777, %%ebp\n"
			 "1: cmpb $0, %0\n je 1b\n mov %%esi, %1\n"
			 "pop %%edi\n pop %%esi\n pop %%ebp\n pop %%ebx\n"
			 :
			 : "m"(go), "m"(seen)
			 : "eax", "ecx", "edx", "cc", "memory");
}

void _start(void)
{
	const volatile void *address = &go;
	unsigned char byte = 0;

	call3(4, 1, &address, sizeof(address));
	spin();
	call3(4, 1, (const void *)&seen, sizeof(seen));
	call3(3, 0, &byte, 1);
	call3(1, byte, 0, 0);
}
