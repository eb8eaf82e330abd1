"""In gdb: runs to the end of a recording, back to its beginning, and forwards again; every stop on the way must be
the same each time, in mirrored order. Prints MIRRORED and how many stops there were, or what differs."""

import gdb

MOST = 400


def state():
    """What a stop is: thread, place, variables of the frame, the globals that the program has."""
    frame = gdb.selected_frame()
    found = [gdb.selected_thread().ptid[1], frame.pc(), frame.name()]
    registers = ('rsp', 'rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'r12', 'eflags')
    found += [int(frame.read_register(name)) & (1 << 64) - 1 for name in registers]
    try:
        found += ['%s=%s' % (s.name, frame.read_var(s)) for s in frame.block() if s.is_argument]
    except (RuntimeError, gdb.error):
        pass
    for name in ('total', 'history', 'state', 'role'):
        try:
            found.append(str(gdb.parse_and_eval(name)))
        except gdb.error:
            pass
    return found


class Stops:
    def __init__(self):
        self.over = False
        gdb.events.stop.connect(self.stopped)

    def stopped(self, event):
        self.over = not isinstance(event, (gdb.BreakpointEvent, gdb.SignalEvent))

    def collect(self, command):
        found = []
        for _ in range(MOST):
            gdb.execute(command, to_string=True)
            if self.over:
                break
            found.append(state())
        return found


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
    if not forwards:
        wrong.append('no stop at all')
    print('begin at %#x' % begin[1])
    print('DIFFERENT\n' + '\n'.join(wrong[:10]) if wrong else 'MIRRORED %d' % len(forwards))


mirror()
