import { createServer } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * Where ports are taken from: below those that a system gives away by itself (Linux from 32,768, others from 49,152),
 * so that no other socket of this or another test comes to have one of them. Test processes run side by side, with
 * numbers close together: each begins in a block of its own.
 */
const [FIRST, COUNT, BLOCK] = [10_000, 20_000, 200];

const isHere = Object.values(networkInterfaces())
  .flat()
  .some((it) => it?.address === "::1");

/** The addresses of this machine. */
export const LOOPBACKS: string[] = isHere ? ["127.0.0.1", "::1"] : ["127.0.0.1"];

let taken = process.pid * BLOCK;

/** A port that nobody has, on any of the addresses; the process is not told it again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (taken++ % COUNT);
    const free = await Promise.all(LOOPBACKS.map((host) => isFree(port, host)));
    if (!free.includes(false)) return port;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
