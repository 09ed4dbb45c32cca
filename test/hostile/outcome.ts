/** What becomes of a hostile peer, of our socket of any type, and of the good peer there. */
import { expect } from "vitest";
import type { EventLog } from "../support/event-log.js";
import type { GoodSocket, Target } from "../support/hostile.js";
import type { MockPeer } from "../support/mock-peer.js";
import { until } from "../support/sockets.js";
import { isWellFormed, type Trade } from "../support/trades.js";
import { ping, pong } from "../support/wire.js";
import type { Input } from "./inputs.js";

let pings = 0;

/** Returns once all that the peer has said has been understood: it is still a peer, and answered. */
export async function alive(peer: MockPeer): Promise<void> {
  const context = `alive ${pings++}`;
  const answer = Buffer.from(pong(context));
  peer.resume();
  peer.send(ping(0, context));
  await until(() => peer.unread.includes(answer));
}

/** Nothing is left of any hostile peer, and the good one is served, or the one that is `invited`. */
export async function unharmed(target: Target, invited?: () => Promise<GoodSocket>): Promise<void> {
  const { assemblyBytes, peers, receive, send, subscriptions = 1 } = target.socket.stats();
  expect(assemblyBytes).toBe(0);
  expect(subscriptions).toBe(1);
  expect(peers.map(({ connected }) => connected)).toEqual(target.isAlone ? [] : [true]);
  expect([receive.messages, receive.bytes, send.messages, send.bytes]).toEqual([0, 0, 0, 0]);
  if (invited !== undefined) await target.invite(await invited());
  await target.exchange();
  if (invited !== undefined) await target.seeOff();
}

/** Waits for the event that tells of a peer's mistake, or of a refusal. */
async function expectError(
  events: EventLog,
  { error: code, status }: Exclude<Input["outcome"], string>,
): Promise<void> {
  if (status === undefined) {
    const { error } = await events.next("handshake:error:protocol");
    expect(error?.code).toBe(code);
  } else {
    const { error } = await events.next("handshake:error:auth");
    expect(error?.status).toBe(status);
  }
}

/** What is received of a message of a hostile peer's; undefined: nothing. */
function received({ name }: Trade, parts: string[]): string[] | undefined {
  switch (name) {
    case "PUB":
    case "PUSH":
    case "REQ":
    case "RADIO":
    case "SCATTER":
      return undefined;
    case "SUB":
      return parts[0]?.startsWith("good") ? parts : undefined;
    case "DISH":
      return parts[0] === "good" ? parts.slice(1) : undefined;
    case "XPUB":
      return isSubscription(parts) ? undefined : parts;
    case "REP": {
      const body = parts.slice(parts.indexOf("") + 1);
      return parts.includes("") && body.length > 0 ? body : undefined;
    }
    default:
      return parts;
  }
}

function isSubscription([first = ""]: string[]): boolean {
  return first.startsWith("\0") || first.startsWith("\x01");
}

/** What our socket can receive now, but for notices of subscriptions, and for names of peers. */
export function drain(target: Target): string[][] {
  const all = target.drain();
  const { name } = target.trade;
  if (name === "XPUB") return all.filter((parts) => !isSubscription(parts));
  return name === "ROUTER" ? all.map(([_, ...parts]) => parts) : all;
}

/** What is a message to one type is none to another: then that is how it ends, and what came before it counts. */
function outcomeFor(trade: Trade, input: Input): Pick<Input, "outcome" | "isLate" | "messages"> {
  const { messages = [] } = input;
  const wrong = messages.findIndex((parts) => !isWellFormed(trade, parts));
  if (wrong < 0) return input;
  const outcome = { error: "ERR_ZMTP_MALFORMED_MESSAGE" };
  return { outcome, isLate: true, messages: messages.slice(0, wrong) };
}

/**
 * Waits until what should become of a peer has happened, and our socket knows that it is gone.
 * @param isAlive Returns once it has proved to be a peer still.
 * @param hangUp What it does then.
 */
export async function expectEnd(
  { outcome, isLate = false }: Pick<Input, "outcome" | "isLate">,
  events: EventLog,
  peer: MockPeer,
  isAlive: () => Promise<void>,
  hangUp: () => void,
): Promise<void> {
  if (typeof outcome === "object") {
    if (isLate) await events.next("handshake");
    await expectError(events, outcome);
    await peer.gone();
  } else if (outcome === "stays in the handshake") {
    const { error } = await events.next("handshake:error:other");
    expect(error?.code).toBe("EAGAIN");
    await peer.gone();
  } else {
    await events.next("handshake");
    if (outcome === "is a peer") await isAlive();
    if (outcome === "falls silent") await peer.gone();
    else hangUp();
  }
  await events.next("disconnect");
}

/** As {@link expectEnd}; and that nothing of the peer's was received but its messages. */
export async function expectOutcome(
  target: Target,
  input: Input,
  peer: MockPeer,
  isAlive = (): Promise<void> => alive(peer),
): Promise<void> {
  const { events, trade } = target;
  const due = outcomeFor(trade, input);
  await expectEnd(due, events, peer, isAlive, () => peer.reset());
  const messages = (due.messages ?? []).map((parts) => received(trade, parts));
  expect(drain(target)).toEqual(messages.filter((parts) => parts !== undefined));
}
