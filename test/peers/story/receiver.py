"""The story's receiver, on PyZMQ's asyncio sockets: large messages, a high-water mark of one, a ticker.

    python3 receiver.py ENDPOINT COUNT [WORK]

Connects a PAIR, takes COUNT messages and exits. WORK is what is done with each: `gc` (the default)
collects garbage, as in the story; `none` does nothing. Every 100 messages, and after the last, it
prints a line of JSON: messages, bytes of the last one, megabytes resident, ticks, ticks due.
"""

import asyncio
import gc
import json
import os
import sys
import time

import zmq
import zmq.asyncio

TICK_SECONDS = 0.01
REPORT_EVERY = 100


class Ticker:
    """Counts the turns that the event loop grants to a task that only sleeps."""

    def __init__(self):
        self.started = time.monotonic()
        self.ticks = 0
        self.task = asyncio.ensure_future(self.run())

    async def run(self):
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.ticks += 1

    def due(self):
        return int((time.monotonic() - self.started) / TICK_SECONDS)


def resident_megabytes():
    with open("/proc/self/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def receive(endpoint, count, work):
    context = zmq.asyncio.Context()
    socket = context.socket(zmq.PAIR)
    socket.rcvhwm = 1
    socket.rcvbuf = 10 * 1024
    socket.connect(endpoint)
    ticker = Ticker()
    for number in range(1, count + 1):
        body = await socket.recv()
        size = len(body)
        del body
        work()
        if number % REPORT_EVERY == 0 or number == count:
            line = {
                "messages": number,
                "bytes": size,
                "residentMegabytes": round(resident_megabytes(), 1),
                "ticks": ticker.ticks,
                "dueTicks": ticker.due(),
            }
            print(json.dumps(line), flush=True)
    ticker.task.cancel()
    await asyncio.sleep(0)  # PyZMQ looks at the socket once more on the next turn
    context.destroy(linger=0)


WORKS = {"gc": gc.collect, "none": lambda: None}

if __name__ == "__main__":
    asyncio.run(receive(sys.argv[1], int(sys.argv[2]), WORKS[sys.argv[3] if len(sys.argv) > 3 else "gc"]))
