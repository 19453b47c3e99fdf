#!/usr/bin/env bash
# Checks that every script of the folders given parses, and can be run (common.sh is sourced only,
# sources are built).
set -euo pipefail

failures=0
for script in "$@"; do
  [[ $(head -n 1 "$script") == '#!'*bash || $script == *.sh ]] || continue
  bash -n "$script" || failures=$((failures + 1))
done
for script in "$@"; do
  [[ -x $script || $script == */common.sh || $script == *.cpp || $script == *.h || $script == *.txt ]] && continue
  echo "FAILED: $script: expected an executable file"
  failures=$((failures + 1))
done
exit $((failures > 0))
