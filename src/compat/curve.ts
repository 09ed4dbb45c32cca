import { curveKeyPair } from "../index.js";

/** Makes a pair of keys for CURVE (`zmq_curve_keypair`), each as 40 characters of Z85 (RFC 32). */
export function curveKeypair(): { public: string; secret: string } {
  const { publicKey, secretKey } = curveKeyPair();
  return { public: publicKey, secret: secretKey };
}
