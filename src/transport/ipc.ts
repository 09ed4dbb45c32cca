import { Buffer } from "node:buffer";
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { errnoError, fromSystem } from "../errors.js";

/** What of the platform decides how ipc endpoints are named. */
export interface Platform {
  name: NodeJS.Platform;
  /** The version of libuv; undefined for runtimes that have none. */
  uv: string | undefined;
}

const HERE: Platform = { name: process.platform, uv: process.versions["uv"] };

/** The first libuv that gives an abstract name its exact length. */
const ABSTRACT_SINCE = [1, 48] as const;

/** `sizeof(sun_path)` less the final NUL. */
function pathMax(platform: Platform): number {
  return platform.name === "linux" ? 107 : 103;
}

/**
 * The path to hand to the operating system for an ipc endpoint.
 * @throws EPROTONOSUPPORT on Windows, ENAMETOOLONG, ENOTSUP for abstract names that this platform
 *   cannot speak.
 */
export function systemPath(path: string, endpoint: string, platform: Platform = HERE): string {
  if (platform.name === "win32") {
    throw errnoError(
      "EPROTONOSUPPORT",
      endpoint,
      "Protocol not supported: ipc:// needs UNIX sockets, which Node.js lacks on Windows",
    );
  }
  if (Buffer.byteLength(path) > pathMax(platform)) throw errnoError("ENAMETOOLONG", endpoint);
  if (!path.startsWith("@")) return path;
  if (!speaksAbstractNames(platform)) {
    throw errnoError(
      "ENOTSUP",
      endpoint,
      "Operation not supported: abstract ipc names need Linux and libuv 1.48 (Node.js 20 has 1.46)",
    );
  }
  return `\0${path.slice(1)}`;
}

function speaksAbstractNames({ name, uv }: Platform): boolean {
  if (name !== "linux") return false;
  const [major = 0, minor = 0] = (uv ?? "0.0").split(".").map(Number);
  return major > ABSTRACT_SINCE[0] || (major === ABSTRACT_SINCE[0] && minor >= ABSTRACT_SINCE[1]);
}

/**
 * The file of a bound ipc endpoint.
 *
 * libuv removes the name that it bound when the listener closes, whoever owns it by then. So we
 * bind a name that nobody else uses and rename it: the endpoint's file appears at once, in place
 * of a stale or a live one (as with libzmq), and we remove it at the end, or when the process
 * exits, only if it is still ours.
 */
export class IpcFile {
  /** Where the endpoint is to be found. */
  readonly path: string;
  /** What to bind. */
  readonly bindPath: string;
  /** The permissions of the file; null: as the process makes files. */
  readonly #mode: number | null;
  /** A folder that was made for this file alone. */
  #folder: string | undefined;
  #identity: string | undefined;

  private constructor(path: string, bindPath: string, mode: number | null, folder?: string) {
    this.path = path;
    this.bindPath = bindPath;
    this.#mode = mode;
    this.#folder = folder;
  }

  /**
   * Prepares to bind `path`; `*` makes a folder of its own for the socket.
   * @param mode The permissions of the file; null: as the process makes files.
   * @throws As {@link systemPath}; EADDRINUSE when there is a file that is no socket; ENOTSUP for a
   *   mode and an abstract name; what the operating system says against the path.
   */
  static prepare(
    path: string,
    endpoint: string,
    mode: number | null,
    platform: Platform = HERE,
  ): IpcFile {
    try {
      if (path === "*") return IpcFile.#wildcard(endpoint, mode, platform);
      const system = systemPath(path, endpoint, platform);
      if (system.startsWith("\0")) return IpcFile.#abstract(path, system, endpoint, mode);
      const exists = occupied(system, endpoint);
      const max = pathMax(platform);
      if (mode !== null) return IpcFile.#secluded(system, endpoint, mode, max);
      const unique = Math.random().toString(36).slice(2, 8);
      for (const other of [`${system}.${unique}`, join(dirname(system), `.${unique}`)]) {
        if (Buffer.byteLength(other) <= max) return new IpcFile(system, other, mode);
      }
      // No room for another name: in place, then.
      if (exists) unlinkSync(system);
      return new IpcFile(system, system, mode);
    } catch (error) {
      throw "address" in (error as object)
        ? error
        : fromSystem(error as NodeJS.ErrnoException, endpoint);
    }
  }

  static #wildcard(endpoint: string, mode: number | null, platform: Platform): IpcFile {
    const name = join(tmpdir(), "zmq-XXXXXX", "socket");
    systemPath(name, endpoint, platform);
    const folder = mkdtempSync(join(tmpdir(), "zmq-"));
    const path = join(folder, "socket");
    return new IpcFile(path, path, mode, folder);
  }

  /** Whoever is on the machine may connect to an abstract name. */
  static #abstract(path: string, system: string, endpoint: string, mode: number | null): IpcFile {
    if (mode === null) return new IpcFile(path, system, mode);
    throw errnoError(
      "ENOTSUP",
      endpoint,
      "Operation not supported: an abstract ipc name is no file, so ipcMode cannot protect it",
    );
  }

  /**
   * A socket listens as soon as it is bound, and has its mode only after that. In a folder that
   * nobody else may enter, nobody finds it in between.
   */
  static #secluded(path: string, endpoint: string, mode: number, max: number): IpcFile {
    const parent = dirname(path);
    const parentMax = max - "/.XXXXXX/s".length;
    if (Buffer.byteLength(parent) > parentMax) {
      throw errnoError(
        "ENAMETOOLONG",
        endpoint,
        `File name too long: with ipcMode the name of the folder may have ${parentMax} octets`,
      );
    }
    const folder = mkdtempSync(`${parent}/.`);
    return new IpcFile(path, `${folder}/s`, mode, folder);
  }

  get endpoint(): string {
    return `ipc://${this.path}`;
  }

  /** The code of the error when {@link bindPath} could not be bound: why, as far as files tell. */
  whyNotBound(): string {
    if (this.#isAbstract) return "EADDRINUSE";
    try {
      // Whatever keeps a socket from being made there keeps a file, too, and says what it is.
      closeSync(openSync(this.bindPath, "wx"));
      unlinkSync(this.bindPath);
      return "EACCES";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "EACCES";
    }
  }

  /** To be called once {@link bindPath} is bound: makes the endpoint visible. */
  publish(): void {
    if (this.#isAbstract) return;
    if (this.#mode !== null) chmodSync(this.bindPath, this.#mode);
    if (this.bindPath !== this.path) {
      renameSync(this.bindPath, this.path);
      this.#removeFolder();
    }
    this.#identity = identify(this.path);
    if (published.size === 0) process.on("exit", removeAll);
    published.add(this);
  }

  /**
   * Removes the file, if it is still ours. To be called while the listener is still open: once it
   * is closed, another file may get the identity of ours.
   */
  remove(): void {
    if (published.delete(this) && published.size === 0) process.off("exit", removeAll);
    try {
      if (this.#identity !== undefined && identify(this.path) === this.#identity) {
        unlinkSync(this.path);
      }
      this.#removeFolder();
    } catch {
      // It is gone already, or we may not touch it any more: no reason for anybody's close to fail.
    }
  }

  #removeFolder(): void {
    if (this.#folder !== undefined) rmdirSync(this.#folder);
    this.#folder = undefined;
  }

  get #isAbstract(): boolean {
    return this.bindPath.startsWith("\0");
  }
}

/** Those that are to be removed when the process exits. */
const published = new Set<IpcFile>();

function removeAll(): void {
  for (const file of published) file.remove();
}

/** Tells whether there is a socket. */
function occupied(path: string, endpoint: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isSocket()) throw errnoError("EADDRINUSE", endpoint);
  return stat !== undefined;
}

function identify(path: string): string {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return `${dev} ${ino}`;
}
