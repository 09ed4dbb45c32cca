import { Random } from "./random.js";

/** Something to be fuzzed. An input says everything: what is fed, how it is cut, what time it is. */
export interface Target {
  readonly name: string;
  /** Every state and error code that inputs can lead to. */
  readonly states: readonly string[];
  /** Makes an input that means something. */
  generate(random: Random): Uint8Array;
  /**
   * Runs an input.
   * @param reach Is told of each state and error code on the way.
   * @throws Error when the invariant does not hold.
   */
  execute(input: Uint8Array, reach: (state: string) => void): void;
}

/** What an input begins with: four octets that decide by chance, one that decides by itself. */
const HEAD_SIZE = 5;

export interface Opened {
  random: Random;
  mode: number;
  octets: Uint8Array;
}

/** Puts an input together. */
export function seal(random: Random, mode: number, pieces: readonly Uint8Array[]): Uint8Array {
  let size = HEAD_SIZE;
  for (const piece of pieces) size += piece.length;
  const input = new Uint8Array(size);
  const seed = random.next();
  input.set([seed, seed >>> 8, seed >>> 16, seed >>> 24, mode]);
  let at = HEAD_SIZE;
  for (const piece of pieces) {
    input.set(piece, at);
    at += piece.length;
  }
  return input;
}

/** Takes an input apart; what is missing is zero. */
export function open(input: Uint8Array): Opened {
  let seed = 0;
  for (let i = 0; i < HEAD_SIZE - 1; i++) seed |= (input[i] ?? 0) << (8 * i);
  const octets = input.subarray(Math.min(HEAD_SIZE, input.length));
  return { random: new Random(seed), mode: input[HEAD_SIZE - 1] ?? 0, octets };
}

/** Fails when two things that must be alike are not. */
export function same(what: string, one: unknown, other: unknown): void {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  if (a !== b) throw new Error(`${what}: ${a} is not ${b}`);
}

export function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(what);
}

/** A message or a command in a few characters. */
export function digest(kind: string, parts: readonly ArrayLike<number>[]): string {
  let text = kind;
  for (const part of parts) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ (part[i] as number), 0x01000193);
    text += ` ${part.length}:${(hash >>> 0).toString(36)}`;
  }
  return text;
}
