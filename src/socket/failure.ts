import { type ErrnoError, errnoError, fromSystem } from "../errors.js";
import type { AuthError, ProtoError } from "../events.js";
import type { EndReason } from "../transport/engine.js";
import type { ProtocolError } from "../zmtp/index.js";
import { type Verdict, ZAP_ERRORS } from "./zap.js";

/** An event that tells why a connection came to nothing, but for whose it was. */
type Failure =
  | { type: "handshake:error:auth"; error: AuthError }
  | { type: "handshake:error:protocol"; error: ProtoError }
  | { type: "handshake:error:other"; error: ErrnoError };

/** npm zeromq's texts. */
const AUTH_TEXTS = {
  "300": "Temporary error",
  "400": "Authentication failure",
  "500": "Internal error",
} as const;

type Status = keyof typeof AUTH_TEXTS;

/** What there is to tell of the end of a connection; undefined when its handshake was done. */
export function failureOf(reason: EndReason, established: boolean): Failure | undefined {
  if (reason.kind === "protocol") return protocolFailure(reason.error);
  if (established) return undefined;
  return { type: "handshake:error:other", error: whyFailed(reason) };
}

/** What there is to tell of a peer that we did not let in. */
export function refusalOf(verdict: Exclude<Verdict, { kind: "allowed" }>): Failure {
  switch (verdict.kind) {
    case "refused":
      return authFailure(verdict.status, verdict.cause);
    case "malformed": {
      const cause = new Error(ZAP_ERRORS[verdict.code]);
      const error = Object.assign(new Error("ZAP protocol error", { cause }), {
        code: verdict.code,
      });
      return { type: "handshake:error:protocol", error };
    }
    case "unanswered":
      return { type: "handshake:error:other", error: errnoError(verdict.code) };
  }
}

/** A peer's ERROR with a status is its refusal; the cause says what exactly was wrong. */
function protocolFailure(cause: ProtocolError): Failure {
  if (cause.code === "ERR_ZMTP_PEER_ERROR" || cause.code === "ERR_ZMTP_UNPROVEN_ERROR") {
    const status = cause.detail ?? "";
    if (Object.hasOwn(AUTH_TEXTS, status)) return authFailure(status as Status, cause);
  }
  const error = Object.assign(new Error("ZMTP protocol error", { cause }), { code: cause.code });
  return { type: "handshake:error:protocol", error };
}

function authFailure(status: Status, cause: unknown): Failure {
  const options = cause === undefined ? undefined : { cause };
  const error = Object.assign(new Error(AUTH_TEXTS[status], options), {
    status: Number(status) as AuthError["status"],
  });
  return { type: "handshake:error:auth", error };
}

/** As libzmq tells of a handshake that got nowhere. */
function whyFailed(reason: Exclude<EndReason, { kind: "protocol" }>): ErrnoError {
  if (reason.kind === "timeout") return errnoError("EAGAIN");
  return reason.error === undefined ? errnoError("EPIPE") : fromSystem(reason.error);
}
