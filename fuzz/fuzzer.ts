import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mutate } from "./mutate.js";
import { Random } from "./random.js";
import { seal, type Target } from "./target.js";

const CORPUS = join(import.meta.dirname, "corpus");

/** Longer inputs would take the time of many. */
const FED_MAX = 4096;

/** Runs one target on one input after the other: made up, or changed from those that led to something new. */
export class Fuzzer {
  readonly target: Target;
  readonly reached: Set<string> = new Set();
  /** Inputs that reached something first; the corpus to begin with. */
  readonly pool: Uint8Array[] = [];
  executions = 0;
  readonly #random: Random;

  constructor(target: Target, seed: number) {
    this.target = target;
    this.#random = new Random(seed);
    for (const input of corpusOf(target)) {
      this.run(input);
      if (!this.pool.includes(input)) this.pool.push(input);
    }
  }

  /** States and codes that were not reached. */
  get missing(): string[] {
    return this.target.states.filter((state) => !this.reached.has(state));
  }

  /** Runs the next input. */
  step(): void {
    this.run(this.#next());
  }

  /**
   * Runs octets that come from elsewhere, in every mode; what is short is changed further, too.
   * @throws Finding when the invariant does not hold.
   */
  feed(octets: Uint8Array): void {
    for (let mode = 0; mode < 256; mode++) this.run(seal(this.#random, mode, [octets]));
    if (octets.length < FED_MAX) this.pool.push(seal(this.#random, 0, [octets]));
  }

  /** @throws Finding when the invariant does not hold. */
  run(input: Uint8Array): void {
    this.executions++;
    const before = this.reached.size;
    try {
      this.target.execute(input, (state) => this.reached.add(state));
    } catch (error) {
      throw new Finding(this.target, input, error);
    }
    if (this.reached.size > before) this.pool.push(input);
  }

  #next(): Uint8Array {
    const random = this.#random;
    const kind = random.below(4);
    if (kind < 2 || this.pool.length === 0) return this.target.generate(random);
    const base = kind === 2 ? random.pick(this.pool) : this.target.generate(random);
    return mutate(base, random.pick(this.pool), random);
  }
}

/** An input that breaks a target's invariant. */
export class Finding extends Error {
  readonly target: Target;
  readonly input: Uint8Array;

  constructor(target: Target, input: Uint8Array, cause: unknown) {
    super(`${target.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.target = target;
    this.input = input;
  }

  /** The input, without what does not matter to it. */
  shrunk(): Uint8Array {
    let input = this.input;
    for (let size = input.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at + size <= input.length; ) {
        const less = new Uint8Array(input.length - size);
        less.set(input.subarray(0, at));
        less.set(input.subarray(at + size), at);
        if (this.#breaks(less)) input = less;
        else at += size;
      }
    }
    return input;
  }

  #breaks(input: Uint8Array): boolean {
    try {
      this.target.execute(input, () => {});
      return false;
    } catch {
      return true;
    }
  }
}

/** The committed inputs of a target. */
export function corpusOf(target: Target): Uint8Array[] {
  const folder = corpusFolder(target);
  let files: string[];
  try {
    files = readdirSync(folder).sort();
  } catch {
    return [];
  }
  return files.map((file) => new Uint8Array(readFileSync(join(folder, file))));
}

export function corpusFolder(target: Target): string {
  return join(CORPUS, target.name);
}
