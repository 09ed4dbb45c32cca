import {
  type Batch,
  Connection,
  type ConnectionHandler,
  type Mechanism,
  type Peer,
  ProtocolError,
  type Role,
  type SocketTypeName,
} from "../src/zmtp/index.js";
import * as wire from "../test/support/wire.js";
import { LIMITS, SUBSCRIPTIONS } from "./conversation.js";
import type { Random } from "./random.js";
import { slabs } from "./slabs.js";
import { check, digest } from "./target.js";

/** Bits of an input's mode: what becomes of a peer that is to be judged, or let in. */
export const JUDGED_LATER = 16;
export const REFUSED = 32;
export const ADMITTED_LATER = 64;

/** Limits in which the commands of CURVE have room. */
export const WIDE = { ...LIMITS, maxHandshakeCommandSize: 600 };

const GREETING_SIZE = 64;

/** What became of one connection. */
export interface Outcome {
  phase: string;
  error: string | undefined;
  /** How many commands of ours it took to come there. */
  said: number;
  credentials: string | undefined;
  met: boolean;
  messages: string[];
  subscriptions: number;
  /** All that we said. */
  output: string;
}

/** Feeds a connection of this mechanism, in pieces of these sizes, to its end. */
export function outcomeOf(
  role: Role,
  mechanism: Mechanism,
  mode: number,
  octets: Uint8Array,
  sizes: Iterator<number>,
): Outcome {
  const life = new Life(role, mechanism, mode);
  life.feed(octets, sizes);
  return life.end();
}

class Life implements ConnectionHandler {
  readonly #connection: Connection;
  readonly #mode: number;
  readonly #lent = slabs.out;
  readonly #messages: string[] = [];
  #subscriptions = 0;
  #credentials: string | undefined;
  #met = false;
  #error: string | undefined;

  constructor(role: Role, mechanism: Mechanism, mode: number) {
    this.#mode = mode;
    const socketType: SocketTypeName = "PAIR";
    this.#connection = new Connection(
      {
        ...{ role, socketType, mechanism, slabs, limits: WIDE },
        handshakeTimeoutMs: 0,
        heartbeat: { intervalMs: 0, timeoutMs: 0, ttlMs: 0 },
      },
      this,
      0,
    );
  }

  authenticate(credentials: readonly Uint8Array[]): boolean {
    check("one is judged once, and before one is met", !this.#met && !this.#credentials);
    this.#credentials = digest("who", credentials);
    return (this.#mode & (JUDGED_LATER | REFUSED)) === 0;
  }

  handshake(_peer: Peer): boolean {
    check("one is met once", !this.#met);
    this.#met = true;
    return (this.#mode & ADMITTED_LATER) === 0;
  }

  message(parts: Uint8Array[]): boolean {
    check("no message outside the traffic", this.#connection.phase === "traffic");
    this.#messages.push(digest("message", parts));
    return true;
  }

  subscription(): true | "too many" {
    this.#subscriptions++;
    return this.#subscriptions > SUBSCRIPTIONS ? "too many" : true;
  }

  feed(octets: Uint8Array, sizes: Iterator<number>): void {
    const connection = this.#connection;
    try {
      for (let at = 0; at < octets.length; ) {
        const end = Math.min(octets.length, at + sizes.next().value);
        while (at < end) {
          at = connection.receive(octets, at, end, 0);
          if (at < end && !this.#goOn()) return;
        }
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      check("an error ends the connection", connection.phase === "closed");
      this.#error = error.code;
    }
  }

  /** The connection takes no more: decides what it waits for. */
  #goOn(): boolean {
    const connection = this.#connection;
    if (connection.phase === "authentication") {
      if ((this.#mode & REFUSED) !== 0) connection.refuse("400", 0);
      else connection.authenticated(0);
    } else if (connection.phase === "admission") {
      connection.admit(0);
    }
    return connection.phase !== "refused" && connection.phase !== "closed";
  }

  end(): Outcome {
    const connection = this.#connection;
    const { phase } = connection;
    // What the end has made impossible to seal is nobody's business.
    const batch: Batch | undefined = phase === "closed" ? undefined : connection.take();
    const octets = batch === undefined ? new Uint8Array(0) : wire.concat(...batch.chunks);
    if (batch !== undefined) connection.release(batch);
    connection.close();
    check("slabs come back", slabs.out === this.#lent);
    check("nothing is held after the end", connection.held === 0);
    return {
      phase,
      error: this.#error,
      said: frameSizes(octets.subarray(GREETING_SIZE)).length,
      credentials: this.#credentials,
      met: this.#met,
      messages: this.#messages,
      subscriptions: this.#subscriptions,
      output: digest("output", [octets]),
    };
  }
}

/** Sizes of the pieces that peers send: the greeting, then each frame. */
export function* protocolSizes(octets: Uint8Array): Generator<number> {
  yield GREETING_SIZE;
  yield* frameSizes(octets.subarray(GREETING_SIZE));
  for (;;) yield 1;
}

/** Sizes that chance decides. */
export function* anySizes(random: Random): Generator<number> {
  const most = 1 + random.below(300);
  for (;;) yield 1 + random.below(most);
}

/** Sizes of the frames that `octets` announce, headers and all; the last may be cut short. */
export function frameSizes(octets: Uint8Array): number[] {
  const sizes: number[] = [];
  for (const { size } of framesIn(octets)) sizes.push(size);
  return sizes;
}

/** Frames as they stand in `octets`, the last one perhaps cut short. */
export function* framesIn(
  octets: Uint8Array,
): Generator<{ flags: number; body: Uint8Array; size: number; whole: boolean }> {
  for (let at = 0; at < octets.length; ) {
    const flags = octets[at] as number;
    const header = (flags & 2) !== 0 ? 9 : 2;
    if (at + header > octets.length) return;
    let size = 0n;
    for (let i = at + 1; i < at + header; i++) size = size * 256n + BigInt(octets[i] as number);
    const whole = size <= BigInt(octets.length - at - header);
    const end = whole ? at + header + Number(size) : octets.length;
    yield { flags, body: octets.subarray(at + header, end), size: end - at, whole };
    at = end;
  }
}
