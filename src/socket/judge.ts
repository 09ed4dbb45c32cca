import { Buffer } from "node:buffer";
import { type Authenticate, consult } from "./authenticate.js";
import type { Zap } from "./context-core.js";
import type { Policy } from "./policy.js";
import { decodeReply, encodeRequest, type Verdict, type ZapRequest } from "./zap.js";

/** A peer as the judge is told of it. */
export type Applicant = Pick<ZapRequest, "address" | "identity" | "credentials">;

/** Who is asked has this long, in milliseconds, even if handshakes may take for ever. */
const PATIENCE_MS = 30_000;

/**
 * So many calls of the application's at a time: peers that ask and go at once do not keep a place in
 * the handshake, but the call goes on.
 */
const CALLS_MAX = 1024;

const NO_OCTETS = Buffer.alloc(0);

/**
 * Decides about a socket's peers: asks the application's `authenticate` function, or else the
 * context's ZAP handler.
 *
 * A handler is asked whenever the socket names a domain or enforces one, always with PLAIN, and
 * with CURVE where there is one. If it has to be asked and is not there, nobody gets in.
 */
export class Judge {
  /** The application's own. */
  authenticate: Authenticate | null = null;
  readonly #zap: Zap;
  #requests = 0;
  /** Calls of the application's that have not settled, nor taken too long. */
  #calls = 0;

  constructor(zap: Zap) {
    this.#zap = zap;
  }

  /** Whether there is anybody to be asked about the peers of an endpoint, or has to be. */
  isFor(policy: Policy): boolean {
    return this.authenticate !== null || this.#needsHandler(policy);
  }

  /**
   * Asks what to do with a peer.
   * @param decided Called once, never before this returns.
   * @returns Takes the question back; undefined when everybody may come in.
   */
  ask(
    applicant: Applicant,
    policy: Policy,
    decided: (verdict: Verdict) => void,
  ): (() => void) | undefined {
    if (!this.isFor(policy)) return undefined;
    const { authenticate } = this;
    let open = true;
    let takeBack = (): void => {};
    const end = (): void => {
      open = false;
      clearTimeout(timer);
      takeBack();
    };
    const answered = (verdict: Verdict): void => {
      if (!open) return;
      end();
      decided(verdict);
    };
    const timer = setTimeout(() => answered({ kind: "unanswered", code: "EAGAIN" }), PATIENCE_MS);
    timer.unref();
    // Whoever asks is in the midst of taking what the peer sent.
    const request = this.#request(applicant, policy);
    queueMicrotask(() => {
      if (!open) return;
      if (authenticate === null) takeBack = this.#askHandler(request, answered);
      else this.#call(authenticate, request, answered);
    });
    return end;
  }

  #needsHandler({ mechanism, domain, enforced }: Policy): boolean {
    if (mechanism === "PLAIN" || domain !== undefined || enforced) return true;
    return mechanism === "CURVE" && this.#zap.found;
  }

  #request(applicant: Applicant, { mechanism, domain }: Policy): ZapRequest {
    return {
      ...applicant,
      // What the peer sent lies in memory that is used again.
      credentials: applicant.credentials.map((octets) => Buffer.from(octets)),
      id: String(++this.#requests),
      domain: domain ?? NO_OCTETS,
      mechanism,
    };
  }

  #call(
    authenticate: Authenticate,
    request: ZapRequest,
    answered: (verdict: Verdict) => void,
  ): void {
    if (this.#calls >= CALLS_MAX) {
      answered({ kind: "unanswered", code: "EAGAIN" });
      return;
    }
    this.#calls++;
    let counts = true;
    const over = (): void => {
      clearTimeout(timer);
      if (counts) this.#calls--;
      counts = false;
    };
    const timer = setTimeout(over, PATIENCE_MS);
    timer.unref();
    void consult(authenticate, request).then((verdict) => {
      over();
      answered(verdict);
    });
  }

  #askHandler(request: ZapRequest, answered: (verdict: Verdict) => void): () => void {
    if (!this.#zap.found) {
      answered({ kind: "unanswered", code: "ECONNREFUSED" });
      return () => {};
    }
    return this.#zap.ask(encodeRequest(request), (reply) => {
      if (reply === undefined) answered({ kind: "unanswered", code: "ECONNREFUSED" });
      else answered(decodeReply(reply, request.id));
    });
  }
}
