// Whatever comes, whenever: a connection yields what the naive codec reads or a ProtocolError, says only
// what the naive codec can read, loses none of our messages, and leaves nothing behind.
import {
  announce,
  Budget,
  Connection,
  type ConnectionHandler,
  type ConnectionOptions,
  GREETING_SIZE,
  NullMechanism,
  PROTOCOL_ERRORS,
  ProtocolError,
  type Role,
  TRANSITIONS,
} from "../../src/zmtp/index.js";
import { type NaiveEvent, readConversation } from "../../test/support/naive-codec.js";
import * as wire from "../../test/support/wire.js";
import { XorMechanism } from "../../test/support/xor-mechanism.js";
import {
  greetings,
  handshake,
  inner,
  LIMITS,
  OF_MECHANISMS,
  SUBSCRIPTIONS,
  traffic,
} from "../conversation.js";
import type { Random } from "../random.js";
import { slabs } from "../slabs.js";
import { check, digest, open, same, seal, type Target } from "../target.js";

const CLIENT = 1;
const XOR = 2;
const POOR = 4;
const BEATS = 8;
const HURRIES = 16;
const PICKY = 32;

const RICH = 1e6;
const UNBOUND = {
  maxMessageSize: -1,
  maxMultipartSize: 1e9,
  maxFrames: 1e9,
  maxHandshakeCommandSize: 1e9,
  maxCommandSize: 1e9,
  maxProperties: 1e9,
};

/** Only a handler that throws comes to these, and none may. */
const NEVER = ["admission failure", "closed failure"];

const STEPS = Object.entries(TRANSITIONS).flatMap(([phase, inputs]) =>
  Object.keys(inputs).map((input) => `${phase} ${input}`),
);

const NULLS = greetings("NULL");
const XORS = greetings("XOR");

export const connection: Target = {
  name: "connection",
  states: [
    ...STEPS.filter((step) => !NEVER.includes(step)),
    "full",
    "paused",
    "ping",
    "pong",
    "taken back",
    "read in place",
    ...Object.keys(PROTOCOL_ERRORS).filter((code) => !OF_MECHANISMS.includes(code)),
  ],

  generate(random) {
    const mode = random.below(64);
    const count = random.below(6);
    if ((mode & XOR) === 0) {
      const rest = Array.from({ length: count }, () => traffic(random));
      const greeting = random.once(12) ? random.pick(NULLS) : (NULLS[1] as Uint8Array);
      return seal(random, mode, [greeting, handshake(random), ...rest]);
    }
    // What the peer of this mechanism would say.
    const peer = new XorMechanism(mode & CLIENT ? "server" : "client", announce("PAIR", undefined));
    const words = mode & CLIENT ? ["WELCOME", "READY"] : ["HELLO", "INITIATE"];
    const [first, last] = words as [string, string];
    const data = wire.metadata({ "Socket-Type": "PAIR" });
    const frames = Array.from({ length: count }, () => inner(random)).flat();
    const wrapped = frames.map(({ flags, body }) => wire.frame(peer.wrap(flags, body).body));
    const greeting = XORS[1] as Uint8Array;
    return seal(random, mode, [
      greeting,
      wire.command(first),
      wire.command(last, data),
      ...wrapped,
    ]);
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    const life = new Life(random, mode, octets, reach);
    life.live();
    life.end();
    if ((mode & XOR) === 0 && random.once(3)) life.compare();
  },
};

/** One connection from its start to its end, driven by chance. */
class Life implements ConnectionHandler {
  readonly #random: Random;
  readonly #octets: Uint8Array;
  readonly #reach: (state: string) => void;
  readonly #role: Role;
  readonly #connection: Connection;
  readonly #held: Budget;
  readonly #reserve: Budget;
  readonly #lent = slabs.out;

  #now = 0;
  #at = 0;
  #stopped = false;
  #error: string | undefined;
  #met = false;
  #subscriptions = 0;
  /** The peer was told that it is. */
  #refused = false;
  /** Everything was taken, and nothing ended the connection before. */
  #heardAll = false;
  readonly #received: string[] = [];
  readonly #sent: string[] = [];
  readonly #written: Uint8Array[] = [];

  constructor(random: Random, mode: number, octets: Uint8Array, reach: (state: string) => void) {
    this.#random = random;
    this.#octets = octets;
    this.#reach = reach;
    const role: Role = mode & CLIENT ? "client" : "server";
    this.#role = role;
    const properties = announce("PAIR", undefined);
    const poor = mode & POOR;
    this.#held = new Budget(poor ? random.below(600) : RICH);
    this.#reserve = new Budget(poor ? random.below(600) : RICH);
    const beats = mode & BEATS;
    const options: ConnectionOptions = {
      role,
      socketType: "PAIR",
      mechanism:
        mode & XOR
          ? new XorMechanism(role, properties)
          : new NullMechanism(role, properties, LIMITS),
      slabs,
      limits: LIMITS,
      held: this.#held,
      reserve: this.#reserve,
      ...(mode & PICKY && { accepts: (parts) => parts.length !== 2 }),
      handshakeTimeoutMs: mode & HURRIES ? 50 : 0,
      heartbeat: { intervalMs: beats ? 20 : 0, timeoutMs: beats ? 30 : 0, ttlMs: 100 },
    };
    this.#connection = new Connection(options, this, 0);
  }

  authenticate(): boolean {
    this.#reach("handshake command");
    this.#reach("handshake credentials");
    if (this.#random.once(32)) this.#close();
    if (this.#random.once(4)) return false;
    this.#reach("authentication accept");
    return true;
  }

  handshake(): boolean {
    this.#reach("handshake command");
    this.#reach("handshake properties");
    this.#met = true;
    if (this.#random.once(16)) this.#close();
    return !this.#random.once(4);
  }

  message(parts: Uint8Array[]): boolean {
    check("no message outside the traffic", this.#connection.phase === "traffic");
    this.#reach("traffic message");
    this.#received.push(digest("message", parts));
    if (this.#random.once(32)) this.#close();
    return !this.#random.once(4);
  }

  subscription(): true | "too many" {
    check("no subscription outside the traffic", this.#connection.phase === "traffic");
    this.#reach("traffic command");
    this.#subscriptions++;
    if (this.#random.once(32)) this.#close();
    else if (this.#subscriptions > SUBSCRIPTIONS) return "too many";
    return true;
  }

  /** Until all octets are taken, and a little longer. */
  live(): void {
    let after = this.#random.below(12);
    for (let turns = 0; turns < 200 && after > 0; turns++) {
      this.#turn();
      if (this.#at === this.#octets.length || this.#connection.phase === "closed") after--;
    }
  }

  end(): void {
    const { phase } = this.#connection;
    this.#heardAll = phase === "traffic" && this.#at === this.#octets.length;
    this.#close();
    this.#close();
    check("nothing is to be written after the end", !this.#connection.hasOutput);
    check("no deadline after the end", this.#connection.deadline === Number.POSITIVE_INFINITY);
    check("budgets end at 0", this.#held.used === 0 && this.#reserve.used === 0);
    check("nothing is held after the end", this.#connection.held === 0);
    check("slabs come back", slabs.out === this.#lent);
  }

  /** What went in and out, as the naive codec has it. */
  compare(): void {
    const { events, error } = readConversation(this.#octets, LIMITS, ["PAIR"]);
    const expected = messagesOf(events);
    const count = this.#heardAll ? expected.length : this.#received.length;
    same("received", this.#received, expected.slice(0, count));
    const own = [
      ...[undefined, "ERR_ZMTP_ASSEMBLY_LIMIT", "ERR_ZMTP_HANDSHAKE_TIMEOUT"],
      ...["ERR_ZMTP_MALFORMED_MESSAGE", "ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS"],
    ];
    if (![...own, "ERR_ZMTP_HEARTBEAT_TIMEOUT"].includes(this.#error)) {
      same("error", this.#error, error);
    }
    const said = readConversation(wire.concat(...this.#written), UNBOUND, ["PAIR"]);
    // A client has said READY before it judges: behind that an ERROR is one command of many.
    const refused = this.#refused && this.#role === "server";
    const isTold = refused && wire.concat(...this.#written).length > GREETING_SIZE;
    same("what we say is right", said.error, isTold ? "ERR_ZMTP_PEER_ERROR" : undefined);
    same("what we sent", messagesOf(said.events), this.#sent);
  }

  #turn(): void {
    const random = this.#random;
    const connection = this.#connection;
    switch (random.below(10)) {
      case 0:
      case 1:
        this.#write();
        break;
      case 2:
        this.#send();
        break;
      case 3:
        this.#wait(random.pick([0, 1, 5, 20, 100]));
        break;
      case 4:
        if (connection.phase === "admission") {
          this.#reach("admission admit");
          connection.admit(this.#now);
        }
        if (connection.phase === "authentication") this.#judge();
        break;
      case 5:
        if (random.once(6)) this.#close();
        break;
      default:
        if (this.#stopped) this.#resume();
        else this.#read();
    }
  }

  #judge(): void {
    if (this.#random.once(2)) {
      this.#reach("authentication accept");
      this.#guard(() => this.#connection.authenticated(this.#now));
    } else {
      this.#reach("authentication refuse");
      const status = this.#random.pick(["300", "400", "500"] as const);
      this.#connection.refuse(status, this.#now);
      this.#refused = status !== "300";
    }
  }

  #read(): void {
    const { phase } = this.#connection;
    const left = this.#octets.length - this.#at;
    const count = Math.min(left, this.#random.once(2) ? left : 1 + this.#random.below(40));
    if (count === 0) return;
    this.#guard(() => {
      const room = this.#random.once(3) ? this.#connection.room(1) : undefined;
      if (room === undefined) {
        const end = this.#at + count;
        this.#at = this.#connection.receive(this.#octets, this.#at, end, this.#now);
        this.#stopped = this.#connection.full || this.#at < end;
      } else {
        this.#reach("read in place");
        const filled = Math.min(room.length, count);
        room.set(this.#octets.subarray(this.#at, this.#at + filled));
        this.#at += filled;
        this.#connection.filled(filled, this.#now);
        this.#stopped = this.#connection.full;
      }
    });
    if (this.#connection.full) this.#reach("full");
    if (this.#stopped) {
      this.#reach("paused");
      this.#connection.pause(this.#now);
    }
    const after = this.#connection.phase;
    if (phase === "greeting" && (after === "handshake" || this.#met))
      this.#reach("greeting greeting");
  }

  #resume(): void {
    this.#stopped = false;
    this.#read();
    if (!this.#stopped) this.#connection.resume(this.#now);
  }

  #wait(ms: number): void {
    const { deadline } = this.#connection;
    check("a deadline is a time", !Number.isNaN(deadline));
    // Sometimes exactly when the connection wants to be called, sometimes too early or late.
    const onTime = this.#random.once(2) && deadline < this.#now + 1000;
    this.#now = onTime ? Math.max(this.#now, deadline) : this.#now + ms;
    this.#guard(() => this.#connection.tick(this.#now));
  }

  #send(): void {
    if (this.#connection.phase !== "traffic") return;
    const sizes = [0, 3, 47, 48, 49, 255, 256, 8192, 8193];
    const parts = Array.from({ length: 1 + this.#random.below(3) }, () =>
      new Uint8Array(this.#random.pick(sizes)).fill(this.#random.next()),
    );
    this.#connection.send(parts);
    this.#sent.push(digest("message", parts));
  }

  #write(): void {
    const before = this.#connection.outputSize;
    check("output is announced", before === 0 || this.#connection.hasOutput);
    const batch = this.#connection.take();
    const octets = batch.chunks.length === 1 ? batch.chunks[0]?.slice() : undefined;
    const written = octets ?? wire.concat(...batch.chunks);
    check("a batch has the size that it says", written.length === batch.size);
    check("a batch has what was announced", written.length >= before);
    if (before === 0 && batch.size > 0) {
      this.#reach(written.includes(0x49) ? "ping" : "pong");
      if (written.includes(0x4f)) this.#reach("traffic command");
    }
    this.#connection.release(batch);
    this.#written.push(written);
  }

  #close(): void {
    this.#reach(`${this.#connection.phase} close`);
    const back = this.#connection.close();
    if (back.length === 0) return;
    this.#reach("taken back");
    const unsent = this.#sent.splice(this.#sent.length - back.length);
    same(
      "taken back",
      back.map((parts) => digest("message", parts)),
      unsent,
    );
  }

  #guard(act: () => void): void {
    const { phase } = this.#connection;
    try {
      act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      check("an error ends the connection", this.#connection.phase === "closed");
      this.#error = error.code;
      this.#reach(error.code);
      this.#reach(`${this.#met ? "traffic" : phase} failure`);
    }
  }
}

function messagesOf(events: readonly NaiveEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === "message" ? [digest("message", event.parts)] : [],
  );
}
