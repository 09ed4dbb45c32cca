import { GoodPeers, type Target } from "../support/hostile.js";

/** What a file of hostile tests has open: the good peers' process, sockets of ours that serve many tests, and what one test opens. */
export class Stage {
  libzmq!: GoodPeers;
  /** Run after each test, the last one first. */
  readonly closing: (() => unknown)[] = [];
  readonly #targets = new Map<string, Promise<Target>>();

  async start(): Promise<void> {
    this.libzmq = await GoodPeers.start();
  }

  /** The same target for all who ask for the same. */
  target(key: string, open: () => Promise<Target>): Promise<Target> {
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = open();
      this.#targets.set(key, target);
    }
    return target;
  }

  /** The end of a test. What one that failed has left behind is not the next one's. */
  async clear(failed: boolean): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
    if (failed) await this.#closeTargets();
  }

  async end(): Promise<void> {
    await this.#closeTargets();
    await this.libzmq.kill();
  }

  /** One that could not be opened failed the test that asked for it. */
  async #closeTargets(): Promise<void> {
    for (const target of this.#targets.values()) {
      await target.then(
        (it) => it.close(),
        () => {},
      );
    }
    this.#targets.clear();
  }
}
