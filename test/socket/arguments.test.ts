import { describe, expect, it } from "vitest";
import {
  blocked,
  busy,
  checkAddress,
  checkCount,
  optionsOf,
  signalOf,
} from "../../src/socket/arguments.js";

describe("checkAddress", () => {
  it.each([[undefined], [null], [1], [{}], [Symbol("x")], [["x"]], [new String("x")]])(
    "refuses %s",
    (address) => {
      expect(() => checkAddress(address)).toThrow(new TypeError("Address must be a string"));
    },
  );

  it("takes any string", () => {
    expect(() => checkAddress("")).not.toThrow();
  });
});

describe("checkCount", () => {
  it("takes fewer and as many", () => {
    for (const args of [[], [1]]) expect(() => checkCount(args, 1)).not.toThrow();
  });

  it.each([
    [[1], 0, "Expected 0 arguments but received 1"],
    [[1, 2], 1, "Expected 1 argument but received 2"],
    [[1, 2, 3], 2, "Expected 2 arguments but received 3"],
    [[undefined], 0, "Expected 0 arguments but received 1"],
  ])("%j instead of %i: %s", (args, expected, message) => {
    expect(() => checkCount(args, expected)).toThrow(new TypeError(message));
  });
});

describe("signalOf", () => {
  const { signal } = new AbortController();

  it("finds the signal behind the arguments", () => {
    expect(signalOf([{ signal }], 0)).toBe(signal);
    expect(signalOf(["x", { signal }], 1)).toBe(signal);
  });

  it("is undefined when there is none", () => {
    expect(signalOf([], 0)).toBeUndefined();
    expect(signalOf(["x"], 1)).toBeUndefined();
    expect(signalOf(["x", { signal: undefined }], 1)).toBeUndefined();
  });

  it.each([[1], [null], [undefined], ["x"], [{}], [{ signal: 1 }], [{ signal: null }], [() => {}]])(
    "takes %o for an argument too many, as npm zeromq does",
    (extra) => {
      expect(() => signalOf([extra], 0)).toThrow(
        new TypeError("Expected 0 arguments but received 1"),
      );
    },
  );

  it("takes the signal only at the end", () => {
    expect(() => signalOf(["x", { signal }, 1], 1)).toThrow(
      new TypeError("Expected 1 argument but received 3"),
    );
  });
});

describe("optionsOf", () => {
  it("takes an object that has one of the options at least", () => {
    const [signal, transfer] = [new AbortController().signal, [new ArrayBuffer(1)]];
    for (const options of [
      { signal },
      { transfer },
      { signal, transfer },
      { transfer: undefined },
    ]) {
      expect(optionsOf(["x", options], 1, ["signal", "transfer"])).toBe(options);
    }
    expect(optionsOf(["x"], 1, ["transfer"])).toBeUndefined();
  });

  it.each([[{}], [{ signal: undefined }], [{ transfer: [], signal: 1 }], [null], [[]]])(
    "takes %o for an argument too many, where a transfer may be",
    (extra) => {
      expect(() => optionsOf(["x", extra], 1, ["transfer"])).toThrow(
        new TypeError("Expected 1 argument but received 2"),
      );
    },
  );
});

it("busy: EBUSY, and with what", () => {
  expect(busy("reading")).toMatchObject({
    code: "EBUSY",
    message: "Socket is busy reading; only one receive operation may be in progress at any time",
  });
  expect(busy("writing")).toMatchObject({
    code: "EBUSY",
    message: "Socket is busy writing; only one send operation may be in progress at any time",
  });
});

it("blocked: EBUSY", () => {
  expect(blocked()).toMatchObject({
    code: "EBUSY",
    message: "Socket is blocked by a bind or unbind operation",
  });
});
