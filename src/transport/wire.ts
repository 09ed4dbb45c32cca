import type { Batch, Connection } from "../zmtp/index.js";

/**
 * What an engine drives: octets and the time go in, calls come out. A ZMTP {@link Connection}, or
 * whatever else behaves as one does.
 */
export type Wire = Pick<
  Connection,
  | ("full" | "outputSize" | "hasOutput" | "deadline")
  | ("receive" | "room" | "filled" | "authenticated" | "refuse" | "admit" | "send" | "subscribe")
  | ("take" | "release" | "pause" | "resume" | "tick")
> & {
  /** The wire is there. */
  start?(): void;
  close(refused?: Batch): Uint8Array[][];
};
