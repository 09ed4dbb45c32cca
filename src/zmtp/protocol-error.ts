/**
 * What can end a connection, as a stable table: the codes are public, and a program may compare
 * them. Names that npm zeromq has too mean there what they mean here, but for a message before the
 * handshake is done: ERR_ZMTP_INVALID_SEQUENCE here, ERR_ZMTP_UNEXPECTED_COMMAND in libzmq.
 */
export const PROTOCOL_ERRORS = {
  ERR_ZMTP_UNSUPPORTED_VERSION: "The peer does not speak ZMTP 3.0 or newer",
  ERR_ZMTP_MECHANISM_MISMATCH: "The peer announces another security mechanism",
  ERR_ZMTP_MALFORMED_GREETING: "The peer's greeting is malformed",
  ERR_ZMTP_MALFORMED_FRAME: "A frame's flags are not allowed",
  ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED: "A command's name does not fit its body",
  ERR_ZMTP_MALFORMED_COMMAND_HELLO: "A HELLO command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_WELCOME: "A WELCOME command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_INITIATE: "An INITIATE command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_READY: "A READY command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_MESSAGE: "A MESSAGE command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_ERROR: "An ERROR command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_PING: "A PING command is malformed",
  ERR_ZMTP_MALFORMED_COMMAND_PONG: "A PONG command is malformed",
  ERR_ZMTP_UNEXPECTED_COMMAND: "A command came that the handshake does not allow here",
  ERR_ZMTP_INVALID_SEQUENCE: "A message before the handshake was done, or a nonce that is not new",
  ERR_ZMTP_INVALID_METADATA: "The peer's metadata is not allowed",
  ERR_ZMTP_CRYPTOGRAPHIC: "A key or a box is not what it should be",
  ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE: "The peer's socket type cannot talk to ours",
  ERR_ZMTP_PEER_ERROR: "The peer refused the handshake with an ERROR command",
  ERR_ZMTP_UNPROVEN_ERROR: "An ERROR command came that anybody on the way may have sent",
  ERR_ZMTP_MALFORMED_MESSAGE: "A message is not one that this socket type takes",
  ERR_ZMTP_MESSAGE_TOO_LARGE: "A frame is larger than maxMessageSize",
  ERR_ZMTP_MULTIPART_TOO_LARGE: "A multipart message is larger than maxMultipartSize",
  ERR_ZMTP_TOO_MANY_FRAMES: "A multipart message has more frames than maxFrames",
  ERR_ZMTP_COMMAND_TOO_LARGE: "A command is larger than its limit",
  ERR_ZMTP_TOO_MANY_PROPERTIES: "The peer's metadata has more properties than maxProperties",
  ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS: "The peer subscribes to more than it may",
  ERR_ZMTP_ASSEMBLY_LIMIT: "Too many bytes of unfinished messages are being held",
  ERR_ZMTP_HANDSHAKE_TIMEOUT: "The handshake took too long",
  ERR_ZMTP_HEARTBEAT_TIMEOUT: "The peer fell silent",
} as const;

/** One of the codes of {@link PROTOCOL_ERRORS}. */
export type ProtocolErrorCode = keyof typeof PROTOCOL_ERRORS;

/**
 * A peer broke the protocol, a limit or a deadline; its connection is over. Nothing else that a
 * peer does makes this folder throw: any other exception is a bug of ours.
 */
export class ProtocolError extends Error {
  /** What the peer did: a key of {@link PROTOCOL_ERRORS}. */
  readonly code: ProtocolErrorCode;
  /** What exactly was seen; of an ERROR command, the peer's reason. */
  readonly detail: string | undefined;

  /**
   * @param code The stable code.
   * @param detail What exactly was seen, appended to the code's text.
   */
  constructor(code: ProtocolErrorCode, detail?: string) {
    super(detail === undefined ? PROTOCOL_ERRORS[code] : `${PROTOCOL_ERRORS[code]}: ${detail}`);
    this.name = "ProtocolError";
    this.code = code;
    this.detail = detail;
  }

  /** Whether the peer was too slow (true) or wrong (false). */
  get isTimeout(): boolean {
    return this.code === "ERR_ZMTP_HANDSHAKE_TIMEOUT" || this.code === "ERR_ZMTP_HEARTBEAT_TIMEOUT";
  }
}
