#!/usr/bin/python3
"""Prints the one C program that a Markdown page holds: tests/library/extract.py PAGE."""

import re
import sys

with open(sys.argv[1]) as page:
    blocks = re.findall(r'^```c\n(.*?)^```', page.read(), re.S | re.M)
if len(blocks) != 1:
    sys.exit('%s: one block of C was expected, %d are there' % (sys.argv[1], len(blocks)))
print(blocks[0], end='')
