import { expect } from "vitest";
import type { Event, EventOfType, EventType } from "../../src/events.js";
import { Observer } from "../../src/socket/observer.js";
import type {
  ReadableSocket,
  Socket,
  SocketOptions,
  WritableSocket,
} from "../../src/socket/socket.js";
import { freePort } from "./ports.js";
import { type Sockets, type Transport, turns, until } from "./sockets.js";

/** Any socket that can receive, or send. */
export type Receiving = Socket & Pick<ReadableSocket, "receive" | "tryReceive">;
export type Sending = Socket & Pick<WritableSocket, "send" | "trySend">;
type SendingMessage = Parameters<Sending["trySend"]>[0];

/** Makes sockets of a type, which do not linger unless they are told to. */
export function maker<S extends Socket>(
  sockets: Sockets,
  Type: new (options?: SocketOptions<S>) => S,
): (options?: SocketOptions<S>) => S {
  return (options) => {
    const settings: object = { linger: 0, ...options };
    return sockets.open(new Type(settings as SocketOptions<S>));
  };
}

/** An error with this code. */
export function failure(code: string): unknown {
  return expect.objectContaining({ code });
}

/** The code of the error that `call` throws; undefined when it throws none. */
export function thrown(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

export function texts(parts: readonly Uint8Array[]): string[] {
  return parts.map(String);
}

/** The next `count` messages. */
export async function receive(socket: Receiving, count: number): Promise<string[][]> {
  const messages: string[][] = [];
  while (messages.length < count) messages.push(texts(await socket.receive()));
  return messages;
}

/** The next message. */
export async function receiveOne(socket: Receiving): Promise<string[]> {
  return texts(await socket.receive());
}

/** The messages that are there. */
export function drain(socket: Receiving): string[][] {
  const messages: string[][] = [];
  for (let parts = socket.tryReceive(); parts !== undefined; parts = socket.tryReceive()) {
    messages.push(texts(parts));
  }
  return messages;
}

/** Sends what `message` gives until there is no room, at most `limit` times; how often that was. */
export function fill(
  socket: Sending,
  message: (i: number) => SendingMessage = String,
  limit = 10_000,
): number {
  let count = 0;
  while (count < limit && socket.trySend(message(count))) count++;
  return count;
}

/**
 * Sends until there is no room, and there is none a while later: what the system and the peer hold
 * is full too. Returns how often it sent.
 */
export async function saturate(
  socket: Sending,
  message: SendingMessage | ((i: number) => SendingMessage),
): Promise<number> {
  const make = typeof message === "function" ? message : () => message;
  let count = 0;
  for (let idle = 0; idle < 50; idle++) {
    const before = count;
    const sent = fill(socket, (i) => make(before + i), 1000);
    if (sent > 0) idle = 0;
    count += sent;
    await turns(1);
  }
  return count;
}

export function numbered(count: number, prefix = ""): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Binds, and says where. */
export async function bound(
  sockets: Sockets,
  transport: Transport,
  socket: Socket,
): Promise<string> {
  await socket.bind(sockets.endpoint(transport));
  return socket.lastEndpoint as string;
}

/** Where nobody is bound, but somebody could be. */
export async function vacant(sockets: Sockets, transport: Transport): Promise<string> {
  if (transport !== "tcp") return sockets.endpoint(transport);
  return `tcp://127.0.0.1:${await freePort()}`;
}

/** How many peers a socket has. */
export function peers(socket: Socket): number {
  return socket.stats().peers.filter(({ connected }) => connected).length;
}

/** What happens at a socket from now on; what its events hide from who prints them is shown. */
export class Events {
  readonly all: Event[] = [];

  constructor(socket: Socket) {
    const observer = new Observer(socket);
    void (async () => {
      for await (const event of observer) this.all.push(shown(event));
    })();
  }

  get types(): EventType[] {
    return this.all.map(({ type }) => type);
  }

  of<T extends EventType>(type: T): EventOfType<T>[] {
    return this.all.filter((event): event is EventOfType<T> => event.type === type);
  }

  /** Resolves once there have been `count` events of the type, with the last of them. */
  async seen<T extends EventType>(type: T, count = 1): Promise<EventOfType<T>> {
    await until(() => this.of(type).length >= count);
    return this.of(type)[count - 1] as EventOfType<T>;
  }
}

/** An event with all that it has, enumerable. */
export function shown(event: Event): Event {
  const names = Object.getOwnPropertyNames(event) as (keyof Event)[];
  return Object.fromEntries(names.map((name) => [name, event[name]])) as unknown as Event;
}

/**
 * Who takes turns, as the simplest program says it: a list, whose first item is next. One that
 * becomes active has its turn after all others.
 */
export class Turns<T> {
  #active: T[] = [];

  activate(item: T): void {
    if (!this.#active.includes(item)) this.#active.push(item);
  }

  delete(item: T): void {
    this.#active = this.#active.filter((other) => other !== item);
  }

  /** Somebody looks whether there is anything: those before whom there is nothing are passed over. */
  look(has: (item: T) => boolean): void {
    while (this.#active.length > 0 && !has(this.#active[0] as T)) this.#active.shift();
  }

  /** Gives turns until `take` gives something; those to whom it does not are active no more. */
  next<R>(take: (item: T) => R | undefined): R | undefined {
    for (let item = this.#active.shift(); item !== undefined; item = this.#active.shift()) {
      const result = take(item);
      if (result === undefined) continue;
      this.#active.push(item);
      return result;
    }
    return undefined;
  }
}
