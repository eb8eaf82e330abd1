"""warp watch: the three methods find the same calls, and the actions do what they say."""

import os
import re
import signal

from harness import FAILED, Failure, Skip, Test, stat_fields

TESTS = []
METHODS = ('bpf', 'syscall', 'step')
LARGE = 'mmap(len >= 0x80000 && prot & PROT_EXEC && flags & MAP_ANONYMOUS)'


def case(function, limit=120):
    TESTS.append(Test('watch/' + function.__name__.replace('_', '-'), function, limit=limit))
    return function


def tests(_):
    return list(TESTS)


def check(ok, what, result):
    if not ok:
        raise Failure('%s: %s' % (what, result))


def target(context, static=False):
    path = os.path.join(context.config.build, 'tests', 'live', 'watch_target' + ('_static' if static else ''))
    if not os.path.exists(path):
        raise Skip('%s is not built' % path)
    return path


def watch(context, expression, argv, status=0, options=(), **more):
    """(how it ended, the reports)"""
    context.count += 1
    output = context.path('reports%d' % context.count)
    result = context.run([context.warp, 'watch', *options, '-o', output, expression, '--', *argv], **more)
    context.check_sanitizers()
    check(result.status in (status if isinstance(status, tuple) else (status,)), 'should have ended with %s' % (status,), result)
    check(not result.err, 'nothing on standard error', result)
    with open(output) as f:
        return result, f.read().splitlines()


def reports(lines):
    """(call, result) of each line, without thread ids."""
    found = []
    for line in lines:
        match = re.fullmatch(r'\d+ (\w+\(.*\)) += (.*)', line)
        if not match:
            raise Failure('no report: %r' % line)
        found.append(match.groups())
    return found


@case
def large_mapping(context):
    """Of hundreds of mappings the large one is found, with the address that the program sees itself."""
    seen = []
    for static in (False, True):
        for method in METHODS:
            result, lines = watch(context, 'mmap(len >= 0x80000 && prot & PROT_WRITE && flags & MAP_ANONYMOUS)'
                                  if static else LARGE, [target(context, static), 'large'], 7,
                                  ['--method=' + method])
            printed = re.search(rb'^large at (0x[0-9a-f]+)\n42 42\n$', result.out, re.M)
            check(printed, 'it runs as without us', result)
            check(len(lines) == 1 and '-1, 0) = 0x' in lines[0], 'one report by ' + method, lines)
            check(reports(lines)[0][1] == printed.group(1).decode(), 'the address by ' + method, (lines, result))
            seen.append(reports(lines)[0][0])
    check(len(set(seen)) == 1, 'the same call by all methods', seen)


@case
def break_in_the_mapping(context):
    """A breakpoint in memory that is still empty, and is written before it is executed."""
    for method in METHODS:
        result, lines = watch(context, LARGE, [target(context), 'large'], 7,
                              ['--method=' + method, '--then', 'break result+0x1000'])
        address = int(re.search(rb'large at (0x[0-9a-f]+)', result.out).group(1), 16)
        check(len(lines) == 2, 'the call, and the place', lines)
        thread = lines[0].split()[0]
        check(lines[1] == '%s reached %#x' % (thread, address + 0x1000), 'the exact place', (lines, result))
        check(result.out.endswith(b'42 42\n'), 'the program goes on', result)


@case
def everywhere(context):
    """Handlers, threads, children, programs executed by those."""
    for method in METHODS:
        result, lines = watch(context, LARGE, [target(context), 'everywhere'], 0, ['--method=' + method])
        printed = [line.split() for line in result.out.decode().splitlines()]
        check([name for name, _ in printed] == ['handler', 'thread', 'child', 'execed', 'parent'],
              'all were there', result)
        check([address for _, address in printed] == [r for _, r in reports(lines)], method, (lines, result))
        check(len({line.split()[0] for line in lines}) == 4, 'four threads', lines)


@case
def stepping_is_not_seen(context):
    native = context.run([target(context), 'shown'])
    check(native.status == -signal.SIGTERM and
          native.out == b'copied 1, trap flag: pushed 0, short 0, by a call 0, in a handler 0\n', 'natively', native)
    result, lines = watch(context, LARGE, [target(context), 'shown'], -signal.SIGTERM, ['--method=step'])
    check(not lines and result.out == native.out, 'the same', (native, result))


@case
def what_is_reported(context):
    """Failed calls only where the expression is about results; exec when it has succeeded, exit before."""
    script = 'test -e nowhere; test -e /; exec /bin/true'
    for method in METHODS:
        option = ['--method=' + method]
        _, lines = watch(context, '(newfstatat, stat)(path == "nowhere")', ['sh', '-c', script], 0, option)
        check(not lines, 'a failed call', lines)
        _, lines = watch(context, '(newfstatat, stat)(path == "nowhere" && errno == ENOENT)', ['sh', '-c', script], 0, option)
        check(len(lines) == 1 and '= -1 ENOENT' in lines[0], 'asked for', lines)
        _, lines = watch(context, 'execve, exit_group', ['sh', '-c', script], 0, option)
        check([re.sub('[(].*[)]', '()', c) + ' ' + r for c, r in reports(lines)] ==
              ['execve() 0', 'execve() 0', 'exit_group() ?'] and '"/bin/true"' in lines[1], method, lines)


@case
def programs_with_rules(context):
    """Calls that seccomp rules of the program's own answer are seen, too: in all threads, and in children."""
    for method in METHODS:
        result, lines = watch(context, 'getppid(ret < 0)', [target(context), 'rules'], 5, ['--method=' + method])
        check(result.out == b'first -1\nthread -1\nchild -1\n', 'the program', result)
        check([r for _, r in reports(lines)] == ['-1 EDOM (Numerical argument out of domain)'] * 3, method, lines)


@case
def written_code(context):
    """Code that a file gets while it is mapped makes calls that are found."""
    for method in METHODS:
        _, lines = watch(context, 'getppid', [target(context), 'written'], 6, ['--method=' + method])
        check(len(lines) == 2, 'the written one, and that of libc, by ' + method, lines)


def steps_target(context):
    return os.path.join(os.path.dirname(target(context)), 'watch_steps')


@case
def restartable_sequences(context):
    """A thread that the kernel sends to an abort handler, past where it would have been stopped, is not lost."""
    result, lines = watch(context, 'getppid', [steps_target(context), 'sequence'], (0, 77), ['--method=step'])
    if result.status == 77:
        raise Skip('no restartable sequences in this C library')
    check(int(result.out) == 20 == len(lines), 'each stop aborts one', (result, lines))


@case
def without_debug_registers(context):
    """Where rules forbid to set them (POKEUSER), or to ask for sequences, all is stepped, and found."""
    seen = []
    for number in (0xffff, 6, 0x420f):
        output = context.path('refused%d' % number)
        result = context.run([steps_target(context), 'refuse', str(number), context.warp, 'watch', '--method=step', '-o', output,
                              'execve, clone, clone3, exit, exit_group, mmap(len >= 0x10000)', '--',
                              target(context, True), 'everywhere'])
        check(result.status == 0 and not result.err, 'runs as ever', result)
        with open(output) as f:
            seen.append(sorted(call.split('(')[0] for call, _ in reports(f.read().splitlines())))
    check(len(seen[0]) > 10 and seen[0] == seen[1] == seen[2], 'the same calls', seen)


@case
def the_first_exec(context):
    """The exec that starts the program is one like others, whatever is done then."""
    for method in METHODS:
        option = ['--method=' + method]
        _, lines = watch(context, 'execve', ['/bin/true', 'one'], 0, option)
        check(len(lines) == 1 and re.fullmatch(r'\d+ execve\("/bin/true", \["/bin/true", "one"\], .*\) += 0', lines[0]),
              method, lines)
        result, lines = watch(context, 'execve', ['sh', '-c', 'echo here; exec /bin/true'], 0, [*option, '--count=1'])
        check(len(lines) == 1 and result.out == b'here\n', 'the first of two by ' + method, (lines, result))
        result, lines = watch(context, 'execve', ['/bin/echo', 'then'], 0,
                              [*option, '--then=exec cat /proc/$WARP_PID/comm', '--count=1'])
        check(len(lines) == 1 and result.out == b'echo\nthen\n', 'a command at the first exec', (lines, result))
        _, lines = watch(context, 'execve', ['/bin/true'], 0, [*option, '--then=regs'])
        check(len(lines) > 10 and any(' rip ' in line for line in lines[1:]), 'the registers', lines)
        result = context.run([context.warp, 'watch', *option, 'execve', '--', context.path('none')])
        check(result.status == 127 and result.err.startswith(b'warp: cannot run '), 'no such program', result)


@case
def count(context):
    for method in METHODS:
        result, lines = watch(context, LARGE, [target(context), 'once'], 3, ['--method=' + method])
        check(len(lines) == 2, 'both', lines)
        result, lines = watch(context, LARGE, [target(context), 'once'], 3, ['--method=' + method, '--count=1'])
        first = re.match(rb'first (0x[0-9a-f]+)\nsecond ', result.out).group(1).decode()
        check([r for _, r in reports(lines)] == [first], 'the first', (lines, result))


@case
def registers(context):
    for method in METHODS:
        result, lines = watch(context, LARGE, [target(context), 'once'], 3,
                              ['--method=' + method, '--then=regs', '--count=1'])
        first = int(re.match(rb'first (0x[0-9a-f]+)', result.out).group(1), 16)
        check(all(re.fullmatch(r'\d+ +\w+ +0x[0-9a-f]{16}', line) for line in lines[1:]), 'all alike', lines)
        values = {line.split()[1]: int(line.split()[2], 16) for line in lines[1:]}
        check(values.get('rax') == first and values.get('rsi') == 0x88000 and 'rip' in values, method, lines)


@case
def command(context):
    script = 'grep -c "^${WARP_RESULT#0x}-" /proc/$WARP_PID/maps; grep State: /proc/$WARP_PID/status; echo $WARP_TID'
    for method in METHODS:
        result, lines = watch(context, LARGE, [target(context), 'once'], 3,
                              ['--method=' + method, '--then', 'exec ' + script, '--count=1'])
        check(re.match(rb'1\nState:\tt [(]tracing stop[)]\n%s\nfirst' % lines[0].split()[0].encode(), result.out),
              'the command sees the mapping, and the process waits', (lines, result))


@case
def left_stopped(context):
    for method in ('syscall', 'step'):
        process = context.start([context.warp, 'watch', '--method=' + method, '--then=stop', LARGE, '--',
                                 target(context), 'once'])
        pid = int(context.wait_for_text(process, rb'^process (\d+) is stopped$').group(1))
        check(stat_fields(pid)[1] == 'T', 'it is stopped', stat_fields(pid))
        with open('/proc/%d/status' % pid) as f:
            check('TracerPid:\t0\n' in f.read(), 'nobody traces it', pid)
        with open(process.out_path) as f:
            check(f.read() == '', 'it has not gone on', pid)
        os.kill(pid, signal.SIGCONT)
        result = context.finish(process, 20)
        check(result.status == 3 and re.fullmatch(rb'first 0x\w+\nsecond 0x\w+\n', result.out), 'it goes on', result)
        check(len(result.err.splitlines()) == 2, 'one report', result)


@case
def left_stopped_at_once(context):
    for method in ('syscall', 'step'):
        process = context.start([context.warp, 'watch', '--method=' + method, '--then=stop', 'execve', '--',
                                 '/bin/echo', 'here'])
        pid = int(context.wait_for_text(process, rb'^process (\d+) is stopped$').group(1))
        check(os.readlink('/proc/%d/exe' % pid).endswith('/echo'), 'behind its exec', pid)
        os.kill(pid, signal.SIGCONT)
        result = context.finish(process, 20)
        check(result.status == 0 and result.out == b'here\n', 'it goes on', result)


@case
def in_gdb(context):
    context.needs('gdb')
    script = 'gdb -batch -nx -ex "printf \\"at %#lx\\\\n\\", \\$rax" -ex detach -ex quit'
    result = context.run([context.warp, 'watch', '--then', script, LARGE, '--', target(context), 'once'])
    address = re.search(rb'at (0x[0-9a-f]+)\n', result.out)
    check(result.status == 3 and address, 'gdb prints the result', result)
    check(re.search(rb'first %s\nsecond' % address.group(1), result.out), 'which the program sees, too', result)


@case
def ends(context):
    """The program's own end is warp's, and signals for us are for it."""
    for method in METHODS:
        result, _ = watch(context, LARGE, ['sh', '-c', 'kill -SEGV $$'], -signal.SIGSEGV, ['--method=' + method])
        process = context.start([context.warp, 'watch', '--method=' + method, LARGE, '--', target(context), 'wait'])
        context.wait_for_text(process, rb'^ready\n')
        process.terminate()
        result = context.finish(process, 60)
        check(result.status == 9, method, result)


@case
def words_in_any_order(context):
    """Options before the expression and behind it, with and without --."""
    program = ['sh', '-c', 'exec test -e /', '-c']
    for words in (['-o', 'out', 'exit_group', '--', *program], ['exit_group', '-o', 'out', '--', *program],
                  ['--count=1', 'exit_group', '-o', 'out', *program], ['-o', 'out', '--', 'exit_group', '--', *program],
                  ['-o', 'out', '--', 'exit_group', *program]):
        result = context.must([context.warp, 'watch', *words])
        with open(os.path.join(context.work, 'out')) as f:
            check(re.fullmatch(r'\d+ exit_group\(0\) += \?\n', f.read()), 'one report', result)
        os.unlink(os.path.join(context.work, 'out'))


@case
def mistakes(context):
    for argv, says in (([], 'needs an expression'), (['read'], 'needs a program'), (['reed', '--', 'true'], "mean 'read'"),
                       (['--method=magic', 'read', '--', 'true'], 'take bpf, syscall or step'),
                       (['--then=explode', 'read', '--', 'true'], "does not know 'explode'"),
                       (['--then=break', 'read', '--', 'true'], "'break' takes an address"),
                       (['--then', 'break here', 'read', '--', 'true'], 'result+OFF'),
                       (['--then', 'stop it', 'read', '--', 'true'], "'stop' takes nothing"),
                       (['--method=bpf', '--then=gdb', 'read', '--', 'true'], 'seccomp program cannot be let go'),
                       (['--count=0', 'read', '--', 'true'], 'a number from 1 on'),
                       (['read', '--count=0', '--', 'true'], 'a number from 1 on'),
                       (['-x', 'read', '--', 'true'], "does not know the option '-x'"),
                       (['--count'], "'--count' needs a value"), (['-o', '/no/where', 'read', '--', 'true'], '/no/where')):
        result = context.run([context.warp, 'watch', *argv])
        check(result.status == FAILED and result.err.startswith(b'warp: ') and says in result.err.decode(), says, result)
    result = context.run([context.warp, 'watch', 'read', '--', 'no-such-program'])
    check(result.status == 127, 'not found', result)
