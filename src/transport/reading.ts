import { Buffer } from "node:buffer";
import { type OnReadOpts, Socket as Stream } from "node:net";

/** Where a stream's octets go. */
export interface Sink {
  /**
   * Takes octets; they are overwritten after it returns.
   * @returns Where to read the next ones to, if it knows a better place: see {@link filled}.
   */
  data(bytes: Uint8Array): Uint8Array | undefined;
  /** Takes the first `count` octets of the place that it named last; returns as {@link data}. */
  filled(count: number): Uint8Array | undefined;
}

/** What one read takes at the most, unless a sink names a larger place. */
export const READ_SIZE: number = 64 * 1024;

/**
 * Node gives each read a buffer of 64 KB of its own, most of it for nothing: we copy messages out
 * at once. Where it allows, all streams of the thread read into one buffer instead. Windows may
 * read ahead of us, and other runtimes have no such option: they keep Node's way.
 */
const shareable: boolean =
  process.platform !== "win32" &&
  process.versions["bun"] === undefined &&
  process.versions["deno"] === undefined;

const buffer: Buffer = shareable ? Buffer.allocUnsafeSlow(READ_SIZE) : Buffer.alloc(0);

const sinks = new WeakMap<Stream, Sink>();

/**
 * Node asks for the place of the next read right after each, without saying for which stream. It
 * asks for a new stream's first one too: so a place is given away once, never to another stream.
 */
let next: Uint8Array = buffer;

/** To be given to `net.connect`, or undefined. */
export const onread: OnReadOpts | undefined = shareable
  ? {
      buffer: () => {
        const place = next;
        next = buffer;
        return place;
      },
      callback(this: Stream, size: number, bytes: Uint8Array): boolean {
        next = buffer;
        const sink = sinks.get(this);
        if (sink === undefined) return true;
        const own = bytes !== buffer;
        next = (own ? sink.filled(size) : sink.data(bytes.subarray(0, size))) ?? buffer;
        return true;
      },
    }
  : undefined;

/** Delivers what is read from `stream`, which {@link onread} was given to or {@link adopt} made. */
export function deliver(stream: Stream, sink: Sink): void {
  if (onread === undefined) stream.on("data", (bytes: Uint8Array) => sink.data(bytes));
  else sinks.set(stream, sink);
}

/**
 * Makes an accepted stream read as those that we connect do. `net.Server` has no option for it, so
 * the handle moves to a stream that was made with it. The server must pause what it accepts.
 * @returns The stream to use; undefined when the peer is gone already.
 */
export function adopt(accepted: Stream): Stream | undefined {
  if (onread === undefined) return accepted;
  const stream = takeOver(accepted, {});
  accepted.destroy();
  return stream;
}

/**
 * Goes on reading from a stream that cannot be written any more: Node is about to destroy it, with
 * all that its peer wrote before it went.
 * @returns The stream to use; undefined where Node cannot be kept from it.
 */
export function readOn(failed: Stream): Stream | undefined {
  const sink = sinks.get(failed);
  if (sink === undefined) return undefined;
  const stream = takeOver(failed, { writable: false });
  if (stream === undefined) return undefined;
  failed.removeAllListeners();
  failed.on("error", () => {});
  deliver(stream, sink);
  return stream;
}

/** Moves the handle of `from` to a stream of ours. */
function takeOver(from: Stream, options: { writable?: false }): Stream | undefined {
  const owner = from as { _handle?: object | null };
  const handle = owner._handle;
  if (!handle) return undefined;
  owner._handle = null;
  next = buffer;
  return new Stream({ ...options, handle, onread } as ConstructorParameters<typeof Stream>[0]);
}
