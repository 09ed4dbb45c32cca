import type { Command } from "./command.js";
import {
  blank,
  COOKIE_SIZE,
  Curve,
  type CurveOptions,
  cryptographic,
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
import { type CurveKeys, isEqual, KEY_SIZE, TAG_SIZE } from "./curve-cipher.js";
import { longNonce, PREFIX, SHORT_AT } from "./curve-nonce.js";
import type { Mechanism, Step } from "./mechanism.js";
import { copyOf } from "./memory.js";
import { decodeMetadata, type Metadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";

/**
 * Which command is due, or the judge's yes, and what comes after it:
 *
 * ```
 * HELLO --WELCOME--> INITIATE --> judgement --> nothing
 * ```
 */
type Awaited = "HELLO" | "INITIATE" | "judgement" | "nothing";

/**
 * CURVE (RFC 26) for the side that is known, and asks who the other one is. What its members do:
 * see {@link Mechanism}.
 *
 * The RFC's cookie lets a server forget a client between HELLO and INITIATE: it holds C' and s',
 * sealed with a key of the server's. Over TCP there is a connection to remember anyway, and how
 * many may be in their handshake is bounded. So C' and s' stay here, as with libzmq, and the
 * cookie is 96 random octets that only this connection takes, once: there is no key that could
 * leak s' later, and nothing that could be replayed.
 */
export class CurveServer extends Curve implements Mechanism {
  readonly #keys: CurveKeys;
  #awaited: Awaited = "HELLO";

  /** C'. */
  #clientShort: Uint8Array = NOTHING;
  /** s'. */
  #shortSecret: Uint8Array = NOTHING;
  #cookie: Uint8Array = NOTHING;
  /** What C' and S' share. */
  #key: Uint8Array = NOTHING;
  /** The peer's, while it is being judged. */
  #properties: Metadata | undefined;

  /** @param keys Who we are: S and s. They are only read, and stay the caller's. */
  constructor(keys: CurveKeys, options: CurveOptions) {
    super("server", options);
    this.#keys = keys;
  }

  start(): undefined {}

  receive({ name, data }: Command): Step {
    if (name !== this.#awaited) {
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", `${this.#awaited} is due`);
    }
    if (name === "HELLO") {
      this.#awaited = "INITIATE";
      return { reply: this.#greeted(data) };
    }
    this.#awaited = "judgement";
    return { credentials: [this.#initiated(data)] };
  }

  accept(): Step {
    if (this.#awaited !== "judgement") throw new Error("accept without credentials");
    this.#awaited = "nothing";
    return { properties: this.#properties as Metadata };
  }

  admit(): Uint8Array {
    const [body, data] = blank("READY", READY.box + TAG_SIZE + this.metadata.length);
    const nonce = this.own.next(PREFIX.READY);
    data.set(nonce.subarray(SHORT_AT), READY.nonce);
    this.cipher.box.seal(data, READY.box, NOTHING, this.metadata, nonce, this.#key);
    this.secure(this.#key);
    return body;
  }

  /** @returns WELCOME. */
  #greeted(data: Uint8Array): Uint8Array {
    checkHello(data);
    const { cipher } = this;
    this.#clientShort = copyOf(data, HELLO.key, HELLO.key + KEY_SIZE);
    const key = this.share(this.#clientShort, this.#keys.secretKey);
    const nonce = this.peer.take(data, HELLO.nonce, PREFIX.HELLO);
    if (!isEqual(this.opened(data, HELLO.box, nonce, key), SIGNATURE)) {
      throw cryptographic();
    }
    const short = cipher.keyPair();
    this.#shortSecret = this.secret(short.secretKey);
    this.#cookie = this.secret(cipher.random(COOKIE_SIZE));
    const [body, welcome] = blank("WELCOME", WELCOME.size);
    const random = cipher.random(LONG_NONCE_SIZE);
    welcome.set(random, WELCOME.nonce);
    const welcomeNonce = longNonce(WELCOME_PREFIX, random);
    cipher.box.seal(welcome, WELCOME.box, short.publicKey, this.#cookie, welcomeNonce, key);
    key.fill(0);
    return body;
  }

  /** @returns Who the client is: C. */
  #initiated(data: Uint8Array): Uint8Array {
    if (data.length < INITIATE.minSize) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_INITIATE", "it is cut short");
    }
    const cookie = data.subarray(INITIATE.cookie, INITIATE.nonce);
    if (!isEqual(cookie, this.#cookie)) throw cryptographic();
    this.#key = this.share(this.#clientShort, this.#shortSecret);
    const nonce = this.peer.take(data, INITIATE.nonce, PREFIX.INITIATE);
    const introduction = this.opened(data, INITIATE.box, nonce, this.#key);
    const clientKey = copyOf(introduction, INITIATE_BOX.key, KEY_SIZE);
    this.#checkVouch(introduction, clientKey);
    this.#properties = decodeMetadata(introduction, INITIATE_BOX.metadata, this.limits, "INITIATE");
    this.#shortSecret.fill(0);
    this.#cookie.fill(0);
    return clientKey;
  }

  /** The client's word, given with c to S', that C' is its own, and that it wants to talk to S. */
  #checkVouch(introduction: Uint8Array, clientKey: Uint8Array): void {
    const { vouchNonce, vouch, metadata } = INITIATE_BOX;
    const key = this.share(clientKey, this.#shortSecret);
    const nonce = longNonce(VOUCH_PREFIX, introduction.subarray(vouchNonce, vouch));
    const box = introduction.subarray(vouch, metadata);
    const plain = this.opened(box, 0, nonce, key);
    const isForUs = isEqual(plain.subarray(KEY_SIZE), this.#keys.publicKey);
    const isHis = isEqual(plain.subarray(0, KEY_SIZE), this.#clientShort);
    if (!isForUs || !isHis) throw cryptographic();
    key.fill(0);
  }
}

function checkHello(data: Uint8Array): void {
  if (data.length !== HELLO.size) throw malformedHello(`${data.length} octets`);
  if (VERSION.some((number, i) => data[i] !== number)) throw malformedHello("another version");
  for (let i = HELLO.padding; i < HELLO.paddingEnd; i++) {
    if (data[i] !== 0) throw malformedHello("its padding is not zero");
  }
}

function malformedHello(detail: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_HELLO", detail);
}
