#!/usr/bin/python3
"""Looks for the planted bugs with `warp record --chaos`: tests/torture/chaos.py [options] [PATTERN...]

Each bug (chaos_*.c) is first recorded in the ordinary way, where it must never strike; then with one seed
after the other until it does (--all: with all of them, which gives the rate). The recording of a failure is
replayed, and must fail in the same way. At the end a line for each bug, and the sums. Status 1 if a bug was
not found, or struck without chaos.
"""

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tests'), os.path.join(ROOT, 'tests', 'e2e'), os.path.dirname(__file__)]

import harness                # noqa: E402
import torture                # noqa: E402

BUGS = ('chaos_aba', 'chaos_update', 'chaos_wakeup')
STRUCK = 1


class Wrong(Exception):
    """What a bug's test found wrong."""


class Hunt:
    """The search for one bug."""

    def __init__(self, options, program, base):
        self.options, self.program = options, program
        self.runner = torture.Runner(options.warp, base, options.record_arg)

    def record(self, *more):
        """One recording: how it ended."""
        shutil.rmtree(self.runner.recording, ignore_errors=True)
        command = [self.runner.warp, 'record', *self.runner.record_args, *more, '-o', self.runner.recording, '--',
                   *self.program.argv(self.runner.work, 100)]
        ended = self.runner.command(command, self.program.limit, {})
        if ended[0] not in (0, STRUCK):
            raise Wrong('%s: %s' % (' '.join(command), torture.told(ended)))
        return ended

    def ordinary(self):
        """Without chaos it never strikes. (Natively it can, on a busy machine: the kernel preempts anywhere.)"""
        for number in range(1, self.options.ordinary + 1):
            recorded = self.record()
            if recorded[0] != 0:
                raise Wrong('it struck in ordinary recording %d: %s' % (number, torture.told(recorded)))

    def find(self):
        """The seeds with which it strikes; each failure is replayed."""
        seeds = []
        for seed in range(self.options.first_seed, self.options.first_seed + self.options.runs):
            recorded = self.record('--chaos=%d' % seed)
            if recorded[0] == STRUCK:
                self.check_failure(seed, recorded)
                seeds.append(seed)
                if not self.options.all:
                    break
        if not seeds:
            raise Wrong('not found in %d recordings with --chaos' % self.options.runs)
        return seeds

    def check_failure(self, seed, recorded):
        """The failure's recording names its seed and fails again when it is replayed."""
        info = self.runner.command([self.runner.warp, 'info', self.runner.recording], 60, {})
        if not re.search(rb'chaos\D*\b%d\b' % seed, info[1]):
            raise Wrong('`warp info` does not name the seed %d: %s' % (seed, torture.told(info)))
        for _ in range(2):
            replayed = self.runner.command([self.runner.warp, 'replay', '-a', self.runner.recording], 120, {})
            if replayed[:3] != recorded[:3]:
                raise Wrong('the failure with seed %d does not replay: recorded %s\nreplayed %s' %
                            (seed, torture.told(recorded), torture.told(replayed)))

    def run(self):
        """Returns the seeds."""
        self.runner.fresh(self.program, 100)
        self.ordinary()
        return self.find()


def hunt(options, program):
    base = tempfile.mkdtemp(prefix='warp-chaos-')
    try:
        seeds = Hunt(options, program, base).run()
        often = ', %d of %d in all' % (len(seeds), options.runs) if options.all else ''
        print('%-14s found with seed %d%s, and replayed; not in %d ordinary recordings' %
              (program.name, seeds[0], often, options.ordinary), flush=True)
        return True
    except Wrong as wrong:
        print('%-14s failed: %s' % (program.name, wrong), flush=True)
        return False
    finally:
        shutil.rmtree(base, ignore_errors=True)


def bugs(root, build):
    source, built = (os.path.join(d, 'tests', 'torture') for d in (root, build))
    return [torture.guest(source, built, name) for name in BUGS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pattern', nargs='*')
    parser.add_argument('--build', default=os.path.join(ROOT, 'build'), help='build directory')
    parser.add_argument('--warp', help='the command under test, else BUILD/warp')
    parser.add_argument('--runs', type=int, default=200, help='seeds that are tried (200)')
    parser.add_argument('--first-seed', type=int, default=1, help='the first of them (1)')
    parser.add_argument('--all', action='store_true', help='all seeds are tried, and each failure replayed')
    parser.add_argument('--ordinary', type=int, default=20, help='recordings without chaos (20; in full: 2000)')
    parser.add_argument('--record-arg', action='append', default=[], help='a further option for warp record')
    options = parser.parse_intermixed_args()
    options.warp = os.path.abspath(options.warp or os.path.join(options.build, 'warp'))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    harness.adopt_orphans()
    chosen = [p for p in bugs(ROOT, os.path.abspath(options.build))
              if not options.pattern or any(re.search(x, p.name) for x in options.pattern)]
    results = [hunt(options, program) for program in chosen]
    print('%d passed, %d failed, 0 skipped' % (results.count(True), results.count(False)))
    return 0 if results and all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
