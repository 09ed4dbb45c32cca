/** Who runs against whom: each rival is a sender and a receiver, each of these a child program. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Command, nodeCommand } from "./children.js";

/** A run's numbers, in the order in which the child programs take them. */
export interface ThroughputRun {
  size: number;
  count: number;
  ring: number;
}

export interface LatencyRun {
  warmUp: number;
  count: number;
}

type Side<Role extends string, Run> = (role: Role, endpoint: string, run: Run) => Command;
export type ThroughputSide = Side<"receive" | "send", ThroughputRun>;
export type LatencySide = Side<"echo" | "ping", LatencyRun>;

export interface ThroughputRival {
  name: string;
  send: ThroughputSide;
  receive: ThroughputSide;
  /** A bare pipe says something about large messages only. */
  smallestSize?: number;
}

export interface LatencyRival {
  name: string;
  ping: LatencySide;
  echo: LatencySide;
}

/** Names that ratios and goals speak of. */
export const names = {
  awaiting: "purezmq, await",
  draining: "purezmq, drain",
  oursToLibzmq: "purezmq to libzmq C",
  libzmqToOurs: "libzmq C to purezmq",
  npm: "npm zeromq",
  libzmq: "libzmq in C",
  bare: "bare net.Socket",
} as const;

/** Below this a bare pipe makes a system call for every few bytes: no rival, another task. */
const smallestBareSize = 65_536;

export const ourEntry = pathHere("../dist/esm/index.js");
export const ourCommonJsEntry = pathHere("../dist/cjs/index.js");
export const npmEntry = createRequire(import.meta.url).resolve("zeromq");

const pairThroughput = pathHere("peers/pair-thr.mjs");
const pairLatency = pathHere("peers/pair-lat.mjs");
const bareThroughput = pathHere("peers/bare-thr.mjs");
const bareLatency = pathHere("peers/bare-lat.mjs");
const libzmqThroughput = pathHere("build/pair_thr");
const libzmqLatency = pathHere("build/pair_lat");

/** Whether `bench/setup.sh` has compiled the programs in C. */
export function hasLibzmq(): boolean {
  return existsSync(libzmqThroughput) && existsSync(libzmqLatency);
}

export function throughputRivals(): ThroughputRival[] {
  const awaiting = libraryThroughput(ourEntry, "await");
  const draining = libraryThroughput(ourEntry, "try");
  const npm = libraryThroughput(npmEntry, "await");
  const rivals: ThroughputRival[] = [
    { name: names.awaiting, send: awaiting, receive: awaiting },
    { name: names.draining, send: draining, receive: draining },
    { name: names.npm, send: npm, receive: npm },
    { name: names.bare, send: bareBytes, receive: bareBytes, smallestSize: smallestBareSize },
  ];
  const inC: ThroughputRival[] = [
    { name: names.libzmq, send: libzmqBytes, receive: libzmqBytes },
    { name: names.oursToLibzmq, send: awaiting, receive: libzmqBytes },
    { name: names.libzmqToOurs, send: libzmqBytes, receive: awaiting },
  ];
  return hasLibzmq() ? [...rivals, ...inC] : rivals;
}

export function latencyRivals(): LatencyRival[] {
  const ours = libraryLatency(ourEntry);
  const npm = libraryLatency(npmEntry);
  const rivals: LatencyRival[] = [
    { name: names.awaiting, ping: ours, echo: ours },
    { name: names.npm, ping: npm, echo: npm },
    { name: names.bare, ping: bareEcho, echo: bareEcho },
  ];
  const inC: LatencyRival[] = [
    { name: names.libzmq, ping: libzmqEcho, echo: libzmqEcho },
    { name: names.oursToLibzmq, ping: ours, echo: libzmqEcho },
    { name: names.libzmqToOurs, ping: libzmqEcho, echo: ours },
  ];
  return hasLibzmq() ? [...rivals, ...inC] : rivals;
}

/** A side by the entry file of a library with npm zeromq's API: ours, npm zeromq, or ours of another commit. */
export function libraryThroughput(entry: string, api: "await" | "try"): ThroughputSide {
  return (role, endpoint, { size, count, ring }) =>
    nodeCommand(pairThroughput, role, endpoint, size, count, ring, entry, api);
}

export function libraryLatency(entry: string): LatencySide {
  return (role, endpoint, { warmUp, count }) =>
    nodeCommand(pairLatency, role, endpoint, warmUp, count, entry);
}

function bareBytes(role: string, endpoint: string, { size, count, ring }: ThroughputRun): Command {
  return nodeCommand(bareThroughput, role, endpoint, size, count, ring);
}

function bareEcho(role: string, endpoint: string, { warmUp, count }: LatencyRun): Command {
  return nodeCommand(bareLatency, role, endpoint, warmUp, count);
}

function libzmqBytes(
  role: string,
  endpoint: string,
  { size, count, ring }: ThroughputRun,
): Command {
  return { file: libzmqThroughput, args: [role, endpoint, size, count, ring].map(String) };
}

function libzmqEcho(role: string, endpoint: string, { warmUp, count }: LatencyRun): Command {
  return { file: libzmqLatency, args: [role, endpoint, warmUp, count].map(String) };
}

function pathHere(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
