/** Numbered messages, and who checks that they come whole, in order and once. */
import { Buffer } from "node:buffer";

const HEADER = 8;

/** Message `n` of a client: its header, and a body that can be checked. */
export function build(client: number, n: number, size: number): Buffer[] {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(client, 0);
  header.writeUInt32BE(n, 4);
  return [header, Buffer.alloc(size, n & 0xff)];
}

export interface Numbered {
  client: number;
  n: number;
  /** Whether it is as {@link build} made it. */
  whole: boolean;
}

/** @returns undefined for what no client of ours sent. */
export function read(parts: readonly Uint8Array[]): Numbered | undefined {
  const [first, body] = parts;
  if (first?.length !== HEADER || body === undefined) return undefined;
  const header = Buffer.from(first.buffer, first.byteOffset, HEADER);
  const n = header.readUInt32BE(4);
  const whole = parts.length === 2 && body.every((octet) => octet === (n & 0xff));
  return { client: header.readUInt32BE(0), n, whole };
}

/** What came of one client. */
export interface Account {
  count: number;
  last: number;
  /** Runs of numbers that did not come. */
  holes: [from: number, to: number][];
  /**
   * Messages that came behind later ones. What a peer left of one connection is received in turn with what
   * it sends on the next, so that a cut may have this effect; nothing else may.
   */
  late: number;
  /** Messages that came twice, or changed. */
  wrong: number;
}

/** Keeps an account of each client. */
export class Ledger {
  readonly accounts = new Map<number, Account>();

  add({ client, n, whole }: Numbered): void {
    let account = this.accounts.get(client);
    if (account === undefined) {
      account = { count: 0, last: 0, holes: [], late: 0, wrong: 0 };
      this.accounts.set(client, account);
    }
    account.count++;
    if (!whole) account.wrong++;
    if (n <= account.last) {
      if (fill(account.holes, n)) account.late++;
      else account.wrong++;
      return;
    }
    if (n > account.last + 1) account.holes.push([account.last + 1, n - 1]);
    account.last = n;
  }
}

/** How many numbers did not come. */
export function missing({ holes }: Account): number {
  return holes.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** @returns Whether there was a hole that the number belongs to. */
function fill(holes: [from: number, to: number][], n: number): boolean {
  const at = holes.findIndex(([from, to]) => from <= n && n <= to);
  const hole = holes[at];
  if (hole === undefined) return false;
  const [from, to] = hole;
  const rest: [number, number][] = [];
  if (from < n) rest.push([from, n - 1]);
  if (n < to) rest.push([n + 1, to]);
  holes.splice(at, 1, ...rest);
  return true;
}
