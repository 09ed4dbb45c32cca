import type { AuthenticationRequest } from "../../src/index.js";
import { CURVE, type Dialect, NULL, PLAIN } from "./dialects.js";
import type { PartyOptions } from "./matrix-party.js";
import type { PeerOptions } from "./peer-process.js";

/** A security mechanism, for tests that hold for each of them: ours or libzmq's, as the options say. */
export interface MechanismOptions {
  name: Dialect["name"];
  /** Of the socket that binds. */
  server: PeerOptions;
  /** Of the socket that connects. */
  client: PeerOptions;
  /** Of that which binds, if it is ours: who decides about peers. One of libzmq's has a handler of ZAP beside it. */
  judge: PartyOptions;
}

const { plainPassword: PASSWORD } = PLAIN.client as { plainPassword: string };

const mechanismOf = ({ name, server, client }: Dialect, judge = {}): MechanismOptions => ({
  name,
  server: server as PeerOptions,
  client: client as PeerOptions,
  judge,
});

/** The one place where another is to be added for the faults. */
export const MECHANISMS: readonly MechanismOptions[] = [
  mechanismOf(NULL),
  mechanismOf(PLAIN, {
    authenticate: ({ password }: AuthenticationRequest) => password === PASSWORD,
  }),
  mechanismOf(CURVE),
];
