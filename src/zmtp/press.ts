import { COPY_MAX, headerSize, MORE, writeHeader } from "./frame.js";

const NOTHING = new Uint8Array(0);

/**
 * Encodes a message once for all connections that it goes out on at once. To be shared by their
 * encoders. Messages that are larger than what an encoder copies are not its business.
 */
export class Press {
  readonly #plate = new Uint8Array(COPY_MAX);
  #parts: readonly Uint8Array[] | undefined;
  #octets: Uint8Array | undefined;

  /** While `distribute` runs, `parts` is the message that {@link octetsOf} knows. */
  print(parts: readonly Uint8Array[], distribute: () => void): void {
    const outer = this.#parts;
    this.#parts = parts;
    this.#octets = undefined;
    distribute();
    // What is published meanwhile has overwritten the plate.
    this.#parts = outer;
    this.#octets = undefined;
  }

  /** The frames of a message, if it is the one that is being published; valid until the next one. */
  octetsOf(parts: readonly Uint8Array[]): Uint8Array | undefined {
    if (parts !== this.#parts) return undefined;
    this.#octets ??= this.#encode(parts);
    return this.#octets.length > 0 ? this.#octets : undefined;
  }

  #encode(parts: readonly Uint8Array[]): Uint8Array {
    let size = 0;
    for (const part of parts) size += headerSize(part.length) + part.length;
    if (size > COPY_MAX) return NOTHING;
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      at = writeHeader(this.#plate, at, i < parts.length - 1 ? MORE : 0, part.length);
      this.#plate.set(part, at);
      at += part.length;
    }
    return this.#plate.subarray(0, size);
  }
}
