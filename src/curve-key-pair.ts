import { builtin } from "./builtin.js";
import { encode } from "./z85.js";

const KEY_SIZE = 32;

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
  // To export a KeyObject holds a lock that Node's garbage collector, if it runs just then, waits for.
  const { publicKey, privateKey } = crypto.generateKeyPairSync("x25519", {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  return { publicKey: keyIn(publicKey), secretKey: keyIn(privateKey) };
}

/** The key stands at the end of its encoding (RFC 8410). */
function keyIn(der: Uint8Array): string {
  return encode(der.subarray(-KEY_SIZE));
}
