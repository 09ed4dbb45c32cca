import type { Socket as Stream } from "node:net";
import { shared } from "../shared.js";

/** How Node names what a connect, a look-up, a write and a shutdown ask of the system. */
const KIND = /(?:Connect|Write|Shutdown)Wrap$|^GetAddrInfoReqWrap$/;

/** It ends by itself in the turn that it is listed in. */
const TRANSIENT = "CloseReq";

/** What `process` tells of its event loop; not every runtime has it. */
interface Loop {
  getActiveResourcesInfo?: () => string[];
  _getActiveHandles?: () => object[];
}

interface Handle {
  fd?: number;
  writableLength?: number;
  _handle?: { reading?: boolean } | null;
}

/**
 * What we have asked for and wait for: connections, look-ups of names, writes, and turns of the event
 * loop for what is to be written.
 *
 * Unlike a socket or a timer they cannot be unref'd (a turn that is may never come). What nobody answers,
 * a host that drops our packets, a peer that never reads, would keep a process alive that has nothing to
 * do. So they are counted, and `Lifetime` gives them up when nothing else is left.
 */
export class Requests {
  readonly #loop: Loop;
  readonly #streams = new Set<Stream>();
  #lookups = 0;
  #turns = 0;
  #settled = 0;
  #watch: () => void = () => {};

  /** Whether new connections, and queues, shall wait: the process is about to end. */
  suspended = false;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Whether this runtime can tell what keeps its event loop alive. */
  get observable(): boolean {
    return this.#loop.getActiveResourcesInfo !== undefined;
  }

  /** How many there are now. */
  get size(): number {
    return this.#streams.size + this.#lookups + this.#turns;
  }

  /** Whether there are writes among them, which cannot be repeated. */
  get writing(): boolean {
    for (const { connecting } of this.#streams) if (!connecting) return true;
    return false;
  }

  /** How many have been answered so far: while it stays the same, nothing moves. */
  get settled(): number {
    return this.#settled;
  }

  /** Calls back when there is a request after there was none. */
  watch(callback: () => void): void {
    this.#watch = callback;
  }

  /** The stream has asked for a connection, or for a write. */
  begin(stream: Stream): void {
    this.#streams.add(stream);
    if (this.size === 1) this.#watch();
  }

  /** It has the answer, or has been destroyed. */
  end(stream: Stream): void {
    if (this.#streams.delete(stream)) this.#settled++;
  }

  /** A look-up cannot be given up: it goes on even if nobody wants its answer any more. */
  beginLookup(): void {
    this.#lookups++;
    if (this.size === 1) this.#watch();
  }

  endLookup(): void {
    this.#lookups--;
    this.#settled++;
  }

  /** Asks for the next turn of the event loop, which comes after timers and I/O. */
  turn(callback: () => void): void {
    this.#turns++;
    setImmediate(() => {
      this.#turns--;
      this.#settled++;
      callback();
    });
    if (this.size === 1) this.#watch();
  }

  /** Gives up all requests that can be. Their streams end as if the wire had broken. */
  abandon(): void {
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const stream of streams) stream.destroy();
  }

  /**
   * How many other things keep the event loop alive.
   * @param ours Timers of ours that do.
   */
  others(ours: number): number {
    const listed = this.#loop.getActiveResourcesInfo?.() ?? [];
    const resources = listed.filter((it) => it !== TRANSIENT);
    const requests = resources.filter((it) => KIND.test(it)).length;
    const timers = resources.filter((it) => it === "Timeout").length;
    const turns = resources.filter((it) => it === "Immediate").length;
    return (
      resources.length -
      Math.min(requests, this.size - this.#turns) -
      Math.min(timers, ours) -
      Math.min(turns, this.#turns) -
      this.#idleStandardStreams()
    );
  }

  /** Standard streams are listed once they have been touched, whether they do anything or not. */
  #idleStandardStreams(): number {
    const handles: Handle[] = this.#loop._getActiveHandles?.() ?? [];
    return handles.filter(isIdleStandardStream).length;
  }
}

function isIdleStandardStream({ fd, writableLength, _handle }: Handle): boolean {
  if (fd === undefined || fd < 0 || fd > 2) return false;
  return (writableLength ?? 0) === 0 && _handle?.reading !== true;
}

/** Those of this thread. */
export const requests: Requests = shared("requests", () => new Requests(process as Loop));
