"""Torture: programs that are interrupted and preempted where they compute, recorded and replayed.

A program here is a guest of tests/torture or a real program (real.py). attempt() is one round: run it
natively, record it, replay the recording; it returns what went wrong and how long each took. run.py does
that many times; `make check` a few programs once (tests(), below).
"""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import harness
from harness import Failure, Skip, Test

SKIPPED = 77
HEADER = re.compile(r'^[ \t/]*\*[ \t]*torture:[ \t]*(\w+)[ \t]*(.*?)[ \t]*(?:\*/)?[ \t]*$', re.M)
KEYS = {'size', 'stops', 'beside', 'limit', 'record'}

# What `make check` runs: one of each kind, at the size that takes half a second.
CHECKED = ['code_beside', 'code_check', 'code_modified', 'code_moved', 'code_overlap', 'code_twice',
           'proc_fork', 'proc_shared', 'race_compute', 'race_locks', 'race_pingpong', 'race_plain',
           'race_plain_O0', 'sig_chance', 'sig_jump', 'sig_nested', 'sig_trap', 'tick_elsewhere', 'tick_flags',
           'tick_loop', 'tick_strings', 'tick_tight', 'tick_vector']


class Program:
    """name; prepare(directory, percent): puts there what it needs; argv(directory, percent): its command line.
    steady: all of its output is the same in each run. stops: is stopped and continued from outside.
    record: options that its recording needs."""

    def __init__(self, name, prepare, argv, steady=False, stops=False, limit=60, size=None, env=None,
                 needs=(), record=()):
        self.name, self.prepare, self.argv, self.steady, self.stops = name, prepare, argv, steady, stops
        self.limit, self.size, self.env, self.needs, self.record = limit, size, env or {}, needs, record

    def lacks(self):
        return [n for n in self.needs if not shutil.which(n)]


class Round:
    """One attempt's outcome. kind: None when it passed, else what failed; seconds of each run."""

    def __init__(self):
        self.kind, self.text, self.seconds, self.skipped = None, '', {}, None
        self.recording = None

    def failed(self, kind, text):
        self.kind, self.text = kind, text
        return self


def guests(root, build):
    """The guests that were built, by name; the chaos_ ones have a runner of their own."""
    source, built = (os.path.join(d, 'tests', 'torture') for d in (root, build))
    found = []
    for name in sorted(os.listdir(built)) if os.path.isdir(built) else ():
        path = os.path.join(built, name)
        if os.path.isfile(path) and os.access(path, os.X_OK) and not name.endswith('.so'):
            if not name.startswith('chaos_'):
                found.append(guest(source, built, name))
    return found


def guest(source, built, name):
    stem = name
    while not os.path.exists(os.path.join(source, stem + '.c')):
        stem = stem.rpartition('_')[0]
    with open(os.path.join(source, stem + '.c')) as f:
        said = dict(HEADER.findall(''.join(f.readlines()[:40])))
    if set(said) - KEYS:
        raise Failure('%s.c: unknown words after "torture:": %s' % (stem, set(said) - KEYS))
    files = [name] + (['libtorture_work.so'] if 'beside' in said else [])

    def prepare(directory, percent):
        for each in files:
            shutil.copy2(os.path.join(built, each), os.path.join(directory, each))

    return Program(name, prepare, lambda directory, percent: [os.path.join(directory, name), str(percent)],
                   stops='stops' in said, limit=int(said.get('limit', 60)),
                   size=int(said['size']) if 'size' in said else None, record=said.get('record', '').split())


class Runner:
    """Where and with which command rounds are made."""

    def __init__(self, warp, directory, record_args=(), replays=2, replay_args=()):
        self.warp, self.directory, self.record_args = warp, directory, list(record_args)
        self.replays, self.replay_args = replays, list(replay_args)
        self.work = os.path.join(directory, 'work')
        self.recording = os.path.join(directory, 'recording')

    def command(self, argv, limit, env, beside=None):
        """(status or None when it hung, stdout, stderr, seconds)."""
        out, err = (os.path.join(self.directory, n) for n in ('out', 'err'))
        environment = {'PATH': '/usr/local/bin:/usr/bin:/bin', 'HOME': self.directory, 'TMPDIR': self.work,
                       'LANG': 'C.UTF-8', **env}
        began = time.monotonic()
        with open(out, 'wb') as o, open(err, 'wb') as e:
            process = subprocess.Popen(argv, cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=o, stderr=e, start_new_session=True)
            ended = harness.Ending(process)
            try:
                if beside:
                    beside(process, ended)
                if not ended.wait(max(1, began + limit - time.monotonic())):
                    self.tell_where(process.pid, err)
            finally:
                ended.close()
                seconds = time.monotonic() - began
                status = process.poll()
                if status is None:
                    harness.kill_descendants(process.pid)
                    process.kill()
                    process.wait()
        with open(out, 'rb') as o, open(err, 'rb') as e:
            return status, o.read(), e.read(), seconds

    def tell_where(self, pid, err):
        """What hangs: the states of all threads below `pid`."""
        with open(err, 'a') as f:
            for each in [pid] + harness.descendants(pid):
                try:
                    for tid in os.listdir('/proc/%d/task' % each):
                        with open('/proc/%d/task/%s/stat' % (each, tid)) as stat, \
                                open('/proc/%d/task/%s/wchan' % (each, tid)) as wchan:
                            f.write('[hung: %s %s %s]\n' % (tid, ' '.join(stat.read().split()[1:3]), wchan.read()))
                except OSError:
                    pass

    def fresh(self, program, percent):
        shutil.rmtree(self.work, ignore_errors=True)
        os.mkdir(self.work)
        program.prepare(self.work, percent)

    def once(self, program, percent):
        """One round."""
        done = Round()
        argv = program.argv(self.work, percent)
        self.fresh(program, percent)
        native = self.command(argv, program.limit, program.env, program.stops and stop_at_random)
        done.seconds['native'] = native[3]
        if native[0] == SKIPPED:
            done.skipped = native[1].decode(errors='replace').strip().rpartition('\n')[2]
            return done
        if native[0] != 0:
            return done.failed('native failed', told(native))
        self.fresh(program, percent)
        shutil.rmtree(self.recording, ignore_errors=True)
        record = [self.warp, 'record', *self.record_args, *program.record, '-o', self.recording, '--', *argv]
        recorded = self.command(record, program.limit, program.env, program.stops and stop_at_random)
        done.seconds['record'] = recorded[3]
        done.recording = self.recording
        if not record_is_good(done, program, native, recorded):
            return done
        shutil.rmtree(self.work)
        os.mkdir(self.work)
        for turn in range(self.replays):
            replayed = self.command([self.warp, 'replay', '-a', *self.replay_args, self.recording],
                                    2 * program.limit, {})
            done.seconds['again' if turn else 'replay'] = replayed[3]
            if not replay_is_good(done, recorded, replayed, turn):
                break
        return done


def stop_at_random(process, ended):
    """Stops and continues the recorded program, or the native one, until it ends."""
    source = random.Random()
    recorder = process.args[1:2] == ['record']
    while not ended.wait(source.uniform(0.001, 0.04)):
        below = harness.descendants(process.pid)
        if recorder and not below:
            continue  # the program has not been started yet
        try:
            target = below[0] if recorder else process.pid
            os.kill(target, signal.SIGSTOP)
            ended.wait(source.uniform(0, 0.01))
            os.kill(target, signal.SIGCONT)
        except ProcessLookupError:
            pass


def told(run):
    status, out, err, seconds = run
    return 'status %s after %.1f s\nstdout: %s\nstderr: %s' % (
        status, seconds, harness.excerpt(out, 400), harness.excerpt(err, 2500))


def steady_lines(out):
    return sorted(line for line in out.splitlines() if line.startswith(b'same:'))


def record_is_good(done, program, native, recorded):
    status, out, err, _ = recorded
    if status is None:
        done.failed('record hung', told(recorded))
    elif status != 0 or b'UNEXPECTED' in out:
        done.failed('record failed', told(recorded))
    elif program.steady and native[1] != out:
        done.failed('record wrong', harness.first_difference(native[1], out))
    elif steady_lines(native[1]) != steady_lines(out):
        done.failed('record wrong', 'natively %r, recorded %r' % (steady_lines(native[1]), steady_lines(out)))
    return done.kind is None


def replay_is_good(done, recorded, replayed, turn):
    status, out, err, _ = replayed
    own, rest = harness.own_lines(err)
    which = 'replay %d: ' % (turn + 1)
    if status is None:
        done.failed('replay hung', which + told(replayed))
    elif status == harness.DIVERGED:
        done.failed('diverged', which + told(replayed))
    elif status != recorded[0]:
        done.failed('replay failed', which + told(replayed))
    elif out != recorded[1]:
        done.failed('output differs', which + harness.first_difference(recorded[1], out))
    elif rest != harness.own_lines(recorded[2])[1] or own:
        done.failed('errors differ', which + told(replayed))
    return done.kind is None


def check_info(runner, program):
    """`warp info` names the options that the recording needed."""
    info = runner.command([runner.warp, 'info', runner.recording], 60, {})
    for option in program.record:
        if option.encode() not in info[1]:
            raise Failure('`warp info` does not name %s: %s' % (option, told(info)))


def tests(config):
    """The small selection of `make check`."""
    def run(program):
        def test(context):
            shutil.rmtree(context.work)
            runner = Runner(config.warp, context.directory, config.record_args)
            outcome = runner.once(program, program.size or 20)
            if outcome.skipped:
                raise Skip(outcome.skipped)
            if outcome.kind:
                raise Failure('%s: %s' % (outcome.kind, outcome.text))
            check_info(runner, program)
        return test

    by_name = {p.name: p for p in guests(config.root, config.build)}

    def missing(name):
        def test(_):
            raise Failure('%s is not built: it should be in %s/tests/torture' % (name, config.build))
        return test

    return [Test('torture/' + n, run(by_name[n]) if n in by_name else missing(n), limit=120) for n in CHECKED]
