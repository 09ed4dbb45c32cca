import type { Socket } from "./sockets.js";

/** Between which types a proxy goes, front and back; only what is known of old. */
const ORDERS = ["push/pull", "pull/push", "xpub/xsub", "router/dealer", "xrep/xreq"];

/**
 * Hands messages from one socket to the other, both ways, for as long as they are open.
 *
 * @param capture Is sent a copy of what comes from the back end, without the addresses that a
 *   router puts before it; and of what goes from a `pull` to a `push`.
 * @throws Error for any other types, or when front and back are the wrong way round.
 */
export function proxy(frontend: Socket, backend: Socket, capture?: Socket): void {
  const order = `${frontend.type}/${backend.type}`;
  if (!ORDERS.includes(order)) {
    throw new Error("This socket type order is not supported in compatibility mode");
  }
  const addresses = frontend.type === "router" || frontend.type === "xrep" ? 2 : 0;
  // npm zeromq's layer captures nothing of what goes this way, though nothing goes the other.
  const forth = frontend.type === "pull" ? capture : undefined;
  frontend.on("message", (...frames) => {
    backend.send(frames);
    forth?.send(frames);
  });
  backend.on("message", (...frames) => {
    frontend.send(frames);
    capture?.send(frames.slice(addresses));
  });
}
