#!/usr/bin/env python3
"""Compares how calls are printed with strace, line by line, for a set of small programs.

usage: compare-strace.py TEST_FORMAT [--min RATIO] [--diff] [NAME...]

TEST_FORMAT is the built unit test, whose --trace mode prints a live program. Both tracers run each
program without address randomization and with the same empty environment; what differs between any two runs
(addresses, process ids, times, random bytes) is masked. Prints how many lines are equal for each
program and in all; fails if the share is below RATIO.
"""
import argparse
import difflib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAMS = {
    'ls': 'ls -l /etc/apt',
    'cat': 'cat /etc/hostname /nonexistent',
    'sh': "sh -c 'echo hi | cat; (exit 3); ls / >/dev/null'",
    'bash': "bash -c 'x=$(date +%Y); echo $x; for i in 1 2; do /bin/true; done'",
    'cp': 'cp /etc/passwd out',
    'find': 'find /etc/apt',
    'grep': 'grep -r main /etc/apt',
    'date': 'date -u +%Y',
    'id': 'id',
    'uname': 'uname -a',
    'df': 'df /',
    'sort': 'sort /etc/passwd',
    'gzip': 'gzip -c /etc/passwd',
    'tar': 'tar cf - /etc/apt',
    'sleep': 'sleep 0.01',
    'timeout': 'timeout 5 true',
    'touch': 'touch -d @1 made',
    'ln': 'ln -sf a made-link',
    'stty': 'stty',
    'python3': "/usr/bin/python3 -c 'import os, socket, select, subprocess; a, b = socket.socketpair(); "
               'b.send(b"x"); select.select([a], [], [], 1); p = select.poll(); p.register(a, 1); '
               'p.poll(0); s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); s.getsockname(); '
               'socket.send_fds(a, [b"x"], [1]); socket.recv_fds(b, 10, 4); '
               'subprocess.run(["true"])\'',
    'calls': '/usr/bin/python3 ' + os.path.join(os.path.dirname(os.path.abspath(__file__)), 'many-calls.py'),
    'threads': "/usr/bin/python3 -c 'import threading; t = threading.Thread(target=print); t.start(); "
               "t.join()'",
    'perl': "perl -e 'print scalar localtime; kill 0, $$; system(\"true\"); print -s \"/etc/passwd\"'",
    'awk': "awk 'BEGIN { \"date\" | getline; print 1 > \"/dev/stderr\" }'",
    'getent': 'getent hosts localhost',
}
ENVIRONMENT = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'TZ': 'UTC'}

MASKS = [
    (re.compile(r'0x[0-9a-f]{6,16}\b'), 'ADDR'),
    (re.compile(r'"(\\x[0-9a-f]{2})+"'), 'RANDOM'),
    (re.compile(r'tv_([nu]?sec)=-?\d+'), r'tv_\1=T'),
    (re.compile(r' /\* \d{4}-[^*]* \*/'), ''),
    (re.compile(r'(freeram|uptime|bufferram|sharedram|procs|loads|f_bfree|f_bavail|f_ffree)=(\[[^]]*\]|\d+)'), r'\1=N'),
    (re.compile(r'htons\(\d{5}\)'), 'htons(PORT)'),
    (re.compile(r'(tms_\w+|si_[us]time|si_pid)=\d+( /\*[^*]*\*/)?'), r'\1=N'),
    (re.compile(r'\b(pid|nl_pid)=\d+'), r'\1=PID'),
    (re.compile(r'^(times|time|shmget|semget)(\(.*\)) += .*'), r'\1\2 = N'),
    (re.compile(r'^(shmctl|semctl|semop)\(\d+'), r'\1(ID'),
    (re.compile(r'^time\(\[\d+'), 'time([T'),
    (re.compile(r' +='), ' ='),
]
PID_CALLS = re.compile(
    r'^(clone3?|v?fork|wait4|waitid|set_tid_address|getpid|gettid|getppid|getpgrp|getpgid|setpgid|kill|'
    r'tgkill|tkill|getsid|setsid|ioctl)\b')
NUMBER = re.compile(r'\b\d{2,7}\b')


def mask(line):
    for pattern, text in MASKS:
        line = pattern.sub(text, line)
    return NUMBER.sub('N', line) if PID_CALLS.match(line) else line


def calls_of(path):
    with open(path, encoding='latin-1') as lines:
        return [mask(line.rstrip('\n')) for line in lines if not line.startswith(('---', '+++'))]


def run(command, prefix):
    """The lines of each process, in the order of their ids, of a run in an empty directory."""
    directory = os.path.join(os.path.dirname(prefix), 'work')
    os.mkdir(directory)
    subprocess.run(['setarch', '-R'] + command, cwd=directory, env=ENVIRONMENT, check=False, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(directory)
    paths = glob.glob(prefix + '.*')
    paths.sort(key=lambda path: int(path.rsplit('.', 1)[1]))
    return [calls_of(path) for path in paths]


def compare(test_format, shell_command, show):
    """Equal lines, lines of strace."""
    equal = total = 0
    program = ['sh', '-c', 'exec ' + shell_command]
    with tempfile.TemporaryDirectory() as output:
        theirs = run(['strace', '-ff', '-q', '-o', output + '/s'] + program, output + '/s')
        ours = run([test_format, '--trace', output + '/t'] + program, output + '/t')
    for number, lines in enumerate(theirs):
        mine = ours[number] if number < len(ours) else []
        matcher = difflib.SequenceMatcher(None, lines, mine, autojunk=False)
        equal += sum(block.size for block in matcher.get_matching_blocks())
        total += len(lines)
        if show:
            for line in difflib.unified_diff(lines, mine, 'strace', 'warp', n=0, lineterm=''):
                print(line)
    return equal, total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('test_format')
    parser.add_argument('--min', type=float, default=0.0)
    parser.add_argument('--diff', action='store_true')
    parser.add_argument('names', nargs='*')
    options = parser.parse_args()
    equal = total = 0
    for name in options.names or PROGRAMS:
        one = compare(os.path.abspath(options.test_format), PROGRAMS[name], options.diff)
        print(f'{name}: {one[0]} of {one[1]} lines equal')
        if not one[1]:
            sys.exit(f'{name}: strace printed nothing')
        equal += one[0]
        total += one[1]
    print(f'all: {equal} of {total} lines equal ({100 * equal / total:.2f} %)')
    sys.exit(equal < options.min * total)


if __name__ == '__main__':
    main()
