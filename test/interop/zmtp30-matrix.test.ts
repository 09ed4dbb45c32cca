import { afterAll, afterEach, describe, expect, it } from "vitest";
import { PAIRINGS, SHAPES } from "../support/matrix-flows.js";
import type { OurParty, TypeName } from "../support/matrix-party.js";
import { Stage } from "../support/matrix-stage.js";
import { MockListener, MockPeer, wire } from "../support/mock-peer.js";
import { buildMessage } from "../support/payload.mjs";
import { type Transport, until } from "../support/sockets.js";

/**
 * Peers made of octets: all that we write to them is compared. The one announces ZMTP 3.0, as libzmq
 * up to 4.3.2, NetMQ and JeroMQ do, the other 3.1.
 */
const VERSIONS = ["3.0", "3.1"] as const;
type Version = (typeof VERSIONS)[number];

const ROLES = ["binds", "connects"] as const;
type Role = (typeof ROLES)[number];

const TRANSPORTS: Transport[] = ["tcp", "ipc"];

/** 64 octets: 3.1, NULL, no server, all zeros behind. */
const OUR_GREETING = Buffer.from(
  `ff00000000000000007f0301${"4e554c4c".padEnd(40, "0")}${"00".repeat(32)}`,
  "hex",
);

/** `READY` with `Socket-Type`, and `Identity`, empty though it is, where a peer may want to know. */
const OUR_READY: Record<Exclude<TypeName, "STREAM">, string> = {
  PAIR: "041a0552454144590b536f636b65742d547970650000000450414952",
  PUB: "04190552454144590b536f636b65742d5479706500000003505542",
  SUB: "04190552454144590b536f636b65742d5479706500000003535542",
  REQ: "04260552454144590b536f636b65742d5479706500000003524551084964656e7469747900000000",
  REP: "04190552454144590b536f636b65742d5479706500000003524550",
  DEALER: "04290552454144590b536f636b65742d54797065000000064445414c4552084964656e7469747900000000",
  ROUTER: "04290552454144590b536f636b65742d5479706500000006524f55544552084964656e7469747900000000",
  PULL: "041a0552454144590b536f636b65742d547970650000000450554c4c",
  PUSH: "041a0552454144590b536f636b65742d547970650000000450555348",
  XPUB: "041a0552454144590b536f636b65742d547970650000000458505542",
  XSUB: "041a0552454144590b536f636b65742d547970650000000458535542",
};

/** What mocks call themselves. */
const NAME = "mock";

const stage = new Stage();
let closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.reverse()) close();
  closing = [];
  await stage.close();
});
afterAll(() => stage.end());

/** An octet peer that has a connection with ours, and has said nothing. */
async function join(us: OurParty, role: Role, transport: Transport): Promise<MockPeer> {
  let mock: MockPeer;
  if (role === "binds") {
    mock = await MockPeer.connect(await us.bind(stage.endpoint(transport)));
  } else {
    const listener = await MockListener.open(
      transport === "ipc" ? stage.endpoint("ipc") : undefined,
    );
    closing.push(() => listener.close());
    us.connect(listener.endpoint);
    mock = await listener.accept();
  }
  closing.push(() => mock.close());
  return mock;
}

function propertiesOf(type: TypeName, name: string = NAME): Record<string, string> {
  const named = type === "REQ" || type === "DEALER" || type === "ROUTER";
  return { "Socket-Type": type, ...(named && { Identity: name }) };
}

async function greet(
  mock: MockPeer,
  version: Version,
  ours: TypeName,
  properties: Record<string, string>,
): Promise<void> {
  mock.send(wire.greeting({ minor: version === "3.0" ? 0 : 1 }), wire.ready(properties));
  await mock.expect(OUR_GREETING);
  await mock.expect(Buffer.from(OUR_READY[ours as keyof typeof OUR_READY], "hex"));
}

/** How a topic is asked for, and cancelled: by a message in 3.0, by a command since. */
const FORMS = {
  message: {
    subscribe: (topic: string) => wire.message(`\x01${topic}`),
    cancel: (topic: string) => wire.message(`\x00${topic}`),
  },
  command: {
    subscribe: (topic: string) => wire.command("SUBSCRIBE", topic),
    cancel: (topic: string) => wire.command("CANCEL", topic),
  },
} as const;

const FORM_OF = { "3.0": FORMS.message, "3.1": FORMS.command } as const;

type Parts = Buffer[];

interface Scene {
  us: OurParty;
  mock: MockPeer;
  version: Version;
  theirs: TypeName;
  /** Messages to exchange. */
  messages: Parts[];
}

/** What a socket of ours does with a mock of any type that it may talk to, past the handshake. */
type Play = (scene: Scene) => Promise<void>;

const PLAYS: Record<Exclude<TypeName, "STREAM">, Play> = {
  PAIR: bothWays([], [], []),
  PUSH: async ({ us, mock, messages }) => {
    for (const message of messages) {
      await us.sendParts(...message);
      await mock.expect(wire.message(...message));
    }
  },
  PULL: async ({ us, mock, messages }) => {
    mock.send(...messages.map((message) => wire.message(...message)));
    for (const message of messages) expect(await received(us)).toEqual(texts(message));
  },
  DEALER: (scene) => bothWays(...(scene.theirs === "REP" ? DELIMITED : BARE))(scene),
  REQ: async ({ us, mock, messages }) => {
    for (const message of messages) {
      await us.sendParts(...message);
      await mock.expect(wire.message("", ...message));
      mock.send(wire.message("", "answer", ...message));
      expect(await received(us)).toEqual(["answer", ...texts(message)]);
    }
  },
  REP: async ({ us, mock, theirs, messages }) => {
    const envelope = theirs === "REQ" ? [""] : ["way", "back", ""];
    mock.send(...messages.map((message) => wire.message(...envelope, ...message)));
    for (const message of messages) {
      expect(await received(us)).toEqual(texts(message));
      await us.sendParts("answer", ...message);
      await mock.expect(wire.message(...envelope, "answer", ...message));
    }
  },
  ROUTER: (scene) => {
    const between = scene.theirs === "REQ" ? [""] : [];
    return bothWays([NAME, ...between], between, [NAME, ...between])(scene);
  },
  PUB: publish,
  XPUB: publish,
  SUB: subscribe,
  XSUB: subscribe,
};

/** Parts in front of each message: as we send it, as it stands on the wire, as we receive it. */
type Envelopes = [sent: string[], wire: string[], received: string[]];
const BARE: Envelopes = [[], [], []];
const DELIMITED: Envelopes = [[""], [""], [""]];

function bothWays(...[sent, between, before]: Envelopes): Play {
  return async ({ us, mock, messages }) => {
    for (const message of messages) {
      mock.send(wire.message(...between, ...message));
      expect(await received(us)).toEqual([...before, ...texts(message)]);
      await us.sendParts(...sent, ...message);
      await mock.expect(wire.message(...between, ...message));
    }
  };
}

async function publish({ us, mock, version, theirs, messages }: Scene): Promise<void> {
  const { subscribe, cancel } = FORM_OF[version];
  const type = us.socket.type === 1 ? "PUB" : "XPUB";
  const [topic] = messages.map(([first]) => first?.toString("latin1", 0, 3)) as [string];

  await us.sendParts("before there is a subscription");
  mock.send(subscribe(topic), subscribe("twice"), subscribe("twice"));
  await until(() => us.socket.stats().subscriptions === 2);
  for (const message of messages) {
    await us.sendParts("not asked for", ...message);
    await us.sendParts(...message);
    await mock.expect(wire.message(...message));
  }
  if (theirs === "XSUB") mock.send(wire.message("upstream", "of an XSUB"));
  mock.send(cancel(topic), cancel("never subscribed to"));
  await until(() => us.socket.stats().subscriptions === 1);
  await us.sendParts(...(messages[0] as Parts));
  await us.sendParts("twice asked for is once");
  await mock.expect(wire.message("twice asked for is once"));

  if (type === "PUB") return;
  const notices = [`\x01${topic}`, "\x01twice"];
  for (const notice of notices) expect(await received(us)).toEqual([notice]);
  if (theirs === "XSUB") expect(await received(us)).toEqual(["upstream", "of an XSUB"]);
  expect(await received(us)).toEqual([`\x00${topic}`]);
}

async function subscribe({ us, mock, version, messages }: Scene): Promise<void> {
  const form = FORM_OF[version];
  // Before the handshake it said that it wants "early": see the test.
  await mock.expect(form.subscribe("early"));
  const [topic] = messages.map(([first]) => first?.toString("latin1", 0, 3)) as [string];
  await us.subscribe(Buffer.from(topic, "latin1"));
  await mock.expect(form.subscribe(topic));
  await us.unsubscribe(Buffer.from("early"));
  await mock.expect(form.cancel("early"));

  const filters = us.socket.type === 2;
  for (const message of messages) {
    mock.send(wire.message("early is cancelled"), wire.message(...message));
    if (!filters) expect(await received(us)).toEqual(["early is cancelled"]);
    expect(await received(us)).toEqual(texts(message));
  }
  if (filters) return;
  await us.sendParts("upstream", "of ours");
  await mock.expect(wire.message("upstream", "of ours"));
}

async function received(us: OurParty): Promise<string[]> {
  return texts(await us.receiveParts());
}

/** Compared faster than octets. */
function texts(parts: Parts): string[] {
  return parts.map((part) => part.toString("latin1"));
}

const WAYS = VERSIONS.flatMap((version) =>
  ROLES.flatMap((role) =>
    TRANSPORTS.flatMap((transport) =>
      SHAPES.map(({ name, shapes }) => ({ version, role, transport, name, shapes })),
    ),
  ),
);

describe.each(PAIRINGS)("our $ours and an octet $theirs", ({ ours, theirs }) => {
  it.each(WAYS)("of ZMTP $version, ours $role, $transport: $name", async (way) => {
    const us = stage.ours(ours);
    if (ours === "SUB" || ours === "XSUB") await us.subscribe(Buffer.from("early"));
    const mock = await join(us, way.role, way.transport);
    await greet(mock, way.version, ours, propertiesOf(theirs));
    const messages = way.shapes.map((sizes, i) => buildMessage(0x0201_0300 + i, sizes));
    await PLAYS[ours as keyof typeof PLAYS]({ us, mock, version: way.version, theirs, messages });
    expect(mock.unread).toHaveLength(0);
    expect(us.events.types).not.toContain("disconnect");
  });
});

const SIDES = VERSIONS.flatMap((version) => ROLES.map((role) => ({ version, role })));

describe.each(["PUB", "XPUB"] as const)("our %s understands subscriptions", (type) => {
  const rows = SIDES.flatMap((side) =>
    (["message", "command"] as const).flatMap((asks) =>
      (["message", "command"] as const).map((cancels) => ({ ...side, asks, cancels })),
    ),
  );

  it.each(rows)(
    "by $asks, cancelled by $cancels, of a SUB of $version, ours $role",
    async ({ version, role, asks, cancels }) => {
      const us = stage.ours(type);
      const mock = await join(us, role, "tcp");
      await greet(mock, version, type, propertiesOf("SUB"));
      const subscriptions = () => us.socket.stats().subscriptions;
      mock.send(FORMS[asks].subscribe("a"), FORMS[asks].subscribe(""));
      await until(() => subscriptions() === 2);
      await us.sendParts("b", "for the empty topic");
      await mock.expect(wire.message("b", "for the empty topic"));

      mock.send(FORMS[cancels].cancel(""));
      await until(() => subscriptions() === 1);
      await us.sendParts("b", "nobody wants this");
      await us.sendParts("a", "still wanted");
      await mock.expect(wire.message("a", "still wanted"));
      if (type === "PUB") return;
      for (const notice of ["\x01a", "\x01", "\x00"]) expect(await received(us)).toEqual([notice]);
    },
  );
});

describe.each(["SUB", "XSUB"] as const)("our %s says what it wants", (type) => {
  it.each(SIDES)("as often as it is told, and cancels once: $version, ours $role", async (side) => {
    const form = FORM_OF[side.version];
    const us = stage.ours(type);
    const topics = ["", "a", "a", "b"].map((topic) => Buffer.from(topic));
    for (const topic of topics) await us.subscribe(topic);
    await us.unsubscribe(Buffer.from("b"));
    const mock = await join(us, side.role, "tcp");
    await greet(mock, side.version, type, propertiesOf("PUB"));

    // What was said before the peer came is said once.
    const first = await mock.read(form.subscribe("").length + form.subscribe("a").length);
    const [none, a] = [form.subscribe(""), form.subscribe("a")];
    expect([Buffer.concat([none, a]), Buffer.concat([a, none])]).toContainEqual(first);
    await us.subscribe(Buffer.from("a"));
    await mock.expect(form.subscribe("a"));
    for (let i = 0; i < 4; i++) await us.unsubscribe(Buffer.from("a"));
    await us.subscribe(Buffer.from("last"));
    await mock.expect(form.cancel("a"));
    await mock.expect(form.subscribe("last"));
    expect(mock.unread).toHaveLength(0);
  });

  it.each([
    { role: "binds" as const, versions: ["3.0", "3.1"] as const },
    { role: "binds" as const, versions: ["3.1", "3.0"] as const },
    { role: "connects" as const, versions: ["3.0", "3.1"] as const },
    { role: "connects" as const, versions: ["3.1", "3.0"] as const },
  ])("again to each peer, in the form that is its own: $versions, ours $role", async (row) => {
    const us = stage.ours(type);
    await us.subscribe(Buffer.from("topic"));
    const peers = await peersOf(us, row.role);
    for (const version of row.versions) {
      const mock = await peers.next();
      await greet(mock, version, type, propertiesOf("PUB"));
      await mock.expect(FORM_OF[version].subscribe("topic"));
      mock.send(wire.message("topic", version));
      expect(await received(us)).toEqual(["topic", version]);
      expect(mock.unread).toHaveLength(0);
      mock.reset();
    }
  });
});

/** One connection after the other. */
async function peersOf(us: OurParty, role: Role): Promise<{ next: () => Promise<MockPeer> }> {
  const kept = (mock: MockPeer): MockPeer => {
    closing.push(() => mock.close());
    return mock;
  };
  if (role === "binds") {
    const endpoint = await us.bind(stage.endpoint("tcp"));
    return { next: async () => kept(await MockPeer.connect(endpoint)) };
  }
  const listener = await MockListener.open();
  closing.push(() => listener.close());
  await us.connect(listener.endpoint);
  return { next: async () => kept(await listener.accept()) };
}

describe("names", () => {
  const name = "a name";

  it.each(
    (["REQ", "DEALER", "ROUTER"] as const).flatMap((type) =>
      SIDES.map((side) => ({ type, ...side })),
    ),
  )("a $type tells its routing id: $version, ours $role", async ({ type, version, role }) => {
    const us = stage.ours(type, { routingId: name });
    const mock = await join(us, role, "tcp");
    mock.send(wire.greeting({ minor: version === "3.0" ? 0 : 1 }));
    mock.send(wire.ready(propertiesOf("ROUTER")));
    await mock.expect(OUR_GREETING);
    await mock.expect(wire.ready({ "Socket-Type": type, Identity: name }));
    expect(mock.unread).toHaveLength(0);
  });

  it.each(SIDES)("a REP tells none, though it has one: $version, ours $role", async (side) => {
    const us = stage.ours("REP", { routingId: name });
    const mock = await join(us, side.role, "tcp");
    await greet(mock, side.version, "REP", propertiesOf("REQ"));
    expect(mock.unread).toHaveLength(0);
  });

  it.each(
    SIDES.flatMap((side) =>
      ["DEALER", "REQ", "ROUTER"].flatMap((type) => [
        { ...side, type, how: "does not say", properties: { "Socket-Type": type } },
        { ...side, type, how: "says nothing", properties: { "Socket-Type": type, Identity: "" } },
      ]),
    ),
  )("a $type that $how gets one from our ROUTER: $version, ours $role", async (row) => {
    const us = stage.ours("ROUTER");
    const mock = await join(us, row.role, "tcp");
    await greet(mock, row.version, "ROUTER", row.properties);
    mock.send(wire.message("", "hello"));
    const [id, ...rest] = await us.receiveParts();
    expect([id?.length, id?.[0], ...rest.map(String)]).toEqual([5, 0, "", "hello"]);
    await us.sendParts(id as Buffer, "", "back");
    await mock.expect(wire.message("", "back"));
  });

  it.each(["a", "x".repeat(255), "\x01\x02\x7f"])("may be any: %j", async (id) => {
    const us = stage.ours("ROUTER");
    const mock = await join(us, "binds", "tcp");
    await greet(mock, "3.0", "ROUTER", propertiesOf("DEALER", id));
    mock.send(wire.message("hello"));
    expect(await received(us)).toEqual([id, "hello"]);
    await us.sendParts(id, "back");
    await mock.expect(wire.message("back"));
  });
});
