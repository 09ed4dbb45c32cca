import nacl from "tweetnacl";
import { encode } from "../../src/z85.js";
import { CurveClientPeer, CurveServerPeer, type Keys } from "./curve-peer.js";
import type { MockPeer } from "./mock-peer.js";
import { command, commandBody, concat, frame, framesIn, greeting, pong } from "./wire.js";

/** The part that a peer of ours plays in the handshake: ours plays the other one. */
export type Part = "client" | "server";

/** A peer whose part of the handshake is done. */
export interface Speaker {
  /** What it says when it means these frames, which must be whole. */
  say(frames: Uint8Array): Uint8Array;
  /** Resolves when it has heard a PONG with this context. */
  hears(context: string): Promise<void>;
}

/** A security mechanism, as a peer made of octets speaks it. */
export interface Dialect {
  name: "NULL" | "PLAIN" | "CURVE";
  greeting: Uint8Array;
  /** Options of a socket, ours or libzmq's, that is the server, and of one that is the client. */
  server: object;
  client: object;
  /** Octets by which a frame's body is longer on the wire. */
  overhead: number;
  /** How often a peer says what it says without end: each frame may have to be sealed. */
  flood: number;
  /** The command by which a peer says who it is. */
  carrier: Record<Part, "READY" | "INITIATE">;
  /**
   * Does a peer's part of the handshake, up to the metadata that it is given.
   * @param send How it says what it says.
   */
  introduce(
    peer: MockPeer,
    part: Part,
    properties: Uint8Array,
    send?: (octets: Uint8Array) => Promise<void>,
  ): Promise<Speaker>;
}

const atOnce = (peer: MockPeer) => async (octets: Uint8Array) => peer.send(octets);

/** Where each octet is as it was meant. */
class ClearSpeaker implements Speaker {
  readonly #peer: MockPeer;

  constructor(peer: MockPeer) {
    this.#peer = peer;
  }

  say(frames: Uint8Array): Uint8Array {
    return frames;
  }

  hears(context: string): Promise<void> {
    return this.#peer.saw(pong(context));
  }
}

/** What HELLO holds under PLAIN. */
export const LOGIN = "\x05admin\x06secret";

export const NULL: Dialect = {
  name: "NULL",
  greeting: greeting(),
  server: {},
  client: {},
  overhead: 0,
  flood: 100_000,
  carrier: { client: "READY", server: "READY" },
  async introduce(peer, _, properties, send = atOnce(peer)) {
    await send(concat(NULL.greeting, command("READY", properties)));
    return new ClearSpeaker(peer);
  },
};

export const PLAIN: Dialect = {
  name: "PLAIN",
  greeting: greeting({ mechanism: "PLAIN" }),
  server: { plainServer: true },
  client: { plainUsername: "admin", plainPassword: "secret" },
  overhead: 0,
  flood: 100_000,
  carrier: { client: "INITIATE", server: "READY" },
  async introduce(peer, part, properties, send = atOnce(peer)) {
    const first = part === "client" ? command("HELLO", LOGIN) : command("WELCOME");
    await send(concat(PLAIN.greeting, first, command(PLAIN.carrier[part], properties)));
    return new ClearSpeaker(peer);
  },
};

/** Keys that are the same in every test: the server's, and those of all clients. */
export const SERVER_KEYS: Keys = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(3));
/** A good peer would make new ones for each connection; that takes a while. */
const CLIENT_SHORT: Keys = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(5));
const SERVER_SHORT: Keys = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(6));
const CLIENT_KEYS: Keys = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(4));

const asCommand = { command: true };

/** The body of the next frame that a peer hears. */
async function bodyOfNext(peer: MockPeer): Promise<Buffer> {
  const [flags = 0] = await peer.read(1);
  const isLong = (flags & 2) !== 0;
  const size = await peer.read(isLong ? 8 : 1);
  return peer.read(isLong ? Number(size.readBigUInt64BE()) : (size[0] as number));
}

/** The flags inside a MESSAGE, as libzmq has them. */
const innerFlags = (flags: number) => (flags & 1) | ((flags & 4) >> 1);

/** Whose frames are sealed, each in a MESSAGE. */
export class CurveSpeaker<P extends CurveClientPeer | CurveServerPeer> implements Speaker {
  readonly party: P;
  readonly #peer: MockPeer;

  constructor(peer: MockPeer, party: P) {
    this.#peer = peer;
    this.party = party;
  }

  say(frames: Uint8Array): Uint8Array {
    return concat(
      ...framesIn(frames).map(({ flags, body }) =>
        frame(this.party.message(innerFlags(flags), body)),
      ),
    );
  }

  async hears(context: string): Promise<void> {
    const wanted = Buffer.from(commandBody("PONG", context));
    for (;;) {
      const body = await bodyOfNext(this.#peer);
      // The end of the handshake is the only command here.
      if (body[0] === 5) continue;
      if (Buffer.from(this.party.read(body)).subarray(1).equals(wanted)) return;
    }
  }
}

/** A client that has sent HELLO, and has its WELCOME. */
export async function welcomed(
  peer: MockPeer,
  send = atOnce(peer),
): Promise<CurveSpeaker<CurveClientPeer>> {
  const party = new CurveClientPeer(SERVER_KEYS.publicKey, CLIENT_KEYS, CLIENT_SHORT);
  await send(concat(CURVE.greeting, frame(party.hello(), asCommand)));
  await peer.read(CURVE.greeting.length);
  party.welcomed(await bodyOfNext(peer));
  return new CurveSpeaker(peer, party);
}

/** A server that has a client's HELLO. */
export async function greeted(
  peer: MockPeer,
  send = atOnce(peer),
): Promise<CurveSpeaker<CurveServerPeer>> {
  const party = new CurveServerPeer(SERVER_KEYS, SERVER_SHORT);
  await send(CURVE.greeting);
  await peer.read(CURVE.greeting.length);
  party.greeted(await bodyOfNext(peer));
  return new CurveSpeaker(peer, party);
}

/** A server that has said WELCOME, and has the client's INITIATE. */
export async function initiated(
  peer: MockPeer,
  send = atOnce(peer),
): Promise<CurveSpeaker<CurveServerPeer>> {
  const speaker = await greeted(peer, send);
  await send(frame(speaker.party.welcome(), asCommand));
  speaker.party.initiated(await bodyOfNext(peer));
  return speaker;
}

export const CURVE: Dialect = {
  name: "CURVE",
  greeting: greeting({ mechanism: "CURVE" }),
  server: { curveServer: true, curveSecretKey: encode(SERVER_KEYS.secretKey) },
  client: {
    curveServerKey: encode(SERVER_KEYS.publicKey),
    curvePublicKey: encode(CLIENT_KEYS.publicKey),
    curveSecretKey: encode(CLIENT_KEYS.secretKey),
  },
  overhead: 33,
  flood: 20_000,
  carrier: { client: "INITIATE", server: "READY" },
  async introduce(peer, part, metadata, send = atOnce(peer)) {
    if (part === "client") {
      const speaker = await welcomed(peer, send);
      await send(frame(speaker.party.initiate({ metadata }), asCommand));
      return speaker;
    }
    const speaker = await initiated(peer, send);
    await send(frame(speaker.party.ready(metadata), asCommand));
    return speaker;
  },
};

export const DIALECTS: readonly Dialect[] = [NULL, PLAIN, CURVE];
