"""The unit tests that a build directory of meson's holds, one test each."""

import json
import os
import subprocess

from harness import Failure, Skip, Test


def tests(build, prefix):
    if not os.path.exists(os.path.join(build, 'build.ninja')):
        def skip(_):
            raise Skip('%s is not there: run make builds' % build)
        return [Test(prefix + '/all', skip)]
    listed = subprocess.run(['meson', 'introspect', '--tests', build], stdout=subprocess.PIPE, check=True)
    found = [Test('%s/%s' % (prefix, each['name']), runner(each), limit=each.get('timeout') or 60)
             for each in json.loads(listed.stdout)]
    if not found:
        def none(_):
            raise Failure('meson knows no unit test in %s' % build)
        return [Test(prefix + '/all', none)]
    return found


def runner(each):
    def run(context):
        env = dict(os.environ, **each.get('env', {}))
        done = subprocess.run(each['cmd'], cwd=each.get('workdir') or context.work, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = done.stdout.decode(errors='replace')
        print(output)
        if done.returncode == 77:
            lines = output.strip().splitlines()
            raise Skip(lines[-1] if lines else 'it gave no reason')
        if done.returncode:
            raise Failure('%s ended with %d' % (each['cmd'][0], done.returncode))
    return run
