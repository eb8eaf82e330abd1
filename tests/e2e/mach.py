"""compat/mach: programs written for <mach/mach.h> are compiled unchanged and print true values."""

import glob
import os
import re
import subprocess

from harness import Failure, Skip, Test, stat_fields

TESTS = []
# As somebody would compile it; the interface's own words only.
FLAGS = ['-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-pthread']


def case(function, limit=60):
    TESTS.append(Test('mach/' + function.__name__.replace('_', '-'), function, limit=limit))
    return function


def tests(_):
    return list(TESTS)


def check(ok, what, result=''):
    if not ok:
        raise Failure('%s: %s' % (what, result))


def program(context, name):
    path = os.path.join(context.config.build, 'tests', 'live', name)
    if not os.path.exists(path):
        raise Skip('%s is not built (-Dguests=true)' % path)
    return path


def check_child(result):
    """The output of mach_child: what the child has loaded."""
    out = result.out.decode()
    check(result.status == 0 and out.endswith('the child has ended\n'), 'it ends well', result)
    check('threads 1\nflavor 4 count 42\n' in out, 'one thread, a 64-bit state', result)
    values = {name: int(value, 16) for name, value in re.findall(r'\b(r\w+) (0x[0-9a-f]+)', out)}
    expected = {'rax': 1, 'rbx': 0x1111111111111111, 'rdx': 1, 'r12': 0x2222222222222222, 'r13': 0x3333333333333333,
                'r14': 0x4444444444444444, 'r15': 0x5555555555555555}
    check(all(values.get(name) == value for name, value in expected.items()), 'the values of the child', result)
    check(values['rip'] - values['rcx'] in range(4), 'the loop behind its system call', result)


@case
def child(context):
    check_child(context.run([program(context, 'mach_child')], limit=30))


@case
def every_call(context):
    result = context.run([program(context, 'mach_checks')], limit=50)
    names = result.out.decode().split('\n')[:-1]
    check(result.status == 0 and names[-1:] == ['end'] and len(names) == 11, 'all checks', result)


@case
def compiled_unchanged(context):
    """With nothing but the headers, the archive and the library."""
    archive = os.path.join(context.config.build, 'compat', 'mach', 'libwarpmach.a')
    if not os.path.exists(archive):
        raise Skip('%s (the copy for an ordinary user has the programs only)' % archive)
    context.needs('gcc')
    include = os.path.join(context.config.root, 'compat', 'mach', 'include')
    source = os.path.join(context.config.root, 'tests', 'live', 'mach_child.c')
    binary = os.path.join(context.work, 'child')
    for standard in ('gnu99', 'gnu17'):
        context.must(['gcc', '-std=' + standard, *FLAGS, '-I', include, '-o', binary, source, archive,
                      '-L', context.config.build, '-lwarp', '-Wl,-rpath,' + context.config.build])
        check_child(context.run([binary], limit=30))


@case
def headers(context):
    """Each compiles alone and twice, in C and, where there is a compiler, in C++."""
    context.needs('gcc')
    include = os.path.join(context.config.root, 'compat', 'mach', 'include')
    found = sorted(glob.glob(include + '/mach/**/*.h', recursive=True))
    check(len(found) > 20, 'the headers', found)
    compilers = [['gcc', '-std=c99', '-x', 'c']]
    if not subprocess.run(['gcc', '-x', 'c++', '-fsyntax-only', '/dev/null'], stderr=subprocess.DEVNULL).returncode:
        compilers.append(['gcc', '-std=c++11', '-x', 'c++'])
    for header in found:
        name = os.path.relpath(header, include)
        source = context.write('alone.c', '#include <%s>\n#include <%s>\n' % (name, name))
        for compiler in compilers:
            context.must([*compiler, '-Wall', '-Wextra', '-Werror', '-I', include, '-fsyntax-only', source])


@case
def refusals(context):
    """KERN_FAILURE as Mach says it, and why, in words."""
    ask = program(context, 'mach_checks')

    def refused(pid, says):
        result = context.run([ask, str(pid)])
        context.say(result.out.decode().rstrip())
        check(re.match(r'5 \(os/kern\) failure: .*(%s)' % says, result.out.decode()), 'refused and explained', result)
    refused(0, 'process')
    refused(2 ** 31 - 1, 'no such process')
    for pid in filter(str.isdigit, os.listdir('/proc')):
        fields = stat_fields(int(pid))
        if fields and fields[0] == 2:
            refused(pid, 'kernel thread')
            break
    if os.geteuid():
        refused(1, 'user')
    sleeper = context.start(['sleep', '1000'])
    result = context.run([ask, str(sleeper.pid)])
    check(result.out.startswith(b'0 (os/kern) successful'), 'what is allowed', result)
    tracer = context.start([context.warp, 'trace', '-o', '/dev/null', '-p', str(sleeper.pid)])
    context.wait_for_text(tracer, rb'attached')
    refused(sleeper.pid, 'traced')
    for process in (tracer, sleeper):
        process.terminate()
        process.wait()
