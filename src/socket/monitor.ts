import type { Event } from "../events.js";

/** Who wants to know what happens to a socket's connections. */
export interface Watcher {
  notify(event: Event): void;
}

/** Where a socket's events go: to its observers, and nowhere while it has none. */
export class Monitor {
  readonly #watchers = new Set<Watcher>();
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  emit(event: Event): void {
    hideOurs(event);
    for (const watcher of this.#watchers) watcher.notify(event);
  }

  /** The last event: nothing more will happen. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit({ type: "end" });
    this.#watchers.clear();
  }
}

/** What npm zeromq's events do not have is there to be read, and not in the way of who compares or prints them. */
function hideOurs(event: Event): void {
  for (const name of ["peerAddress", "routingId", "userId", "metadata"]) {
    if (name in event) Object.defineProperty(event, name, { enumerable: false });
  }
}
