"""Real programs, recorded, deprived of their inputs and replayed.

Small here, at full size in check-long. Each function prepares what its program works on in the
context's working directory, which is gone when the program is replayed; `hide` names what of the system is
replaced by emptiness meanwhile, where we may (root)."""

import os
import random
import re
import signal
import socket
import subprocess

from harness import PYTHON, Failure, Skip, Test, descendants

TESTS = []


def program(name=None, needs=(), limit=120):
    """Makes a test of the function below it, under the name program/NAME."""
    def add(function):
        def test(context):
            context.needs(*needs)
            function(context)
        TESTS.append(Test('program/' + (name or function.__name__), test, limit=limit))
        return function
    return add


def tests(config):
    if config.full:
        # A test of the long plan holds twenty replays at full size.
        return [Test(t.name, t.function, limit=t.limit * 4) for t in TESTS]
    return list(TESTS)


def record_and_replay(context, argv, hide=(), ends=0, says=None, **more):
    """The usual course. `says`: a pattern that the recorded output must show, or the test tests nothing."""
    recording = context.record(argv, ends=ends, **more)
    if says and not re.search(says, recording.out + recording.err):
        raise Failure('the recorded run did not say %r: %s' % (says, recording.result))
    context.spoil()
    context.replay(recording, hide=hide)
    return recording


def shell(context, script, **more):
    """The same for a script of bash's."""
    return record_and_replay(context, ['bash', '-c', 'set -eu\n' + script], **more)


# ---- inputs ----

WORDS = ('the of and to in is it was for on are with as at be this have from or had by not but some '
         'what there we can out other were all your when up use word how said an each she').split()


def text_file(context, name, size):
    """A file of about `size` bytes of words; repeated parts keep it cheap to make."""
    source = random.Random(name)
    block = '\n'.join(' '.join(source.choice(WORDS) for _ in range(9)) + ' %d' % source.randrange(10 ** 6)
                      for _ in range(4000)) + '\n'
    with open(os.path.join(context.work, name), 'w') as f:
        for i in range(max(1, size // len(block))):
            f.write(block.replace('the', 'the%d' % i))


def small_files(context, name, count):
    source = random.Random(name)
    for i in range(count):
        context.write('%s/%02d/file%d' % (name, i % 30, i), 'file %d\n' % i + 'x' * source.randrange(3000))


def c_project(directory, count):
    """`count` C files with a header and a Makefile that makes `program` of them."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, 'parts.h'), 'w') as f:
        f.write('#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n')
        f.writelines('int part%d(int);\n' % i for i in range(count))
    for i in range(count):
        with open(os.path.join(directory, 'part%d.c' % i), 'w') as f:
            f.write('#include "parts.h"\n')
            for k in range(10):
                f.write('static int step%d(int n)\n{\n\tfor (int i = 0; i < %d; i++)\n'
                        '\t\tn = n * %d + i;\n\treturn n;\n}\n' % (k, k + 2, i + k + 3))
            f.write('int part%d(int n)\n{\n\treturn %s;\n}\n' %
                    (i, ' ^ '.join('step%d(n)' % k for k in range(10))))
    with open(os.path.join(directory, 'main.c'), 'w') as f:
        f.write('#include "parts.h"\nint main(void)\n{\n\tint n = 1;\n')
        f.writelines('\tn = part%d(n);\n' % i for i in range(count))
        f.write('\tprintf("%d\\n", n);\n\treturn 0;\n}\n')
    objects = ' '.join('part%d.o' % i for i in range(count)) + ' main.o'
    with open(os.path.join(directory, 'Makefile'), 'w') as f:
        f.write('program: %s\n\tgcc -o $@ $^\n%%.o: %%.c parts.h\n\tgcc -O1 -c -o $@ $<\n' % objects)


# ---- files ----

@program()
def true(context):
    record_and_replay(context, ['true'])


@program()
def echo(context):
    record_and_replay(context, ['/bin/echo', 'one', 'two'], says=b'one two')


@program()
def ls(context):
    if context.config.full:
        record_and_replay(context, ['ls', '-lR', '/usr/share/doc'], hide=['/usr/share/doc', '/usr/bin/ls'])
    small_files(context, 'tree', 200)
    record_and_replay(context, ['ls', '-lR', 'tree'], says=b'file1', hide=['/usr/bin/ls'])


@program()
def find(context):
    place = context.size('/usr/include/linux', '/usr')
    record_and_replay(context, ['find', place, '-name', '*.h'], says=b'linux/elf.h',
                      hide=['/usr/include', '/usr/bin/find'])


@program('cp')
def cp(context):
    small_files(context, 'from', context.size(150, 3000))
    record_and_replay(context, ['cp', '-av', 'from', 'to'], says=b'to/00/file0', hide=['/usr/bin/cp'])


@program('tar-gzip', needs=['tar', 'gzip'])
def tar_gzip(context):
    small_files(context, 'from', context.size(60, 1000))
    shell(context, 'tar c from | gzip | tee out.gz | cksum; gzip -dc out.gz | tar t | wc -l')


@program('gzip', needs=['gzip'])
def gzip(context):
    text_file(context, 'input', context.size(10 ** 6, 50 * 10 ** 6))
    record_and_replay(context, ['sh', '-c', 'gzip -9 -c input | cksum'], hide=['/usr/bin/gzip'])


@program()
def sort(context):
    text_file(context, 'input', context.size(2 * 10 ** 6, 50 * 10 ** 6))
    record_and_replay(context, ['sort', '--parallel=2', '-S', '20M', 'input'], says=b'the', hide=['/usr/bin/sort'])


@program(needs=['xz'])
def xz(context):
    text_file(context, 'input', context.size(2 * 10 ** 6, 30 * 10 ** 6))
    record_and_replay(context, ['bash', '-c', 'xz -T2 -1 --block-size=500000 -c input | tee out.xz | cksum; '
                                'xz -T2 -dc out.xz | cksum'], hide=['/usr/bin/xz'])


@program()
def grep(context):
    small_files(context, 'tree', context.size(150, 3000))
    record_and_replay(context, ['grep', '-rn', 'file .*7', 'tree'], says=b'file 7', hide=['/usr/bin/grep'])


@program('file-changes-under-it')
def changes(context):
    """The input is not gone but another one."""
    path = context.write('input', 'the first contents\n' * 100)
    recording = context.record(['sort', path])
    context.write('input', 'something else\n' * 1000)
    context.replay(recording)


# ---- shells and interpreters ----

@program('bash-pipelines')
def bash_pipelines(context):
    shell(context, '''
seq 1 300 | while read n; do echo $((n * n)); done | sort -rn | head -n 5
(cd /; echo in $PWD; exit 3) || echo subshell ended with $?
x=$(echo one; echo two) ; echo "$x"
cat <<here
here-document with $((1 + 2))
here
cat <<<'a here-string'
diff <(seq 1 5) <(seq 2 6) || true
set +e; false | true; echo "${PIPESTATUS[@]}"
exec 7>file; echo to seven >&7; exec 7>&-; cat file
for i in 1 2 3; do sh -c "exit $i"; echo $?; done; echo $$ $BASHPID $RANDOM $SECONDS
''', says=b'subshell ended with 3')


@program('bash-jobs')
def bash_jobs(context):
    shell(context, '''
set -m
sleep 0.2 & first=$!
( sleep 0.1; exit 4 ) & second=$!
jobs
set +e
wait $second; echo second $?
wait $first; echo first $?
sleep 100 & kill -STOP %% ; kill -CONT %%; kill %%; wait %%; echo killed $?
trap 'echo usr1' USR1; kill -USR1 $$; echo after
trap 'echo child' CHLD; /bin/true; trap - CHLD
( trap '' TERM; kill -TERM $BASHPID; echo immune )
trap 'echo bye' EXIT
''', says=b'second 4')


@program('bash-ends', needs=['bash'])
def bash_ends(context):
    shell(context, 'echo to stderr >&2; exit 42', ends=42)
    shell(context, 'kill -TERM $$', ends=-signal.SIGTERM)
    shell(context, 'ulimit -c 0; kill -SEGV $$', ends=-signal.SIGSEGV)


@program(needs=['perl'])
def perl(context):
    script = '''
use strict; my %h; srand;
for my $i (1 .. 20000) { $h{"key$i"} = rand; }
my @k = sort { $h{$a} <=> $h{$b} } keys %h; print "$k[0] $h{$k[0]} ", scalar(localtime), "\\n";
open(my $f, '|-', 'sort -n') or die; print $f int(rand(1000)), "\\n" for 1 .. 50; close $f;
my $pid = fork; if (!$pid) { exit 7 } waitpid $pid, 0; print $? >> 8, "\\n"; print `ls -i /`;
$SIG{ALRM} = sub { print "alarm\\n" }; alarm 1; select undef, undef, undef, 5; print "end\\n";
'''
    record_and_replay(context, ['perl', '-e', script], says=b'alarm', hide=['/usr/bin/perl'])


def python(context, script, **more):
    record_and_replay(context, [PYTHON, '-c', script], hide=['/usr/lib/python3.11', '/usr/lib/python3'], **more)


@program('python-json')
def python_json(context):
    python(context, '''
import json, random, hashlib, os, time, tempfile, re
rows = [{"n": i, "x": random.random(), "t": time.time()} for i in range(%d)]
text = json.dumps(rows, indent=1)
with tempfile.NamedTemporaryFile("w+") as f:
    f.write(text); f.seek(0); assert json.load(f) == rows
print(hashlib.sha256(text.encode()).hexdigest(), os.getpid(), id(rows), hash("text"), sorted(set(map(id, rows)))[:3])
print(re.findall(r"[0-9]{4}", text)[:20])
''' % context.size(2000, 100000))


@program('python-threads')
def python_threads(context):
    python(context, '''
import threading, queue, time, random
q, done = queue.Queue(), []
lock = threading.Lock()
def work(me):
    while (n := q.get()) is not None:
        with lock: done.append((me, n, sum(range(n * 100))))
        if n %% 7 == 0: time.sleep(random.random() / 500)
threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
for t in threads: t.start()
for n in range(%d): q.put(n)
for t in threads: q.put(None)
for t in threads: t.join(timeout=60)
print(len(done), [d[0] for d in done[:200]], threading.get_native_id())
e = threading.Event(); threading.Timer(0.05, e.set).start(); print(e.wait(5))
''' % context.size(200, 5000), says=b'True')


@program('python-subprocess')
def python_subprocess(context):
    python(context, '''
import subprocess, os, signal, sys
print(subprocess.run(["sort", "-r"], input=b"a\\nb\\nc\\n", stdout=subprocess.PIPE).stdout)
p = [subprocess.Popen(["sh", "-c", "echo $$; exit %%d" %% i], stdout=subprocess.PIPE) for i in range(%d)]
print([(x.communicate()[0], x.wait()) for x in p])
s = subprocess.Popen(["sleep", "100"]); s.send_signal(signal.SIGTERM); print(s.wait())
try: subprocess.run(["sleep", "100"], timeout=0.1)
except subprocess.TimeoutExpired as e: print("timeout")
print(os.system("exit 3"), os.popen("date +%%N").read()); sys.stderr.write("to stderr\\n")
''' % context.size(5, 50), says=b'timeout')


@program('python-asyncio')
def python_asyncio(context):
    python(context, '''
import asyncio, random, time
async def serve(r, w):
    while line := await r.readline(): w.write(line.upper()); await w.drain()
    w.close()
async def client(port, n):
    r, w = await asyncio.open_connection("127.0.0.1", port); got = []
    for i in range(%d):
        w.write(b"client %%d line %%d\\n" %% (n, i)); got.append(await r.readline())
        await asyncio.sleep(random.random() / 300)
    w.close(); return got[-1], time.monotonic()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(port, await asyncio.gather(*(client(port, n) for n in range(5))))
    p = await asyncio.create_subprocess_exec("echo", "sub", stdout=asyncio.subprocess.PIPE)
    print(await p.communicate(), await asyncio.to_thread(lambda: sum(range(1000))))
    server.close()
asyncio.run(main())
''' % context.size(10, 200), says=b'CLIENT 4')


@program('python-multiprocessing')
def python_multiprocessing(context):
    python(context, '''
import multiprocessing as m, os, random, time
def work(n): return n, os.getpid(), sum(i * i for i in range(n * 200)), random.random()
def count(v, l):
    for _ in range(200):
        with l: v.value += 1
if __name__ == "__main__":
    with m.Pool(3) as p: print(p.map(work, range(%d)))
    v, l = m.Value("i", 0), m.Lock(); ps = [m.Process(target=count, args=(v, l)) for _ in range(3)]
    [x.start() for x in ps]; [x.join() for x in ps]; print(v.value)
    from multiprocessing import shared_memory as s
    b = s.SharedMemory(create=True, size=5000)
    def fill(): b.buf[:5] = b"child"
    c = m.Process(target=fill); c.start(); c.join(); print(bytes(b.buf[:5])); b.close(); b.unlink()
    q = m.Queue(); c = m.Process(target=q.put, args=(["from", os.getpid()],)); c.start(); print(q.get()); c.join()
''' % context.size(20, 200), says=b"b'child'")


@program(needs=['node'])
def node(context):
    context.write('main.js', '''
const fs = require('fs'), { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) {
	parentPort.on('message', n => { let s = 0; for (let i = 0; i < n; i++) s += i; parentPort.postMessage(s); });
} else {
	const start = process.hrtime.bigint();
	fs.writeFileSync('data', 'x'.repeat(100000)); fs.mkdirSync('d');
	for (let i = 0; i < %d; i++) fs.writeFileSync('d/' + i, String(Math.random()));
	console.log(fs.readdirSync('d').map(n => fs.readFileSync('d/' + n, 'utf8')).join(' '));
	let ticks = 0;
	const timer = setInterval(() => { if (++ticks == 5) { clearInterval(timer); console.log('ticks', Date.now()); } }, 5);
	fs.promises.readFile('data').then(b => console.log('read', b.length));
	const worker = new Worker(__filename);
	worker.postMessage(100000);
	worker.on('message', s => { console.log('worker', s, process.hrtime.bigint() - start); worker.terminate(); });
	require('child_process').exec('echo child', (e, out) => console.log(out.trim()));
	console.log(require('crypto').randomBytes(8).toString('hex'), process.memoryUsage().rss > 0);
}
''' % context.size(20, 500))
    record_and_replay(context, ['node', 'main.js'], says=b'worker 4999950000', hide=['/usr/bin/node'])


# ---- building ----

@program(needs=['gcc'])
def gcc(context):
    c_project(context.work, 1)
    record_and_replay(context, ['gcc', '-v', '-O2', '-o', 'program', 'main.c', 'part0.c'], says=b'cc1',
                      hide=['/usr/lib/gcc', '/usr/include'])


@program(needs=['make', 'gcc'], limit=240)
def make(context):
    c_project(context.work, context.size(8, 30))
    record_and_replay(context, ['sh', '-c', 'make -j4 && ./program'], says=b'part3.o',
                      hide=['/usr/lib/gcc', '/usr/include', '/usr/bin/make'])


@program(needs=['git'], limit=240)
def git(context):
    small_files(context, 'repo', context.size(40, 500))
    shell(context, '''
cd repo; git init -q -b main .; git config user.name Name; git config user.email name@example.org
git add .; git commit -qm first; echo more >>00/file0; git commit -qam second
for i in $(seq 1 %d); do echo $i >n; git add n; git commit -qm "number $i"; done
git gc -q; git log --stat --oneline | head -n 20; cd ..; git clone -q repo copy; cd copy
git fsck; git log --oneline | wc -l; git status --short
''' % context.size(3, 50), says=b'number|second', hide=['/usr/lib/git-core'])


# ---- databases, cryptography ----

@program(needs=['sqlite3'])
def sqlite(context):
    commits = context.size(100, 20000)
    lines = ['pragma journal_mode=%s;' % context.size('delete', 'wal'), 'pragma synchronous=off;',
             'create table t(n integer primary key, x);']
    lines += ['insert into t(x) values(random());'] * commits
    lines += ['select count(*), min(x) from t;', 'begin;'] + \
             ['insert into t(x) select hex(randomblob(20)) from t limit 500;', 'commit;',
              'create index i on t(x);', 'select x from t order by x limit 5;', 'pragma integrity_check;']
    script = context.write('script.sql', '\n'.join(lines) + '\n')
    record_and_replay(context, ['sqlite3', 'test.db', '.read ' + script], says=b'ok', hide=['/usr/bin/sqlite3'])


@program('openssl-speed', needs=['openssl'], limit=30)
def openssl_speed(context):
    """SIGALRM arrives in a loop that makes no system call."""
    record_and_replay(context, ['openssl', 'speed', '-seconds', '1', '-bytes', '1024', 'sha256'],
                      says=b'sha256', hide=['/usr/bin/openssl'])


@program(needs=['openssl'])
def openssl(context):
    record_and_replay(context, ['sh', '-c', 'openssl genrsa 1024 | openssl rsa -text -noout; openssl rand -hex 32'],
                      says=b'modulus')


# ---- servers: recorded while clients talk to them ----

def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def children_named(process, name):
    found = []
    for pid in descendants(process.pid):
        try:
            with open('/proc/%d/comm' % pid) as f:
                if f.read().strip() == name:
                    found.append(pid)
        except OSError:
            pass
    return found


def serve(context, argv, ready, **more):
    """A server being recorded, which has said that it listens: (recording, process)."""
    recording, command = context.record_command(argv)
    process = context.start(command, **more)
    context.wait_for_text(process, ready)
    return recording, process


def end_server(context, recording, process, name, number, ends):
    """Ends the server itself (not the recorder) by a signal."""
    victims = children_named(process, name)
    if not victims:
        raise Failure('no process %s below the recorder' % name)
    os.kill(victims[0], number)
    return context.recorded(recording, context.finish(process, limit=60), ends)


@program('curl-http-server', needs=['curl'])
def curl(context):
    text_file(context, 'page', 200000)
    port = free_port()
    where, process = serve(context, [PYTHON, '-u', '-m', 'http.server', '--bind', '127.0.0.1', str(port)],
                           rb'^Serving HTTP on ')
    clients = []
    for _ in range(context.size(2, 10)):
        client = context.record(['curl', '-sS', '-D', '-', 'http://127.0.0.1:%d/page' % port])
        if b'200 OK' not in client.out or len(client.out) < 150000:
            raise Failure('curl got no page: %s' % client.result)
        clients.append(client)
    missing = context.record(['curl', '-sSf', 'http://127.0.0.1:%d/none' % port], ends=22)
    server = end_server(context, where, process, 'python3', signal.SIGINT, None)
    if b'GET /page' not in server.err:
        raise Failure('the server saw no request: %s' % server.result)
    context.spoil()
    for each in clients + [missing, server]:
        context.replay(each)


@program(needs=['redis-server', 'redis-benchmark'])
def redis(context):
    port = free_port()
    where, process = serve(context, ['redis-server', '--port', str(port), '--bind', '127.0.0.1',
                                     '--dir', context.work, '--save', '1', '1'], rb'Ready to accept connections')
    context.must(['redis-benchmark', '-p', str(port), '-n', str(context.size(500, 20000)), '-c', '10',
                  '-t', 'set,get,lpush,incr', '-q'], limit=300)
    server = end_server(context, where, process, 'redis-server', signal.SIGTERM, 0)
    if b'bye bye' not in server.out:
        raise Failure('redis-server did not say good-bye: %s' % server.result)
    context.spoil()
    context.replay(server)


@program(needs=['nginx', 'curl'])
def nginx(context):
    port = free_port()
    os.makedirs(os.path.join(context.work, 'logs'))
    os.makedirs(os.path.join(context.work, 'html'))
    text_file(context, 'html/page', 100000)
    temp = ''.join('%s_temp_path %s/%s;' % (n, context.work, n)
                   for n in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
    user = 'user root;' if os.geteuid() == 0 else ''
    context.write('nginx.conf', '''
daemon off; master_process on; worker_processes 2; pid %(w)s/pid; error_log stderr notice; %(user)s
events { worker_connections 64; }
http { access_log /dev/stdout; %(temp)s server { listen 127.0.0.1:%(port)d; root %(w)s/html; } }
''' % {'w': context.work, 'port': port, 'temp': temp, 'user': user})
    where, process = serve(context, ['nginx', '-p', context.work, '-c', context.work + '/nginx.conf'],
                           rb'start worker processes')
    for _ in range(context.size(5, 100)):
        got = context.must(['curl', '-sSf', 'http://127.0.0.1:%d/page' % port])
        if len(got.out) < 50000:
            raise Failure('curl got no page: %s' % got)
    server = end_server(context, where, process, 'nginx', signal.SIGQUIT, 0)
    if b'GET /page' not in server.out:
        raise Failure('nginx logged no request: %s' % server.result)
    context.spoil()
    context.replay(server)


# ---- terminals ----

ECHO_MOST = 400  # bytes that the keys of these tests make a terminal echo


def on_terminal(context, argv, keys, ends=0):
    """Records a program on a pseudo-terminal: `keys` are pairs of what to wait for and what to type.
    The replay's output, on a pipe, must be what the terminal got."""
    try:
        import pexpect
    except ImportError:
        raise Skip('python3-pexpect is not installed') from None
    where, command = context.record_command(argv)
    log = context.path('terminal')
    with open(log, 'wb') as screen:
        child = pexpect.spawn(command[0], command[1:], cwd=context.work, env=context.environment(),
                              dimensions=(24, 80), timeout=30)
        child.delaybeforesend = None
        child.logfile_read = screen
        for wait_for, keystrokes in keys:
            child.expect_exact(wait_for) if isinstance(wait_for, str) else child.expect(wait_for)
            child.send(keystrokes)
        child.expect(pexpect.EOF)
        child.close()
    status = child.exitstatus if child.signalstatus is None else -child.signalstatus
    context.say('recorded on a terminal: %s' % status)
    if status != ends:
        raise Failure('should have ended with %s, ended with %s: %r' % (ends, status, child.before))
    context.check_sanitizers()
    context.spoil()
    for _ in range(context.config.times):
        # Both outputs into one file, so that their order shows.
        again = context.run(['sh', '-c', 'exec "$@" 2>&1', 'sh', context.warp, 'replay', '-a', where],
                            cwd=context.path('elsewhere'))
        if again.status != ends:
            raise Failure('the replay should have ended with %s: %s' % (ends, again))
        with open(log, 'rb') as f:
            shown = f.read()
        # The terminal made \r\n of \n and echoed what was typed; the program did neither.
        printed = again.out.replace(b'\r\n', b'\n')
        check_screen(shown.replace(b'\r\n', b'\n'), printed, again)


def check_screen(shown, printed, again):
    """What the program printed was shown, in this order; what was shown besides is the echo of what was
    typed, which may come at any place."""
    if len(printed) < 20:
        raise Failure('the replay printed next to nothing: %s' % again)
    place = 0
    for i, byte in enumerate(printed):
        place = shown.find(byte, place) + 1
        if not place:
            raise Failure('the terminal never showed %r after %r, which the replay printed' %
                          (printed[i:i + 60], printed[max(0, i - 60):i]))
    if len(shown) - len(printed) > ECHO_MOST:
        raise Failure('the terminal showed %d bytes, the replay printed %d: %s' % (len(shown), len(printed), again))


@program('vim-terminal', needs=['vim.tiny'])
def vim(context):
    text_file(context, 'text', 3000)
    on_terminal(context, ['vim.tiny', '-u', 'NONE', '-i', 'NONE', '-n', 'text'],
                [('the', 'ihello from a test\x1b'), ('hello', ':%s/the/THE/g\r'), ('THE', ':wq\r')])


@program('less-terminal', needs=['less'])
def less(context):
    text_file(context, 'text', 20000)
    on_terminal(context, ['less', 'text'], [('the', ' '), (':', 'G'), ('(END)', 'q')])


@program('bash-terminal')
def bash_terminal(context):
    on_terminal(context, ['bash', '--norc', '--noprofile', '-i'],
                [(re.compile(b'[$#] '), 'stty -echo; PS1="ready> "\r'),
                 ('ready> ', 'sh -c "printf %s%s has started; exec sleep 100"\r'), ('hasstarted', '\x1a'),
                 ('Stopped', 'jobs; kill %1; fg\r'), ('Terminated', '\r'),
                 ('ready> ', 'sh -c "printf %s%s cat ready; exec cat"\r'), ('catready', '\x03'),
                 ('ready> ', 'tty >/dev/null && echo a terminal; exit 5\r')], ends=5)


@program(needs=['gdb'])
def gdb(context):
    record_and_replay(context, ['gdb', '--version'], says=b'GNU gdb', hide=['/usr/bin/gdb'])


@program('strace-inside', needs=['strace'])
def strace_inside(context):
    """A tracer cannot trace what is traced already: it says so, as natively under another tracer."""
    recording = context.record(['strace', '-o', '/dev/null', 'true'], ends=None)
    context.spoil()
    context.replay(recording)


# ---- outputs of other kinds ----

@program('output-to-pipe')
def output_pipe(context):
    """Outputs that are pipes instead of files, and one that is closed early."""
    place, command = context.record_command(['sh', '-c', 'seq 1 5000; echo err >&2'])
    done = subprocess.run(command, cwd=context.work, env=context.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    again = subprocess.run([context.warp, 'replay', '-a', place], cwd=context.path('elsewhere'),
                           env=context.environment(), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if (done.returncode, done.stdout, done.stderr) != (again.returncode, again.stdout, again.stderr) or \
            not done.stdout.startswith(b'1\n2\n') or done.stderr != b'err\n':
        raise Failure('%s\n%s' % (done, again))
    place, command = context.record_command(['seq', '1', '100000'])
    done = subprocess.run(['bash', '-c', '"$@" | head -n 1; echo ${PIPESTATUS[0]}', 'bash', *command],
                          cwd=context.work, env=context.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.stdout != b'1\n141\n':
        raise Failure('seq should have died of SIGPIPE (141): %r' % done.stdout)
    again = context.run([context.warp, 'replay', '-a', place])
    if again.status != -signal.SIGPIPE or not again.out.startswith(b'1\n2\n'):
        raise Failure('the replay should die of SIGPIPE, too: %s' % again)


@program('quiet')
def quiet(context):
    recording = context.record(['sh', '-c', 'echo out; echo err >&2; exit 3'], ends=3)
    result = context.run([context.warp, 'replay', '-a', '-q', recording.path])
    if result.status != 3 or result.out or result.err:
        raise Failure('-q prints nothing and keeps the status: %s' % result)


@program('replay-without-network', needs=['unshare'])
def without_network(context):
    if os.geteuid() != 0:
        raise Skip('only root may make a network namespace here')
    recording = context.record([PYTHON, '-c', '''
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); c = socket.create_connection(s.getsockname())
a, _ = s.accept(); a.sendall(b"over the network"); print(c.recv(100), c.getsockname())
'''])
    context.spoil()
    result = context.run(['unshare', '-n', context.warp, 'replay', '-a', recording.path])
    if result.status != 0 or result.out != recording.out or b'over the network' not in result.out:
        raise Failure('%s\n%s' % (recording.result, result))
