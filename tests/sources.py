"""Tests of the sources themselves: who includes whom, headers that compile alone, manual pages."""

import glob
import os
import re
import subprocess

import layers
from harness import Failure, Skip, Test

FLAGS = ['-std=gnu17', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Wshadow', '-Wstrict-prototypes',
         '-Wvla', '-Werror', '-D_GNU_SOURCE', '-DWARP_VERSION="test"']


def tests(config):
    root = config.root

    def who_includes_whom(_):
        problems = layers.problems(root)
        if problems:
            raise Failure('\n'.join(problems))

    def checker_sees(context):
        layers.self_test(context.work)

    def headers(context):
        found = sorted(glob.glob(root + '/src/**/*.h', recursive=True) + glob.glob(root + '/agent/**/*.h', recursive=True) +
                       glob.glob(root + '/include/**/*.h', recursive=True))
        if not found:
            raise Failure('no headers found')
        failed = []
        for header in found:
            # Twice: the guard has to work, too.
            source = context.write('alone.c', '#include "%s"\n#include "%s"\n' % (header, header))
            done = subprocess.run(['gcc', *FLAGS, '-I', root + '/src', '-I', root + '/include', '-I', root,
                                   '-fsyntax-only', source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                failed.append(os.path.relpath(header, root) + ':\n' + done.stdout.decode(errors='replace'))
        source = context.write('alone.cc', '#include <warp/tracer.h>\nint main() { return *warp_error(); }\n')
        done = subprocess.run(['g++', '-Wall', '-Wextra', '-Werror', '-I', root + '/include', '-fsyntax-only', source],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            failed.append('include/warp/tracer.h as C++:\n' + done.stdout.decode(errors='replace'))
        print('%d headers' % len(found))
        if failed:
            raise Failure('these do not compile alone:\n' + '\n'.join(failed))

    def manual(context):
        pages = sorted(glob.glob(root + '/docs/warp*.1'))
        if not pages:
            raise Failure('no manual pages')
        context.needs('groff')
        for page in pages:
            done = subprocess.run(['groff', '-man', '-Tutf8', '-ww', '-rLL=78n', page],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            text = re.sub('\x1b\\[[0-9;]*m|.\x08', '', done.stdout.decode())
            if done.returncode or done.stderr:
                raise Failure('%s: groff says: %s' % (page, done.stderr.decode()))
            name = os.path.basename(page)[:-2]
            for section in ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'SEE ALSO'):
                if not re.search('^%s$' % section, text, re.M):
                    raise Failure('%s has no section %s' % (page, section))
            if not re.search(r'^\s+%s [-\u2010\u2013\u2014]' % name.replace('-', '[-\u2010]'), text, re.M):
                raise Failure('%s: the section NAME does not name %s' % (page, name))

    def page_of_each_command(context):
        listed = context.run([context.warp, 'help'])
        commands = re.findall(r'^  +([a-z]+)(?= )', listed.out.decode(), re.M)
        if listed.status or 'record' not in commands or 'replay' not in commands:
            raise Failure('no commands found in: %s' % listed)
        lacking = [c for c in commands if c not in ('help', 'version') and
                   not os.path.exists('%s/docs/warp-%s.1' % (root, c))]
        if lacking:
            raise Failure('no manual page: ' + ', '.join(lacking))

    def call_numbers(_):
        """What is special about a system call is said by the table's columns and handlers. (src/tracee/spawn.c
        looks for the exec of its own child, before the program; and libwarp has no table.)"""
        test = re.compile(r'[=!]=\s*(?:SYS|__NR)_\w+|(?:SYS|__NR)_\w+\s*[=!]=|\bcase\s+(?:SYS|__NR)_\w+|->nr\s*[=!]=\s*\d')
        found = ['%s:%d: %s' % (path, number, line.strip())
                 for path, text in layers.sources(root) if path.endswith(('.c', '.h')) and path != 'src/tracee/spawn.c'
                 for number, line in enumerate(layers.strip(text).splitlines(), 1) if test.search(line)]
        if found:
            raise Failure('system calls that are told apart by their numbers:\n' + '\n'.join(found))

    def scripts(_):
        for script in ('scripts/deps', 'scripts/demo', '.ci/run'):
            subprocess.run(['sh', '-n', os.path.join(root, script)], check=True)

    def formatting(context):
        context.needs('clang-format')
        version = subprocess.run(['clang-format', '--version'], stdout=subprocess.PIPE).stdout.decode()
        if 'version 14.' not in version:
            raise Skip('clang-format 14 (another version decides otherwise): ' + version.strip())
        files = [f for d in ('src', 'agent', 'include', 'compat', 'tests', 'bench', 'examples')
                 for f in glob.glob('%s/%s/**/*.[ch]' % (root, d), recursive=True)]
        done = subprocess.run(['clang-format', '--dry-run', '-Werror', *files], cwd=root,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            names = sorted(set(re.findall(r'^(\S+?):\d+:\d+: error', done.stdout.decode(), re.M)))
            raise Failure('clang-format would change: ' + ' '.join(os.path.relpath(n, root) for n in names))

    return [Test('source/layers', who_includes_whom), Test('source/layers-checker', checker_sees),
            Test('source/headers', headers, limit=180), Test('source/manual', manual),
            Test('source/manual-complete', page_of_each_command), Test('source/call-numbers', call_numbers),
            Test('source/scripts', scripts), Test('source/format', formatting)]
