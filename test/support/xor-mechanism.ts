import {
  type Command,
  DEFAULT_LIMITS,
  type Frame,
  type Mechanism,
  NullMechanism,
  ProtocolError,
  type Role,
  type Step,
  type Traffic,
} from "../../src/zmtp/index.js";

/**
 * A toy that transforms every frame, as CURVE will: the shape of a mechanism, with no security.
 *
 * On the wire there are message frames only: a counter, which must grow by one, the inner flags,
 * and the body with every octet turned over by the counter.
 *
 * ```
 * client: HELLO ->            INITIATE metadata ->
 * server:       <- WELCOME                      <- READY metadata
 * ```
 */
export class XorMechanism implements Mechanism, Traffic {
  readonly name = "XOR";
  readonly overhead = 2;
  readonly traffic: Traffic = this;
  readonly #role: Role;
  readonly #null: NullMechanism;
  readonly #metadata: Uint8Array;
  #sent = 0;
  #received = 0;
  #welcome = false;

  constructor(role: Role, properties: Iterable<readonly [string, Uint8Array]>) {
    this.#role = role;
    // Its READY is NULL's; INITIATE differs in the name only.
    this.#null = new NullMechanism("client", properties, DEFAULT_LIMITS);
    this.#metadata = (this.#null.start() as Uint8Array).subarray(6);
  }

  start(): Uint8Array | undefined {
    return this.#role === "client" ? named("HELLO") : undefined;
  }

  receive(command: Command): Step {
    const expected = this.#role === "client" ? ["WELCOME", "READY"] : ["HELLO", "INITIATE"];
    if (command.name !== expected[this.#welcome ? 1 : 0]) {
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "the toy's order");
    }
    if (this.#welcome) return this.#null.receive({ name: "READY", data: command.data });
    this.#welcome = true;
    return {
      reply: this.#role === "client" ? named("INITIATE", this.#metadata) : named("WELCOME"),
    };
  }

  accept(): Step {
    return this.#null.accept();
  }

  admit(): Uint8Array | undefined {
    return this.#role === "server" ? named("READY", this.#metadata) : undefined;
  }

  wrap(flags: number, body: Uint8Array): Frame {
    const counter = ++this.#sent & 0xff;
    const wrapped = new Uint8Array(2 + body.length);
    wrapped[0] = counter;
    wrapped[1] = flags;
    for (let i = 0; i < body.length; i++) wrapped[2 + i] = (body[i] as number) ^ counter;
    return { flags: 0, body: wrapped };
  }

  unwrap(
    flags: number,
    head: Uint8Array,
    at: number,
    body: Uint8Array,
    target: Uint8Array,
  ): number {
    const counter = ++this.#received & 0xff;
    if (flags !== 0 || head.length - at < 2 || head[at] !== counter) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_FRAME", "not the toy's");
    }
    for (let i = 0; i < body.length; i++) target[i] = (body[i] as number) ^ counter;
    return head[at + 1] as number;
  }
}

function named(name: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const body = new Uint8Array(1 + name.length + data.length);
  body[0] = name.length;
  for (let i = 0; i < name.length; i++) body[1 + i] = name.charCodeAt(i);
  body.set(data, 1 + name.length);
  return body;
}
