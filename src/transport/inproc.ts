/** Who connects to a name. */
interface Seeker<Host> {
  /** Whether it wants to do with this one. */
  suits(host: Host): boolean;
}

/**
 * A meeting place of names: who binds a name is found by those who connect to it, and who
 * connects first waits, as does who finds somebody unsuitable. It knows nothing of what they do with
 * each other.
 */
export class Meeting<Host, Guest extends Seeker<Host>> {
  readonly #hosts = new Map<string, Host>();
  readonly #waiting = new Map<string, Set<Guest>>();

  /**
   * Takes a name.
   * @returns Those who were waiting for such a host, in the order they came; undefined when the name
   *   is taken.
   */
  bind(name: string, host: Host): Guest[] | undefined {
    if (this.#hosts.has(name)) return undefined;
    this.#hosts.set(name, host);
    const guests = [...(this.#waiting.get(name) ?? [])].filter((guest) => guest.suits(host));
    for (const guest of guests) this.leave(name, guest);
    return guests;
  }

  unbind(name: string, host: Host): void {
    if (this.#hosts.get(name) === host) this.#hosts.delete(name);
  }

  /** Who has bound a name. */
  find(name: string): Host | undefined {
    return this.#hosts.get(name);
  }

  /** Finds who has bound a name; if nobody suitable has, the guest waits until {@link leave}. */
  connect(name: string, guest: Guest): Host | undefined {
    const host = this.#hosts.get(name);
    if (host !== undefined && guest.suits(host)) return host;
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) this.#waiting.set(name, new Set([guest]));
    else waiting.add(guest);
    return undefined;
  }

  /** Stops waiting. */
  leave(name: string, guest: Guest): void {
    const waiting = this.#waiting.get(name);
    if (waiting?.delete(guest) && waiting.size === 0) this.#waiting.delete(name);
  }
}
