import type { Bounds } from "./lane.js";
import type { Pipe } from "./pipe.js";

/** How much waits. */
export interface Depth {
  messages: number;
  bytes: number;
}

/** What waits to be read from many pipes, together. */
export function depthOf(pipes: Iterable<Pipe>): Depth {
  const depth = { messages: 0, bytes: 0 };
  for (const pipe of pipes) {
    depth.messages += pipe.length;
    depth.bytes += pipe.bytes;
  }
  return depth;
}

/** What was written to many pipes and waits at their other ends, together. */
export function outDepthOf(pipes: Iterable<Pipe>): Depth {
  const depth = { messages: 0, bytes: 0 };
  for (const pipe of pipes) {
    depth.messages += pipe.outLength;
    depth.bytes += pipe.outBytes;
  }
  return depth;
}

/** Whether less waits than `bounds` allow. */
export function isBelow(depth: Depth, bounds: Bounds): boolean {
  return (
    (bounds.messages === 0 || depth.messages < bounds.messages) &&
    (bounds.bytes === 0 || depth.bytes < bounds.bytes)
  );
}
