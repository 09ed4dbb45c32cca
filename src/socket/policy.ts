import {
  type CurveCipher,
  CurveClient,
  type CurveKeys,
  CurveServer,
  type Limits,
  type Mechanism,
  NullMechanism,
  type PlainLogin,
  PlainMechanism,
  type Role,
} from "../zmtp/index.js";
import { curveCipher, loadCurveCipher } from "./sodium.js";

/** How an endpoint is secured. With neither `plain` nor `curve` it is not: NULL. */
export interface Terms {
  /** A client's login, or that we are the server. */
  plain?: PlainLogin | "server";
  /**
   * Keys of 32 octets: our secret one, and the server's public one, if we are a client. Without a
   * secret one we make one up, and nobody can know us.
   */
  curve?: { secretKey: Uint8Array | undefined; serverKey: Uint8Array | undefined };
  /** `ZMQ_ZAP_DOMAIN`, if there is one. */
  domain: Uint8Array | undefined;
  /** `ZMQ_ZAP_ENFORCE_DOMAIN`. */
  enforced: boolean;
}

/** What a mechanism needs to know of its connection. */
export interface Secured {
  /** `server` on the side that binds. */
  role: Role;
  /** Our metadata. */
  properties: Iterable<readonly [string, Uint8Array]>;
  limits: Limits;
}

/**
 * How the connections of one endpoint are secured: as the options said when it was bound or connected
 * (as with libzmq). Options that are set afterwards, for another endpoint say, do not open this one.
 */
export class Policy {
  readonly #terms: Terms;
  #keys: CurveKeys | undefined;

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  get mechanism(): "NULL" | "PLAIN" | "CURVE" {
    if (this.#terms.plain !== undefined) return "PLAIN";
    return this.#terms.curve === undefined ? "NULL" : "CURVE";
  }

  /** Whom to ask about peers: see {@link Terms}. */
  get domain(): Uint8Array | undefined {
    return this.#terms.domain;
  }

  get enforced(): boolean {
    return this.#terms.enforced;
  }

  /**
   * Resolves once {@link open} can be called; undefined: it can. Rejects with ENOTSUP when the
   * ciphers cannot be loaded.
   */
  get ready(): Promise<unknown> | undefined {
    const isReady = this.#terms.curve === undefined || curveCipher() !== undefined;
    return isReady ? undefined : loadCurveCipher();
  }

  /** The part that we play: with NULL the binder is the server. */
  part(role: Role): Role {
    const { plain, curve } = this.#terms;
    if (plain !== undefined) return plain === "server" ? "server" : "client";
    if (curve !== undefined) return curve.serverKey === undefined ? "server" : "client";
    return role;
  }

  /** The mechanism of one connection. */
  open({ role, properties, limits }: Secured): Mechanism {
    const { plain, curve } = this.#terms;
    if (plain !== undefined) {
      const login = plain === "server" ? undefined : plain;
      return new PlainMechanism(this.part(role), login, properties, limits);
    }
    if (curve === undefined) return new NullMechanism(role, properties, limits);
    const cipher = curveCipher() as CurveCipher;
    const options = { cipher, properties, limits };
    this.#keys ??= keysOf(curve.secretKey, cipher);
    if (curve.serverKey === undefined) return new CurveServer(this.#keys, options);
    return new CurveClient(this.#keys, curve.serverKey, options);
  }
}

function keysOf(secretKey: Uint8Array | undefined, cipher: CurveCipher): CurveKeys {
  if (secretKey === undefined) return cipher.keyPair();
  return { secretKey, publicKey: cipher.publicKey(secretKey) };
}
