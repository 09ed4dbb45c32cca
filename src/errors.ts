import { constants } from "node:os";

/** An error with the code and number that the same failure has in npm zeromq and libzmq. */
export interface ErrnoError extends Error {
  /** The platform's number, positive, or ZeroMQ's own (`ZMQ_HAUSNUMERO` + n). */
  errno: number;
  /** The name of the error, such as `EAGAIN`. */
  code: string;
  /** The endpoint that the failed call named. */
  address?: string;
}

/** ZeroMQ's own error numbers start here (`ZMQ_HAUSNUMERO`). */
const HAUSNUMERO = 156_384_712;

const MESSAGES = {
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EACCES: "Permission denied",
  EAGAIN: "Operation was not possible or timed out",
  EBADF: "Socket is closed",
  EBUSY: "Socket is busy",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EFAULT: "Context is closed",
  EFSM: "Operation cannot be accomplished in current state",
  EHOSTUNREACH: "Host unreachable",
  EINVAL: "Invalid argument",
  EMSGSIZE: "Message too long",
  EMFILE: "Too many open file descriptors",
  ENAMETOOLONG: "File name too long",
  ENOCOMPATPROTO: "The protocol is not compatible with the socket type",
  ENOBUFS: "No buffer space available",
  ENODEV: "No such device",
  ENOENT: "No such endpoint",
  ENOTSOCK: "Socket operation on non-socket",
  ENOTDIR: "Not a directory",
  ENOTSUP: "Operation not supported",
  EPIPE: "Broken pipe",
  EPROTONOSUPPORT: "Protocol not supported",
  ETIMEDOUT: "Connection timed out",
} as const;

/**
 * Makes the error for `code`.
 * @param message Replaces the usual text.
 * @internal
 */
export function errnoError(code: string, address?: string, message?: string): ErrnoError {
  const text = message ?? (MESSAGES as Readonly<Record<string, string>>)[code] ?? code;
  const error = new Error(text) as ErrnoError;
  error.errno = errnoOf(code);
  error.code = code;
  if (address !== undefined) error.address = address;
  Error.captureStackTrace?.(error, errnoError);
  return error;
}

/**
 * Gives an error of the operating system the shape of ours: its code, our text and address.
 * @internal
 */
export function fromSystem(error: NodeJS.ErrnoException, address?: string): ErrnoError {
  return errnoError(error.code ?? "EINVAL", address, knownText(error));
}

function knownText(error: NodeJS.ErrnoException): string {
  const text = (MESSAGES as Readonly<Record<string, string>>)[error.code ?? ""];
  return text ?? error.message;
}

function errnoOf(code: string): number {
  if (code === "EFSM") return HAUSNUMERO + 51;
  if (code === "ENOCOMPATPROTO") return HAUSNUMERO + 52;
  return (constants.errno as Readonly<Record<string, number>>)[code] ?? HAUSNUMERO;
}
