/** Where two processes meet: a port of the loopback, or a file of its own in a temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Transport } from "./options.js";

let folder: string | undefined;
let paths = 0;

/** An address to bind; each ipc path is used once, so no run meets the remains of another. */
export function freshEndpoint(transport: Transport): string {
  if (transport === "tcp") return "tcp://127.0.0.1:*";
  folder ??= mkdtempSync(join(tmpdir(), "purezmq-bench-"));
  return `ipc://${join(folder, `${paths++}.sock`)}`;
}

export function removeEndpoints(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
