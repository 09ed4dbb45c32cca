/** Parts of the hot path, each against its naive version, doing the same. */
import { Buffer } from "node:buffer";
import { Queue } from "../../src/socket/queue.js";
import { Trie } from "../../src/socket/trie.js";
import { SegmentMemory } from "../../src/transport/memory.js";
import { slabs } from "../../src/transport/slabs.js";
import { type Batch, Decoder, Encoder } from "../../src/zmtp/index.js";
import { NaiveDecoder, NaiveQueue, NaiveTopics, naiveEncode } from "./naive.js";

export interface Duel {
  title: string;
  /** Operations in one call of either side. */
  operations: number;
  ours: () => void;
  naive: () => void;
  /** What each side makes of the same: to be compared before anything is timed. */
  results: () => [ours: unknown, naive: unknown];
}

const READ = 64 * 1024;
const seed = 12_345;

export function duels(): Duel[] {
  return [
    ...[10, 100, 1_024].flatMap((size) => [decoding(size, 1), encoding(size, 1)]),
    decoding(25, 4),
    encoding(25, 4),
    ...[10, 1_000, 100_000].map(queueing),
    ...[1, 100, 10_000].map(matching),
  ];
}

/** One read of 64 KB, cut as the system would cut it: in the midst of a frame. */
function decoding(size: number, frames: number): Duel {
  const messages = messagesOf(size, frames, READ);
  const octets = Buffer.concat(messages.map(naiveEncode));
  const middle = (octets.length >> 1) + 1;
  const pieces = [octets.subarray(0, middle), octets.subarray(middle)];
  let take = (_parts: Uint8Array[]): void => {};
  const message = (parts: Uint8Array[]): boolean => {
    take(parts);
    return true;
  };
  const sink = { message, command: () => true };
  const decoder = new Decoder(sink, { memory: new SegmentMemory() });
  const naiveDecoder = new NaiveDecoder();
  const ours = (): void => {
    for (const piece of pieces) decoder.decode(piece, 0, piece.length);
  };
  const naive = (): void => {
    for (const piece of pieces) naiveDecoder.decode(piece, message);
  };
  const all = (decode: () => void): Uint8Array[][] => {
    const taken: Uint8Array[][] = [];
    take = (parts) => taken.push(parts);
    decode();
    take = () => {};
    return taken;
  };
  return {
    title: `decode ${nameOf(size, frames)}`,
    operations: messages.length,
    ours,
    naive,
    results: () => [all(ours), all(naive)],
  };
}

/** As many messages as a batch has, to octets that can be written. */
function encoding(size: number, frames: number): Duel {
  const messages = messagesOf(size, frames, READ - 1_024);
  const encoder = new Encoder(slabs);
  const encode = (): Batch => {
    for (const parts of messages) encoder.message(parts);
    return encoder.take();
  };
  const naive = (): Buffer[] => messages.map(naiveEncode);
  return {
    title: `encode ${nameOf(size, frames)}`,
    operations: messages.length,
    ours: () => encoder.release(encode()),
    naive,
    results: () => [Buffer.concat(encode().chunks), Buffer.concat(naive())],
  };
}

/** Filled to a depth, then one in, one out. */
function queueing(depth: number): Duel {
  const operations = 1_000;
  const [ours, naive] = [new Queue<number>(), new NaiveQueue<number>()];
  for (let i = 0; i < depth; i++) {
    ours.push(i);
    naive.push(i);
  }
  const turn = (queue: Queue<number> | NaiveQueue<number>) => (): number => {
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      queue.push(i);
      sum += queue.shift() as number;
    }
    return sum;
  };
  return {
    title: `queue, ${depth.toLocaleString("en-US")} deep`,
    operations,
    ours: turn(ours),
    naive: turn(naive),
    results: () => [turn(ours)(), turn(naive)()],
  };
}

/** Messages of which one in two begins with one of the topics. */
function matching(count: number): Duel {
  const operations = 100;
  const topics = Array.from({ length: count }, (_, i) => `topic/${i.toString(36)}/`);
  const [trie, list] = [new Trie<true>(), new NaiveTopics()];
  for (const topic of topics) {
    trie.set(topic, true);
    list.set(topic);
  }
  const random = generator();
  const messages = Array.from({ length: operations }, (_, i) => {
    const topic = topics[random() % count] as string;
    return Buffer.from(i % 2 === 0 ? `${topic}tail` : `none/${topic}`);
  });
  const turn = (matches: (octets: Uint8Array) => boolean) => (): Buffer[] =>
    messages.filter(matches);
  const [ours, naive] = [turn((it) => trie.matches(it)), turn((it) => list.matches(it))];
  return {
    title: `match, ${count.toLocaleString("en-US")} ${count === 1 ? "topic" : "topics"}`,
    operations,
    ours,
    naive,
    results: () => [ours(), naive()],
  };
}

function messagesOf(size: number, frames: number, bytes: number): Buffer[][] {
  const random = generator();
  const count = Math.floor(bytes / ((size + 9) * frames));
  return Array.from({ length: count }, () =>
    Array.from({ length: frames }, () =>
      Buffer.from(Array.from({ length: size }, () => random() & 0xff)),
    ),
  );
}

function nameOf(size: number, frames: number): string {
  return frames === 1 ? `${size} B` : `${frames} x ${size} B`;
}

/** The same numbers each time. */
function generator(): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
}
