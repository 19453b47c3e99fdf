#!/usr/bin/env bash
# Checks that every script of the folders given parses, can be run and says what it is for
# (common.sh is sourced only, sources are built).
set -euo pipefail

failures=0
for script in "$@"; do
  [[ -f $script && $(head -n 1 "$script") == '#!'*bash || $script == *.sh ]] || continue
  bash -n "$script" || failures=$((failures + 1))
done
for script in "$@"; do
  [[ -d $script || $script == */common.sh || $script =~ \.(cpp|h|txt|md)$ ]] && continue
  if [[ ! -x $script ]]; then
    echo "FAILED: $script: expected an executable file"
    failures=$((failures + 1))
  elif [[ $script != *.ci/run ]] && ! "$script" --help </dev/null 2>&1 | grep -q "${script##*/}"; then
    echo "FAILED: $script: expected its name in what --help says"
    failures=$((failures + 1))
  fi
done
exit $((failures > 0))
