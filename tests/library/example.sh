#!/bin/sh
# The example of docs/libwarp.md at work: example.sh EXAMPLE.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
echo kept >"$directory/file"
"$1" rm -f "$directory/file" >"$directory/removed" 2>&1
cat "$directory/removed"
test -f "$directory/file" # the call was not made
grep -q "cannot remove" "$directory/removed"
"$1" cat "$directory/file" >"$directory/out"
cat "$directory/out"
grep -q "^opened $directory/file: [0-9]" "$directory/out"
grep -q '^kept$' "$directory/out"
grep -q '^ended with status 0' "$directory/out"
