/**
 * Which objects and arrays of JSON are open, innermost last: one bit each, so that a megabyte holds eight million of
 * them and no depth of an unknown value can hurt.
 */

const INITIAL_BYTES = 16;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/** A stack of brackets. */
export class OpenContainers {
  depth = 0;
  #bits: Uint8Array = new Uint8Array(INITIAL_BYTES);

  /** Opens a container. @param bracket the byte that opens it */
  push(bracket: number): void {
    const place = this.depth >> 3;
    if (place === this.#bits.length) this.#grow();
    const bit = 1 << (this.depth & 7);
    const others = (this.#bits[place] ?? 0) & ~bit;
    this.#bits[place] = bracket === OPEN_BRACE ? others | bit : others;
    this.depth += 1;
  }

  /** Closes the innermost container. */
  pop(): void {
    this.depth -= 1;
  }

  /** The byte that closes the innermost container; there must be one. */
  close(): number {
    const index = this.depth - 1;
    return (((this.#bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bits.length * 2);
    grown.set(this.#bits);
    this.#bits = grown;
  }
}
