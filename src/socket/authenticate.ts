import { Buffer } from "node:buffer";
import type { Message } from "../message.js";
import { encode } from "../z85.js";
import type { Verdict, ZapRequest } from "./zap.js";

/** Who asks to be let in: what an {@link Authenticate} function gets. */
export interface AuthenticationRequest {
  /** How the peer proved itself: not at all, by a password, or by its key. */
  mechanism: "NULL" | "PLAIN" | "CURVE";
  /** The socket's `zapDomain`; empty when it has none. */
  domain: string;
  /** The peer's IP address; empty over ipc. */
  address: string;
  /** The socket's own routing id, as RFC 27 has it; empty when it has none. */
  identity: Message;
  /** With PLAIN. */
  username?: string;
  /** With PLAIN. */
  password?: string;
  /** With CURVE: the client's public key, as 40 characters of Z85. The client has the secret one. */
  publicKey?: string;
  /** The same as RFC 27 hands it to a handler: nothing, user name and password, or 32 octets. */
  credentials: Message[];
}

/**
 * A peer that may come in, and what is known of it: one of the two at least, for an object that says
 * neither (`{ ok: false }`, an Error) means no such thing. Of whom nothing is known true lets in.
 */
export interface Allowance {
  /** Who it is (RFC 27, "user id"): told by events and `stats()`. */
  userId?: string;
  /** What else is known of it, told likewise. Names of letters, digits and `-_.+`, in any case, 255 at most. */
  metadata?: Readonly<Record<string, string | Uint8Array>>;
}

/** A peer that may not. */
export interface Denial {
  /** 300: not now, it may try again; 400: never; 500: we could not find out (RFC 27). */
  status: 300 | 400 | 500;
}

/** What becomes of a peer: true or an {@link Allowance} lets it in, false is a status of 400. */
export type AuthenticationReply = boolean | Allowance | Denial;

/** Decides who may come in. What it throws, or rejects with, is a status of 500. */
export type Authenticate = (
  request: AuthenticationRequest,
) => AuthenticationReply | Promise<AuthenticationReply>;

/**
 * Asks the application. Whatever it does that it should not, nobody gets in.
 * @internal
 */
export async function consult(authenticate: Authenticate, request: ZapRequest): Promise<Verdict> {
  try {
    return toVerdict(await authenticate(toCaller(request)));
  } catch (cause) {
    return { kind: "refused", status: "500", cause };
  }
}

function toCaller(request: ZapRequest): AuthenticationRequest {
  const { mechanism, domain, address, identity, credentials } = request;
  const [first, second] = credentials;
  return {
    mechanism,
    domain: String(domain),
    address,
    identity,
    ...(mechanism === "PLAIN" && { username: String(first), password: String(second) }),
    ...(mechanism === "CURVE" && { publicKey: encode(first as Buffer) }),
    credentials,
  };
}

/** @throws TypeError when it is not what the application is to answer. */
function toVerdict(reply: AuthenticationReply): Verdict {
  if (typeof reply === "boolean") {
    return reply ? allowed({}) : { kind: "refused", status: "400" };
  }
  if (reply === null || typeof reply !== "object") {
    throw new TypeError("authenticate must answer with a boolean or an object");
  }
  if ("status" in reply) return denied(reply);
  if ("userId" in reply || "metadata" in reply) return allowed(reply);
  throw new TypeError(
    "An object that authenticate answers with must say a userId, metadata or a status",
  );
}

const STATUSES = ["300", "400", "500"] as const;

function denied(reply: Denial): Verdict {
  const status = STATUSES.find((it) => it === String(reply.status));
  if (status === undefined) throw new TypeError("A denial's status must be 300, 400 or 500");
  return { kind: "refused", status };
}

const NAME = /^[A-Za-z0-9\-_.+]{1,255}$/;

function allowed({ userId = "", metadata = {} }: Allowance): Verdict {
  if (typeof userId !== "string") throw new TypeError("A user id must be a string");
  return {
    kind: "allowed",
    userId,
    metadata: new Map(
      Object.entries(metadata).map(([name, value]) => [toName(name), toOctets(value)]),
    ),
  };
}

/** As in a ZAP handler's metadata. */
function toName(name: string): string {
  if (!NAME.test(name))
    throw new TypeError("A name in metadata has letters, digits and -_.+ alone");
  return name.toLowerCase();
}

function toOctets(value: unknown): Buffer {
  if (typeof value === "string" || value instanceof Uint8Array) return Buffer.from(value as string);
  throw new TypeError("Metadata must be strings or octets");
}
