/** How clients and the process under test secure what they say, and which logins never get anybody in. */
import nacl from "tweetnacl";
import { encode } from "../src/z85.js";

/** Options of a socket, ours or libzmq's. */
type Options = Readonly<Record<string, string | boolean>>;

export interface SoakMechanism {
  name: string;
  server: Options;
  client: Options;
  /** Clients that are not to get in, by what is wrong with them. */
  intruders: Readonly<Record<string, Options>>;
}

/** Who decides about clients: nobody, the option, or a Router in the sockets' context (RFC 27). */
export type JudgeName = "nobody" | "authenticate" | "ZAP";

/** Whom a judge takes all good clients for. */
export const USER = "soak";

const [SERVER, CLIENT, OTHER] = [1, 2, 3].map((octet) => {
  const { publicKey, secretKey } = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(octet));
  return { publicKey: encode(publicKey), secretKey: encode(secretKey) };
}) as [Keys, Keys, Keys];

interface Keys {
  publicKey: string;
  secretKey: string;
}

/** The good clients' name and password. */
export const LOGIN: Readonly<Record<"plainUsername" | "plainPassword", string>> = {
  plainUsername: "admin",
  plainPassword: "s3cret",
};
const KEYS = curveClient(CLIENT, SERVER);

function curveClient({ publicKey, secretKey }: Keys, server: Keys): Options {
  return {
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
    curveServerKey: server.publicKey,
  };
}

export const MECHANISMS: readonly SoakMechanism[] = [
  { name: "NULL", server: {}, client: {}, intruders: { "a login": LOGIN, keys: KEYS } },
  {
    name: "PLAIN",
    server: { plainServer: true },
    client: LOGIN,
    intruders: {
      "no login": {},
      "a wrong password": { ...LOGIN, plainPassword: "s3cret!" },
      "an unknown name": { ...LOGIN, plainUsername: "Admin" },
      keys: KEYS,
    },
  },
  {
    name: "CURVE",
    server: { curveServer: true, curveSecretKey: SERVER.secretKey },
    client: KEYS,
    intruders: {
      "no keys": {},
      "a login": LOGIN,
      "an unknown key": curveClient(OTHER, SERVER),
      "another server's key": curveClient(CLIENT, OTHER),
    },
  },
];

/** Whether a client proves to be a good one, by user name and password or by its public key. */
export function isGood(credentials: readonly Uint8Array[]): boolean {
  const [first = new Uint8Array(0), second] = credentials;
  if (second === undefined) return first.length === 32 && encode(first) === CLIENT.publicKey;
  const [name, password] = [first, second].map((octets) => Buffer.from(octets).toString());
  return name === LOGIN.plainUsername && password === LOGIN.plainPassword;
}
