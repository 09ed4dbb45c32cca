/**
 * ZMTP 3.1 (RFC 37) without I/O: octets and the time in, calls out. Runs wherever JavaScript does.
 *
 * @module
 */
export { type Command, decodeCommand, encodeCommand, encodeError, encodePing } from "./command.js";
export { Connection, type ConnectionHandler, type ConnectionOptions } from "./connection.js";
export type { CurveOptions } from "./curve.js";
export type { CurveCipher, CurveKeys, Secretbox } from "./curve-cipher.js";
export { CurveClient } from "./curve-client.js";
export { CurveServer } from "./curve-server.js";
export { decodeDatagram, encodeDatagram } from "./datagram.js";
export { Decoder, type DecoderOptions, type DecoderSink } from "./decoder.js";
export { type Batch, Encoder, SLAB_SIZE, type Slabs } from "./encoder.js";
export { COPY_MAX, type Frame, MAX_HEADER_SIZE } from "./frame.js";
export { encodeGreeting, GREETING_SIZE, type Greeting, GreetingDecoder } from "./greeting.js";
export type { HeartbeatOptions } from "./heartbeat.js";
export { Budget, DEFAULT_LIMITS, type Limits } from "./limits.js";
export type { Mechanism, Refusal, Role, Step, Traffic } from "./mechanism.js";
export { type Memory, plainMemory } from "./memory.js";
export { announce, decodeMetadata, encodeMetadata, type Metadata } from "./metadata.js";
export { NullMechanism } from "./null.js";
export type { Peer } from "./peer.js";
export { type Input, type Phase, TRANSITIONS } from "./phase.js";
export { type PlainLogin, PlainMechanism } from "./plain.js";
export { Press } from "./press.js";
export { PROTOCOL_ERRORS, ProtocolError, type ProtocolErrorCode } from "./protocol-error.js";
export { isCompatible, type SocketTypeName } from "./socket-type.js";
