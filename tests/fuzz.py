"""The libFuzzer targets of the clang build, each for a minute on its kept corpus (in `check`: the reader of recordings;
the others for 20 seconds, and whole in `long`).

A target is BUILD-clang/tests/fuzz/fuzz_NAME; its corpus is tests/fuzz/corpus/NAME (or, where there is
only one target, tests/fuzz/corpus). New inputs that it finds go to a temporary directory: the corpus
is kept by hand."""

import os
import shutil

from harness import Failure, Skip, Test


def tests(config, build, seconds):
    directory = os.path.join(build, 'tests', 'fuzz')
    targets = []
    if os.path.isdir(directory):
        targets = sorted(name for name in os.listdir(directory) if name.startswith('fuzz_') and
                         os.path.isfile(os.path.join(directory, name)) and
                         os.access(os.path.join(directory, name), os.X_OK))
    if targets:
        return [Test('fuzz/' + t[len('fuzz_'):], fuzz(config, os.path.join(directory, t), lasts(config, t, seconds)),
                     limit=seconds + 60) for t in targets]

    def none(_):
        if not os.path.exists(os.path.join(build, 'build.ninja')):
            raise Skip('%s is not there: run make builds' % build)
        raise Failure('no fuzz target in %s' % directory)
    return [Test('fuzz/all', none)]


def lasts(config, target, seconds):
    return seconds if config.full or target == 'fuzz_reader' else min(seconds, 20)


def corpus_of(config, target):
    corpora = os.path.join(config.root, 'tests', 'fuzz', 'corpus')
    own = os.path.join(corpora, os.path.basename(target)[len('fuzz_'):])
    return own if os.path.isdir(own) else corpora


def fuzz(config, target, seconds):
    def run(context):
        kept = corpus_of(config, target)
        if not os.path.isdir(kept) or not os.listdir(kept):
            raise Failure('%s: no corpus in %s' % (target, kept))
        found = context.path('found')
        os.mkdir(found)
        result = context.run([target, '-max_total_time=%d' % seconds, '-timeout=10', '-rss_limit_mb=2048',
                              '-artifact_prefix=%s/crash-' % context.work, found, kept],
                             limit=seconds + 50)
        context.say(result.err.decode(errors='replace')[-1500:])
        if result.status:
            crashes = [n for n in os.listdir(context.work) if n.startswith('crash-')]
            for name in crashes:
                shutil.copy(os.path.join(context.work, name),
                            os.path.join(config.build, 'test-results', name))
            raise Failure('the target ended with %s; inputs: %s' % (result.end(), crashes))
    return run
