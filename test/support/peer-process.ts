import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { EventLog, type LoggedEvent } from "./event-log.js";
import type { Envelope, EnvelopePattern, Progress, ReceiveRequest } from "./matrix-operations.mjs";
import type { SocketParty } from "./matrix-party.js";
import type { Batch, Summary } from "./payload.mjs";

const LIMIT_MS = 15_000;

/** A call that waits gives up by itself, with what it has got, before the request does. */
const CALL_LIMIT_MS = LIMIT_MS - 1000;

/** Ends with us, even when a test does not come to its end. */
const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

export interface Reply {
  id?: number;
  value?: unknown;
  error?: { message: string; code?: string };
  socket?: number;
  event?: LoggedEvent;
}

/** Options of a socket, as in npm zeromq. */
export type PeerOptions = Record<string, number | boolean | string>;

interface Pending {
  op: string;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/**
 * A program in a child process that opens ZeroMQ sockets and does with them what it is told: by
 * requests that it answers one by one. How they travel, subclasses know. Every request has a limit
 * in time, and what fails shows the child's stderr.
 */
export abstract class PeerProcess {
  protected readonly child: ChildProcess;
  readonly #name: string;
  readonly #pending = new Map<number, Pending>();
  readonly #events: EventLog[] = [];
  readonly #gone: Promise<void>;
  #stderr = "";
  #nextId = 1;

  protected constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.child = child;
    alive.add(child);
    (child.stderr as Readable).setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
    });
    child.on("error", (error) => this.#fail(error.message));
    this.#gone = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        alive.delete(child);
        this.#fail(`it ended with ${signal ?? `status ${code}`}`);
        resolve();
      });
    });
  }

  /** Resolves when the child says that it is there. */
  protected async started(): Promise<this> {
    try {
      await this.#wait(0, "start", LIMIT_MS);
      return this;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  protected abstract post(request: object): void;

  protected reply({ id, value, error, socket, event }: Reply): void {
    if (event !== undefined) {
      this.#events[socket as number]?.add(event);
      return;
    }
    const pending = this.#pending.get(id as number);
    if (pending === undefined) return;
    this.#settle(id as number);
    if (error === undefined) pending.resolve(value);
    else
      pending.reject(Object.assign(this.#error(pending.op, error.message), { code: error.code }));
  }

  async request(op: string, parameters: object = {}, limitMs: number = LIMIT_MS): Promise<unknown> {
    const id = this.#nextId++;
    const answer = this.#wait(id, op, limitMs);
    this.post({ id, op, ...parameters });
    return answer;
  }

  /** Opens a socket of a type, named as in npm zeromq. */
  async open(type = "Pair", options: PeerOptions = {}): Promise<PeerSocket> {
    const id = (await this.request("open", { type, options })) as number;
    const events = new EventLog(`${this.#name}'s socket ${id}`);
    this.#events[id] = events;
    return new PeerSocket(this, id, events);
  }

  /** Stops it where it is: the system goes on to accept and acknowledge for it, nothing else. */
  suspend(): void {
    this.child.kill("SIGSTOP");
  }

  resume(): void {
    this.child.kill("SIGCONT");
  }

  /** Closes its sockets and ends it, once what they have sent has left. */
  async end(): Promise<void> {
    await this.request("end");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), LIMIT_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  /** Ends it at once: no socket is closed, what is not in the system's hands is lost. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#gone;
  }

  #wait(id: number, op: string, limitMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!alive.has(this.child)) {
        reject(this.#error(op, "it has ended"));
        return;
      }
      const timer = setTimeout(() => {
        this.#settle(id);
        reject(this.#error(op, `no answer in ${limitMs} ms`));
      }, limitMs);
      this.#pending.set(id, { op, resolve, reject, timer });
    });
  }

  #settle(id: number): void {
    clearTimeout(this.#pending.get(id)?.timer);
    this.#pending.delete(id);
  }

  #fail(why: string): void {
    for (const [id, { op, reject }] of this.#pending) {
      this.#settle(id);
      reject(this.#error(op, why));
    }
  }

  #error(op: string, why: string): Error {
    const stderr = this.#stderr === "" ? "" : `\nIts stderr:\n${this.#stderr}`;
    return new Error(`${this.#name}: ${op}: ${why}${stderr}`);
  }
}

/** A socket in a peer process. */
export class PeerSocket implements SocketParty {
  readonly events: EventLog;
  readonly #peer: PeerProcess;
  readonly #id: number;

  constructor(peer: PeerProcess, id: number, events: EventLog) {
    this.#peer = peer;
    this.#id = id;
    this.events = events;
  }

  /** @returns The endpoint with its port, or path. */
  async bind(address: string): Promise<string> {
    return (await this.#request("bind", { address })) as string;
  }

  async unbind(address: string): Promise<void> {
    await this.#request("unbind", { address });
  }

  async connect(address: string, options?: { routingId: string }): Promise<void> {
    await this.#request("connect", { address, options });
  }

  async disconnect(address: string): Promise<void> {
    await this.#request("disconnect", { address });
  }

  /**
   * Sends a batch, each message behind `before`; fails when it is stuck with one for as long as a
   * test may wait.
   */
  async send(batch: Batch, before?: Envelope): Promise<void> {
    await this.#request("send", { batch, before, timeoutMs: CALL_LIMIT_MS }, 2 * LIMIT_MS);
  }

  /**
   * Sends a batch up to the message with which it is stuck for `timeoutMs`; that one is not sent.
   */
  async sendUntilFull(batch: Batch, timeoutMs: number, before?: Envelope): Promise<Progress> {
    const parameters = { batch, before, timeoutMs, untilFull: true };
    return (await this.#request("send", parameters, 2 * LIMIT_MS)) as Progress;
  }

  /** Receives `count` messages. Between such calls nobody reads from the socket. */
  async receive(count: number, options: ReceiveRequest = {}): Promise<Summary> {
    return this.#receive({ ...options, count });
  }

  /** Receives up to and with the message that carries the number `last`. */
  async receiveThrough(last: number, options: ReceiveRequest = {}): Promise<Summary> {
    return this.#receive({ ...options, last });
  }

  async echo(count: number, before?: EnvelopePattern): Promise<Summary> {
    const parameters = { count, before, timeoutMs: CALL_LIMIT_MS };
    return (await this.#request("echo", parameters, 2 * LIMIT_MS)) as Summary;
  }

  async ask(batch: Batch, before?: Envelope): Promise<Summary> {
    const parameters = { batch, before, timeoutMs: CALL_LIMIT_MS };
    return (await this.#request("ask", parameters, 2 * LIMIT_MS)) as Summary;
  }

  async sendParts(...parts: (string | Uint8Array)[]): Promise<void> {
    await this.#request("sendParts", { parts, timeoutMs: CALL_LIMIT_MS });
  }

  async receiveParts(): Promise<Buffer[]> {
    const parts = await this.#request("receiveParts", { timeoutMs: CALL_LIMIT_MS });
    return (parts as Uint8Array[]).map((part) => Buffer.from(part));
  }

  async receiveOctets(peer: Uint8Array, size: number): Promise<Buffer> {
    const parameters = { peer, size, timeoutMs: CALL_LIMIT_MS };
    return Buffer.from((await this.#request("receiveOctets", parameters)) as Uint8Array);
  }

  async subscribe(topic: Uint8Array): Promise<void> {
    await this.#request("subscribe", { topic });
  }

  async unsubscribe(topic: Uint8Array): Promise<void> {
    await this.#request("unsubscribe", { topic });
  }

  /**
   * Resolves once the socket is (not) writable. A socket of libzmq takes note of a peer's end only
   * when somebody looks at it.
   */
  async writable(value: boolean): Promise<void> {
    await this.#request("until", { property: "writable", value });
  }

  async close(): Promise<void> {
    await this.#request("close");
  }

  async #receive(request: ReceiveRequest): Promise<Summary> {
    const { timeoutMs = CALL_LIMIT_MS } = request;
    const answer = this.#request("receive", { ...request, timeoutMs }, timeoutMs + 5000);
    return (await answer) as Summary;
  }

  #request(op: string, parameters: object = {}, limitMs?: number): Promise<unknown> {
    return this.#peer.request(op, { socket: this.#id, ...parameters }, limitMs);
  }
}
