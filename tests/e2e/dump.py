"""What warp dump, info, ls and rm tell of recordings: whole, cut short and damaged.

The program is Debian's python3, which makes exactly the calls it is told to, between others."""

import json
import os
import re
import shutil

from harness import FAILED, PYTHON, Failure, Skip, Test, own_lines

TESTS = []


def case(function):
    TESTS.append(Test('dump/' + function.__name__.replace('_', '-'), function, limit=100))
    return function


def tests(_):
    return list(TESTS)


def check(ok, what, result):
    if not ok:
        raise Failure('%s: %s' % (what, result))


def python(context, script, ends=0):
    return context.record([PYTHON, '-S', '-E', '-c', script], ends=ends)


def dump(context, place, *options, ends=0):
    result = context.run([context.warp, 'dump', *options, place])
    check(result.status == ends, 'dump ends with %d' % ends, result)
    context.check_sanitizers()
    return result


def lines_of(context, place):
    result = dump(context, place)
    check(not result.err, 'nothing on stderr', result)
    return result.out.decode('ascii').splitlines()


def events_of(context, place, *options):
    result = dump(context, place, '--json', *options)
    check(not result.err, 'nothing on stderr', result)
    return [json.loads(line) for line in result.out.decode('utf-8').splitlines()]


def find(lines, pattern):
    found = [line for line in lines if re.search(pattern, line)]
    if not found:
        raise Failure('no line with %r in\n%s' % (pattern, '\n'.join(lines[-400:])))
    return found


def number_of(line):
    return int(line.split()[0])


CALLS = r'''
import errno, fcntl, os, signal
os.mkdir("made")
fd = os.open("made/a \"file\"\n", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
os.write(fd, b"\xff\x01 bytes \"quoted\"\n")
os.write(fd, bytes(5000))
os.lseek(fd, 2, os.SEEK_SET)
os.read(fd, 7)
try: os.rmdir("missing")
except OSError: pass
try: os.execv("/missing", ["missing", "x y"])
except OSError: pass
try: fcntl.ioctl(fd, 0x1badcafe, b"12345678")
except OSError: pass
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.signal(signal.SIGCHLD, lambda *_: None)
os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda *_: os.write(pipe[1], b"now"))
pipe = os.pipe()
signal.setitimer(signal.ITIMER_REAL, 0.01)
os.read(pipe[0], 10)
child = os.fork()
if not child:
    os.execv("/bin/sh", ["sh", "-c", "kill -TERM $$"])
os.waitpid(child, 0)
os._exit(7)
'''


@case
def calls(context):
    """Known calls, signals, programs and ends have the text that strace gives them."""
    recording = python(context, CALLS, ends=7)
    lines = lines_of(context, recording.path)
    for pattern in (
            r' mkdir\("made", 0777\) += 0$',
            r' openat\(AT_FDCWD, "made/a \\"file\\"\\n", O_RDWR\|O_CREAT\|O_EXCL\|O_CLOEXEC, 0640\) += 3$',
            r' write\(3, "\\377\\1 bytes \\"quoted\\"\\n", 18\) += 18$',
            r' write\(3, "(\\0){32}"\.\.\., 5000\) += 5000$',
            r' lseek\(3, 2, SEEK_SET\) += 2$',
            r' read\(3, " bytes ", 7\) += 7$',
            r' rmdir\("missing"\) += -1 ENOENT \(No such file or directory\)$',
            r' execve\("/missing", \["missing", "x y"\], .* <unfinished \.\.\.>$',
            r' execve\("/missing", \["missing", "x y"\], .*\) += -1 ENOENT \(No such file or directory\) <resumed>$',
            r' ioctl\(3, _IOC\(.*ENOTTY \(Inappropriate ioctl for device\) <recorded by comparison>$',
            r' rseq\(.* -1 ENOSYS \(Function not implemented\) <answered by the recorder>$',
            r' kill\(\d+, SIGUSR1\) += 0$',
            r' --- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_USER, si_pid=\d+, si_uid=\d+\} ---$',
            r' read\(\d, 0x[0-9a-f]+, 10\) += \? ERESTARTSYS \(To be restarted if SA_RESTART is set\)$',
            r' --- SIGALRM \{si_signo=SIGALRM, si_code=SI_KERNEL\} ---$',
            r' read\(\d, "now", 10\) += 3$',
            r' execve\("/bin/sh", \["sh", "-c", "kill -TERM \$\$"\], .* <unfinished \.\.\.>$',
            r' --- SIGTERM \{si_signo=SIGTERM, si_code=SI_USER, .*\} --- <fatal>$',
            r' \+\+\+ killed by SIGTERM \+\+\+$',
            r' wait4\(\d+, \[\{WIFSIGNALED\(s\) && WTERMSIG\(s\) == SIGTERM\}\], 0, NULL\) += \d+$',
            r' --- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_KILLED, .*si_status=SIGTERM, .*\} ---$',
            r' exit_group\(7\) += \?$',
            r' \+\+\+ exited with 7 \+\+\+$'):
        find(lines, pattern)
    first, last = lines[0], lines[-1]
    check(re.match(r' +1 +0\.\d{6} +\d+  \+\+\+ started ".*python3[^"]*" as \["/usr/bin/python3", ', first),
          'the start', first)
    check(last.endswith(' +++ end of the recording, exited with 7 +++'), 'the end', last)
    new = find(lines, r' \+\+\+ new process \d+ \+\+\+$')
    check(len(new) == 1, 'one new process', new)
    child = new[0].split()[-2]
    run = find(lines, r' %s  \+\+\+ executes ".*sh" \+\+\+$' % child)
    died = find(lines, r' %s  \+\+\+ killed by SIGTERM \+\+\+$' % child)
    check(number_of(new[0]) < number_of(run[0]) < number_of(died[0]), 'their order', (new, run, died))


@case
def as_json(context):
    """As many objects as lines, with the same text; values that can be worked with."""
    recording = python(context, CALLS, ends=7)
    lines, events = lines_of(context, recording.path), events_of(context, recording.path)
    check(len(lines) == len(events) > 100, 'as many', (len(lines), len(events)))
    for n, (line, event) in enumerate(zip(lines, events), 1):
        check(event['number'] == n == number_of(line), 'numbers from 1 without gaps', line)
        check(line.split()[2] == str(event['tid']), 'the task', line)
        check(line.endswith('  ' + event['text']), 'the same text', (line, event))
        check('registers' not in event, 'registers only if asked for', event)
    times = [e['time_ns'] for e in events]
    check(times == sorted(times), 'time goes on', '')

    def calls(name):
        return [e for e in events if e.get('name') == name and e['kind'].startswith('syscall')]
    opened = [e for e in calls('openat') if e['args'][1].get('text') == 'made/a "file"\n']
    check(len(opened) == 1 and opened[0]['result'] == 3 and opened[0]['args'][0]['value'] == -100 and
          re.fullmatch('0x[0-9a-f]+', opened[0]['args'][1]['value']), 'openat', opened)
    written = [e for e in calls('write') if e['args'][0]['value'] == 3]
    check(written[0]['args'][1]['text'].encode('latin-1') == b'\xff\x01 bytes "quoted"\n' and
          written[0]['result'] == 18, 'bytes that are not UTF-8', written[0])
    check(written[1]['args'][1]['length'] == 5000 and set(written[1]['args'][1]['text']) == {'\0'},
          'a buffer that is shown in part', written[1])
    failed = calls('rmdir')[0]
    check(failed['result'] == -2 and failed['errno'] == 'ENOENT', 'an error', failed)
    check(any('fallback' in e.get('flags', ()) for e in calls('ioctl')), 'a flag', calls('ioctl'))
    got = [e for e in calls('read') if e['args'][1].get('text') == 'now']
    check(got and {'kind': 'memory', 'addr': got[0]['args'][1]['value'], 'length': 3} in got[0]['data'],
          'data records', got)
    check(events[-1]['kind'] == 'end' and os.waitstatus_to_exitcode(events[-1]['status']) == 7, 'end', events[-1])
    with_registers = events_of(context, recording.path, '--registers')
    check(len(with_registers) == len(events) and
          all('registers' in e for e in with_registers if e['kind'] == 'syscall'), 'registers', with_registers[1])
    refused = context.run([context.warp, 'dump', '--registers', recording.path])
    check(refused.status == FAILED and not refused.out and b'--json' in refused.err, '--registers alone', refused)


@case
def threads(context):
    """Calls that others ran in the middle of: each end has its beginning, and shows what it read then."""
    recording = python(context, '''
import os, threading
pipes = [os.pipe() for _ in range(3)]
def work(i):
    os.read(pipes[i][0], 10)
    os.write(1, b"%d\\n" % i)
threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
for t in threads: t.start()
for i in 2, 0, 1:
    os.write(pipes[i][1], b"go %d" % i)
    threads[i].join()
''')
    lines = lines_of(context, recording.path)
    check(len(find(lines, r'\+\+\+ new thread \d+ \+\+\+$')) == 3, 'three threads', '')
    for i in range(3):
        find(lines, r' read\(\d+, "go %d", 10\) += 4( <resumed>)?$' % i)
    under_way = {}
    for line in lines:
        tid, text = line.split()[2], line.split(None, 3)[3]
        if text.endswith('<unfinished ...>'):
            check(tid not in under_way, 'one call at a time', line)
            under_way[tid] = text.split('(')[0]
        elif text.endswith('<resumed>'):
            check(under_way.pop(tid, None) == text.split('(')[0], 'the end of what began', line)
    check(find(lines, ' <resumed>$') and not under_way, 'all ended', under_way)


# ---- at an event ----

def stack_of(lines, tid):
    """The lines of a thread's stack in what dump --at prints."""
    begin = next(i for i, line in enumerate(lines) if line.startswith('thread %s ' % tid))
    frames = []
    for line in lines[begin + 1:]:
        if line.startswith(('thread ', 'maps:')):
            break
        if line.startswith('    #'):
            frames.append(line)
    return frames


@case
def at_event(context):
    """A process at an event: its registers are those of the event, all its threads have stacks, the mappings names."""
    recording = python(context, '''
import os, threading
inside, go = os.pipe()
def waits():
    os.read(inside, 2)
thread = threading.Thread(target=waits)
thread.start()
os.getppid()
os.write(go, b"go")
thread.join()
if os.fork() == 0:
    os._exit(5)
os.wait()
''')
    lines = lines_of(context, recording.path)
    parent = find(lines, r' getppid\(\)')[0]
    tid = parent.split()[2]
    at = str(number_of(parent))
    shown = dump(context, recording.path, '--at', at).out.decode('ascii').splitlines()
    check(re.fullmatch(r'event %s of %d, \d+\.\d{6} s: getppid\(\) += (\d+)' % (at, len(lines)), shown[0]), 'event', shown)
    check(re.fullmatch(r'process %s ".*python3[.0-9]*", 2 threads' % tid, shown[1]), 'process', shown)
    result = int(shown[0].split()[-1])
    check(re.search(r'^    rax      %#x ' % result, '\n'.join(shown), re.M), 'the result', shown)
    waiting = find(lines, r'read\(3, .*<unfinished')[0].split()[2]
    for task, function in ((tid, 'getppid'), (waiting, 'read')):
        stack = stack_of(shown, task)
        check(len(stack) > 3 and function in stack[0] and 'libc' in stack[0] and
              any('python3' in line for line in stack), 'stack of %s' % task, stack)
    check([line for line in shown if re.match(r'    \w+-\w+ r-xp \w+ /.*libc\.so', line)], 'mappings', shown)
    # The same as JSON.
    [whole] = [json.loads(line) for line in dump(context, recording.path, '--at', at, '--json').out.splitlines()]
    check(whole['event'] == int(at) and str(whole['process']) == tid and len(whole['threads']) == 2, 'JSON', whole)
    [own] = [t for t in whole['threads'] if str(t['tid']) == tid]
    check(own['registers']['rax'] == '%#x' % result and 'getppid' in own['stack'][0]['symbol'], 'a thread', own)
    check(any(m['access'] == 'r-xp' and 'libc.so' in m['name'] for m in whole['maps']), 'maps', whole['maps'])
    # Another process, one that is not there yet, one that has ended, and no event.
    child = re.search(r'new process (\d+)', '\n'.join(lines)).group(1)
    ended = find(lines, r' %s  \+\+\+ exited with 5' % child)[0]
    shown = dump(context, recording.path, '--at', str(number_of(ended))).out.decode('ascii').splitlines()
    check('exit_group(5)' in shown[0] and 'behind the end' in shown[1] and shown[2].startswith('process %s ' % child),
          'a process that has ended', shown)
    shown = dump(context, recording.path, '--at', str(number_of(ended)), '-p', tid).out.decode('ascii').splitlines()
    check(shown[1].startswith('process %s ' % tid), 'another process', shown)
    for options, said in ((('--at', at, '-p', child), 'not there yet'), (('--at', str(len(lines) + 1)), 'no event'),
                          (('--at', 'x'), "'x'"), (('-p', child), '--at'), (('--at', at, '-p', '4000000'), '4000000'),
                          (('--at', at, '--json', '--registers'), '--registers'), (('--at',), '--at')):
        refused = dump(context, recording.path, *options, ends=FAILED) if options != ('--at',) else \
            context.run([context.warp, 'dump', recording.path, '--at'])
        check(refused.status == FAILED and not refused.out and said.encode() in refused.err and
              refused.err.count(b'\n') == 1, 'refused: %s' % (options,), refused)


@case
def like_strace(context):
    """The calls of a program that does always the same are those that strace sees."""
    context.needs('strace')
    for name in 'abc':
        context.write('tree/' + name, name)
    argv = ['/bin/ls', '-l', 'tree']
    traced = context.must(['strace', '-o', context.path('strace'), *argv])
    with open(context.path('strace')) as f:
        native = [line.rstrip('\n') for line in f]
    recording = context.record(argv)
    check(recording.out == traced.out, 'the same output', recording.result)
    lines = [line.split(None, 3)[3] for line in lines_of(context, recording.path)]

    # What the vDSO answers natively is a call in a recording. Addresses, random bytes and times of access
    # differ from run to run.
    def comparable(lines):
        calls = [line for line in lines if re.match(r'[a-z]\w*\(', line) and
                 not re.match(r'(execve|clock_gettime|gettimeofday|time|getcpu|rseq|getrandom)\(', line)]
        calls = [line for line in calls if not re.match(r'set_tid_address|prlimit64', line)]
        return [re.sub(r' +=', ' =', re.sub(r'0x[0-9a-f]{8,}', 'ADDR', line)) for line in calls]
    ours, theirs = comparable(lines), comparable(native)
    # The files' sizes and numbers of standard output differ: it is another file.
    different = [(a, b) for a, b in zip(ours, theirs) if a != b and not re.match(r'\w+\(1, ', a)]
    check(len(ours) == len(theirs) > 30 and not different, 'the same calls',
          '%d and %d calls; %s' % (len(ours), len(theirs), '\n'.join('\n%s\n%s' % d for d in different)))


# ---- broken recordings ----

def long_recording(context):
    """One group in several blocks; the end is in a stream of its own."""
    recording = context.record(['sh', '-c', 'i=0; while [ $i -lt 2500 ]; do echo line $i; i=$((i+1)); done'])
    check(os.path.exists(os.path.join(recording.path, 'events.1')), 'the stream of the end',
          os.listdir(recording.path))
    return recording, lines_of(context, recording.path)


def broken_copy(context, recording):
    place = context.path('broken')
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(recording.path, place)
    return place


# Features whose instructions cannot be trapped: (leaf, subleaf or None, register, bits).
HIDDEN = (('rdrand', 1, None, 'ecx', 1 << 30), ('rdseed', 7, 0, 'ebx', 1 << 18), ('hle, rtm', 7, 0, 'ebx', 1 << 4 | 1 << 11),
          ('rdpid, waitpkg', 7, 0, 'ecx', 1 << 22 | 1 << 5), ('xsaveopt, xgetbv(1)', 13, 1, 'eax', 1 << 0 | 1 << 2),
          ('rdpru', 0x80000008, None, 'ebx', 1 << 4))


@case
def hidden_features(context):
    """What cpuid must not tell a recorded program, but tells a native one where the processor has it."""
    guest = os.path.join(context.config.build, 'tests', 'guest', 'insn_cpuid')

    def leaves(text):
        found = {}
        for leaf, sub, *words in re.findall(r'^leaf ([0-9a-f]{8})\.(\d+): (\w{8}) (\w{8}) (\w{8}) (\w{8})$', text, re.M):
            found[int(leaf, 16), int(sub)] = dict(zip(('eax', 'ebx', 'ecx', 'edx'), (int(w, 16) for w in words)))
        return found

    recording = context.record([guest])
    if 'cpuid       trapped' not in context.run([context.warp, 'info', recording.path]).out.decode():
        raise Skip('cpuid cannot be made to trap on this machine')
    native, recorded = leaves(context.must([guest]).out.decode()), leaves(recording.out.decode())
    for name, leaf, sub, register, bits in HIDDEN:
        if (leaf, sub or 0) not in native:
            continue
        context.say('%s: native %#x' % (name, native[leaf, sub or 0][register] & bits))
        if recorded[leaf, sub or 0][register] & bits:
            raise Failure('%s is not hidden: leaf %#x, %s' % (name, leaf, register))
    if not recorded[1, 0]['ecx'] & native[1, 0]['ecx'] & 1 << 27:
        raise Failure('xsave itself is hidden')
    context.replay(recording)


@case
def cut_short(context):
    """A recorder that was killed: what there is is printed, status 0, and one line tells where it ends."""
    recording, whole = long_recording(context)
    for torn in (False, True):
        place = broken_copy(context, recording)
        for name in ('events.1', 'data.1'):
            if os.path.exists(os.path.join(place, name)):
                os.unlink(os.path.join(place, name))
        if torn:
            events = os.path.join(place, 'events.0')
            os.truncate(events, os.path.getsize(events) - 1)
        result = dump(context, place)
        lines = result.out.decode().splitlines()
        check(lines == whole[:len(lines)] and 900 < len(lines) < len(whole), 'a beginning', len(lines))
        check((len(lines) == len(whole) - 1) != torn, 'up to the last whole block', (len(lines), len(whole)))
        check(result.err.decode() == 'warp: the recording was cut short after event %d\n' % len(lines),
              'where it ends', result)
        same = dump(context, place, '--json')
        check(len([json.loads(line) for line in same.out.splitlines()]) == len(lines) and
              same.err == result.err, 'as JSON', len(lines))
        info = context.run([context.warp, 'info', place])
        check(info.status == 0 and ('cut short after event %d' % len(lines)).encode() in info.out, 'info', info)


@case
def damaged(context):
    """A block that is not as it was written: what is before it is printed; status 125."""
    recording, whole = long_recording(context)
    place = broken_copy(context, recording)
    events = os.path.join(place, 'events.0')
    with open(events, 'r+b') as f:
        f.seek(os.path.getsize(events) - 20)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 0xff]))
    for options in ((), ('--json',)):
        result = dump(context, place, *options, ends=FAILED)
        own, rest = own_lines(result.err)
        count = len(result.out.splitlines())
        check(len(own) == 1 and not rest and b'damaged at event %d ' % (count + 1) in own[0], 'one line', result)
        check(900 < count < len(whole) - 1, 'what is before it', count)
        if options:
            check([json.loads(line)['number'] for line in result.out.splitlines()] ==
                  list(range(1, count + 1)), 'whole objects', '')
        else:
            check(result.out.decode().splitlines() == whole[:count], 'a beginning', result)
    info = context.run([context.warp, 'info', place])
    check(info.status == FAILED and len(own_lines(info.err)[0]) == 1 and b'damaged after event' in info.out,
          'info', info)


@case
def nobody_reads(context):
    """A reader that goes away ends dump by SIGPIPE, silently; a full disk is said."""
    recording = context.record(['sh', '-c', 'i=0; while [ $i -lt 3000 ]; do echo line; i=$((i+1)); done'])
    result = context.run(['bash', '-c', '"$0" dump "$1" | head -n 1; echo ${PIPESTATUS[0]}',
                          context.warp, recording.path])
    check(result.out.splitlines()[-1] == b'141' and not result.err, 'SIGPIPE', result)
    result = context.run(['sh', '-c', '"$0" dump "$1" >/dev/full', context.warp, recording.path])
    check(result.status == FAILED and result.err.count(b'\n') == 1 and b'space' in result.err, 'full', result)


# ---- ls, info, rm ----

@case
def listing(context):
    for argv in (['true'], ['sh', '-c', 'exit 3'], ['sh', '-c', 'kill -SEGV $$'],
                 ['printf', 'it\'s\n', '\x1b[31m', 'two words']):
        context.run([context.warp, 'record', *argv])
    place = context.path('traces')
    cut = os.path.join(place, 'cut')
    shutil.copytree(os.path.join(place, 'true-0'), cut)
    os.unlink(os.path.join(cut, 'events.1'))
    shutil.copytree(os.path.join(place, 'true-0'), os.path.join(place, 'bad'))
    os.truncate(os.path.join(place, 'bad', 'meta'), 100)
    shutil.copytree(cut, os.path.join(place, 'none'))
    os.unlink(os.path.join(place, 'none', 'events.0'))
    listed = context.run([context.warp, 'ls'])
    check(listed.status == 0 and not listed.err and b'\x1b' not in listed.out, 'ls', listed)
    lines = listed.out.decode().splitlines()
    check(len(lines) == 7, 'one line a recording', listed)
    date = r' +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +[\d.]+ [kM]?B +'
    for pattern in ('true-0' + date + 'exited with 0 +true$', 'sh-0' + date + "exited with 3 +sh -c 'exit 3'$",
                    'sh-1' + date + r'killed by SIGSEGV( \(core dumped\))? +sh -c ', 'cut' + date + 'unfinished +true$',
                    r'bad +\d.* unreadable', r'none +\d.* no events', r"printf-0.* printf \$'it\\'s\\012' \$'\\033\[31m' 'two words'$"):
        check(len([line for line in lines if re.match(pattern, line)]) == 1, pattern, listed)
    info = context.run([context.warp, 'info', 'sh-0'])
    for pattern in ("command +sh -c 'exit 3'", 'program +/.*sh', 'directory +' + re.escape(context.work),
                    r'started +\d{4}-', r'duration +\d+\.\d{6} s', 'state +complete, exited with 3',
                    r'events +\d+ in \d+ groups', r' +1 start', 'tasks +1 process, 0 further threads',
                    r'on disk +[\d.]+ [kM]?B', r'mapped +\d+ files', 'cpuid +(not )?trapped', r'written by +warp \d'):
        check(re.search('^%s' % pattern, info.out.decode(), re.M), pattern, info)
    # One that is not there does not keep the others.
    removed = context.run([context.warp, 'rm', 'true-0', 'missing', 'sh-0'])
    check(removed.status == FAILED and removed.err.count(b'\n') == 1 and b'missing' in removed.err, 'rm', removed)
    left = sorted(n for n in os.listdir(place) if n != 'latest')
    check(left == ['bad', 'cut', 'none', 'printf-0', 'sh-1'], 'what is left', left)
