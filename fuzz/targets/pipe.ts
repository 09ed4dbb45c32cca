// Under any calls a pipe and its queue hold what an array would hold, in order; it is never fuller than
// its mark, and whoever was told to wait is called when the wait is over.
import { Buffer } from "node:buffer";
import type { Parts } from "../../src/message.js";
import type { Bounds } from "../../src/socket/lane.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";
import { Queue } from "../../src/socket/queue.js";
import type { Random } from "../random.js";
import { check, open, same, seal, type Target } from "../target.js";

const QUEUE = 1;
const REENTRANT = 2;

export const pipe: Target = {
  name: "pipe",
  states: [
    ...["queue: empty", "queue: several runs", "queue: taken back", "queue: cleared"],
    ...["written", "refused", "read", "nothing to read", "unread", "adopted", "marks changed"],
    ...["readActivated", "writeActivated", "pipeEnded", "passed", "overfull"],
    ...["ended", "closed", "refused after the end", "read after the end"],
  ],

  generate: (random) => {
    const calls = Uint8Array.from({ length: random.below(50) }, () => random.next());
    return seal(random, random.once(4) ? QUEUE : random.below(128) * 2, [calls]);
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    if (mode & QUEUE) queueCalls(octets, reach);
    else new PipeCalls(random, mode, reach).run(octets);
  },
};

function queueCalls(calls: Uint8Array, reach: (state: string) => void): void {
  const queue = new Queue<number>();
  const model: number[] = [];
  let next = 0;
  for (const call of calls) {
    const count = call < 192 ? call & 3 : call & 63;
    for (let i = 0; i <= count; i++) {
      switch ((call >> 2) & 7) {
        case 0:
        case 1:
        case 2:
          queue.push(next);
          model.push(next++);
          break;
        case 3:
        case 4:
          check("shift", queue.shift() === model.shift());
          break;
        case 5:
          queue.unshift(next);
          model.unshift(next++);
          reach("queue: taken back");
          break;
        case 6:
          if (count > 0) break;
          queue.clear();
          model.length = 0;
          reach("queue: cleared");
          break;
        default:
          for (let j = i; j < 100; j++) {
            queue.push(next);
            model.push(next++);
          }
      }
      check("length", queue.length === model.length);
    }
    if (model.length === 0) reach("queue: empty");
    if (model.length > 300) reach("queue: several runs");
    if (model.length > 1000) break;
  }
  while (model.length > 0) check("order", queue.shift() === model.shift());
  check("nothing more", queue.shift() === undefined);
}

/** One end as the model has it. */
interface End {
  pipe: Pipe;
  /** What waits to be read here: sizes stand for messages. */
  waiting: Parts[];
  bytes: number;
  /** Found nothing to read, or no room, and was not called since. */
  awaitsRead: boolean;
  awaitsRoom: boolean;
  ended: boolean;
  told: boolean;
  /** Read, and may be put back. */
  read: Parts[];
}

class PipeCalls implements PipeSink {
  readonly #random: Random;
  readonly #mode: number;
  readonly #reach: (state: string) => void;
  readonly #ends: [End, End];
  /** Whether both readers take what need not wait, and what they took. */
  #takes = false;
  #taken: Parts | undefined;

  constructor(random: Random, mode: number, reach: (state: string) => void) {
    this.#random = random;
    this.#mode = mode;
    this.#reach = reach;
    const [one, other] = Pipe.pair(this.#marks(), this.#marks());
    this.#ends = [this.#end(one), this.#end(other)];
    one.attach(this);
    other.attach(this);
  }

  run(calls: Uint8Array): void {
    for (const call of calls) {
      this.#call(call);
      for (const end of this.#ends) this.#check(end);
    }
    for (const end of this.#ends) this.#drain(end);
  }

  take(parts: Parts): boolean {
    if (this.#takes) this.#taken = parts;
    return this.#takes;
  }

  readActivated(pipe: Pipe): void {
    this.#reach("readActivated");
    const end = this.#endOf(pipe);
    check("only who found nothing is told of messages", end.awaitsRead);
    check("there is a message", end.waiting.length > 0);
    end.awaitsRead = false;
    if (this.#mode & REENTRANT) while (this.#random.below(4) > 0 && this.#read(end)) {}
  }

  writeActivated(pipe: Pipe): void {
    this.#reach("writeActivated");
    const end = this.#endOf(pipe);
    check("only who found no room is told of room", end.awaitsRoom && !end.ended);
    end.awaitsRoom = false;
    if (this.#mode & REENTRANT && this.#random.once(2)) this.#write(end, 1);
  }

  pipeEnded(pipe: Pipe): void {
    this.#reach("pipeEnded");
    const end = this.#endOf(pipe);
    check("the end is told once", !end.told && !end.ended && this.#otherOf(end).ended);
    end.told = true;
    if (this.#mode & REENTRANT && this.#random.once(2)) this.#finish(end, false);
  }

  #call(call: number): void {
    const end = this.#ends[call & 1] as End;
    const count = 1 + ((call >> 5) & 7);
    switch ((call >> 1) & 15) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.#write(end, count);
        break;
      case 4:
        this.#write(end, 150);
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        for (let i = 0; i < count && this.#read(end); i++) {}
        break;
      case 9:
        this.#drain(end);
        break;
      case 10:
        this.#unread(end, count);
        break;
      case 11:
        this.#takes = count > 4;
        break;
      case 12:
        this.#setMarks(end);
        break;
      case 13:
        this.#adopt(end, count);
        break;
      case 14:
        if (count === 8) this.#finish(end, false);
        break;
      default:
        if (count === 8) this.#finish(end, true);
    }
  }

  #write(end: End, count: number): void {
    const other = this.#otherOf(end);
    for (let i = 0; i < count && !end.ended; i++) {
      if (!end.pipe.checkWrite()) {
        this.#reach(other.ended ? "refused after the end" : "refused");
        end.awaitsRoom = true;
        break;
      }
      const { messages, bytes } = end.pipe.marks;
      check("never fuller than the mark", messages === 0 || other.waiting.length < messages);
      check("never fuller than the byte mark", bytes === 0 || other.bytes < bytes);
      const parts = this.#message();
      if (end.pipe.pass(parts)) {
        this.#reach("passed");
        check("what is passed on was taken", this.#taken === parts);
        check("what is passed on passes nothing that waits", other.waiting.length === 0);
        continue;
      }
      end.pipe.write(parts);
      other.waiting.push(parts);
      other.bytes += sizeOf(parts);
      this.#reach("written");
    }
    end.pipe.flush();
  }

  #read(end: End): boolean {
    const parts = end.waiting.shift();
    if (parts === undefined) end.awaitsRead = true;
    else {
      end.read.push(parts);
      end.bytes -= sizeOf(parts);
    }
    check("what was written is read, in order", end.pipe.read() === parts);
    this.#reach(parts === undefined ? "nothing to read" : "read");
    if (parts !== undefined && this.#otherOf(end).ended) this.#reach("read after the end");
    return parts !== undefined;
  }

  #drain(end: End): void {
    while (this.#read(end)) {}
    const other = this.#otherOf(end);
    if (end.ended || other.ended) return;
    check("who waits for room is told, at the latest when all is read", !other.awaitsRoom);
    check("an empty pipe takes a message", other.pipe.checkWrite());
  }

  #unread(end: End, count: number): void {
    const back = end.read.splice(Math.max(0, end.read.length - count));
    if (back.length === 0) return;
    end.pipe.unread(back);
    end.waiting.unshift(...back);
    for (const parts of back) end.bytes += sizeOf(parts);
    this.#reach("unread");
    // As an owner does: what it put back, others may read.
    this.#otherOf(end).pipe.flush();
  }

  #setMarks(end: End): void {
    const other = this.#otherOf(end);
    const [out, back] = [this.#marks(), this.#marks()];
    end.pipe.setMarks(out, back);
    same("marks", [end.pipe.marks, other.pipe.marks], [out, back]);
    this.#reach("marks changed");
  }

  /** Takes over what a departed pipe left. */
  #adopt(end: End, count: number): void {
    const unbound = { messages: 0, bytes: 0 };
    const [departed, gone] = Pipe.pair(unbound, unbound);
    const left = Array.from({ length: count }, () => this.#message());
    for (const parts of left) gone.write(parts);
    end.pipe.adopt(departed);
    check("an adopted pipe is empty", departed.length === 0 && departed.bytes === 0);
    end.waiting.unshift(...left);
    for (const parts of left) end.bytes += sizeOf(parts);
    this.#reach("adopted");
    this.#otherOf(end).pipe.flush();
  }

  #finish(end: End, closes: boolean): void {
    end.ended = true;
    if (closes) {
      end.pipe.close();
      end.waiting = [];
      end.bytes = 0;
    } else {
      end.pipe.end();
    }
    this.#reach(closes ? "closed" : "ended");
  }

  #check(end: End): void {
    const { pipe, waiting } = end;
    const other = this.#otherOf(end);
    const { bytes } = end;
    check("length", pipe.length === waiting.length && pipe.bytes === bytes);
    check("out", other.pipe.outLength === waiting.length && other.pipe.outBytes === bytes);
    check("ended", pipe.ended === other.ended);
    const marks = other.pipe.marks;
    const over =
      (marks.messages > 0 && waiting.length > marks.messages) ||
      (marks.bytes > 0 && bytes > marks.bytes);
    check("overfull", other.pipe.overfull === over);
    if (over) this.#reach("overfull");
    if (waiting.length > 0 && !end.ended && !other.ended) {
      check("who found nothing is told of what was flushed", !end.awaitsRead);
    }
  }

  #marks(): Bounds {
    const random = this.#random;
    return {
      messages: random.pick([0, 1, 2, 3, 10, 200]),
      bytes: random.once(3) ? random.pick([1, 100, 1000]) : 0,
    };
  }

  #message(): Parts {
    const count = 1 + this.#random.below(2);
    return Array.from({ length: count }, () => this.#random.pick(PARTS));
  }

  #end(pipe: Pipe): End {
    return {
      pipe,
      waiting: [],
      bytes: 0,
      awaitsRead: true,
      awaitsRoom: false,
      ended: false,
      told: false,
      read: [],
    };
  }

  #endOf(pipe: Pipe): End {
    return this.#ends[this.#ends[0].pipe === pipe ? 0 : 1];
  }

  #otherOf(end: End): End {
    return this.#ends[this.#ends[0] === end ? 1 : 0];
  }
}

const PARTS = [0, 1, 50, 120].map((size) => Buffer.alloc(size));

function sizeOf(parts: Parts): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}
