# shellcheck shell=bash
# What the Slurm scripts share; sourced, not run. Programs are those of SER_BIN_DIR, by default of
# build/release/bin. SBATCH_FLAGS holds more flags for every job: "--partition=long --mem=8G".

# shellcheck source-path=SCRIPTDIR source=../common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# prepare FILE: looks for sbatch and the programs, and makes the folder log/ beside the file.
prepare() {
  command -v sbatch >/dev/null || die "expected Slurm's sbatch, found none (Debian: slurm-client)"
  use_programs
  log=$(dirname "$(realpath -m "$1")")/log
  mkdir -p "$log"
}

# submit NAME [SBATCH FLAG...]: puts the script on stdin in the queue and prints the job's number.
submit() {
  local name=$1 more=() number=%j
  shift
  if [[ ${1:-} == --array=* ]]; then number=%A-%a; fi
  read -r -a more <<<"${SBATCH_FLAGS:-}"
  {
    printf '#!/usr/bin/env bash\nset -euo pipefail\nexport PATH=%q\n' "$PATH"
    echo "threads=\${SLURM_CPUS_PER_TASK:-1} task=\${SLURM_ARRAY_TASK_ID:-}"
    cat
  } | sbatch --parsable --job-name="ser-$name" --output="$log/$name-$number.txt" "${more[@]}" "$@" |
    cut -d';' -f1
}

# after JOB: the flag of a job that waits for the end of another, however that was; none without one.
after() { if [ -n "$1" ]; then echo "--dependency=afterany:$1"; fi; }

# quoted WORD...: as bash reads them back.
quoted() { printf '%q ' "$@"; }

# same_command NAME WORD...: refuses to go on with what another command, or other files of its words, began.
same_command() {
  local file=$log/$1.command words word
  shift
  words=$(quoted "$@"; for word in "$@"; do if [ -f "$word" ]; then stat -Lc ' %s %Y' "$word"; fi; done)
  [ ! -e "$file" ] || [ "$(cat "$file")" = "$words" ] ||
    die "expected the command or files of before, found others; $file is of those: remove it with what they made"
  echo "$words" >"$file"
}

# commas ITEM...: 1,2,3
commas() { local IFS=,; echo "$*"; }

# check_number WHAT WORD: refuses what is no number from 1.
check_number() { [[ $2 =~ ^[1-9][0-9]*$ ]] || die "expected a number of $1, found '$2'"; }

# check_usage FEWEST EXPECTED WORD...: the comment on the script's top is its help.
check_usage() {
  local fewest=$1 expected=$2
  shift 2
  case ${1:-} in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit ;;
  esac
  [ $# -ge "$fewest" ] || die "expected $expected, found $# words"
}
