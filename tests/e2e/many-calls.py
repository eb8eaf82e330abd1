"""Makes one or more of as many kinds of system calls as Python reaches, for compare-strace.py."""
import ctypes
import fcntl
import mmap
import os
import resource
import select
import signal
import socket
import struct
import termios
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(number, *arguments):
    return libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])


a, b = socket.socketpair()
b.send(b'hi there\0\1\0019')
select.select([a], [b], [], 1)
select.select([a], [], [], 0)
select.select([], [b], [], None)
poll = select.poll()
poll.register(a, select.POLLIN | select.POLLPRI)
poll.poll(0)
epoll = select.epoll()
epoll.register(a.fileno(), select.EPOLLIN | select.EPOLLET)
epoll.poll(0)
epoll.modify(a.fileno(), select.EPOLLOUT)
epoll.unregister(a.fileno())
a.recv(100, socket.MSG_PEEK)
a.recv(5, socket.MSG_DONTWAIT)
socket.send_fds(a, [b'x', b'yz'], [1, 2])
socket.recv_fds(b, 10, 4)
a.shutdown(socket.SHUT_WR)
a.getpeername()
listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 2))
listener.bind(('::', 0))
listener.listen(5)
client = socket.create_connection(('127.0.0.1', listener.getsockname()[1]), timeout=3)
server = listener.accept()[0]
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
a.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
unix.bind('\0abstract name of mine')
unix.sendto(b'payload', '\0abstract name of mine')
unix.recvfrom(20)
for address in ('/nonexistent/socket', '\0no'):
    try:
        unix.connect(address)
    except OSError:
        pass
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
netlink.bind((0, 0))

file = os.open('file', os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
os.write(file, b'0123456789' * 10)
os.pwrite(file, b'abc', 7)
os.pread(file, 50, 3)
os.writev(file, [b'a', b'bc'])
os.preadv(file, [bytearray(3), bytearray(40)], 1)
os.lseek(file, 0, os.SEEK_END)
os.ftruncate(file, 1000)
os.posix_fallocate(file, 0, 2000)
os.posix_fadvise(file, 0, 0, os.POSIX_FADV_SEQUENTIAL)
os.fsync(file)
os.fchmod(file, 0o4755)
os.stat('file')
os.chown('file', -1, -1)
os.sendfile(1, file, 10, 20)
os.sendfile(1, file, None, 2)
os.copy_file_range(file, os.open('copy', os.O_WRONLY | os.O_CREAT), 5, 3)
fcntl.fcntl(file, fcntl.F_GETFL)
fcntl.fcntl(file, fcntl.F_SETFL, os.O_NONBLOCK)
fcntl.fcntl(file, fcntl.F_DUPFD, 50)
fcntl.lockf(file, fcntl.LOCK_EX)
fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
fcntl.fcntl(file, fcntl.F_GETLK, struct.pack('hhlli', 1, 0, 0, 0, 0))
fcntl.ioctl(a, termios.FIONREAD, b'\0\0\0\0')
os.utime('file')
os.utime('file', (1, 2.5))
os.symlink('file', 'link')
os.readlink('link')
os.link('file', 'hard')
os.rename('hard', 'harder')
os.unlink('harder')
os.mkdir('dir', 0o700)
os.listdir('dir')
os.rmdir('dir')
os.mkfifo('fifo')
os.access('file', os.R_OK | os.W_OK)
os.access('file', os.X_OK, effective_ids=True)
os.setxattr('file', 'user.a', b'value')
os.getxattr('file', 'user.a')
os.listxattr('file')
os.statvfs('/proc')
os.statvfs('/dev/shm')
os.chdir('/')
os.getcwd()
os.umask(0o27)
os.umask(0o22)
memory = os.memfd_create('mine', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
os.eventfd(3, os.EFD_NONBLOCK)
os.pipe2(os.O_NONBLOCK)
os.dup2(1, 60)
os.dup(1)

area = mmap.mmap(-1, 8192, mmap.MAP_SHARED)
area.madvise(mmap.MADV_DONTNEED)
area.flush()
area.resize(16384)
os.sched_getaffinity(0)
os.sched_setaffinity(0, os.sched_getaffinity(0))
os.sched_getscheduler(0)
os.sched_getparam(0)
os.getpriority(os.PRIO_PROCESS, 0)
os.nice(1)
os.getresuid()
os.getgroups()
os.getpgid(0)
os.times()
os.uname()
os.getrandom(8)
os.getloadavg()
resource.getrusage(resource.RUSAGE_CHILDREN)
resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY))
time.sleep(0.001)
time.clock_getres(time.CLOCK_MONOTONIC)
time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)

signal.signal(signal.SIGUSR1, lambda *ignored: 0)
signal.siginterrupt(signal.SIGUSR1, False)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, 40])
os.kill(os.getpid(), signal.SIGUSR2)
signal.sigwaitinfo([signal.SIGUSR2])
signal.sigtimedwait([signal.SIGTERM], 0)
signal.sigpending()
signal.setitimer(signal.ITIMER_REAL, 100, 5)
signal.getitimer(signal.ITIMER_REAL)
signal.alarm(0)
for end in ('os._exit(3)', 'os.kill(os.getpid(), 9)', 'os.abort()'):
    child = os.fork()
    if not child:
        exec(end)
    os.waitpid(child, 0)
child = os.fork()
if not child:
    os._exit(4)
os.waitid(os.P_PID, child, os.WEXITED)
child = os.fork()
if not child:
    try:
        os.execv('/nonexistent', ['x' * 40] + ['y'] * 40)
    finally:
        os._exit(5)
os.wait3(os.WNOHANG)

buffer = ctypes.create_string_buffer(4096)
call(157, 15, b'a name that is far too long', 0, 0, 0)  # prctl(PR_SET_NAME)
call(157, 16, buffer, 0, 0, 0)                           # PR_GET_NAME
call(157, 3, 0, 0, 0, 0)                                 # PR_GET_DUMPABLE
call(157, 38, 1, 0, 0, 0)                                # PR_SET_NO_NEW_PRIVS
call(157, 23, 3, 0, 0, 0)                                # PR_CAPBSET_READ
call(157, 9999, 1, 2, 3, 4)
call(158, 0x1003, buffer)                                # arch_prctl(ARCH_GET_FS)
call(125, struct.pack('Ii', 0x20080522, 0), buffer)      # capget
call(131, 0, buffer)                                     # sigaltstack
call(96, buffer, buffer)                                 # gettimeofday
call(201, buffer)                                        # time
call(309, buffer, buffer, 0)                             # getcpu
call(332, -100, b'/etc/passwd', 0x100, 0xfff, buffer)    # statx
call(439, -100, b'/etc/passwd', 4, 0x200)                # faccessat2
call(437, -100, b'/', struct.pack('QQQ', 0o200000, 0, 8), 24)  # openat2
call(135, 0xffffffff)                                    # personality
call(98, 0, buffer)                                      # getrusage
call(26, 4096, 4096, 4)                                  # msync
call(27, 4096, 4096, buffer)                             # mincore
call(202, buffer, 129, 1, 0, 0, 0)                       # futex
call(202, buffer, 128, 7, 0, 0, 0)
call(202, buffer, 0x189, 7, 0, 0, 0xffffffff)
call(202, buffer, 0x85, 1, 1, buffer, 0x04000001)
call(283, 1, 0x80800)                                    # timerfd_create
call(286, 0, 0, struct.pack('QQQQ', 0, 0, 1, 2), 0)      # timerfd_settime
call(289, -1, struct.pack('Q', 0x10000), 8, 0x80800)     # signalfd4
call(294, 0x80800)                                       # inotify_init1
call(254, 0, b'/tmp', 0x100 | 0x80)                      # inotify_add_watch
shared = call(29, 0, 4096, 0o1600)                       # shmget
call(31, shared, 0, 0)                                   # shmctl(IPC_RMID)
semaphore = call(64, 0, 1, 0o3600)                       # semget
call(65, semaphore, struct.pack('HhH', 0, 1, 0x1800), 1)  # semop
call(66, semaphore, 0, 12, 0)                            # semctl(GETVAL)
call(66, semaphore, 0, 0, 0)                             # semctl(IPC_RMID)
call(436, 900, 1000, 0)                                  # close_range
call(334, buffer, 32, 0, 0)                              # rseq
call(324, 0, 0, 0)                                       # membarrier
call(16, 0, 0xc0087701, buffer)                          # ioctl
call(16, 0, 0x5451)
call(302, 0, 7, 0, buffer)                               # prlimit64
call(159, buffer)                                        # adjtimex
call(35, struct.pack('qq', 0, 1000), buffer)             # nanosleep
call(230, 1, 0, struct.pack('qq', 0, 1000), buffer)      # clock_nanosleep
call(271, struct.pack('ihh', 0, 1, 0), 1, struct.pack('qq', 1, 0), 0, 8)  # ppoll
call(222, 0, 0, buffer)                                  # timer_create
call(136, 0, 0)                                          # ustat
call(40, 1, 0, 0, 0)                                     # sendfile
call(326, 0, 0, 1, 0, 10, 0)                             # copy_file_range
call(275, 0, 0, 1, 0, 10, 3)                             # splice
call(218, buffer)                                        # set_tid_address
call(317, 1, 0, struct.pack('HHIQ', 3, 0, 0, 4096))      # seccomp
call(165, b'none', b'/nonexistent', b'tmpfs', 6, b'size=1m')  # mount
call(166, b'/nonexistent', 2)                            # umount2
call(101, 0x4200, 1, 2, 3)                               # ptrace
