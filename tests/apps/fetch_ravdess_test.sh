#!/usr/bin/env bash
# Runs scripts/fetch_ravdess (the one argument) against archives made here. No network.
set -euo pipefail

fetch=$1
for program in curl md5sum unzip zip; do
  command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS PATTERN ARGUMENT...: runs the script; checks its exit code and the one line it ends with.
expect() {
  local status=$1 pattern=$2 found=0
  shift 2
  "$fetch" "$@" >"$work/out" 2>"$work/err" || found=$?
  local last
  last=$(tail -n 1 "$work/err")
  if [[ $found != "$status" ]] || ! [[ $last =~ $pattern ]]; then
    echo "FAILED: fetch_ravdess $*: expected exit $status and '$pattern', found $found and '$last'"
    failures=$((failures + 1))
  fi
}

check() {
  if ! "${@:2}"; then
    echo "FAILED: $1"
    failures=$((failures + 1))
  fi
}

mkdir -p "$work/tree/Actor_01" "$work/tree/Actor_02"
for actor in 01 02; do
  echo "clip of $actor" >"$work/tree/Actor_$actor/03-01-01-01-01-01-$actor.wav"
done
(cd "$work/tree" && zip -q -r "$work/good.zip" Actor_01 Actor_02)
(cd "$work" && zip -q -r "$work/nested.zip" tree)
(cd "$work" && echo text >readme.txt && zip -q "$work/other.zip" readme.txt)
head -c 200 "$work/good.zip" >"$work/torn.zip"
sum() { md5sum <"$1" | cut -d ' ' -f 1; }
good=$(sum "$work/good.zip")
clip=Actor_02/03-01-01-01-01-01-02.wav

expect 0 '2 clips in .*/a$' --from "file://$work/good.zip" --md5 "$good" --to "$work/a"
check "the clips are the archive's" cmp -s "$work/tree/$clip" "$work/a/$clip"
check "the archive is gone" test ! -e "$work/a/ravdess.zip"

# Complete: nothing is fetched again, not even from an address that is not there.
expect 0 'is complete already$' --from "file://$work/none.zip" --md5 "$good" --to "$work/a"

expect 1 'downloading file://.*/none.zip failed \(.+\); run it again' \
  --from "file://$work/none.zip" --md5 "$good" --to "$work/b"
check "one line on failure beside the start" test "$(wc -l <"$work/err")" -le 2

# Interrupted: the first half stands, the second half is fetched.
mkdir -p "$work/c"
head -c 300 "$work/good.zip" >"$work/c/ravdess.zip.part"
expect 0 '2 clips' --from "file://$work/good.zip" --md5 "$good" --to "$work/c"

# Interrupted while unpacking: the checked archive is not fetched again.
mkdir -p "$work/d"
cp "$work/good.zip" "$work/d/ravdess.zip"
expect 0 '2 clips' --from "file://$work/none.zip" --md5 "$good" --to "$work/d"

expect 1 "expected the MD5 $good, found [0-9a-f]{32}" \
  --from "file://$work/torn.zip" --md5 "$good" --to "$work/e"
expect 0 '2 clips' --from "file://$work/good.zip" --md5 "$good" --to "$work/e"

expect 0 '2 clips' --from "file://$work/nested.zip" --md5 "$(sum "$work/nested.zip")" --to "$work/f"
check "a folder around the actors is removed" test -f "$work/f/$clip"

expect 1 'unpacking failed' --from "file://$work/torn.zip" --md5 "$(sum "$work/torn.zip")" --to "$work/g"
expect 1 'expected folders Actor_XX .* found none' \
  --from "file://$work/other.zip" --md5 "$(sum "$work/other.zip")" --to "$work/h"
expect 1 'expected a folder that can be written' --md5 "$good" --to "$work/good.zip/sub"
expect 2 '--to: expected a value, found none' --to
expect 2 "found '--form'" --form x
# What else is there stays; a folder may be a link.
mkdir -p "$work/song/Audio_Song_Actors_01-24/Actor_01" "$work/song/Actor_01"
echo song >"$work/song/Audio_Song_Actors_01-24/Actor_01/03-02.wav"
echo own >"$work/song/Actor_01/own.wav"
ln -s "$work/song" "$work/link"
expect 0 '2 clips in .*/link$' --from "file://$work/nested.zip" --md5 "$(sum "$work/nested.zip")" --to "$work/link"
for kept in Audio_Song_Actors_01-24/Actor_01/03-02.wav Actor_01/own.wav "$clip"; do
  check "$kept is there" test -f "$work/song/$kept"
done
expect 2 "--md5: expected 32 hexadecimal digits, found ''" --md5 '' --to "$work/j"
upper=$(sum "$work/good.zip" | tr a-f A-F)
expect 0 '2 clips' --from "file://$work/good.zip" --md5 "$upper" --to "$work/k"

RAVDESS_URL=file://$work/good.zip expect 0 '2 clips' --md5 "$good" --to "$work/i"

((failures == 0)) && echo "all checks passed"
