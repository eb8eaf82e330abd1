#!/usr/bin/python3
"""blob.py CODE HEADER: writes the bytes of the file CODE as a C array."""
import sys

with open(sys.argv[1], 'rb') as f:
    code = f.read()
with open(sys.argv[2], 'w') as f:
    f.write('/* The agent\'s code. Made by agent/blob.py. */\nstatic const unsigned char agent_blob[] = {\n')
    for at in range(0, len(code), 16):
        f.write('\t' + ' '.join('0x%02x,' % b for b in code[at:at + 16]) + '\n')
    f.write('};\n')
