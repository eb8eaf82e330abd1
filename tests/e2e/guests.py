"""The guest programs (tests/guest), each run natively, recorded, and replayed without its files.

A guest says in its first comment how it ends and what it wants (tests/guest/guest.h):
	guest: status N         its exit status (0)
	guest: signal SIGX      the signal that kills it
	guest: args ONE TWO     its arguments
	guest: stdin TEXT       its standard input, with C's escapes; a newline is added (empty)
	guest: needs OTHER      another guest that lies beside it when it runs
	guest: limit SECONDS    how long all of its runs may take together (60)
NAME_static is the same program linked statically. A guest reports what went wrong as a line with the word UNEXPECTED, and exits with 77 after printing what
it misses when it cannot run here."""

import os
import re
import shutil
import signal

from harness import Failure, Skip, Test, c_text

HEADER = re.compile(r'^[ \t/]*\*[ \t]*guest:[ \t]*(\w+)[ \t]*(.*?)[ \t]*(?:\*/)?[ \t]*$', re.M)
KEYS = {'status', 'signal', 'args', 'stdin', 'needs', 'limit'}
SKIPPED = 77


class Guest:
    def __init__(self, source, suffix=''):
        self.name = os.path.basename(source)[:-2] + suffix
        with open(source, errors='replace') as f:
            said = HEADER.findall(''.join(f.readlines()[:40]))
        self.unknown = [key for key, _ in said if key not in KEYS]
        said = dict(said)
        self.ends = int(said.get('status', 0))
        if 'signal' in said:
            self.ends = -getattr(signal, said['signal'])
        self.args = said.get('args', '').split()
        self.stdin = c_text(said['stdin']) + b'\n' if 'stdin' in said else None
        self.needs = said.get('needs', '').split()
        self.limit = int(said.get('limit', 60))


def tests(config):
    directory = os.path.join(config.root, 'tests', 'guest')
    built = os.path.join(config.build, 'tests', 'guest')
    found = []
    for name in sorted(os.listdir(directory)):
        if name.endswith('.c'):
            with open(os.path.join(directory, name), errors='replace') as f:
                if re.search(r'^\s*(?:int|void)\s+main\s*\(', f.read(), re.M):
                    guest = Guest(os.path.join(directory, name))
                    found.append(Test('guest/' + guest.name, run(config, guest), limit=guest.limit))
            if os.path.exists(os.path.join(built, name[:-2] + '_static')):
                guest = Guest(os.path.join(directory, name), '_static')
                found.append(Test('guest/' + guest.name, run(config, guest), limit=guest.limit))
    return found


def check_run(guest, what, result):
    """A native or recorded run of a guest. Lets the test be skipped when the guest says so."""
    if result.status == SKIPPED and guest.ends != SKIPPED:
        lines = (result.out + result.err).decode(errors='replace').strip().splitlines()
        raise Skip(lines[-1] if lines else 'the guest gave no reason')
    if result.status != guest.ends:
        raise Failure('%s: should have ended with %d: %s' % (what, guest.ends, result))
    if b'UNEXPECTED' in result.out + result.err:
        raise Failure('%s: %s' % (what, result))


def run(config, guest):
    def test(context):
        if guest.unknown:
            raise Failure('unknown words after "guest:": %s' % ', '.join(guest.unknown))
        built = os.path.join(config.build, 'tests', 'guest')
        for name in [guest.name] + guest.needs:
            if not os.path.exists(os.path.join(built, name)):
                raise Failure('%s is not built: it should be in %s' % (name, built))

        def command():
            """A fresh working directory with the program in it; the command line."""
            context.spoil()
            for name in [guest.name] + guest.needs:
                shutil.copy2(os.path.join(built, name), os.path.join(context.work, name))
            return [os.path.join(context.work, guest.name)] + guest.args

        check_run(guest, 'native run', context.run(command(), input=guest.stdin, limit=guest.limit))
        recording = context.record(command(), ends=None, input=guest.stdin, limit=guest.limit)
        if recording.result.status != SKIPPED or guest.ends == SKIPPED:
            check_run(guest, 'recorded run', recording.result)
        elif not any(b'not supported' in n or b'answered' in n for n in recording.notices):
            raise Failure('recorded, it cannot do what it can natively, and warp does not say why: %s' %
                          recording.result)
        context.spoil()
        context.replay(recording, limit=guest.limit)
    return test
