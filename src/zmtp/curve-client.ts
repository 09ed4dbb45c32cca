import type { Command } from "./command.js";
import {
  blank,
  COOKIE_SIZE,
  Curve,
  type CurveOptions,
  HELLO,
  INITIATE,
  INITIATE_BOX,
  LONG_NONCE_SIZE,
  NOTHING,
  READY,
  SIGNATURE,
  VERSION,
  VOUCH_PREFIX,
  WELCOME,
  WELCOME_PREFIX,
} from "./curve.js";
import { type CurveKeys, KEY_SIZE, TAG_SIZE } from "./curve-cipher.js";
import { longNonce, PREFIX, SHORT_AT } from "./curve-nonce.js";
import type { Mechanism, Step } from "./mechanism.js";
import { copyOf } from "./memory.js";
import { decodeMetadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";

/**
 * Which command is due, and which comes after it:
 *
 * ```
 * WELCOME --INITIATE--> READY --> nothing
 * ```
 */
type Awaited = "WELCOME" | "READY" | "nothing";

/**
 * CURVE (RFC 26) for the side that knows beforehand whom it wants to talk to. What its members do:
 * see {@link Mechanism}.
 */
export class CurveClient extends Curve implements Mechanism {
  readonly #keys: CurveKeys;
  readonly #serverKey: Uint8Array;
  #awaited: Awaited = "WELCOME";

  /** C' and c'. */
  #short: CurveKeys | undefined;
  /** What C' and S share. */
  #first: Uint8Array = NOTHING;
  /** What C' and S' share. */
  #key: Uint8Array = NOTHING;

  /**
   * @param keys Who we are: C and c. They are only read, and stay the caller's.
   * @param serverKey Who the server must be: S.
   */
  constructor(keys: CurveKeys, serverKey: Uint8Array, options: CurveOptions) {
    super("client", options);
    this.#keys = keys;
    this.#serverKey = serverKey;
  }

  /** @throws ProtocolError when the server's key is none. */
  start(): Uint8Array {
    const short = this.cipher.keyPair();
    this.secret(short.secretKey);
    this.#short = short;
    this.#first = this.share(this.#serverKey, short.secretKey);
    const [body, data] = blank("HELLO", HELLO.size);
    data.set(VERSION);
    data.set(short.publicKey, HELLO.key);
    const nonce = this.own.next(PREFIX.HELLO);
    data.set(nonce.subarray(SHORT_AT), HELLO.nonce);
    this.cipher.box.seal(data, HELLO.box, NOTHING, SIGNATURE, nonce, this.#first);
    return body;
  }

  receive({ name, data }: Command): Step {
    if (name !== this.#awaited) {
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", `${this.#awaited} is due`);
    }
    if (name === "WELCOME") {
      this.#awaited = "READY";
      return { reply: this.#welcomed(data) };
    }
    this.#awaited = "nothing";
    return this.#ready(data);
  }

  /** @throws Error always: a client judges its server by its key alone. */
  accept(): Step {
    throw new Error("accept without credentials");
  }

  admit(): undefined {}

  /** @returns INITIATE. */
  #welcomed(data: Uint8Array): Uint8Array {
    if (data.length !== WELCOME.size) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_WELCOME", `${data.length} octets`);
    }
    const nonce = longNonce(WELCOME_PREFIX, data.subarray(WELCOME.nonce, WELCOME.box));
    const plain = this.opened(data, WELCOME.box, nonce, this.#first);
    const serverShort = copyOf(plain, 0, KEY_SIZE);
    const cookie = copyOf(plain, KEY_SIZE, KEY_SIZE + COOKIE_SIZE);
    this.#first.fill(0);
    const { publicKey, secretKey } = this.#short as CurveKeys;
    this.#key = this.share(serverShort, secretKey);
    secretKey.fill(0);
    return this.#initiate(cookie, this.#introduction(publicKey, serverShort));
  }

  /** Who we are, and our word for it that C' is ours: all of INITIATE's box but the metadata. */
  #introduction(publicKey: Uint8Array, serverShort: Uint8Array): Uint8Array {
    const { cipher } = this;
    const introduction = new Uint8Array(INITIATE_BOX.metadata);
    introduction.set(this.#keys.publicKey, INITIATE_BOX.key);
    const random = cipher.random(LONG_NONCE_SIZE);
    introduction.set(random, INITIATE_BOX.vouchNonce);
    const nonce = longNonce(VOUCH_PREFIX, random);
    const key = this.share(serverShort, this.#keys.secretKey);
    cipher.box.seal(introduction, INITIATE_BOX.vouch, publicKey, this.#serverKey, nonce, key);
    key.fill(0);
    return introduction;
  }

  #initiate(cookie: Uint8Array, introduction: Uint8Array): Uint8Array {
    const boxSize = TAG_SIZE + introduction.length + this.metadata.length;
    const [body, data] = blank("INITIATE", INITIATE.box + boxSize);
    data.set(cookie, INITIATE.cookie);
    const nonce = this.own.next(PREFIX.INITIATE);
    data.set(nonce.subarray(SHORT_AT), INITIATE.nonce);
    this.cipher.box.seal(data, INITIATE.box, introduction, this.metadata, nonce, this.#key);
    return body;
  }

  #ready(data: Uint8Array): Step {
    if (data.length < READY.minSize) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_READY", "it is cut short");
    }
    const nonce = this.peer.take(data, READY.nonce, PREFIX.READY);
    const plain = this.opened(data, READY.box, nonce, this.#key);
    const properties = decodeMetadata(plain, 0, this.limits);
    this.secure(this.#key);
    return { properties };
  }
}
