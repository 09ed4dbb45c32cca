"""
Throughput of PAIR, or of PUSH to PULL, through PyZMQ's asyncio: what thr.mjs does.

  python3 thr.py receive|send ENDPOINT SIZE COUNT RING FRAMES pair|pipeline null|curve
"""

import asyncio
import json
import resource
import signal
import sys
import time

import zmq
import zmq.asyncio

LIFETIME_SECONDS = 120

role, endpoint, size, count, ring, frames, pattern, mechanism = sys.argv[1:9]
size, count, ring, frames = int(size), int(count), int(ring), int(frames)

TYPES = {
    "pair": {"receive": zmq.PAIR, "send": zmq.PAIR},
    "pipeline": {"receive": zmq.PULL, "send": zmq.PUSH},
}


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def beside(address):
    return f"{address}.2" if address.startswith("ipc://") else address


def check(message, expected, index):
    stamp = int.from_bytes(message[0][:4], "little")
    if len(message) != frames or any(len(part) != size for part in message) or stamp != expected:
        sys.exit(f"message {index}: {[len(part) for part in message]} bytes, stamp {stamp}, expected {expected}")


async def receive_all(socket, answers):
    socket.bind(endpoint)
    if answers is not socket:
        answers.bind(beside(endpoint))
    addresses = dict.fromkeys(it.getsockopt_string(zmq.LAST_ENDPOINT) for it in (socket, answers))
    cpu = cpu_seconds()
    print("ready", ",".join(addresses), flush=True)
    start = 0.0
    expected = 0
    for index in range(count):
        message = await socket.recv_multipart()
        if index == 0:
            start = time.perf_counter()
        check(message, expected, index)
        expected = 0 if expected + 1 == ring else expected + 1
    seconds = time.perf_counter() - start
    cpu = cpu_seconds() - cpu
    await answers.send(b"done")
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu}), flush=True)


async def send_all(socket, answers):
    bodies = [index.to_bytes(4, "little") + bytes(size - 4) for index in range(ring)]
    messages = [[body] + [bytes(size)] * (frames - 1) for body in bodies]
    addresses = endpoint.split(",")
    socket.connect(addresses[0])
    if answers is not socket:
        answers.connect(addresses[1])
    cpu = cpu_seconds()
    following = 0
    for _ in range(count):
        await socket.send_multipart(messages[following])
        following = 0 if following + 1 == ring else following + 1
    answer = await answers.recv()
    if answer != b"done":
        sys.exit(f"the receiver answered {answer}")
    print(json.dumps({"cpuSeconds": cpu_seconds() - cpu}), flush=True)


async def main():
    context = zmq.asyncio.Context()
    socket = context.socket(TYPES[pattern][role])
    answers = socket if pattern == "pair" else context.socket(zmq.PAIR)
    await (receive_all if role == "receive" else send_all)(socket, answers)
    socket.close()
    answers.close()
    context.term()


if mechanism != "null":
    sys.exit(f"no keys for {mechanism}")
signal.alarm(LIFETIME_SECONDS)
asyncio.run(main())
