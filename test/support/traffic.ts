import type { Pair } from "./ours.js";
import { type Batch, messages, type Summary, Tally } from "./payload.mjs";

const LIMIT_MS = 14_000;

/** Sends a batch through a socket of ours. */
export async function send(socket: Pair, batch: Batch): Promise<void> {
  socket.sendTimeout = LIMIT_MS;
  for (const message of messages(batch)) await socket.send(message);
}

/** As far as it goes: up to the message with which it is stuck for `timeoutMs`. */
export async function sendUntilFull(
  socket: Pair,
  batch: Batch,
  timeoutMs: number,
): Promise<{ sent: number; full: boolean }> {
  socket.sendTimeout = timeoutMs;
  let sent = 0;
  try {
    for (const message of messages(batch)) {
      await socket.send(message);
      sent++;
    }
    return { sent, full: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    return { sent, full: true };
  }
}

/** Receives `count` messages. */
export async function receive(socket: Pair, count: number): Promise<Summary> {
  const tally = new Tally();
  socket.receiveTimeout = LIMIT_MS;
  try {
    while (tally.count < count) tally.add(await socket.receive());
    return tally.summary;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${message}, with ${tally.count} of ${count}, the last of them ${tally.last}`);
  }
}
