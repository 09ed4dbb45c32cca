/** Numbered messages: `from` up to and without `from + count`. */
export interface Batch {
  from?: number;
  count: number;
  /** Sizes of the parts; message n has the shape `shapes[n % shapes.length]`. */
  shapes: readonly (readonly number[])[];
}

/** What arrived, in short. */
export interface Summary {
  count: number;
  parts: number;
  bytes: number;
  /** Over number, sizes and content of all parts, in order. */
  digest: string;
  /** The number each message carries in its first part, or null where that is too small for one. */
  sequence: (number | null)[];
}

export class Tally {
  add(parts: readonly Uint8Array[]): void;
  get count(): number;
  get last(): number | null;
  get summary(): Summary;
}

export function buildMessage(n: number, sizes: readonly number[]): Buffer[];

export function messages(batch: Batch): Generator<Buffer[]>;

/** What whoever receives the whole batches should have. */
export function expected(...batches: Batch[]): Summary;
