/** Who runs against whom: each rival is a sender and a receiver, each of these a child program. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Command, nodeCommand } from "./children.js";
import type { LatencyPattern, ThroughputPattern } from "./goals.js";

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

/** How a child program uses a library: awaiting every call, or only those that would have to wait. */
export type Api = "await" | "try";

/** A library with npm zeromq's API, both ends of a run. */
export interface Library {
  name: string;
  /** Its entry file. */
  entry: string;
  api: Api;
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

export const ourEntry = pathHere("../dist/esm/module/index.js");
export const ourCommonJsEntry = pathHere("../dist/cjs/index.js");
export const npmEntry = createRequire(import.meta.url).resolve("zeromq");

export const awaiting: Library = { name: names.awaiting, entry: ourEntry, api: "await" };
export const draining: Library = { name: names.draining, entry: ourEntry, api: "try" };
export const npm: Library = { name: names.npm, entry: npmEntry, api: "await" };

const throughputProgram = pathHere("peers/thr.mjs");
const latencyProgram = pathHere("peers/lat.mjs");
const bareThroughput = pathHere("peers/bare-thr.mjs");
const bareLatency = pathHere("peers/bare-lat.mjs");
const libzmqThroughput = pathHere("build/thr");
const libzmqLatency = pathHere("build/lat");

/** Whether `bench/setup.sh` has compiled the programs in C. */
export function hasLibzmq(): boolean {
  return existsSync(libzmqThroughput) && existsSync(libzmqLatency);
}

export function throughputRivals(pattern: ThroughputPattern): ThroughputRival[] {
  const rivals: ThroughputRival[] = [awaiting, draining, npm].map(({ name, entry, api }) => {
    const side = libraryThroughput(entry, api, pattern);
    return { name, send: side, receive: side };
  });
  const libzmq = libzmqBytes(pattern);
  const inC: ThroughputRival[] = [{ name: names.libzmq, send: libzmq, receive: libzmq }];
  if (pattern === "pair") {
    const ours = libraryThroughput(ourEntry, "await", pattern);
    rivals.push({
      name: names.bare,
      send: bareBytes,
      receive: bareBytes,
      smallestSize: smallestBareSize,
    });
    inC.push(
      { name: names.oursToLibzmq, send: ours, receive: libzmq },
      { name: names.libzmqToOurs, send: libzmq, receive: ours },
    );
  }
  return hasLibzmq() ? [...rivals, ...inC] : rivals;
}

export function latencyRivals(pattern: LatencyPattern): LatencyRival[] {
  const ours = libraryLatency(ourEntry, pattern);
  const theirs = libraryLatency(npmEntry, pattern);
  const libzmq = libzmqEcho(pattern);
  const rivals: LatencyRival[] = [
    { name: names.awaiting, ping: ours, echo: ours },
    { name: names.npm, ping: theirs, echo: theirs },
    { name: names.bare, ping: bareEcho, echo: bareEcho },
  ];
  const inC: LatencyRival[] = [
    { name: names.libzmq, ping: libzmq, echo: libzmq },
    { name: names.oursToLibzmq, ping: ours, echo: libzmq },
    { name: names.libzmqToOurs, ping: libzmq, echo: ours },
  ];
  return hasLibzmq() ? [...rivals, ...inC] : rivals;
}

/** A side by the entry file of a library with npm zeromq's API: ours, npm zeromq, or ours of another commit. */
export function libraryThroughput(
  entry: string,
  api: Api,
  pattern: ThroughputPattern,
): ThroughputSide {
  return (role, endpoint, { size, count, ring }) =>
    nodeCommand(throughputProgram, role, endpoint, size, count, ring, pattern, entry, api);
}

export function libraryLatency(entry: string, pattern: LatencyPattern): LatencySide {
  return (role, endpoint, { warmUp, count }) =>
    nodeCommand(latencyProgram, role, endpoint, warmUp, count, pattern, entry);
}

function bareBytes(role: string, endpoint: string, { size, count, ring }: ThroughputRun): Command {
  return nodeCommand(bareThroughput, role, endpoint, size, count, ring);
}

function bareEcho(role: string, endpoint: string, { warmUp, count }: LatencyRun): Command {
  return nodeCommand(bareLatency, role, endpoint, warmUp, count);
}

function libzmqBytes(pattern: ThroughputPattern): ThroughputSide {
  return (role, endpoint, { size, count, ring }) => ({
    file: libzmqThroughput,
    args: [role, endpoint, size, count, ring, pattern].map(String),
  });
}

function libzmqEcho(pattern: LatencyPattern): LatencySide {
  return (role, endpoint, { warmUp, count }) => ({
    file: libzmqLatency,
    args: [role, endpoint, warmUp, count, pattern].map(String),
  });
}

function pathHere(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
