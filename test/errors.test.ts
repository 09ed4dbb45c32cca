import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { errnoError, fromSystem } from "../src/errors.js";

/** npm zeromq's codes and texts. */
const TEXTS: Record<string, string> = {
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAGAIN: "Operation was not possible or timed out",
  EBADF: "Socket is closed",
  ECONNRESET: "Connection reset by peer",
  EFAULT: "Context is closed",
  EHOSTUNREACH: "Host unreachable",
  EINVAL: "Invalid argument",
  EMFILE: "Too many open file descriptors",
  ENAMETOOLONG: "File name too long",
  ENODEV: "No such device",
  ENOENT: "No such endpoint",
  ENOTSOCK: "Socket operation on non-socket",
  ENOTSUP: "Operation not supported",
  EPROTONOSUPPORT: "Protocol not supported",
};

describe("errnoError", () => {
  it.each(Object.entries(TEXTS))("%s: %s, with the platform's number", (code, text) => {
    const error = errnoError(code);
    expect(error).toMatchObject({ code, message: text, name: "Error" });
    expect(error.errno).toBe((constants.errno as Record<string, number>)[code]);
  });

  it.each([
    ["EFSM", 156_384_763, "Operation cannot be accomplished in current state"],
    ["ENOCOMPATPROTO", 156_384_764, "The protocol is not compatible with the socket type"],
  ])("%s: ZeroMQ's own number %i", (code, errno, message) => {
    expect(errnoError(code)).toMatchObject({ code, errno, message });
  });

  it("has npm zeromq's properties: own, and errno, code and address enumerable", () => {
    expect(Object.keys(errnoError("EINVAL", "tcp://x"))).toEqual(["errno", "code", "address"]);
    expect(errnoError("EINVAL", "tcp://x").address).toBe("tcp://x");
  });

  it("has no address unless there is one", () => {
    expect(Object.keys(errnoError("EAGAIN"))).toEqual(["errno", "code"]);
  });

  it("keeps an empty address", () => {
    expect(errnoError("EINVAL", "").address).toBe("");
  });

  it("may say it in other words", () => {
    expect(errnoError("EBUSY", undefined, "own words")).toMatchObject({
      code: "EBUSY",
      message: "own words",
    });
  });

  it("takes codes that it does not know", () => {
    expect(errnoError("EOTHER")).toMatchObject({ code: "EOTHER", message: "EOTHER" });
    expect(errnoError("ENOTDIR").errno).toBe(constants.errno.ENOTDIR);
  });

  it("leads to the caller, not to itself", () => {
    const line = errnoError("EINVAL").stack?.split("\n")[1];
    expect(line).toContain("errors.test.ts");
  });
});

describe("fromSystem", () => {
  function system(code: string | undefined, message: string): NodeJS.ErrnoException {
    const error: NodeJS.ErrnoException = new Error(message);
    if (code !== undefined) error.code = code;
    error.errno = -1;
    return error;
  }

  it("keeps the code, with npm zeromq's text, number and address", () => {
    const error = fromSystem(system("EADDRINUSE", "listen EADDRINUSE: address"), "tcp://x:1");
    expect(error).toMatchObject({
      code: "EADDRINUSE",
      errno: constants.errno.EADDRINUSE,
      message: "Address already in use",
      address: "tcp://x:1",
    });
  });

  it("keeps the text of codes that npm zeromq does not have", () => {
    const error = fromSystem(system("EMLINK", "too many links"));
    expect(error).toMatchObject({ code: "EMLINK", message: "too many links" });
    expect(error.errno).toBe(constants.errno.EMLINK);
  });

  it("has a code even if the system had none", () => {
    expect(fromSystem(system(undefined, "strange"))).toMatchObject({
      code: "EINVAL",
      message: "strange",
    });
  });
});
