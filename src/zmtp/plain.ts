import { type Command, encodeCommand } from "./command.js";
import type { Limits } from "./limits.js";
import type { Mechanism, Role, Step } from "./mechanism.js";
import { decodeMetadata, encodeMetadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";

/** What a client of PLAIN proves itself with; at most 255 octets each. */
export interface PlainLogin {
  /** `ZMQ_PLAIN_USERNAME`. */
  username: Uint8Array;
  /** `ZMQ_PLAIN_PASSWORD`. */
  password: Uint8Array;
}

/**
 * What the mechanism waits for: a command, or the judge's yes.
 *
 * ```
 * client   WELCOME --INITIATE--> READY --> nothing
 * server   HELLO --> judgement --WELCOME--> INITIATE --> nothing
 * ```
 */
type Awaited = "HELLO" | "judgement" | "INITIATE" | "WELCOME" | "READY" | "nothing";

const NEXT: Readonly<Record<Exclude<Awaited, "nothing">, Awaited>> = {
  WELCOME: "READY",
  READY: "nothing",
  HELLO: "judgement",
  judgement: "INITIATE",
  INITIATE: "nothing",
};

const NO_LOGIN: PlainLogin = { username: new Uint8Array(0), password: new Uint8Array(0) };
const MAX_LOGIN_SIZE = 255;

/**
 * libzmq's servers, from 4.3.0 on, say ERROR like this: a hexadecimal escape in its source takes
 * the E along, so that `5` and `E` became one octet.
 */
const MISSPELT_ERROR = [0x5e, 0x52, 0x52, 0x4f, 0x52];

/**
 * PLAIN (RFC 24): the client gives a user name and a password, in clear. What its members do: see
 * {@link Mechanism}.
 */
export class PlainMechanism implements Mechanism {
  readonly name = "PLAIN";
  readonly #role: Role;
  readonly #login: PlainLogin;
  readonly #metadata: Uint8Array;
  readonly #limits: Limits;
  #awaited: Awaited;

  /**
   * @param role `server` on the side that judges, whether it binds or connects.
   * @param login What a client says; a server has none.
   * @param properties Our metadata: see {@link announce}.
   * @param limits Bounds of the peer's metadata.
   * @throws RangeError when the user name or the password is too long.
   */
  constructor(
    role: Role,
    login: PlainLogin | undefined,
    properties: Iterable<readonly [string, Uint8Array]>,
    limits: Limits,
  ) {
    this.#role = role;
    this.#login = login ?? NO_LOGIN;
    this.#metadata = encodeMetadata(properties);
    this.#limits = limits;
    this.#awaited = role === "client" ? "WELCOME" : "HELLO";
    const { username, password } = this.#login;
    if (Math.max(username.length, password.length) > MAX_LOGIN_SIZE) {
      throw new RangeError(`a user name or a password of more than ${MAX_LOGIN_SIZE} octets`);
    }
  }

  start(): Uint8Array | undefined {
    return this.#role === "client" ? encodeCommand("HELLO", encodeLogin(this.#login)) : undefined;
  }

  respell(body: Uint8Array): Uint8Array {
    if (this.#role === "server") return body;
    if (!MISSPELT_ERROR.every((octet, i) => body[i] === octet)) return body;
    return encodeCommand("ERROR", body.subarray(MISSPELT_ERROR.length));
  }

  receive({ name, data }: Command): Step {
    if (name !== this.#awaited) {
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", `${this.#awaited} is due`);
    }
    const step = this.#take(this.#awaited, data);
    this.#advance();
    return step;
  }

  accept(): Step {
    if (this.#awaited !== "judgement") throw new Error("accept without credentials");
    this.#advance();
    return { reply: encodeCommand("WELCOME", new Uint8Array(0)) };
  }

  admit(): Uint8Array | undefined {
    return this.#role === "server" ? encodeCommand("READY", this.#metadata) : undefined;
  }

  #advance(): void {
    this.#awaited = NEXT[this.#awaited as keyof typeof NEXT];
  }

  #take(name: Awaited, data: Uint8Array): Step {
    switch (name) {
      case "HELLO":
        return { credentials: decodeLogin(data) };
      case "WELCOME":
        if (data.length > 0) throw malformed("WELCOME", "it has data");
        return { reply: encodeCommand("INITIATE", this.#metadata) };
      case "INITIATE":
        return { properties: decodeMetadata(data, 0, this.#limits, "INITIATE") };
      default:
        return { properties: decodeMetadata(data, 0, this.#limits) };
    }
  }
}

function encodeLogin({ username, password }: PlainLogin): Uint8Array {
  const data = new Uint8Array(2 + username.length + password.length);
  data[0] = username.length;
  data.set(username, 1);
  data[1 + username.length] = password.length;
  data.set(password, 2 + username.length);
  return data;
}

/** User name and password as views of `data`, which they fill. */
function decodeLogin(data: Uint8Array): [username: Uint8Array, password: Uint8Array] {
  const nameEnd = 1 + (data[0] ?? 0);
  // Where a size is missing, so is the one behind it.
  const passwordSize = data[nameEnd];
  if (passwordSize === undefined) throw malformed("HELLO", "it is cut short");
  if (passwordSize !== data.length - nameEnd - 1) throw malformed("HELLO", "a size is wrong");
  return [data.subarray(1, nameEnd), data.subarray(nameEnd + 1)];
}

function malformed(command: "HELLO" | "WELCOME", detail: string): ProtocolError {
  return new ProtocolError(`ERR_ZMTP_MALFORMED_COMMAND_${command}`, detail);
}
