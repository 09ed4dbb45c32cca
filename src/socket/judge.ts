import { Buffer } from "node:buffer";
import { type Authenticate, consult } from "./authenticate.js";
import type { Policy } from "./policy.js";
import { Question } from "./question.js";
import { decodeReply, encodeRequest, type Verdict, type Zap, type ZapRequest } from "./zap.js";

/** A peer as the judge is told of it. */
export interface Applicant {
  /** Its IP address; empty where it has none. */
  address: string;
  /** Our own routing id. */
  identity: Uint8Array;
  /** Good during the call only. */
  credentials: readonly Uint8Array[];
}

/**
 * So many calls of the application's at a time: peers that ask and go at once do not keep a place in
 * the handshake, but the call goes on.
 */
const CALLS_MAX = 1024;

const NOBODY: Verdict = { kind: "unanswered", code: "ECONNREFUSED" };
const NO_ANSWER: Verdict = { kind: "unanswered", code: "EAGAIN" };
const NO_OCTETS = new Uint8Array(0);

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
    const question = new Question(decided, NO_ANSWER);
    const request = this.#request(applicant, policy);
    // Whoever asks is in the midst of taking what the peer sent.
    queueMicrotask(() => {
      if (!question.open) return;
      if (authenticate === null) this.#askHandler(request, question);
      else this.#call(authenticate, request, question);
    });
    return () => question.takeBack();
  }

  #needsHandler({ mechanism, domain, enforced }: Policy): boolean {
    if (mechanism === "PLAIN" || domain !== undefined || enforced) return true;
    return mechanism === "CURVE" && this.#zap.found;
  }

  #request(applicant: Applicant, { mechanism, domain }: Policy): ZapRequest {
    return {
      id: String(++this.#requests),
      domain: Buffer.from(domain ?? NO_OCTETS),
      address: applicant.address,
      identity: Buffer.from(applicant.identity),
      mechanism,
      credentials: applicant.credentials.map((octets) => Buffer.from(octets)),
    };
  }

  #call(authenticate: Authenticate, request: ZapRequest, question: Question<Verdict>): void {
    if (this.#calls >= CALLS_MAX) {
      question.answer(NO_ANSWER);
      return;
    }
    this.#calls++;
    // It counts until it has settled, even if nobody wants to know any more; but not for ever.
    const call = new Question<void>(() => this.#calls--, undefined);
    void consult(authenticate, request).then((verdict) => {
      call.answer();
      question.answer(verdict);
    });
  }

  #askHandler(request: ZapRequest, question: Question<Verdict>): void {
    if (!this.#zap.found) {
      question.answer(NOBODY);
      return;
    }
    question.drop = this.#zap.ask(encodeRequest(request), (reply) => {
      question.answer(reply === undefined ? NOBODY : decodeReply(reply, request.id));
    });
  }
}
