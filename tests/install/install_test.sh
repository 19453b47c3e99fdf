#!/usr/bin/env bash
# Installs a build to a folder of its own, looks for what must be there, runs the programs, and
# builds the C++ example of the README against the installed library:
#   install_test.sh SOURCE BUILD [CXX FLAGS]
set -euo pipefail
source=$1 build=$2 flags=${3:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { printf '%s\n' "$*" >&2; exit 1; }

cmake --install "$build" --prefix "$folder/usr" >"$folder/log" 2>&1 || { tail "$folder/log"; fail "install"; }
cd "$folder"

for program in ser-extract ser-train ser-eval ser-predict; do
  "usr/bin/$program" --version >/dev/null || fail "$program does not run"
  [ -s "usr/share/bash-completion/completions/$program" ] || fail "$program: no bash completion"
  find usr/share/zsh -name "_$program" | grep -q . || fail "$program: no zsh completion"
  if command -v help2man >/dev/null; then
    [ -s "usr/share/man/man1/$program.1" ] || fail "$program: no man page"
  fi
done
[ -s usr/share/ser/models/recipes/mlp.json ] || fail "no recipes"

clip=$(find "$source/data/demo" -name '*.flac' | sort | sed -n 1p)
said=$(usr/bin/ser-predict -v --csv "$clip" 2>"$folder/talk" | tail -n 1 | cut -d, -f2)
grep -q "model: $folder/usr/share/ser/models/default.json" talk || fail "another model: $(cat talk)"
if [ -e "$build/bin/ser-capture.so" ]; then
  usr/bin/ser-predict -v --list-devices >/dev/null 2>talk || true
  grep -q 'recording with PortAudio' talk || fail "no capture module: $(cat talk)"
fi
if [ -e "$build/bin/ser-mpi.so" ]; then
  PMI_SIZE=2 usr/bin/ser-train x -o y 2>talk || true
  grep -q 'find each other, found 1' talk || fail "no module for MPI: $(cat talk)"
fi

sed -n '/^```cpp$/,/^```$/p' "$source/README.md" | sed '/^```/d' >example.cpp
[ -s example.cpp ] || fail "README.md has no C++ example"
cmake -S "$source/tests/install/consumer" -B consumer -DCMAKE_PREFIX_PATH="$folder/usr" \
  -DEXAMPLE="$folder/example.cpp" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS="$flags" >log 2>&1 \
  && cmake --build consumer >log 2>&1 || { tail -n 30 log; fail "the example does not build"; }
example=$(consumer/tell usr/share/ser/models/default.json "$clip")
[ "$example" = "$said" ] || fail "the example says '$example', ser-predict '$said'"
