/** That the relay does to octets what the faults' tests rely on. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Policies, Relay } from "../support/relay.js";
import { turns, until } from "../support/sockets.js";

/** One end of the wire, and all that it saw. */
class End {
  readonly socket: Socket;
  readonly pieces: string[] = [];
  state: "open" | "end" | "reset" = "open";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (octets) => this.pieces.push(String(octets)));
    socket.on("end", () => {
      this.state = "end";
    });
    socket.on("error", () => {
      this.state = "reset";
    });
  }

  get text(): string {
    return this.pieces.join("");
  }
}

let server: Server;
let accepted: End[];
let dialled: End[];
let relay: Relay;

beforeEach(async () => {
  accepted = [];
  dialled = [];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new End(socket)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  relay.close();
  for (const { socket } of [...accepted, ...dialled]) socket.destroy();
  server.close();
});

async function open(...policies: Policies[]): Promise<[near: End, far: End]> {
  const { port } = server.address() as AddressInfo;
  relay = await Relay.to(`tcp://127.0.0.1:${port}`, ...policies);
  return dial();
}

async function dial(): Promise<[near: End, far: End]> {
  const { port } = new URL(relay.endpoint);
  const nth = accepted.length;
  const near = new End(connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true }));
  dialled.push(near);
  await until(() => accepted.length > nth);
  return [near, accepted[nth] as End];
}

/** Both ways, for each direction has its own lane. */
const WAYS = [
  ["out", 0],
  ["back", 1],
] as const;

describe.each(WAYS)("%s", (direction, from) => {
  async function way(...policies: Policies[]): Promise<{ from: End; to: End }> {
    const ends = await open(...policies);
    return { from: ends[from], to: ends[1 - from] as End };
  }

  it("octets pass, and the end after them", async () => {
    const { from, to } = await way();
    from.socket.end("hello");
    await until(() => to.state === "end");
    expect(to.text).toBe("hello");
    expect(relay.connections[0]?.[direction].passed).toBe(5);
    to.socket.end("bye");
    await until(() => from.state === "end");
    expect(from.text).toBe("bye");
  });

  it("split", async () => {
    const { from, to } = await way({ [direction]: { split: 2 } });
    from.socket.write("1234567");
    await until(() => to.text.length === 7);
    expect(to.pieces).toEqual(["12", "34", "56", "7"]);
  });

  it("gathered", async () => {
    const { from, to } = await way({ [direction]: { gatherTurns: 20 } });
    from.socket.write("12");
    await turns(5);
    from.socket.write("34");
    await until(() => to.text.length > 0);
    expect(to.pieces).toEqual(["1234"]);
  });

  it("delayed until the clock says so, in order", async () => {
    const { from, to } = await way({ [direction]: { delayMs: 10 } });
    const lane = (await relay.connection(0))[direction];
    from.socket.write("1");
    await turns(20);
    relay.advance(9);
    lane.policy = { delayMs: 0 };
    from.socket.write("2");
    await turns(20);
    expect(to.text).toBe("");
    relay.advance(1);
    await until(() => to.text === "12");
  });

  it.each(["fin", "rst"] as const)("cut by %s", async (by) => {
    const { from, to } = await way({ [direction]: { cut: { after: 3, by } } });
    from.socket.write("12345");
    const expected = by === "fin" ? "end" : "reset";
    await until(() => to.state === expected && from.state === expected);
    expect(to.text).toBe("123");
    const [near, far] = await dial();
    near.socket.write("the next passes");
    await until(() => far.text === "the next passes");
  });

  it("swallowed, with the end", async () => {
    const { from, to } = await way({ [direction]: { hole: "swallow" } });
    from.socket.end(Buffer.alloc(20_000_000));
    await new Promise((resolve) => from.socket.once("finish", resolve));
    await until(() => from.socket.bytesWritten === 20_000_000);
    await turns(20);
    expect(to.text).toBe("");
    expect(to.state).toBe("open");
  });

  it.each(["swallow", "stall"] as const)("%s from some octet on", async (hole) => {
    const { from, to } = await way({ [direction]: { hole, holeAfter: 3 } });
    from.socket.write("12");
    await until(() => to.text === "12");
    from.socket.write("345");
    await until(() => to.text === "123");
    from.socket.write("6");
    await turns(20);
    expect(to.text).toBe("123");
    (await relay.connection(0)).policy = {};
    from.socket.write("7");
    await until(() => to.text === (hole === "stall" ? "1234567" : "1237"));
  });

  it("stalled: the sender's system has to keep it; then it passes", async () => {
    const { from, to } = await way({ [direction]: { hole: "stall" } });
    const size = 50_000_000;
    from.socket.write(Buffer.alloc(size));
    await turns(100);
    expect(from.socket.writableLength).toBe(size);
    let count = 0;
    to.socket.removeAllListeners("data").on("data", ({ length }) => {
      count += length;
    });
    (await relay.connection(0)).policy = {};
    await until(() => count === size);
  });
});
