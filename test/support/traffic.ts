import * as operations from "./matrix-operations.mjs";
import type { Pair } from "./ours.js";
import type { Batch, Summary } from "./payload.mjs";

/** Sends a batch through a socket of ours. */
export async function send(socket: Pair, batch: Batch): Promise<void> {
  await operations.send(socket, { batch });
}

/** As far as it goes: up to the message with which it is stuck for `timeoutMs`. */
export function sendUntilFull(
  socket: Pair,
  batch: Batch,
  timeoutMs: number,
): Promise<operations.Progress> {
  return operations.send(socket, { batch, timeoutMs, untilFull: true });
}

/** Receives `count` messages. */
export function receive(socket: Pair, count: number): Promise<Summary> {
  return operations.receive(socket, { count });
}
