"""Moving through recordings in both directions (src/timeline): without a debugger (tests/timeline/motions), and by gdb's
commands (tests/gdb/walk.py).

The places are chosen by chance; WARP_SEED repeats a choice."""

import os
import signal
import time

import programs
from debug import built, debug
from harness import PYTHON, Failure, Skip, Test

GUESTS = ('sig_compute', 'sig_nested', 'thr_mutex', 'thr_cond', 'proc_fork', 'exec_chain', 'map_shared_fork')
PLACES = 8
# Motions by gdb's commands, and seconds for them.
WALK, WALK_FULL, WALK_LIMIT = 100, 1000, 1500


def seed_of(context):
    seed = os.environ.get('WARP_SEED', str(time.time_ns() % 10 ** 6))
    context.say('WARP_SEED=%s' % seed)
    return seed


def move(context, recording, places=PLACES):
    motions = os.path.join(os.path.dirname(context.warp), 'tests', 'timeline', 'motions')
    if not os.path.exists(motions):
        raise Skip('%s is not built' % motions)
    seed = seed_of(context)
    result = context.run([motions, recording.path, seed, str(places)], limit=100)
    context.check_sanitizers()
    if result.status or not result.out.endswith(b'all as expected\n'):
        raise Failure('there and back: %s' % result)


def guest(name):
    def function(context):
        program = os.path.join(context.config.build, 'tests', 'guest', name)
        if not os.path.exists(program):
            raise Skip('%s is not built' % program)
        move(context, context.record([program], ends=None))
    return Test('motions/' + name, function, limit=120)


def python(context):
    script = 'import json, threading\n' \
             'f = lambda: [json.dumps([i]) for i in range(3000)]\n' \
             'ts = [threading.Thread(target=f) for i in range(3)]\n' \
             '[t.start() for t in ts]; [t.join() for t in ts]'
    move(context, context.record([PYTHON, '-S', '-E', '-c', script]))


def chaos(context):
    program = os.path.join(context.config.build, 'tests', 'guest', 'thr_mutex')
    place, command = context.record_command([program])
    command.insert(2, '--chaos')
    move(context, context.recorded(place, context.run(command), ends=None))


# ---- gdb ----

def walk(context, recording, *options):
    script = os.path.join(context.config.root, 'tests', 'gdb', 'walk.py')
    commands = ['handle all nostop noprint pass', 'handle SIGSEGV SIGABRT SIGUSR1 stop print',
                'python walk_seed, walk_count = %s, %d' % (seed_of(context), context.size(WALK, WALK_FULL)),
                ('source ' + script, r'^WALKED \d+ motions, [1-9]\d* comparisons$')]
    session = debug(context, recording, commands, *options, limit=WALK_LIMIT)
    context.say(session.said[3].splitlines()[-1])


def walk_guest(name):
    def function(context):
        context.needs('gdb')
        walk(context, context.record([built(context, name)], ends=None))
    return function


def walk_python(context):
    """Two threads; sorting and hashing keep it between events, too."""
    context.needs('gdb')
    script = 'import hashlib, threading\n' \
             'f = lambda n: [hashlib.md5(b"%d" % i).digest() for i in range(n)] and sorted(range(n, 0, -1))\n' \
             't = threading.Thread(target=f, args=(300,))\n' \
             't.start(); f(200); t.join()'
    walk(context, context.record([PYTHON, '-S', '-E', '-c', script]))


def walk_compiler(context):
    """The compiler proper, which gcc starts."""
    context.needs('gdb', 'gcc')
    source = context.write('small.c', '#include <stddef.h>\n'
                           'size_t length(const char *s)\n{\n\tsize_t n = 0;\n\twhile (s[n])\n\t\tn++;\n\treturn n;\n}\n')
    walk(context, context.record(['gcc', '-O1', '-c', '-o', source + '.o', source]), '-f', 'cc1')


def walk_redis(context):
    """A server while it is asked; what gdb knows of its threads is what the recording has."""
    context.needs('gdb', 'redis-server', 'redis-benchmark')
    port = programs.free_port()
    where, process = programs.serve(context, ['redis-server', '--port', str(port), '--bind', '127.0.0.1', '--save', '',
                                              '--dir', context.work], rb'Ready to accept connections')
    context.must(['redis-benchmark', '-p', str(port), '-n', '100', '-c', '5', '-t', 'set,get,incr', '-q'], limit=300)
    walk(context, programs.end_server(context, where, process, 'redis-server', signal.SIGTERM, 0))


def tests(config):
    limit = WALK_LIMIT if config.full else 280
    large = [Test('motions/gdb/compiler', walk_compiler, limit=limit),
             Test('motions/gdb/redis', walk_redis, limit=limit)] if config.full else []
    return [guest(name) for name in GUESTS] + [
        Test('motions/python', python, limit=120), Test('motions/chaos', chaos, limit=120),
        Test('motions/gdb/walk', walk_guest('debug_walk'), limit=limit),
        Test('motions/gdb/threads', walk_guest('debug_pair'), limit=limit),
        Test('motions/gdb/python', walk_python, limit=limit)] + large
