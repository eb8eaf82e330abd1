"""The recorder dies: kill -9 at random moments while it records a parallel build.

Nothing that was traced stays behind, and every recording replays to its last block: what the build had
printed up to there, one line on stderr that says where the recording ends, status 0."""

import os
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import time

import programs
from harness import FAILED, PYTHON, Failure, Test, descendants, own_lines

MOMENTS = 20
CUT = re.compile(rb'^warp: .*cut short after event (\d+)')
STREAM_HEADER = struct.Struct('<8sIIQII')   # src/abi/trace_abi.h
FRAME_HEADER = struct.Struct('<IIQQIIQQ')
FRAME_MAGIC = 0x4d524657


def tests(_):
    return [Test('fault/kill-recorder', kill_recorder, limit=600), Test('fault/kill-replayer', kill_replayer, limit=120),
            Test('fault/kill-program', kill_program), Test('fault/kill-recorder-agent', kill_recorder_with_agent)]


def tagged(tag):
    """Processes that carry the tag in their environment, and are not yet dead."""
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open('/proc/%s/environ' % entry, 'rb') as f:
                    if tag.encode() in f.read():
                        with open('/proc/%s/stat' % entry) as f:
                            if f.read().rpartition(')')[2].split()[0] not in 'ZX':
                                found.append(int(entry))
            except OSError:
                pass
    return found


def nobody_left(tag, what):
    """All processes that the dead one had below it are ours now (the test adopts orphans): they end
    within seconds, or they were left behind. Each end is waited for."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            below = descendants(os.getpid())
            if below:
                wait_for_end(below[0], end - time.monotonic())
    left = sorted(set(tagged(tag) + descendants(os.getpid())))
    if left:
        states = []
        for pid in left:
            try:
                with open('/proc/%d/status' % pid) as f:
                    states.append(' '.join(re.findall(r'^(?:Name|State|PPid|TracerPid):.*', f.read(), re.M)))
            except OSError:
                pass
        raise Failure('%s: %d processes were left behind: %s' % (what, len(left), states))


def wait_for_end(pid, seconds):

    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.poll(max(1, seconds * 1000))
    os.close(fd)


def whole_frames(recording):
    """How many whole frames of events there are in all groups; 0 if the first event is in none."""
    count = 0
    begun = False
    if not os.path.isdir(recording):
        return 0
    for name in os.listdir(recording):
        if name.startswith('events.'):
            with open(os.path.join(recording, name), 'rb') as f:
                data = f.read()
            at = STREAM_HEADER.size
            while at + FRAME_HEADER.size <= len(data):
                fields = FRAME_HEADER.unpack_from(data, at)
                at += FRAME_HEADER.size + fields[5]
                whole = fields[0] == FRAME_MAGIC and at <= len(data)
                count += whole
                begun |= whole and fields[2] == 1
    return count if begun else 0


def is_complete(context, place):
    info = context.run([context.warp, 'info', place])
    return re.search(rb'^state +complete', info.out, re.M)


def build_command(context, tag):
    shutil.rmtree(context.work)
    programs.c_project(context.work, 6)
    place, command = context.record_command(['make', '-j4'])
    return place, context.start(command, env={'WARP_FAULT_TAG': tag}, start_new_session=True)


def kill_recorder(context):
    context.needs('make', 'gcc')
    seed = int(os.environ.get('WARP_SEED', time.time_ns() % 10 ** 6))
    context.say('WARP_SEED=%d' % seed)
    moments = random.Random(seed)
    tag = 'fault-%d-%d' % (os.getpid(), seed)
    _, process = build_command(context, tag)
    whole = context.finish(process, limit=120)
    if whole.status != 0:
        raise Failure('the build itself fails: %s' % whole)
    nobody_left(tag, 'after a whole run')
    cut_count, span = 0, whole.seconds  # how long a recording takes, for all that is known
    for turn in range(MOMENTS):
        moment = moments.random() * span
        place, process = build_command(context, tag)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
        killed = context.finish(process, limit=20)
        what = 'killed after %.3f of %.3f s' % (moment, span)
        nobody_left(tag, what)
        frames = whole_frames(place)
        again = context.run([context.warp, 'replay', '-a', place], cwd=context.path('elsewhere'), limit=120)
        own, err = own_lines(again.err)
        context.say('%s: %s, %d frames, replayed: %s, %d of %d bytes: %s' % (
            what, killed.end(), frames, again.end(), len(again.out), len(killed.out),
            b''.join(own).decode().strip()))
        context.check_sanitizers()
        if killed.status == 0:
            # Faster than the moment: a whole recording. The machine was busier before.
            span = min(span, killed.seconds)
            if again.status != 0 or own or again.out != killed.out:
                raise Failure('%s: a whole recording: %s' % (what, again))
        elif frames == 0:
            # Killed before the first block: there is nothing to replay, and that is said.
            if again.status not in (0, FAILED) or len(own) != 1 or again.out:
                raise Failure('%s: nothing was written yet: %s' % (what, again))
        elif is_complete(context, place):
            # Killed when all was written.
            if again.status != 0 or own or again.out != killed.out:
                raise Failure('%s: complete all the same: %s' % (what, again))
        else:
            cut = CUT.match(own[0]) if len(own) == 1 else None
            if again.status != 0 or not cut or int(cut.group(1)) < 1:
                raise Failure('%s: status 0 and one line "cut short after event N": %s' % (what, again))
            if not killed.out.startswith(again.out):
                raise Failure('%s: the output is no beginning of what was printed: %s\n%s' % (what, killed, again))
            cut_count += 1
        if os.path.isdir(place):
            shutil.rmtree(place)
    if cut_count < MOMENTS // 4:
        raise Failure('only %d of %d recordings were cut in their middle: this shows nothing' % (cut_count, MOMENTS))


def kill_recorder_with_agent(context):
    """What the agent has written down and the recorder has not is lost, and nothing else."""
    script = 'import os\nn = 0\nwhile True:\n  n += 1\n  os.getppid()\n  if n % 500 == 0: os.write(1, b"%d\\n" % n)'
    tag = 'fault-agent-%d' % os.getpid()
    for turn in range(3):
        place, command = context.record_command([PYTHON, '-S', '-E', '-c', script])
        command.insert(2, '--agent')
        process = context.start(command, env={'WARP_FAULT_TAG': tag}, start_new_session=True)
        try:
            process.wait(0.6 + turn * 0.07)
        except subprocess.TimeoutExpired:
            process.kill()
        killed = context.finish(process, limit=20)
        nobody_left(tag, 'recorder killed, with the agent')
        again = context.run([context.warp, 'replay', '-a', place], cwd=context.path('elsewhere'), limit=60)
        own, _ = own_lines(again.err)
        context.say('%d of %d bytes: %s' % (len(again.out), len(killed.out), b''.join(own).decode().strip()))
        if again.status != 0 or len(own) != 1 or not CUT.match(own[0]) or not killed.out.startswith(again.out):
            raise Failure('status 0, a beginning of the output, and one line "cut short after event N": %s' % again)
        if not again.out:
            raise Failure('nothing was printed before the end: this shows nothing: %s' % again)


def kill_replayer(context):
    """A replay that is killed leaves no processes, and the recording as it was."""
    context.needs('make', 'gcc')
    programs.c_project(context.work, 4)
    recording = context.record(['make', '-j4'])
    context.spoil()
    began = time.monotonic()
    context.replay(recording)
    whole = time.monotonic() - began
    tag = 'fault-replay-%d' % os.getpid()
    for turn in range(5):
        process = context.start([context.warp, 'replay', '-a', recording.path], env={'WARP_FAULT_TAG': tag},
                                start_new_session=True)
        try:
            process.wait(whole * (turn + 0.5) / 5)
        except subprocess.TimeoutExpired:
            process.kill()
        context.finish(process, limit=20)
        nobody_left(tag, 'replay killed')
    context.replay(recording)


def kill_program(context):
    """The recorded program is killed from outside: that is recorded as any end of it. So it is while sites are made
    in it, some milliseconds after its first signal."""
    for turn in range(20):
        where, command = context.record_command(['sh', '-c', 'echo started; while :; do /bin/true; done'])
        process = context.start(command, start_new_session=True)
        while not os.path.getsize(process.out_path):  # soon, and there is no time to lose then
            if process.poll() is not None:
                raise Failure('ended before it was killed: %s' % context.finish(process))
        with open('/proc/%d/task/%d/children' % (process.pid, process.pid)) as f:
            victim = int(f.read().split()[0])
        try:
            process.wait(turn % 10 / 1000)
        except subprocess.TimeoutExpired:
            pass
        os.kill(victim, signal.SIGKILL)
        recording = context.recorded(where, context.finish(process, limit=30), -signal.SIGKILL)
        context.replay(recording)
