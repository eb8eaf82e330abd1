"""What every end-to-end test uses: tests as objects, commands with a time limit, recordings.

A test is a function of one argument, a Context: its temporary directory, the commands under test and
the helpers that record, spoil and replay. It passes by returning, fails by an exception (Failure, for
what the test itself found) and is skipped by raising Skip with what is missing.

The runner gives each test a process of its own that adopts its orphans (PR_SET_CHILD_SUBREAPER), so
that everything the test started can be found below it and ended, and nothing else.
"""

import ctypes
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWIPC = 0x08000000
IN_MODIFY, IN_MOVED_TO, IN_CREATE = 0x2, 0x80, 0x100
LIBC = ctypes.CDLL(None, use_errno=True)

PYTHON = '/usr/bin/python3'  # Debian's: the one that python3-pexpect is installed for

# Warp's own exit statuses.
DIVERGED, FAILED, NOT_EXECUTABLE, NOT_FOUND = 122, 125, 126, 127


class Failure(Exception):
    """The program under test did something that it should not have done."""


class Skip(Exception):
    """The test cannot run here; the text names what is missing."""


class Test:
    """name: PATH/LIKE/THIS. limit: seconds for one repetition. alone: no other test beside it."""

    def __init__(self, name, function, limit=60, alone=False, privileged=False):
        self.name = name
        self.function = function
        self.limit = limit
        self.alone = alone
        self.privileged = privileged  # says nothing more when run by an ordinary user


class Config:
    """What the runner was asked for."""

    def __init__(self, root, build, warp=None, times=1, full=False, record_args=()):
        self.root = root          # of the source tree
        self.build = build        # build directory
        self.warp = warp or os.path.join(build, 'warp')
        self.times = times        # replays of each recorded program
        self.full = full          # programs at their full size
        self.record_args = list(record_args)
        self.sanitizer_logs = False


class Result:
    """How a command ended: status as subprocess has it (negative: the signal), and its outputs."""

    def __init__(self, argv, status, out, err, seconds):
        self.argv, self.status, self.out, self.err, self.seconds = argv, status, out, err, seconds

    def end(self):
        if self.status >= 0:
            return 'status %d' % self.status
        return 'signal %s' % signal.Signals(-self.status).name

    def __str__(self):
        text = '$ %s\n-> %s after %.2f s' % (
            ' '.join(shlex.quote(str(a)) for a in self.argv), self.end(), self.seconds)
        for name, data in (('stdout', self.out), ('stderr', self.err)):
            if data:
                text += '\n--- %s, %d bytes\n%s' % (name, len(data), excerpt(data))
        return text


def excerpt(data, most=3000):
    text = data.decode('utf-8', 'backslashreplace')
    if len(text) > most:
        text = text[:most // 2] + '\n[... %d characters ...]\n' % (len(text) - most) + text[-most // 2:]
    return text


def own_lines(err):
    """(warp's own lines, the rest) of a standard error on which both wrote."""
    own, rest = [], []
    for line in err.splitlines(keepends=True):
        (own if line.startswith(b'warp: ') else rest).append(line)
    return own, b''.join(rest)


def first_difference(a, b):
    place = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    start = max(0, place - 60)
    return 'byte %d of %d and %d:\n  %r\n  %r' % (
        place, len(a), len(b), a[start:place + 60], b[start:place + 60])


class Ending:
    """Waits for a process without the polling of subprocess, which would spoil measured times."""

    def __init__(self, process):
        self.process, self.fd = process, os.pidfd_open(process.pid)

    def wait(self, seconds):
        """Has it ended within so many seconds?"""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        self.process.wait()
        return True

    def close(self):
        os.close(self.fd)


class Changes:
    """Waits until a file in one of some directories is made or written to, or a process ends."""

    def __init__(self, directories, process=None):
        self.fd = LIBC.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self.poll = select.poll()
        self.poll.register(self.fd, select.POLLIN)
        for directory in directories:
            if LIBC.inotify_add_watch(self.fd, os.fsencode(directory), IN_MODIFY | IN_MOVED_TO | IN_CREATE) < 0:
                raise OSError(ctypes.get_errno(), 'inotify_add_watch', directory)
        self.pidfd = os.pidfd_open(process.pid) if process and process.returncode is None else None
        if self.pidfd is not None:
            self.poll.register(self.pidfd, select.POLLIN)
        self.ended = process is not None and self.pidfd is None

    def wait(self, seconds):
        """Has anything happened within so many seconds?"""
        ready = {fd for fd, _ in self.poll.poll(max(0, seconds) * 1000)}
        if self.fd in ready:
            os.read(self.fd, 65536)
        self.ended |= self.pidfd in ready
        return bool(ready)

    def close(self):
        os.close(self.fd)
        if self.pidfd is not None:
            os.close(self.pidfd)


class Recording:
    """A recording made by Context.record: where it is, how the recorded run ended."""

    def __init__(self, path, result):
        self.path, self.result = path, result
        self.notices, self.err = own_lines(result.err)
        self.out = result.out


class Context:
    """The world of one test."""

    def __init__(self, config, name, directory):
        self.config = config
        self.warp = config.warp
        self.name = name
        self.directory = directory
        # Where the recorded program lives and works: gone when it is replayed.
        self.work = os.path.join(directory, 'work')
        os.mkdir(self.work)
        os.mkdir(os.path.join(directory, 'home'))
        os.mkdir(os.path.join(directory, 'elsewhere'))
        self.count = 0
        self.recordings = 0
        self.leak_checks = True  # LeakSanitizer traces the process: not where that is forbidden

    # ---- small things ----

    def say(self, text):
        print(text, flush=True)

    def size(self, small, full):
        return full if self.config.full else small

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def needs(self, *programs):
        for program in programs:
            if not shutil.which(program):
                raise Skip('%s is not installed' % program)

    def write(self, name, text, mode=None):
        """Writes a file of the program's working directory; returns its path."""
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(text.encode() if isinstance(text, str) else text)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def environment(self, extra=None):
        env = {
            'PATH': '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
            'HOME': self.path('home'), 'TMPDIR': self.work, 'LANG': 'C.UTF-8', 'TERM': 'xterm',
            'WARP_TRACE_DIR': self.path('traces'),
            'GIT_CONFIG_NOSYSTEM': '1',
        }
        if self.config.sanitizer_logs:
            env['ASAN_OPTIONS'] = 'detect_leaks=%d:log_path=%s' % (self.leak_checks, self.path('asan'))
            env['UBSAN_OPTIONS'] = 'print_stacktrace=1:log_path=' + self.path('ubsan')
        env.update(extra or {})
        return {k: v for k, v in env.items() if v is not None}

    # ---- commands ----

    def start(self, argv, cwd=None, env=None, stdin=subprocess.DEVNULL, out=None, err=None, **more):
        """A command in the background; its outputs are files, so that nobody has to drain them.

        It leads a process group of its own below us, as a shell would start it: in an orphaned one
        (the test leads a session) SIGTSTP would not stop it."""
        self.count += 1
        if not more.get('start_new_session'):
            more['preexec_fn'] = in_own_group(more.get('preexec_fn'))
        out = out or self.path('%d.out' % self.count)
        err = err or self.path('%d.err' % self.count)
        with open(out, 'wb') as out_file, open(err, 'wb') as err_file:
            process = subprocess.Popen(
                argv, cwd=cwd or self.work, env=self.environment(env), stdin=stdin,
                stdout=out_file, stderr=err_file, **more)
        process.out_path, process.err_path, process.started = out, err, time.monotonic()
        return process

    def finish(self, process, limit=600):
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure('still running after %d s: %s' % (limit, process.args)) from None
        with open(process.out_path, 'rb') as out, open(process.err_path, 'rb') as err:
            return Result(process.args, process.returncode, out.read(), err.read(),
                          time.monotonic() - process.started)

    def run(self, argv, input=None, limit=600, **more):
        """Runs a command to its end. `input`: bytes of a file that is its standard input."""
        if input is not None:
            path = self.path('stdin')
            with open(path, 'wb') as f:
                f.write(input)
            with open(path, 'rb') as f:
                return self.finish(self.start(argv, stdin=f, **more), limit)
        return self.finish(self.start(argv, **more), limit)

    def wait_for(self, condition, what, process=None, seconds=30):
        """What `condition` returns as soon as that is true. It is asked when a file of the test has changed: the
        outputs of commands are files. It fails when `process` has ended without."""
        changes = Changes((self.directory, self.work), process)
        end = time.monotonic() + seconds
        try:
            while True:
                ended, found = changes.ended, condition()
                if found:
                    return found
                if ended:
                    raise Failure('ended before %s: %s' % (what, self.finish(process)))
                if not changes.wait(end - time.monotonic()):
                    raise Failure('waited in vain for ' + what)
        finally:
            changes.close()

    def wait_for_text(self, process, pattern, seconds=30):
        """The match of a pattern in what a command has written, to its standard output or error, by now."""
        def said():
            for path in (process.out_path, process.err_path):
                with open(path, 'rb') as f:
                    found = re.search(pattern, f.read(), re.M)
                if found:
                    return found
            return None
        return self.wait_for(said, 'it said %r' % pattern, process, seconds)

    def must(self, argv, **more):
        """The same for what prepares a test: it has to succeed."""
        result = self.run(argv, **more)
        if result.status != 0:
            raise Failure('preparing the test failed: %s' % result)
        return result

    # ---- record and replay ----

    def record_command(self, argv, recording=None):
        """(directory, command line) of a new recording."""
        self.recordings += 1
        recording = recording or self.path('recording%d' % self.recordings)
        return recording, [self.warp, 'record', *self.config.record_args, '-o', recording, '--', *argv]

    def record(self, argv, ends=0, **more):
        """Records a program that has to end with status `ends` (None: any)."""
        recording, command = self.record_command(argv)
        return self.recorded(recording, self.run(command, **more), ends)

    def recorded(self, recording, result, ends=0):
        self.say('recorded: %s, %.2f s, %d bytes on stdout, %d on stderr' %
                 (result.end(), result.seconds, len(result.out), len(result.err)))
        for notice in own_lines(result.err)[0]:
            self.say('  ' + notice.decode(errors='replace').rstrip())
        if ends is not None and result.status != ends:
            raise Failure('the recorded run should have ended with %s: %s' % (ends, result))
        self.check_sanitizers()
        return Recording(recording, result)

    def spoil(self):
        """Takes away what the program worked on, its own files included."""
        shutil.rmtree(self.work)
        os.mkdir(self.work)

    def replay(self, recording, times=None, hide=(), limit=600):
        """Replays from another working directory: outputs and end must be the recorded ones.
        `hide`: files and directories of the system that are not to be seen meanwhile (root only)."""
        times = times or self.config.times
        command = hiding(hide) + [self.warp, 'replay', '-a', recording.path]
        for turn in range(1, times + 1):
            result = self.run(command, cwd=self.path('elsewhere'), limit=limit)
            self.say('replayed: %s, %.2f s' % (result.end(), result.seconds))
            own, err = own_lines(result.err)
            faults = []
            if result.status != recording.result.status:
                faults.append('recorded: %s, replayed: %s' % (recording.result.end(), result.end()))
            for name, then, now in (('stdout', recording.out, result.out), ('stderr', recording.err, err)):
                if then != now:
                    faults.append('%s differs at %s' % (name, first_difference(then, now)))
            if own:
                faults.append('warp said: ' + b''.join(own).decode(errors='replace'))
            if faults:
                raise Failure('replay %d of %d: %s\n%s' % (turn, times, '\n'.join(faults), result))
            self.check_sanitizers()

    def check_sanitizers(self):
        for name in sorted(os.listdir(self.directory)):
            if name.startswith(('asan.', 'ubsan.')):
                with open(self.path(name), 'rb') as f:
                    raise Failure('a sanitizer reports:\n' + excerpt(f.read()))


def in_own_group(then):
    def prepare():
        os.setpgid(0, 0)
        if then:
            then()
    return prepare


def can_hide():
    """Whether we may have a mount namespace of our own."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(['unshare', '-m', 'true'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def hiding(paths):
    """A command prefix under which the existing ones of `paths` are empty."""
    paths = [os.path.realpath(p) for p in paths if os.path.exists(p)]
    if not paths or not can_hide():
        return []
    script = ''
    for path in paths:
        if os.path.isdir(path):
            script += 'mount -t tmpfs none %s || exit 99\n' % shlex.quote(path)
        else:
            script += 'mount --bind /dev/null %s || exit 99\n' % shlex.quote(path)
    return ['unshare', '-m', 'sh', '-c', script + 'exec "$@"', 'sh']


# ---- processes ----

def adopt_orphans():
    if LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), 'prctl(PR_SET_CHILD_SUBREAPER)')


def leave_ipc_namespace():
    """Where we may: System V objects and message queues that are left behind go away with the test,
    and those that others left behind do not use up the limits."""
    LIBC.unshare(CLONE_NEWIPC)


def stat_fields(pid):
    """(parent, state) of a process, or None when it is gone."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            fields = f.read().rpartition(')')[2].split()
        return int(fields[1]), fields[0]
    except (OSError, IndexError):
        return None


def descendants(pid):
    """All live processes below `pid`, parents before children."""
    children = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            fields = stat_fields(int(entry))
            if fields and fields[1] != 'Z':
                children.setdefault(fields[0], []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(0), [])
        found += below
        todo += below
    return found


def kill_descendants(pid):
    """Ends all processes below `pid`, and those that they still start. Returns what there was."""
    killed = {}
    for _ in range(100):
        below = [p for p in descendants(pid) if p not in killed]
        if not below:
            break
        for each in below:
            try:
                with open('/proc/%d/comm' % each) as f:
                    killed[each] = f.read().strip()
                os.kill(each, signal.SIGKILL)
            except OSError:
                killed.setdefault(each, '?')
    return killed


def c_text(text):
    """A text with C's escapes, as bytes."""
    return re.sub(rb'\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)', unescape, text.encode())


def unescape(match):
    word = match.group(1)
    if word[:1] == b'x' and len(word) == 3:
        return bytes([int(word[1:], 16)])
    if word.isdigit():
        return bytes([int(word, 8)])
    return {b'n': b'\n', b't': b'\t', b'r': b'\r', b'e': b'\x1b'}.get(word, word)
