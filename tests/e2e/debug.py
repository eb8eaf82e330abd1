"""warp replay: real gdb on recordings, and on the server with a made-up program."""

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import threading

from harness import FAILED, PYTHON, Failure, Skip, Test

TESTS = []
QUIET = ['set pagination off', 'set width 0', 'set style enabled off', 'set debuginfod enabled off']


def case(function, limit=180):
    TESTS.append(Test('debug/' + function.__name__.replace('_', '-'), function, limit=limit))
    return function


def tests(config):
    return TESTS + mirrors(config)


def mirrors(config):
    return [Test('debug/mirror/' + name.replace('guest/', ''), mirrored_guest(name, MIRRORED[name]), limit=300)
            for name in (MIRRORED if config.full else QUICK)]


def check(ok, what, found):
    if not ok:
        raise Failure('%s: %s' % (what, found))


def built(context, name):
    path = os.path.join(context.config.build, 'tests', 'gdb', name)
    if not os.path.exists(path):
        raise Skip('%s is not built' % path)
    return path


def record(context, name, ends=0, *arguments):
    """A recording of one of tests/gdb/guests; the program itself is gone afterwards."""
    context.needs('gdb')
    program = context.path(name)
    with open(built(context, name), 'rb') as f, open(program, 'wb') as to:
        to.write(f.read())
    os.chmod(program, 0o755)
    recording = context.record([program, *arguments], ends=ends)
    os.remove(program)
    return recording


class Session:
    """What gdb printed for each command of a script."""

    def __init__(self, result, commands):
        self.result = result
        parts = re.split(r'^@@(\d+)\n', result.out.decode('utf-8', 'backslashreplace'), flags=re.M)
        self.said = {int(parts[i]): parts[i + 1] for i in range(1, len(parts) - 1, 2)}
        self.commands = commands

    def expect(self, number, pattern):
        """The number-th command's output has the pattern."""
        said = self.said.get(number, '')
        check(re.search(pattern, said, re.M), '%r should have shown %r' % (self.commands[number], pattern),
              '%r\nwhole session:\n%s' % (said, self.result))


def run_gdb(context, commands, argv, limit=280):
    """argv with the script's path appended; each command's output is marked. Errors of one do not end it."""
    script = context.path('script%d' % context.count)
    with open(script, 'w') as f:
        f.write('\n'.join(QUIET) + '\n')
        for i, command in enumerate(commands):
            # Errors are shown where they belong, and the next command is executed.
            f.write('echo @@%d\\n\n' % i)
            f.write('python\ntry:\n  gdb.execute(%r)\nexcept gdb.error as e:\n  print("error:", e)\n'
                    'gdb.flush()\nend\n' % command)
    # What the server says in the console comes on standard error: in its place among the rest.
    result = context.run(['sh', '-c', 'exec "$@" 2>&1', 'sh', *argv, script], cwd=context.path('elsewhere'), limit=limit)
    context.check_sanitizers()
    return Session(result, commands)


def debug(context, recording, commands, *options, ends=0, limit=280):
    """Commands in a gdb that warp replay starts. With (pattern) behind a command its output is checked."""
    plain = [c[0] if isinstance(c, tuple) else c for c in commands]
    session = run_gdb(context, plain, [context.warp, 'replay', '-q', *options, recording.path,
                                       '--', '-nx', '-batch', '-x'], limit)
    check(session.result.status == ends, 'ends with %s' % ends, session.result)
    for i, command in enumerate(commands):
        if isinstance(command, tuple):
            session.expect(i, command[1])
    return session


# ---- the protocol, on a made-up program ----

@case
def protocol(context):
    """Real gdb against the server alone (tests/gdb/fake.h says what the program is)."""
    context.needs('gdb')
    server = built(context, 'fake_server')
    commands = [
        ('target extended-remote | ' + server, r'0x0*401000 in'),
        ('info threads', r'\* 1 +Thread 100\.100 "fake".*\n +2 +Thread 100\.101 "<worker>\?"'),
        ('stepi', r'0x0*401004 in'),
        ('reverse-stepi', r'0x0*401000 in'),
        ('reverse-stepi', r'No more reverse-execution history'),
        ('break *0x401050', 'Breakpoint 1'),
        ('continue', r'hit Breakpoint 1, 0x0*401050'),
        ('continue', 'received signal SIGUSR1'),
        ('print $_siginfo.si_signo', '= 10$'),
        ('reverse-continue', r'hit Breakpoint 1, 0x0*401050'),
        ('delete', ''),
        ('handle SIGUSR1 nostop noprint pass', ''),
        ('catch syscall 39', 'Catchpoint'),
        ('continue', r'call to syscall '),
        ('continue', r'returned from syscall '),
        ('delete', ''),
        ('continue', 'No more reverse-execution history'),
        ('watch *(long *)0x404000', 'Hardware watchpoint'),
        ('reverse-continue', r'Old value = 14\n+New value = 13'),
        ('delete', ''),
        ('print ((int (*)(int))0x401800)(21)', '= 42$'),
        ('set var *(int *)0x404000 = 77', ''),
        ('print *(int *)0x404000', '= 77$'),
        ('stepi', ''),
        ('print *(int *)0x404000', '= 14$'),
        ('info proc mappings', r'0x401000 +0x402000 .* /bin/fake'),
        ('info auxv', r'AT_ENTRY .* 0x401000'),
        ('info registers k1 mxcsr ftag', r'ftag +0xffff'),
        ('print $zmm31.v8_int64[7]', '= 0$'),
        ('detach', 'detached'),
    ]
    session = run_gdb(context, [c[0] for c in commands], ['gdb', '-nx', '-q', '-batch', '-x'])
    for i, (_, pattern) in enumerate(commands):
        session.expect(i, pattern)


# ---- forwards ----

@case
def symbols(context):
    """The program is gone: symbols, libraries and lines come from the recording."""
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        ('info inferiors', 'target:.*debug_walk'),
        ('break add', r'Breakpoint 1 at 0x[0-9a-f]+: file .*debug_walk\.c'),
        ('continue', r'Breakpoint 1, add \(a=0, b=0\)'),
        ('backtrace', r'#0 +add \(a=0, b=0\).*\n#1 .* walk \(step=0\).*\n#2 .* main \(argc=1'),
        ('info sharedlibrary', r'Yes.* target:.*libc\.so'),
        ('print total', '= 0$'),
        ('finish', 'Value returned is .* = 0'),
        ('continue', r'Breakpoint 1, add \(a=1, b=1\)'),
        ('print here', r'x = 1, y = 2, name = 0x[0-9a-f]+ "odd"|x = 1, y = 2'),
        ('up', 'walk'),
        ('info locals', 'twice'),
        ('next', ''),
        ('info proc mappings', r'debug_walk\n'),
        ('info auxv', 'AT_PHDR'),
        ('info proc', r'exe = .*debug_walk'),
        ('print own', r'= \d+$'),
    ])


@case
def conditions(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass', 'break walk if step == 15',
        ('continue', r'walk \(step=15\)'),
        ('tbreak add', ''),
        ('continue', r'add \(a=15, b=15\)'),
        ('dprintf say,"said"', 'Dprintf'),
        'delete',
        ('watch total', 'Hardware watchpoint'),
        ('continue', r'Old value = \d+\n+New value = \d+'),
        'delete',
        ('continue', 'No more reverse-execution history'),
        ('continue', 'No more reverse-execution history'),
    ])


@case
def steps(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'break walk', 'continue',
        ('next', 'here.x|twice'),
        ('step', ''),
        ('stepi', ''),
        ('nexti', ''),
        ('until', ''),
        ('advance main', ''),
    ])


@case
def signals(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        ('info signals SIGUSR1', 'Yes'),
        ('continue', 'received signal SIGUSR1'),
        ('print $_siginfo.si_signo', '= 10$'),
        ('break on_signal', 'Breakpoint 1'),
        ('continue', r'Breakpoint 1, on_signal \(signal=10\)'),
        ('backtrace', 'signal handler called'),
        ('continue', 'No more reverse-execution history'),
    ])


@case
def system_calls(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass',
        ('catch syscall write', 'Catchpoint 1'),
        ('continue', 'call to syscall write'),
        ('backtrace', 'main'),
        ('continue', 'returned from syscall write'),
        ('print $rax > 0', '= 1'),
    ])


@case
def thread_local(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'break add if a == 3', 'continue',
        ('print own', '= 10$'),
        ('print &own', r'0x[0-9a-f]+'),
    ])


@case
def threads(context):
    recording = record(context, 'debug_heap', -signal.SIGABRT)
    debug(context, recording, [
        ('continue', 'received signal SIGABRT'),
        ('info threads', r'Thread .*\n.*Thread '),
        ('thread apply all backtrace', 'worker'),
        ('backtrace', 'use'),
        ('print objects[5]->owner', '= 99$'),
    ])


# ---- backwards ----

@case
def heap_bug(context):
    """From the abort to the line that wrote over another thread's object."""
    recording = record(context, 'debug_heap', -signal.SIGABRT)
    debug(context, recording, [
        ('continue', 'received signal SIGABRT'),
        ('print objects[5]->owner', '= 99$'),
        ('watch -l objects[5]->owner', 'Hardware watchpoint'),
        ('reverse-continue', ''),
        ('backtrace', r'#0 .*spoil'),
        ('list', 'the bug'),
    ])


@case
def last_write(context):
    recording = record(context, 'debug_heap', -signal.SIGABRT)
    debug(context, recording, [
        ('continue', 'received signal SIGABRT'),
        ('last-write objects[5]->owner', 'spoil'),
        ('backtrace', r'#0 .*spoil'),
    ])


@case
def backwards(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'break walk if step == 5', 'continue', 'delete',
        ('reverse-next', ''), ('reverse-step', ''), ('reverse-stepi', ''), ('reverse-finish', ''),
        ('break add', ''),
        ('reverse-continue', r'add \(a=4, b=4\)|add \(a=3, b=3\)'),
        ('print total', '= (12|6)$'),
        'delete',
        ('reverse-continue', 'No more reverse-execution history'),
    ])


@case
def passes(context):
    """Breakpoints that are passed hundreds of thousands of times between two events: backwards through them, and
    steps backwards there, take no stop for each."""
    recording = record(context, 'debug_passes')
    debug(context, recording, [
        'break 24', ('continue', 'return 0'), 'break pass', 'ignore 2 5', 'break other',
        ('reverse-continue', r'pass \(i=199994\)'),
        'delete 2', ('reverse-continue', r'other \(i=199000\)'),
        ('reverse-step', r'other\(i\)'), ('reverse-step', r'i % 1000'), ('next', ''), ('next', r'other \(i=199000\)'),
        'delete 3', ('watch rare if rare == 190000', 'atchpoint 4'), ('reverse-continue', r'New value = 190000'),
        'delete 4', 'break other', ('reverse-continue', r'other \(i=191000\)'), ('continue', r'other \(i=192000\)'),
        'delete 5', ('tbreak pass if i == 191995', '6 at'), ('reverse-continue', r'pass \(i=191995\)'),
        ('continue', 'return 0'),
    ], limit=60)


@case
def watches_back(context):
    """Writes are met backwards as forwards: each once, also the one that the motion begins behind."""
    recording = record(context, 'debug_passes')
    there = [('continue', r'Old value = %d\n.*New value = %d' % (n, n + 1000)) for n in range(0, 10000, 1000)]
    back = [('reverse-continue', r'Old value = %d\n.*New value = %d' % (n + 1000, n)) for n in range(9000, -1, -1000)]
    debug(context, recording, ['watch rare', *there, *back, ('reverse-continue', 'No more reverse-execution history'),
                               *there, ('reverse-stepi', 'rare = i'), ('reverse-continue', 'New value = 8000'), *back[2:4]])
    debug(context, recording, ['watch rare if rare == 190000', ('continue', 'New value = 190000'),
                               ('reverse-continue', 'No more reverse-execution history')])


@case
def breakpoints_side_by_side(context):
    """On instructions of one byte that follow each other, some of which cannot be replaced by a jump."""
    recording = record(context, 'debug_near')
    places = ['first', '((char *)first+1)', '((char *)second-1)', 'second']
    there = [('continue', r'Breakpoint %d, ' % (n % 4 + 1)) for n in range(24)]
    back = [('reverse-continue', r'Breakpoint %d, ' % (n % 4 + 1)) for n in range(22, 2, -1)]
    debug(context, recording, [*('break *' + place for place in places), *there, *back, *there[4:8],
                               ('stepi', ''), ('reverse-continue', 'Breakpoint 4, '), 'delete 3',
                               ('reverse-continue', 'Breakpoint 2, '), ('reverse-continue', 'Breakpoint 1, ')])


@case
def steps_into_signals(context):
    """From right before the place of a signal, which a site's counter tells, a step leads into its handler."""
    recording = record(context, 'debug_ticks')
    dump = subprocess.run([context.warp, 'dump', recording.path], stdout=subprocess.PIPE, check=True).stdout.decode()
    events = re.findall(r'^ *(\d+) .* --- SIG\w+ .* after \d+ sites>', dump, re.M)
    check(events, 'signals after sites', dump[-2000:])
    for event in events[:8]:
        debug(context, recording, ['seek ' + event, *['reverse-stepi'] * 3, *['stepi'] * 3,
                                   ('when', 'event %s of' % event), ('stepi', ''), ('when', 'event %s of' % event)])


@case
def breakpoints_at_calls(context):
    """At an instruction that leads to an event, and where a thread stands since one: each is met once, both ways; the end
    behind such a breakpoint is one, too."""
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass', 'seek END',
        ('break *($pc-2)', 'Breakpoint 1'),
        ('reverse-continue', 'Breakpoint 1, '), ('continue', 'No more reverse-execution history'),
        ('reverse-continue', 'Breakpoint 1, '), ('stepi', ''), ('reverse-stepi', ''), 'delete',
        # The call, and the instruction behind it.
        'catch syscall write', ('reverse-continue', 'returned from syscall write'),
        ('reverse-continue', 'call to syscall write'), ('continue', 'returned from syscall write'),
        ('reverse-continue', 'call to syscall write'), 'delete',
        ('break *$pc', 'Breakpoint 3 at'), ('break *($pc+2)', 'Breakpoint 4 at'),
        ('continue', 'Breakpoint 4, '), ('reverse-continue', 'Breakpoint 3, '),
        ('continue', 'Breakpoint 4, '), ('reverse-stepi', ''), ('stepi', 'Breakpoint 4, '),
    ])


@case
def seek_from_breakpoint(context):
    """To a place of another thread, from a breakpoint of one that gdb would step over first."""
    recording = record(context, 'debug_heap', -signal.SIGABRT)
    debug(context, recording, [
        'break spoil', ('continue', 'hit Breakpoint 1'), ('seek END', ''), ('info threads',  r'^\* \d+ '),
        ('seek 30', ''), ('when', 'event 30 of'), ('continue', 'hit Breakpoint 1'), ('seek 30', ''),
        ('continue', 'hit Breakpoint 1')])


def mirrored(context, name, ends, breakpoints, options=()):
    recording = record(context, name, ends)
    script = os.path.join(context.config.root, 'tests', 'gdb', 'mirror.py')
    session = debug(context, recording, ['break ' + b for b in breakpoints] + [
        ('source ' + script, r'^MIRRORED \d+ stops')], *options)
    context.say(session.said[len(breakpoints)])


@case
def mirror_walk(context):
    mirrored(context, 'debug_walk', 3, ['add', 'walk', 'on_signal'])


@case
def mirror_threads(context):
    mirrored(context, 'debug_heap', -signal.SIGABRT, ['worker', 'spoil'])


@case
def mirror_family(context):
    mirrored(context, 'debug_family', 0, ['main'])


# Guests whose stops are the same forwards, backwards and forwards again, at least STOPS of them each, with the functions
# that they stop in besides SHOWING: single-threaded, with threads, many signals, forks and executed programs.
STOPS, SHOWING = 20, 'main show guest_expect'
MIRRORED = {
    'guest/file_read': '', 'guest/file_pty': '', 'guest/insn_jit': '', 'guest/insn_rdtsc': '', 'guest/insn_vdso': '',
    'guest/ipc_futex': '', 'guest/map_basic': '', 'guest/misc_nondet': '', 'guest/net_tcp': '', 'guest/poll_epoll': '',
    'guest/thr_atomic': 'body pthread_join write vsnprintf', 'guest/thr_cond': 'write vsnprintf',
    'guest/thr_create': '', 'guest/thr_malloc': 'sched_yield', 'guest/thr_mutex': '', 'guest/thr_tls': '',
    'torture/race_plain_eight': 'race see',
    'guest/sig_altstack': '', 'guest/sig_info_fault': '', 'guest/sig_itimer': '', 'guest/sig_longjmp': '',
    'guest/sig_nested': '', 'guest/sig_pingpong': '', 'torture/sig_jump': 'on_tick',
    'torture/sig_threads': 'on_signal write vsnprintf',
    'guest/exec_self': '', 'guest/exec_vfork': 'write vsnprintf', 'guest/map_fork_cow': 'write vsnprintf',
    'guest/proc_fork': 'write vsnprintf', 'guest/proc_fork_tree': '', 'guest/proc_vfork': '',
    'guest/thr_fork': 'busy forker prepare in_parent fork pthread_join write vsnprintf',
    'torture/proc_exec': 'tick_note write vsnprintf', 'torture/proc_fork': 'child tick_note'}
QUICK = ('guest/exec_vfork', 'guest/thr_fork')


def mirrored_guest(name, functions):
    def run(context):
        context.needs('gdb')
        program = os.path.join(context.config.build, 'tests', name)
        if not os.path.exists(program):
            raise Skip('%s is not built' % program)
        size = ['1'] if name.startswith('torture/') else []
        recording = context.record([program, *size], ends=None)
        script = os.path.join(context.config.root, 'tests', 'gdb', 'mirror.py')
        commands = ['set breakpoint pending on'] + ['break ' + f for f in (SHOWING + ' ' + functions).split()]
        commands += ['python mirror_least = %d' % STOPS, ('source ' + script, r'^MIRRORED \d+ stops')]
        session = debug(context, recording, commands)
        context.say(session.said[len(commands) - 1])
    return run


# ---- places ----

@case
def places(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        ('when', r'event \d+ of \d+, \d+\.\d{6} s, thread \d+ \(debug_walk\) at 0x'),
        'break walk if step == 7', ('continue', 'step=7'), 'delete',
        ('checkpoint', 'checkpoint 1: event'),
        ('seek END', ''),
        ('restart 1', 'walk'),
        ('print step', '= 7$'),
        ('seek 5', ''),
        ('when', 'event 5 of'),
        ('restart 1', 'walk'),
        ('backtrace', r'walk \(step=7\)'),
        ('events', '=> +[0-9]+ '),
        ("events 'write(fd == 1)'", r'write\(1, "total'),
        ('delete checkpoint 1', ''),
        ('restart 1', 'there is no checkpoint'),
    ])


@case
def failures_move_nothing(context):
    """A command that cannot go anywhere says so, and the program, or its copy, stays as it is."""
    recording = record(context, 'debug_walk', 3)
    same = ('print $pc == $there && $same', '= 1$')
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass', 'break walk if step == 7', ('continue', 'step=7'), 'delete', 'stepi',
        'set $there = $pc', 'set $same = 1', 'set var here.y = 1000',
        ('seek nonsense', r"\A'nonsense' is no place: .*\n\Z"), same,
        ('restart 9', r"\Athere is no checkpoint '9'; there are none, .*\n\Z"), same,
        ('last-write history', r'\A128 bytes at .* are too much to watch\n\Z'), same,
        ('seek', 'error: '), same, ('last-write nobody', 'error: '), same, ('print here.y', '= 1000$'),
        ('info checkpoints', 'there are no checkpoints'), 'checkpoint',
        ('info checkpoints', r'\A  1 at event \d+\n\Z'), ('restart 9', r'these are there:\n  1 at event \d+\n\Z'), same,
        ('monitor checkpoints', '  1 at event'), ('break *$pc', 'Breakpoint 2'),
        ('last-write unwritten', r'\Anothing writes to 0x\w+ before this place\n\Z'), same,
        ('info breakpoints', r'\A((?!already hit)[\s\S])*\Z'), ('stepi', ''), ('print $pc != $there', '= 1$'),
        ('seek 99999999', r'\Athere is no event 99999999: the last one is \d+; this is the end\n'),
        ('continue', 'No more reverse-execution history'),
    ])


@case
def symbols_after_seek(context):
    """Libraries that were loaded on the way are gdb's when it has gone there by seek."""
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [('seek END', ''), ('backtrace', r'_exit.*\n(#.*\n)*#\d+ .*exit \('),
                               ('info symbol exit', r'exit in section \.text of .*libc\.so'),
                               ('seek 2', ''), ('info sharedlibrary', r'ld-linux.*\n(\(\*\): .*\n)?\Z')])


@case
def begins_there(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [('when', 'event 20 of')], '-g', '20')
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass', ('reverse-continue', 'No more reverse-execution history')], '-g', 'END')
    beyond = debug(context, recording, [('continue', 'No more reverse-execution history')], '-g', '99999')
    check(b'there is no event 99999: the last one is ' in beyond.result.out, 'beyond the end', beyond.result)


@case
def run_again(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'set confirm off', 'break walk if step == 3', ('continue', 'step=3'),
        ('run', 'step=3'), ('print total', '= 6$'), ('kill', ''), ('run', 'step=3')])


# ---- what did not happen ----

@case
def diversions(context):
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass',
        'break walk if step == 4', ('continue', 'step=4'), 'delete',
        ('print add(20, 22)', '= 42$'),
        ('print length_of("four")', '= 4$'),
        ('call say("aside\\n")', '= 6$'),
        ('print total', '= 54$'),
        ('set var here.y = 1000', ''),
        ('print here.y', '= 1000$'),
        ('next', ''),  # calls add(4, 4)
        ('print total', '= 20$'),
        ('print here.y', '= 2$'),
        ('print add(length_of("abc"), length_of("de"))', '= 5$'),
        ('continue', ''),
        ('print total', '= 380$'),
    ])


@case
def stops_in_calls(context):
    """A breakpoint in a function that gdb has called: finished, or left behind."""
    recording = record(context, 'debug_walk', 3)
    debug(context, recording, [
        'handle SIGUSR1 nostop noprint pass',
        'break walk if step == 4', ('continue', 'step=4'), 'delete',
        ('break length_of', ''),
        ('print length_of("deep")', 'stopped while in a function called from GDB'),
        ('backtrace', r'#0 .*length_of.*\n#1 +<function called from gdb>\n#2 .* walk \(step=4\)'),
        ('print text', '"deep"$'),
        ('finish', r'Value returned is .* = 4$'),
        ('backtrace', r'#0 .* walk \(step=4\)'),
        ('print length_of("deep")', 'stopped while in a function called from GDB'),
        ('reverse-stepi', ''),
        ('backtrace', r'#0 .* walk .*\n#1 .* main'),
        'delete',
        ('continue', 'No more reverse-execution history'),
        ('print total', '= 380$'),
    ])


# ---- processes ----

@case
def family(context):
    recording = record(context, 'debug_family')
    debug(context, recording, [('break grandchild_work', ''), ('continue', 'No more reverse'),
                               ('print role', '= 0$')])
    dumped = context.must([context.warp, 'dump', recording.path]).out.decode()
    children = re.findall(r'new process (\d+)', dumped)
    check(len(children) == 2, 'two children', dumped[-3000:])
    debug(context, recording, [('break child_work', ''), ('continue', r'child_work \(amount=6\)'),
                               ('finish', '= 7$')], '-p', children[0])
    debug(context, recording, [('break grandchild_work', ''), ('continue', r'grandchild_work \(amount=21\)'),
                               ('finish', '= 42$')], '-p', children[1])


@case
def program(context):
    """-f: the first process that executes it."""
    context.needs('gdb')
    recording = context.record(['sh', '-c', 'true; /bin/echo one; /bin/cat /dev/null'])
    debug(context, recording, [('info inferiors', '/cat')], '-f', 'cat')
    result = context.run([context.warp, 'replay', '-f', 'nobody', recording.path])
    check(result.status == FAILED and b"'nobody'" in result.err, 'no such program', result)


@case
def until(context):
    """--until: in the process that the event is of; --exec: where the program is executed."""
    context.needs('gdb')
    recording = context.record(['sh', '-c', 'env /bin/echo one; /bin/cat /dev/null'])
    dumped = context.must([context.warp, 'dump', recording.path]).out.decode()
    executed = {name: (event, process) for event, process, name in re.findall(
        r'^ *(\d+) +\S+ +(\d+)  \+\+\+ executes "[^"]*/(\w+)"', dumped, re.M)}
    event, process = executed['echo']
    here = r'event %s of \d+, .*, thread %s \(echo\)' % (event, process)
    debug(context, recording, [('when', here), ('info inferiors', '/echo'),
                               ('reverse-continue', 'exec|No more')], '--exec', 'echo')
    debug(context, recording, [('when', here)], '--until', event)
    # Before its first program, while it still executes its parent's.
    own = int(re.search(r'^ *(\d+) +\S+ +%s ' % process, dumped, re.M).group(1))
    debug(context, recording, [('when', 'event %d of .*thread %s ' % (own, process)), ('info inferiors', 'sh')],
          '--until', str(own))
    debug(context, recording, [('when', 'event %d of .*thread %s ' % (own, process))],
          '--exec', 'echo', '--until', str(own))


@case
def until_without(context):
    """-a --until and --exec: the program's output up to there, a report, status 0."""
    recording = record(context, 'debug_walk', 3)
    dumped = context.must([context.warp, 'dump', recording.path]).out.decode()
    event = int(re.search(r'^ *(\d+) .* write\(1, "total', dumped, re.M).group(1))
    for at, out in ((event - 1, False), (event, True)):
        result = context.run([context.warp, 'replay', '-a', '--until', str(at), recording.path])
        check(result.status == 0 and (b'total' in result.out) == out, 'up to event %d' % at, result)
        check(re.match(rb'event %d of \d+, [\d.]+ s: .*\nprocess \d+ ".*/debug_walk", 1 thread\n' % at, result.err) and
              (not out or re.search(rb'^    #\d+ +0x\w+ _start\+0x\w+ \(.*/debug_walk\)$', result.err, re.M)), 'report', result)
        quiet = context.run([context.warp, 'replay', '-aq', '--until', str(at), recording.path])
        check(quiet.status == 0 and not quiet.out and quiet.err == result.err, 'quiet', quiet)
    result = context.run([context.warp, 'replay', '-a', '--exec', 'debug_walk', recording.path])
    check(result.status == 0 and re.match(rb'event \d+ of \d+, [\d.]+ s: \+\+\+ started ', result.err),
          'where it begins', result)


@case
def no_such_process(context):
    """Said before anything is replayed, with the processes that there are."""
    recording = context.record(['sh', '-c', 'echo out; /bin/true'])
    dumped = context.must([context.warp, 'dump', recording.path]).out.decode()
    processes = sorted(set(re.findall(r'^ *\d+ +\S+ +(\d+) ', dumped, re.M)), key=int)
    says = 'has no process 999999; it has %s (warp dump ' % ', '.join(processes)
    for options in (['-a', '--until', 'END'], ['-a', '--until', '2'], []):
        result = context.run([context.warp, 'replay', *options, '-p', '999999', recording.path])
        check(result.status == FAILED and not result.out and says in result.err.decode(), says, result)
    result = context.run([context.warp, 'dump', '--at', '2', '-p', '999999', recording.path])
    check(result.status == FAILED and says in result.err.decode(), says, result)


# ---- servers ----

def attach(context, target, commands):
    return run_gdb(context, ['target extended-remote ' + target, *commands], ['gdb', '-nx', '-q', '-batch', '-x'])


@case
def serves(context):
    """On a unix socket and a port; a second client is refused, the next one is welcome."""
    recording = record(context, 'debug_walk', 3)
    for address in ('unix:' + context.path('socket'), ':0', 'localhost:0'):
        server = context.start([context.warp, 'replay', '--serve', address, recording.path])
        target = context.wait_for_text(server, rb'target extended-remote (\S+)\n').group(1).decode()
        kind = socket.AF_UNIX if target.startswith('/') else socket.AF_INET
        name = target if target.startswith('/') else ('127.0.0.1', int(target.rpartition(':')[2]))
        if kind == socket.AF_UNIX:
            check(os.stat(target).st_mode & 0o077 == 0, 'the socket is its user\'s', oct(os.stat(target).st_mode))
        with socket.socket(kind) as first, socket.socket(kind) as second:
            first.connect(name)
            first.sendall(b'+$?#3f')
            check(first.recv(1) == b'+', 'the first is served', '')
            second.connect(name)
            check(second.recv(1) == b'', 'the second is refused', '')
        session = attach(context, target, ['break add', 'continue', 'detach'])
        session.expect(2, r'add \(a=0, b=0\)')
        result = context.finish(server, 30)
        check(result.status == 0, 'ends with the one that detached', result)
        check(kind != socket.AF_UNIX or not os.path.exists(target), 'the socket is gone', target)


@case
def lldb(context):
    """lldb forwards: breakpoints, variables, steps, watchpoints, threads, memory, the end."""
    context.needs('lldb')
    program = built(context, 'debug_passes')
    recording = record(context, 'debug_passes')
    server = context.start([context.warp, 'replay', '-q', '--serve', ':0', recording.path])
    target = context.wait_for_text(server, rb'target extended-remote (\S+)\n').group(1).decode()
    commands = ['gdb-remote ' + target.rpartition(':')[2], 'breakpoint set -n other', 'continue', 'frame variable',
                'continue', 'thread backtrace', 'expression -- rare', 'breakpoint delete -f', 'thread step-inst',
                'thread step-over', 'expression -- rare', 'thread list', 'memory read -c 8 $sp',
                'watchpoint set variable rare', 'continue', 'watchpoint delete -f', 'continue']
    options = [each for command in commands for each in ('-o', command)]
    result = context.run(['lldb', '--no-lldbinit', '-b', *options, program], limit=100)
    at = 0
    for says in (r'stop reason = breakpoint', r'i = 0\n', r'other\(i=1000\)', r'main', r'\$\d+ = 0\n', r'instruction step',
                 r'step over', r'\$\d+ = 1000\n', r'thread #1', r'Watchpoint created', r'new value: 2000',
                 r'exited with status = 0'):
        found = re.search(says, result.out.decode()[at:])
        check(found, '%r in its place' % says, result)
        at += found.end()
    server.terminate()  # lldb has left without a word
    context.finish(server, 30)


class Client:
    """The protocol itself, for what gdb does rarely."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(name)
        self.reader = self.socket.makefile('rb')

    def ask(self, command):
        self.socket.sendall(b'+$%s#%02x' % (command, sum(command) & 255))
        while self.reader.read(1) != b'$':
            pass
        reply = b''.join(iter(lambda: self.reader.read(1), b'#'))
        self.reader.read(2)
        return reply

    def register(self, number):
        reply = self.ask(b'p%x' % number)
        digits = re.sub(rb'(.)\*(.)', lambda run: run[1] * (run[2][0] - 28), reply)
        return struct.unpack('<Q', bytes.fromhex(digits.decode()))[0]

    @contextlib.contextmanager
    def acknowledging(self):
        """Meanwhile input comes that asks for nothing."""
        over = threading.Event()

        def acknowledge():
            while not over.is_set():
                self.socket.sendall(b'+')
                over.wait(0.0001)

        sender = threading.Thread(target=acknowledge)
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join()

    def close(self):
        self.reader.close()
        self.socket.close()


@case
def acknowledges_while_it_moves(context):
    """Input that asks for nothing neither ends a motion nor keeps it from its end."""
    recording = record(context, 'debug_walk', 3)
    server = context.start([context.warp, 'replay', '--serve', 'unix:' + context.path('socket'), recording.path])
    target = context.wait_for_text(server, rb'target extended-remote (\S+)\n').group(1).decode()
    client = Client(target)
    client.ask(b'?')
    with client.acknowledging():
        places = [client.ask(b'p10')]
        for _ in range(40):
            for motion in (b's', b's', b'bs'):
                stop = client.ask(motion)
                check(stop.startswith(b'T05'), motion, stop)
                places.append(client.ask(b'p10'))
    for at in range(3, len(places), 3):
        check(places[at] == places[at - 2] != places[at - 1], 'back where it was', places[at - 3:at + 1])
    client.ask(b'D')
    client.close()
    check(context.finish(server, 30).status == 0, 'it ends', '')


@case
def acknowledges_while_it_runs_back(context):
    """The same on the way from one visit of a breakpoint to the one before."""
    recording = record(context, 'debug_passes')
    shown = debug(context, recording, ['break *other']).said[0]
    address = int(re.search(r'at (0x[0-9a-f]+)', shown).group(1), 16)
    server = context.start([context.warp, 'replay', '--serve', 'unix:' + context.path('socket'), recording.path])
    client = Client(context.wait_for_text(server, rb'target extended-remote (\S+)\n').group(1).decode())
    check(client.ask(b'Z0,%x,1' % address) == b'OK', 'a breakpoint', '')
    for _ in range(150):
        client.ask(b'c')
    with client.acknowledging():
        stops = [client.ask(b'bc') for _ in range(100)]
    check(all(stop.startswith(b'T05') for stop in stops), 'each is the visit before', stops)
    rdi = client.register(5)
    client.ask(b'D')
    client.close()
    check(context.finish(server, 30).status == 0, 'it ends', '')
    check(rdi == 49000, 'where it has come to', rdi)


@case
def serves_stdio(context):
    recording = record(context, 'debug_walk', 3)
    session = attach(context, '| %s replay --serve - %s' % (context.warp, recording.path),
                     ['break add', 'continue', 'kill'])
    session.expect(2, r'add \(a=0, b=0\)')


@case
def refuses(context):
    """Wrong use, and places where nobody can listen."""
    recording = record(context, 'debug_walk', 3)
    taken = context.write('taken', '')
    for arguments, named in ((['--serve', 'nowhere'], 'nowhere'), (['--serve', 'unix:' + taken], taken),
                             (['--serve', 'unix:'], 'unix:'), (['--serve', '127.0.0.1:99999999'], '99999999'),
                             (['-p', '4000000'], '4000000'), (['-p', 'x'], "'x'"), (['-g', 'x'], "'x'"),
                             (['-a', '-g', '1'], '-a'), (['-a', '-p', '1'], '--until'), (['--until', 'x'], "'x'"),
                             (['--until', '10000000'], '10000000'), (['-a', '--until', '10000000'], '10000000'),
                             (['--exec', 'nobody'], "'nobody'"), (['-a', '--exec', 'nobody'], "'nobody'"),
                             (['-g', '1', '--until', '1'], '--until'), (['-f', 'x', '--exec', 'y'], '--exec'),
                             (['-p', '1', '--exec', 'y'], '--exec'), (['-p', '1', '-f', 'x'], '-p'),
                             (['--serve', ':0', '-x', 'y'], '--serve'), (['--serve'], '--serve')):
        result = context.run([context.warp, 'replay', recording.path, *arguments], limit=60)
        check(result.status == FAILED and named.encode() in result.err and result.err.count(b'\n') <= 2,
              'warp replay %s' % arguments, result)


@case
def without_gdb(context):
    """No gdb, or a debugger that is none: a sentence that says what to do."""
    recording = record(context, 'debug_walk', 3)
    bare = context.path('bare')
    os.mkdir(bare)
    for options, named in (([], b'warp: there is no gdb in PATH: install it'),
                           (['--debugger', 'nobody'], b"warp: the debugger 'nobody' cannot be started")):
        result = context.run(['env', 'PATH=' + bare, context.warp, 'replay', *options, recording.path], limit=60)
        check(result.status == FAILED and named in result.err and b'--serve' in result.err, 'no debugger', result)


# ---- editors ----

class Machine:
    """gdb/MI as editors speak it: a command with a number, and the records until it is done."""

    def __init__(self, context, argv):
        self.records = b''
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        cwd=context.path('elsewhere'), env=context.environment())

    def read_until(self, pattern):
        """Reads whole records up to one that begins with the pattern; all that came."""
        said = ''
        while not re.search('^' + pattern, said, re.M):
            line = self.process.stdout.readline().decode('utf-8', 'backslashreplace')
            check(line, 'gdb should have said %r' % pattern, said)
            said += line
        return said

    def ask(self, command, pattern, stop=None):
        """`stop`: and then the program stops, like this."""
        self.process.stdin.write(b'7' + command.encode() + b'\n')
        self.process.stdin.flush()
        said = self.read_until(r'7\^(done|running|connected|error|exit)')
        if stop:
            check('7^error' not in said, command, said)
            said += self.read_until(r'\*stopped')
        check(re.search(pattern, said) and (not stop or re.search(stop, said)), command, said)
        return said


def speak(machine, commands):
    for command in commands:
        machine.ask(*command)
    machine.ask('-gdb-exit', r'7\^exit')
    machine.process.stdin.close()
    check(machine.process.wait(30) == 0, 'gdb ends well', machine.process.returncode)


def begin_of(debugger):
    return [('-gdb-set pagination off', 'done'), ('-gdb-set confirm off', 'done'), ('-enable-pretty-printing', 'done'),
            ('-list-features', 'done'), *debugger, ('-list-target-features', 'reverse')]


# What Visual Studio Code, CLion and Emacs send for a breakpoint, the views of a stop, and their buttons.
VIEWS = [
    ('-break-insert -f walk', r'bkpt=\{number="1".*func="walk"'),
    ('-break-condition 1 "step == 7"', 'done'),
    ('-exec-continue', 'running', r'reason="breakpoint-hit".*func="walk".*name="step",value="7"'),
    ('-thread-info', r'threads=\[\{id="1".*state="stopped"'),
    ('-thread-select 1', 'new-thread-id="1"'),
    ('-stack-list-frames 0 20', r'level="0".*func="walk".*level="1".*func="main"'),
    ('-stack-list-arguments --simple-values 0 1', 'name="step",type="int",value="7"'),
    ('-stack-list-variables --simple-values', 'name="twice"'),
    ('-var-create - * here', r'numchild="3".*type="struct point"'),
    ('-var-list-children --all-values var1', r'exp="x".*value="22"'),
    ('-var-create total_of @ total', r'value="42"'),
    ('-data-evaluate-expression "total + 1"', r'value="43"'),
    ('-data-list-register-names', '"rax"'),
    ('-data-list-register-values --skip-unavailable x 0', r'number="0"'),
    ('-data-read-memory-bytes &total 4', 'contents="2a000000"'),
    ('-data-disassemble -s $pc -e "$pc + 16" -- 0', 'asm_insns'),
    ('-break-delete 1', 'done'),
    ('-break-watch total', r'wpt=\{number="2",exp="total"'),
    ('-exec-continue --reverse', 'running', r'reason="watchpoint-trigger".*old="42",new="30"'),
    ('-var-update --all-values *', r'name="total_of",value="30"'),
    ('-break-delete 2', 'done'),
    ('-break-insert add', r'number="3"'),
    ('-exec-continue --reverse', 'running', r'reason="breakpoint-hit".*func="add"'),
    ('-exec-finish --reverse', 'running', r'\*stopped.*func="walk"'),
    ('-break-delete 3', 'done'),
    ('-exec-next', 'running', 'end-stepping-range'),
    ('-exec-next --reverse', 'running', 'end-stepping-range'),
    ('-exec-step --reverse', 'running', 'end-stepping-range'),
    ('-exec-next-instruction --reverse', 'running', 'end-stepping-range'),
    ('-exec-step-instruction --reverse', 'running', 'end-stepping-range'),
    ('-exec-step', 'running', 'end-stepping-range'),
    ('-interpreter-exec console "reverse-continue"', 'running', 'No more reverse-execution history'),
    ('-interpreter-exec console "monitor when"', 'event [0-9]+ of'),
    ('-interpreter-exec console "handle SIGUSR1 nostop noprint pass"', 'done'),
    ('-exec-continue', 'running', 'No more reverse-execution history'),
]


@case
def mi(context):
    """gdb with -i=mi that warp starts (Emacs), and one that connects to a server (Visual Studio Code, CLion). Its end alone
    would be a lost connection, after which the server waits."""
    recording = record(context, 'debug_walk', 3)
    started = Machine(context, [context.warp, 'replay', '-q', recording.path, '--', '-nx', '-q', '-i=mi'])
    speak(started, begin_of([]) + VIEWS)
    server = context.start([context.warp, 'replay', '-q', '--serve', 'localhost:0', recording.path])
    target = context.wait_for_text(server, rb'target extended-remote (\S+)\n').group(1).decode()
    connected = Machine(context, ['gdb', '-nx', '-q', '-i=mi'])
    speak(connected, begin_of([('-gdb-set sysroot target:', 'done'),
                               ('-target-select remote ' + target, 'connected|done')]) + VIEWS +
          [('-target-detach', 'done')])
    result = context.finish(server, 30)
    check(result.status == 0, 'the server ends with its client', result)
    context.check_sanitizers()


# ---- a terminal ----

@case
def interrupt(context):
    """Ctrl-C in gdb's terminal stops the program where it computes; warp ends with gdb."""
    recording = record(context, 'debug_loop')
    script = context.write('terminal.py', TERMINAL)
    result = context.run([PYTHON, script, context.warp, recording.path], cwd=context.path('elsewhere'), limit=120)
    check(result.status == 0, 'the session', result)


TERMINAL = r'''
import pexpect, sys
gdb = pexpect.spawn(sys.argv[1], ['replay', '-q', sys.argv[2], '--', '-nx'], encoding='utf-8', timeout=60)
def ask(line, *patterns):
    gdb.sendline(line)
    for pattern in patterns:
        gdb.expect(pattern)
    gdb.expect(r'\(gdb\) ')
gdb.expect(r'\(gdb\) ')
ask('set style enabled off')
ask('break main', 'Breakpoint 1')
ask('continue', 'hit Breakpoint 1|Breakpoint 1, main')
ask('tbreak round_of_work', 'Temporary breakpoint 2')
ask('continue', 'Temporary breakpoint 2, round_of_work')
gdb.sendline('continue')
gdb.expect('Continuing')
gdb.sendintr()
gdb.expect('received signal SIGINT')
gdb.expect(r'\(gdb\) ')
ask('backtrace', 'main')
ask('reverse-continue', 'Breakpoint 1, main')
gdb.sendline('quit')
gdb.expect(r'\(y or n\) ')
gdb.sendline('y')
gdb.expect(pexpect.EOF)
gdb.close()
sys.exit(gdb.exitstatus or gdb.signalstatus or 0)
'''
