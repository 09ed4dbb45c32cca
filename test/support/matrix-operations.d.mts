import type { Batch, Summary } from "./payload.mjs";

/** A socket of ours or of npm zeromq's. */
export interface Operand {
  send(message: never): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  sendTimeout?: number;
  receiveTimeout?: number;
}

/** Parts of a message, in front of its body: a routing id, a delimiter. */
export type Envelope = readonly (string | Uint8Array)[];

/** The same, to be compared with: null stands for any part. */
export type EnvelopePattern = readonly (string | Uint8Array | null)[];

export interface SendRequest {
  batch: Batch;
  before?: Envelope | undefined;
  timeoutMs?: number | undefined;
  untilFull?: boolean | undefined;
}

export interface ReceiveRequest {
  count?: number | undefined;
  last?: number | undefined;
  except?: readonly number[] | undefined;
  before?: EnvelopePattern | undefined;
  timeoutMs?: number | undefined;
}

export interface EchoRequest {
  count: number;
  before?: EnvelopePattern | undefined;
  timeoutMs?: number | undefined;
}

export interface PartsRequest {
  parts: Envelope;
  timeoutMs?: number | undefined;
}

export interface OctetsRequest {
  peer: Uint8Array;
  size: number;
  timeoutMs?: number | undefined;
}

/** How far it came, and whether it was stuck there. */
export interface Progress {
  sent: number;
  full: boolean;
}

export function send(socket: Operand, request: SendRequest): Promise<Progress>;
export function receive(socket: Operand, request: ReceiveRequest): Promise<Summary>;
export function echo(socket: Operand, request: EchoRequest): Promise<Summary>;
export function ask(socket: Operand, request: SendRequest): Promise<Summary>;
export function sendParts(socket: Operand, request: PartsRequest): Promise<void>;
export function receiveParts(
  socket: Operand,
  request: { timeoutMs?: number | undefined },
): Promise<Buffer[]>;
export function receiveOctets(socket: Operand, request: OctetsRequest): Promise<Buffer>;
export function subscribe(socket: Operand, request: { topic: Uint8Array }): Promise<void>;
export function unsubscribe(socket: Operand, request: { topic: Uint8Array }): Promise<void>;
