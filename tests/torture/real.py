"""Real programs for the torture: compilers under SIGPROF, JITs with timers and workers, parallel compressors
and sorters. Each at a size that takes about a second natively at 100 percent."""

import os
import subprocess

import programs as inputs
from harness import PYTHON
from torture import Program

# A SIGPROF handler for a program that has none, and the timer that sends it at 1 kHz. The timer would
# survive exec by itself, but without a handler the signal kills.
PROFILER = r'''
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>
#include <stdio.h>
#include <unistd.h>
static volatile unsigned long samples, hash;
static void sample(int signal, siginfo_t *info, void *context)
{
	samples++;
	hash = hash * 31 + (unsigned long)__builtin_return_address(0);
}
__attribute__((constructor)) static void start(void)
{
	struct sigaction act = {.sa_sigaction = sample, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct itimerval timer = {{0, 1000}, {0, 1000}};
	sigaction(SIGPROF, &act, 0);
	setitimer(ITIMER_PROF, &timer, 0);
}
__attribute__((destructor)) static void stop(void)
{
	char text[64];
	if (write(2, text, snprintf(text, sizeof(text), "%lu samples\n", samples)) < 0)
		return;
}
'''

NODE_TIMERS = '''
let ticks = [], x = 1;
function work(n) { for (let i = 0; i < n; i++) x = (x * 1103515245 + 12345 + i) %% 2147483648; return x; }
const timer = setInterval(() => { ticks.push(work(20000)); }, 1);
let rounds = 0;
function round() {
  work(400000);
  const words = {}; for (let i = 0; i < 2000; i++) words['k' + (i * x %% 997)] = i;
  if (++rounds < %d) setImmediate(round); else { clearInterval(timer); console.log(x, Object.keys(words).length, ticks.length); console.log(ticks.join(' ')); }
}
round();
'''

NODE_WORKERS = '''
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
  const shared = new SharedArrayBuffer(64), view = new Int32Array(shared);
  let done = 0, log = [];
  for (let w = 0; w < 2; w++) {
    const worker = new Worker(__filename, { workerData: { shared, w } });
    worker.on('message', (m) => log.push(m));
    worker.on('exit', () => { if (++done == 2) { console.log(log.join(' ')); console.log('sum', view[0], view[1]); } });
  }
} else {
  const view = new Int32Array(workerData.shared);
  let seen = 0;
  for (let i = 0; i < %d; i++) {
    view[1] = view[1] + 1;
    Atomics.add(view, 0, 1);
    if (view[2] != workerData.w) { seen++; view[2] = workerData.w; }
    if (i %% 200000 == 0) parentPort.postMessage(workerData.w + ':' + view[1] + ':' + seen);
  }
}
'''

LUA = '''
local ffi = require("ffi")
local t, x = {}, 1
for r = 1, %d do
  for i = 1, 1000000 do x = (x * 16807 + r) %% 2147483647 end
  for i = 1, 20000 do t[i %% 1000] = tostring(x + i):sub(-3) end
  local a = ffi.new("double[1000]")
  for i = 0, 999 do a[i] = x / (i + 1) end
  local s = 0
  for k = 1, 100 do for i = 0, 999 do s = s + a[i] * k end end
  print(r, x, t[7], string.format("%%a", s), os.clock() >= 0)
end
'''

PYTHON_THREADS = '''
import threading, signal, sys
sys.setswitchinterval(0.0005)
ticks = []
state = {'x': 0, 'log': []}
def tick(*_): ticks.append(state['x'])
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
def work(me):
    for i in range(%d):
        x = state['x']
        state['x'] = x + i * me
        if i %% 5000 == 0: state['log'].append((me, i, state['x']))
threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
for t in threads: t.start()
for t in threads: t.join()
signal.setitimer(signal.ITIMER_REAL, 0)
print(state['x'], len(ticks)); print(ticks); print(state['log'])
'''


class Place:
    """What the input makers of tests/e2e want of a context."""

    def __init__(self, work):
        self.work = work


def write(directory, name, text):
    with open(os.path.join(directory, name), 'w') as f:
        f.write(text)


def profiled(directory, percent):
    write(directory, 'profiler.c', PROFILER)
    write(directory, 'unit.c', '\n'.join(
        'int f%d(int n, int *p) { int s = 0; for (int i = 0; i < n; i++) { s += p[i] * %d; if (s %% %d) p[i] ^= s; } '
        'return s; }' % (i, i + 3, i % 7 + 2) for i in range(4 * percent)))
    subprocess.run(['gcc', '-O1', '-shared', '-fPIC', '-o', os.path.join(directory, 'profiler.so'),
                    os.path.join(directory, 'profiler.c')], check=True)


def text(size):
    def prepare(directory, percent):
        inputs.text_file(Place(directory), 'input', size * percent // 100)
    return prepare


def shell(command):
    return lambda directory, percent: ['sh', '-c', command]


def scripted(name, file, source, full, command, needs, profile=False):
    """An interpreter with a script whose count is `full` at 100 percent."""
    def prepare(directory, percent):
        write(directory, file, source % max(1, full * percent // 100))
        if profile:
            profiled(directory, percent)

    return Program('real/' + name, prepare, lambda directory, percent: ['sh', '-c', 'exec %s %s' % (command, file)],
                   needs=needs, limit=120)


def nothing(directory, percent):
    pass


def programs():
    return [
        scripted('node-timers', 'timers.js', NODE_TIMERS, 100, 'node', ['node']),
        scripted('node-workers', 'workers.js', NODE_WORKERS, 10 ** 7, 'node', ['node']),
        scripted('luajit', 'program.lua', LUA, 30, 'luajit', ['luajit']),
        scripted('luajit-profiled', 'program.lua', LUA, 30, 'env LD_PRELOAD=./profiler.so luajit',
                 ['luajit', 'gcc'], profile=True),
        scripted('python-threads', 'threads.py', PYTHON_THREADS, 10 ** 6, PYTHON, []),
        Program('real/openssl-speed', nothing,
                shell('openssl speed -seconds 1 -bytes 1024 sha256 aes-128-cbc 2>&1'), needs=['openssl']),
        Program('real/gcc-profiled', profiled, shell('LD_PRELOAD=./profiler.so gcc -O2 -S -o - unit.c | cksum'),
                needs=['gcc'], steady=True),
        Program('real/xz', text(3 * 10 ** 6), shell('xz -T2 -3 --block-size=300000 -c input | cksum'),
                needs=['xz'], steady=True),
        Program('real/pigz', text(10 ** 7), shell('pigz -p2 -c -n input | cksum'), needs=['pigz'], steady=True),
        Program('real/sort', text(3 * 10 ** 6), shell('sort --parallel=2 input | cksum'), steady=True),
    ]
