import { describe, expect, it } from "vitest";
import {
  checkPong,
  decodeCommand,
  decodeError,
  decodePing,
  encodeCommand,
  encodeError,
  encodePing,
} from "../../src/zmtp/command.js";
import * as wire from "../support/wire.js";

const text = (octets: Uint8Array) => String.fromCharCode(...octets);
const code = (code: string) => expect.objectContaining({ name: "ProtocolError", code });

describe("a command", () => {
  it("is its name's size, its name, its data", () => {
    expect(encodeCommand("PING", wire.bytes("data"))).toEqual(wire.commandBody("PING", "data"));
  });

  it.each([
    ["PING", "data"],
    ["A", ""],
    ["x".repeat(255), "data"],
  ])("%s comes back", (name, data) => {
    const command = decodeCommand(wire.commandBody(name, data));
    expect(command.name).toBe(name);
    expect(text(command.data)).toBe(data);
  });

  it.each([
    ["nothing", ""],
    ["an empty name", "\0"],
    ["an empty name and data", "\0data"],
    ["a name that is cut short", "\x05PING"],
    ["libzmq's misspelt ERROR", "^RROR\x03400"],
  ])("of %s is refused", (_, body) => {
    expect(() => decodeCommand(wire.bytes(body))).toThrow(
      code("ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"),
    );
  });
});

describe("a PING", () => {
  it.each([
    [0, 0],
    [99, 0],
    [100, 1],
    [1_999, 19],
    [65_500, 655],
    [65_600, 655],
    [6_553_500, 655],
  ])("of %i ms says %i tenths of a second", (ms, tenths) => {
    const context = wire.bytes("ctx");
    const data = wire.concat(wire.number(tenths, 2), "ctx");
    expect(encodePing(ms, context)).toEqual(wire.commandBody("PING", data));
  });

  it.each([
    [0, 0],
    [1, 100],
    [657, 65_700],
    [65_535, 6_553_500],
  ])("of %i tenths of a second is read as %i ms", (tenths, ttlMs) => {
    expect(decodePing(wire.number(tenths, 2)).ttlMs).toBe(ttlMs);
  });

  it.each([0, 1, 15, 16])("may have a context of %i octets", (size) => {
    const context = "c".repeat(size);
    expect(text(decodePing(wire.concat("\0\0", context)).context)).toBe(context);
  });

  it.each([0, 1, 19, 1000])("of %i octets of data is refused", (size) => {
    expect(() => decodePing(new Uint8Array(size))).toThrow(code("ERR_ZMTP_MALFORMED_COMMAND_PING"));
  });
});

describe("a PONG", () => {
  it("may have 16 octets", () => expect(() => checkPong(new Uint8Array(16))).not.toThrow());

  it("may not have 17", () => {
    expect(() => checkPong(new Uint8Array(17))).toThrow(code("ERR_ZMTP_MALFORMED_COMMAND_PONG"));
  });
});

describe("an ERROR", () => {
  it.each(["", "400", "x".repeat(255)])("with reason %j comes back", (reason) => {
    expect(encodeError(reason)).toEqual(wire.error(reason).subarray(reason.length > 247 ? 9 : 2));
    expect(decodeError(decodeCommand(encodeError(reason)).data)).toBe(reason);
  });

  it("does not put control characters into our logs", () => {
    expect(decodeError(wire.bytes("\x04\x1b[2J"))).toBe("(not printable)");
  });

  it.each([
    ["no reason at all", ""],
    ["a reason that is cut short", "\x04400"],
    ["more than its reason", "\x02400"],
  ])("with %s is refused", (_, data) => {
    expect(() => decodeError(wire.bytes(data))).toThrow(code("ERR_ZMTP_MALFORMED_COMMAND_ERROR"));
  });
});
