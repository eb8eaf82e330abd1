"""warp intercept: what rules do, and what the program can see of it.

Each rule's effect is checked by what the program prints or how it ends, on a dynamic and on a static
program, with threads and processes."""

import os
import re

from harness import FAILED, PYTHON, Failure, Skip, Test, own_lines

TESTS = []


def case(function, limit=60):
    TESTS.append(Test('intercept/' + function.__name__.replace('_', '-'), function, limit=limit))
    return function


def tests(_):
    return list(TESTS)


def check(ok, what, result):
    if not ok:
        raise Failure('%s: %s' % (what, result))


def target(context, static=False):
    path = os.path.join(context.config.build, 'tests', 'live', 'intercept_target' + ('_static' if static else ''))
    if not os.path.exists(path):
        raise Skip('%s is not built' % path)
    return path


def intercept(context, rules, argv, status=0, options=(), **more):
    command = [context.warp, 'intercept', *options]
    for rule in rules:
        command += ['-r', rule]
    result = context.run([*command, '--', *argv], **more)
    context.check_sanitizers()
    check(result.status == status, 'should have ended with %s' % status, result)
    return result


def lines(data):
    return data.decode(errors='replace').splitlines()


@case
def exit_at_first_complaint(context):
    """The first write to standard error ends the process with 123; everything before is printed."""
    rule = ['write(fd == 2) => exit(123)']
    for static in (False, True):
        for mode in ('stderr', 'stderr-thread'):
            result = intercept(context, rule, [target(context, static), mode], 123)
            check(result.out == b'before\n' and not result.err, 'before, and nothing else', result)
        result = intercept(context, rule, [target(context, static), 'stderr-fork'], 5)
        check(result.out == b"before\nchild\nthe child's status is 123\nafter\n" and not result.err,
              'the child ends, the parent sees it', result)
    result = intercept(context, rule, [PYTHON, '-c', 'print("before", flush=True); 1/0'], 123)
    check(result.out == b'before\n' and not result.err, 'a Python program', result)
    result = intercept(context, rule, ['ls', '/nonexistent'], 123)
    check(not result.out and not result.err, 'ls', result)


@case
def nothing_seen(context):
    """Registers, the stack below the red zone and the mappings are as if the program's own call had been made."""
    long_path = context.path('l' * 200, 'm' * 200)
    os.makedirs(long_path)
    context.write('there', '')
    rules = ['write(fd == 1 && a3 == 44) => set(count = 6, a3 = 99, a5 = 1)',
             'access(filename == "short") => path("%s")' % os.path.join(context.work, 'there'),
             'access(filename == "long") => path("%s")' % long_path,
             'getppid(a0 == 11) => return(-2000)', 'getuid(a0 == 11) => call(close)',
             'read(fd == 0) => data("four")', 'close(fd == 77) => fail(ENOTTY)']
    for static in (False, True):
        result = intercept(context, rules, [target(context, static), 'intact'])
        same = 'arguments as before, registers as before, 0 bytes changed'
        check(lines(result.out) == [
            'before', 'seven.set: result 6, ' + same, 'path: result 0, ' + same, 'long path: result 0, ' + same,
            'return: result -2000, ' + same, 'call: result -9, ' + same, 'data: result 4, ' + same,
            'fourfail: result -25, ' + same, 'maps: as before', 'after'], 'only the results differ', result)


@case
def results(context):
    script = '''
import os, errno
def attempt(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
print(attempt(os.mkdir, 'one'), attempt(os.mkdir, 'two'), attempt(os.mkdir, 'three'), attempt(os.rmdir, 'one'),
      attempt(os.mkdir, 'one'), attempt(os.mkdir, 'four'), sorted(os.listdir('.')))
'''
    result = intercept(context, ['mkdir(pathname == "t*") => fail(ENOSPC)', 'mkdir => log'],
                       [PYTHON, '-c', script])
    check(result.out == b"None ENOSPC ENOSPC None None None ['four', 'one']\n", 'some calls fail', result)
    logged = lines(result.err)
    check(len(logged) == 3 and all(re.fullmatch(r'\d+ mkdir\("(one|four)", 0777\) += 0', line) for line in logged),
          'a rule behind one that has decided sees nothing', result)
    os.rmdir(os.path.join(context.work, 'one'))
    result = intercept(context, ['mkdir(errno == EEXIST) => after return(0)'], [PYTHON, '-c', script])
    check(result.out == b"None None None None None None ['four', 'one', 'three', 'two']\n",
          'failed calls succeed', result)
    result = intercept(context, ['rmdir(ret == 0) => after fail(EIO)'], ['rmdir', 'one'], 1)
    check(b'Input/output error' in result.err and not os.path.exists(os.path.join(context.work, 'one')),
          'the call was made', result)


@case
def when(context):
    script = 'import os\nfor i in range(10): print(os.getppid() == 7, end=" ")'
    for modifier, expected in (('', '1111111111'), (':once', '1000000000'), (':when=3', '0010000000'),
                               (':when=8+', '0000000111'), (':when=2+3', '0100100100')):
        result = intercept(context, ['getppid => return(7)' + modifier], [PYTHON, '-c', script])
        expected = ''.join('True ' if c == '1' else 'False ' for c in expected)
        check(result.out.decode() == expected, modifier, result)


@case
def memory(context):
    context.write('given', 'given')
    context.write('asked', 'asked')
    for name in ('given', 'asked'):
        os.chmod(os.path.join(context.work, name), 0o644)
    result = intercept(context, ['open*(path == "asked") => path("given")'], ['cat', 'asked'])
    check(result.out == b'given', 'another file', result)
    result = intercept(context, ['read(fd == 0) => data("two\\nlines\\n"):once', 'read(fd == 0) => data("")'], ['cat'])
    check(result.out == b'two\nlines\n', 'made up input', result)
    script = 'print(open("asked").read())'
    result = intercept(context, ['read(buf == "asked*") => after data("A\\0B")'], [PYTHON, '-c', script])
    check(result.out == b'A\0B\n', 'input that was changed', result)
    script = 'import os; print(os.readv(os.open("asked", 0), [bytearray(2), bytearray(20)]), os.uname().nodename)'
    result = intercept(context, ['readv => data("abcdef")'], [PYTHON, '-c', script])
    check(result.out.startswith(b'6 '), 'several buffers', result)
    script = 'import os; os.rename("asked", "there"); print(sorted(os.listdir(".")))'
    result = intercept(context, ['rename => path(newname = "elsewhere")'], [PYTHON, '-c', script])
    check(result.out == b"['elsewhere', 'given']\n", 'the second path', result)
    result = intercept(context, ['execve(filename == "*/false") => path("/bin/echo")'],
                       ['sh', '-c', '/bin/false replaced'])
    check(result.out == b'replaced\n', 'another program', result)


@case
def delay_alone(context):
    for static in (False, True):
        result = intercept(context, ['getppid => delay(300ms)'], [target(context, static), 'delay'])
        check(lines(result.out) == ['before', 'delayed, the other went on', 'after'], 'one waits', result)
        result = intercept(context, ['getppid => after delay(300ms)'], [target(context, static), 'delay'])
        check(lines(result.out) == ['before', 'delayed, the other went on', 'after'], 'one waits', result)


@case
def many_at_once(context):
    context.write('asked', 'asked')
    context.write('given', 'given')
    for static in (False, True):
        result = intercept(context, ['openat(filename == "asked") => path("given"), set(flags = flags | O_CLOEXEC)'],
                           [target(context, static), 'many'])
        check(lines(result.out) == ['before', '0 processes have seen another file', 'after'], 'all calls', result)


@case
def signals(context):
    rule = ['getppid => signal(SIGUSR1)']
    result = intercept(context, rule, [target(context), 'signal'])
    check(lines(result.out) == ['before', '1, code -6, from itself', 'after'], 'as if raised', result)
    result = intercept(context, ['getppid => signal(SIGTERM)'], [target(context), 'signal'], -15)
    check(result.out == b'before\n', 'it dies of it', result)


@case
def interrupted(context):
    """A call that signals interrupt and the kernel makes again is one call: counted once, changed each time."""
    result = intercept(context, ['read(fd == 99) => set(fd = 3), log:once'], [target(context), 'restart'])
    check(lines(result.out) == ['before', 'reading from 3: 1', '1 bytes after 3 signals', 'after'],
          'the read goes on', result)
    check(re.fullmatch(r'\d+ read\(99, "x", 1\) += 1 <rule 1>', lines(result.err)[0]) and len(lines(result.err)) == 1,
          'one line', result)


@case
def programs_with_rules(context):
    """Rules see the calls that seccomp rules of the program's own would answer, and come first."""
    program = os.path.join(context.config.build, 'tests', 'live', 'watch_target')
    result = intercept(context, ['getppid => return(7)'], [program, 'rules'], 5)
    check(result.out == b'first 7\nthread 7\nchild 7\n', 'in all threads', result)


@case
def after_exit(context):
    script = 'import os\nprint("made", flush=True)\nos.mkdir("d")\nprint("never")'
    result = intercept(context, ['mkdir(ret == 0) => after exit(9)'], [PYTHON, '-c', script], 9)
    check(result.out == b'made\n' and os.path.isdir(os.path.join(context.work, 'd')), 'after the call', result)


@case
def files_and_logs(context):
    rules = context.write('rules', '# comment\n\n  mkdir => log\nrmdir => log, fail(EBUSY)\nexit_group => log\n')
    result = intercept(context, (), ['sh', '-c', 'mkdir d; rmdir d'], 1, options=['-f', rules, '-o', 'log'])
    with open(os.path.join(context.work, 'log')) as f:
        log = [re.sub(r'^\d+ ', '', line) for line in f.read().splitlines()]
    check([re.sub(' +=', ' =', line) for line in log] == [
        'mkdir("d", 0777) = 0', 'exit_group(0) = ?', 'rmdir("d") = -1 EBUSY (Device or resource busy) <rule 2>',
        'exit_group(1) = ?', 'exit_group(1) = ?'], 'the log', log)
    for text, says in (('mkdir => log\nreed => log\n', r'rules, line 2: .*do you mean .read'), ):
        bad = context.write('rules', text)
        result = context.run([context.warp, 'intercept', '-f', bad, 'true'])
        check(result.status == FAILED and re.search(says, result.err.decode()), says, result)


@case
def mistakes(context):
    for argv, says in (([], 'needs a program'), (['-r', 'read => log'], 'needs a program'), (['true'], 'needs a rule'),
                       (['-x', 'true'], "does not know the option '-x'"), (['-r'], "'-r' needs a value"),
                       (['-f', 'nowhere', 'true'], 'cannot read the rules in nowhere: No such file'),
                       (['-r', 'read => set(fdd = 1)', 'true'], "read has no argument 'fdd'")):
        result = context.run([context.warp, 'intercept', *argv])
        check(result.status == FAILED and result.err.startswith(b'warp: ') and says in result.err.decode(), says, result)
    result = context.run([context.warp, 'intercept', '-r', 'read => log', 'no-such-program'])
    check(result.status == 127 and len(own_lines(result.err)[0]) == 1, 'not found', result)
