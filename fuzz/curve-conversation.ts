import nacl from "tweetnacl";
import { loadCurveCipher } from "../src/socket/sodium.js";
import {
  announce,
  type CurveCipher,
  CurveClient,
  type CurveKeys,
  CurveServer,
  type Role,
} from "../src/zmtp/index.js";
import { CurveClientPeer, CurveServerPeer } from "../test/support/curve-peer.js";
import { SeededCipher } from "../test/support/nacl-cipher.js";
import * as wire from "../test/support/wire.js";
import type { Inner } from "./conversation.js";
import { framesIn, WIDE } from "./secured.js";
import { digest } from "./target.js";

/**
 * What goes over CURVE is fixed, so that an input stays right: our side draws nothing by chance, nor
 * does its peer, which is made of tweetnacl. All that is new in an input is the traffic.
 */
const [SERVER, CLIENT, SERVER_SHORT, CLIENT_SHORT] = [1, 2, 3, 4].map((octet) =>
  nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(octet)),
) as [CurveKeys, CurveKeys, CurveKeys, CurveKeys];
const RANDOM = new Uint8Array(16).fill(5);

/** Remembers what keys share: the same few again and again, and nothing costs more. */
class RememberingCipher extends SeededCipher {
  static readonly #known = new Map<string, Uint8Array | undefined>();

  static #get(name: string, make: () => Uint8Array | undefined): Uint8Array | undefined {
    const known = RememberingCipher.#known;
    if (known.size > 1000) known.clear();
    if (!known.has(name)) known.set(name, make());
    // It is cleared by whoever gets it.
    return known.get(name)?.slice();
  }

  override publicKey(secretKey: Uint8Array): Uint8Array {
    const make = () => super.publicKey(secretKey);
    return RememberingCipher.#get(`${secretKey}`, make) as Uint8Array;
  }

  override share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
    const make = () => super.share(publicKey, secretKey);
    return RememberingCipher.#get(`${publicKey},${secretKey}`, make);
  }
}

const sodium: CurveCipher = await loadCurveCipher();

/** A mechanism of ours in this role: always the same. */
export function ours(role: Role): CurveClient | CurveServer {
  const cipher = new RememberingCipher(sodium, role === "client" ? 1 : 2);
  const options = {
    ...{ cipher, limits: WIDE },
    properties: announce("PAIR", undefined),
  };
  if (role === "server") return new CurveServer(SERVER, options);
  return new CurveClient(CLIENT, SERVER.publicKey, options);
}

const right = wire.metadata({ "Socket-Type": "PAIR" });

/** Metadata of peers, a right one first. */
const METADATA = [
  ...[right, new Uint8Array(0), wire.metadata({ "Socket-Type": "PUB" })],
  ...[wire.metadata({ Identity: "\0" }), wire.bytes("\x01X\xff\xff\xff\xff")],
  wire.metadata({ a: "", b: "", c: "", d: "" }),
];

/** What one peer of ours can say. */
export interface Script {
  /** Bodies of its first command that are right. */
  first: Uint8Array[];
  /** And of its second one, for each metadata. */
  second: Uint8Array[];
  /** Bodies of either that are wrong. */
  wrong: Uint8Array[];
  /** The nonce of its last command. */
  count: number;
  /** What both sides share. */
  key: Uint8Array;
  prefix: string;
}

function scriptOfClient(): Script {
  const server = ours("server");
  const peer = new CurveClientPeer(SERVER.publicKey, CLIENT, CLIENT_SHORT);
  const first = [peer.hello(), peer.hello({ count: 1 })];
  const data = (first[0] as Uint8Array).subarray(6);
  peer.welcomed(server.receive({ name: "HELLO", data }).reply as Uint8Array);
  const initiate = (fields: object) => peer.initiate({ random: RANDOM, count: 2, ...fields });
  const stranger = SERVER_SHORT;
  return {
    first,
    second: METADATA.map((metadata) => initiate({ metadata })),
    wrong: [
      peer.hello({ count: 0 }),
      peer.hello({ version: "\x02\0" }),
      peer.hello({ shortKey: new Uint8Array(32) }),
      peer.hello({ signature: new Uint8Array(64).fill(1) }),
      initiate({ count: 1 }),
      initiate({ key: stranger.publicKey }),
      initiate({ vouchedServer: stranger.publicKey }),
      initiate({ vouchedKey: stranger.publicKey }),
      initiate({ cookie: new Uint8Array(96) }),
    ],
    count: 2,
    key: nacl.box.before(peer.serverShort, CLIENT_SHORT.secretKey),
    prefix: "CurveZMQMESSAGEC",
  };
}

function scriptOfServer(): Script {
  const peer = new CurveServerPeer(SERVER, SERVER_SHORT);
  peer.cookie = new Uint8Array(96).fill(6);
  peer.greeted(ours("client").start() as Uint8Array);
  const welcome = (key?: Uint8Array) => peer.welcome(key, RANDOM);
  return {
    first: [welcome()],
    second: METADATA.map((metadata) => peer.ready(metadata, 1)),
    wrong: [
      welcome(new Uint8Array(32)),
      welcome().subarray(1),
      welcome().fill(0, 100),
      peer.ready(right, 0),
      peer.ready(right, 1).fill(0, 20),
    ],
    count: 1,
    key: nacl.box.before(peer.clientShort, SERVER_SHORT.secretKey),
    prefix: "CurveZMQMESSAGES",
  };
}

/** What the peer says to a side of ours in this role. */
export const SCRIPTS: Record<Role, Script> = {
  client: scriptOfServer(),
  server: scriptOfClient(),
};

/** The body of a MESSAGE. Flags of a frame become those inside. */
export function messageOf(script: Script, count: bigint, { flags, body }: Inner): Uint8Array {
  const number = wire.number(count, 8);
  const inner = (flags & ~4) | ((flags & 4) >> 1);
  const plain = wire.concat(Uint8Array.of(inner), body);
  const sealed = new Uint8Array(16 + plain.length);
  const nonce = wire.concat(script.prefix, number);
  sodium.box.seal(sealed, 0, new Uint8Array(0), plain, nonce, script.key);
  return wire.concat("\x07MESSAGE", number, sealed);
}

/** Whether these are the first two frames of a peer that may be met. */
export function isRight(script: Script, [first, second]: readonly Uint8Array[]): boolean {
  return has(script.first, first) && has(script.second, second);
}

function has(bodies: readonly Uint8Array[], body: Uint8Array | undefined): boolean {
  return body !== undefined && bodies.some((one) => `${one}` === `${body}`);
}

/** The messages in the traffic, until something is wrong with the frames that they came in. */
export function messagesIn(script: Script, octets: Uint8Array): string[] {
  const messages: string[] = [];
  let last = BigInt(script.count);
  let parts: Uint8Array[] = [];
  let index = 0;
  for (const { flags, body, whole } of framesIn(octets.subarray(64))) {
    if (index++ < 2) continue;
    if (!whole || (flags & ~6) !== 0 || body.length < 33) break;
    if (!String.fromCharCode(...body.subarray(0, 8)).startsWith("\x07MESSAGE")) break;
    const count = new DataView(body.buffer, body.byteOffset + 8, 8).getBigUint64(0);
    if (count <= last) break;
    last = count;
    const nonce = wire.concat(script.prefix, body.subarray(8, 16));
    const plain = nacl.secretbox.open(body.slice(16), nonce, script.key);
    if (plain === null) break;
    const inner = plain[0] as number;
    if (inner > 2) break;
    if (inner === 2) continue;
    parts.push(plain.subarray(1));
    if (inner === 1) continue;
    messages.push(digest("message", parts));
    parts = [];
  }
  return messages;
}
