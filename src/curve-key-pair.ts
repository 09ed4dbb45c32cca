import { Buffer } from "node:buffer";
import { builtin } from "./builtin.js";
import { encode } from "./z85.js";

/** Two keys that belong together, each as 40 characters of Z85 (RFC 32). */
export interface CurveKeyPair {
  publicKey: string;
  secretKey: string;
}

/**
 * Makes a pair of keys for CURVE (`zmq_curve_keypair`, RFC 26): of X25519, from the system's source
 * of randomness. Anybody may know the public key, the secret one only who made it.
 */
export function curveKeyPair(): CurveKeyPair {
  // Not imported: it takes 3 ms to load, and few call this.
  const crypto = builtin<typeof import("node:crypto")>("node:crypto");
  const { privateKey } = crypto.generateKeyPairSync("x25519");
  const { x, d } = privateKey.export({ format: "jwk" });
  return { publicKey: toText(x), secretKey: toText(d) };
}

function toText(base64url: string | undefined): string {
  return encode(Buffer.from(base64url as string, "base64url"));
}
