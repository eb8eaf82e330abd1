/*
 * Administrator's calls with arguments that fail harmlessly for everyone: quotactl, acct, swapon,
 * swapoff and others, whose error paths only are taken; and numbers that no call has.
 */
#include "guest.h"
#include <sys/quota.h>

static void show_errno(const char *what, long result)
{
	show("%s: %ld (%s)", what, result, result == -1 ? strerror(errno) : "success");
	expect(result == -1, "%s fails", what);
}

int main(void)
{
	char block[256] = "";
	const char *absent = temp_path("absent");

	show_errno("quotactl", quotactl(QCMD(Q_GETQUOTA, USRQUOTA), absent, 0, block));
	show_errno("quotactl, bad command", quotactl(QCMD(0x1234, USRQUOTA), absent, 0, block));
	show_errno("acct", syscall(SYS_acct, absent));
	show_errno("swapon", syscall(SYS_swapon, absent, 0));
	show_errno("swapoff", syscall(SYS_swapoff, absent));
	show_errno("pivot_root", syscall(SYS_pivot_root, absent, absent));
	show_errno("init_module", syscall(SYS_init_module, block, 16, block));
	show_errno("delete_module", syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
	show_errno("reboot with wrong magic", syscall(SYS_reboot, 0, 0, 0, NULL));
	show_errno("kexec_load", syscall(SYS_kexec_load, 0, 99, NULL, ~0UL));
	show_errno("sethostname", syscall(SYS_sethostname, block, 1000));
	show_errno("ioperm", syscall(SYS_ioperm, 0x100000, 16, 1));
	show_errno("iopl", syscall(SYS_iopl, 7));
	show_errno("lookup_dcookie", syscall(212, 0UL, block, sizeof(block)));
	show_errno("bpf", syscall(SYS_bpf, 9999, block, 8));
	/* This call's result is an int that the kernel does not sign-extend. */
	expect_eq_long((int)syscall(SYS_modify_ldt, 99, block, 16), -ENOSYS, "modify_ldt");
	show_errno("fsopen", syscall(SYS_fsopen, "no-such-fs", 0));
	show_errno("open_tree", syscall(SYS_open_tree, -1, absent, 0));
	show_errno("move_mount", syscall(SYS_move_mount, -1, absent, -1, absent, 0));
	show_errno("setns", syscall(SYS_setns, -1, 0));
	show_errno("settimeofday", syscall(SYS_settimeofday, (void *)8, NULL));
	show_errno("unknown call 999", syscall(999, 1, 2, 3, 4, 5, 6));
	expect_errno(syscall(999, 1, 2, 3), ENOSYS);
	expect_errno(syscall(SYS__sysctl, block), ENOSYS);
	expect_errno(syscall(SYS_vserver), ENOSYS);
	expect_errno(syscall(-1L), ENOSYS);
	return done();
}
