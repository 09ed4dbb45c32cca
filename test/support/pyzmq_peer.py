"""A libzmq peer for the tests in test/peers: PyZMQ, driven over stdin and stdout by lines of JSON.

The requests, and the messages, are those of libzmq.child.mjs and payload.mjs beside this file. The
process ends with its parent, which closes stdin.
"""

import hashlib
import json
import os
import queue
import struct
import sys
import threading
import time

import zmq

PATTERN = bytes(range(251))

sockets = []


def part(number, index, size):
    if size < 4:
        return bytes([(number + index) & 0xFF]) * size
    body = bytearray((PATTERN * (size // len(PATTERN) + 1))[:size])
    struct.pack_into(">I", body, 0, number)
    if size >= 8:
        struct.pack_into(">I", body, 4, index)
    return bytes(body)


def messages(batch):
    start = batch.get("from", 0)
    shapes = batch["shapes"]
    for number in range(start, start + batch["count"]):
        shape = shapes[number % len(shapes)]
        yield [part(number, index, size) for index, size in enumerate(shape)]


class Tally:
    def __init__(self):
        self.hash = hashlib.sha1()
        self.parts = 0
        self.bytes = 0
        self.sequence = []

    def add(self, parts):
        self.hash.update(struct.pack(f">{len(parts) + 1}I", len(parts), *map(len, parts)))
        for body in parts:
            self.hash.update(body)
            self.bytes += len(body)
        self.parts += len(parts)
        first = parts[0]
        self.sequence.append(None if len(first) < 4 else struct.unpack_from(">I", first)[0])

    def summary(self):
        return {
            "count": len(self.sequence),
            "parts": self.parts,
            "bytes": self.bytes,
            "digest": self.hash.hexdigest(),
            "sequence": self.sequence,
        }


SECURITY = {
    "plainUsername": "plain_username",
    "plainPassword": "plain_password",
    "curveServer": "curve_server",
    "curvePublicKey": "curve_publickey",
    "curveSecretKey": "curve_secretkey",
    "curveServerKey": "curve_serverkey",
}


def open_socket(_, type, options):
    socket = zmq.Context.instance().socket({"Pair": zmq.PAIR}[type])
    socket.linger = options.get("linger", -1)
    socket.sndhwm = options.get("sendHighWaterMark", 1000)
    socket.rcvhwm = options.get("receiveHighWaterMark", 1000)
    for name, value in options.items():
        if name in SECURITY:
            setattr(socket, SECURITY[name], value.encode() if isinstance(value, str) else value)
    sockets.append(socket)
    return len(sockets) - 1


def bind(socket, address):
    socket.bind(address)
    return socket.last_endpoint.rstrip(b"\0").decode()


def connect(socket, address):
    socket.connect(address)


def send(socket, batch, timeoutMs):
    socket.sndtimeo = timeoutMs
    for message in messages(batch):
        socket.send_multipart(message)
    return {"sent": batch["count"], "full": False}


def receive(socket, count, timeoutMs):
    tally = Tally()
    end = time.monotonic() + timeoutMs / 1000
    try:
        while len(tally.sequence) < count:
            socket.rcvtimeo = max(int((end - time.monotonic()) * 1000), 0)
            tally.add(socket.recv_multipart())
    except zmq.Again:
        raise RuntimeError(f"timed out, having received {len(tally.sequence)}") from None
    return tally.summary()


def close(socket):
    socket.close()


OPERATIONS = {
    "open": open_socket,
    "bind": bind,
    "connect": connect,
    "send": send,
    "receive": receive,
    "close": close,
}


def answer(reply):
    print(json.dumps(reply), flush=True)


def read(requests):
    for line in sys.stdin:
        requests.put(json.loads(line))
    os._exit(0)


def main():
    requests = queue.Queue()
    threading.Thread(target=read, args=(requests,), daemon=True).start()
    answer({"id": 0})
    while True:
        request = requests.get()
        id, op, index = request.pop("id"), request.pop("op"), request.pop("socket", None)
        try:
            socket = None if index is None else sockets[index]
            answer({"id": id, "value": OPERATIONS[op](socket, **request)})
        except Exception as error:
            answer({"id": id, "error": {"message": f"{type(error).__name__}: {error}"}})


if __name__ == "__main__":
    main()
