#!/usr/bin/python3
"""stress-ng as an outside opinion: tests/stress/run.py [--ops N] [PATTERN...]

Every stressor that works natively with --verify for some operations is recorded and replayed: recorded
it must end as natively and find nothing wrong, and the replay must print the same and end the same.
stress-ng ends with 0 also when a stressor found that it cannot work or that a call did something
unexpected: what it says counts, too. A stressor that says so natively is left out of the percentage.

Prints a table and the percentage that passed, writes those that failed to BUILD/stress-failures.txt with
the reason, and ends with status 1 when less than 85 % passed. As root it runs the stressors as the user
nobody: some of them test what only root may do by doing it (--root: those too). docs/stress.md lists
what is known to fail."""

import argparse
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import harness                                           # noqa: E402
import run as runner                                     # noqa: E402
from harness import Config, Failure, Skip, Test          # noqa: E402

WANTED = 85.0  # per cent

# Operations: so many, or fewer where they take longer than SECONDS natively. Stressors that do not count
# operations end after TIMEOUT seconds of their own.
SECONDS = 1.0
TIMEOUT = 5

# What a stressor says that does not work, whatever the exit status.
COMPLAINT = re.compile(
    rb'^.*(?:unsuccessful|skipped: [1-9]|fail: |aborted early|(?<!not )skipping stressor|will be skipped|'
    rb'No stress workers|terminated with an error).*$', re.M)

# What keeps some of them from using up the machine: natively they take what they can get.
SMALL = {
    'vm': ['--vm-bytes', '16m'], 'mmap': ['--mmap-bytes', '16m'], 'memfd': ['--memfd-bytes', '16m'],
    'hdd': ['--hdd-bytes', '4m'], 'bigheap': ['--bigheap-growth', '64k'], 'shm': ['--shm-bytes', '4m'],
    'shm-sysv': ['--shm-sysv-bytes', '4m'], 'mremap': ['--mremap-bytes', '8m'], 'malloc': ['--malloc-bytes', '1m'],
    'fallocate': ['--fallocate-bytes', '4m'], 'sync-file': ['--sync-file-bytes', '4m'],
    'readahead': ['--readahead-bytes', '4m'], 'iomix': ['--iomix-bytes', '4m'], 'seek': ['--seek-size', '4m'],
    'aiol': ['--aiol-requests', '4'], 'fiemap': ['--fiemap-bytes', '4m'], 'matrix': ['--matrix-size', '64'],
    'matrix-3d': ['--matrix-3d-size', '16'], 'sparsematrix': ['--sparsematrix-items', '500'],
    'qsort': ['--qsort-size', '20000'], 'heapsort': ['--heapsort-size', '20000'],
    'mergesort': ['--mergesort-size', '20000'], 'radixsort': ['--radixsort-size', '20000'],
    'shellsort': ['--shellsort-size', '20000'], 'bsearch': ['--bsearch-size', '20000'],
    'lsearch': ['--lsearch-size', '2000'], 'hsearch': ['--hsearch-size', '2000'],
    'tsearch': ['--tsearch-size', '5000'], 'tree': ['--tree-size', '5000'], 'clone': ['--clone-max', '8'],
    'exec': ['--exec-max', '8'], 'fork': ['--fork-max', '2'], 'vfork': ['--vfork-max', '2'], 'pthread': ['--pthread-max', '8'],
    'zombie': ['--zombie-max', '8'],
    'sendfile': ['--sendfile-size', '1m'], 'revio': ['--revio-bytes', '4m'],
}

# These take all of the disk or the memory, also for one operation: not beside others' work.
LEFT_OUT = {
    'forkheavy': 'it fills the whole disk for seconds',
    'oom-pipe': 'it takes all memory',
    'resources': 'it takes all memory and disk space',
}

# The kernel's own state is changed by these, if we may: other programs would notice.
LEFT_OUT.update({name: 'it changes the machine under everybody' for name in (
    'clock', 'cpu-online', 'memhotplug', 'reboot', 'rtc', 'softlockup', 'watchdog')})


def stressors():
    listed = subprocess.run(['stress-ng', '--stressors'], stdout=subprocess.PIPE, check=True)
    return sorted(listed.stdout.decode().split())


def command_of(name, ops, work):
    return ['stress-ng', '--' + name, '1', '--%s-ops' % name, str(ops), '--verify', '--timeout', str(TIMEOUT),
            '--temp-path', work, *SMALL.get(name, [])]


def complaint(result):
    """What stress-ng said against the run, or ''."""
    found = COMPLAINT.search(result.err + result.out)
    return found.group(0).decode(errors='replace').strip() if found else ''


def stress(name, options):
    # A session of its own each time: some stressors send signals to their process group.
    def test(context):
        if name in LEFT_OUT:
            raise Skip('left out: ' + LEFT_OUT[name])
        # A stressor whose parent has gone may send its alarm to whoever adopted it: to us.
        signal.signal(signal.SIGALRM, lambda *_: None)
        for ops in sorted({options.ops, min(options.ops, 5), 1}, reverse=True):
            try:
                native = context.run(command_of(name, ops, context.work), limit=30, start_new_session=True)
            except Failure as failure:
                raise Skip('does not work natively: %s' % failure) from None
            if native.seconds <= SECONDS:
                break
            context.spoil()
        if native.status != 0 or complaint(native):
            raise Skip('does not work natively (%s): %s' % (native.end(), complaint(native)[-160:]))
        context.say('time native %.2f' % native.seconds)
        context.spoil()
        recording = context.record(command_of(name, ops, context.work), ends=None, limit=60,
                                   start_new_session=True)
        context.say('time record %.2f' % recording.result.seconds)
        if recording.result.status != 0:
            raise Failure('recorded: %s' % recording.result)
        if complaint(recording.result):
            raise Failure('recorded, it says: %s' % complaint(recording.result))
        context.spoil()
        context.replay(recording, limit=60)
    return Test('stress/' + name, test, limit=options.limit)


def reason_of(log):
    """The line of a test's log that says best why it failed."""
    lines = [line for line in log.splitlines() if line.strip()]
    for pattern in (r'^failed: ', r'warp: ', r'Error'):
        for line in lines:
            if re.search(pattern, line):
                more = next((other for other in lines if 'warp: ' in other), '')
                return line[:200] + (' | ' + more.strip()[:200] if more and more != line else '')
    return lines[-1][:200] if lines else 'no output'


def table(outcomes, failures):
    """Prints what came of each; returns (passed, failed)."""
    passed = failed = 0
    with open(failures, 'w') as out:
        for job, outcome, reason, seconds, log_path in sorted(outcomes, key=lambda o: o[0].name):
            name = job.name.split('/', 1)[1]
            with open(log_path, errors='replace') as f:
                log = f.read()
            times = dict(re.findall(r'^time (\w+) ([\d.]+)$', log, re.M))
            replayed = re.search(r'^replayed: .*, ([\d.]+) s$', log, re.M)
            note = ''
            if outcome == 'failed':
                failed += 1
                note = reason if 'not over' in reason else reason_of(log)
                out.write('%s: %s\n' % (name, note))
            elif outcome == 'skipped':
                note = reason
            else:
                passed += 1
            print('%-20s %-8s %7s %7s %7s  %s' % (name, outcome, times.get('native', '-'), times.get('record', '-'),
                                                 replayed.group(1) if replayed else '-', note[:110]))
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pattern', nargs='*', help='regular expressions of stressors')
    parser.add_argument('--build', default=os.path.join(ROOT, 'build'))
    parser.add_argument('--warp')
    parser.add_argument('--ops', type=int, default=50, help='operations of each stressor (50)')
    parser.add_argument('--limit', type=int, default=200, help='seconds for all runs of a stressor (200)')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--root', action='store_true', help='as root, with all that they then do to the machine')
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('-v', '--verbose', action='store_true')
    options = parser.parse_args()
    if not shutil.which('stress-ng'):
        sys.exit('tests/stress/run.py: stress-ng is not installed: run make deps')
    build = os.path.abspath(options.build)
    config = Config(ROOT, build, options.warp and os.path.abspath(options.warp))
    if not os.access(config.warp, os.X_OK):
        sys.exit('tests/stress/run.py: %s is not there: run make build' % config.warp)
    names = [n for n in stressors() if not options.pattern or any(re.fullmatch(p, n) for p in options.pattern)]
    results = os.path.join(build, 'stress-results')
    shutil.rmtree(results, ignore_errors=True)
    os.makedirs(results)
    staging = tempfile.mkdtemp(prefix='warp-staging-')
    os.chmod(staging, 0o755)
    user = None
    if os.geteuid() == 0 and not options.root:
        user = pwd.getpwnam('nobody')
        config = runner.stage(config, staging)
    harness.adopt_orphans()
    runner.end_in_order()
    runs = runner.Runner(options, results)
    try:
        runs.run([runner.Job(stress(name, options), config, user=user) for name in names])
    except KeyboardInterrupt:
        return 130
    finally:
        runs.stop()
        runner.remove_tree(staging)
    failures = os.path.join(build, 'stress-failures.txt')
    print('%-20s %-8s %7s %7s %7s' % ('stressor', '', 'native', 'record', 'replay'))
    passed, failed = table(runs.outcomes, failures)
    if not passed + failed:
        print('none of the stressors works natively')
        return 1
    percent = 100.0 * passed / (passed + failed)
    print('%d of %d stressors that work natively pass: %.1f %% (wanted: %.0f %%); %d do not work natively here; '
          'reasons: %s' % (passed, passed + failed, percent, WANTED, len(runs.outcomes) - passed - failed, failures))
    return 0 if percent >= WANTED else 1


if __name__ == '__main__':
    sys.exit(main())
