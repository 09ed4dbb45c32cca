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
  /** Runs of numbers that were passed over. */
  gaps: number;
  missed: number;
  /** Messages that came twice, too late, or changed. */
  wrong: number;
}

/** Keeps an account of each client. */
export class Ledger {
  readonly accounts = new Map<number, Account>();

  add({ client, n, whole }: Numbered): void {
    let account = this.accounts.get(client);
    if (account === undefined) {
      account = { count: 0, last: 0, gaps: 0, missed: 0, wrong: 0 };
      this.accounts.set(client, account);
    }
    account.count++;
    if (!whole || n <= account.last) account.wrong++;
    if (n > account.last + 1) {
      account.gaps++;
      account.missed += n - account.last - 1;
    }
    account.last = Math.max(account.last, n);
  }
}
