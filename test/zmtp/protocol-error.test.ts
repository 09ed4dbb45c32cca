import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PROTOCOL_ERRORS, ProtocolError } from "../../src/zmtp/protocol-error.js";

/** Public and stable: a code may be added here, never renamed or removed. */
const CODES = [
  "ERR_ZMTP_UNSUPPORTED_VERSION",
  "ERR_ZMTP_MECHANISM_MISMATCH",
  "ERR_ZMTP_MALFORMED_GREETING",
  "ERR_ZMTP_MALFORMED_FRAME",
  "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
  "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
  "ERR_ZMTP_MALFORMED_COMMAND_WELCOME",
  "ERR_ZMTP_MALFORMED_COMMAND_INITIATE",
  "ERR_ZMTP_MALFORMED_COMMAND_READY",
  "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE",
  "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
  "ERR_ZMTP_MALFORMED_COMMAND_PING",
  "ERR_ZMTP_MALFORMED_COMMAND_PONG",
  "ERR_ZMTP_UNEXPECTED_COMMAND",
  "ERR_ZMTP_INVALID_SEQUENCE",
  "ERR_ZMTP_INVALID_METADATA",
  "ERR_ZMTP_CRYPTOGRAPHIC",
  "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE",
  "ERR_ZMTP_PEER_ERROR",
  "ERR_ZMTP_UNPROVEN_ERROR",
  "ERR_ZMTP_MALFORMED_MESSAGE",
  "ERR_ZMTP_MESSAGE_TOO_LARGE",
  "ERR_ZMTP_MULTIPART_TOO_LARGE",
  "ERR_ZMTP_TOO_MANY_FRAMES",
  "ERR_ZMTP_COMMAND_TOO_LARGE",
  "ERR_ZMTP_TOO_MANY_PROPERTIES",
  "ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS",
  "ERR_ZMTP_ASSEMBLY_LIMIT",
  "ERR_ZMTP_HANDSHAKE_TIMEOUT",
  "ERR_ZMTP_HEARTBEAT_TIMEOUT",
];

describe("the error codes", () => {
  it("are these", () => expect(Object.keys(PROTOCOL_ERRORS)).toEqual(CODES));

  it("say each something else", () => {
    expect(new Set(Object.values(PROTOCOL_ERRORS)).size).toBe(CODES.length);
  });

  it("have a row each in the documentation, and no other code has one", () => {
    const page = new URL("../../docs/protocol-errors.md", import.meta.url);
    const rows = readFileSync(page, "utf8").matchAll(/^\| *`(\w+)`( \*)? *\| *\S.*\|$/gm);
    expect([...rows].map(([, code]) => code).sort()).toEqual(Object.keys(PROTOCOL_ERRORS).sort());
  });
});

describe("a ProtocolError", () => {
  it("has a code and its text", () => {
    const error = new ProtocolError("ERR_ZMTP_PEER_ERROR");
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("ProtocolError");
    expect(error.code).toBe("ERR_ZMTP_PEER_ERROR");
    expect(error.message).toBe("The peer refused the handshake with an ERROR command");
    expect(error.isTimeout).toBe(false);
  });

  it("appends what was seen", () => {
    expect(new ProtocolError("ERR_ZMTP_TOO_MANY_FRAMES", "more than 3").message).toBe(
      "A multipart message has more frames than maxFrames: more than 3",
    );
  });

  it.each(["ERR_ZMTP_HANDSHAKE_TIMEOUT", "ERR_ZMTP_HEARTBEAT_TIMEOUT"] as const)(
    "%s means that the peer was too slow",
    (code) => expect(new ProtocolError(code).isTimeout).toBe(true),
  );
});
