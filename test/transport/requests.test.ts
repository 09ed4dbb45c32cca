import type { Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { Requests } from "../../src/transport/requests.js";

function stream(connecting = false): Socket {
  return { connecting, destroy: vi.fn() } as unknown as Socket;
}

describe("Requests", () => {
  it("counts connects, writes and look-ups, and says when there is the first", () => {
    const requests = new Requests({});
    const watch = vi.fn();
    requests.watch(watch);
    const [one, other] = [stream(true), stream()];
    requests.begin(one);
    expect(requests.writing).toBe(false);
    requests.begin(other);
    requests.beginLookup();
    expect(requests.writing).toBe(true);
    expect(requests.size).toBe(3);
    expect(watch).toHaveBeenCalledTimes(1);
    requests.end(one);
    requests.end(one);
    requests.end(other);
    requests.endLookup();
    expect(requests.size).toBe(0);
    expect(requests.settled).toBe(3);
    requests.beginLookup();
    expect(watch).toHaveBeenCalledTimes(2);
  });

  it("counts turns of the event loop that were asked for, and those are not of others", async () => {
    const requests = new Requests({ getActiveResourcesInfo: () => ["Immediate", "Immediate"] });
    const watch = vi.fn();
    requests.watch(watch);
    const sizes: number[] = [];
    const turned = new Promise<void>((resolve) => {
      requests.turn(() => {
        sizes.push(requests.size);
        resolve();
      });
    });
    expect([requests.size, requests.writing, requests.others(0)]).toEqual([1, false, 1]);
    expect(watch).toHaveBeenCalledTimes(1);
    await turned;
    expect([sizes, requests.settled, requests.others(0)]).toEqual([[0], 1, 2]);
  });

  it("does not take the requests of others for its turns", () => {
    const listed = ["GetAddrInfoReqWrap", "WriteWrap", "Immediate"];
    const requests = new Requests({ getActiveResourcesInfo: () => listed });
    requests.turn(() => {});
    requests.begin(stream());
    expect(requests.others(0)).toBe(1);
  });

  it("gives up what can be given up", () => {
    const requests = new Requests({});
    const one = stream();
    requests.begin(one);
    requests.beginLookup();
    vi.mocked(one.destroy).mockImplementation(() => {
      requests.end(one);
      return one;
    });
    requests.abandon();
    expect(one.destroy).toHaveBeenCalledTimes(1);
    expect(requests.size).toBe(1);
  });

  describe("others", () => {
    const stdout = { fd: 1, writableLength: 0, _handle: {} };
    const busy = { fd: 1, writableLength: 10, _handle: {} };
    const stdin = { fd: 0, _handle: { reading: true } };
    const paused = { fd: 0, _handle: { reading: false } };
    const server = { _handle: {} };

    it.each<[string, string[], object[], number, number]>([
      ["nothing", [], [], 0, 0],
      ["our requests", ["SimpleWriteWrap", "ConnectWrap"], [], 0, 0],
      ["our requests, by other names", ["TCPConnectWrap", "GetAddrInfoReqWrap"], [], 0, 0],
      ["more than ours", ["WriteWrap", "PipeConnectWrap", "ShutdownWrap"], [], 0, 1],
      ["a timer of ours", ["Timeout"], [], 1, 0],
      ["a timer of others", ["Timeout", "Timeout"], [], 1, 1],
      ["a handle that is being closed", ["CloseReq"], [], 0, 0],
      ["a server", ["TCPServerWrap"], [server], 0, 1],
      ["an idle standard output", ["PipeWrap"], [stdout], 0, 0],
      ["a busy standard output", ["PipeWrap"], [busy], 0, 1],
      ["a standard input that is read", ["TTYWrap"], [stdin], 0, 1],
      ["a standard input that is not", ["TTYWrap", "TTYWrap"], [paused, stdout], 0, 0],
      ["a file being read", ["FSReqCallback"], [], 0, 1],
    ])("%s", (_, resources, handles, ours, others) => {
      const requests = new Requests({
        getActiveResourcesInfo: () => resources,
        _getActiveHandles: () => handles,
      });
      requests.begin(stream());
      requests.beginLookup();
      expect(requests.observable).toBe(true);
      expect(requests.others(ours)).toBe(others);
    });

    it("are not known where the runtime does not tell", () => {
      const requests = new Requests({});
      expect(requests.observable).toBe(false);
      expect(requests.others(0)).toBe(0);
    });
  });
});
