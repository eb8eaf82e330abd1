#!/usr/bin/python3
"""Runs the tests: tests/run.py [check|long|list] [options] [PATTERN...]

check: everything, at a size that takes minutes. long: guests and real programs at full size, each
replayed 20 times; 1,000 motions of gdb in recordings. list: names only. PATTERN: regular expressions; a test runs when one is found in its
name. Each test is a process of its own with a time limit and a temporary directory; when it is over,
whatever it left behind is ended and removed. Logs are in BUILD/test-results. Status 1 if any failed.
"""

import argparse
import json
import os
import pwd
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, 'tests'), os.path.join(ROOT, 'tests', 'e2e'),
                os.path.join(ROOT, 'tests', 'fault'), os.path.join(ROOT, 'tests', 'torture')]

import harness                                                          # noqa: E402
from harness import Config, Context, Failure, Skip, Test                # noqa: E402
import agent                                                            # noqa: E402
import container                                                        # noqa: E402
import debug, dump, errors, examples, fuzz, guests, hostile, intercept, kill, mach, motions, programs     # noqa: E402,E401
import regs, sources, torture, trace, units, watch                      # noqa: E402,E401

SKIPPED = 77


class Running:
    """A test under way: its process, when it has to be over, where it writes."""

    def __init__(self, job, pid, directory, log):
        self.job, self.pid, self.directory, self.log = job, pid, directory, log
        self.pidfd = os.pidfd_open(pid)
        self.started = time.monotonic()
        self.ends = self.started + job.limit
        self.timed_out = False


class Job:
    """A test with the configuration it runs under and the user it runs as."""

    def __init__(self, test, config, prefix='', user=None):
        self.test, self.config, self.user = test, config, user
        self.name = prefix + test.name
        self.limit = test.limit * max(1, config.times / 2)
        self.alone = test.alone


def become(user):
    """Turns the process into one of an ordinary user, for good."""
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ.update(USER=user.pw_name, LOGNAME=user.pw_name)


def run_in_child(job, directory):
    """The test itself, in its own process. Returns the exit status."""
    try:
        context = Context(job.config, job.name, directory)
        job.test.function(context)
        return 0
    except Skip as skip:
        print('skipped: %s' % skip)
        return SKIPPED
    except Failure as failure:
        print('failed: %s' % failure)
    except Exception:
        traceback.print_exc(file=sys.stdout)
    return 1


def start(job, base, results, number):
    directory = os.path.join(base, str(number))
    os.mkdir(directory)
    if job.user:
        os.chown(directory, job.user.pw_uid, job.user.pw_gid)
    log = os.path.join(results, job.name.replace('/', '.') + '.log')
    pid = os.fork()
    if pid:
        return Running(job, pid, directory, log)
    status = 1
    try:
        os.setsid()
        # Also what nohup and a shell's background have set to be ignored.
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        null = os.open('/dev/null', os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        harness.adopt_orphans()
        harness.leave_ipc_namespace()
        os.chdir(directory)
        if job.user:
            become(job.user)
        status = run_in_child(job, directory)
        left = harness.kill_descendants(os.getpid())
        if left:
            print('ended what was left behind: %s' % left)
        sys.stdout.flush()
    finally:
        os._exit(status)


def make_removable(function, path, _):
    """rmtree's second try, for directories that a test made unreadable."""
    try:
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        shutil.rmtree(path) if os.path.isdir(path) else function(path)
    except OSError:
        pass


def remove_tree(path):
    shutil.rmtree(path, onerror=make_removable)


class Runner:
    def __init__(self, options, results):
        self.options, self.results = options, results
        self.base = tempfile.mkdtemp(prefix='warp-tests-')
        os.chmod(self.base, 0o755)
        self.running = []
        self.started = 0
        self.outcomes = []  # (job, 'passed' | 'failed' | 'skipped', reason, seconds, log)

    def run(self, jobs):
        """Side by side first, then one by one those that want the machine for themselves."""
        for group, at_once in (([j for j in jobs if not j.alone], self.options.jobs),
                               ([j for j in jobs if j.alone], 1)):
            group = list(group)
            while group or self.running:
                while group and len(self.running) < at_once:
                    self.started += 1
                    self.running.append(start(group.pop(0), self.base, self.results, self.started))
                self.wait()

    def wait(self):
        """Waits until a test is over or has used up its time."""
        poll = select.poll()
        for each in self.running:
            poll.register(each.pidfd, select.POLLIN)
        left = min(each.ends for each in self.running) - time.monotonic()
        ready = {fd for fd, _ in poll.poll(max(0, left) * 1000 + 1)}
        for each in list(self.running):
            if each.pidfd in ready:
                self.over(each)
            elif time.monotonic() > each.ends and not each.timed_out:
                each.timed_out = True
                self.note_processes(each)
                harness.kill_descendants(each.pid)
                os.kill(each.pid, signal.SIGKILL)
                each.ends = time.monotonic() + 60

    def note_processes(self, each):
        """A test that hangs is explained by who waits for what."""
        with open(each.log, 'a') as log:
            for pid in harness.descendants(each.pid):
                try:
                    with open('/proc/%d/cmdline' % pid) as f:
                        command = f.read().replace('\0', ' ')
                    with open('/proc/%d/status' % pid) as f:
                        state = re.findall(r'^(?:State|PPid|TracerPid):\s*(.*)$', f.read(), re.M)
                    with open('/proc/%d/wchan' % pid) as f:
                        channel = f.read()
                    log.write('still there: %d state/parent/tracer %s in %s: %s\n' %
                              (pid, state, channel, command))
                except OSError:
                    pass

    def over(self, each):
        _, status = os.waitpid(each.pid, 0)
        os.close(each.pidfd)
        self.running.remove(each)
        harness.kill_descendants(os.getpid()) if not self.running else None
        seconds = time.monotonic() - each.started
        with open(each.log, errors='replace') as f:
            log = f.read()
        code = os.waitstatus_to_exitcode(status)
        if each.timed_out:
            outcome, reason = 'failed', 'not over after its %d s' % each.job.limit
        elif code == 0:
            outcome, reason = 'passed', ''
        elif code == SKIPPED:
            outcome, reason = 'skipped', log.rpartition('skipped: ')[2].strip().split('\n')[0]
        else:
            outcome, reason = 'failed', 'status %d' % code
        if outcome == 'failed' and self.options.keep:
            reason += ', its files are in ' + each.directory
        else:
            remove_tree(each.directory)
        self.outcomes.append((each.job, outcome, reason, seconds, each.log))
        if outcome != 'passed' or self.options.verbose:
            print('%-8s %s  %.1f s  %s' % (outcome, each.job.name, seconds, reason), flush=True)
        elif len(self.outcomes) % 50 == 0:
            print('%d tests are over' % len(self.outcomes), flush=True)

    def stop(self):
        for each in self.running:
            harness.kill_descendants(each.pid)
            os.kill(each.pid, signal.SIGKILL)
            os.waitpid(each.pid, 0)
        harness.kill_descendants(os.getpid())
        if not self.options.keep:
            remove_tree(self.base)

    def report(self):
        """Prints what failed and what was skipped, then the sums. Returns the exit status."""
        counts = {'passed': 0, 'failed': 0, 'skipped': 0}
        for _, outcome, _, _, _ in self.outcomes:
            counts[outcome] += 1
        for job, outcome, reason, _, log in self.outcomes:
            if outcome == 'failed':
                with open(log, 'rb') as f:
                    print('\n==== %s: %s (%s)\n%s' % (job.name, reason, log, harness.excerpt(f.read(), 4000)))
        for job, outcome, reason, _, _ in self.outcomes:
            if outcome == 'skipped':
                print('skipped: %s: %s' % (job.name, reason))
        with open(os.path.join(self.results, 'summary.json'), 'w') as f:
            json.dump([{'name': job.name, 'outcome': outcome, 'reason': reason, 'seconds': round(s, 2)}
                       for job, outcome, reason, s, _ in self.outcomes], f, indent=1)
        line = '%(passed)d passed, %(failed)d failed, %(skipped)d skipped' % counts
        with open(os.path.join(self.results, 'summary.txt'), 'w') as f:
            f.write(line + '\n')
        print(line, flush=True)
        return 1 if counts['failed'] or not counts['passed'] else 0


def stage(config, base):
    """A copy of the commands that an ordinary user can reach, wherever the source tree lies."""
    build = os.path.join(base, 'build')
    os.makedirs(os.path.join(build, 'tests'))
    shutil.copy2(config.warp, os.path.join(build, 'warp'))
    library = os.path.join(config.build, 'libwarp.so.1')
    if os.path.exists(library):
        shutil.copy2(library, build)
    for programs in ('guest', 'live', 'timeline', 'gdb'):
        programs_from = os.path.join(config.build, 'tests', programs)
        if os.path.isdir(programs_from):
            shutil.copytree(programs_from, os.path.join(build, 'tests', programs),
                            ignore=shutil.ignore_patterns('*.p', '*.a'))
    subprocess.run(['chmod', '-R', 'a+rX', base], check=True)
    root = config.root
    return Config(root, build, None, config.times, config.full, config.record_args)


def live_tests(config):
    """Of the live tools."""
    return (intercept.tests(config) + mach.tests(config) + regs.tests(config) + trace.tests(config) +
            watch.tests(config) + debug.tests(config))


def plan(options, base):
    """All jobs of the asked plan."""
    build = os.path.abspath(options.build)
    full = options.plan == 'long'
    config = Config(ROOT, build, options.warp and os.path.abspath(options.warp),
                    options.times or (20 if full else 1), full, options.record_arg)
    if not os.access(config.warp, os.X_OK):
        sys.exit('tests/run.py: %s is not there: run make build' % config.warp)
    end_to_end = guests.tests(config) + programs.tests(config)
    user = pwd.getpwnam('nobody') if os.geteuid() == 0 else None
    if full:
        return [Job(t, config) for t in end_to_end + agent.tests(config) + regs.tests(config) + motions.tests(config) +
                debug.mirrors(config) + fuzz.tests(config, build + '-clang', options.fuzz_seconds)]
    end_to_end += errors.tests(config) + dump.tests(config) + hostile.tests(config) + live_tests(config)
    end_to_end += container.tests(config) + motions.tests(config)
    jobs = [Job(t, config) for t in fuzz.tests(config, build + '-clang', options.fuzz_seconds)]
    jobs += [Job(t, config) for t in kill.tests(config) + agent.tests(config) + end_to_end + torture.tests(config) +
             examples.tests(config)]
    asan = Config(ROOT, build, os.path.join(build + '-asan', 'warp'), config.times, False, config.record_args)
    asan.sanitizer_logs = True
    if os.access(asan.warp, os.X_OK):
        jobs += [Job(t, asan, 'asan/') for t in guests.tests(asan) + errors.tests(asan) + dump.tests(asan) +
                 hostile.tests(asan) + live_tests(asan) + motions.tests(asan)]
    else:
        jobs += [Job(missing('asan/warp', asan.warp), asan)]
    if user:
        staged = stage(config, base)
        jobs += [Job(t, staged, 'nobody/', user) for t in end_to_end if not t.privileged]
    for kind in ('', '-clang', '-asan'):
        jobs += [Job(t, config) for t in units.tests(build + kind, 'unit' + kind)]
    jobs += [Job(t, config) for t in sources.tests(config)]
    return jobs


def missing(name, path):
    def skip(_):
        raise Skip('%s is not there: run make builds' % path)
    return Test(name, skip)


def end_in_order():
    """SIGTERM ends the runner as SIGINT does: with its tests, and without its temporary files."""
    def interrupt(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupt)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('plan', nargs='?', default='check', choices=('check', 'long', 'list'))
    parser.add_argument('pattern', nargs='*')
    parser.add_argument('--build', default='build', help='build directory')
    parser.add_argument('--warp', help='the command under test, else BUILD/warp')
    parser.add_argument('--times', type=int, help='replays of each recorded program (1; long: 20)')
    parser.add_argument('--jobs', type=int, default=2, help='tests at once (2)')
    parser.add_argument('--fuzz-seconds', type=int, default=60)
    parser.add_argument('--record-arg', action='append', default=[], help='a further option for warp record')
    parser.add_argument('--results', help='where logs go, else BUILD/test-results')
    parser.add_argument('--keep', action='store_true', help='keep the files of tests that failed')
    parser.add_argument('-v', '--verbose', action='store_true', help='name the tests that passed, too')
    options = parser.parse_intermixed_args()

    results = os.path.abspath(options.results or os.path.join(options.build, 'test-results'))
    staging = tempfile.mkdtemp(prefix='warp-staging-')
    os.chmod(staging, 0o755)
    harness.adopt_orphans()
    end_in_order()
    runner = Runner(options, results)
    try:
        jobs = plan(options, staging)
        if options.pattern:
            jobs = [j for j in jobs if any(re.search(p, j.name) for p in options.pattern)]
        if options.plan == 'list':
            print('\n'.join(j.name for j in jobs))
            return 0
        shutil.rmtree(results, ignore_errors=True)
        os.makedirs(results)
        runner.run(jobs)
        return runner.report()
    except KeyboardInterrupt:
        return 130
    finally:
        runner.stop()
        remove_tree(staging)


if __name__ == '__main__':
    sys.exit(main())
