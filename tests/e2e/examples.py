"""The examples of what can be built on libwarp."""

import os
import shutil

from harness import Failure, Skip, Test

TESTS = []


def case(function, limit=60):
    TESTS.append(Test('examples/' + function.__name__.replace('_', '-'), function, limit=limit))
    return function


def tests(_):
    return list(TESTS)


def linker():
    """LLVM's linker for Mach-O, under one of its names."""
    names = [shutil.which('ld64.lld')] + ['/usr/bin/ld64.lld-%d' % n for n in range(11, 30)]
    for name in names:
        if name and os.path.exists(name):
            return name
    raise Skip('ld64.lld (Debian: lld) is not installed')


@case
def translator(context):
    """A program for Darwin prints hello and ends with 7, all its calls translated."""
    context.needs('clang')
    built = os.path.join(context.config.build, 'examples', 'translator')
    if not os.path.exists(os.path.join(built, 'translator')):
        raise Skip('%s is not built' % built)
    source = os.path.join(context.config.root, 'examples', 'translator', 'foreign.c')
    context.must(['clang', '--target=x86_64-apple-macos11', '-O1', '-Wall', '-Werror', '-ffreestanding',
                  '-fno-stack-protector', '-c', source, '-o', 'foreign.o'])
    context.must([linker(), '-arch', 'x86_64', '-platform_version', 'macos', '11.0', '11.0', '-e', '_start',
                  '-o', 'foreign', 'foreign.o'])
    left = sorted(os.listdir(context.work))
    loader = os.path.join(built, 'loader')
    result = context.run([os.path.join(built, 'translator'), loader, 'foreign'])
    if (result.status, result.out, result.err) != (7, b'hello\n', b'') or sorted(os.listdir(context.work)) != left:
        raise Failure('it should print hello, end with 7 and leave nothing behind: %s' % result)
    alone = context.run([loader, 'foreign'])
    if alone.status == 7 or alone.out:
        raise Failure('without translation it cannot work: %s' % alone)
    for content, says in ((b'\x7fELF', b'no Mach-O'), (open(os.path.join(context.work, 'foreign'), 'rb').read()[:200],
                                                       b'beyond the file')):
        context.write('broken', content)
        result = context.run([os.path.join(built, 'translator'), loader, 'broken'])
        if result.status != 126 or says not in result.err:
            raise Failure('a file that is broken is refused: %s' % result)
    context.check_sanitizers()
