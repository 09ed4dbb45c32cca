import type { Socket as Stream } from "node:net";
import type { OptionStore } from "../options.js";
import { tcpEndpoint } from "./address.js";

/** Where the peer of a stream is; on ipc peers have no address of their own. */
export function remoteAddress(stream: Stream, endpoint: string): string {
  const { remoteAddress: host, remotePort: port } = stream;
  return host === undefined || port === undefined ? endpoint : tcpEndpoint(host, port);
}

/** Applies `tcpKeepalive` and `tcpKeepaliveIdle`; Node fixes the other two itself. */
export function keepAlive(stream: Stream, options: OptionStore): void {
  const keepalive = options.number("tcpKeepalive");
  if (keepalive < 0) return;
  const idleSeconds = options.number("tcpKeepaliveIdle");
  stream.setKeepAlive(keepalive === 1, idleSeconds > 0 ? idleSeconds * 1000 : 0);
}
