import { announce, DEFAULT_LIMITS, encodeGreeting, NullMechanism } from "../../src/zmtp/index.js";

/** What a PAIR announces. */
export const properties = announce("PAIR", undefined);

/** The octets of a binder that lets us in. */
export function welcome(): Uint8Array {
  const ready = new NullMechanism("server", properties, DEFAULT_LIMITS).admit() as Uint8Array;
  return Buffer.concat([encodeGreeting("NULL", false), Buffer.of(4, ready.length), ready]);
}
