import nacl from "tweetnacl";
import { loadCurveCipher } from "../../src/socket/sodium.js";
import {
  announce,
  type ConnectionOptions,
  type CurveCipher,
  CurveClient,
  type CurveKeys,
  CurveServer,
  DEFAULT_LIMITS,
} from "../../src/zmtp/index.js";
import { VirtualClock } from "./clock.js";
import { ConnectionPair, connectionOptions, Side } from "./connection-pair.js";
import { greeting } from "./wire.js";

/** The cipher that we ship. */
export const sodium: CurveCipher = await loadCurveCipher();

/** Pairs of keys that are the same in every test. */
export const SERVER: CurveKeys = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(1));
export const CLIENT: CurveKeys = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(2));

export const GREETING: Uint8Array = greeting({ mechanism: "CURVE" });

interface Choice extends Partial<ConnectionOptions> {
  cipher?: CurveCipher;
  keys?: CurveKeys;
  serverKey?: Uint8Array;
}

export function curveClient(choice: Choice = {}): CurveClient {
  const { cipher = sodium, keys = CLIENT, serverKey = SERVER.publicKey } = choice;
  const { limits = DEFAULT_LIMITS, socketType = "PAIR" } = choice;
  const properties = announce(socketType, undefined);
  return new CurveClient(keys, serverKey, { cipher, properties, limits });
}

export function curveServer(choice: Choice = {}): CurveServer {
  const { cipher = sodium, keys = SERVER } = choice;
  const { limits = DEFAULT_LIMITS, socketType = "PAIR" } = choice;
  const properties = announce(socketType, undefined);
  return new CurveServer(keys, { cipher, properties, limits });
}

/** Two of ours. */
export function curvePair(client: Choice = {}, server: Choice = {}): ConnectionPair {
  return new ConnectionPair(
    { ...client, mechanism: curveClient(client) },
    { ...server, mechanism: curveServer(server) },
  );
}

/** One of ours that has its peer's greeting. */
export function greeted(role: "client" | "server", choice: Choice = {}) {
  const clock = new VirtualClock();
  const mechanism = role === "client" ? curveClient(choice) : curveServer(choice);
  const side = new Side(connectionOptions(role, { ...choice, mechanism }), clock);
  side.output();
  side.feed(GREETING);
  return { side, clock, mechanism };
}

/** The body of the only frame in `octets`. */
export function bodyOf(octets: Uint8Array): Uint8Array {
  return octets.subarray(((octets[0] as number) & 2) !== 0 ? 9 : 2);
}
