"""Bad input, exit statuses, and the commands beside record and replay.

Whatever warp refuses it refuses with one line on standard error that begins with `warp: ` and says what,
why and what to do, and with its own exit status: 125 its own failure, 126 not executable, 127 no such
program. Nothing of the user's is changed by that."""

import json
import os
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess

from harness import (FAILED, NOT_EXECUTABLE, NOT_FOUND, PYTHON, Failure, Skip, Test, own_lines)

TESTS = []

# Offsets in src/abi/trace_abi.h.
STREAM_HEADER = struct.Struct('<8sIIQII')
FRAME_HEADER = struct.Struct('<IIQQIIQQ')
FRAME_MAGIC = 0x4d524657


def case(function, limit=60, privileged=False):
    TESTS.append(Test('errors/' + function.__name__.replace('_', '-'), function, limit=limit,
                      privileged=privileged))
    return function


def tests(_):
    return list(TESTS)


def check(ok, what, result):
    if not ok:
        raise Failure('%s: %s' % (what, result))


def refused(context, result, status=FAILED, says=''):
    """The one line of a refusal; `says` is a pattern in it."""
    lines = result.err.decode(errors='replace').splitlines()
    check(result.status == status, 'should have ended with status %d' % status, result)
    check(len(lines) == 1 and lines[0].startswith('warp: ') and len(lines[0]) > 20,
          'one line on stderr that begins with "warp: "', result)
    check(not result.out, 'nothing on stdout', result)
    check(re.search(says, lines[0], re.I), 'the line should say %r' % says, result)
    context.say('  ' + lines[0])
    context.check_sanitizers()
    return lines[0]


def record_refused(context, argv, status, says='', **more):
    """A program that cannot be recorded: refused, and no recording is left behind."""
    place, command = context.record_command(argv)
    line = refused(context, context.run(command, **more), status, says)
    if os.path.exists(place):
        raise Failure('a recording of nothing was left in %s: %s' % (place, os.listdir(place)))
    return line


def replay(context, place, *options):
    return context.run([context.warp, 'replay', '-a', *options, place], cwd=context.path('elsewhere'), limit=50)


# ---- programs that cannot be recorded ----

@case
def no_such_program(context):
    record_refused(context, ['no-such-program'], NOT_FOUND, 'no-such-program')
    record_refused(context, ['/no/such/program'], NOT_FOUND, '/no/such/program')
    record_refused(context, ['./missing'], NOT_FOUND, 'missing')
    record_refused(context, [''], NOT_FOUND)
    # Without PATH the C library's default is searched, as execvp(3) does it; an empty one is `.`.
    check(context.run(context.record_command(['true'])[1], env={'PATH': None}).status == 0, 'no PATH', '')
    record_refused(context, ['true'], NOT_FOUND, env={'PATH': '/nowhere:/neither'})


@case
def not_executable(context):
    path = context.write('plain', 'echo no\n', 0o644)
    record_refused(context, [path], NOT_EXECUTABLE, 'plain')
    record_refused(context, ['./plain'], NOT_EXECUTABLE)
    record_refused(context, ['plain'], NOT_EXECUTABLE, env={'PATH': context.work})
    record_refused(context, [path + '/below'], NOT_EXECUTABLE)


@case
def a_directory(context):
    record_refused(context, [context.work], NOT_EXECUTABLE, 'directory')
    record_refused(context, ['/'], NOT_EXECUTABLE, 'directory')


def elf(bits, machine):
    """The header of an executable for another kind of machine, long enough to be recognised."""
    ident = b'\x7fELF' + bytes([1 if bits == 32 else 2, 1, 1, 0]) + bytes(8)
    if bits == 32:
        return ident + struct.pack('<HHIIIIIHHHHHH', 2, machine, 1, 0x8048054, 52, 0, 0, 52, 32, 1, 0, 0, 0) + \
            struct.pack('<IIIIIIII', 1, 0, 0x8048000, 0x8048000, 100, 100, 5, 0x1000) + b'\xcd\x80' * 40
    return ident + struct.pack('<HHIQQQIHHHHHH', 2, machine, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0) + \
        struct.pack('<IIQQQQQQ', 1, 5, 0, 0x400000, 0x400000, 200, 200, 0x1000) + bytes(100)


@case
def elf_of_another_kind(context):
    record_refused(context, [context.write('i386', elf(32, 3), 0o755)], NOT_EXECUTABLE, '32')
    record_refused(context, [context.write('arm64', elf(64, 183), 0o755)], NOT_EXECUTABLE)
    record_refused(context, [context.write('riscv', elf(64, 243), 0o755)], NOT_EXECUTABLE)
    record_refused(context, [context.write('cut', elf(64, 62)[:40], 0o755)], NOT_EXECUTABLE)
    record_refused(context, [context.write('noise', b'\x7fELFnoise' + bytes(range(200)), 0o755)], NOT_EXECUTABLE)


@case
def linked_at_our_pages(context):
    """Refused before there is a recording; in a child process the recording ends there, and is not damaged."""
    code = b'\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05'  # exit(0)
    program = bytearray(elf(64, 62))
    struct.pack_into('<Q', program, 24, 0x70000078)
    struct.pack_into('<QQ', program, 64 + 16, 0x70000000, 0x70000000)
    program[120:120 + len(code)] = code
    path = context.write('program', bytes(program), 0o755)
    check(context.run([path]).status == 0, 'it runs natively', path)
    place, command = context.record_command([path])
    refused(context, context.run(command), FAILED, 'linked at .* 0x70000000 .*link it elsewhere')
    check(not os.path.exists(place), 'no recording', place)
    place, command = context.record_command(['sh', '-c', 'echo before; "$0"; echo after', path])
    result = context.run(command)
    check(result.status == FAILED and b'link it elsewhere' in result.err, 'refused', result)
    again = replay(context, place)
    check(again.out == b'before\n' and b'cut short' in again.err and b'damaged' not in again.err, 'up to there', again)


@case
def without_proc(context):
    """Where /proc is not mounted, that is what is said."""
    if subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL).returncode:
        raise Skip('taking /proc away needs root (unshare -m)')
    recording = context.record(['true'])
    for command in (['record', '-o', context.path('none'), 'true'], ['replay', '-a', recording.path], ['regs', '1'],
                    ['trace', '-p', '1']):
        result = context.run(['unshare', '-m', 'sh', '-c', 'umount -l /proc || exit 99; exec "$@"', 'sh',
                              context.warp, *command])
        check(result.status != 99, 'umount', result)
        if b'LeakSanitizer has encountered a fatal error' in result.err:
            check(b'/proc is not mounted' in result.err, 'it should say so', result)
            raise Skip('the sanitizers need /proc, to find their options')
        refused(context, result, FAILED, '/proc is not mounted .*mount -t proc')


@case
def scripts(context):
    record_refused(context, [context.write('script', '#!/no/such/interpreter -x\necho\n', 0o755)],
                   NOT_FOUND, 'interpreter')
    context.write('loop', '#!%s/loop\n' % context.work, 0o755)
    record_refused(context, [context.work + '/loop'], NOT_EXECUTABLE)
    good = context.record([context.write('good', '#!/bin/sh\necho "$0 $1"\n', 0o755), 'argument'])
    check(good.out.endswith(b'good argument\n'), 'a script', good.result)
    context.spoil()
    context.replay(good)


@case
def no_interpreter_line(context):
    """execvp(3) hands a file without an interpreter line to /bin/sh; a path with a slash as well."""
    bare = context.record([context.write('bare', 'echo "from a shell $1"\n', 0o755), 'argument'])
    check(bare.out == b'from a shell argument\n', 'a script without #!', bare.result)
    context.replay(bare)


@case
def setuid_program(context):
    """An ordinary user may not trace a program that changes its user."""
    if os.geteuid() == 0:
        raise Skip('root may trace a setuid program; the ordinary user of the second run may not')
    programs = [p for p in ('/usr/bin/su', '/usr/bin/passwd', '/usr/bin/mount', '/usr/bin/chsh', '/bin/ping')
                if os.path.exists(p) and os.stat(p).st_mode & stat.S_ISUID]
    if not programs:
        raise Skip('no setuid program found (su, passwd, mount, chsh)')
    place, command = context.record_command([programs[0], '--version'])
    result = context.run(command)
    own, _ = own_lines(result.err)
    context.say(result.err.decode())
    # Either refused with one line, or recorded without the other user's rights, and that is said.
    check(own and b'set' in b''.join(own).lower(), 'a line about set-user-ID', result)
    check(result.status in (0, FAILED, NOT_EXECUTABLE), 'recorded or refused', result)


# ---- where tracing is not allowed ----

# Runs argv[2:] under a seccomp filter that answers the system call argv[1] with EPERM, as a container does.
FORBID = '''
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
rows = [(0x20, 0, 0, 0), (0x15, 0, 1, int(sys.argv[1])), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("<HBBI", *row) for row in rows)
buffer = ctypes.create_string_buffer(code)
class Program(ctypes.Structure): _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(rows), ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, "PR_SET_SECCOMP"
os.execv(sys.argv[2], sys.argv[2:])
'''


@case
def ptrace_forbidden(context):
    context.leak_checks = False
    place, command = context.record_command(['true'])
    result = context.run([PYTHON, '-c', FORBID, '101', *command])
    refused(context, result, FAILED, 'trac')
    check(not os.path.exists(place), 'no recording is left', result)


@case
def seccomp_forbidden(context):
    """Where no filter can be installed (seccomp(2) and prctl refused) it says so or does without."""
    _, command = context.record_command(['echo', 'recorded all the same'])
    result = context.run([PYTHON, '-c', FORBID, '317', *command])
    if result.status != 0:
        refused(context, result, FAILED, 'seccomp')


@case
def newer_calls_forbidden(context):
    """perf_event_open, userfaultfd and process_vm_readv are denied in containers: nothing needs them."""
    for nr in ('298', '323', '310', '434', '439'):
        _, command = context.record_command(['sh', '-c', 'echo fine; true | cat'])
        result = context.run([PYTHON, '-c', FORBID, nr, *command])
        check(result.status == 0 and result.out == b'fine\n', 'without system call ' + nr, result)


@case
def traced_by_another(context):
    """A recorder that is itself traced, here by strace -f, cannot trace; it must say so and not hang."""
    context.leak_checks = False
    context.needs('strace')
    _, command = context.record_command(['true'])
    result = context.run(['strace', '-f', '-o', context.path('strace'), *command], limit=40)
    check(result.status == FAILED, 'should have ended with status 125', result)
    check(len(own_lines(result.err)[0]) == 1, 'one line', result)


@case
def recorder_inside_recorder(context):
    """The inner recorder finds its program traced already: one line, 125; the outer one records that."""
    context.leak_checks = False
    _, inner = context.record_command(['true'])
    outer = context.record(inner, ends=None)
    check(outer.result.status in (0, FAILED), 'an end with a status', outer.result)
    if outer.result.status == FAILED:
        check(b'trac' in b''.join(outer.notices), 'it should say why', outer.result)


@case
def old_fixed_addresses(context):
    """time() in the vsyscall page: the user is told at once, not only when the replay ends there."""
    call = ['/usr/bin/python3', '-c', 'import ctypes; '
            'print(ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(0xffffffffff600400)(None) > 1e9)']
    if context.run(call).out != b'True\n':
        raise Skip('this kernel has no vsyscall page')
    recording = context.record(call)
    check(recording.result.out == b'True\n', 'the call should have been made', recording.result)
    check(any(b'calls time at its old fixed address' in n for n in recording.notices),
          'a notice should say so', recording.result)


# ---- where the recording goes ----

@case
def existing_directory(context):
    place = context.path('taken')
    os.mkdir(place)
    with open(os.path.join(place, 'mine'), 'w') as f:
        f.write('mine')
    refused(context, context.run(context.record_command(['true'], place)[1]), FAILED, 'taken')
    check(os.listdir(place) == ['mine'], 'nothing in it changed', os.listdir(place))
    a_file = context.write('file', 'mine')
    refused(context, context.run(context.record_command(['true'], a_file)[1]), FAILED, 'file')
    with open(a_file) as f:
        check(f.read() == 'mine', 'the file is not touched', a_file)


@case
def existing_recording(context):
    """A recording is never written over."""
    recording = context.record(['echo', 'first'])
    refused(context, context.run(context.record_command(['echo', 'second'], recording.path)[1]), FAILED)
    context.replay(recording)


@case
def missing_parent(context):
    refused(context, context.run(context.record_command(['true'], context.path('no', 'such', 'place'))[1]),
            FAILED, 'no/such')


@case
def unwritable_directory(context):
    if os.geteuid() == 0:
        place = '/proc/sys/recording'  # not even root makes a directory there
    else:
        parent = context.path('closed')
        os.mkdir(parent, 0o500)
        place = os.path.join(parent, 'recording')
    refused(context, context.run(context.record_command(['true'], place)[1]), FAILED, re.escape(place))
    missing = context.run([context.warp, 'record', 'true'], env={'WARP_TRACE_DIR': os.path.dirname(place) + '/x'})
    refused(context, missing, FAILED)


def in_small_filesystem(context, size, script, *arguments):
    """Runs a script of sh's with a file system of `size` mounted on `$1`, in a namespace of its own."""
    if subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL).returncode:
        raise Skip('mounting a small file system needs root (unshare -m)')
    place = context.path('small')
    os.makedirs(place, exist_ok=True)
    whole = 'mount -t tmpfs -o size=%s none "$1" || exit 99\n%s' % (size, script)
    return context.run(['unshare', '-m', 'sh', '-c', whole, 'sh', place, context.warp, *arguments])


def full_filesystem(context):
    """A full disk does not take away what was recorded before."""
    copy = context.path('copy')
    busy = 'echo started; head -c 40000000 /dev/urandom | od | tail -n 1; exit 9'
    result = in_small_filesystem(
        context, '12m', '"$2" record -o "$1/recording" sh -c "$3"; s=$?; cp -r "$1/recording" "$4"; exit $s',
        busy, copy)
    own, _ = own_lines(result.err)
    context.say('%s\n%s' % (result.end(), b''.join(own).decode()))
    check(result.status != 99, 'mounting', result)
    check(result.status in (9, FAILED), 'the program goes on (9), or warp ends it (125)', result)
    check(own and (b'space' in own[0] or b'full' in own[0]), 'a line that says the disk is full', result)
    again = replay(context, copy)
    check(again.status in (0, FAILED) and again.out.startswith(b'started') and result.out.startswith(again.out),
          'what was recorded before is replayed', again)


def full_while_keeping_files(context):
    """The disk gets full with the files that the program maps: the recording says so ever after."""
    copy = context.path('copy')
    result = in_small_filesystem(
        context, '600k', '"$2" record -o "$1/recording" true; s=$?; cp -r "$1/recording" "$3"; exit $s', copy)
    check(result.status != 99, 'mounting', result)
    refused(context, result, FAILED, 'cannot keep the mapped file .*No space left on device; ')
    for command in (['replay', '-a'], ['info'], ['dump']):
        result = context.run([context.warp, *command, copy])
        check(result.status == FAILED and b'recording stopped' in result.err and b'No space left' in result.err,
              'warp %s says why it is empty' % command[0], result)
    check(context.run([context.warp, 'rm', copy]).status == 0, 'it can be removed', copy)


def no_room_at_all(context):
    result = in_small_filesystem(
        context, '8k', 'head -c 100000 /dev/zero >"$1/filler" 2>/dev/null; "$2" record -o "$1/recording" true')
    check(result.status != 99, 'mounting', result)
    refused(context, result, FAILED, 'space|full')


case(full_filesystem, limit=200, privileged=True)
case(full_while_keeping_files, privileged=True)
case(no_room_at_all, privileged=True)


@case
def file_size_limit(context):
    """RLIMIT_FSIZE of the user is met: one line, and not a death by SIGXFSZ."""
    _, command = context.record_command(['sh', '-c', 'cat /usr/bin/* 2>/dev/null | head -c 20000000 | od | tail -n 1'])

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))
    result = context.run(command, preexec_fn=limit)
    own, _ = own_lines(result.err)
    check(result.status in (0, FAILED) and (own or result.status == 0), 'a line about it', result)


# ---- broken recordings ----

def sample(context):
    """A recording of some length, for others to break."""
    return context.record(['sh', '-c', 'i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; '
                           '/bin/echo from a process; /bin/echo from another; exit 6'], ends=6)


def damaged_copy(context, recording, name):
    place = context.path(name)
    shutil.copytree(recording.path, place, symlinks=True)
    return place


def streams(place):
    """The streams of a recording that are worth breaking: they hold more than their header."""
    return sorted(n for n in os.listdir(place) if os.path.isfile(os.path.join(place, n)) and
                  os.path.getsize(os.path.join(place, n)) > STREAM_HEADER.size)


def rewrite(path, change):
    with open(path, 'rb') as f:
        data = bytearray(f.read())
    changed = change(data)
    with open(path, 'wb') as f:
        f.write(data if changed is None else changed)


def frames_of(data):
    """Where the frames of a stream begin."""
    frames, at = [], STREAM_HEADER.size
    while at + FRAME_HEADER.size <= len(data):
        fields = FRAME_HEADER.unpack_from(data, at)
        if fields[0] != FRAME_MAGIC:
            raise Failure('no frame at %d' % at)
        frames.append(at)
        at += FRAME_HEADER.size + fields[5]
    return frames


def survives(context, recording, place, what):
    """A broken recording: what is printed is a beginning of what was recorded, and there is a clear line.
    Both `replay` and the readers have to get by."""
    result = replay(context, place)
    own, err = own_lines(result.err)
    check(result.status in (0, FAILED, recording.result.status), what + ': an honest status', result)
    check(recording.out.startswith(result.out) and recording.err.startswith(err), what + ': a beginning', result)
    whole = result.out == recording.out and result.status == recording.result.status
    check(len(own) == 1 or whole, what + ': one line that says so', result)
    context.say('%s: %s, %d of %d bytes; %s' % (what, result.end(), len(result.out), len(recording.out),
                                             b''.join(own).decode(errors='replace').strip()))
    for command in (['dump'], ['dump', '--json'], ['info']):
        result = context.run([context.warp, *command, place], limit=50)
        check(result.status in (0, FAILED), '%s: warp %s' % (what, command[0]), result)
    context.check_sanitizers()


@case
def no_recording(context):
    refused(context, replay(context, context.path('nothing')), FAILED, 'nothing')
    empty = context.path('empty')
    os.mkdir(empty)
    refused(context, replay(context, empty), FAILED, 'empty')
    refused(context, replay(context, context.write('plain', 'text')), FAILED, 'plain')
    refused(context, replay(context, '/usr/share/doc'), FAILED)
    for command in (['dump'], ['dump', '--json'], ['info'], ['rm']):
        refused(context, context.run([context.warp, *command, empty]), FAILED)
    check(os.path.isdir(empty), 'rm removes recordings only', empty)
    refused(context, context.run([context.warp, 'replay', '-a'], env={'WARP_TRACE_DIR': empty}), FAILED)


@case
def foreign_files(context):
    recording = sample(context)
    for name in streams(recording.path):
        place = damaged_copy(context, recording, 'foreign-' + name)
        rewrite(os.path.join(place, name), lambda data: bytearray(b'#!/bin/sh\n' * 500))
        if name in ('meta', 'events.0', 'data.0'):
            refused(context, replay(context, place), FAILED)
        else:
            survives(context, recording, place, name + ' is foreign')


@case
def empty_files(context):
    recording = sample(context)
    for name in streams(recording.path):
        place = damaged_copy(context, recording, 'empty-' + name)
        rewrite(os.path.join(place, name), lambda data: bytearray())
        result = replay(context, place)
        check(len(own_lines(result.err)[0]) == 1, 'one line', result)
        check(result.status in (0, FAILED), 'an honest status', result)
        os.unlink(os.path.join(place, name))
        result = replay(context, place)
        check(len(own_lines(result.err)[0]) == 1 and result.status in (0, FAILED), name + ' is missing', result)


@case
def newer_version(context):
    recording = sample(context)
    place = damaged_copy(context, recording, 'newer')

    def version(data):
        struct.pack_into('<I', data, 8, 4000)
    rewrite(os.path.join(place, 'events.0'), version)
    refused(context, replay(context, place), FAILED, 'version')
    place = damaged_copy(context, recording, 'feature')

    def feature(data):
        struct.pack_into('<Q', data, 16, 1 << 63)
    rewrite(os.path.join(place, 'events.0'), feature)
    refused(context, replay(context, place), FAILED)


def truncated(context):
    recording = sample(context)
    for name in streams(recording.path):
        size = os.path.getsize(os.path.join(recording.path, name))
        for keep in sorted({1, 31, 33, 60, size // 4, size // 2, size - 1} & set(range(size))):
            place = damaged_copy(context, recording, 'cut')
            os.truncate(os.path.join(place, name), keep)
            survives(context, recording, place, '%s cut to %d of %d' % (name, keep, size))
            shutil.rmtree(place)


def corrupted(context):
    recording = sample(context)
    for name in streams(recording.path):
        size = os.path.getsize(os.path.join(recording.path, name))
        for i in range(8):
            at = size * i // 8 + i % 3

            def flip(data, at=at):
                data[at] ^= 0x55
            place = damaged_copy(context, recording, 'flip')
            rewrite(os.path.join(place, name), flip)
            survives(context, recording, place, '%s damaged at %d of %d' % (name, at, size))
            shutil.rmtree(place)


case(truncated, limit=240)
case(corrupted, limit=240)


@case
def damaged_in_the_middle(context):
    """A long recording with one bad frame: everything before it is replayed."""
    recording = context.record(['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done'])
    place = damaged_copy(context, recording, 'damaged')

    def last_frame(data):
        frames = frames_of(data)
        if len(frames) < 2:
            raise Skip('the recording has only %d frame of events' % len(frames))
        data[frames[len(frames) // 2] + FRAME_HEADER.size + 5] ^= 0xff
    rewrite(os.path.join(place, 'events.0'), last_frame)
    result = replay(context, place)
    own, _ = own_lines(result.err)
    check(len(own) == 1 and re.search(rb'event \d+', own[0]), 'one line that names the event', result)
    check(0 < len(result.out) < len(recording.out) and recording.out.startswith(result.out),
          'a part of the output', result)


@case
def damaged_and_looked_at(context):
    """What leads to an event of a damaged recording shows the last one before the damage, or names the damage."""
    place = sample(context).path

    def last_frame(data):
        data[frames_of(data)[-1] + FRAME_HEADER.size + 5] ^= 0xff
    rewrite(os.path.join(place, 'events.1'), last_frame)
    damage = context.run([context.warp, 'info', place]).err
    last = int(re.search(rb'it can be used up to event (\d+)\n', damage).group(1))
    result = context.run([context.warp, 'dump', '--at', 'END', place])
    check(result.status == FAILED and result.out.startswith(b'event %d of ' % last) and result.err == damage, 'END', result)
    result = context.run([context.warp, 'replay', '-aq', '--until', 'END', place])
    check(result.status == FAILED and result.err.startswith(b'event %d of ' % last) and result.err.endswith(damage),
          '--until END', result)
    refused(context, context.run([context.warp, 'dump', '--at', str(last + 1), place]), FAILED,
            'cannot go to event %d: the recording .* is damaged at event %d ' % (last + 1, last + 1))
    shown = context.run([context.warp, 'dump', '--at', str(last), place])
    check(shown.status == 0 and not shown.err, 'an event before the damage', shown)
    result = context.run([context.warp, 'replay', '-q', '--debugger', 'true', place])
    check(result.err.startswith(damage), 'a notice before the debugger starts', result)
    refused(context, context.run([context.warp, 'replay', '--until', 'EDN', place]), FAILED,
            "--until needs an event's number or END, not 'EDN'")


@case
def damaged_files_stream(context):
    """What is wrong with the stream of mapped files is damage like any other's."""
    recording = sample(context)
    size = os.path.getsize(os.path.join(recording.path, 'files'))

    def flip(data):
        data[size // 2] ^= 0x55

    for change in (flip, lambda data: data[:size // 2], lambda data: data[:STREAM_HEADER.size]):
        place = damaged_copy(context, recording, 'damaged')
        rewrite(os.path.join(place, 'files'), change)
        for command in (['info'], ['dump'], ['replay', '-a']):
            result = context.run([context.warp, *command, place])
            check(result.status == FAILED and
                  re.search(rb'is damaged at event \d+ \(stream files, .*; (it can|no event)', result.err),
                  'warp %s: damaged' % command[0], result)
            check(command[0] != 'info' or re.search(rb'^state +damaged', result.out, re.M), 'the state', result)
        shutil.rmtree(place)


@case
def missing_contents(context):
    """A mapped file that was kept and is gone, or cut, is damage; the events are there."""
    place = sample(context).path
    kept = os.path.join(place, 'files.d', '1')

    def told(says):
        for command in ('info', 'dump'):
            result = context.run([context.warp, command, place])
            check(result.status == FAILED and re.search(rb'is damaged \(files.d/1, /.*, %s.*; all of its events' % says,
                                                        result.err), 'warp %s: damaged' % command, result)
        result = context.run([context.warp, 'info', place])
        check(re.search(rb'^state +damaged', result.out, re.M), 'the state', result)
        result = context.run([context.warp, 'ls'], env={'WARP_TRACE_DIR': os.path.dirname(place)})
        check(re.search(rb' damaged ', result.out), 'ls', result)
    os.rename(kept, kept + '-elsewhere')
    told(b'cannot be looked at: No such file')
    os.rename(kept + '-elsewhere', kept)
    check(context.run([context.warp, 'info', place]).status == 0, 'all is there', place)
    os.truncate(kept, os.path.getsize(kept) - 1)
    told(rb'has \d+ bytes instead of \d+')


@case
def hostile_names(context):
    """A recording is a stranger's: what it names is not written to, and links in it lead nowhere."""
    recording = sample(context)
    victim = context.write('victim', 'untouched')
    place = damaged_copy(context, recording, 'linked')
    for name in streams(place):
        target = os.path.join(place, name)
        os.unlink(target)
        os.symlink(victim, target)
        result = replay(context, place)
        check(result.status == FAILED and len(own_lines(result.err)[0]) == 1, 'refused', result)
    with open(victim) as f:
        check(f.read() == 'untouched', 'the file that a link names is untouched', victim)
    fifo = damaged_copy(context, recording, 'fifo')
    os.unlink(os.path.join(fifo, 'events.0'))
    os.mkfifo(os.path.join(fifo, 'events.0'))
    refused(context, replay(context, fifo), FAILED)


# ---- exit statuses ----

def statuses(context):
    """Every status passes through record, and (some of them) through replay."""
    for status in range(256):
        place, command = context.record_command(['sh', '-c', 'exit %d' % status])
        result = context.run(command)
        check(result.status == status, 'status %d' % status, result)
        if status in (0, 1, 2, 77, 122, 125, 126, 127, 128, 137, 255):
            again = replay(context, place)
            check(again.status == status and not again.err, 'replayed status %d' % status, again)
        shutil.rmtree(place)


case(statuses, limit=240)


@case
def killed(context):
    """Death by a signal passes through; where it dumps core natively, the recorder itself leaves none."""
    for name in ('HUP', 'INT', 'QUIT', 'ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'KILL', 'USR1', 'SEGV', 'USR2',
                 'PIPE', 'ALRM', 'TERM', 'XCPU', 'SYS'):
        number = getattr(signal, 'SIG' + name)
        script = 'import os, resource, signal; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); ' \
                 'signal.signal(%d, signal.SIG_DFL) if %d != 9 else 0; print("now", flush=True); ' \
                 'os.kill(os.getpid(), %d)' % (number, number, number)
        recording = context.record([PYTHON, '-S', '-c', script], ends=-number)
        context.replay(recording)
        left = [n for n in os.listdir(context.work) if n.startswith('core')]
        check(not left, 'no core file of the recorder', left)


@case
def signal_to_the_recorder(context):
    """SIGTERM for the recorder ends the program as well: nothing stays behind, the recording is whole."""
    place, command = context.record_command(['sh', '-c', 'echo started; exec sleep 1000'])
    process = context.start(command, start_new_session=True)
    context.wait_for_text(process, rb'^started\n')
    process.terminate()
    result = context.finish(process, limit=20)
    check(result.status in (-signal.SIGTERM, FAILED, 128 + signal.SIGTERM), 'it ends', result)
    again = replay(context, place)
    check(again.out == b'started\n', 'replayed', again)


# ---- usage, listing ----

@case
def usage(context):
    for arguments in ([], ['no-such-command'], ['record'], ['record', '-o'], ['record', '--no-such-option', 'true'],
                      ['replay', '--no-such-option'], ['replay', '-a', 'one', 'two'], ['rm'],
                      ['record', '-o', context.path('x'), '--'], ['record', '-o', '', 'true'],
                      ['help', 'no-such-command'], ['dump', 'a', 'b'],
                      ['--no-such-option'], ['info', 'a', 'b'], ['ls', '--no-such-option']):
        result = context.run([context.warp, *arguments])
        lines = result.err.decode().splitlines()
        check(result.status == FAILED, 'warp %s: status 125' % arguments, result)
        check(lines and lines[0].startswith('warp: ') and len(lines) <= 3 and not result.out,
              'warp %s: a line on stderr' % arguments, result)
    check(not os.path.exists(context.path('x')), 'no recording', '')


@case
def help_and_version(context):
    version = context.run([context.warp, '--version'])
    check(version.status == 0 and re.match(rb'warp \d+\.\d+', version.out) and not version.err, '--version', version)
    text = context.run([context.warp, 'help'])
    check(text.status == 0 and not text.err, 'help', text)
    for command in ('record', 'replay', 'dump', 'ls', 'info', 'rm'):
        check(re.search(r'^\s+%s\b' % command, text.out.decode(), re.M), 'help names ' + command, text)
        one = context.run([context.warp, 'help', command])
        check(one.status == 0 and ('warp ' + command).encode() in one.out, 'help ' + command, one)
        same = context.run([context.warp, command, '--help'])
        check(same.status == 0 and same.out == one.out, command + ' --help is the same', same)
    check(context.run([context.warp, '--help']).out == text.out, '--help is help', text)
    for argv in (['--version'], ['--help'], ['help', 'record']):
        result = context.run(['sh', '-c', '"$@" >/dev/full', 'sh', context.warp, *argv])
        refused(context, result, FAILED, 'cannot write to standard output: No space left')


@case
def remedies(context):
    """What can be done is said with what went wrong."""
    record_refused(context, [''], NOT_FOUND, "name is empty; give its name")
    for option, says in (('--slice=0', '--slice takes .*from 1 to .*man warp-record'),
                         ('--patience=x', '--patience takes .*man warp-record'),
                         ('--chaos=x', '--chaos takes a number .*man warp-record')):
        refused(context, context.run([context.warp, 'record', option, 'true']), FAILED, says)
    few = context.run(['sh', '-c', 'ulimit -n 7; exec "$@"', 'sh', context.warp, 'trace', 'true'])
    refused(context, few, FAILED, 'cannot make a pipe .*Too many open files; .*ulimit -n')
    refused(context, context.run([context.warp, 'intercept', '-f', 'nowhere', 'true']), FAILED,
            'nowhere: No such file or directory; give --file')
    for command in (['watch', '-o', '/nonexistent/x', 'getppid', '--', 'true'],
                    ['intercept', '-o', '/nonexistent/x', '-r', 'getppid => fail(EIO)', 'true']):
        refused(context, context.run([context.warp, *command]), FAILED,
                '/nonexistent/x: No such file or directory; name another file with -o')
    place = context.record(['true']).path
    for address, says in ((':99999', "'99999' is no port; ports are numbers from 0 .* to 65535"),
                          ('unix:/nonexistent/x', 'No such file or directory; name a new file'),
                          ('192.0.2.1:0', 'address of this machine .*or :PORT for 127.0.0.1')):
        refused(context, context.run([context.warp, 'replay', '--serve', address, place]), FAILED, says)
    if not context.config.sanitizer_logs:  # a build with sanitizers does not start with so little
        little = context.run(['sh', '-c', 'ulimit -d 1000; exec "$@"', 'sh', *context.record_command(['true'])[1]])
        refused(context, little, FAILED, 'allow more memory .ulimit -d')
    os.mkdir(context.path('empty'))
    refused(context, context.run([context.warp, 'info', context.path('empty')]), FAILED, "no file 'meta'; .warp ls. lists")
    nowhere = context.run([context.warp, 'record', 'true'], env={'WARP_TRACE_DIR': '/proc/nowhere'})
    refused(context, nowhere, FAILED, '/proc/nowhere .*WARP_TRACE_DIR')


@case
def default_places(context):
    """$WARP_TRACE_DIR, else $XDG_DATA_HOME/warp, else ~/.local/share/warp; PROGRAM-N; the link `latest`."""
    home, data, own = context.path('home'), context.path('data'), context.path('own', 'deep')
    for env, place in (
            ({'WARP_TRACE_DIR': own, 'XDG_DATA_HOME': data}, own),
            ({'WARP_TRACE_DIR': None, 'XDG_DATA_HOME': data}, os.path.join(data, 'warp')),
            ({'WARP_TRACE_DIR': None, 'XDG_DATA_HOME': None}, os.path.join(home, '.local/share/warp'))):
        for argv, name in ((['echo', 'one'], 'echo-0'), (['/bin/echo', 'two'], 'echo-1'), (['true'], 'true-0')):
            result = context.run([context.warp, 'record', *argv], env=env)
            check(result.status == 0, 'record', result)
            first = int(name[-1]) if os.path.isdir(os.path.join(place, name)) else int(name[-1]) + 1
            directory = os.path.join(place, '%s-%d' % (argv[0].split('/')[-1], first))
            check(os.path.isdir(directory), 'the recording is ' + directory, os.listdir(place))
            check(os.path.realpath(os.path.join(place, 'latest')) == os.path.realpath(directory),
                  'latest leads to ' + directory, os.listdir(place))
        check(context.run([context.warp, 'record', 'echo', 'three'], env=env).status == 0, 'record', '')
        latest = context.run([context.warp, 'replay', '-a'], env=env)
        check(latest.status == 0 and latest.out == b'three\n', 'replay -a replays the latest', latest)
        names = [n for n in os.listdir(place) if n.startswith('echo-')]
        one = sorted(names)[0]
        by_name = context.run([context.warp, 'replay', '-a', one], env=env, cwd='/')
        check(by_name.status == 0 and by_name.out == b'one\n', 'replay by name', by_name)
        listed = context.run([context.warp, 'ls'], env=env)
        check(listed.status == 0 and all(n.encode() in listed.out for n in names + ['true-']), 'ls', listed)
        removed = context.run([context.warp, 'rm', one], env=env)
        check(removed.status == 0 and not os.path.exists(os.path.join(place, one)), 'rm', removed)
        check(one.encode() not in context.run([context.warp, 'ls'], env=env).out, 'gone from ls', listed)
        refused(context, context.run([context.warp, 'rm', one], env=env), FAILED, one)
    nowhere = context.run([context.warp, 'record', 'true'],
                          env={'WARP_TRACE_DIR': None, 'XDG_DATA_HOME': None, 'HOME': None})
    # Without HOME the user database may still know a place; then it is used.
    check(nowhere.status in (0, FAILED), 'no HOME', nowhere)
    empty = context.run([context.warp, 'ls'], env={'WARP_TRACE_DIR': context.path('never')})
    check(empty.status == 0 and not empty.out, 'ls of a place that does not exist yet', empty)


@case
def removing(context):
    """rm takes away one recording and nothing beside it."""
    recording = sample(context)
    context.write('precious', 'kept')
    inside = context.record(['true'])
    with open(os.path.join(inside.path, 'notes-of-mine'), 'w') as f:
        f.write('kept')
    result = context.run([context.warp, 'rm', inside.path])
    check(os.path.exists(os.path.join(inside.path, 'notes-of-mine')) or result.status == 0,
          'a file of the user in it: kept, or the whole directory was asked for', result)
    result = context.run([context.warp, 'rm', recording.path])
    check(result.status == 0 and not os.path.exists(recording.path), 'rm', result)
    for place in (context.work, context.path('home'), '/'):
        refused(context, context.run([context.warp, 'rm', place]), FAILED)
    check(os.path.exists(os.path.join(context.work, 'precious')), 'a directory that is no recording stays', '')


@case
def removing_read_only(context):
    """The file that cannot be removed is named as it lies there, with what helps."""
    if os.geteuid():
        place = sample(context).path
        os.chmod(os.path.join(place, 'files.d'), 0o500)
        result = context.run([context.warp, 'rm', place])
        os.chmod(os.path.join(place, 'files.d'), 0o700)
        refused(context, result, FAILED, r'/files\.d/\d+: Permission denied; that needs the right to write')
        return
    result = in_small_filesystem(context, '12m', '"$2" record -o "$1/r" true && mount -o remount,ro "$1" && "$2" rm "$1/r"')
    check(result.status != 99, 'mounting', result)
    refused(context, result, FAILED, r'/r/files\.d/\d+: Read-only file system; mount its file system for writing')


@case
def in_progress(context):
    """A recording that is being made is listed as such and not removed; a killed recorder leaves it."""
    home = context.path('place')
    os.mkdir(home)
    command = [context.warp, 'record', 'sh', '-c', 'echo started; exec sleep 1000']
    process = context.start(command, env={'WARP_TRACE_DIR': home}, start_new_session=True)
    context.wait_for_text(process, rb'^started\n')
    place = os.path.join(home, 'sh-0')
    refused(context, context.run([context.warp, 'rm', place]), FAILED, 'is being recorded')
    listed = context.run([context.warp, 'ls'], env={'WARP_TRACE_DIR': home})
    check(re.match(rb'sh-0 .*in progress', listed.out), 'ls says so', listed)
    process.kill()
    process.wait()
    listed = context.run([context.warp, 'ls'], env={'WARP_TRACE_DIR': home})
    check(re.match(rb'sh-0 .*(unfinished|no events)', listed.out), 'ls after the recorder was killed', listed)
    os.rename(place, os.path.join(home, 'odd\n\033[31m\'name'))
    listed = context.run([context.warp, 'ls'], env={'WARP_TRACE_DIR': home})
    check(listed.out.startswith(b"$'odd\\012\\033[31m\\'name' ") and listed.out.count(b'\n') == 1,
          'an odd name is quoted', listed)
    check(context.run([context.warp, 'rm', os.path.join(home, 'odd\n\033[31m\'name')]).status == 0, 'rm', '')
    check(os.listdir(home) in ([], ['latest']), 'it is gone', os.listdir(home))


@case
def dump_and_info(context):
    recording = context.record(['sh', '-c', 'cat file; echo "a \\"quoted\\" line"; printf "\\377\\001 bytes\\n"; exit 3'],
                               ends=3) if context.write('file', 'contents of file\n') else None
    context.spoil()
    text = context.run([context.warp, 'dump', recording.path])
    check(text.status == 0 and not text.err, 'dump', text)
    for pattern in (rb'execve\(', rb'openat\(AT_FDCWD, "file", O_RDONLY', rb'read\(\d+, "contents of file\\n", \d+\) += 17',
                    rb'write\(1, "a \\"quoted\\" line\\n", 16\) += 16', rb'write\(1, "\\377\\1 bytes\\n", 9\) += 9',
                    rb'exit_group\(3\)'):
        check(re.search(pattern, text.out), 'dump shows %r' % pattern, text)
    lines = context.run([context.warp, 'dump', '--json', recording.path])
    check(lines.status == 0 and not lines.err, 'dump --json', lines)
    events = [json.loads(line) for line in lines.out.decode('utf-8').splitlines()]
    check(len(events) > 50 and all(isinstance(e, dict) for e in events), 'an object a line', len(events))
    check(len(events) == len(text.out.splitlines()), 'as many as lines of dump', len(events))
    info = context.run([context.warp, 'info', recording.path])
    check(info.status == 0 and not info.err and b'sh' in info.out and b'cat file' in info.out, 'info', info)
    check(re.search(rb'\b%d\b' % len(events), info.out), 'info tells the number of events', info)


@case
def own_state_untouched(context):
    """The program gets the working directory, environment, descriptors, signals and limits it would get."""
    script = context.write('state', '''
import os, resource, signal, sys
mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
ignored = [s for s in range(1, 65) if s not in (32, 33) and signal.getsignal(s) == signal.SIG_IGN]
print(os.getcwd(), sorted(os.environ.items()), sys.argv, sorted(map(int, mask)), ignored, os.umask(0),
      os.nice(0), sorted(os.listdir("/proc/self/fd")), os.getuid(),
      [resource.getrlimit(r) for r in range(15)], sys.stdin.read())
''')

    def setup():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        os.umask(0o27)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    argv = [PYTHON, script, 'an argument', '', '\udcff']
    kwargs = dict(input=b'typed', preexec_fn=setup, env={'EMPTY': '', 'ODD': 'a=b\nc'})
    native = context.run(argv, **kwargs)
    check(native.status == 0, 'native', native)
    recording = context.record(argv, **kwargs)
    check(recording.out == native.out, 'the same state as natively', '%s\n%s' % (native, recording.result))
    context.spoil()
    context.replay(recording)


@case
def closed_descriptors(context):
    """Started with descriptors 0, 1 and 2 closed, warp writes nothing of its own into the program's files."""
    place, command = context.record_command(['sh', '-c', 'echo hidden; echo text >file; cat file >&2; exit 4'])
    done = subprocess.run(['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', *command], cwd=context.work,
                          env=context.environment(), timeout=40)
    with open(os.path.join(context.work, 'file')) as f:
        content = f.read()
    native = subprocess.run(['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', 'sh', '-c',
                             'echo hidden; echo text >file; cat file >&2; exit 4'], cwd=context.work)
    check((done.returncode, content) == (native.returncode, 'text\n'), 'as natively', (done, native, content))
    again = replay(context, place)
    check(again.status == 4, 'replayed', again)
