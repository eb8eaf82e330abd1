"""Recordings that contradict themselves, and replays that the user interrupts.

Events and data are changed inside their frames, which are closed again with the right hashes: what is
wrong is only what they say. The replay has to notice at that event, and ends with 122."""

import ctypes
import mmap
import os
import re
import shutil
import signal
import struct

from harness import PYTHON, Failure, Skip, Test, descendants, own_lines

TESTS = []
DIVERGED = 122

# Layouts and numbers of src/abi/trace_abi.h.
STREAM_HEADER = 32
FRAME_HEADER = struct.Struct('<IIQQIIQQ')
EVENT = struct.Struct('<QQIHHIIqQQ27Q')
DATUM = struct.Struct('<IIQQ')
TASK = struct.Struct('<IIIIQQ')
SITE = struct.Struct('<QQII')
EXTENT = struct.Struct('<QQ')
PROBE_DATUM, INPUT_HASH_DATUM = 18, 19
OUR_CODE, FREE = 0x70000000, 0x7e000000
SYSCALL, ENTER, EXIT, RESTART, SIGNAL_FATAL, TASK_NEW = 2, 3, 4, 5, 8, 9
AFTER_CALL = 16
KIND, FLAGS, RESULT, RBX = 3, 4, 7, 10 + 5


def case(function):
    TESTS.append(Test('hostile/' + function.__name__.replace('_', '-'), function, limit=100))
    return function


def tests(_):
    return list(TESTS)


# ---- frames ----

def library(name):
    try:
        return ctypes.CDLL(name)
    except OSError:
        raise Skip('%s is not there' % name) from None


def edit_frames(path, change):
    """Every frame of a stream as change(bytearray) leaves it. Lengths stay."""
    zstd, xxhash = library('libzstd.so.1'), library('libxxhash.so.0')
    xxhash.XXH64.restype = ctypes.c_uint64
    with open(path, 'rb') as f:
        data = f.read()
    out, at = data[:STREAM_HEADER], STREAM_HEADER
    while at < len(data):
        fields = list(FRAME_HEADER.unpack_from(data, at))
        packed = data[at + FRAME_HEADER.size:at + FRAME_HEADER.size + fields[5]]
        at += FRAME_HEADER.size + fields[5]
        raw = ctypes.create_string_buffer(fields[4])
        zstd.ZSTD_decompress(raw, ctypes.c_size_t(fields[4]), packed, ctypes.c_size_t(len(packed)))
        changed = bytearray(raw.raw)
        change(changed)
        room = ctypes.create_string_buffer(len(changed) + 4096)
        size = zstd.ZSTD_compress(room, ctypes.c_size_t(len(room)), bytes(changed),
                                  ctypes.c_size_t(len(changed)), 3)
        packed = room.raw[:size]
        fields[5] = size
        fields[6] = xxhash.XXH64(packed, ctypes.c_size_t(size), ctypes.c_uint64(0))
        head = FRAME_HEADER.pack(*fields)[:-8]
        fields[7] = xxhash.XXH64(head, ctypes.c_size_t(len(head)), ctypes.c_uint64(0))
        out += FRAME_HEADER.pack(*fields) + packed
    with open(path, 'wb') as f:
        f.write(out)


def streams(place, kind):
    return sorted(os.path.join(place, n) for n in os.listdir(place) if n.startswith(kind + '.') and
                  os.path.getsize(os.path.join(place, n)) > STREAM_HEADER)


def edit_event(place, wanted, change):
    """Changes the first event for which wanted(fields) holds; returns its number."""
    found = []

    def in_frame(raw):
        for at in range(0, len(raw), EVENT.size):
            fields = list(EVENT.unpack_from(raw, at))
            if not found and wanted(fields):
                found.append(fields[0])
                change(fields)
                EVENT.pack_into(raw, at, *fields)

    for path in streams(place, 'events'):
        edit_frames(path, in_frame)
    if not found:
        raise Failure('the recording has no event to change')
    return found[0]


def copy_of(context, recording, name):
    place = context.path(name)
    shutil.copytree(recording.path, place, symlinks=True)
    return place


def must_notice(context, place, says):
    result = context.run([context.warp, 'replay', '-a', place], cwd=context.path('elsewhere'), limit=50)
    text = b''.join(own_lines(result.err)[0]).decode(errors='replace')
    context.say(text.split('\n')[0])
    if result.status != DIVERGED or not re.search(says, text):
        raise Failure('should have ended with %d and said %r: %s' % (DIVERGED, says, result))


def guest(context, name):
    return os.path.join(context.config.build, 'tests', 'guest', name)


def is_kind(kind):
    return lambda fields: fields[KIND] == kind


def put(field, value):
    def change(fields):
        fields[field] = value
    return change


def spoil_register(fields):
    fields[RBX] ^= 0x100


# ---- events that contradict each other ----

@case
def calls_out_of_place(context):
    recording = context.record([PYTHON, '-S', '-c', 'import os; os.getpid(); os.wait() if os.fork() else 0'])
    place = copy_of(context, recording, 'no-entry')
    number = edit_event(place, is_kind(SYSCALL), put(KIND, EXIT))
    must_notice(context, place, 'event %d ends a system call .* damaged' % number)
    place = copy_of(context, recording, 'no-end')
    edit_event(place, is_kind(SYSCALL), put(KIND, ENTER))
    must_notice(context, place, r'event \d+ comes while task \d+ is inside a system call.* damaged')


@case
def the_same_task_twice(context):
    recording = context.record(['sh', '-c', '/bin/true; /bin/true; echo done'])
    place = copy_of(context, recording, 'twice')
    tids = []

    def in_frame(raw):
        # A record of kind TRACE_D_TASK (6): kind, flags, address 0, length.
        head = struct.pack('<IIQQ', 6, 0, 0, TASK.size)
        at = raw.find(head)
        while at >= 0:
            fields = list(TASK.unpack_from(raw, at + len(head)))
            tids.append(fields[0])
            fields[0] = fields[2]  # the parent's
            TASK.pack_into(raw, at + len(head), *fields)
            at = raw.find(head, at + 1)

    for path in streams(place, 'data'):
        edit_frames(path, in_frame)
    if not tids:
        raise Failure('the recording makes no task')
    must_notice(context, place, r'event \d+ makes task \d+, which there is already.* damaged')


@case
def registers_that_differ(context):
    """Also where the program has executed nothing since the event before."""
    restarts = context.record([guest(context, 'sig_stop_restart')])
    for name, kind in (('restart', RESTART), ('end of a call', EXIT)):
        place = copy_of(context, restarts, name.replace(' ', '-'))
        number = edit_event(place, is_kind(kind), spoil_register)
        must_notice(context, place, 'diverged .* at event %d,.*registers differ' % number)
    dies = context.record([guest(context, 'sig_die_term')], ends=-signal.SIGTERM)
    place = copy_of(context, dies, 'fatal')
    number = edit_event(place, lambda f: f[KIND] == SIGNAL_FATAL and f[FLAGS] & AFTER_CALL, spoil_register)
    must_notice(context, place, 'diverged .* at event %d,.*registers differ' % number)


# ---- data that is not what it should be ----

def edit_data(place, kind, record, change):
    """Changes all data records of a kind, which have the layout `record` (their address is often 0)."""
    count = 0

    def in_frame(raw):
        nonlocal count
        head, at = struct.pack('<II', kind, 0), -1
        while (at := raw.find(head, at + 1)) >= 0:
            if at % 8 == 0 and DATUM.unpack_from(raw, at)[3] == record.size:
                fields = list(record.unpack_from(raw, at + DATUM.size))
                change(fields)
                record.pack_into(raw, at + DATUM.size, *fields)
                count += 1

    for path in streams(place, 'data'):
        edit_frames(path, in_frame)
    if not count:
        raise Failure('the recording has no record of kind %d to change' % kind)


@case
def sites_in_our_pages(context):
    """A site is code that is written: not where system calls are made for the replayer."""
    recording = context.record([guest(context, 'sig_compute')])


    changed = []

    def change(fields):
        # Three of "add %al, (%rax)", which is what zeros are; the stub within reach, where nothing is.
        if not changed:
            fields[0], fields[1], fields[2] = OUR_CODE + 0x800, FREE, 6
        changed.append(fields)

    edit_data(recording.path, PROBE_DATUM, SITE, change)
    must_notice(context, recording.path, 'at 0x70000800 cannot be made to count as it was recorded')


@case
def much_that_is_written(context):
    """Of a large write, all bytes are compared."""
    recording = context.record([PYTHON, '-S', '-c', 'import os; os.write(1, bytes(range(256)) * 400)'])
    place = copy_of(context, recording, 'other-bytes')
    edit_data(place, INPUT_HASH_DATUM, EXTENT, put(1, 1))
    must_notice(context, place, 'some of the 102400 bytes of memory .* differ')
    place = copy_of(context, recording, 'too-many')
    edit_data(place, INPUT_HASH_DATUM, EXTENT, put(0, 1 << 40))
    result = context.run([context.warp, 'replay', '-a', place], cwd=context.path('elsewhere'), limit=50)
    if b'is damaged' not in result.err:
        raise Failure('should have said that the recording is damaged: %s' % result)


# ---- what others do meanwhile ----

@case
def signals_from_outside(context):
    """Signals and stops that others send to a replayed program mean nothing, also while a place is searched."""
    recording = context.record([guest(context, 'sig_compute')])
    hit = 0
    while hit < 2:  # by state, then by what that has found; one that was over before anything was sent is made again
        process = context.start([context.warp, 'replay', '-a', recording.path], cwd=context.path('elsewhere'))
        context.wait_for_text(process, rb'\n')  # the program is there
        sent = 0
        while process.poll() is None and sent < 2000:
            for pid in descendants(process.pid):
                try:
                    for number in (signal.SIGWINCH, signal.SIGUSR1, signal.SIGSTOP, signal.SIGCONT):
                        os.kill(pid, number)
                        sent += 1
                except ProcessLookupError:
                    pass
        result = context.finish(process, limit=60)
        context.say('%d signals sent' % sent)
        hit += sent > 0
        if result.status != 0:
            raise Failure('should have ended with 0: %s' % result)


# ---- the user's interrupt ----

# Waits for a change that a replay cannot know: another process's, which is not recorded.
WAIT = '''
import mmap, os
fd = os.open("shared", os.O_RDWR)
m = mmap.mmap(fd, 4096)
os.write(1, b"waiting\\n")
while m[0] == 0: pass
os.write(1, b"seen\\n")
'''


@case
def interrupted(context):
    """A replay that loops for ever says where it is when it is interrupted, and dies by the signal."""
    path = context.write('shared', bytes(4096))
    recording, command = context.record_command([PYTHON, '-S', '-c', WAIT])
    process = context.start(command, stdin=None)
    context.wait_for_text(process, rb'^waiting\n')
    with open(path, 'r+b') as file:
        mmap.mmap(file.fileno(), 4096)[0] = 1
    recorded = context.finish(process, limit=30)
    if recorded.status != 0 or recorded.out != b'waiting\nseen\n':
        raise Failure('recorded: %s' % recorded)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = context.start([context.warp, 'replay', '-a', recording], cwd=context.path('elsewhere'))
        context.wait_for_text(process, rb'^waiting\n')
        process.send_signal(number)
        result = context.finish(process, limit=30)
        if result.status != -number or not re.search(
                rb'^warp: the replay was interrupted at event \d+, task \d+, on the way to the system call '
                rb'write, at 0x[0-9a-f]+\n(.*\n)*.*#0 ', result.err):
            raise Failure('should have said where it was and died by signal %d: %s' % (number, result))
