import { Buffer } from "node:buffer";
import { chmodSync, mkdtempSync, renameSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { errnoError } from "../errors.js";

/** `sizeof(sun_path)` less the final NUL. */
const PATH_MAX = process.platform === "darwin" ? 103 : 107;

/** The first libuv that gives an abstract name its exact length. */
const ABSTRACT_SINCE = [1, 48] as const;

/**
 * The path to hand to the operating system for an ipc endpoint.
 * @throws EPROTONOSUPPORT on Windows, ENAMETOOLONG, ENOTSUP for abstract names that this platform
 *   cannot speak.
 */
export function systemPath(path: string, endpoint: string): string {
  if (process.platform === "win32") {
    throw errnoError(
      "EPROTONOSUPPORT",
      endpoint,
      "Protocol not supported: ipc:// needs UNIX sockets, which Node.js lacks on Windows",
    );
  }
  if (Buffer.byteLength(path) > PATH_MAX) throw errnoError("ENAMETOOLONG", endpoint);
  if (!path.startsWith("@")) return path;
  if (!abstractNames()) {
    throw errnoError(
      "ENOTSUP",
      endpoint,
      "Operation not supported: abstract ipc names need Linux and libuv 1.48 (Node.js 20 has 1.46)",
    );
  }
  return `\0${path.slice(1)}`;
}

function abstractNames(): boolean {
  if (process.platform !== "linux") return false;
  const [major = 0, minor = 0] = (process.versions["uv"] ?? "0.0").split(".").map(Number);
  return major > ABSTRACT_SINCE[0] || (major === ABSTRACT_SINCE[0] && minor >= ABSTRACT_SINCE[1]);
}

/**
 * The file of a bound ipc endpoint.
 *
 * libuv removes the name that it bound when the listener closes, whoever owns it by then. So we
 * bind a name that nobody else uses and rename it: the endpoint's file appears at once, with the
 * right mode, in place of a stale or a live one (as with libzmq), and we remove it at the end only
 * if it is still ours.
 */
export class IpcFile {
  /** Where the endpoint is to be found. */
  readonly path: string;
  /** What to bind. */
  readonly bindPath: string;
  readonly #folder: string | undefined;
  #inode: bigint | undefined;

  private constructor(path: string, bindPath: string, folder?: string) {
    this.path = path;
    this.bindPath = bindPath;
    this.#folder = folder;
  }

  /**
   * Prepares to bind `path`; `*` makes a folder of its own for the socket.
   * @throws EADDRINUSE when there is a file that is no socket.
   */
  static prepare(path: string, endpoint: string): IpcFile {
    if (path === "*") {
      const folder = mkdtempSync(join(tmpdir(), "zmq-"));
      const name = join(folder, "socket");
      return new IpcFile(name, name, folder);
    }
    const system = systemPath(path, endpoint);
    if (system.startsWith("\0")) return new IpcFile(path, system);
    const stat = statSync(system, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isSocket()) throw errnoError("EADDRINUSE", endpoint);
    const own = `${system}.${process.pid}-${++counter}`;
    if (Buffer.byteLength(own) <= PATH_MAX) return new IpcFile(system, own);
    const short = join(dirname(system), `.${process.pid}-${counter}`);
    if (Buffer.byteLength(short) <= PATH_MAX) return new IpcFile(system, short);
    if (stat !== undefined) unlinkSync(system);
    return new IpcFile(system, system);
  }

  get endpoint(): string {
    return `ipc://${this.path}`;
  }

  /** The code of the error when {@link bindPath} could not be bound: why, as far as files tell. */
  whyNotBound(): string {
    if (this.#isAbstract) return "EADDRINUSE";
    const folder = statSync(dirname(this.bindPath), { throwIfNoEntry: false });
    if (folder === undefined) return "ENOENT";
    return folder.isDirectory() ? "EACCES" : "ENOTDIR";
  }

  /** To be called once {@link bindPath} is bound: makes the endpoint visible. */
  publish(mode?: number): void {
    if (this.#isAbstract) return;
    if (mode !== undefined) chmodSync(this.bindPath, mode);
    if (this.bindPath !== this.path) renameSync(this.bindPath, this.path);
    this.#inode = statSync(this.path, { bigint: true }).ino;
  }

  /** To be called once the listener is closed. */
  remove(): void {
    if (this.#isAbstract) return;
    const stat = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (stat !== undefined && stat.ino === this.#inode) unlinkSync(this.path);
    if (this.#folder !== undefined) rmdirSync(this.#folder);
  }

  get #isAbstract(): boolean {
    return this.bindPath.startsWith("\0");
  }
}

let counter = 0;
