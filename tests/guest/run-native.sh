#!/bin/bash
# Run the guest programs natively, without the recorder, to see that they are reliable by themselves.
#
#	run-native.sh [-n RUNS] [-v] DIR [NAME...]
#
# DIR holds the built programs (BUILD/tests/guest). Each one runs RUNS times (3), and as root also
# as an ordinary user. It has to end as its header comment says (guest.h), within 10 seconds, must
# not print UNEXPECTED and must leave no temporary directory behind. A skip is listed with its reason.
set -u

runs=3
verbose=
while getopts n:v opt; do
	case $opt in
	n) runs=$OPTARG ;;
	v) verbose=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || { echo "usage: $0 [-n RUNS] [-v] DIR [NAME...]" >&2; exit 2; }
dir=$1
shift
sources=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

if [ $# -eq 0 ]; then
	for file in "$dir"/*; do
		[ -f "$file" ] && [ -x "$file" ] && set -- "$@" "$(basename "$file")"
	done
fi

# field NAME KEY: the rest of the line "guest: KEY ..." in the program's source.
field() {
	sed -n "1,30s|.*guest: $2 \(.*\)|\1|p" "$sources/${1%_static}.c" | sed 's| *\*/ *$||' | head -n 1
}

failed=0
passed=0
slow=0
check() { # check NAME USER COMMAND-PREFIX...
	local name=$1 user=$2 want=0 status start took tmp
	shift 2
	[ -n "$(field "$name" status)" ] && want=$(field "$name" status)
	[ -n "$(field "$name" signal)" ] && want=$((128 + $(kill -l "$(field "$name" signal)")))
	tmp=$work/$user
	mkdir -p "$tmp" && chmod 1777 "$tmp"
	start=${EPOCHREALTIME/./}
	# shellcheck disable=SC2046 # the arguments are meant to be split
	{
		field "$name" stdin | TMPDIR=$tmp timeout 10 "$@" "$dir/$name" \
			$(field "$name" args) >"$work/out" 2>&1
		status=$?
	} 2>/dev/null # the shell's own word on a program that dies of a signal
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ -n "$verbose" ] && cat "$work/out"
	if [ "$status" = 77 ] && grep -q '^SKIPPED: ' "$work/out"; then
		echo "$name ($user): $(grep '^SKIPPED: ' "$work/out")" >>"$work/skips"
		want=77
	fi
	[ "$took" -gt 300 ] && slow=$((slow + 1)) && echo "SLOW $name ($user): $took ms"
	if [ "$status" != "$want" ] || grep -q '^UNEXPECTED' "$work/out"; then
		failed=$((failed + 1))
		echo "FAIL $name ($user): status $status, expected $want"
		grep '^UNEXPECTED' "$work/out" || tail -n 5 "$work/out"
	elif [ -n "$(ls -A "$tmp")" ]; then
		failed=$((failed + 1))
		echo "FAIL $name ($user): left behind $(ls -A "$tmp")"
		rm -rf "${tmp:?}"/*
	else
		passed=$((passed + 1))
	fi
}

for name in "$@"; do
	for ((i = 0; i < runs; i++)); do
		check "$name" "$(id -un)"
		[ "$(id -u)" = 0 ] &&
			check "$name" nobody setpriv --reuid=65534 --regid=65534 --clear-groups
	done
done
[ -f "$work/skips" ] && sort -u "$work/skips"
echo "$# programs, $passed runs passed, $failed failed, $slow took over 300 ms"
[ "$failed" = 0 ]
