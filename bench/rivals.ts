/** Who runs against whom: each rival is a sender and a receiver, each of these a child program. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Command, nodeCommand } from "./children.js";
import type { LatencyPattern } from "./goals.js";
import { type Load, ringFor } from "./load.js";
import { names } from "./names.js";

/** A run's numbers. */
export interface ThroughputRun {
  load: Load;
  count: number;
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
}

export interface LatencyRival {
  name: string;
  ping: LatencySide;
  echo: LatencySide;
}

/** How a child program uses a library: awaiting every call, iterating, or awaiting only calls that would have to wait. */
export type Api = "await" | "iterate" | "try";

/** A library with npm zeromq's API, both ends of a run. */
export interface Library {
  name: string;
  /** Its entry file. */
  entry: string;
  api: Api;
}

/** Below this a bare pipe makes a system call for every few bytes: no rival, another task. */
const smallestBareSize = 65_536;

export const ourEntry = pathHere("../dist/esm/module/index.js");
export const ourCommonJsEntry = pathHere("../dist/cjs/index.js");
export const npmEntry = createRequire(import.meta.url).resolve("zeromq");

export const awaiting: Library = { name: names.awaiting, entry: ourEntry, api: "await" };
export const iterating: Library = { name: names.iterating, entry: ourEntry, api: "iterate" };
export const draining: Library = { name: names.draining, entry: ourEntry, api: "try" };
export const npm: Library = { name: names.npm, entry: npmEntry, api: "await" };

const python = "/usr/bin/python3";
const programs = {
  throughput: pathHere("peers/thr.mjs"),
  latency: pathHere("peers/lat.mjs"),
  publishing: pathHere("peers/pubsub.mjs"),
  bareThroughput: pathHere("peers/bare-thr.mjs"),
  bareLatency: pathHere("peers/bare-lat.mjs"),
  pyzmqThroughput: pathHere("peers/thr.py"),
  libzmqThroughput: pathHere("build/thr"),
  libzmqLatency: pathHere("build/lat"),
  libzmqPublishing: pathHere("build/pubsub"),
};

/** Whether `bench/setup.sh` has compiled the programs in C. */
export function hasLibzmq(): boolean {
  const { libzmqThroughput, libzmqLatency, libzmqPublishing } = programs;
  return [libzmqThroughput, libzmqLatency, libzmqPublishing].every((file) => existsSync(file));
}

/** Whether the system's Python has PyZMQ. */
export function hasPyzmq(): boolean {
  return spawnSync(python, ["-c", "import zmq.asyncio"]).status === 0;
}

/** Those who can do the load. */
export function throughputRivals({ pattern, mechanism, size, frames }: Load): ThroughputRival[] {
  const isPlain = mechanism === "null";
  const rivals: ThroughputRival[] = [awaiting, iterating, draining, npm].map(
    ({ name, entry, api }) => bothSides(name, libraryThroughput(entry, api)),
  );
  if (isPlain && hasPyzmq()) rivals.push(bothSides(names.pyzmq, pyzmqThroughput));
  if (isPlain && pattern === "pair" && frames === 1 && size >= smallestBareSize)
    rivals.push(bothSides(names.bare, bareThroughput));
  if (hasLibzmq()) {
    const ours = libraryThroughput(ourEntry, "await");
    rivals.push(
      bothSides(names.libzmq, libzmqThroughput),
      { name: names.oursToLibzmq, send: ours, receive: libzmqThroughput },
      { name: names.libzmqToOurs, send: libzmqThroughput, receive: ours },
    );
  }
  return rivals;
}

function bothSides(name: string, side: ThroughputSide): ThroughputRival {
  return { name, send: side, receive: side };
}

/** A publisher and its subscribers: with a library, or with libzmq in C. */
export interface PublishingRival {
  name: string;
  command: (role: "publish" | "subscribe", endpoint: string, run: PublishingRun) => Command;
}

export interface PublishingRun {
  subscribers: number;
  size: number;
  count: number;
  /** How many different bodies take turns. */
  ring: number;
}

export function publishingRivals(): PublishingRival[] {
  const rivals = [awaiting, draining, npm].map(publishingBy);
  const inC: PublishingRival = {
    name: names.libzmq,
    command: (role, endpoint, { subscribers, size, count, ring }) => ({
      file: programs.libzmqPublishing,
      args: [role, endpoint, subscribers, size, count, ring].map(String),
    }),
  };
  return hasLibzmq() ? [...rivals, inC] : rivals;
}

export function publishingBy({ name, entry, api }: Library): PublishingRival {
  return {
    name,
    command: (role, endpoint, { subscribers, size, count, ring }) =>
      nodeCommand(programs.publishing, role, endpoint, subscribers, size, count, ring, entry, api),
  };
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
export function libraryThroughput(entry: string, api: Api): ThroughputSide {
  return (role, endpoint, run) =>
    nodeCommand(programs.throughput, role, endpoint, ...words(run), entry, api);
}

const pyzmqThroughput: ThroughputSide = (role, endpoint, run) => ({
  file: python,
  args: [programs.pyzmqThroughput, role, endpoint, ...words(run)],
});

const libzmqThroughput: ThroughputSide = (role, endpoint, run) => ({
  file: programs.libzmqThroughput,
  args: [role, endpoint, ...words(run)],
});

const bareThroughput: ThroughputSide = (role, endpoint, { load, count }) =>
  nodeCommand(programs.bareThroughput, role, endpoint, load.size, count, ringFor(load));

/** As all programs of throughput take them. */
function words({ load, count }: ThroughputRun): string[] {
  const { size, frames, pattern, mechanism } = load;
  return [size, count, ringFor(load), frames, pattern, mechanism].map(String);
}

export function libraryLatency(entry: string, pattern: LatencyPattern): LatencySide {
  return (role, endpoint, { warmUp, count }) =>
    nodeCommand(programs.latency, role, endpoint, warmUp, count, pattern, entry);
}

function bareEcho(role: string, endpoint: string, { warmUp, count }: LatencyRun): Command {
  return nodeCommand(programs.bareLatency, role, endpoint, warmUp, count);
}

function libzmqEcho(pattern: LatencyPattern): LatencySide {
  return (role, endpoint, { warmUp, count }) => ({
    file: programs.libzmqLatency,
    args: [role, endpoint, warmUp, count, pattern].map(String),
  });
}

function pathHere(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
