"""The story's sender, on PyZMQ's asyncio sockets: a flood of 1,000,000-byte messages.

    python3 sender.py ENDPOINT [COUNT]

Binds a PAIR with a high-water mark of one, prints `ready`, and sends: COUNT messages, or until it is
killed. Then it waits until the other side has taken them all.
"""

import asyncio
import itertools
import sys

import zmq
import zmq.asyncio

MESSAGE_BYTES = 1_000_000


async def send(endpoint, count):
    context = zmq.asyncio.Context()
    socket = context.socket(zmq.PAIR)
    socket.sndhwm = 1
    socket.sndbuf = 10 * 1024
    socket.bind(endpoint)
    print("ready", flush=True)
    body = bytes(MESSAGE_BYTES)
    for _ in itertools.count() if count is None else range(count):
        await socket.send(body)
    await asyncio.sleep(0)  # PyZMQ looks at the socket once more on the next turn
    socket.close(linger=-1)
    context.term()


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None))
