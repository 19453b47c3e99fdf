#!/usr/bin/env bash
# Completes command lines in bash and zsh: completion_test.sh FOLDER, which holds the programs.
set -euo pipefail
export PATH=$1:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() { printf '%s\n' "$*" >&2; exit 1; }

# complete_in_bash WORD...: what bash offers for the last word.
complete_in_bash() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  "_$1"
  printf '%s ' "${COMPREPLY[@]}"
}

for program in ser-extract ser-train ser-eval ser-predict; do
  eval "$("$program" --completion bash)"
  [ "$(complete_in_bash "$program" --thr)" = "--threads " ] || fail "$program: --thr in bash"
  # Every flag of --help is offered, and nothing else.
  "$program" --help | grep -oE '^  (-[a-z],)?--[a-z-]+' | tr , '\n' | tr -d ' ' | sort >"$folder/help"
  complete_in_bash "$program" - | tr ' ' '\n' | sed '/^$/d' | sort >"$folder/offered"
  diff "$folder/help" "$folder/offered" || fail "$program: --help and bash differ"
done
[ "$(complete_in_bash ser-extract --pool me)" = "mean " ] || fail "--pool me in bash"
[ "$(complete_in_bash ser-train x --model l)" = "lstm " ] || fail "--model l in bash"
[ "$(complete_in_bash ser-predict --raw-format f)" = "f32le f64le " ] || fail "--raw-format f in bash"

ser-predict --completion zsh | grep -F "'*--enroll[" >/dev/null || fail "--enroll again in zsh"

command -v zsh >/dev/null || { echo "no zsh here: only bash was tried"; exit 77; }
mkdir -p "$folder/zsh"
for program in ser-extract ser-train ser-eval ser-predict; do
  "$program" --completion zsh >"$folder/zsh/_$program"
done
offered=$(zsh -f -c '
  zmodload zsh/zpty
  zpty -b shell "TERM=dumb PS1= zsh -f -i"
  zpty -w shell "fpath=($1/zsh \$fpath); autoload -U compinit; compinit -u -D"
  zpty -w -n shell $'\''ser-extract --pool m\t --format c\t --thr\t'\''
  repeat 300; do
    while zpty -r -t shell part; do text+=$part; done
    [[ $text == *--threads* ]] && break
    sleep 0.1
  done
  print -r -- $text
  zpty -d shell' zsh "$folder")
case $offered in
  *mean*csv*--threads*) ;;
  *) fail "zsh completed: $offered" ;;
esac
