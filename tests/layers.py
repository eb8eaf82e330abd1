#!/usr/bin/python3
"""Who may include whom, and where an architecture may be named. tests/layers.py prints what is wrong.

The rooms of src/ are in layers: a room may include the rooms that its row names, and itself. The same
rows are drawn in docs/architecture.md."""

import os
import re
import sys

BASE = {'util', 'abi'}
LOW = BASE | {'arch', 'syscalls', 'expr', 'trace'}
MIDDLE = LOW | {'tracee', 'softpmu'}
ALLOWED = {
    'util': set(),
    'abi': set(),
    # Of arch/, others see only arch/arch.h: ALLOWED_HEADERS.
    'arch': BASE | {'arch'},
    'syscalls': BASE | {'arch'},
    'expr': BASE | {'arch', 'syscalls'},
    'trace': BASE | {'arch'},
    'tracee': LOW,
    'softpmu': LOW | {'tracee'},
    'record': MIDDLE,
    'replay': MIDDLE,
    'timeline': MIDDLE | {'replay'},
    'live': MIDDLE,
    'gdb': MIDDLE | {'replay', 'timeline', 'live'},
    'cmd': MIDDLE | {'record', 'replay', 'timeline', 'live', 'gdb'},
}
ALLOWED_HEADERS = {'arch': {'arch/arch.h'}}
AGENT = {'abi', 'agent'}

# Names of x86-64 that only src/arch/x86_64 and agent may use.
MACHINE = re.compile(r'\b(__x86_64__|__amd64__|orig_rax|r[abcd]x|r[sd]i|r[sbi]p|r(?:8|9|1[0-5])|eflags|'
                     r'ORIG_RAX|R[ABCD]X|R[SD]I|R[SBI]P|EFLAGS|user_regs_struct|user_fpregs_struct)\b')
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def strip(text):
    """Source without comments and string literals, line structure kept."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def sources(root):
    for top in ('src', 'agent'):
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h', '.S', '.def')):
                    path = os.path.join(directory, name)
                    with open(path, encoding='utf-8', errors='replace') as f:
                        yield os.path.relpath(path, root), f.read()


# Made by the build, where the agent is compiled.
GENERATED = {'agent_blob.h'}


def resolve(root, path, target):
    """The path below src/ (or agent/...) that an include names, or None if it is nobody's."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), target))
    for candidate in (os.path.join('src', target), target, beside):
        if os.path.exists(os.path.join(root, candidate)):
            return os.path.normpath(candidate)
    return None


def include_problem(root, path, target):
    if target in GENERATED:
        return None
    to = resolve(root, path, target)
    if to is None:
        return 'includes "%s", which is not there' % target
    if to.startswith('include/'):
        return None
    to_room = to.split('/')[1] if to.startswith('src/') else 'agent'
    if path.startswith('agent/'):
        return None if to_room in AGENT else 'the agent includes "%s"' % target
    room = path.split('/')[1]
    if room == to_room:
        return None
    if room not in ALLOWED:
        return 'is in a room that tests/layers.py does not know'
    if to_room not in ALLOWED[room]:
        return '%s may not include "%s"' % (room, target)
    if to_room in ALLOWED_HEADERS and to[len('src/'):] not in ALLOWED_HEADERS[to_room]:
        return 'of %s, only %s may be included, not "%s"' % (
            to_room, ', '.join(ALLOWED_HEADERS[to_room]), target)
    return None


def problems(root):
    found = []
    for path, text in sources(root):
        for match in INCLUDE.finditer(text):
            problem = include_problem(root, path, match.group(1))
            if problem:
                line = text.count('\n', 0, match.start(1)) + 1
                found.append('%s:%d: %s' % (path, line, problem))
        if path.startswith(('src/arch/x86_64/', 'agent/')):
            continue
        for match in MACHINE.finditer(strip(text)):
            found.append('%s:%d: names the machine: %s' %
                         (path, text.count('\n', 0, match.start()) + 1, match.group(0)))
    return found


def self_test(directory):
    """Wrong trees must be found wrong: a checker that cannot fail is none."""
    cases = {
        'src/util/a.c': ('#include "trace/t.h"\n', True),
        'src/record/a.c': ('#include "replay/r.h"\n', True),
        'src/trace/t.c': ('#include "tracee/p.h"\n', True),
        'src/tracee/p.c': ('#include "arch/x86_64/regs.h"\n', True),
        'src/cmd/a.c': ('int rip; /* not rax */\n', True),
        'src/cmd/b.c': ('/* rip */ const char *s = "rax"; // rbx\n', False),
        'src/cmd/c.c': ('#include "record/s.h"\n#include "arch/arch.h"\n', False),
    }
    for name in ('src/trace/t.h', 'src/replay/r.h', 'src/tracee/p.h', 'src/arch/x86_64/regs.h',
                 'src/record/s.h', 'src/arch/arch.h'):
        os.makedirs(os.path.join(directory, os.path.dirname(name)), exist_ok=True)
        open(os.path.join(directory, name), 'w').close()
    for name, (text, wrong) in cases.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        found = [p for p in problems(directory) if p.startswith(name + ':')]
        if bool(found) != wrong:
            raise AssertionError('%s: %r: %s' % (name, text, found))


if __name__ == '__main__':
    found = problems(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    print('\n'.join(found))
    sys.exit(1 if found else 0)
