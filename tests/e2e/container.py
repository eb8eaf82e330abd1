"""Recording and replaying under the rules that a container engine sets by default.

No engine is needed: the filter below answers what Docker's default profile for an unprivileged container
denies (moby, profiles/seccomp/default.json, without any capability), in the way it answers: EPERM, but
ENOSYS for clone3; clone without new namespaces, personality with few values, sockets but of AF_VSOCK."""

import os
import re
import shutil
import struct

from harness import PYTHON, Failure, Skip, Test

TESTS = []

DENIED = '''syslog uselib ustat sysfs vhangup pivot_root _sysctl chroot acct settimeofday mount umount2 swapon
swapoff reboot sethostname setdomainname iopl ioperm create_module init_module delete_module get_kernel_syms
query_module quotactl nfsservctl lookup_dcookie clock_settime mbind set_mempolicy get_mempolicy kexec_load
add_key request_key keyctl migrate_pages unshare move_pages perf_event_open fanotify_init open_by_handle_at
setns kcmp finit_module kexec_file_load bpf userfaultfd io_uring_setup io_uring_enter io_uring_register
open_tree move_mount fsopen fsconfig fsmount fspick pidfd_getfd process_madvise mount_setattr quotactl_fd
set_mempolicy_home_node memfd_secret cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue
statmount listmount mseal'''.split()

CLONE_NEW = 0x7e020000  # namespaces
PERSONALITIES = (0, 8, 0x20000, 0x20008, 0xffffffff)
ALLOW, EPERM, ENOSYS = 0x7fff0000, 0x50001, 0x50026

# Runs argv[2:] under the program that is in the file argv[1], without any capability.
UNDER = '''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
code = open(sys.argv[1], "rb").read()
buffer = ctypes.create_string_buffer(code)
class Program(ctypes.Structure): _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(code) // 8, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
if os.geteuid() == 0:
    for capability in range(64): libc.prctl(24, capability, 0, 0, 0)
    class Header(ctypes.Structure): _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
    assert libc.capset(ctypes.byref(Header(0x20080522, 0)), bytes(24)) == 0, "capset"
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, "PR_SET_SECCOMP"
os.execvp(sys.argv[2], sys.argv[2:])
'''


def case(function):
    TESTS.append(Test('container/' + function.__name__.replace('_', '-'), function, limit=200))
    return function


def tests(_):
    return list(TESTS)


def numbers(root):
    with open(os.path.join(root, 'src', 'syscalls', 'table.def')) as f:
        return {name: int(nr) for nr, name in re.findall(r'^ROW\((\d+), (\w+)', f.read(), re.M)}


def rules(root):
    """The filter's bytes."""
    nr = numbers(root)

    def load(offset):
        return struct.pack('<HBBI', 0x20, 0, 0, offset)

    def equal(value, yes, no):
        return struct.pack('<HBBI', 0x15, yes, no, value)

    def answer(what):
        return struct.pack('<HBBI', 0x06, 0, 0, what)

    code = load(0)
    for name in DENIED:
        code += equal(nr[name], 0, 1) + answer(EPERM)
    code += equal(nr['clone3'], 0, 1) + answer(ENOSYS)
    code += equal(nr['clone'], 0, 4) + load(16)
    code += struct.pack('<HBBI', 0x45, 0, 1, CLONE_NEW) + answer(EPERM) + answer(ALLOW)  # any bit set
    code += equal(nr['socket'], 0, 4) + load(16) + equal(40, 0, 1) + answer(EPERM) + answer(ALLOW)
    count = len(PERSONALITIES)
    code += equal(nr['personality'], 0, count + 3) + load(16)
    for i, value in enumerate(PERSONALITIES):
        code += equal(value, count - i, 0)
    return code + answer(EPERM) + answer(ALLOW) + answer(ALLOW)


def contained(context, command):
    """The command line that runs it under the rules."""
    script, filter_file = context.path('under.py'), context.path('rules')
    with open(script, 'w') as f:
        f.write(UNDER)
    with open(filter_file, 'wb') as f:
        f.write(rules(context.config.root))
    return [PYTHON, script, filter_file, *command]


def record_and_replay(context, argv, says=None, ends=0):
    recording, command = context.record_command(argv)
    result = context.run(contained(context, command))
    if result.status != ends or (says and not re.search(says, result.out)):
        raise Failure('should have ended with %d and said %r: %s' % (ends, says, result))
    if result.err:
        raise Failure('should have said nothing on standard error: %s' % result)
    context.spoil()
    again = context.run(contained(context, [context.warp, 'replay', '-a', recording]), cwd=context.path('elsewhere'))
    if again.status != result.status or again.out != result.out or again.err:
        raise Failure('replayed: %s\nrecorded: %s' % (again, result))


@case
def the_rules_hold(context):
    """Or the other tests here would say nothing."""
    script = '''
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*args): return "ok" if libc.syscall(*args) >= 0 else errno.errorcode[ctypes.get_errno()]
print(call(298, 0, 0, -1, -1, 0), call(323, 1), call(272, 0x10000000), call(435, 0, 0), call(135, 0xffffffff),
      call(135, 0x40000), call(56, 0x10000000), call(165, 0, 0, 0, 0, 0))'''
    result = context.must(contained(context, [PYTHON, '-c', script]))
    if result.out.split() != b'EPERM EPERM EPERM ENOSYS ok EPERM EPERM EPERM'.split():
        raise Failure('the rules do not do what they should: %s' % result)


@case
def shell_pipeline(context):
    context.write('numbers', ''.join('%d\n' % (i * 7919 % 1000) for i in range(1000)))
    record_and_replay(context, ['sh', '-c', 'sort -n numbers | uniq | tail -n 3; (exit 4) || echo $?; exit 5'], b'999', 5)


@case
def threads_and_children(context):
    record_and_replay(context, [PYTHON, '-c', '''
import threading, subprocess, os, random
out = []
t = [threading.Thread(target=lambda i=i: out.append(sum(range(i * 1000)))) for i in range(8)]
[x.start() for x in t]; [x.join() for x in t]
print(len(out), random.random(), subprocess.check_output(["echo", "child"]), os.getpid())
'''], rb'8 0\..* b\'child')


@case
def guests(context):
    """Signals in computing code, preempted threads, and what uses the newest calls."""
    for name in ('sig_compute', 'sig_timer_create', 'sig_nested', 'thr_mutex', 'thr_cond', 'proc_clone3', 'map_madvise',
                 'insn_cpuid', 'insn_rdtsc', 'time_vdso', 'exec_thread', 'ipc_robust'):
        record_and_replay(context, [os.path.join(context.config.build, 'tests', 'guest', name)],
                          ends=77 if name == 'proc_clone3' else 0)


# ---- other roots ----

@case
def in_a_chroot(context):
    """The program and its interpreter are files of another root, where their names lead from there only."""
    context.needs('unshare')
    if context.run(['unshare', '-r', 'true']).status:
        raise Skip('no user namespaces here')
    root = context.path('root')
    libraries = re.findall(r'(/\S+) \(0x', context.must(['ldd', '/bin/sh']).out.decode())
    for name in ['/bin/sh', *libraries]:
        os.makedirs(root + os.path.dirname(name), exist_ok=True)
        shutil.copy(name, root + name)
    recording = context.record(['unshare', '-r', 'chroot', root, '/bin/sh', '-c', 'echo inside'])
    if recording.result.out != b'inside\n':
        raise Failure('recorded: %s' % recording.result)
    shutil.rmtree(root)
    context.replay(recording)
