"""warp trace: its text beside strace's, attaching and letting go, output, expressions, counts, JSON, stacks, signals."""

import json
import os
import re
import signal
import subprocess

import parity
from harness import FAILED, NOT_FOUND, PYTHON, Failure, Skip, Test, own_lines

# Several threads that check one another: each counts up a word of its own through a pipe and sees that
# nobody was left out; it ends with "sum N" when its input is closed.
CHECKED = r'''
import os, sys, threading, time
ends, counts = threading.Event(), [0] * 4
def work(i):
    reader, writer = os.pipe()
    while not ends.is_set():
        os.write(writer, b'%d' % i)
        assert os.read(reader, 10) == b'%d' % i
        counts[i] += 1
        time.sleep(0.001)
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
for t in threads: t.start()
print('ready', flush=True)
sys.stdin.read()
ends.set()
for t in threads: t.join()
print('ok' if all(counts) else 'a thread did not run', flush=True)
sys.exit(7)
'''


def check(ok, what, result):
    if not ok:
        raise Failure('%s: %s' % (what, result))


def trace(context, *arguments, **more):
    result = context.run([context.warp, 'trace', *arguments], **more)
    context.check_sanitizers()
    return result


def lines_of(path):
    with open(path, encoding='utf-8', errors='surrogateescape') as f:
        return f.read().splitlines()


# ---- strace's text ----

def like_strace(command, options):
    def test(context):
        context.needs('strace', 'setarch', 'taskset', command.split()[0])
        diff, equal, total = parity.compare(context.warp, command, options)
        context.say('%d of %d lines are equal' % (equal, total))
        if diff or not total:
            raise Failure('not as strace prints it:\n' + '\n'.join(diff))
    return test


def parity_tests(config):
    guests = os.path.join(config.build, 'tests', 'guest')
    for name, command in parity.commands(guests).items():
        yield Test('trace/strace/' + name, like_strace(command, []), limit=240, privileged=True)
    for name in ('cat', 'python3', 'calls', 'find', 'sh'):
        yield Test('trace/strace-y/' + name, like_strace(parity.PROGRAMS[name], ['-y']), limit=240, privileged=True)
    for option in ('-T', '-s5', '-s100'):
        yield Test('trace/strace%s/ls' % option, like_strace(parity.PROGRAMS['ls'], [option]), privileged=True)


def layout(text):
    """Digits masked: blanks, columns and words stay."""
    return [re.sub(r'\d', '0', re.sub(r'0x[0-9a-f]+', 'ADDR', line)) for line in text.decode().splitlines()]


def timestamps(context):
    """-t, -tt, -ttt, -r and their combination: the layout of strace."""
    context.needs('strace')
    for options in (['-t'], ['-tt'], ['-ttt'], ['-r'], ['-t', '-r'], ['-T', '-tt']):
        theirs = context.must(['setarch', '-R', 'strace', '-f', *options, '/bin/true'])
        ours = context.must(['setarch', '-R', context.warp, 'trace', *options, '/bin/true'])
        expected, mine = layout(theirs.err), layout(ours.err)
        # blanks before the result depend on the digits of addresses, which are equal here
        check(expected[-5:] == mine[-5:] and len(expected) == len(mine),
              'with %s the layout should be strace\'s, %r' % (options, expected[-5:]), mine[-5:])


def counts(context):
    """-c: the rows, columns and order of strace -c -w, but for the times."""
    context.needs('strace')
    theirs = context.must(['strace', '-c', '-w', '-o', context.path('s'), 'ls', '/'])
    ours = context.must([context.warp, 'trace', '-c', '-o', context.path('t'), 'ls', '/'])
    expected, mine = lines_of(context.path('s')), lines_of(context.path('t'))
    check(theirs.out == ours.out, 'the same output of ls', ours)
    check(expected[:2] == mine[:2] and expected[-2] == mine[-2], 'header and rules as strace has them', mine)

    def numbers(lines):
        return sorted((line[33:42], line[43:52], line[53:]) for line in lines[2:-2])
    check(numbers(expected) == numbers(mine), 'calls and errors as strace counts them: %s' % numbers(expected), mine)
    check(re.fullmatch(r'100\.00 {4}\d\.\d{6} +\d+ +\d+ +\d+ total', mine[-1]), 'a total', mine)
    times = [float(line[7:18]) for line in mine[2:-2]]
    check(times == sorted(times, reverse=True), 'the dearest first', mine)


# ---- output ----

def follows_into_file(context):
    """-o: every line bears its thread; the program's own output and status pass."""
    result = trace(context, '-o', context.path('t'), 'sh', '-c', 'echo out; echo err >&2; (exit 3); /bin/true; exit 5')
    check(result.status == 5 and result.out == b'out\n', 'output and status of the program', result)
    own, rest = own_lines(result.err)
    check(rest == b'err\n' and len(own) == 2, 'its errors, and two notices of children', result)
    lines = lines_of(context.path('t'))
    ids = {line.split()[0] for line in lines}
    check(all(re.match(r'\d+ +\S', line) for line in lines) and len(ids) == 3, 'three processes', lines)
    check(sum('+++ exited with' in line for line in lines) == 3, 'three ends', lines)
    quiet = trace(context, '-qq', '-o', context.path('q'), 'sh', '-c', '(exit 3); exit 5')
    check(quiet.status == 5 and not quiet.err, '-qq says nothing', quiet)
    check(not any('+++' in line for line in lines_of(context.path('q'))), 'nor of ends', quiet)
    alone = trace(context, '--no-follow', '-o', context.path('n'), 'sh', '-c', '(exit 3); exit 5')
    check(alone.status == 5 and not alone.err, 'nobody else is traced', alone)
    check(not re.match(r'\d', lines_of(context.path('n'))[1]), 'lines without ids', lines_of(context.path('n')))


def files_of_their_own(context):
    """-ff: a file for each thread, as strace has them: no ids, no lines of others in between."""
    context.needs('strace')

    def traced(tracer, name, *command):
        result = context.run([*tracer, '-ff', '-o', context.path(name), *command])
        files = sorted((n for n in os.listdir(context.directory) if n.startswith(name + '.')), key=lambda n: int(n[len(name) + 1:]))
        texts = [lines_of(context.path(n)) for n in files]
        return result, [[re.sub(r' +', ' ', re.sub(r'0x[0-9a-f]+|\d+', 'N', line)) for line in text
                         if not line.startswith('---')] for text in texts]
    command = ['-e', 'trace=write,execve', 'sh', '-c', 'echo 1; (sleep 0.01; echo 2; exit 3); echo 3; exit 5']
    theirs, expected = traced(['strace'], 's', *command)
    result, mine = traced([context.warp, 'trace'], 'w', *command)
    check(result.status == theirs.status == 5 and result.out == theirs.out, 'status and output', result)
    check(len(mine) == 3 and mine == expected, 'as strace -ff: %s' % expected, mine)
    script = ('import os, threading, time\n'
              'threading.Thread(target=lambda: os.execv("/bin/true", ["true"])).start(); time.sleep(9)')
    _, mine = traced([context.warp, 'trace', '-q'], 'e', '-e', 'execve', PYTHON, '-S', '-c', script)
    check(len(mine) == 2 and mine[0][1:] == ['+++ superseded by execve in pid N +++', '<... execve resumed>) = N',
                                             '+++ exited with N +++'], 'the program goes on in the first file', mine)
    check(mine[1][-1].endswith(' <pid changed to N ...>'), 'the other one tells where', mine)
    both = trace(context, '-ff', '-e', 'exit_group', 'true')
    check(both.status == 0 and b'-ff without -o' in both.err and b'exit_group(0)' in both.err, 'as -f without -o', both)
    few = context.run(['sh', '-c', 'ulimit -n 9; exec "$@"', 'sh', context.warp, 'trace', '-ff', '-o', context.path('few'),
                       'sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1 & done; wait'])
    check(few.status == FAILED and b'Too many open files; allow more' in few.err, 'a file that cannot be opened', few)


def ends_like_program(context):
    for end, status in (('exit 42', 42), ('kill -TERM $$', -15), ('kill -KILL $$', -9)):
        result = trace(context, '-o', context.path('t'), 'sh', '-c', end)
        check(result.status == status, 'should have ended as the program did, %d' % status, result)


def closed_pipe(context):
    """Nobody reads the lines: the program goes on, and warp says so."""
    fifo = context.path('fifo')
    os.mkfifo(fifo)
    holder = os.open(fifo, os.O_RDWR)
    process = context.start([context.warp, 'trace', '-o', fifo, 'sh', '-c',
                             'read x; for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done; echo done > finished'],
                            stdin=subprocess.PIPE)
    os.read(holder, 1)
    os.close(holder)  # the last reader
    process.stdin.write(b'\n')
    process.stdin.close()
    result = context.finish(process, 60)
    check(result.status == FAILED and b'Broken pipe' in result.err, 'an error that names the pipe', result)
    context.wait_for(lambda: os.path.exists(os.path.join(context.work, 'finished')), 'the program to finish')


def full_disk(context):
    result = trace(context, '-o', '/dev/full', '/bin/true')
    check(result.status == FAILED and b'No space left' in result.err, 'an error that says why', result)


def strings(context):
    """-s, and bytes of all kinds."""
    result = trace(context, '-e', 'write(fd == 1)', '-s', '3', 'printf', '\\1\\3774\\"')
    check(b'write(1, "\\1\\3774"..., 4)' in result.err, 'three bytes, then dots', result)


# ---- attaching ----

def start_checked(context):
    process = context.start([PYTHON, '-c', CHECKED], stdin=subprocess.PIPE)
    context.wait_for_text(process, rb'^ready\n')
    return process


def end_checked(context, process):
    process.stdin.close()
    result = context.finish(process, 60)
    check(result.status == 7 and result.out == b'ready\nok\n', 'the process should not have noticed', result)


def status_of(pid):
    with open('/proc/%d/status' % pid) as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)


def attached_to_threads(context, how):
    process = start_checked(context)
    out = context.path('attached')
    tracer = context.start([context.warp, 'trace', '-o', out, '-p', str(process.pid)])
    context.wait_for(lambda: os.path.exists(out) and
             len({line.split()[0] for line in lines_of(out) if 'write(' in line}) == 4, 'calls of four threads')
    os.kill(tracer.pid, how)
    result = context.finish(tracer, 60)
    check(result.status == -how, 'warp should end by the signal', result)
    check(status_of(process.pid)['TracerPid'] == '0', 'nobody traces it', status_of(process.pid))
    check('T' not in status_of(process.pid)['State'], 'it runs on', status_of(process.pid))
    end_checked(context, process)
    return result


def attach(context):
    result = attached_to_threads(context, signal.SIGINT)
    said = result.err.decode()
    check('attached with 5 threads' in said and said.count(' detached') == 5, 'who was attached to and let go', result)


def killed_tracer(context):
    attached_to_threads(context, signal.SIGKILL)


def attach_again(context):
    """Attached to and let go while threads and children are born and end: nobody notices."""
    program = os.path.join(context.config.build, 'tests', 'live', 'busy')
    if not os.path.exists(program):
        raise Skip('%s is not built (-Dguests=true)' % program)
    process = context.start([program], stdin=subprocess.PIPE)
    context.wait_for_text(process, rb'^ready\n')
    for number in range(40):
        how = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
        out = context.path('attached%d' % number)
        tracer = context.start([context.warp, 'trace', '-o', out, '-p', str(process.pid)])
        context.wait_for(lambda: os.path.exists(out) and os.path.getsize(out), 'calls', tracer)
        os.kill(tracer.pid, how)
        result = context.finish(tracer, 60)
        check(result.status == -how, 'warp should end by the signal', result)
    context.check_sanitizers()
    end_checked(context, process)


def attach_two(context):
    """Two processes, one of which ends by itself; then tracing goes on until the other has."""
    first, second = start_checked(context), start_checked(context)
    out = context.path('attached')
    tracer = context.start([context.warp, 'trace', '-o', out, '-p', '%d,%d' % (first.pid, second.pid)])
    context.wait_for(lambda: os.path.exists(out) and
             len({line.split()[0] for line in lines_of(out) if 'write(' in line}) == 8, 'calls of all threads')
    end_checked(context, first)
    end_checked(context, second)
    result = context.finish(tracer, 60)
    check(result.status == 0, 'it should end with the last process', result)
    ends = [line for line in lines_of(out) if '+++ exited with 7 +++' in line]
    check(len(ends) == 2, 'both ends', ends)


def attach_stopped(context):
    """A stopped process stays stopped."""
    process = start_checked(context)
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    tracer = context.start([context.warp, 'trace', '-p', str(process.pid)])
    context.wait_for_text(tracer, rb'attached')
    os.kill(tracer.pid, signal.SIGTERM)
    result = context.finish(tracer, 60)
    check(result.status == -signal.SIGTERM, 'warp should end by the signal', result)
    check(status_of(process.pid)['TracerPid'] == '0', 'nobody traces it', status_of(process.pid))
    check(status_of(process.pid)['State'].startswith('T'), 'still stopped', status_of(process.pid))
    os.kill(process.pid, signal.SIGCONT)
    end_checked(context, process)


def interrupt(context):
    """Without -o a signal ends program and trace; with -o the program decides."""
    process = context.start([context.warp, 'trace', 'sleep', '100'])
    context.wait_for_text(process, rb'nanosleep\(')
    os.kill(process.pid, signal.SIGINT)
    result = context.finish(process, 60)
    check(result.status == -signal.SIGINT and b' <detached ...>\n' in result.err, 'let go, and dead by SIGINT', result)
    out = context.path('t')
    process = context.start([context.warp, 'trace', '-o', out, 'sleep', '100'])
    context.wait_for(lambda: os.path.exists(out) and 'nanosleep(' in ''.join(lines_of(out)[-1:]), 'the sleep')
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    result = context.finish(process, 60)
    check(result.status == -signal.SIGINT, 'the program died by SIGINT, and so does warp', result)
    check('+++ killed by SIGINT +++' in lines_of(out)[-1], 'the trace holds the end', lines_of(out)[-3:])


def ignored_signals(context):
    """Calls that only a tracer has interrupted are seen once, and end by their timeout."""
    program = os.path.join(context.config.build, 'tests', 'guest', 'sig_ignored_timeout')
    out = context.path('t')
    for which in (['-e', 'epoll_wait,epoll_pwait,rt_sigtimedwait,semtimedop,io_pgetevents'], ['-e', 'getppid'], [],
                  ['-e', 'epoll_wait(timeout == 10)']):
        result = trace(context, '-o', out, *which, program)
        check(result.status == 0 and b'UNEXPECTED' not in result.out, 'on time with %s' % which, result)
        timed = [line for line in lines_of(out) if re.search(r'epoll_p?wait|sigtimedwait|semtimedop|io_pgetevents', line)]
        check(not any('EINTR' in line for line in timed), 'no ends that the program does not see', timed)


def closed_once(context):
    """A close that ended with EINTR of its own is not made again."""
    program = os.path.join(context.config.build, 'tests', 'guest', 'file_fuse')
    for which in ('close', 'getppid'):
        result = trace(context, '-o', context.path('t'), '-e', which, program)
        if result.status == 77:
            raise Skip(result.out.decode().strip())
        check(result.status == 0 and b'UNEXPECTED' not in result.out, 'closed once with %s' % which, result)


def ends_all_the_same(context):
    """A signal ends a call also where another, ignored one has just made the kernel begin it anew."""
    program = os.path.join(context.config.build, 'tests', 'live', 'signals_again')
    count = context.size(5000, 60000)
    for which in (['-e', 'getppid'], []):
        result = trace(context, '-o', context.path('t'), *which, program, str(count))
        check(result.out.decode() == 'signals %d interrupted %d\n' % (count, count), 'none is lost', result)


# ---- expressions ----

def expressions(context):
    script = 'cat /etc/hostname /nonexistent; echo 1 >&2; exit 3'
    result = trace(context, '-qq', '-e', 'write(fd == 2)', 'sh', '-c', script)
    calls = [line for line in result.err.decode().splitlines() if '(' in line and 'SIG' not in line and ' = ' in line]
    check(result.status == 3 and calls and all('write(2, ' in line for line in calls), 'only writes to 2', result)
    result = trace(context, '-qq', '-e', 'openat(errno == ENOENT && filename == "/none*")', 'sh', '-c', script)
    check(re.search(rb'openat\(AT_FDCWD, "/nonexistent", O_RDONLY\) += -1 ENOENT', result.err)
          and b'hostname' not in result.err, 'only the failed open', result)
    for text, says in (('signal=all', 'signals are always shown'), ('inject=read:error=EIO', 'warp intercept -r .*fail'),
                       ('status=failed', 'errno != 0'), ('nothing == 1', "no system call has an argument 'nothing'")):
        result = context.run([context.warp, 'trace', '-e', text, 'true'])
        check(result.status == FAILED and re.search(says.encode(), result.err), text, result)
    both = trace(context, '-qq', '-o', context.path('t'), '-e', 'trace=openat', '-e', 'exit_group', 'true')
    names = {re.sub(r'^\d+ +(\w+)\(.*', r'\1', line) for line in lines_of(context.path('t'))}
    check(names == {'openat', 'exit_group'}, 'both expressions', both)


def programs_with_rules(context):
    """Calls that seccomp rules of the program's own answer are seen, too: in all threads, and in children."""
    program = os.path.join(context.config.build, 'tests', 'live', 'watch_target')
    result = trace(context, '-qq', '-e', 'getppid', program, 'rules')
    calls = [line for line in result.err.decode().splitlines() if 'getppid' in line]
    check(result.status == 5 and len(calls) == 3 and
          all(re.search(r'getppid\(\) += -1 EDOM', line) for line in calls), 'every call', result)


def classes(context):
    """Each class names the calls that strace has in it, as far as strace knows them."""
    context.needs('strace')
    program = os.path.join(context.config.build, 'tests', 'live', 'every_call')
    if not os.path.exists(program):
        raise Skip('%s is not built (-Dguests=true)' % program)

    def names(tracer, expression):
        result = context.must([*tracer, '-e', 'trace=' + expression, program])
        context.check_sanitizers()
        return {name for name in re.findall(r'^(\w+)[(]', result.err.decode(errors='replace'), re.M)
                if not name.startswith('syscall_')}
    known = names(['strace'], 'all')
    check(len(known) > 300, 'nearly all calls', known)
    for each in ('file', 'desc', 'network', 'memory', 'process', 'signal', 'ipc', 'creds', 'clock', 'pure'):
        theirs, mine = names(['strace'], '%' + each), names([context.warp, 'trace'], '%' + each) & known
        check(theirs and theirs == mine, '%%%s: only strace has %s, only warp %s' %
              (each, sorted(theirs - mine), sorted(mine - theirs)), each)


def nothing_else_stops(context):
    """A condition on plain arguments: calls that do not match make no stop (the kernel counts switches)."""
    script = ('import os, resource; before = resource.getrusage(0).ru_nvcsw\n'
              'for _ in range(20000): os.getppid()\n'
              'print(resource.getrusage(0).ru_nvcsw - before)')
    result = trace(context, '-e', 'write(fd == 99)', PYTHON, '-c', script)
    check(result.status == 0 and int(result.out) < 2000, 'fewer than 2000 stops in 20000 calls', result)


# ---- JSON ----

def json_lines(context):
    script = (r"import os; os.write(1, b'\xff\xfe\0\"\\'); os.write(1, 'é'.encode()); os.mkdir(b'\xff'); "
              r"os.kill(os.getpid(), 10)")
    result = trace(context, '--json', '-o', context.path('t'), PYTHON, '-c', script)
    check(result.status == -10, 'killed by SIGUSR1', result)
    with open(context.path('t'), 'rb') as f:
        events = [json.loads(line.decode('utf-8')) for line in f]
    for event in events:
        check({'time_ns', 'pid', 'tid', 'kind'} <= set(event), 'every object has the common members', event)
    writes = [e for e in events if e.get('name') == 'write']
    check(writes[0]['args'][1]['text'] == '\u00ff\u00fe\0"\\' and writes[0]['result'] == 5, 'bytes as they were', writes)
    check(writes[1]['args'][1]['text'] == 'é', 'UTF-8 as it is', writes)
    check(any(e.get('name') == 'openat' and e.get('errno') == 'ENOENT' for e in events), 'errors by name', events[:9])
    check(events[-2]['kind'] == 'signal' and events[-2]['name'] == 'SIGUSR1', 'the signal', events[-2:])
    check(events[-1]['kind'] == 'task-exit' and events[-1]['signal'] == 10, 'the end', events[-1])
    check(events[0]['name'] == 'execve' and events[0]['args'][0]['text'] == PYTHON, 'arguments of the exec', events[0])
    check(all(e['text'].startswith(e['name'] + '(') for e in events if e['kind'] == 'syscall'), 'the line', events[:5])


# ---- stacks ----

def stacks(context):
    context.needs('gcc')
    source = context.write('deep.c', '#include <unistd.h>\n'
                           '__attribute__((noinline)) void inner(void) { getppid(); __asm__(""); }\n'
                           'int main(void) { inner(); return 0; }\n')
    context.must(['gcc', '-O1', '-g', '-o', 'deep', source])
    result = trace(context, '-k', '-e', 'getppid', './deep')
    lines = result.err.decode().splitlines()
    check(re.match(r'getppid\(\) += \d+', lines[0]), 'the call', result)
    frames = [re.fullmatch(r' > (\S+)\((\w*)\S*\) \[0x[0-9a-f]+\]', line) for line in lines[1:4]]
    check(all(frames), 'lines as strace -k has them', result)
    check([f.group(2) for f in frames][1:] == ['inner', 'main'] and frames[2].group(1).endswith('/deep'),
          'inner and main', result)
    lines = trace(context, '-k', '-e', 'execve, getppid', './deep').err.decode().splitlines()
    check(any('(main+' in line for line in lines), 'with files that were mapped after the first stack', lines)
    check(not any(line.startswith('m') for line in lines), 'the calls that mapped them are not shown', lines)
    lines = trace(context, '-k', '-e', 'exit_group', './deep').err.decode().splitlines()
    check(re.match(r'exit_group\(0\) += \?', lines[0]) and lines[1] == '+++ exited with 0 +++',
          'the call that never returns', lines)
    check(re.match(r' > \S+\(_exit\+', lines[2]) and any('exit+' in line for line in lines[3:]),
          'where it was made, after the end', lines)


# ---- wrong use ----

def refusals(context):
    for arguments, status, says in (
            ([], FAILED, 'needs a program'), (['-p', 'x'], FAILED, "'x' is not the id"),
            (['-p', '0'], FAILED, "'0' is not the id"), (['-z5', 'true'], FAILED, "does not know.*'-z'"),
            (['--colour', 'true'], FAILED, 'does not know'), (['-s', '-1', 'true'], FAILED, '-s takes'),
            (['-o'], FAILED, "'-o' needs a value"), (['--json', '-c', 'true'], FAILED, 'not made with --json'),
            (['-e', 'nosuchcall', 'true'], FAILED, 'nosuchcall'), (['-e', 'write(', 'true'], FAILED, '.'),
            (['-o', '/nonexistent/x', 'true'], FAILED, 'cannot open /nonexistent/x'),
            (['-ff', '-o', '/nonexistent/x', 'true'], FAILED, 'cannot open files /nonexistent/x.PID.*No such file'),
            (['-ff', '-c', '-o', 'x', 'true'], FAILED, 'a file for each process'),
            (['-p', '4194304'], FAILED, '4194304'), (['--one-core', '-p', '1'], FAILED, 'one-core'),
            (['nosuchprogram'], NOT_FOUND, 'nosuchprogram')):
        result = trace(context, *arguments)
        said = result.err.decode()
        check(result.status == status and re.search(says, said) and 'warp: ' in said,
              'trace %s should end with %d and say %r' % (arguments, status, says), result)


TESTS = [timestamps, counts, follows_into_file, files_of_their_own, ends_like_program, closed_pipe, full_disk, strings, attach,
         killed_tracer, attach_again, attach_two, attach_stopped, ignored_signals, closed_once, ends_all_the_same,
         interrupt, expressions, programs_with_rules, classes, nothing_else_stops, json_lines, stacks, refusals]


def tests(config):
    found = [Test('trace/' + function.__name__.replace('_', '-'), function) for function in TESTS]
    return found + list(parity_tests(config))
