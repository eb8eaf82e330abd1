"""warp regs: values, changes, what the process notices, refusals.

The programs are in tests/live. Each says "ready" when it is where it is to be looked at, and goes on
when it gets a line."""

import ctypes
import json
import os
import re
import signal
import struct
import subprocess

from harness import PYTHON, Failure, Skip, Test, excerpt, stat_fields

TESTS = []
FAILED = 125
GENERAL, STACK, VECTOR, MASK = range(4)
NAMES = 'rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15'.split()
PTRACE_SEIZE = 0x4206


def case(function, limit=60, alone=False):
    TESTS.append(Test('regs/' + function.__name__.replace('_', '-'), function, limit=limit, alone=alone))
    return function


def tests(_):
    return list(TESTS)


def check(ok, what, result=''):
    if not ok:
        raise Failure('%s: %s' % (what, result))


class Guest:
    """A program of tests/live, talked to through pipes."""

    def __init__(self, context, name, *args, program=None):
        program = program or os.path.join(context.config.build, 'tests', 'live', name)
        if not os.path.exists(program):
            raise Skip('%s is not built (-Dguests=true)' % program)
        self.process = subprocess.Popen([program, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        cwd=context.work, env=context.environment())
        self.pid = self.process.pid
        self.lines = []

    def until(self, pattern):
        """Reads lines up to one that matches."""
        while True:
            line = self.process.stdout.readline().decode()
            if not line:
                raise Failure('the program ended before it said %r; it said %s' % (pattern, self.lines))
            self.lines.append(line.rstrip('\n'))
            found = re.search(pattern, line)
            if found:
                return found

    def send(self, text='\n'):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self, status=0):
        """Everything else that it says; it has to end with `status`."""
        self.process.stdin.close()
        rest = self.process.stdout.read().decode()
        ended = self.process.wait()
        check(ended == status, 'the program ended with %d instead of %d' % (ended, status), rest[-1000:])
        return rest


def regs(context, *args):
    """One sample as an object."""
    result = context.run([context.warp, 'regs', '--json', *map(str, args)])
    check(result.status == 0 and not result.err, 'regs should have succeeded', result)
    context.check_sanitizers()
    return json.loads(result.out)


def threads_of(sample):
    return {t['tid']: t for t in sample['threads']}


def refused(context, result, says):
    lines = result.err.decode(errors='replace').splitlines()
    check(result.status == FAILED, 'should have ended with status 125', result)
    check(len(lines) == 1 and lines[0].startswith('warp: '), 'one line that begins with "warp: "', result)
    check(not result.out, 'nothing on stdout', result)
    check(re.search(says, lines[0], re.I), 'the line should say %r' % says, result)
    context.say('  ' + lines[0])
    context.check_sanitizers()


# ---- values ----

def pattern(thread, kind, reg, word=0):
    return 0x9e3779b97f4a7c15 * (1 + thread * 10000 + kind * 1000 + reg * 10 + word) % 2 ** 64


def vector(thread, reg, words):
    return sum(pattern(thread, VECTOR, reg, w) << (64 * w) for w in range(words))


def expected_registers(thread, parts):
    """What a thread of regs_known has in its registers: name to value."""
    found = {name: pattern(thread, GENERAL, i) for i, name in enumerate(NAMES)}
    for i in range(8):
        found['st%d' % i] = (0x3fff + i) << 64 | pattern(thread, STACK, i) | 1 << 63
    found.update(fctrl=0x27f, fstat=3 << 11, ftag=0xff, mxcsr=0x5f80)
    name, words, count = ('zmm', 8, 32) if parts & 0xe0 == 0xe0 else ('ymm', 4, 16) if parts & 4 else ('xmm', 2, 16)
    for i in range(count):
        found['%s%d' % (name, i)] = vector(thread, i, words)
    if parts & 0x20:
        found.update(('k%d' % i, pattern(thread, MASK, i)) for i in range(8))
    return found


class Known(Guest):
    """regs_known with its threads spinning."""

    def __init__(self, context, count):
        super().__init__(context, 'regs_known', count)
        layout = self.until(r'^layout (\S+) (\d+) (\d+) (\d+) (\d+)')
        self.parts = int(layout.group(1), 16)
        self.offsets = [int(n) for n in layout.groups()[1:]]
        self.until('^ready')
        self.tids = dict(map(int, m.groups()) for m in
                         (re.match(r'thread (\d+) tid (\d+)', line) for line in self.lines) if m)

    def seen(self):
        """Lets the threads go on: what each found in its registers."""
        self.send()
        return {int(m.group(1)): self.parse(m.group(2), bytes.fromhex(m.group(3)))
                for m in re.finditer(r'^end (\d+) (.*) area=(\S+)$', self.end(), re.M)}

    def parse(self, words, area):
        found = {name: int(value, 16) for name, value in (w.split('=') for w in words.split())}
        avx, mask, high, upper = self.offsets

        def number(at, length):
            return int.from_bytes(area[at:at + length], 'little')
        for i in range(8):
            found['st%d' % i] = number(32 + 16 * i, 10)
        found.update(fctrl=number(0, 2), fstat=number(2, 2), ftag=number(4, 1), mxcsr=number(24, 4))
        for i in range(16):
            value = number(160 + 16 * i, 16)
            if self.parts & 4:
                value |= number(avx + 16 * i, 16) << 128
            if self.parts & 0xe0 == 0xe0:
                found['zmm%d' % i] = value | number(high + 32 * i, 32) << 256
                found['zmm%d' % (16 + i)] = number(upper + 64 * i, 64)
            else:
                found['%smm%d' % ('y' if self.parts & 4 else 'x', i)] = value
        if self.parts & 0x20:
            found.update(('k%d' % i, number(mask + 8 * i, 8)) for i in range(8))
        return found


def same_values(expected, found, who):
    wrong = ['%s: expected %#x, is %s' % (name, value, found.get(name) and '%#x' % found[name])
             for name, value in expected.items() if found.get(name) != value]
    check(not wrong, 'wrong registers of %s' % who, '\n'.join(wrong))


def numbers(thread):
    return {name: int(value, 16) for name, value in thread['registers'].items()}


@case
def values(context):
    """Every register of every thread has the value that the thread has put there."""
    guest = Known(context, 3)
    sample = regs(context, '-f', 'all', guest.pid)
    threads = threads_of(sample)
    check(sample['pid'] == guest.pid and sample['name'] == 'regs_known', 'the process', sample['name'])
    check(set(threads) == {guest.pid, *guest.tids.values()}, 'all threads and no others', sorted(threads))
    for index, tid in guest.tids.items():
        same_values(expected_registers(index, guest.parts), numbers(threads[tid]), 'thread %d' % index)
        check(threads[tid]['at']['symbol'] == 'spin', 'where it is', threads[tid]['at'])
        check('call' not in threads[tid], 'no call', threads[tid].get('call'))
    main = threads[guest.pid]
    check(main['call']['name'] == 'read' and main['call']['args'][0] == '0x0' and
          re.fullmatch(r'read\(0, 0x[0-9a-f]+, 16\)', main['call']['text']), 'the call of the main thread', main['call'])
    check(main['state'] == 'S', 'its state', main['state'])
    # Looking has changed nothing.
    for index, found in guest.seen().items():
        same_values(expected_registers(index, guest.parts), found, 'thread %d afterwards' % index)


@case
def flavors(context):
    """Each flavor shows its registers and no others."""
    guest = Known(context, 1)
    tid = guest.tids[0]
    shown = {f: list(regs(context, '--flavor', f, tid)['threads'][0]['registers'])
             for f in ('general', 'float', 'vector', 'debug', 'all')}
    check(shown['all'] == shown['general'] + shown['float'] + shown['vector'] + shown['debug'], 'all of them', shown)
    for flavor, one in (('general', 'rip'), ('float', 'st7'), ('vector', 'mxcsr'), ('debug', 'dr7')):
        check([f for f in shown if one in shown[f]] == [flavor, 'all'], one, shown)
    two = list(regs(context, '-f', 'debug,general', tid)['threads'][0]['registers'])
    check(two == shown['general'] + shown['debug'], 'two flavors', two)
    text = context.run([context.warp, 'regs', '-f', 'all', str(tid)])
    for word in shown['all']:
        check(re.search(r'\b%s +0x' % word, text.out.decode()), word, text)
    check(re.search(r'mxcsr +0x5f80 +\[ IM DM ZM OM UM PM \] rounds up', text.out.decode()), 'mxcsr explained', text)
    check(re.search(r'fctrl +0x27f +\[.*\] double precision', text.out.decode()), 'fctrl explained', text)
    guest.seen()


def changes(parts):
    """Registers to set, and the values that the program has to find: name, text, value."""
    found = [('rbx', '0x123456789abcdef0', 0x123456789abcdef0), ('r12', '-2', 2 ** 64 - 2), ('rax', '77', 77),
             ('mxcsr', '0x1fa0', 0x1fa0), ('fctrl', '0x37f', 0x37f), ('st2', '1.5', 0x3fff << 64 | 3 << 62),
             ('st7', '0x4000c000000000000000', 0x4000c000000000000000)]
    if parts & 0xe0 == 0xe0:
        wide = int('1f2e3d4c' * 16, 16)
        found += [('zmm5', hex(wide), wide), ('zmm31', '0x' + '%0128x' % (wide + 1), wide + 1), ('k3', '0x55aa', 0x55aa)]
    return found


@case
def changed_values(context):
    """What is set is what the thread finds, in the thread that was named and in no other."""
    guest = Known(context, 2)
    tid = guest.tids[1]
    todo = changes(guest.parts)
    options = [word for name, text, _ in todo for word in ('-s', '%s=%s' % (name, text))]
    shown = numbers(regs(context, '-f', 'all', *options, tid)['threads'][0])
    expected = expected_registers(1, guest.parts)
    expected.update((name, value) for name, _, value in todo)
    same_values(expected, shown, 'the thread as shown')
    seen = guest.seen()
    same_values(expected, seen[1], 'the thread as it sees them')
    same_values(expected_registers(0, guest.parts), seen[0], 'the other thread')


@case
def parts_of_vectors(context):
    """A narrow name changes its part of a wide register only."""
    guest = Known(context, 1)
    regs(context, '-s', 'xmm3=0x1122', '-s', 'ymm4=0x3344' if guest.parts & 4 else 'xmm4=0x3344', guest.tids[0])
    expected = expected_registers(0, guest.parts)
    for name, bits, value in (('3', 128, 0x1122), ('4', 256 if guest.parts & 4 else 128, 0x3344)):
        wide = next(w + name for w in ('zmm', 'ymm', 'xmm') if w + name in expected)
        expected[wide] = expected[wide] >> bits << bits | value
    same_values(expected, guest.seen()[0], 'the thread')


@case
def program_counter(context):
    """A thread that is in a call can be sent elsewhere: the call is not made again there."""
    guest = Known(context, 1)
    spin = int(regs(context, guest.tids[0])['threads'][0]['at']['pc'], 16)
    before = regs(context, guest.pid)['threads'][0]
    check(before['call']['name'] == 'read', 'in read', before)
    after = numbers(regs(context, '-s', 'rip=%#x' % spin, guest.pid)['threads'][0])
    check(after['rip'] == spin and after['orig_rax'] == 2 ** 64 - 1, 'the new place', after)
    now = regs(context, guest.pid)['threads'][0]
    check(now['at']['symbol'] == 'spin' and 'call' not in now, 'the main thread spins now', now)
    guest.process.kill()
    guest.process.wait()


@case
def wrong_changes(context):
    """What cannot be set is refused, and then nothing at all was set."""
    guest = Known(context, 1)
    tid = str(guest.tids[0])
    for text, says in (('nix=1', 'nix'), ('rbx', 'REGISTER=VALUE'), ('=1', 'REGISTER=VALUE'), ('rbx=', 'number'),
                       ('rbx=0x', 'number'), ('rbx=12k', 'number'), ('rbx=0x1' + '0' * 16, '64 bits'),
                       ('rbx=18446744073709551616', 'number'), ('rbx=1.5', 'number'), ('cs=70000', '16 bits'),
                       ('mxcsr=0xffff0000', 'mxcsr'), ('dr0=0xffffffff80000000', 'dr0'), ('cs=0x8', 'cs'),
                       ('eflags=0xffffffff', 'eflags'), ('fs_base=0x8000000000000000', 'fs_base')):
        refused(context, context.run([context.warp, 'regs', '-s', 'r13=5', '-s', text, tid]), says)
    same_values(expected_registers(0, guest.parts), guest.seen()[0], 'the thread')


GDB = r'''
import gdb, json, re
found = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    regs = {}
    for name in "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss ds es fs gs fs_base " \
                "gs_base orig_rax fctrl fstat ftag fop mxcsr k0 k1 k2 k3 k4 k5 k6 k7".split():
        value = gdb.parse_and_eval("$" + name)
        if value.type.code != gdb.TYPE_CODE_VOID:
            regs[name] = int(value.format_string(format="x"), 16)
    for i in range(8):
        text = gdb.execute("info registers st%d" % i, to_string=True)
        regs["st%d" % i] = int(re.search(r"\(raw (0x[0-9a-f]+)\)", text).group(1), 16)
    for name, field, words in (("zmm", "v8_int64", 8), ("ymm", "v4_int64", 4), ("xmm", "v2_int64", 2)):
        for i in range(32):
            value = gdb.parse_and_eval("$%s%d" % (name, i))
            if value.type.code != gdb.TYPE_CODE_VOID:
                regs["%s%d" % (name, i)] = sum((int(value[field][w]) & (2 ** 64 - 1)) << (64 * w) for w in range(words))
    found[thread.ptid[1]] = regs
print("REGISTERS " + json.dumps(found))
'''


def abridged_tags(full):
    """FXSAVE keeps one bit a register, gdb shows two: 3 is empty."""
    return sum(1 << i for i in range(8) if full >> (2 * i) & 3 != 3)


@case
def same_as_gdb(context):
    """gdb and warp regs agree on every register of a stopped program, and leave it stopped."""
    context.needs('gdb')
    guest = Known(context, 3)
    os.kill(guest.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, guest.pid, os.WSTOPPED | os.WNOWAIT)
    script = context.write('dump.py', GDB)
    mine = threads_of(regs(context, '-f', 'all', guest.pid))
    wait_for_states([guest.pid, *guest.tids.values()], 'T')
    result = context.run(['gdb', '-nx', '-batch', '-ex', 'set debuginfod enabled off', '-p', str(guest.pid), '-x', script])
    found = re.search(r'^REGISTERS (.*)$', result.out.decode(), re.M)
    check(found, 'gdb shows registers', result)
    theirs = {int(tid): values for tid, values in json.loads(found.group(1)).items()}
    check(set(theirs) == set(mine), 'the same threads', (sorted(theirs), sorted(mine)))
    compared = 0
    for tid, values in theirs.items():
        values['ftag'] = abridged_tags(values['ftag'])
        shown = numbers(mine[tid])
        values = {name: value for name, value in values.items() if name in shown}
        same_values(values, shown, 'thread %d, compared with gdb' % tid)
        check(set(shown) - set(values) <= {'fip', 'fdp', *('dr%d' % i for i in range(8))}, 'only in warp regs',
              sorted(set(shown) - set(values)))
        compared += len(values)
    context.say('%d values of %d threads compared' % (compared, len(theirs)))
    os.kill(guest.pid, signal.SIGCONT)
    guest.seen()


# ---- what the process notices ----

def wait_for_states(tids, wanted):
    """Until all threads are in one of these states. Nobody but their tracer is told of that: so it asks."""
    while True:
        states = {tid: stat_fields(tid) for tid in tids}
        check(all(states.values()), 'a thread has ended', states)
        if all(state[1] in wanted for state in states.values()):
            return
        os.sched_yield()


@case
def blocked_calls(context):
    """No call that blocks ends because somebody looks, and none is seen to be missing."""
    guest = Guest(context, 'regs_blocked')
    guest.until('^ready')
    blocked = {int(m.group(1)): m.group(2) for m in
               (re.match(r'blocked (\d+) (\S+)', line) for line in guest.lines) if m}
    while len(blocked) < 17:
        found = guest.until(r'^blocked (\d+) (\S+)')
        blocked[int(found.group(1))] = found.group(2)
    calls = {'recv-timeout': 'read', 'eventfd': 'read', 'sigwaitinfo': 'rt_sigtimedwait', 'semop': 'semop|semtimedop',
             'futex-timeout': 'futex|restart_syscall', 'poll': 'poll|restart_syscall', 'select': 'select|pselect6'}
    for _ in range(20):
        wait_for_states(blocked, 'S')
        threads = threads_of(regs(context, guest.pid))
        for tid, name in blocked.items():
            call = threads[tid].get('call', {}).get('name')
            check(call and re.fullmatch(calls.get(name, name), call), 'the call of %s' % name, threads[tid])
    guest.send()
    rest = guest.end()
    check(len(re.findall(r' ok$', rest, re.M)) == len(blocked), 'all calls ended well', rest)


@case
def restarted_calls(context):
    """What a look has interrupted is still called by its name at the next."""
    script = 'import select, time; select.poll().poll(60000)'
    for argv, name in ((['sleep', '60'], 'clock_nanosleep'), ([PYTHON, '-S', '-c', script], 'poll')):
        with subprocess.Popen(argv, cwd=context.work) as process:
            try:
                look = {}
                while look.get('name') not in (name, 'restart_syscall'):  # it begins
                    look = threads_of(regs(context, process.pid))[process.pid].get('call', {})
                looks = [threads_of(regs(context, process.pid))[process.pid]['call'] for _ in range(3)]
                check([look['name'] for look in looks] == [name] * 3, 'its name', looks)
                check(len({look['text'] for look in looks}) == 1, 'and arguments', looks)
            finally:
                process.kill()


LOAD_SAYS = r'rounds (\d+) wrong (\d+) interrupted (\d+) latest_ns (\d+)'


@case
def under_load(context):
    """A process of many threads that checks all it does finds nothing but pauses.

    How late things are without anybody looking tells a second, smaller process beside it."""
    count, times = context.size(100, 200), context.size(40, 1000)
    guest, control = Guest(context, 'regs_load', count), Guest(context, 'regs_load', 20)
    guest.until('^ready')
    control.until('^ready')
    pauses = []
    for _ in range(times):
        sample = regs(context, '-f', 'all', guest.pid)
        check(len(sample['threads']) == count + 1, 'all threads', len(sample['threads']))
        pauses.append(sample['paused_ns'])
    guest.send()
    control.send()
    rounds, wrong, interrupted, latest = map(int, guest.until(LOAD_SAYS).groups())
    usual = int(control.until(LOAD_SAYS).group(4))
    context.say('%d samples, paused %.1f ms on average, %.1f at most; %d rounds, latest by %.1f ms, others %.1f' %
                (times, sum(pauses) / times / 1e6, max(pauses) / 1e6, rounds, latest / 1e6, usual / 1e6))
    check(wrong == 0 and interrupted == 0, 'nothing wrong, nothing interrupted', guest.lines[-1])
    # A timed call that is made again waits its 5 ms again.
    check(latest <= 2 * max(pauses) + 4 * usual + 1e9, 'late by the pauses only', (latest, max(pauses), usual))
    guest.end()
    control.end()


TESTS[-1].limit = 300


@case
def signals_that_interrupt(context):
    """A signal that comes in the middle of a look ends its call with EINTR all the same: none is lost.

    Rarely the kernel has already decided to make the call again, and the signal comes before that (pause() under any
    tracer shows the same): in 3 of 3,438 looks with signals all the time."""
    guest = Guest(context, 'regs_signals', context.size(10000, 100000))
    guest.until('^ready')
    looks = context.size(40, 400)
    for _ in range(looks):
        regs(context, guest.pid)
    said = guest.end()
    found = re.search(r'^signals (\d+) interrupted (\d+) before (\d+)$', said, re.M)
    check(found, 'no signal is lost', said)
    signals, interrupted, before = map(int, found.groups())
    check(interrupted + before == signals, 'each signal has interrupted its call', said)
    check(before * 20 <= looks, 'or came before it, rarely', said)


TESTS[-1].limit = 200


@case
def stays_stopped(context):
    """A stopped process stays so, its parent hears nothing, and SIGCONT works as ever."""
    guest = Known(context, 2)
    os.kill(guest.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, guest.pid, os.WSTOPPED)
    for _ in range(10):
        # Threads that were let go take a moment to stop again, without executing anything.
        wait_for_states([guest.pid, *guest.tids.values()], 'T')
        sample = regs(context, guest.pid)
        check({t['state'] for t in sample['threads']} == {'T'}, 'shown as stopped', sample)
    wait_for_states([guest.pid, *guest.tids.values()], 'T')
    news = os.waitid(os.P_PID, guest.pid, os.WSTOPPED | os.WCONTINUED | os.WEXITED | os.WNOHANG)
    check(news is None, 'no news for the parent', news)
    os.kill(guest.pid, signal.SIGCONT)
    os.waitid(os.P_PID, guest.pid, os.WCONTINUED)
    same_values(expected_registers(0, guest.parts), guest.seen()[0], 'the thread')


@case
def unusual_states(context):
    """A leader that has ended, and a thread that cannot be stopped, are shown for what they are."""
    guest = Guest(context, 'regs_states', 'exited')
    guest.until('^ready')
    wait_for_states([guest.pid], 'Z')
    sample = regs(context, guest.pid)
    states = {t['tid']: t['state'] for t in sample['threads']}
    check(states[guest.pid] == 'Z' and len(states) == 2, 'a leader that has ended', states)
    check(any(t.get('call', {}).get('name') == 'read' for t in sample['threads']), 'its living thread', sample)
    guest.end()
    guest = Guest(context, 'regs_states', 'vfork')
    guest.until('^ready')
    sample = regs(context, guest.pid)
    waits = [t for t in sample['threads'] if t['state'] == 'D']
    check(len(waits) == 1 and 'registers' not in waits[0] and 'vfork' in waits[0]['call']['name'],
          'a thread that waits for its child', sample)
    check(sample['paused_ns'] < 1.5e9, 'the others do not wait until that is let go', sample['paused_ns'])
    check('registers' in threads_of(sample)[guest.pid], 'the other thread', sample)
    guest.end()


# ---- stacks, samples ----

@case
def stacks(context):
    guest = Known(context, 1)
    threads = threads_of(regs(context, '--stacks', guest.pid))
    names = [f.get('symbol') for f in threads[guest.pid]['stack']]
    check('main' in names, 'the stack of the main thread', names)
    # Without unwind information for `hold`, only its own place is certain.
    names = [f.get('symbol') for f in threads[guest.tids[0]]['stack']]
    check(names[0] == 'spin', 'the stack of a thread', names)
    guest.seen()
    guest = Guest(context, 'regs_blocked')
    guest.until('^ready')
    wait_for_states([int(t) for t in os.listdir('/proc/%d/task' % guest.pid)], 'S')
    sample = regs(context, '-k', guest.pid)
    names = [{f.get('symbol') for f in t['stack']} for t in sample['threads']]
    for function in ('do_poll', 'do_futex', 'do_wait', 'do_accept'):
        check(sum(function in n and 'run' in n for n in names) == 1, '%s in one stack' % function, names)
    text = context.run([context.warp, 'regs', '-k', str(guest.pid)])
    check(re.search(r'^ +#\d+ +0x[0-9a-f]{16} do_poll\+0x[0-9a-f]+ \(.*regs_blocked\)$', text.out.decode(), re.M),
          'a frame in the text', excerpt(text.out))
    guest.send()
    guest.end()


@case
def sampling(context):
    """Samples at an interval; sampling ends with the process."""
    guest = Known(context, 1)
    result = context.run([context.warp, 'regs', '--json', '-n', '5ms', '-c', '4', str(guest.pid)])
    samples = [json.loads(line) for line in result.out.splitlines()]
    check(result.status == 0 and len(samples) == 4, 'four samples', result)
    running = context.start([context.warp, 'regs', '-n', '2ms', str(guest.pid)])
    context.wait_for_text(running, rb'\n')
    guest.seen()
    ended = context.finish(running, limit=30)
    check(ended.status == 0 and not ended.err, 'sampling ends in order', ended)
    sleeper = context.start(['sleep', '1000'])
    running = context.start([context.warp, 'regs', '-n', '1ms', str(sleeper.pid)])
    context.wait_for_text(running, rb'\n')
    running.send_signal(signal.SIGINT)
    ended = context.finish(running, limit=30)
    check(ended.status == 0 and not ended.err, 'interrupted in order', ended)
    check(stat_fields(sleeper.pid)[1] == 'S' and sleeper.poll() is None, 'the process lives', stat_fields(sleeper.pid))
    sleeper.kill()
    sleeper.wait()


@case
def timeouts_under_samples(context):
    """Timeouts come although samples come faster, and not before their time."""
    guest = Guest(context, 'regs_timeouts')
    guest.until('^ready')
    sampler = context.start([context.warp, 'regs', '-n', '10ms', str(guest.pid)])
    context.wait_for_text(sampler, rb'\n')
    guest.send()
    said = [guest.until(r'^(\S+) ok after (\d+) ms') for _ in range(5)]
    context.say(', '.join('%s %s ms' % m.groups() for m in said))
    check(all(int(m.group(2)) < 5000 for m in said), 'within seconds, of 300 ms', [m.group(0) for m in said])
    guest.end()
    ended = context.finish(sampler, limit=30)
    check(ended.status == 0 and not ended.err, 'sampling ends in order', ended.err)


# ---- 32-bit ----

@case
def narrow_process(context):
    """A 32-bit process: its registers by their names, its calls, and changes to both."""
    context.needs('gcc')
    program = os.path.join(context.work, 'narrow')
    built = context.run(['gcc', '-m32', '-O1', '-static', '-nostdlib', '-ffreestanding', '-fno-pie', '-no-pie',
                         '-fno-stack-protector', '-o', program, context.config.root + '/tests/live/regs_narrow.c'])
    if built.status:
        raise Skip('gcc that links 32-bit programs (-m32): ' + built.err.decode(errors='replace')[-200:])
    guest = Guest(context, None, program=program)
    address, = struct.unpack('<I', guest.process.stdout.read(4))
    thread = regs(context, '-f', 'all', guest.pid)['threads'][0]
    found = numbers(thread)
    same_values({'eax': 0x11111111, 'ebx': 0x22222222, 'ecx': 0x33333333, 'edx': 0x84444444, 'esi': 0x55555555,
                 'edi': 0x66666666, 'ebp': 0x77777777, 'cs': 0x23}, found, 'the 32-bit thread')
    check('eip' in found and 'rip' not in found and 'r8' not in found, 'names', sorted(found))
    check(not any(re.fullmatch('[xyz]mm8', name) for name in found), 'eight vector registers', sorted(found))
    check(thread['meaning']['cs'] == '32-bit code', 'what cs means', thread['meaning'])
    regs(context, '-s', 'esi=0x87654321', guest.pid)
    with open('/proc/%d/mem' % guest.pid, 'r+b', buffering=0) as memory:
        memory.seek(address)
        memory.write(b'\1')
    check(struct.unpack('<I', guest.process.stdout.read(4)) == (0x87654321,), 'the changed register', '')
    wait_for_states([guest.pid], 'S')
    for _ in range(3):
        call = regs(context, guest.pid)['threads'][0]['call']
        check(call['name'] == 'read' and call['narrow'] and call['nr'] == 3 and call['args'][2] == '0x1', 'its call', call)
    guest.send('\7')
    guest.end(7)


# ---- refusals ----

@case
def no_process(context):
    process = context.start(['true'])
    context.finish(process)
    refused(context, context.run([context.warp, 'regs', str(process.pid)]), 'no (such )?process')
    refused(context, context.run([context.warp, 'regs', '2147483647']), 'no (such )?process')


@case
def a_zombie(context):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    refused(context, context.run([context.warp, 'regs', str(pid)]), 'zombie|ended')
    os.waitpid(pid, 0)


@case
def itself(context):
    refused(context, context.run(['sh', '-c', 'exec "$0" regs $$', context.warp]), 'itself|own')


@case
def a_kernel_thread(context):
    for pid in filter(str.isdigit, os.listdir('/proc')):
        fields = stat_fields(int(pid))
        if fields and fields[0] == 2:
            refused(context, context.run([context.warp, 'regs', pid]), 'kernel')
            return
    raise Skip('a kernel thread in /proc (hidden by a container)')


@case
def of_another_user(context):
    if os.geteuid() == 0:
        raise Skip('root may look at everybody; the ordinary user of the second run may not')
    for pid in filter(str.isdigit, os.listdir('/proc')):
        fields = stat_fields(int(pid))
        if fields and fields[0] != 2 and int(pid) != 2 and os.stat('/proc/' + pid).st_uid != os.geteuid():
            refused(context, context.run([context.warp, 'regs', pid]), 'user')
            return
    raise Skip('a process of another user')


@case
def traced_already(context):
    """The refusal names the tracer, here this test."""
    guest = Known(context, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    check(libc.ptrace(PTRACE_SEIZE, guest.pid, 0, 0) == 0, 'tracing it', os.strerror(ctypes.get_errno()))
    refused(context, context.run([context.warp, 'regs', str(guest.pid)]), 'traced.*%d' % os.getpid())
    libc.ptrace(0x4207, guest.pid, 0, 0)  # PTRACE_INTERRUPT
    os.waitpid(guest.pid, 0)
    check(libc.ptrace(17, guest.pid, 0, 0) == 0, 'letting go', os.strerror(ctypes.get_errno()))
    regs(context, guest.pid)
    guest.seen()


@case
def wrong_use(context):
    for args, says in ((['1', '2'], 'one process'), ([], 'one process'), (['x'], 'number'), (['-5'], 'option'),
                       (['0'], 'number'), (['-f', 'all,', '1'], 'flavor'), (['-f', 'nix', '1'], 'flavor'),
                       (['-n', 'x', '1'], 'interval'), (['-n', '0', '1'], 'interval'), (['-c', '2', '1'], '-n'),
                       (['-c', '0', '-n', '1', '1'], 'number'), (['--nix', '1'], 'option'), (['-s'], 'argument')):
        refused(context, context.run([context.warp, 'regs', *args]), says)
