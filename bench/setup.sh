#!/usr/bin/env bash
# Compiles the libzmq rivals (bench/peers/*.c) into bench/build.
#
#   bash bench/setup.sh                  installs gcc and libzmq3-dev with apt-get when they are missing
#   bash bench/setup.sh --compile-only   installs nothing; exit status 3 when something is missing
set -euo pipefail
cd "$(dirname "$0")"

has_tools() {
  command -v gcc >/dev/null && echo '#include <zmq.h>' | gcc -E - >/dev/null 2>&1
}

install_tools() {
  if ! command -v apt-get >/dev/null; then
    echo "bench/setup.sh: no apt-get here; install gcc and the headers of libzmq yourself" >&2
    exit 3
  fi
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update
  "${as_root[@]}" apt-get install -y --no-install-recommends gcc libc6-dev libzmq3-dev
}

if ! has_tools; then
  if [ "${1:-}" = --compile-only ]; then exit 3; fi
  install_tools
fi

mkdir -p build
for source in peers/*.c; do
  program="build/$(basename "$source" .c)"
  if [ ! "$program" -nt "$source" ] || [ ! "$program" -nt peers/peer.h ]; then
    gcc -std=gnu11 -O2 -Wall -Wextra -o "$program" "$source" -lzmq
    echo "compiled bench/$program"
  fi
done
