import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { placeOf, placeText } from "../../src/place.js";
import { until } from "./sockets.js";

/** A UDP socket that knows nothing of ZeroMQ. */
export class RawUdp {
  /** What has come, whole. */
  readonly got: Buffer[] = [];
  /** Where each came from. */
  readonly from: string[] = [];
  readonly #socket: Socket;

  static async open(ip = "127.0.0.1"): Promise<RawUdp> {
    const socket = createSocket(isIPv6(ip) ? "udp6" : "udp4");
    const raw = new RawUdp(socket);
    await new Promise<void>((resolve) => socket.bind(0, ip, resolve));
    return raw;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (octets, { address, port }) => {
      this.got.push(octets);
      this.from.push(placeText({ ip: address, port }));
    });
  }

  /** Where it is: `127.0.0.1:5555`. */
  get place(): string {
    const { address, port } = this.#socket.address();
    return placeText({ ip: address, port });
  }

  get endpoint(): string {
    return `udp://${this.place}`;
  }

  /** Sends a datagram to an endpoint of udp; resolves once the system has it. */
  send(octets: Uint8Array | string, endpoint: string | null): Promise<void> {
    const place = placeOf(String(endpoint).slice("udp://".length));
    if (place === undefined) throw new Error(`${endpoint} is nowhere`);
    return new Promise((resolve, reject) => {
      const done = (error: Error | null) => (error === null ? resolve() : reject(error));
      this.#socket.send(octets, place.port, place.ip, done);
    });
  }

  /** Resolves once `count` datagrams have come. */
  heard(count: number): Promise<void> {
    return until(() => this.got.length >= count);
  }

  close(): void {
    this.#socket.close();
  }
}
