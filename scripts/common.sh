# shellcheck shell=bash disable=SC2034
# What the scripts share; sourced, not run. Output of what succeeds is kept out of sight, output of
# what fails is shown.

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
build_packages=(g++ cmake ninja-build pkg-config libsndfile1-dev libeigen3-dev libcli11-dev
  nlohmann-json3-dev libfmt-dev libsoxr-dev libtbb-dev portaudio19-dev help2man)
test_packages=(libgtest-dev libgmock-dev libopencv-dnn-dev libopenmpi-dev openmpi-bin curl zip unzip zsh chromium
  gnuplot-nox python3-onnx)
fuzz_packages=(clang libclang-rt-dev)

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# quietly WHAT COMMAND...: runs it; on failure shows its last lines and stops.
quietly() {
  local what=$1 log
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "$what failed"
  fi
  rm -f "$log"
}

# install_packages PACKAGE...: those that are missing, with apt.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || die "expected Debian's apt-get to install: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "run as root, or install yourself: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  quietly "apt-get update" "${as_root[@]}" apt-get update
  quietly "apt-get install" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${missing[@]}"
}

# use_programs: puts ser-extract and the others before PATH; SER_BIN_DIR names their folder.
use_programs() {
  export PATH=${SER_BIN_DIR:-$root/build/release/bin}:$PATH
  command -v ser-extract >/dev/null || die "expected the programs in build/release/bin; run scripts/quickstart first"
}

# build TARGET [CMAKE OPTION...]: of the release preset, into build/release; options set there before stay.
build() {
  say "building (build/release)"
  quietly "configuring" cmake -S "$root" --preset release "${@:2}"
  quietly "building" cmake --build "$root/build/release" --target "$1"
}

# What the shipped models are made of: recipes in models/recipes. Each is the average of its parts.
ensembles=(default best free)
parts_of() {
  case $1 in
    default | free) echo default_mlp cnn gender ;;
    best) echo mlp cnn gender ;;
    *) echo "$1" ;;
  esac
}

# Divides the logits of an ensemble's average: probabilities are set for voices of corpora that nobody trained on. The
# mean log loss over RAVDESS, CREMA-D and EMO-DB, each left out, is least at 1.4 to 1.5; new voices of the corpora
# trained on would take 0.6.
temperature_of() { echo 1.4; }

# copies_for FEATURES: the changed copies that a shipped model also learns from. They are never scored. Copies in rooms
# are what models need most on recordings of others; the last one is a telephone's band.
copies_for() {
  case $1 in
    functionals) echo speed:0.9,1.1,noise:20,babble:15,reverb:0.4,speed:1.05+noise:12,speed:0.95+reverb:0.6,band:4000,low_cut:300+band:3400 ;;
    frames) echo speed:0.9,1.1,noise:20,speed:0.95+reverb:0.4,speed:1.05+babble:18,reverb:0.6+noise:25,band:4000,low_cut:300+band:3400 ;;
    vocal_tract) echo noise:20,reverb:0.4 ;;
  esac
}

# features_of RECIPE.json: the feature set that a recipe is made for.
features_of() {
  local found
  found=$(tr '\n' ' ' <"$1" | sed -n 's/.*"features"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
  echo "${found:-functionals}"
}
