import type { MessagePort, Transferable, Worker } from "node:worker_threads";
import * as workerThreads from "node:worker_threads";
import { Census } from "./census.js";
import { SharedNames } from "./names.js";

/** What threads know each other by: two versions that disagree on what they share must not meet. */
const KEY = "purezmq.threads.1";

/** Words of 32 bits that all threads share. */
const CELLS = 16;

/** What a thread finds in its environment when it starts. */
interface Heritage {
  names: SharedArrayBuffer;
  cells: SharedArrayBuffer;
  census: SharedArrayBuffer;
  /** The thread that has started it. */
  parent: number;
}

/** Somebody in another thread wants to be connected to who has a name here. */
export interface Knock {
  name: string;
  /** The type of the socket that wants to, and what it calls itself. */
  type: string;
  routingId: Uint8Array;
  /** Where it listens, and is talked to. */
  port: MessagePort;
}

type PostToThread = (
  thread: number,
  value: unknown,
  transfer: readonly Transferable[],
) => Promise<void>;

const postToThread = (workerThreads as { postMessageToThread?: PostToThread }).postMessageToThread;

/**
 * The threads of this process that share names: those that were started after the library was loaded
 * in the thread that started them.
 */
export class Threads {
  readonly names: SharedNames;
  readonly census: Census;
  /** Numbers that mean the same to all. */
  readonly cells: Int32Array;
  /** Whether nobody else had been there. */
  readonly first: boolean;
  #channel: workerThreads.BroadcastChannel | undefined;

  /** This thread's; undefined where the runtime has no way from one thread to another. */
  static here(): Threads | undefined {
    return typeof postToThread === "function" ? new Threads() : undefined;
  }

  constructor() {
    const heritage = workerThreads.getEnvironmentData(KEY) as unknown as Heritage | undefined;
    this.first = heritage === undefined;
    const { threadId } = workerThreads;
    this.names = new SharedNames(threadId, heritage?.names);
    this.census = new Census(threadId, heritage?.parent, heritage?.census);
    const cells = heritage?.cells ?? new SharedArrayBuffer(CELLS * 4);
    this.cells = new Int32Array(cells);
    const { memory: names } = this.names;
    const mine: Heritage = { names, cells, census: this.census.memory, parent: threadId };
    workerThreads.setEnvironmentData(KEY, mine as unknown as workerThreads.Serializable);
    // What a thread leaves behind is cleared away by who has started it.
    process.on("worker", (worker: Worker) => {
      const { threadId } = worker;
      worker.once("exit", () => {
        for (const gone of this.census.bury(threadId)) this.names.purge(gone);
      });
    });
  }

  /** Knocks at another thread. Whether there is one of that number that hears it. */
  async knock(thread: number, { port, ...what }: Knock): Promise<boolean> {
    try {
      await postToThread?.(thread, { [KEY]: { ...what, port } }, [port]);
      return true;
    } catch (error) {
      // It hears us, though a listener of the application's throws at what it does not know.
      return (error as NodeJS.ErrnoException).code === "ERR_WORKER_MESSAGING_ERRORED";
    }
  }

  /** Calls `opened` whenever somebody in another thread knocks. To be called once. */
  onKnock(opened: (knock: Knock) => void): void {
    process.prependListener("workerMessage" as never, (value: unknown) => {
      const knock = (value as { [KEY]?: Knock } | null)?.[KEY];
      if (knock !== undefined) opened(knock);
    });
  }

  /** Tells all threads that a name has been taken. */
  announce(name: string): void {
    this.#open().postMessage(name);
  }

  /** From now on calls `announced`, and nobody else, whenever another thread has taken a name. */
  onAnnounce(announced: (name: string) => void): void {
    const channel = this.#open();
    channel.onmessage = ({ data }: { data: unknown }) => announced(data as string);
    // To listen is to hold the process.
    channel.unref();
  }

  #open(): workerThreads.BroadcastChannel {
    this.#channel ??= new workerThreads.BroadcastChannel(KEY);
    this.#channel.unref();
    return this.#channel;
  }
}
