import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { exclusiveMemory } from "../../src/transport/memory.js";
import { RawConnection } from "../../src/transport/raw.js";
import { COPY_MAX, type ConnectionHandler, type Peer } from "../../src/zmtp/index.js";

/** Who stands behind a connection: writes down what it hears. */
class Owner implements ConnectionHandler {
  readonly calls: string[] = [];
  readonly messages: Uint8Array[][] = [];
  peer: Peer | undefined;
  letsIn = true;
  /** How many more messages there is room for. */
  room = Number.POSITIVE_INFINITY;
  onHandshake = (): void => {};

  handshake(peer: Peer): boolean {
    this.calls.push("handshake");
    this.peer = peer;
    this.onHandshake();
    return this.letsIn;
  }

  admitted(): void {
    this.calls.push("admitted");
  }

  hasRoom(): boolean {
    this.calls.push("hasRoom");
    return this.room > 0;
  }

  message(parts: Uint8Array[]): boolean {
    this.messages.push(parts);
    return --this.room > 0;
  }

  get texts(): string[] {
    return this.messages.map((parts) => parts.map(String).join("|"));
  }
}

let owner: Owner;
let connection: RawConnection;

beforeEach(() => {
  owner = new Owner();
  connection = new RawConnection(owner, exclusiveMemory);
});

function receive(text: string): number {
  const octets = Buffer.from(text);
  return connection.receive(octets, 0, octets.length);
}

function send(...texts: string[]): void {
  connection.send(texts.map((text) => Buffer.from(text)));
}

/** What would be written now. */
function written(): string {
  const batch = connection.take();
  const octets = Buffer.concat(batch.chunks);
  expect(batch.size).toBe(octets.length);
  expect(batch.slabs).toEqual([]);
  connection.release();
  return String(octets);
}

describe("RawConnection", () => {
  it("lets a peer in that says nothing, and nothing of itself", () => {
    connection.start();
    expect(owner.calls).toEqual(["handshake", "admitted", "hasRoom"]);
    expect(owner.peer).toMatchObject({ socketType: undefined, identity: new Uint8Array(0) });
    expect([connection.hasOutput, connection.outputSize, connection.full]).toEqual([
      false,
      0,
      false,
    ]);
  });

  it("takes nothing of a peer that has to wait, and gives it nothing", () => {
    owner.letsIn = false;
    connection.start();
    send("later");
    expect([receive("abc"), connection.hasOutput, owner.calls]).toEqual([0, false, ["handshake"]]);
    connection.admit();
    expect(owner.calls).toEqual(["handshake", "admitted", "hasRoom"]);
    expect([receive("abc"), connection.hasOutput]).toEqual([3, true]);
    expect([owner.texts, written()]).toEqual([["abc"], "later"]);
  });

  it("may be let in at once, whatever the owner says then", () => {
    for (const letsIn of [true, false]) {
      owner = new Owner();
      connection = new RawConnection(owner, exclusiveMemory);
      owner.letsIn = letsIn;
      owner.onHandshake = () => connection.admit();
      connection.start();
      expect(owner.calls).toEqual(["handshake", "admitted", "hasRoom"]);
      expect(receive("x")).toBe(1);
    }
  });

  it("needs no more of its owner than any connection does", () => {
    const messages: string[] = [];
    const handler: ConnectionHandler = {
      handshake: () => true,
      message: (parts) => messages.push(String(parts[0])) > 0,
    };
    connection = new RawConnection(handler, exclusiveMemory);
    connection.start();
    expect([receive("x"), connection.full, messages]).toEqual([1, false, ["x"]]);
  });

  it("asks for nothing that the time brings", () => {
    connection.start();
    connection.pause();
    connection.resume();
    connection.tick();
    expect([connection.deadline, connection.hasOutput]).toEqual([Number.POSITIVE_INFINITY, false]);
  });

  describe("what is read", () => {
    beforeEach(() => connection.start());

    it("is a message for each chunk, a copy of it", () => {
      const chunk = Buffer.from("...abc...");
      expect(connection.receive(chunk, 3, 6)).toBe(6);
      chunk.fill("x");
      expect(receive("de")).toBe(2);
      expect(owner.texts).toEqual(["abc", "de"]);
      expect(Buffer.isBuffer(owner.messages[0]?.[0])).toBe(true);
    });

    it("is no message when it is nothing", () => {
      expect([receive(""), owner.messages]).toEqual([0, []]);
    });

    it("makes it full when the owner has no room for more, until it is read on", () => {
      owner.room = 1;
      expect([receive("a"), connection.full]).toEqual([1, true]);
      owner.room = 5;
      expect([receive(""), connection.full]).toEqual([0, false]);
      expect([receive("b"), connection.full, owner.texts]).toEqual([1, false, ["a", "b"]]);
    });

    it("has no better place than the chunk", () => {
      receive("a");
      expect(connection.room()).toBeUndefined();
      connection.filled();
      expect(owner.texts).toEqual(["a"]);
    });
  });

  it("is full from the start when the owner has no room", () => {
    owner.room = 0;
    connection.start();
    expect(connection.full).toBe(true);
  });

  describe("what is sent", () => {
    beforeEach(() => connection.start());

    it("is written as it is, the parts of a message behind each other", () => {
      send("a", "", "bc");
      send("d");
      expect([connection.outputSize, connection.hasOutput]).toEqual([4, true]);
      expect(written()).toBe("abcd");
      expect([connection.outputSize, connection.hasOutput, written()]).toEqual([0, false, ""]);
    });

    it("is nothing when it is empty", () => {
      send("");
      expect(connection.hasOutput).toBe(false);
    });

    it("is copied when it is small, and goes by reference when it is not", () => {
      const small = Buffer.alloc(COPY_MAX, "s");
      const large = Buffer.alloc(COPY_MAX + 1, "l");
      connection.send([small, large]);
      small.fill("x");
      const { chunks } = connection.take();
      expect(chunks[0]).toEqual(new Uint8Array(COPY_MAX).fill(0x73));
      expect(chunks[1]).toBe(large);
    });

    it("may follow while the last batch is being written", () => {
      send("a");
      const batch = connection.take();
      send("b");
      expect([String(Buffer.concat(batch.chunks)), written()]).toEqual(["a", "b"]);
    });

    it("is forgotten at the end: half a conversation is of no use to another connection", () => {
      send("a");
      connection.take();
      send("b");
      expect(connection.close()).toEqual([]);
      expect([connection.outputSize, connection.hasOutput, written()]).toEqual([0, false, ""]);
    });

    it("no subscription is", () => {
      connection.subscribe();
      expect(connection.hasOutput).toBe(false);
    });
  });

  it("carries any octets both ways, unchanged and in order", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20, size: "max" });
    fc.assert(
      fc.property(pieces, (pieces) => {
        owner = new Owner();
        connection = new RawConnection(owner, exclusiveMemory);
        connection.start();
        for (const piece of pieces) {
          expect(connection.receive(piece, 0, piece.length)).toBe(piece.length);
          connection.send([piece]);
        }
        const whole = Buffer.concat(pieces);
        expect(Buffer.concat(owner.messages.flat())).toEqual(whole);
        expect(owner.messages).toHaveLength(pieces.filter(({ length }) => length > 0).length);
        expect(Buffer.concat(connection.take().chunks)).toEqual(whole);
      }),
    );
  });
});
