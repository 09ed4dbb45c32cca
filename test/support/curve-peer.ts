import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import nacl from "tweetnacl";
import { concat, metadata, number, type Octets } from "./wire.js";

/**
 * Both sides of CURVE as the table in RFC 26 has them, by tweetnacl: bodies of commands, each octet
 * of which can be made wrong. Nothing here comes from `src`.
 */

export interface Keys {
  publicKey: Uint8Array;
  secretKey: Uint8Array;
}

const PAIR = metadata({ "Socket-Type": "PAIR" });

function shortNonce(prefix: string, count: number | bigint): Uint8Array {
  return concat(prefix, number(count, 8));
}

/** A box as the RFC has it: from whoever has the secret key to whoever has the other one. */
function box(plain: Uint8Array, nonce: Uint8Array, to: Uint8Array, from: Uint8Array): Uint8Array {
  return nacl.box.after(plain, nonce, shared(to, from));
}

/** A value for each name that was asked for lately. */
function memo<T>(make: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    let value = known.get(name);
    if (value === undefined) {
      value = make(name);
      if (known.size >= 1000) known.clear();
      known.set(name, value);
    }
    return value;
  };
}

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");
const octetsOf = (name: string) => Uint8Array.from(Buffer.from(name, "hex"));

/** What two pairs of keys share. */
function shared(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return known(hex(publicKey) + hex(secretKey));
}

const known = memo((name) => agree(octetsOf(name.slice(0, -64)), octetsOf(name.slice(-64))));

/** OpenSSL is ten times as fast as tweetnacl, which takes the keys, too, that are none. */
function agree(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(32);
  try {
    const secret = diffieHellman({
      publicKey: createPublicKey({
        format: "der",
        type: "spki",
        key: Buffer.concat([SPKI, publicKey]),
      }),
      privateKey: privateKeyOf(hex(secretKey)),
    });
    const { crypto_core_hsalsa20: hsalsa20 } = lowlevel;
    hsalsa20(key, new Uint8Array(16), secret, Buffer.from("expand 32-byte k"));
    return key;
  } catch {
    return nacl.box.before(publicKey, secretKey);
  }
}

/** OpenSSL works out the public key each time, which takes longer than the rest. */
const privateKeyOf = memo((name) =>
  createPrivateKey({
    format: "der",
    type: "pkcs8",
    key: Buffer.concat([PKCS8, Buffer.from(name, "hex")]),
  }),
);

/** What stands before the 32 octets of a key of X25519 (RFC 8410). */
const SPKI = Buffer.from("302a300506032b656e032100", "hex");
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** Of tweetnacl; its types do not tell of it. */
const { lowlevel } = nacl as typeof nacl & {
  lowlevel: {
    crypto_core_hsalsa20(
      out: Uint8Array,
      input: Uint8Array,
      key: Uint8Array,
      constant: Uint8Array,
    ): void;
  };
};

function open(sealed: Uint8Array, nonce: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const plain = nacl.box.open.after(Uint8Array.from(sealed), nonce, shared(from, to));
  if (plain === null) throw new Error("the box does not open");
  return plain;
}

class Party {
  readonly keys: Keys;
  readonly short: Keys;
  count = 0;
  /** What our short key and the peer's share: worked out once, for there may be many messages. */
  #shared: Uint8Array | undefined;

  constructor(keys: Keys, short: Keys) {
    this.keys = keys;
    this.short = short;
  }

  protected seal(kind: string, flags: number, body: Octets, to: Uint8Array): Uint8Array {
    const count = ++this.count;
    const nonce = shortNonce(kind, count);
    const plain = concat(Uint8Array.of(flags), body);
    this.#shared ??= shared(to, this.short.secretKey);
    const sealed = nacl.box.after(plain, nonce, this.#shared);
    return concat("\x07MESSAGE", number(count, 8), sealed);
  }

  protected unseal(kind: string, message: Uint8Array, from: Uint8Array): Uint8Array {
    const nonce = concat(kind, message.subarray(8, 16));
    return open(message.subarray(16), nonce, from, this.short.secretKey);
  }
}

export interface HelloFields {
  version?: Octets;
  padding?: Octets;
  shortKey?: Uint8Array;
  count?: number | bigint;
  signature?: Uint8Array;
}

export interface InitiateFields {
  cookie?: Uint8Array;
  count?: number | bigint;
  key?: Uint8Array;
  /** What the vouch says of C'. */
  vouchedKey?: Uint8Array;
  /** What it says of S. */
  vouchedServer?: Uint8Array;
  /** Whose secret key it is made with. */
  vouchSecret?: Uint8Array;
  metadata?: Uint8Array;
  /** The vouch's nonce, 16 octets. */
  random?: Uint8Array;
}

export class CurveClientPeer extends Party {
  readonly serverKey: Uint8Array;
  serverShort: Uint8Array = new Uint8Array(0);
  cookie: Uint8Array = new Uint8Array(0);

  constructor(serverKey: Uint8Array, keys = nacl.box.keyPair(), short = nacl.box.keyPair()) {
    super(keys, short);
    this.serverKey = serverKey;
  }

  hello(fields: HelloFields = {}): Uint8Array {
    const { version = "\x01\0", padding = new Uint8Array(72) } = fields;
    const { shortKey = this.short.publicKey, count = ++this.count } = fields;
    const { signature = new Uint8Array(64) } = fields;
    const nonce = shortNonce("CurveZMQHELLO---", count);
    const sealed = box(signature, nonce, this.serverKey, this.short.secretKey);
    return concat("\x05HELLO", version, padding, shortKey, number(count, 8), sealed);
  }

  welcomed(welcome: Uint8Array): void {
    const nonce = concat("WELCOME-", welcome.subarray(8, 24));
    const plain = open(welcome.subarray(24), nonce, this.serverKey, this.short.secretKey);
    this.serverShort = plain.subarray(0, 32);
    this.cookie = plain.subarray(32);
  }

  initiate(fields: InitiateFields = {}): Uint8Array {
    const { cookie = this.cookie, count = ++this.count, key = this.keys.publicKey } = fields;
    const { vouchedKey = this.short.publicKey, vouchedServer = this.serverKey } = fields;
    const { vouchSecret = this.keys.secretKey, metadata = PAIR } = fields;
    const { random = nacl.randomBytes(16) } = fields;
    const vouched = concat(vouchedKey, vouchedServer);
    const vouch = box(vouched, concat("VOUCH---", random), this.serverShort, vouchSecret);
    const plain = concat(key, random, vouch, metadata);
    const nonce = shortNonce("CurveZMQINITIATE", count);
    const sealed = box(plain, nonce, this.serverShort, this.short.secretKey);
    return concat("\x08INITIATE", cookie, number(count, 8), sealed);
  }

  /** The server's metadata. */
  readied(ready: Uint8Array): Uint8Array {
    const nonce = concat("CurveZMQREADY---", ready.subarray(6, 14));
    return open(ready.subarray(14), nonce, this.serverShort, this.short.secretKey);
  }

  message(flags: number, body: Octets): Uint8Array {
    return this.seal("CurveZMQMESSAGEC", flags, body, this.serverShort);
  }

  /** Flags and body. */
  read(message: Uint8Array): Uint8Array {
    return this.unseal("CurveZMQMESSAGES", message, this.serverShort);
  }
}

export class CurveServerPeer extends Party {
  clientShort: Uint8Array = new Uint8Array(0);
  clientKey: Uint8Array = new Uint8Array(0);
  clientMetadata: Uint8Array = new Uint8Array(0);
  cookie = nacl.randomBytes(96);

  constructor(keys = nacl.box.keyPair(), short = nacl.box.keyPair()) {
    super(keys, short);
  }

  greeted(hello: Uint8Array): void {
    this.clientShort = hello.slice(80, 112);
    const nonce = concat("CurveZMQHELLO---", hello.subarray(112, 120));
    const plain = open(hello.subarray(120), nonce, this.clientShort, this.keys.secretKey);
    if (plain.length !== 64 || plain.some((octet) => octet !== 0)) throw new Error("signature");
  }

  welcome(shortKey = this.short.publicKey, random = nacl.randomBytes(16)): Uint8Array {
    const plain = concat(shortKey, this.cookie);
    const nonce = concat("WELCOME-", random);
    return concat("\x07WELCOME", random, box(plain, nonce, this.clientShort, this.keys.secretKey));
  }

  initiated(initiate: Uint8Array): void {
    if (initiate.subarray(9, 105).some((octet, i) => octet !== this.cookie[i])) {
      throw new Error("cookie");
    }
    const nonce = concat("CurveZMQINITIATE", initiate.subarray(105, 113));
    const secret = this.short.secretKey;
    const plain = open(initiate.subarray(113), nonce, this.clientShort, secret);
    this.clientKey = plain.subarray(0, 32);
    const vouchNonce = concat("VOUCH---", plain.subarray(32, 48));
    const vouch = open(plain.subarray(48, 128), vouchNonce, this.clientKey, secret);
    const expected = concat(this.clientShort, this.keys.publicKey);
    if (vouch.some((octet, i) => octet !== expected[i])) throw new Error("vouch");
    this.clientMetadata = plain.subarray(128);
  }

  ready(data: Uint8Array = PAIR, count: number | bigint = ++this.count): Uint8Array {
    const nonce = shortNonce("CurveZMQREADY---", count);
    const sealed = box(data, nonce, this.clientShort, this.short.secretKey);
    return concat("\x05READY", number(count, 8), sealed);
  }

  message(flags: number, body: Octets): Uint8Array {
    return this.seal("CurveZMQMESSAGES", flags, body, this.clientShort);
  }

  /** Flags and body. */
  read(message: Uint8Array): Uint8Array {
    return this.unseal("CurveZMQMESSAGEC", message, this.clientShort);
  }
}
