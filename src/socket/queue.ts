const SLOTS = 128;

/** A run of slots. Runs are linked, so a queue grows without moving what it holds. */
class Run<T> {
  readonly slots: (T | undefined)[] = new Array(SLOTS).fill(undefined);
  next: Run<T> | undefined = undefined;
}

/**
 * First in, first out, without bound. An empty queue keeps one run, a long one a slot per item;
 * a taken item is forgotten at once.
 */
export class Queue<T> {
  #head: Run<T> | undefined;
  #tail: Run<T> | undefined;
  #first = 0;
  #end = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The item that {@link shift} would take. */
  get first(): T | undefined {
    return this.#head?.slots[this.#first];
  }

  push(item: T): void {
    let tail = this.#tail;
    if (tail === undefined) {
      tail = new Run();
      this.#head = tail;
      this.#tail = tail;
    } else if (this.#end === SLOTS) {
      tail.next = new Run();
      tail = tail.next;
      this.#tail = tail;
      this.#end = 0;
    }
    tail.slots[this.#end++] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const head = this.#head as Run<T>;
    const item = head.slots[this.#first] as T;
    head.slots[this.#first++] = undefined;
    if (--this.#length === 0) this.#rewind(head);
    else if (this.#first === SLOTS) {
      this.#head = head.next;
      this.#first = 0;
    }
    return item;
  }

  /** Puts an item back in front of all others. */
  unshift(item: T): void {
    if (this.#length === 0) {
      this.push(item);
      return;
    }
    if (this.#first === 0) {
      const run = new Run<T>();
      run.next = this.#head;
      this.#head = run;
      this.#first = SLOTS;
    }
    (this.#head as Run<T>).slots[--this.#first] = item;
    this.#length++;
  }

  clear(): void {
    this.#head = undefined;
    this.#tail = undefined;
    this.#first = 0;
    this.#end = 0;
    this.#length = 0;
  }

  /** Starts over in the last run: the common queue, short and often empty, never allocates. */
  #rewind(run: Run<T>): void {
    this.#tail = run;
    this.#first = 0;
    this.#end = 0;
  }
}
