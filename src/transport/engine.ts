import type { Socket as Stream } from "node:net";
import { errnoError } from "../errors.js";
import type { Parts } from "../message.js";
import {
  type Batch,
  COPY_MAX,
  type ConnectionHandler,
  MAX_HEADER_SIZE,
  ProtocolError,
  type Refusal,
  SLAB_SIZE,
} from "../zmtp/index.js";
import { Alarm } from "./alarm.js";
import { Input, type InputOwner } from "./input.js";
import { Output } from "./output.js";
import type { Wire } from "./wire.js";

/** Why a connection ended: the peer was wrong, it was too slow, or the wire broke. */
export type EndReason =
  | { kind: "protocol"; error: ProtocolError }
  | { kind: "timeout"; error: ProtocolError }
  | { kind: "connection"; error: NodeJS.ErrnoException | undefined };

/** Who stands between an engine and the messages. */
export interface EngineOwner extends ConnectionHandler, InputOwner {
  /** The messages of one chunk have all been handed over. */
  received(): void;
  /** There is room for output again: see {@link Engine.full}. */
  restartOutput(): void;
  /**
   * The connection is over, by itself. `unwritten` are messages that never reached the wire.
   */
  ended(reason: EndReason, unwritten: Parts[]): void;
}

/** Output is written at once, and no more is asked for, when one more small frame might not fit. */
const BATCH_SIZE = SLAB_SIZE - COPY_MAX - MAX_HEADER_SIZE;

/** Bytes that may wait: a batch while another is being written. */
const OUTPUT_MAX = 2 * BATCH_SIZE;

/** Bytes of subscriptions that may wait behind a write that does not end. */
const SUBSCRIPTIONS_MAX = 64 * 2 ** 20;

const DETACHED = "a part was detached before it was written; so is what was to go with it";

/** How long a peer may take to hang up after we have. */
const GOODBYE_MS = 1000;

/**
 * One connection: moves octets between a stream and a {@link Wire}, which knows the protocol, and
 * tells it the time.
 *
 * Out: what is encoded in one turn of the event loop leaves in one write at its end, or as soon
 * as it fills a slab. Only one write is under way at a time, so what a broken wire did not take
 * is known, but for that one write.
 *
 * In: when the owner has no room, reading stops, until {@link restartInput}.
 */
export class Engine {
  #stream: Stream;
  readonly #connection: Wire;
  readonly #owner: EngineOwner;

  #ended = false;
  #finishing = false;
  readonly #alarm = new Alarm(() => this.#tick());

  /** Nothing more can be written; what the peer wrote before it went is still being read. */
  #broken = false;
  #disregarded = false;

  readonly #input: Input;
  readonly #output: Output;
  #flushScheduled = false;

  /** @param open Makes the connection, at the given time. */
  constructor(stream: Stream, open: (now: number) => Wire, owner: EngineOwner) {
    this.#stream = stream;
    this.#owner = owner;
    this.#connection = open(performance.now());
    this.#input = new Input(
      stream,
      this.#connection,
      owner,
      () => this.#fed(),
      (error) => this.#fail(error),
    );
    this.#output = new Output(
      stream,
      (batch) => this.#written(batch),
      () => this.#writeFailed(),
    );
  }

  /** Starts the connection. Separate from the constructor: the owner is called from here on. */
  start(): void {
    this.#input.start();
    this.#watch();
    this.#connection.start?.();
    this.#flush();
    this.#input.pauseIfFull();
    this.#alarm.set(this.#connection.deadline);
  }

  #watch(): void {
    const stream = this.#stream;
    stream.on("end", () => this.#end({ kind: "connection", error: undefined }));
    stream.on("error", (error) => this.#end({ kind: "connection", error }));
    stream.on("close", () => this.#end({ kind: "connection", error: undefined }));
  }

  /** Whether no more messages should be sent now; {@link EngineOwner.restartOutput} will tell. */
  get full(): boolean {
    return this.#batchIsFull() || this.outputBytes >= OUTPUT_MAX;
  }

  /** Octets taken from the pipe and not yet given to the operating system. */
  get outputBytes(): number {
    return this.#output.size + this.#connection.outputSize;
  }

  /** Whether writing has failed, and the connection goes on only to be read to its end. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Encodes a message; it leaves at the end of this turn, or now if there is enough.
   * @returns Whether a batch has been written whole.
   */
  send(parts: Parts): boolean {
    try {
      this.#connection.send(parts);
    } catch (error) {
      // Anything else is our own mistake.
      if (!(error instanceof TypeError)) throw error;
      this.#end({ kind: "connection", error: whyUnwritable(error) });
      return false;
    }
    return this.#encoded();
  }

  /**
   * Subscribes to a topic at the peer, or cancels that. No mark holds it up; a peer that takes none
   * of them for long is given up, and will be told of what counts then when it comes again.
   */
  subscribe(topic: Uint8Array, subscribe: boolean): void {
    if (this.#output.busy && this.outputBytes > SUBSCRIPTIONS_MAX) {
      this.#end({ kind: "connection", error: errnoError("ENOBUFS") });
      return;
    }
    this.#connection.subscribe(topic, subscribe);
    this.#encoded();
  }

  /** Lets in a peer that had to wait after its handshake. */
  admit(): void {
    this.#connection.admit(performance.now());
    this.#goOn();
  }

  /** Goes on with a peer that had to wait to be judged: it is good. */
  authenticated(): void {
    if (this.#ended) return;
    try {
      this.#connection.authenticated(performance.now());
    } catch (error) {
      this.#fail(error);
    }
    this.#goOn();
  }

  /** Turns down a peer that had to wait to be judged, and hangs up once it has been told. */
  refuse(status: Refusal): void {
    if (this.#ended) return;
    this.#connection.refuse(status, performance.now());
    this.finish();
  }

  #goOn(): void {
    this.#flush();
    if (!this.#connection.full) this.#input.restart();
    else this.#input.pauseIfFull();
    if (!this.#ended) this.#alarm.set(this.#connection.deadline);
  }

  /** There is room again: takes the rest of the last chunk, then reads on. */
  restartInput(): void {
    this.#input.restart();
  }

  /** Nobody wants what still comes: the owner takes it and forgets it. */
  disregardInput(): void {
    this.#disregarded = true;
    if (this.#broken) this.#end({ kind: "connection", error: undefined });
    else this.#input.restart();
  }

  /** Hangs up once all output has been written, or at once if none can be any more. */
  finish(): void {
    this.#finishing = true;
    if (this.#broken) {
      this.#end({ kind: "connection", error: undefined });
      return;
    }
    this.#flush();
    this.#finishIfIdle();
  }

  /**
   * Ends the connection now; the owner is not told.
   * @returns The messages that never reached the wire.
   */
  close(): Parts[] {
    if (this.#ended) return [];
    const unwritten = this.#shut();
    this.#stream.destroy();
    return unwritten;
  }

  /** The owner learns of messages only now: it may ask for more at once. */
  #fed(): void {
    this.#owner.received();
    if (this.#ended) return;
    if (this.#connection.hasOutput) this.#scheduleFlush();
    this.#alarm.set(this.#connection.deadline);
  }

  #batchIsFull(): boolean {
    return this.#connection.outputSize >= BATCH_SIZE;
  }

  /**
   * There is something to write. What fills a batch is written at once: so whoever is told that there
   * is no room ({@link full}) knows that a write is under way, whose end will tell of room again.
   * @returns Whether a batch has been written whole.
   */
  #encoded(): boolean {
    if (!this.#batchIsFull() || this.#output.busy) {
      this.#scheduleFlush();
      return false;
    }
    this.#flush();
    return !this.#output.busy && !this.#ended && !this.#batchIsFull();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#output.busy) return;
    this.#flushScheduled = true;
    process.nextTick(flushEngine, this);
  }

  /** Not for callers: the end of the turn. */
  flushScheduled(): void {
    this.#flushScheduled = false;
    this.#flush();
  }

  #flush(): void {
    if (this.#output.busy || this.#ended || !this.#connection.hasOutput) return;
    // A dead stream takes everything and writes nothing; what is encoded shall not be lost with it.
    if (!this.#stream.writable) return;
    const batch = this.#take();
    if (batch !== undefined && this.#output.write(batch)) this.#connection.release(batch);
  }

  /** What cannot be written as it was announced is lost, and costs the connection. */
  #take(): Batch | undefined {
    try {
      const batch = this.#connection.take();
      checkWhole(batch);
      return batch;
    } catch (error) {
      this.#end({ kind: "connection", error: whyUnwritable(error) });
      return undefined;
    }
  }

  /** A batch that took its time is written. */
  #written(batch: Batch): void {
    this.#connection.release(batch);
    if (this.#ended) return;
    // The next batch may be full: only once it is on its way is there room for more.
    this.#flush();
    this.#owner.restartOutput();
    if (this.#finishing) this.#finishIfIdle();
  }

  /**
   * The peer has gone, and perhaps written something before: it is read to its end, and only then
   * has the connection ended, as with libzmq. Where nothing is read now, or cannot be, or is wanted,
   * the stream's error ends it at once: else it could hang there for as long as nobody receives.
   */
  #writeFailed(): void {
    if (this.#ended || this.#broken || this.#disregarded) return;
    const stream = this.#input.readOn();
    if (stream === undefined) return;
    this.#broken = true;
    this.#stream = stream;
    this.#watch();
    stream.unref();
  }

  #finishIfIdle(): void {
    if (this.#output.busy || this.#ended || this.#connection.hasOutput) return;
    this.#shut();
    const stream = this.#stream;
    stream.end();
    stream.resume();
    const timer = setTimeout(() => stream.destroy(), GOODBYE_MS);
    timer.unref();
    stream.once("close", () => clearTimeout(timer));
    stream.once("end", () => stream.destroy());
    this.#owner.ended({ kind: "connection", error: undefined }, []);
  }

  #tick(): void {
    try {
      this.#connection.tick(performance.now());
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#flush();
    this.#alarm.set(this.#connection.deadline);
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#end({ kind: error.isTimeout ? "timeout" : "protocol", error });
  }

  #end(reason: EndReason): void {
    if (this.#ended) return;
    this.#input.decodeRest();
    const unwritten = this.#shut();
    this.#stream.destroy();
    this.#owner.ended(reason, unwritten);
  }

  #shut(): Parts[] {
    this.#ended = true;
    this.#input.close();
    this.#alarm.cancel();
    this.#output.close();
    return this.#connection.close(this.#output.refused) as Parts[];
  }
}

/**
 * Sees that nobody has taken the memory of a large part away: what comes behind it would be read in its place.
 * @throws RangeError.
 */
function checkWhole({ chunks, size }: Batch): void {
  let there = 0;
  for (const chunk of chunks) there += chunk.length;
  if (there !== size) throw new RangeError(DETACHED);
}

/** That a part has no memory any more, JavaScript calls a wrong type. */
function whyUnwritable(error: unknown): Error {
  return error instanceof TypeError ? new RangeError(DETACHED, { cause: error }) : (error as Error);
}

function flushEngine(engine: Engine): void {
  engine.flushScheduled();
}
