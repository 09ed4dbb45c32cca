/** The steps that a message takes through purezmq, each by itself: nanoseconds a message, by its size. */
import { Buffer } from "node:buffer";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";
import { fulfilled } from "../../src/socket/reader.js";
import { SegmentMemory } from "../../src/transport/memory.js";
import { slabs } from "../../src/transport/slabs.js";
import { Decoder, Encoder } from "../../src/zmtp/index.js";

const batch = 600;
const batches = 2_000;
const SETTLED = Promise.resolve();

export interface Steps {
  encode: number;
  awaitSettled: number;
  decode: number;
  pipe: number;
  awaitMessage: number;
}

export async function measureSteps(size: number): Promise<Steps> {
  const body = Buffer.alloc(size, "m");
  return {
    encode: await nanos(encoding(body)),
    awaitSettled: await nanos(awaitingSettled),
    decode: await nanos(decoding(body)),
    pipe: await nanos(piping(body)),
    awaitMessage: await nanos(awaitingMessages(body)),
  };
}

/** Each step does a batch at a time, as the library does. */
async function nanos(step: () => void | Promise<void>): Promise<number> {
  for (let i = 0; i < batches / 4; i++) await step();
  const start = process.hrtime.bigint();
  for (let i = 0; i < batches; i++) await step();
  return Number(process.hrtime.bigint() - start) / (batches * batch);
}

/** Its header and its octets, into a slab. */
function encoding(body: Buffer): () => void {
  const encoder = new Encoder(slabs);
  return () => {
    for (let i = 0; i < batch; i++) encoder.message([body]);
    encoder.release(encoder.take());
  };
}

async function awaitingSettled(): Promise<void> {
  for (let i = 0; i < batch; i++) await SETTLED;
}

/** Out of what was read: judged, and copied to a part of its own. */
function decoding(body: Buffer): () => void {
  const encoder = new Encoder(slabs);
  for (let i = 0; i < batch; i++) encoder.message([body]);
  const octets = Buffer.concat(encoder.take().chunks);
  const decoder = new Decoder(
    { message: () => true, command: () => true },
    { memory: new SegmentMemory() },
  );
  return () => {
    decoder.decode(octets, 0, octets.length);
  };
}

/** A batch into a pipe, each with a look whether there is room, and out again. */
function piping(body: Buffer): () => void {
  const marks = { messages: 2_000, bytes: 0 };
  const [one, other] = Pipe.pair(marks, marks);
  const sink: PipeSink = { readActivated() {}, writeActivated() {}, pipeEnded() {} };
  one.attach(sink);
  other.attach(sink);
  const parts = [body];
  return () => {
    for (let i = 0; i < batch; i++) if (one.checkWrite()) one.write(parts);
    one.flush();
    while (other.read() !== undefined) {}
  };
}

function awaitingMessages(body: Buffer): () => Promise<void> {
  const parts = [body];
  return async () => {
    for (let i = 0; i < batch; i++) await fulfilled(parts);
  };
}
