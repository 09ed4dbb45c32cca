/** A place in the round. One that is not active is linked to nothing. */
class Seat<T> {
  readonly item: T;
  previous: Seat<T> | undefined = undefined;
  next: Seat<T> | undefined = undefined;

  constructor(item: T) {
    this.item = item;
  }
}

/**
 * Items that take turns. Only active ones do; one that becomes active has its first turn after all
 * others had theirs. Every step takes the same time, however many there are.
 */
export class Ring<T> {
  readonly #seats = new Map<T, Seat<T>>();
  #current: Seat<T> | undefined;

  /** All items, active or not. */
  get items(): Iterable<T> {
    return this.#seats.keys();
  }

  get size(): number {
    return this.#seats.size;
  }

  /** Whose turn it is; undefined when nobody is active. */
  get current(): T | undefined {
    return this.#current?.item;
  }

  has(item: T): boolean {
    return this.#seats.has(item);
  }

  /** Adds an item, not active yet. */
  add(item: T): void {
    if (!this.#seats.has(item)) this.#seats.set(item, new Seat(item));
  }

  delete(item: T): void {
    const seat = this.#seats.get(item);
    if (seat === undefined) return;
    this.#seats.delete(item);
    this.#unlink(seat);
  }

  /** Lets an item that was added take turns. */
  activate(item: T): void {
    const seat = this.#seats.get(item);
    if (seat === undefined || seat.next !== undefined) return;
    const current = this.#current;
    if (current === undefined) {
      seat.previous = seat;
      seat.next = seat;
      this.#current = seat;
    } else {
      const last = current.previous as Seat<T>;
      seat.previous = last;
      seat.next = current;
      last.next = seat;
      current.previous = seat;
    }
  }

  /** Lets an item take no more turns, until it is active again. */
  deactivate(item: T): void {
    const seat = this.#seats.get(item);
    if (seat !== undefined) this.#unlink(seat);
  }

  /** It is the next one's turn. */
  advance(): void {
    this.#current = this.#current?.next;
  }

  clear(): void {
    this.#seats.clear();
    this.#current = undefined;
  }

  #unlink(seat: Seat<T>): void {
    const { previous, next } = seat;
    if (previous === undefined || next === undefined) return;
    seat.previous = undefined;
    seat.next = undefined;
    if (next === seat) {
      this.#current = undefined;
      return;
    }
    previous.next = next;
    next.previous = previous;
    if (this.#current === seat) this.#current = next;
  }
}
