"""Moving through recordings in both directions (src/timeline), without a debugger: tests/timeline/motions.

The places are chosen by chance; WARP_SEED repeats a choice."""

import os
import time

from harness import PYTHON, Failure, Skip, Test

GUESTS = ('sig_compute', 'sig_nested', 'thr_mutex', 'thr_cond', 'proc_fork', 'exec_chain', 'map_shared_fork')
PLACES = 8


def move(context, recording, places=PLACES):
    motions = os.path.join(os.path.dirname(context.warp), 'tests', 'timeline', 'motions')
    if not os.path.exists(motions):
        raise Skip('%s is not built' % motions)
    seed = os.environ.get('WARP_SEED', str(time.time_ns() % 10 ** 6))
    context.say('WARP_SEED=%s' % seed)
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


def tests(_):
    return [guest(name) for name in GUESTS] + [Test('motions/python', python, limit=120),
                                              Test('motions/chaos', chaos, limit=120)]
