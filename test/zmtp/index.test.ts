import { expect, it } from "vitest";
import * as zmtp from "../../src/zmtp/index.js";

it("the public names of ./zmtp are these", () => {
  expect(Object.keys(zmtp).sort()).toMatchInlineSnapshot(`
    [
      "Budget",
      "COPY_MAX",
      "Connection",
      "CurveClient",
      "CurveServer",
      "DEFAULT_LIMITS",
      "Decoder",
      "Encoder",
      "GREETING_SIZE",
      "GreetingDecoder",
      "MAX_HEADER_SIZE",
      "NullMechanism",
      "PROTOCOL_ERRORS",
      "PlainMechanism",
      "Press",
      "ProtocolError",
      "SLAB_SIZE",
      "TRANSITIONS",
      "announce",
      "decodeCommand",
      "decodeDatagram",
      "decodeMetadata",
      "encodeCommand",
      "encodeDatagram",
      "encodeError",
      "encodeGreeting",
      "encodeMetadata",
      "encodePing",
      "isCompatible",
      "plainMemory",
    ]
  `);
});
