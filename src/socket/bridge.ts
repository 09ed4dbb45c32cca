import { Buffer } from "node:buffer";
import type { MessagePort } from "node:worker_threads";
import type { Parts } from "../message.js";
import { type Parcel, pack, Unpacker } from "./parcel.js";
import type { Pipe, PipeSink } from "./pipe.js";

/** What the two ends of a bridge say to each other. */
type Note =
  | { is: "open"; routingId: Uint8Array }
  | { is: "messages"; parcel: Parcel; count: number }
  | { is: "room"; messages: number }
  | { is: "subscription"; topic: Uint8Array; subscribe: boolean }
  | { is: "bye" };

/** Messages and bytes that are packed up together, at the most. */
const PARCEL_MESSAGES = 256;
const PARCEL_BYTES = 64 * 1024;

/** What happens to a bridge, for who has built it. */
export interface BridgeOwner {
  /** The socket in the other thread has a place for ours; it calls itself so. For who has not opened it. */
  bridgeOpened?(routingId: Buffer): void;
  /** The other socket, or its thread, is gone; or the bridge was never opened there. */
  bridgeClosed(): void;
}

/**
 * A pipe from thread to thread: each end holds the end of a pipe whose other end a socket of its
 * thread holds, and a port to the other one.
 *
 * An end sends what the other has said it has room for, no more: as many messages as the pipe there
 * may hold. So both pipes together are what one between sockets of one thread is. When the socket
 * goes, all that it has sent follows at once, and then a farewell: whoever reads that closes the port, for
 * a port that is closed by its writer may take along what has not been read.
 */
export class Bridge implements PipeSink {
  readonly #port: MessagePort;
  readonly #pipe: Pipe;
  readonly #owner: BridgeOwner;
  readonly #unpacker = new Unpacker();
  #open = false;
  #closed = false;
  /** How many more messages the other end has room for. */
  #room = 0;
  /** How many more it has been told that we have room for. */
  #promised = 0;
  #pumping = false;

  constructor(port: MessagePort, pipe: Pipe, owner: BridgeOwner) {
    this.#port = port;
    this.#pipe = pipe;
    this.#owner = owner;
    pipe.attach(this);
    port.on("message", (note: Note) => this.#received(note));
    port.on("close", () => this.#gone());
    port.unref();
  }

  /** There is a place for the other end here: lets it know, and what our socket calls itself. */
  open(ours: Buffer, theirs: Buffer): void {
    this.#say({ is: "open", routingId: Uint8Array.from(ours) });
    this.#opened(theirs);
  }

  /** Gives up; what was not sent stays in the pipe. The owner is not told. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.close();
  }

  /** Our socket has sent something: what it sends in one go, goes in one go. */
  readActivated(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    process.nextTick(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  writeActivated(): void {
    this.#promise();
  }

  pipeEnded(): void {
    if (!this.#open) return;
    this.#room = Number.POSITIVE_INFINITY;
    this.#pump();
    this.#say({ is: "bye" });
    this.#pipe.close();
  }

  peerSubscribed(_pipe: Pipe, topic: Uint8Array, subscribe: boolean): void {
    this.#say({ is: "subscription", topic: Uint8Array.from(topic), subscribe });
  }

  #received(note: Note): void {
    switch (note.is) {
      case "open":
        this.#owner.bridgeOpened?.(Buffer.from(note.routingId));
        this.#opened(Buffer.from(note.routingId));
        break;
      case "room":
        this.#room += note.messages;
        this.#pump();
        break;
      case "messages":
        this.#promised -= note.count;
        this.#deliver(note.parcel);
        break;
      case "subscription":
        this.#pipe.subscribe(note.topic, note.subscribe);
        break;
      case "bye":
        this.close();
        this.#owner.bridgeClosed();
        this.#pipe.close();
        break;
    }
  }

  #opened(routingId: Buffer): void {
    this.#open = true;
    this.#promise();
    this.#pipe.connected(routingId);
    if (this.#pipe.ended) this.pipeEnded();
  }

  #deliver(parcel: Parcel): void {
    const pipe = this.#pipe;
    if (pipe.over) return;
    this.#unpacker.unpack(parcel, (parts) => pipe.write(parts));
    pipe.flush();
    this.#promise();
  }

  /** Tells the other end of the room that there is, unless it has enough to go on with. */
  #promise(): void {
    const pipe = this.#pipe;
    // If there is no room, writeActivated will tell.
    if (!this.#open || pipe.over || !pipe.checkWrite()) return;
    const limit = capacityOf(pipe);
    const taken = limit === 1 ? 0 : pipe.outLength;
    const more = limit - this.#promised - taken;
    if (more <= 0 || (this.#promised > 0 && more * 2 < limit)) return;
    this.#promised += more;
    this.#say({ is: "room", messages: more });
  }

  #pump(): void {
    while (this.#open && !this.#closed && this.#room > 0) {
      const messages = this.#take();
      if (messages.length === 0) return;
      this.#room -= messages.length;
      const { parcel, transfer } = pack(messages);
      this.#port.postMessage({ is: "messages", parcel, count: messages.length }, transfer);
    }
  }

  #take(): Parts[] {
    const pipe = this.#pipe;
    const most = Math.min(this.#room, PARCEL_MESSAGES);
    const messages: Parts[] = [];
    const before = pipe.bytes;
    while (messages.length < most && before - pipe.bytes < PARCEL_BYTES) {
      const parts = pipe.read();
      if (parts === undefined) break;
      messages.push(parts);
    }
    // They have their places in the other thread now, and none here.
    pipe.acknowledge();
    return messages;
  }

  #say(note: Note): void {
    if (!this.#closed) this.#port.postMessage(note);
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.bridgeClosed();
    if (this.#open) this.#pipe.close();
  }
}

/**
 * How many messages a pipe takes that are on their way or wait in it. Where bytes are bounded it is
 * one at a time, for nobody knows how large they will be.
 */
function capacityOf({ marks, pooled }: Pipe): number {
  if (marks.bytes > 0 || pooled) return 1;
  return marks.messages === 0 ? Number.POSITIVE_INFINITY : marks.messages;
}
