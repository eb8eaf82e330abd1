"""Calls that are recorded inside the program (warp record --agent): the same programs as without it, what of
them is made so, and that their recordings are like others for whoever dies, goes back or looks.

make check takes guests of each family, make check-long takes all."""

import collections
import copy
import os
import shutil

import debug
import dump
import guests
import motions
import torture
from harness import PYTHON, Failure, Skip, Test

GUESTS = {'exec_chain', 'exec_vfork', 'file_getdents', 'file_path_memory', 'file_read', 'file_stat', 'file_tables', 'file_write',
          'insn_call_state', 'insn_call_steps', 'insn_rdtsc', 'ipc_pipe', 'map_file', 'map_jit_calls', 'map_unmap_all', 'misc_many', 'net_nonblock',
          'poll_epoll', 'proc_fork_tree', 'sig_itimer', 'sig_restart', 'thr_mutex', 'time_clocks'}
OPTION = '--agent'

# Descriptor 7 is a file's, 8 a pipe's. The calls on 7 and those on none may be made without a stop.
CALLS = r"""
import os
name = 'written'
os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), 7)
ends = os.pipe()
os.dup2(ends[0], 8)
for i in range(60):
    os.getppid()
    os.stat(name)
    try:
        os.stat('missing')
    except FileNotFoundError:
        pass
    os.write(7, b'%d\n' % i)
    os.pread(7, 9, i)
    os.write(ends[1], b'x')
    os.read(8, 1)
    os.write(1, b'')
print(os.fstat(7).st_size)
"""
WALKED = """
import os, threading
def f(n):
    for i in range(n):
        os.stat('/'), os.getppid(), hash(str(i))
t = threading.Thread(target=f, args=(40,))
t.start(); f(60); t.join()
"""
SPAWNED = """
import os, sys
if len(sys.argv) > 1:
    for i in range(60):
        os.getppid()
else:
    python = '/proc/self/exe'
    os.waitpid(os.posix_spawn(python, [python, '-S', '-E', '-c', sys.orig_argv[4], 'again'], {}), 0)
"""
MADE_INSIDE = ('getppid', None), ('newfstatat', None), ('pread64', None), ('write', 7)


def tests(config):
    with_agent = copy.copy(config)
    with_agent.record_args = config.record_args + [OPTION]
    found = [t for t in guests.tests(with_agent) if config.full or t.name.rpartition('/')[2] in GUESTS]
    for test in found:
        test.name = 'agent/' + test.name
        test.function = on(with_agent, test.function)
    more = (calls, spawned, torture_signals, backwards, walk)
    return found + [Test('agent/' + f.__name__.replace('_', '-'), on(with_agent, f), limit=100) for f in more]


def on(config, function):
    """The test with other options for the recorder."""
    def test(context):
        context.config = config
        function(context)
    return test


def is_made_inside(event):
    return 'buffered' in event.get('flags', [])


def calls(context):
    """Which calls are made without a stop is told by dump and info."""
    place = context.record([PYTHON, '-S', '-E', '-c', CALLS])
    context.replay(place)
    inside = collections.Counter()
    for event in dump.events_of(context, place.path):
        if event['kind'] == 'syscall' and is_made_inside(event):
            on = event['args'][0]['value'] if event['name'] in ('read', 'write') else None
            inside[event['name'], on] += 1
    context.say(str(inside))
    for each in MADE_INSIDE:
        if inside[each] < 40:
            raise Failure('%s is not made by the agent: %s' % (each, inside))
    stopped = [(name, on) for name, on in inside if on not in (None, 7)]
    if stopped:
        raise Failure('made by the agent, but others could see it or it could block: %s' % stopped)
    info = context.run([context.warp, 'info', place.path])
    dump.find(info.out.decode().splitlines(), r'^ +%d of them made without a stop$' % sum(inside.values()))


def spawned(context):
    """What a child of vfork executes has descriptors of its own, as every program."""
    place = context.record([PYTHON, '-S', '-E', '-c', SPAWNED])
    context.replay(place)
    inside = [e for e in dump.events_of(context, place.path) if is_made_inside(e) and e['name'] == 'getppid']
    if len(inside) < 40:
        raise Failure('%d of 60 calls are made by the agent' % len(inside))


def torture_signals(context):
    """Signals that come while the agent makes a call."""
    programs = {p.name: p for p in torture.guests(context.config.root, context.config.build)}
    for name in ('sig_nested', 'race_pingpong'):
        shutil.rmtree(context.work)
        outcome = torture.Runner(context.warp, context.directory, context.config.record_args).once(programs[name], 20)
        if outcome.skipped:
            raise Skip(outcome.skipped)
        if outcome.kind:
            raise Failure('%s: %s: %s' % (name, outcome.kind, outcome.text))


def backwards(context):
    """gdb goes forwards and backwards over calls of the agent."""
    recording = debug.record(context, 'debug_calls')
    inside = sum(is_made_inside(e) for e in dump.events_of(context, recording.path))
    if inside < 40:
        raise Failure('%d calls were made by the agent' % inside)
    debug.debug(context, recording, [
        'break step if round == 50', ('continue', r'step \(round=50'),
        ('tbreak step if round < 50', 'Temporary breakpoint'), ('reverse-continue', r'step \(round=49'),
        ('reverse-finish', r'main \(\)'), ('reverse-stepi', ''), ('continue', r'step \(round=50'),
        ('print sum', r'= \d+'), 'delete',
        # Instruction by instruction through what a site has replaced.
        ('break getppid', 'Breakpoint'), ('reverse-continue', r'getppid'), ('x/i $pc', r'mov '),
        ('stepi', ''), ('x/i $pc', r'syscall'), ('stepi', ''), ('x/i $pc', r'ret'), ('reverse-stepi', ''),
        ('x/i $pc', r'syscall'), ('reverse-stepi', ''), ('x/i $pc', r'mov '), 'delete', ('stepi', ''),
        # Breakpoints at the call itself.
        ('break *$pc', 'Breakpoint'), ('reverse-continue', 'Breakpoint'), ('reverse-continue', 'Breakpoint'),
        ('x/i $pc', r'syscall'), ('continue', 'Breakpoint'), ('continue', 'Breakpoint'), 'delete',
        ('continue', 'No more reverse-execution history'),
    ])


def walk(context):
    """At random, in a program with two threads whose calls of several kinds the agent makes."""
    context.needs('gdb')
    motions.walk(context, context.record([PYTHON, '-S', '-E', '-c', WALKED]))
