import { describe, expectTypeOf, it } from "vitest";
import type { ErrnoError } from "../src/errors.js";
import type { Event, EventOfType, EventType, ProtoError } from "../src/events.js";

// What happens when: test/socket/observer.test.ts. These hold what programs are compiled against.
describe("Event", () => {
  it("has npm zeromq's types, and one of ours", () => {
    expectTypeOf<Exclude<EventType, "drop">>().toEqualTypeOf<
      | "accept"
      | "accept:error"
      | "bind"
      | "bind:error"
      | "connect"
      | "connect:delay"
      | "connect:retry"
      | "close"
      | "close:error"
      | "disconnect"
      | "handshake"
      | "handshake:error:protocol"
      | "handshake:error:auth"
      | "handshake:error:other"
      | "end"
      | "unknown"
    >();
  });

  it("tells its details by type", () => {
    expectTypeOf<EventOfType<"bind">>().toHaveProperty("address").toBeString();
    expectTypeOf<EventOfType<"connect:retry">>().toHaveProperty("interval").toBeNumber();
    expectTypeOf<EventOfType<"bind:error">["error"]>().toEqualTypeOf<ErrnoError>();
    expectTypeOf<EventOfType<"handshake:error:protocol">["error"]>().toEqualTypeOf<ProtoError>();
    expectTypeOf<EventOfType<"handshake:error:auth">["error"]["status"]>().toEqualTypeOf<
      300 | 400 | 500
    >();
    expectTypeOf<EventOfType<"end">>().not.toHaveProperty("address");
  });

  it("can be told apart by its type", () => {
    const address = (event: Event): string | undefined =>
      event.type === "end" || event.type === "unknown" ? undefined : event.address;
    expectTypeOf(address).returns.toEqualTypeOf<string | undefined>();
  });
});
