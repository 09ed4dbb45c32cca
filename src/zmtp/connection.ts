import { checkPong, decodeCommand, decodeError, decodePing, encodeError } from "./command.js";
import { Decoder, type DecoderOptions, type DecoderSink } from "./decoder.js";
import { type Batch, Encoder, type Slabs } from "./encoder.js";
import { encodeGreeting, GreetingDecoder } from "./greeting.js";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.js";
import type { Mechanism, Refusal, Role, Step } from "./mechanism.js";
import type { Metadata } from "./metadata.js";
import { type Peer, toPeer } from "./peer.js";
import { type Input, type Phase, TRANSITIONS } from "./phase.js";
import type { Press } from "./press.js";
import { ProtocolError } from "./protocol-error.js";
import type { SocketTypeName } from "./socket-type.js";
import { isSubscription, subscribes, Wishes } from "./wishes.js";

/**
 * What the connection tells its owner. None of these may throw; any of them may close the
 * connection.
 */
export interface ConnectionHandler {
  /**
   * The peer has said who it is: by nothing with NULL, by a user name and a password with PLAIN, by
   * its public key of 32 octets, the secret half of which it has proved to have, with CURVE. Only a
   * server is asked, and with NULL both sides. If absent, everybody is good.
   * @returns true to go on; false to decide later (see {@link Connection.authenticated} and
   *   {@link Connection.refuse}).
   */
  authenticate?(credentials: readonly Uint8Array[]): boolean;
  /**
   * The peer has done its part of the handshake.
   * @returns true to let it in now; false to decide later (see {@link Connection.admit}).
   */
  handshake(peer: Peer): boolean;
  /** The peer is in: from here on it can be sent to, and its messages come. */
  admitted?(): void;
  /** Whether there is room for a message, now that the peer is let in. If absent, there is. */
  hasRoom?(): boolean;
  /** A message; the answer says whether there is room for another. */
  message(parts: Uint8Array[]): boolean;
  /**
   * The peer subscribes to a topic, or cancels that: by a command, or by a message of a peer that
   * speaks 3.0; or, at a RADIO, it joins a group or leaves it. The answer says whether there is room
   * for more, or that the peer asked for more than it may, which ends the connection. The topic is a
   * view.
   */
  subscription?(topic: Uint8Array, subscribe: boolean): boolean | "too many";
}

/** How a {@link Connection} behaves. Only what is in {@link DecoderOptions} has defaults. */
export interface ConnectionOptions extends DecoderOptions {
  /**
   * Which part we play in the mechanism: with NULL the binder is the server; with PLAIN and CURVE
   * whoever is to be convinced.
   */
  role: Role;
  /** Our type: a peer whose type may not talk to it is refused (see `isCompatible`). */
  socketType: SocketTypeName;
  /** The security mechanism: an object for this connection alone. */
  mechanism: Mechanism;
  /** Where small frames are packed; may be shared. */
  slabs: Slabs;
  /** Encodes what is sent to many peers at once; shared by their connections. */
  press?: Press;
  /** Whether a message may be one for our type; one that may not ends the connection. */
  accepts?: (parts: readonly Uint8Array[]) => boolean;
  /**
   * How long the peer has, from the constructor on, until its handshake is done, in milliseconds;
   * 0: for ever. `ZMQ_HANDSHAKE_IVL`.
   */
  handshakeTimeoutMs: number;
  /** When to send PINGs, and when to give the peer up. */
  heartbeat: HeartbeatOptions;
}

const NEVER = Number.POSITIVE_INFINITY;

/**
 * One ZMTP connection without its wire: octets and the time go in, calls come out. Which input is
 * right when: {@link TRANSITIONS}.
 */
export class Connection implements DecoderSink {
  readonly #options: ConnectionOptions;
  readonly #handler: ConnectionHandler;
  readonly #greeting: GreetingDecoder;
  readonly #decoder: Decoder;
  readonly #encoder: Encoder;
  readonly #heartbeat: Heartbeat;

  readonly #wishes: Wishes;
  /** Whether messages of the peer's may be subscriptions: asked for each, so it is kept at hand. */
  readonly #publishes: boolean;

  #phase: Phase = "greeting";
  #handshakeDeadline: number;
  #full = false;
  #now: number;

  /**
   * @param now The caller's clock, in milliseconds; the handshake's time runs from here.
   */
  constructor(options: ConnectionOptions, handler: ConnectionHandler, now: number) {
    this.#options = options;
    this.#handler = handler;
    this.#now = now;
    this.#wishes = new Wishes(options.socketType);
    this.#publishes = this.#wishes.inMessages;
    this.#greeting = new GreetingDecoder(options.mechanism.name);
    this.#decoder = new Decoder(this, options);
    this.#enter("greeting");
    const { role, mechanism } = options;
    // RFC 37 wants zero where the mechanism does not know servers.
    const asServer = role === "server" && mechanism.name !== "NULL";
    const greeting = encodeGreeting(mechanism.name, asServer);
    this.#encoder = new Encoder(options.slabs, greeting, options.press);
    this.#heartbeat = new Heartbeat(options.heartbeat);
    this.#handshakeDeadline =
      options.handshakeTimeoutMs > 0 ? now + options.handshakeTimeoutMs : NEVER;
  }

  /** Where the connection stands. */
  get phase(): Phase {
    return this.#phase;
  }

  /**
   * Whether the handler had no room left after the last message: the caller is to stop reading
   * until there is, even if every octet was taken. To call {@link receive} says that there is.
   */
  get full(): boolean {
    return this.#full;
  }

  /** What is held for the message that is being assembled, in octets. */
  get held(): number {
    return this.#decoder.held;
  }

  /** Octets that wait to be written. */
  get outputSize(): number {
    return this.#encoder.size;
  }

  /** Whether {@link take} would return anything. */
  get hasOutput(): boolean {
    return this.#encoder.size > 0 || this.#heartbeat.owes;
  }

  /** When {@link tick} wants to be called, on the caller's clock; Infinity: never. */
  get deadline(): number {
    switch (this.#phase) {
      case "closed":
      case "admission":
        return NEVER;
      case "traffic":
        return this.#heartbeat.deadline;
      default:
        return this.#handshakeDeadline;
    }
  }

  /**
   * Takes octets from the peer: `chunk` from `at` to `end`. Nothing refers to them afterwards.
   * @returns The index of the first octet not taken; less than `end` when the handler has no room,
   *   or the peer waits to be judged or for admission, or the handler has closed the connection. The
   *   rest must be offered again, before anything else.
   * @throws ProtocolError when the peer is wrong; the connection is closed then.
   */
  receive(chunk: Uint8Array, at: number, end: number, now: number): number {
    this.#now = now;
    this.#full = false;
    try {
      let from = at;
      if (this.#phase === "greeting") {
        from = this.#greeting.decode(chunk, from, end);
        if (!this.#greeting.done) return from;
        this.#startHandshake();
      }
      if (!this.#reading) return from;
      if (end > at) this.#heartbeat.alive();
      from = this.#decoder.decode(chunk, from, end);
      // A PING with a promise may be among them; what came behind it keeps the promise.
      if (end > at && this.#decoder.inFrame) this.#heartbeat.alive();
      return from;
    } catch (error) {
      this.#end("failure");
      throw error;
    }
  }

  /**
   * Memory that the peer's next octets may be read into, in place of a chunk: see {@link filled}.
   * There is some only while at least `least` octets of one body are missing.
   * @throws ProtocolError when a limit lets no more be held; the connection is closed then.
   */
  room(least: number): Uint8Array | undefined {
    if (this.#phase !== "traffic") return undefined;
    try {
      return this.#decoder.room(least);
    } catch (error) {
      this.#end("failure");
      throw error;
    }
  }

  /**
   * Takes octets as {@link receive} does: the first `count` of what {@link room} returned last.
   * After the end they are forgotten, as the body is that they belonged to.
   * @throws ProtocolError when the peer is wrong; the connection is closed then.
   */
  filled(count: number, now: number): void {
    if (this.#phase !== "traffic") return;
    this.#now = now;
    this.#full = false;
    this.#heartbeat.alive();
    try {
      this.#decoder.filled(count);
    } catch (error) {
      this.#end("failure");
      throw error;
    }
  }

  /**
   * Goes on with a peer that {@link ConnectionHandler.authenticate} made wait: it is good.
   * @throws ProtocolError when the peer is wrong in what it said before; the connection is closed
   *   then.
   * @throws Error when no peer waits for that: the caller's mistake.
   */
  authenticated(now: number): void {
    this.#now = now;
    this.#step("accept");
    try {
      this.#advance(this.#options.mechanism.accept());
    } catch (error) {
      this.#end("failure");
      throw error;
    }
  }

  /**
   * Turns down a peer that {@link ConnectionHandler.authenticate} made wait. It is told, but for a
   * status of 300 (as libzmq does): the owner is to write what there is, and then to close.
   * @throws Error when no peer waits for that: the caller's mistake.
   */
  refuse(status: Refusal, now: number): void {
    this.#now = now;
    this.#step("refuse");
    if (status !== "300") this.#encoder.command(encodeError(status));
  }

  /**
   * Lets the peer in that {@link ConnectionHandler.handshake} made wait.
   * @throws Error when no peer waits, the caller's mistake; or when the mechanism should protect the
   *   traffic and has nothing for it.
   */
  admit(now: number): void {
    this.#now = now;
    this.#step("admit");
    const { mechanism } = this.#options;
    const last = mechanism.admit();
    if (last !== undefined) this.#encoder.command(last);
    // What the handshake encoded goes as it is; all that follows is the mechanism's.
    const { traffic } = mechanism;
    if (traffic !== undefined) {
      this.#decoder.traffic = traffic;
      this.#encoder.traffic = traffic;
    } else if (mechanism.protects) {
      this.#end("failure");
      throw new Error(`${mechanism.name} has nothing to protect traffic with`);
    }
    this.#heartbeat.start(now);
    this.#handler.admitted?.();
    // It may have closed the connection.
    if (this.#reading) this.#full = this.#handler.hasRoom?.() === false;
  }

  /**
   * Encodes a message of at least one part. Its large parts must not change until they have been
   * written.
   * @throws Error before the handshake is done and after the end: the caller's mistake.
   */
  send(parts: readonly Uint8Array[]): void {
    this.#needTraffic();
    this.#encoder.message(parts);
  }

  /**
   * Subscribes to `topic`, or cancels that, as the peer's version wants it said; a DISH joins a
   * group, or leaves it.
   * @throws Error before the handshake is done and after the end: the caller's mistake.
   */
  subscribe(topic: Uint8Array, subscribe: boolean): void {
    this.#needTraffic();
    this.#wishes.encode(topic, subscribe, this.#greeting.greeting, this.#encoder);
  }

  /**
   * Takes what is to be written now.
   * @throws What the mechanism throws at a message that it cannot transform: that one is lost, and the
   *   connection is to be closed.
   */
  take(): Batch {
    this.#heartbeat.encode(this.#encoder);
    return this.#encoder.take();
  }

  /** To be called once a batch has been written, or never will be. */
  release(batch: Batch): void {
    this.#encoder.release(batch);
  }

  /** Our side stopped reading: the peer's silence means nothing until {@link resume}. */
  pause(now: number): void {
    this.#heartbeat.pause(now);
  }

  /** Our side reads again. */
  resume(now: number): void {
    this.#heartbeat.resume(now);
  }

  /**
   * Does what the time asks for: a PING, or giving up.
   * @throws ProtocolError when the peer was too slow; the connection is closed then.
   */
  tick(now: number): void {
    this.#now = now;
    if (this.#phase === "closed" || this.#phase === "admission") return;
    if (this.#phase !== "traffic") {
      if (now < this.#handshakeDeadline) return;
      this.#end("failure");
      throw new ProtocolError("ERR_ZMTP_HANDSHAKE_TIMEOUT");
    }
    if (this.#heartbeat.lost(now)) {
      this.#end("failure");
      throw new ProtocolError("ERR_ZMTP_HEARTBEAT_TIMEOUT");
    }
    this.#heartbeat.pingDue(now);
  }

  /**
   * Ends the connection.
   * @param refused The batch that was taken last, if not a single octet of it was written.
   * @returns The messages that were encoded and never written, in order.
   */
  close(refused?: Batch): Uint8Array[][] {
    this.#end("close");
    const messages = this.#encoder.takeBack(refused);
    // Subscriptions of this connection mean nothing to the next one, which is told anew.
    return this.#wishes.inOurMessages
      ? messages.filter(([first]) => !isSubscription(first as Uint8Array))
      : messages;
  }

  /** Not for callers: what the decoder found. */
  message(parts: Uint8Array[]): boolean {
    this.#heartbeat.alive();
    if (this.#publishes && isSubscription(parts[0] as Uint8Array)) {
      return this.#messageSubscriptions(parts);
    }
    const { accepts } = this.#options;
    if (accepts !== undefined && !accepts(parts)) {
      throw new ProtocolError(
        "ERR_ZMTP_MALFORMED_MESSAGE",
        `not one for ${this.#options.socketType}`,
      );
    }
    return this.#hand(parts);
  }

  #hand(parts: Uint8Array[]): boolean {
    if (this.#handler.message(parts)) return this.#phase === "traffic";
    this.#full = true;
    return false;
  }

  /**
   * The first part is a subscription, and so is each further one that begins as one; the rest is a
   * message. (Where the first part is none, none is: libzmq's `ZMQ_ONLY_FIRST_SUBSCRIBE`.)
   */
  #messageSubscriptions(parts: Uint8Array[]): boolean {
    const rest: Uint8Array[] = [];
    for (const part of parts) {
      if (isSubscription(part)) {
        this.#subscription(part.subarray(1), subscribes(part));
      } else {
        rest.push(part);
      }
    }
    if (rest.length > 0 && this.#phase === "traffic") this.#hand(rest);
    return this.#phase === "traffic" && !this.#full;
  }

  #subscription(topic: Uint8Array, subscribe: boolean): void {
    if (this.#phase !== "traffic") return;
    const answer = this.#handler.subscription?.(topic, subscribe);
    if (answer === "too many") throw new ProtocolError("ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS");
    if (answer === false) this.#full = true;
  }

  /** Not for callers: what the decoder found. */
  command(body: Uint8Array): boolean {
    this.#heartbeat.alive();
    this.#step("command");
    if (this.#phase === "traffic") this.#trafficCommand(body);
    else this.#handshakeCommand(body);
    return this.#reading && !this.#full;
  }

  get #reading(): boolean {
    return TRANSITIONS[this.#phase].command !== undefined;
  }

  #startHandshake(): void {
    this.#step("greeting");
    const first = this.#options.mechanism.start();
    if (first !== undefined) this.#encoder.command(first);
  }

  #handshakeCommand(body: Uint8Array): void {
    const { mechanism } = this.#options;
    const command = decodeCommand(mechanism.respell?.(body) ?? body);
    if (command.name === "ERROR") {
      throw new ProtocolError(
        mechanism.protects ? "ERR_ZMTP_UNPROVEN_ERROR" : "ERR_ZMTP_PEER_ERROR",
        decodeError(command.data),
      );
    }
    this.#advance(mechanism.receive(command));
  }

  #advance({ reply, credentials, properties }: Step): void {
    if (reply !== undefined) this.#encoder.command(reply);
    if (credentials !== undefined) this.#judge(credentials);
    else if (properties !== undefined) this.#meet(properties);
  }

  #judge(credentials: readonly Uint8Array[]): void {
    this.#step("credentials");
    const good = this.#handler.authenticate?.(credentials) ?? true;
    // The handler may have closed the connection, or decided itself.
    if (good && this.phase === "authentication") this.authenticated(this.#now);
  }

  #meet(properties: Metadata): void {
    const { greeting } = this.#greeting;
    const peer = toPeer(greeting, properties, this.#options.socketType);
    this.#step("properties");
    const admitted = this.#handler.handshake(peer);
    // The handler may have closed the connection, or admitted the peer itself.
    if (admitted && this.phase === "admission") this.admit(this.#now);
  }

  /** Unknown commands are ignored, and so are those of a handshake that is over. */
  #trafficCommand(body: Uint8Array): void {
    const { name, data } = decodeCommand(body);
    switch (name) {
      case "PING":
        this.#heartbeat.pinged(decodePing(data), this.#now);
        break;
      case "PONG":
        checkPong(data);
        break;
      default: {
        const wanted = this.#wishes.ofCommand(name);
        if (wanted !== undefined) this.#subscription(data, wanted);
      }
    }
  }

  #needTraffic(): void {
    if (this.#phase !== "traffic") throw new Error(`output while in ${this.#phase}`);
  }

  /** The peer's mistakes are found before it comes to this: a missing entry is the caller's. */
  #step(input: Input): void {
    const next = TRANSITIONS[this.#phase][input];
    if (next === undefined) throw new Error(`${input} while in ${this.#phase}`);
    if (next !== this.#phase) this.#enter(next);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#decoder.handshaking = TRANSITIONS[phase].message === undefined;
  }

  #end(input: "failure" | "close"): void {
    this.#step(input);
    this.#options.mechanism.close?.();
    this.#decoder.drop();
    this.#heartbeat.drop();
  }
}
