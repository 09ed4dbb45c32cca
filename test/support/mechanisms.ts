import type { PeerOptions } from "./peer-process.js";

/** A security mechanism, for tests that hold for each of them: ours or libzmq's, as the options say. */
export interface MechanismOptions {
  name: string;
  /** Of the socket that binds. */
  server: PeerOptions;
  /** Of the socket that connects. */
  client: PeerOptions;
}

/** The one place where another is to be added for the faults. */
export const MECHANISMS: readonly MechanismOptions[] = [{ name: "NULL", server: {}, client: {} }];
