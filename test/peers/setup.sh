#!/usr/bin/env bash
# Installs what the peer tests talk to, when it is missing: PyZMQ and an IPython kernel, from Debian, for
# /usr/bin/python3.
set -euo pipefail

if /usr/bin/python3 -c 'import zmq, ipykernel' 2>/dev/null; then
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "test:peers needs PyZMQ and ipykernel for /usr/bin/python3, and there is no apt-get to install them with" >&2
  exit 1
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi

export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -q
"${sudo[@]}" apt-get install -q -y --no-install-recommends python3-zmq python3-ipykernel
/usr/bin/python3 -c 'import zmq; print("PyZMQ", zmq.pyzmq_version(), "libzmq", zmq.zmq_version())'
