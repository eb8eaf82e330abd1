"""In gdb: runs to the end of a recording, back to its beginning, and forwards again; every stop on the way must be
the same each time, in mirrored order. Prints MIRRORED and how many stops there were, or what differs. With
`mirror_least` set before, fewer stops are a failure; so are more than MOST, where the end is not reached."""

import gdb

MOST = 400
LEAST = globals().get('mirror_least', 1)
REGISTERS = ('rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip fs_base gs_base').split()
RESUME = 1 << 16  # of eflags: left by debug registers


def variables(frame):
    """Arguments and locals. Some values cannot be shown: where they are not yet, or no longer."""
    try:
        block = frame.block()
    except RuntimeError:
        return
    while block and not block.is_global and not block.is_static:
        for symbol in block:
            try:
                if symbol.is_argument or symbol.is_variable:
                    yield '%s=%s' % (symbol.name, frame.read_var(symbol))
            except (gdb.error, ValueError) as e:
                yield '%s: %s' % (symbol.name, e)
        block = None if block.function else block.superblock


def state():
    """What a stop is: thread, place, registers, the frame's variables, globals that the program has, and a hash of all
    memory that it can write."""
    frame = gdb.selected_frame()
    found = [gdb.selected_thread().ptid[1], frame.pc(), frame.name()]
    found += ['%s=%#x' % (name, int(frame.read_register(name)) & (1 << 64) - 1) for name in REGISTERS]
    found.append('eflags=%#x' % (int(frame.read_register('eflags')) & ~RESUME))
    found += variables(frame)
    for name in ('total', 'history', 'state', 'role', 'guest_failures', 'progress', 'tick_count'):
        try:
            found.append(str(gdb.parse_and_eval(name)))
        except gdb.error:
            pass
    return found + ['memory ' + gdb.execute('monitor hash', to_string=True).strip()]


class Stops:
    def __init__(self):
        self.over = False
        self.threads = set()
        gdb.events.stop.connect(self.stopped)

    def stopped(self, event):
        self.over = not isinstance(event, (gdb.BreakpointEvent, gdb.SignalEvent))

    def collect(self, command):
        found = []
        for _ in range(MOST):
            gdb.execute(command, to_string=True)
            if self.over:
                return found
            found.append(state())
            self.threads.add(found[-1][0])
        raise gdb.GdbError('no end after %d stops' % MOST)


def differences(one, other):
    if len(one) != len(other):
        yield '%d stops and %d' % (len(one), len(other))
    for i, (a, b) in enumerate(zip(one, other)):
        if a != b:
            yield 'stop %d: %s' % (i, [(x, y) for x, y in zip(a, b) if x != y])


def mirror():
    stops = Stops()
    forwards = stops.collect('continue')
    end = state()
    back = stops.collect('reverse-continue')
    begin = state()
    again = stops.collect('continue')
    wrong = list(differences(forwards, back[::-1])) + list(differences(forwards, again))
    if state() != end:
        wrong.append('the end is not the same: %s and %s' % (end, state()))
    if len(forwards) < LEAST:
        wrong.append('%d stops only, %d are wanted' % (len(forwards), LEAST))
    print('begin at %#x' % begin[1])
    print('DIFFERENT\n' + '\n'.join(wrong[:10]) if wrong else
          'MIRRORED %d stops of %d threads' % (len(forwards), len(stops.threads)))


mirror()
