/*
 * uname, personality, capget, membarrier, keyctl, syslog, sysfs, getcpu, prctl values, arch_prctl.
 */
#include "guest.h"
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/membarrier.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

static void capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};

	expect_eq_long(syscall(SYS_capget, &head, data), 0, "capget");
	show("effective %08x%08x permitted %08x%08x", data[1].effective, data[0].effective,
	     data[1].permitted, data[0].permitted);
	expect_eq_long(syscall(SYS_capset, &head, data), 0, "capset to the same");
	head.version = 1234;
	expect_errno(syscall(SYS_capget, &head, data), EINVAL);
	expect_eq_long(head.version, _LINUX_CAPABILITY_VERSION_3, "the version the kernel likes");
	show("capability 0 in the bounding set: %d", prctl(PR_CAPBSET_READ, 0, 0, 0, 0));
}

static void prctls(void)
{
	char name[16] = "";
	int sig = -1;
	unsigned long fs = 0;

	expect_eq_long(prctl(PR_SET_NAME, "renamed-guest-and-too-long"), 0, "PR_SET_NAME");
	expect_eq_long(prctl(PR_GET_NAME, name), 0, "PR_GET_NAME");
	expect(strcmp(name, "renamed-guest-a") == 0, "%s", name);
	expect_eq_long(prctl(PR_SET_PDEATHSIG, SIGUSR2), 0, "PR_SET_PDEATHSIG");
	expect_eq_long(prctl(PR_GET_PDEATHSIG, &sig), 0, "PR_GET_PDEATHSIG");
	expect_eq_long(sig, SIGUSR2, "the signal");
	need(prctl(PR_SET_PDEATHSIG, 0));
	show("dumpable %d, timer slack %d, keepcaps %d", prctl(PR_GET_DUMPABLE),
	     prctl(PR_GET_TIMERSLACK), prctl(PR_GET_KEEPCAPS));
	expect_errno(prctl(99999, 0, 0, 0, 0), EINVAL);
	expect_eq_long(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs), 0, "ARCH_GET_FS");
	expect(fs != 0, "fs base %lx", fs);
	expect_errno(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
}

int main(void)
{
	struct utsname u;
	char buf[64];

	expect_eq_long(uname(&u), 0, "uname");
	show("%s %s %s %s %s", u.sysname, u.nodename, u.release, u.version, u.machine);
	expect(strcmp(u.machine, "x86_64") == 0, "x86_64");
	expect_errno(syscall(SYS_uname, (void *)8), EFAULT);
	show("personality 0x%x", personality(0xffffffff));
	expect(personality(0xffffffff) >= 0, "personality read");
	capabilities();
	prctls();
	long r = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	show("membarrier: 0x%lx", r);
	if (r > 0 && r & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) {
		need(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
		expect_eq_long(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0,
			       "membarrier");
	}
	r = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
	show("process keyring %ld (%s)", r, r == -1 ? strerror(errno) : "made");
	if (r != -1) {
		long key = syscall(SYS_add_key, "user", "guest", "payload", 7,
				   KEY_SPEC_PROCESS_KEYRING);
		if (key != -1) {
			expect_eq_long(syscall(SYS_keyctl, KEYCTL_READ, key, buf, sizeof(buf)), 7,
				       "KEYCTL_READ");
			expect(memcmp(buf, "payload", 7) == 0, "key %ld", key);
		}
	}
	r = syscall(SYS_syslog, 10, NULL, 0);
	show("syslog size: %ld (%s)", r, r == -1 ? strerror(errno) : "allowed");
	r = syscall(SYS_sysfs, 3);
	show("sysfs: %ld", r);
	expect(syscall(SYS_getppid) == getppid(), "getppid %d", getppid());
	return done();
}
