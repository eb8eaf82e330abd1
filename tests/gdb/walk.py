"""In gdb: walks through a recording at random, forwards and backwards. Where it comes back to a place, by the way it
went or by a checkpoint, the thread, its registers, its stack and all writable memory (a hash) must be the same.
`walk_seed` and `walk_count` (how many motions) are set before. Prints WALKED with the numbers of motions and comparisons,
or DIFFERENT and what differs."""

import errno
import random

import gdb

GENERAL = ('rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags fs_base gs_base').split()
VECTOR = ['$xmm%d.v2_int64[%d]' % (i, half) for i in range(16) for half in (0, 1)]
RESUME = 1 << 16  # of eflags: left by debug registers
STACK = 2048
SYSCALL = b'\x0f\x05'
BREAKPOINTS, CHECKPOINTS = 3, 6
THERE_AND_BACK = 6


class Different(Exception):
    pass


class Place:
    """What a stop is: the event, the thread, what it has in registers and on its stack."""

    def __init__(self):
        frame = gdb.newest_frame()
        when = gdb.execute('monitor when', to_string=True)
        self.event = int(when.split()[1])
        self.tid = gdb.selected_thread().ptid[1]
        self.registers = {name: int(frame.read_register(name)) & (1 << 64) - 1 for name in GENERAL}
        self.registers['eflags'] &= ~RESUME
        for name in VECTOR:
            self.registers[name] = int(gdb.parse_and_eval(name))
        self.pc = self.registers['rip']
        self.stack = self.read(self.registers['rsp'] - 128, STACK)
        self.memory = gdb.execute('monitor hash', to_string=True).strip()

    @staticmethod
    def read(address, length):
        while length:
            try:
                return bytes(gdb.selected_inferior().read_memory(address, length))
            except gdb.MemoryError:
                length //= 2
        return b''

    def __str__(self):
        return 'event %d, thread %d, pc %#x' % (self.event, self.tid, self.pc)

    def in_call(self):
        """Another thread has come to a breakpoint while gdb stepped this one over a call, and gdb was told first that
        this one has stepped: it takes it for one that has come to the breakpoint behind the call. Nothing can be
        compared here."""
        return self.registers['rax'] == -errno.ENOSYS & (1 << 64) - 1 and self.read(self.pc - 2, 2) == SYSCALL

    def differences(self, other):
        if self.tid != other.tid:
            yield 'thread %d, now %d' % (self.tid, other.tid)
        for name, value in self.registers.items():
            if other.registers[name] != value:
                yield '%s %#x, now %#x' % (name, value, other.registers[name])
        # Events that concern other threads, and what they write, may be on either side.
        if self.event == other.event and self.stack != other.stack:
            yield 'the stack'
        if self.event == other.event and self.memory != other.memory:
            yield 'memory %s, now %s' % (self.memory, other.memory)


class Walk:
    def __init__(self, seed, count):
        self.chance, self.left = random.Random(seed), count
        self.done, self.compared = [], 0
        self.stop = None
        self.marks = []  # (number, place)
        self.points = []
        self.ends = [Place()]
        gdb.execute('seek END', to_string=True)
        self.ends.append(Place())
        self.last = int(gdb.execute('monitor when', to_string=True).split()[3].rstrip(','))
        self.here = Place()
        gdb.events.stop.connect(self.stopped)

    def stopped(self, event):
        self.stop = event

    # ---- motions ----

    def go(self, command):
        """One motion. False: it has come to an end of the recording."""
        self.left -= 1
        self.stop = None
        self.done.append(command)
        gdb.execute(command, to_string=True)
        before, self.here = self.here, Place()
        self.done[-1] += ' -> %s' % self.here
        return self.at_point() if 'continue' in command else before.registers != self.here.registers

    def at_point(self):
        """Has it stopped at a breakpoint or a signal? (gdb calls the beginning a signal when there was one before.)"""
        return isinstance(self.stop, (gdb.BreakpointEvent, gdb.SignalEvent)) and \
            self.here.registers not in [end.registers for end in self.ends]

    def compare(self, expected, what):
        self.compared += 1
        found = list(expected.differences(self.here))
        if found:
            raise Different('%s does not lead back to %s, but to %s: %s' %
                            (what, expected, self.here, '; '.join(found)))

    def steps(self):
        """There and back. The first place can be inside of a system call, which is one step."""
        there, back = self.chance.choice((('stepi', 'reverse-stepi'), ('reverse-stepi', 'stepi')))
        places = []
        for _ in range(self.chance.randint(2, THERE_AND_BACK)):
            tid = self.here.tid
            if not self.go(there) or isinstance(self.stop, gdb.SignalEvent) or self.here.tid != tid or \
                    self.here.in_call():
                return
            places.append(self.here)
        for expected in reversed(places[:-1]):
            # A signal is shown where the thread stands, before it is taken.
            if not self.go(back) and not (isinstance(self.stop, gdb.SignalEvent) and self.go(back)):
                raise Different('%s comes to an end on the way to %s' % (back, expected))
            if self.here.in_call():
                return
            if self.at_point() and self.here.tid != expected.tid:
                return  # another thread has come to its breakpoint first
            self.compare(expected, back)

    def run(self, command):
        """To another place. A breakpoint and a signal at one place are two stops."""
        before = self.here
        moves = self.go(command)
        if moves and self.here.event == before.event and not list(before.differences(self.here)):
            moves = self.go(command)
        return moves

    def runs(self):
        """To breakpoints and signals; the same ones in mirrored order on the way back."""
        there, back = self.chance.choice((('continue', 'reverse-continue'), ('reverse-continue', 'continue')))
        places = []
        for _ in range(self.chance.randint(2, 3)):
            if not self.run(there):
                break
            if self.here.in_call():
                return
            places.append(self.here)
        # From an end of the recording the last stop is the first on the way back.
        for expected in reversed(places[:-1] if self.at_point() else places):
            if not self.run(back):
                raise Different('%s comes to an end on the way to %s' % (back, expected))
            if self.here.in_call():
                return
            self.compare(expected, back)

    def over(self):
        """Motions that have no exact counterpart."""
        try:
            self.go(self.chance.choice(('nexti', 'finish', 'reverse-nexti', 'reverse-finish', 'nexti', 'finish')))
        except gdb.error as e:
            if 'outermost' not in str(e) and 'innermost' not in str(e) and 'not meaningful' not in str(e) and \
                    'Cannot find bounds' not in str(e) and 'annot find' not in str(e):
                raise
            self.here = Place()

    def seek(self):
        self.go('seek %d' % self.chance.randint(1, self.last))

    # ---- breakpoints and checkpoints ----

    def break_here(self):
        if len(self.points) == BREAKPOINTS:
            self.points.pop(0).delete()
        self.points.append(gdb.Breakpoint('*%#x' % self.here.pc))
        self.done.append('break *%#x' % self.here.pc)

    def mark(self):
        if self.here.in_call():
            return
        if len(self.marks) == CHECKPOINTS:
            gdb.execute('delete checkpoint %d' % self.marks.pop(0)[0], to_string=True)
        said = gdb.execute('checkpoint', to_string=True)
        self.marks.append((int(said.split()[1].rstrip(':')), self.here))
        self.done.append(said.strip())

    def restart(self):
        if not self.marks:
            return
        number, place = self.chance.choice(self.marks)
        self.go('restart %d' % number)
        self.compare(place, 'restart %d' % number)
        if place.event != self.here.event:
            raise Different('restart %d leads to event %d, not %d' % (number, self.here.event, place.event))

    def walk(self):
        gdb.execute('seek %d' % (self.last // 2), to_string=True)
        self.here = Place()
        choices = ((self.steps, 6), (self.runs, 4), (self.over, 3), (self.seek, 3), (self.break_here, 2),
                   (self.mark, 3), (self.restart, 3))
        while self.left > 0:
            self.chance.choices([c for c, _ in choices], [n for _, n in choices])[0]()


def walk(seed, count):
    one = Walk(seed, count)
    try:
        one.walk()
        print('\nWALKED %d motions, %d comparisons' % (count - one.left, one.compared))
    except (Different, gdb.error) as e:
        print('DIFFERENT after\n  %s\n%s: %s' % ('\n  '.join(one.done[-30:]), type(e).__name__, e))


walk(walk_seed, walk_count)  # noqa: F821
