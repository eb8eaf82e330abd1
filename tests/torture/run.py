#!/usr/bin/python3
"""Records and replays the torture programs again and again: tests/torture/run.py [options] [PATTERN...]

Each round of a program: natively, recorded, replayed twice; outputs and status must be equal bit by bit, and
at each place where it was interrupted all registers and writable memory (warp record --state-hashes).
PATTERN: regular expressions for names; guests are named as their files, real programs real/NAME.
At the end a table: rounds that passed, median seconds, the kinds of failures. Status 1 if any failed.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tests'), os.path.join(ROOT, 'tests', 'e2e'), os.path.dirname(__file__)]

import harness                # noqa: E402
import real                   # noqa: E402
import torture                # noqa: E402

RUNS = ('native', 'record', 'replay', 'again')


class Tally:
    """What came out for one program."""

    def __init__(self, name):
        self.name, self.passed, self.skipped, self.kinds = name, 0, None, {}
        self.seconds = {run: [] for run in RUNS}

    def add(self, outcome):
        for run, seconds in outcome.seconds.items():
            self.seconds[run].append(seconds)
        if outcome.skipped:
            self.skipped = outcome.skipped
        elif outcome.kind:
            self.kinds[outcome.kind] = self.kinds.get(outcome.kind, 0) + 1
        else:
            self.passed += 1

    def line(self):
        times = ''.join('%8.2f' % statistics.median(self.seconds[run]) if self.seconds[run] else '       -'
                        for run in RUNS)
        if self.skipped:
            return '%-26s skipped: %s' % (self.name, self.skipped)
        kinds = ', '.join('%d %s' % (count, kind) for kind, count in sorted(self.kinds.items()))
        return '%-26s %6d%s  %s' % (self.name, self.passed, times, kinds)


def keep(options, outcome, name, number, base):
    """Saves the recording and the description of a failure."""
    target = os.path.join(options.keep, '%s-%d' % (name.replace('/', '_'), number))
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    if outcome.recording and os.path.isdir(outcome.recording):
        shutil.move(outcome.recording, os.path.join(target, 'recording'))
    with open(os.path.join(target, 'report'), 'w') as f:
        f.write('%s: %s\n%s\n' % (name, outcome.kind, outcome.text))
    return target


def run_program(options, program, base):
    tally = Tally(program.name)
    lacking = program.lacks()
    if lacking:
        tally.skipped = ', '.join(lacking) + ' not installed'
        return tally
    truth = ['--state-hashes'] if options.state_hashes else []
    runner = torture.Runner(options.warp, base, truth + options.record_arg, options.replays, options.replay_arg)
    for number in range(1, options.times + 1):
        outcome = runner.once(program, options.size or program.size or 20)
        tally.add(outcome)
        if outcome.kind:
            where = keep(options, outcome, program.name, number, base) if options.keep else ''
            print('---- %s, round %d: %s %s\n%s' % (program.name, number, outcome.kind, where, outcome.text),
                  flush=True)
        if options.verbose:
            print('%s %d: %s %s' % (program.name, number, outcome.kind or outcome.skipped or 'passed', ' '.join(
                '%s %.2f' % pair for pair in outcome.seconds.items())), flush=True)
        if outcome.skipped or sum(tally.kinds.values()) >= options.failures:
            break
    return tally


def report(options, tallies):
    print('%-26s %6s%8s%8s%8s%8s' % (('', 'passed') + RUNS))
    passed = failed = skipped = 0
    for tally in tallies:
        print(tally.line())
        passed += tally.passed
        failed += sum(tally.kinds.values())
        skipped += bool(tally.skipped)
    if options.json:
        with open(options.json, 'w') as f:
            json.dump([vars(t) for t in tallies], f, indent=1)
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped), flush=True)
    return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pattern', nargs='*')
    parser.add_argument('--build', default=os.path.join(ROOT, 'build'), help='build directory')
    parser.add_argument('--warp', help='the command under test, else BUILD/warp')
    parser.add_argument('--times', type=int, default=1, help='rounds of each program (1; the full set: 200)')
    parser.add_argument('--size', type=int, help='of the programs, in percent (20)')
    parser.add_argument('--replays', type=int, default=2, help='replays of each recording (2)')
    parser.add_argument('--failures', type=int, default=5, help='failed rounds after which a program is left (5)')
    parser.add_argument('--keep', metavar='DIR', help='keep the recordings of failed rounds there')
    parser.add_argument('--state-hashes', action=argparse.BooleanOptionalAction, default=True,
                        help='registers and memory are compared at every place, not only what is seen of them (yes)')
    parser.add_argument('--record-arg', action='append', default=[], help='a further option for warp record')
    parser.add_argument('--replay-arg', action='append', default=[], help='a further option for warp replay')
    parser.add_argument('--json', metavar='FILE', help='all figures, for further use')
    parser.add_argument('-v', '--verbose', action='store_true', help='a line for each round')
    options = parser.parse_intermixed_args()
    options.warp = os.path.abspath(options.warp or os.path.join(options.build, 'warp'))
    if not os.access(options.warp, os.X_OK):
        sys.exit('tests/torture/run.py: %s is not there: run make build' % options.warp)
    programs = torture.guests(ROOT, os.path.abspath(options.build)) + real.programs()
    if options.pattern:
        programs = [p for p in programs if any(re.search(x, p.name) for x in options.pattern)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    harness.adopt_orphans()
    base = tempfile.mkdtemp(prefix='warp-torture-')
    try:
        tallies = []
        for program in programs:
            tallies.append(run_program(options, program, base))
            if options.verbose:
                print(tallies[-1].line(), flush=True)
        return report(options, tallies)
    except KeyboardInterrupt:
        return 130
    finally:
        harness.kill_descendants(os.getpid())
        shutil.rmtree(base, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())
