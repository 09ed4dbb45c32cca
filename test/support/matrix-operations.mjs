// What a test can have a socket do: ours in the test, npm zeromq's in a child. The calls are the same.
import { messages, Tally } from "./payload.mjs";

const LIMIT_MS = 14_000;

/**
 * Sends a batch, each message behind the parts `before`. With `untilFull`, up to the message with
 * which it is stuck for `timeoutMs`; without, that is an error.
 */
export async function send(socket, { batch, before = [], timeoutMs = LIMIT_MS, untilFull }) {
  socket.sendTimeout = timeoutMs;
  let sent = 0;
  try {
    for (const message of messages(batch)) {
      await socket.send([...before, ...message]);
      sent++;
    }
    return { sent, full: false };
  } catch (error) {
    if (untilFull && error.code === "EAGAIN") return { sent, full: true };
    error.message += `, having sent ${sent} of ${batch.count}`;
    throw error;
  }
}

/**
 * Receives `count` messages, or up to and with the one numbered `last`; each has to begin with the
 * parts `before`, which are not counted. Messages whose number is in `except` are not counted either.
 */
export async function receive(socket, { count, last, except = [], before, timeoutMs = LIMIT_MS }) {
  const tally = new Tally();
  const end = Date.now() + timeoutMs;
  try {
    while (last === undefined ? tally.count < count : tally.last !== last) {
      socket.receiveTimeout = Math.max(end - Date.now(), 0);
      const parts = opened(await socket.receive(), before);
      if (!except.includes(numberOf(parts))) tally.add(parts);
    }
    return tally.summary;
  } catch (error) {
    error.message += `, having received ${tally.count}, the last of them ${tally.last}`;
    throw error;
  }
}

/** Receives `count` messages and sends each back as it came. */
export async function echo(socket, { count, before, timeoutMs = LIMIT_MS }) {
  const tally = new Tally();
  socket.receiveTimeout = timeoutMs;
  socket.sendTimeout = timeoutMs;
  try {
    while (tally.count < count) {
      const parts = await socket.receive();
      tally.add(opened(parts, before));
      await socket.send(parts);
    }
    return tally.summary;
  } catch (error) {
    error.message += `, having echoed ${tally.count} of ${count}`;
    throw error;
  }
}

/** Sends a batch, receiving an answer after each message. */
export async function ask(socket, { batch, before = [], timeoutMs = LIMIT_MS }) {
  const tally = new Tally();
  socket.receiveTimeout = timeoutMs;
  socket.sendTimeout = timeoutMs;
  try {
    for (const message of messages(batch)) {
      await socket.send([...before, ...message]);
      tally.add(opened(await socket.receive(), before));
    }
    return tally.summary;
  } catch (error) {
    error.message += `, having been answered ${tally.count} times of ${batch.count}`;
    throw error;
  }
}

export async function sendParts(socket, { parts, timeoutMs = LIMIT_MS }) {
  socket.sendTimeout = timeoutMs;
  await socket.send(parts);
}

export function receiveParts(socket, { timeoutMs = LIMIT_MS }) {
  socket.receiveTimeout = timeoutMs;
  return socket.receive();
}

/** Receives `size` octets of a peer, in however many messages they come (STREAM). */
export async function receiveOctets(socket, { peer, size, timeoutMs = LIMIT_MS }) {
  socket.receiveTimeout = timeoutMs;
  let octets = Buffer.alloc(0);
  while (octets.length < size) {
    const [part] = opened(await socket.receive(), [peer]);
    if (part.length === 0) throw new Error(`the peer left after ${octets.length} octets`);
    octets = Buffer.concat([octets, part]);
  }
  return octets;
}

/** As a SUB, or as an XSUB, which does it by messages. */
export async function subscribe(socket, { topic }) {
  if (socket.subscribe) socket.subscribe(topic);
  else await socket.send(Buffer.concat([Buffer.of(1), topic]));
}

export async function unsubscribe(socket, { topic }) {
  if (socket.unsubscribe) socket.unsubscribe(topic);
  else await socket.send(Buffer.concat([Buffer.of(0), topic]));
}

/** What stands behind the parts `before`; null among them stands for any part. */
function opened(parts, before = []) {
  for (const [i, part] of before.entries()) {
    if (part === null || (parts[i] && Buffer.from(part).equals(parts[i]))) continue;
    const shown = parts.map((part) => part.toString("latin1").slice(0, 20)).join("|");
    throw new Error(`part ${i} of ${shown} should be ${Buffer.from(part).toString("latin1")}`);
  }
  return parts.slice(before.length);
}

function numberOf([first]) {
  return first.length < 4 ? null : first.readUInt32BE(0);
}
