/* FS and GS bases: arch_prctl, access through gs, wrgsbase where allowed, per thread, over fork. */
#include "guest_task.h"
#include <asm/prctl.h>
#include <pthread.h>
#include <sys/auxv.h>

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

static uint64_t data[4] = {0x1111, 0x2222, 0x3333, 0x4444};

static uint64_t read_gs(long offset)
{
	uint64_t value;
	__asm__ volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"(offset));
	return value;
}

static void *body(void *arg)
{
	unsigned long base = 1;

	/* glibc's clone takes the registers over, so the base is main's. */
	need(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	show("a new thread's gs base: %#lx", base);
	need(syscall(SYS_arch_prctl, ARCH_SET_GS, &data[2]));
	sched_yield();
	expect_eq_long((long)read_gs(0), 0x3333, "gs:0 in the thread");
	return NULL;
}

int main(void)
{
	unsigned long fs = 0, gs = 1, self;
	pthread_t thread;

	need(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	__asm__ volatile("movq %%fs:0, %0" : "=r"(self));
	expect(fs == self, "fs base %#lx", fs);
	need(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	expect_eq_long((long)gs, 0, "gs base at the start");
	need(syscall(SYS_arch_prctl, ARCH_SET_GS, &data[0]));
	expect_eq_long((long)read_gs(8), 0x2222, "gs:8");
	need_zero(pthread_create(&thread, NULL, body, NULL));
	pthread_join(thread, NULL);
	expect_eq_long((long)read_gs(8), 0x2222, "gs:8 of main afterwards");
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(read_gs(8) == 0x2222 ? 0 : 1);
	expect_child(pid, 0);
	expect_errno(syscall(SYS_arch_prctl, ARCH_SET_GS, -1L), EPERM);
	expect_errno(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);

	if ((getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) == 0)
		skip("wrgsbase");
	__asm__ volatile("wrgsbase %0" : : "r"(&data[1]));
	sched_yield();
	expect_eq_long((long)read_gs(8), 0x3333, "gs:8 after wrgsbase");
	__asm__ volatile("rdgsbase %0" : "=r"(gs));
	expect(gs == (unsigned long)&data[1], "rdgsbase: %#lx", gs);
	__asm__ volatile("rdfsbase %0" : "=r"(self));
	expect(self == fs, "rdfsbase: %#lx", self);
	/* Set to what it is: anything else would take the libc's storage away. */
	__asm__ volatile("wrfsbase %0" : : "r"(fs));
	unsigned long kernel_gs = 0;
	need(syscall(SYS_arch_prctl, ARCH_GET_GS, &kernel_gs));
	expect(kernel_gs == gs, "the kernel agrees");
	__asm__ volatile("wrgsbase %0" : : "r"(0L));
	return done();
}
