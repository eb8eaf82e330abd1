#!/usr/bin/python3
"""Compares the lines of warp trace with those of strace, for programs of Debian and guests of ours.

usage: parity.py WARP GUESTS [--diff] [--all-guests] [NAME...]

Both tracers run each program without address randomization, with the same environment, in an empty
directory, and write to a file; what differs between any two runs (addresses, process ids, times, random
bytes) is masked. The lines are compared process by process, in the order in which the processes began;
lines that other processes interrupted are put together again. Prints how many lines are equal for each program
and in all, and ends with 1 unless all are."""
import argparse
import collections
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOCKETS = ('import os, socket, select, subprocess; a, b = socket.socketpair(); b.send(b"x"); '
           'select.select([a], [], [], 1); p = select.poll(); p.register(a, 1); p.poll(0); '
           's = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); s.getsockname(); '
           'socket.send_fds(a, [b"x"], [1]); socket.recv_fds(b, 10, 4); subprocess.run(["true"])')
PROGRAMS = {
    'ls': 'ls -l /etc/apt',
    'cat': 'cat /etc/hostname /nonexistent',
    'sh': "sh -c 'echo hi | cat; (exit 3); ls / >/dev/null'",
    'bash': "bash -c 'for i in 1 2; do echo $i; done; type ls; [[ -f /etc/passwd ]] && exec /bin/true'",
    'cp': 'cp /etc/passwd out',
    'mv': "sh -c 'echo 1 > a; mv a b; rm b; mkdir -p c/d; rmdir c/d; rm -r c'",
    'find': 'find /etc/apt',
    'xargs': "sh -c 'echo a b | xargs -n 1 echo'",
    'grep': 'grep -r main /etc/apt',
    'sed': 'sed -n 1,3p /etc/passwd',
    'date': 'date -u +%Y',
    'id': 'id',
    'uname': 'uname -a',
    'df': 'df /',
    'du': 'du -s /etc/apt',
    'sort': 'sort /etc/passwd',
    'gzip': 'gzip -c /etc/passwd',
    'tar': 'tar cf - /etc/apt',
    'sleep': 'sleep 0.01',
    'timeout': 'timeout 5 true',
    'killed': "sh -c 'kill -KILL $$'",
    'touch': 'touch -d @1 made',
    'ln': 'ln -sf a made-link',
    'dd': 'dd if=/dev/zero of=out bs=1k count=4 conv=fsync',
    'stat': 'stat /etc/passwd',
    'stty': 'stty',
    'nice': 'nice -n 5 env A=1 true',
    'sha256sum': 'sha256sum /etc/passwd',
    'openssl': 'openssl dgst -md5 /etc/passwd',
    'sqlite3': "sqlite3 :memory: 'create table t(a); insert into t values(1); select * from t'",
    'xz': 'xz -kc /etc/passwd',
    'less': 'less /etc/hostname',
    'git': "sh -c 'git init -q . && git status --short'",
    'make': "sh -c 'printf \"a:\\n\\t@echo 1\\n\" > Makefile; make -s'",
    'gcc': "sh -c 'echo \"int main(void) { return 0; }\" > a.c; gcc -c -o a.o a.c'",
    'python3': "/usr/bin/python3 -c '" + SOCKETS + "'",
    'calls': '/usr/bin/python3 ' + os.path.join(HERE, 'many-calls.py'),
    'perl': "perl -e 'kill 0, $$; system(\"true\"); print -s \"/etc/passwd\"'",
    'awk': "awk 'BEGIN { \"date\" | getline; print 1 > \"/dev/stderr\" }'",
    'getent': 'getent hosts localhost',
}
GUESTS = ('sig_die_segv', 'sig_rt_queue', 'sig_altstack', 'sig_mask', 'exec_vfork', 'exec_fexecve',
          'file_locks', 'file_links', 'file_memfd', 'map_madvise', 'net_scm', 'poll_eventfd', 'file_lease',
          'file_pty', 'insn_fpe', 'sig_sys')
ENVIRONMENT = {'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'TZ': 'UTC', 'HOME': '/nonexistent',
               'PERL_HASH_SEED': '0', 'PYTHONHASHSEED': '0', 'OPENSSL_CONF': '/dev/null'}

MASKS = [
    (re.compile(r'0x[0-9a-f]{6,16}\b'), 'ADDR'),
    (re.compile(r'"(\\x[0-9a-f]{2})+"'), 'RANDOM'),
    (re.compile(r'tv_([nu]?sec)=-?\d+'), r'tv_\1=T'),
    (re.compile(r' /\* \d{4}-[^*]* \*/'), ''),
    (re.compile(r'(freeram|uptime|bufferram|sharedram|procs|loads|f_bfree|f_bavail|f_ffree)=(\[[^]]*\]|\d+)'),
     r'\1=N'),
    (re.compile(r'htons\(\d{5}\)'), 'htons(PORT)'),
    (re.compile(r'(tms_\w+|si_[us]time|si_pid)=\d+( /\*[^*]*\*/)?'), r'\1=N'),
    (re.compile(r'\b(pid|nl_pid|parent_tid)=(\[?)\d+'), r'\1=\2PID'),
    (re.compile(r'^(times|time|shmget|semget|msgget)(\(.*\)) += .*'), r'\1\2 = N'),
    (re.compile(r'^(shmctl|semctl|semop|msgctl|msgsnd|msgrcv|shmat)\(\d+'), r'\1(ID'),
    (re.compile(r'^time\(\[\d+'), 'time([T'),
    (re.compile(r'(socket|pipe):\[\d+\]'), r'\1:[N]'),
    (re.compile(r'in pid \d+'), 'in pid PID'),
    (re.compile(r'/tmp/(cc|guest\.)\w{6}'), r'/tmp/\1XXXXXX'),
    (re.compile(r'/\.git/t\w{6}'), '/.git/tXXXXXX'),
    (re.compile(r'^read\((\d+\S*), ".*"\.*, (4|44)\) += \2$'), r'read(\1, RANDOM, \2) = \2'),
    (re.compile(r'(l_pid|shm_cpid|shm_lpid)=\d+'), r'\1=PID'),
    (re.compile(r'\b(shm|sem|msg)_([a-z]?)time=\d+'), r'\1_\2time=T'),
    (re.compile(r'^(shmctl\(ID, (?:IPC_INFO|SHM_\w+), .*\)) += \d+$'), r'\1 = N'),
    (re.compile(r'/proc/\d+/'), '/proc/PID/'),
    (re.compile(r'^(sendto|recvfrom)\((\d+\S*), ".*(?=\\tlocalhost)'), r'\1(\2, "QUERY'),
    (re.compile(r' <\d+\.\d{6}>$'), ' <T>'),
    (re.compile(r' +='), ' ='),
]
PID_CALLS = re.compile(
    r'^(clone3?|v?fork|wait4|waitid|set_tid_address|getpid|gettid|getppid|getpgrp|getpgid|setpgid|kill|'
    r'tgkill|tkill|getsid|setsid|ioctl|rt_sigreturn|futex|pidfd_open|rt_(tg)?sigqueueinfo|ptrace|'
    r'sched_\w+|prlimit64|process_vm_\w+|get_robust_list|write)\b')
NUMBER = re.compile(r'\b\d{2,7}\b')
RESUMED = re.compile(r'<\.\.\. \w+ resumed>')


def mask(line):
    for pattern, text in MASKS:
        line = pattern.sub(text, line)
    return NUMBER.sub('N', line) if PID_CALLS.match(line) else line


def streams(path):
    """The masked lines of each process, in the order of their ids."""
    lines = collections.OrderedDict()
    with open(path, encoding='latin-1') as trace:
        for line in trace:
            pid, _, text = line.rstrip('\n').partition(' ')
            mine = lines.setdefault(int(pid), [])
            text = text.lstrip(' ') if not text.startswith('  ') else text[2:]
            resumed = RESUMED.match(text)
            if resumed and mine and mine[-1].endswith(' <unfinished ...>'):
                mine[-1] = mine[-1][:-len(' <unfinished ...>')] + text[resumed.end():]
            else:
                mine.append(text)
    return [settle([mask(line) for line in lines[pid]]) for pid in sorted(lines)]


def settle(lines):
    """Where a SIGCHLD interrupts a process is decided by a race: those lines are put at the end, in order."""
    floating = ('--- SIGCHLD ', 'rt_sigreturn(')
    if not any(line.startswith(floating[0]) for line in lines):
        return lines
    apart = [re.sub(r'^(rt_sigreturn\(.*\)) = .*', r'\1', line) for line in lines if line.startswith(floating)]
    return [line for line in lines if not line.startswith(floating)] + sorted(apart)


def run(tracer, program, path):
    """What the tracer says of a run in an empty directory, and how that ended."""
    directory = os.path.join(os.path.dirname(path), 'work')
    os.mkdir(directory)
    # on one core, so that processes race less
    core = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(['taskset', '-c', core, 'setarch', '-R'] + tracer + ['-o', path] + program, cwd=directory,
                          env=ENVIRONMENT, check=False, timeout=100, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    shutil.rmtree(directory)
    return streams(path), done.returncode


def compare(warp, command, options=(), tries=4):
    """Lines that differ (as a diff), number of equal lines, number of strace's lines. Where processes race,
    two runs of one tracer differ as well: then other runs are compared."""
    for _ in range(tries):
        found = compare_once(warp, command, options)
        if not found[0]:
            break
    return found


def compare_once(warp, command, options):
    program = ['sh', '-c', 'exec ' + command]
    with tempfile.TemporaryDirectory() as output:
        for name in 'st':  # on tmpfs the directory's size tells how much is in there
            open(os.path.join(output, name), 'w').close()
        theirs, their_status = run(['strace', '-f'] + list(options), program, output + '/s')
        ours, our_status = run([warp, 'trace'] + list(options), program, output + '/t')
    diff, equal, total = [], 0, 0
    for number in range(max(len(theirs), len(ours))):
        expected = theirs[number] if number < len(theirs) else []
        mine = ours[number] if number < len(ours) else []
        matcher = difflib.SequenceMatcher(None, expected, mine, autojunk=False)
        equal += sum(block.size for block in matcher.get_matching_blocks())
        total += len(expected)
        diff += difflib.unified_diff(expected, mine, 'strace', 'warp', n=0, lineterm='')
    if their_status != our_status:
        diff.append('status: strace %d, warp %d' % (their_status, our_status))
    return diff, equal, total


def commands(guests):
    found = dict(PROGRAMS)
    found.update((name, os.path.join(guests, name)) for name in GUESTS)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('warp')
    parser.add_argument('guests')
    parser.add_argument('--diff', action='store_true')
    parser.add_argument('--all-guests', action='store_true')
    parser.add_argument('-y', action='store_true')
    parser.add_argument('names', nargs='*')
    options = parser.parse_intermixed_args()
    every = commands(os.path.abspath(options.guests))
    names = options.names or every
    if options.all_guests:
        names = [name for name in sorted(os.listdir(options.guests))
                 if not name.endswith(('.p', '_static', '.so'))]
    equal = total = different = 0
    for name in names:
        command = every.get(name) or os.path.join(os.path.abspath(options.guests), name)
        try:
            diff, one_equal, one_total = compare(os.path.abspath(options.warp), command,
                                                 ['-y'] if options.y else [])
        except subprocess.TimeoutExpired:
            print(name + ': TIMEOUT')
            continue
        print(f'{name}: {one_equal} of {one_total} lines equal', flush=True)
        if options.diff:
            print('\n'.join(diff))
        if not one_total:
            sys.exit(f'{name}: strace printed nothing')
        equal += one_equal
        total += one_total
        different += bool(diff)
    print(f'all: {equal} of {total} lines equal ({100 * equal / total:.2f} %), {different} programs differ')
    sys.exit(different > 0)


if __name__ == '__main__':
    main()
