/** What peers say wrongly under PLAIN (32 of the checklist) and CURVE (33), beside what `inputs` has. */
import nacl from "tweetnacl";
import {
  CurveClientPeer,
  CurveServerPeer,
  type HelloFields,
  type InitiateFields,
} from "../support/curve-peer.js";
import {
  CURVE,
  type CurveSpeaker,
  type Dialect,
  greeted,
  initiated,
  LOGIN,
  type Part,
  PLAIN,
  SERVER_KEYS,
  welcomed,
} from "../support/dialects.js";
import type { MockPeer } from "../support/mock-peer.js";
import { bytes, command, concat, frame, message, metadata, ping } from "../support/wire.js";
import { at, type Input, isPeer, stays, unexpected } from "./inputs.js";

const asCommand = (body: Uint8Array) => frame(body, { command: true });
const wrongNonce = at("INVALID_SEQUENCE");
const cryptographic = at("CRYPTOGRAPHIC");

/**
 * @param part The peer's.
 * @param type The peer's, one that ours talks to.
 */
export function securedInputs({ name }: Dialect, part: Part, type: string): Input[] {
  const properties = metadata({ "Socket-Type": type });
  switch (name) {
    case "NULL":
      return [];
    case "PLAIN":
      return part === "client" ? plainClients(properties) : plainServers(properties);
    case "CURVE":
      return [
        ...(part === "client" ? curveClients(properties) : curveServers(properties)),
        ...curveTraffic(part, properties),
      ];
  }
}

const refused = (name: string, status: number): Input => ({
  ...isPeer(name),
  outcome: { error: "ERR_ZMTP_PEER_ERROR", status, isFinal: true },
});

function plainClients(properties: Uint8Array): Input[] {
  const { greeting } = PLAIN;
  const hello = (data: string) => command("HELLO", data);
  const malformed = at("MALFORMED_COMMAND_HELLO");
  const initiate = command("INITIATE", properties);
  const refuses = (name: string, data: string, ...more: Uint8Array[]): Input => ({
    ...refused(name, 400),
    octets: concat(greeting, hello(data), ...more),
  });
  return [
    malformed("32 HELLO of nothing", greeting, hello("")),
    malformed("32 HELLO without a password", greeting, hello("\x05admin")),
    malformed("32 HELLO an octet short", greeting, hello(LOGIN.slice(0, -1))),
    malformed("32 HELLO an octet long", greeting, hello(`${LOGIN}x`)),
    malformed("32 HELLO whose name runs past the end", greeting, hello("\xffadmin")),
    malformed("32 HELLO whose password does", greeting, hello("\x05admin\xffsecret")),
    refuses("32 a wrong password", "\x05admin\x05wrong"),
    refuses("32 no name and no password", "\0\0"),
    refuses(
      "32 a name of 255 octets and as long a password",
      `\xff${"\xff".repeat(255)}`.repeat(2),
    ),
    refuses("32 a name with a NUL octet behind it", "\x06admin\0\x06secret"),
    refuses("32 a wrong password, and then as if it were right", "\0\0", initiate, message("x")),
    refuses("32 a wrong password, and then the right one", "\0\0", hello(LOGIN), initiate),
    refuses(
      "32 a wrong password, and then 1 MB of anything",
      "\0\0",
      frame(new Uint8Array(2 ** 20), { command: true }),
    ),
    unexpected("32 INITIATE first", greeting, initiate),
    unexpected("32 READY first", greeting, command("READY", properties)),
    unexpected("32 WELCOME first", greeting, command("WELCOME")),
    unexpected("32 HELLO twice", greeting, hello(LOGIN), hello(LOGIN)),
    unexpected("32 READY behind HELLO", greeting, hello(LOGIN), command("READY", properties)),
    wrongNonce("32 a message behind HELLO", greeting, hello(LOGIN), message("early")),
    stays("32 HELLO and nothing else", greeting, hello(LOGIN)),
    at("PEER_ERROR")("32 ERROR behind HELLO", greeting, hello(LOGIN), command("ERROR", "\x02no")),
    at("MALFORMED_COMMAND_UNSPECIFIED")("32 ERROR misspelt", greeting, asCommand(MISSPELT)),
  ];
}

/** As libzmq's servers say it. */
const MISSPELT = bytes("\x5eRROR\x03400");

function plainServers(properties: Uint8Array): Input[] {
  const { greeting } = PLAIN;
  const welcome = command("WELCOME");
  const says = (name: string, status: number, ...octets: Uint8Array[]): Input => ({
    ...refused(name, status),
    octets: concat(greeting, ...octets),
  });
  return [
    at("MALFORMED_COMMAND_WELCOME")("32 WELCOME with data", greeting, command("WELCOME", "x")),
    unexpected("32 WELCOME twice", greeting, welcome, welcome),
    unexpected("32 READY first", greeting, command("READY", properties)),
    unexpected("32 HELLO to a client", greeting, command("HELLO", LOGIN)),
    unexpected("32 INITIATE to a client", greeting, welcome, command("INITIATE", properties)),
    wrongNonce("32 a message behind WELCOME", greeting, welcome, message("early")),
    stays("32 WELCOME and nothing else", greeting, welcome),
    says("32 ERROR as libzmq spells it", 400, asCommand(MISSPELT)),
    says("32 ERROR as libzmq spells it, behind WELCOME", 400, welcome, asCommand(MISSPELT)),
    at("MALFORMED_COMMAND_ERROR")(
      "32 ERROR as libzmq spells it, with a reason past the end",
      greeting,
      asCommand(bytes("\x5eRROR\xff400")),
    ),
    at("MALFORMED_COMMAND_ERROR")(
      "32 ERROR as libzmq spells it, without a reason",
      greeting,
      asCommand(bytes("\x5eRROR")),
    ),
  ];
}

/** With the bits of one octet that are set in `bits` the other way round. */
function toggled(octets: Uint8Array, at: number, bits = 1): Uint8Array {
  return octets.map((octet, i) => (i === at ? octet ^ bits : octet));
}

const ZERO_KEY = new Uint8Array(32);
/** Its order is low: what it shares with anybody is zero. */
const LOW_KEY = toggled(ZERO_KEY, 0);
/** X25519 overlooks the highest bit. */
const renamed = (key: Uint8Array) => toggled(key, 31, 0x80);
const MAX = 2n ** 64n - 1n;

/** A bit of its box, which stands last, is another. */
const flipped = (body: Uint8Array) => toggled(body, body.length - 1);

function newKeys() {
  return nacl.box.keyPair();
}

function curveClients(properties: Uint8Array): Input[] {
  type Speaker = CurveSpeaker<CurveClientPeer>;
  const { greeting } = CURVE;
  const malformed = at("MALFORMED_COMMAND_HELLO");

  const greets = (
    make: typeof malformed,
    name: string,
    change: (hello: Uint8Array) => Uint8Array,
    fields: HelloFields = {},
  ): Input => ({
    ...make(name, greeting),
    act: async (peer) => {
      const party = new CurveClientPeer(SERVER_KEYS.publicKey);
      peer.send(asCommand(change(party.hello(fields))));
      return undefined;
    },
  });
  const same = (hello: Uint8Array) => hello;

  /** Behind a HELLO that is fine. */
  const goesOn = (input: Input, go: (speaker: Speaker, peer: MockPeer) => unknown): Input => ({
    ...input,
    act: async (peer) => {
      const speaker = await welcomed(peer);
      await go(speaker, peer);
      return undefined;
    },
  });
  const initiates = (
    make: typeof malformed,
    name: string,
    fields: InitiateFields,
    change = same,
  ): Input =>
    goesOn(make(name), ({ party }, peer) =>
      peer.send(asCommand(change(party.initiate({ metadata: properties, ...fields })))),
    );

  return [
    greets(malformed, "33 HELLO of 199 octets", (hello) => hello.subarray(0, -1)),
    greets(malformed, "33 HELLO of 201 octets", (hello) => concat(hello, "\0")),
    malformed("33 HELLO of nothing", greeting, command("HELLO")),
    malformed("33 HELLO of PLAIN", greeting, command("HELLO", LOGIN)),
    greets(malformed, "33 HELLO of version 2.0", same, { version: "\x02\0" }),
    greets(malformed, "33 HELLO of version 1.1", same, { version: "\x01\x01" }),
    greets(malformed, "33 HELLO with a padding that is not zero", same, {
      padding: "x".repeat(72),
    }),
    greets(cryptographic, "33 HELLO with a key of zeros", same, { shortKey: ZERO_KEY }),
    greets(cryptographic, "33 HELLO with a key of low order", same, { shortKey: LOW_KEY }),
    greets(cryptographic, "33 HELLO with a key by another name", (hello) => {
      return concat(hello.subarray(0, 80), renamed(hello.subarray(80, 112)), hello.subarray(112));
    }),
    greets(cryptographic, "33 HELLO with the key of another", same, {
      shortKey: newKeys().publicKey,
    }),
    greets(cryptographic, "33 HELLO with a box that is flipped", flipped),
    greets(cryptographic, "33 HELLO with another signature", same, {
      signature: new Uint8Array(64).fill(1),
    }),
    greets(wrongNonce, "33 HELLO with a nonce of 0", same, { count: 0 }),
    unexpected("33 INITIATE first", greeting, command("INITIATE", new Uint8Array(300))),
    unexpected("33 READY first", greeting, command("READY", properties)),
    unexpected("33 MESSAGE first, as a command", greeting, command("MESSAGE", new Uint8Array(40))),
    wrongNonce("33 MESSAGE first", greeting, message(concat("\x07MESSAGE", new Uint8Array(40)))),
    goesOn(unexpected("33 HELLO twice"), ({ party }, peer) => peer.send(asCommand(party.hello()))),
    goesOn(stays("33 HELLO and nothing else"), () => {}),
    goesOn(wrongNonce("33 MESSAGE before INITIATE"), ({ party }, peer) =>
      peer.send(frame(party.message(0, "early"))),
    ),
    goesOn(unexpected("33 MESSAGE before INITIATE, as a command"), ({ party }, peer) =>
      peer.send(asCommand(party.message(0, "early"))),
    ),
    goesOn(at("UNPROVEN_ERROR")("33 ERROR behind HELLO"), (_, peer) =>
      peer.send(command("ERROR", "\x02no")),
    ),
    goesOn(at("MALFORMED_COMMAND_INITIATE")("33 INITIATE of nothing"), (_, peer) =>
      peer.send(command("INITIATE")),
    ),
    initiates(at("MALFORMED_COMMAND_INITIATE"), "33 INITIATE an octet short", {}, (it) =>
      it.subarray(0, 256),
    ),
    initiates(cryptographic, "33 a cookie of another connection", { cookie: nacl.randomBytes(96) }),
    initiates(cryptographic, "33 a cookie that is flipped", {}, (it) => toggled(it, 9)),
    initiates(cryptographic, "33 INITIATE with a box that is flipped", {}, flipped),
    initiates(cryptographic, "33 INITIATE with an octet too many", {}, (it) => concat(it, "\0")),
    initiates(wrongNonce, "33 INITIATE with HELLO's nonce", { count: 1 }),
    initiates(wrongNonce, "33 INITIATE with a lower one", { count: 0 }),
    initiates(cryptographic, "33 a vouch for another short key", {
      vouchedKey: newKeys().publicKey,
    }),
    initiates(cryptographic, "33 a vouch for another server", {
      vouchedServer: newKeys().publicKey,
    }),
    initiates(cryptographic, "33 a vouch by another", { vouchSecret: newKeys().secretKey }),
    initiates(cryptographic, "33 the key of another", { key: newKeys().publicKey }),
    initiates(cryptographic, "33 a key of zeros", { key: ZERO_KEY }),
    {
      ...cryptographic("33 a handshake that was there before", greeting),
      act: async (peer) => {
        const [client, server] = [
          new CurveClientPeer(SERVER_KEYS.publicKey),
          new CurveServerPeer(SERVER_KEYS),
        ];
        const hello = client.hello();
        server.greeted(hello);
        client.welcomed(server.welcome());
        peer.send(asCommand(hello), asCommand(client.initiate({ metadata: properties })));
        return undefined;
      },
    },
    {
      ...goesOn(unexpected("33 INITIATE twice"), ({ party }, peer) => {
        const initiate = asCommand(party.initiate({ metadata: properties }));
        peer.send(initiate, initiate);
      }),
      isLate: true,
    },
    {
      ...goesOn(
        wrongNonce("33 INITIATE with the last nonce, and then MESSAGE"),
        (speaker, peer) => {
          const { party } = speaker;
          peer.send(asCommand(party.initiate({ metadata: properties, count: MAX })));
          peer.send(frame(party.message(0, "x")));
        },
      ),
      isLate: true,
    },
  ];
}

function curveServers(properties: Uint8Array): Input[] {
  type Speaker = CurveSpeaker<CurveServerPeer>;
  const then =
    (begin: (peer: MockPeer) => Promise<Speaker>) =>
    (input: Input, answer: (party: CurveServerPeer) => Uint8Array): Input => ({
      ...input,
      act: async (peer) => {
        const { party } = await begin(peer);
        peer.send(answer(party));
        return undefined;
      },
    });
  const toHello = then(greeted);
  const toInitiate = then(initiated);
  const malformed = at("MALFORMED_COMMAND_WELCOME");
  const badReady = at("MALFORMED_COMMAND_READY");
  return [
    toHello(malformed("33 WELCOME of 167 octets"), (party) =>
      asCommand(party.welcome().subarray(0, -1)),
    ),
    toHello(malformed("33 WELCOME of 169 octets"), (party) =>
      asCommand(concat(party.welcome(), "\0")),
    ),
    toHello(malformed("33 WELCOME of PLAIN"), () => command("WELCOME")),
    toHello(cryptographic("33 WELCOME with a box that is flipped"), (party) =>
      asCommand(flipped(party.welcome())),
    ),
    toHello(cryptographic("33 WELCOME with a key of zeros"), (party) =>
      asCommand(party.welcome(ZERO_KEY)),
    ),
    toHello(cryptographic("33 WELCOME with a key of low order"), (party) =>
      asCommand(party.welcome(LOW_KEY)),
    ),
    toHello(cryptographic("33 WELCOME with a key by another name"), (party) =>
      asCommand(party.welcome(renamed(party.short.publicKey))),
    ),
    toHello(cryptographic("33 WELCOME to another client"), (party) => {
      party.clientShort = newKeys().publicKey;
      return asCommand(party.welcome());
    }),
    toHello(unexpected("33 READY first"), () => command("READY", properties)),
    toHello(unexpected("33 HELLO to a client"), () => command("HELLO", new Uint8Array(194))),
    toHello(wrongNonce("33 MESSAGE instead of WELCOME"), (party) => frame(party.message(0, "x"))),
    toHello(stays("33 nothing, once it has HELLO"), () => new Uint8Array(0)),
    toInitiate(unexpected("33 WELCOME twice"), (party) => asCommand(party.welcome())),
    toInitiate(wrongNonce("33 MESSAGE instead of READY"), (party) => frame(party.message(0, "x"))),
    toInitiate(badReady("33 READY of nothing"), () => command("READY")),
    toInitiate(badReady("33 READY of NULL"), () => command("READY", properties.subarray(0, 20))),
    toInitiate(cryptographic("33 READY in clear"), () =>
      command("READY", concat(properties, properties)),
    ),
    toInitiate(cryptographic("33 READY with a box that is flipped"), (party) =>
      asCommand(flipped(party.ready(properties))),
    ),
    toInitiate(wrongNonce("33 READY with a nonce of 0"), (party) =>
      asCommand(party.ready(properties, 0)),
    ),
    toInitiate(cryptographic("33 READY to another client"), (party) => {
      party.clientShort = newKeys().publicKey;
      return asCommand(party.ready(properties));
    }),
    toInitiate(at("UNPROVEN_ERROR")("33 ERROR instead of READY"), () => command("ERROR", "\x02no")),
    toInitiate(stays("33 nothing, once it has INITIATE"), () => new Uint8Array(0)),
    {
      ...toInitiate(wrongNonce("33 READY with the last nonce, and then MESSAGE"), (party) =>
        concat(asCommand(party.ready(properties, MAX)), frame(party.message(0, "x"))),
      ),
      isLate: true,
    },
  ];
}

/** What comes behind a handshake that is fine. */
function curveTraffic(part: Part, properties: Uint8Array): Input[] {
  type Speaker = CurveSpeaker<CurveClientPeer | CurveServerPeer>;
  const says = (input: Input, what: (speaker: Speaker) => Uint8Array): Input => ({
    ...input,
    isLate: true,
    act: async (peer) => {
      const speaker = (await CURVE.introduce(peer, part, properties)) as Speaker;
      peer.send(what(speaker));
      return speaker;
    },
  });
  const malformed = at("MALFORMED_COMMAND_MESSAGE");
  const hidden = ({ party }: Speaker, flags = 0) => party.message(flags, "x");
  return [
    says(malformed("33 MESSAGE of 32 octets"), (it) => frame(hidden(it).subarray(0, 32))),
    says(malformed("33 MESSAGE of its name alone"), () => frame("\x07MESSAGE")),
    says(cryptographic("33 MESSAGE of 33 octets and one less"), (it) =>
      frame(hidden(it).subarray(0, 33)),
    ),
    says(cryptographic("33 MESSAGE with a box that is flipped"), (it) =>
      frame(flipped(hidden(it))),
    ),
    says(cryptographic("33 MESSAGE of noise"), () =>
      frame(concat("\x07MESSAGE", "\x01".repeat(8), nacl.randomBytes(100))),
    ),
    ...[0x04, 0x80, 0xff].map((flags) =>
      says(malformed(`33 flags ${flags.toString(16)} inside`), (it) => frame(hidden(it, flags))),
    ),
    says(at("MALFORMED_FRAME")("33 MORE outside"), (it) => frame(hidden(it), { more: true })),
    says(at("MALFORMED_FRAME")("33 COMMAND and MORE inside"), (it) => frame(hidden(it, 3))),
    says(unexpected("33 a message in clear"), () => message("in clear")),
    says(unexpected("33 an empty message in clear"), () => message("")),
    says(unexpected("33 PING in clear"), () => ping()),
    says(unexpected("33 ERROR in clear"), () => command("ERROR", "\x03400")),
    {
      ...says(wrongNonce("33 MESSAGE twice"), (it) => {
        const one = frame(hidden(it));
        return concat(one, one);
      }),
      messages: [["x"]],
    },
    {
      ...says(wrongNonce("33 two MESSAGEs, the later one first"), (it) => {
        const [one, other] = [frame(hidden(it)), frame(hidden(it))];
        return concat(other, one);
      }),
      messages: [["x"]],
    },
    says(wrongNonce("33 MESSAGE with a nonce of 0"), ({ party }) => {
      party.count = -1;
      return frame(party.message(0, "x"));
    }),
    {
      ...says(isPeer("33 MESSAGE as a command"), (it) => asCommand(hidden(it))),
      messages: [["x"]],
    },
  ];
}
