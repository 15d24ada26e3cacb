/**
 * A growing table of small integers: rows of a fixed number of columns in one typed array, for lists of so many entries
 * that an object each would be too much memory.
 */

const INITIAL_ROWS = 64;

/** The table; a row is named by its index. */
export class Int32Rows {
  readonly #columns: number;
  #values: Int32Array;
  /** Number of rows. */
  length = 0;

  /** @param columns columns of a row, at least 1 */
  constructor(columns: number) {
    this.#columns = columns;
    this.#values = new Int32Array(INITIAL_ROWS * columns);
  }

  /** Bytes that its rows take. */
  get byteLength(): number {
    return this.length * this.#columns * Int32Array.BYTES_PER_ELEMENT;
  }

  /** Adds a row with all columns alike and returns its index. */
  add(value: number): number {
    const start = this.length * this.#columns;
    if (start === this.#values.length) {
      const grown = new Int32Array(2 * start);
      grown.set(this.#values);
      this.#values = grown;
    }
    const values = this.#values;
    for (let index = start; index < start + this.#columns; index += 1) values[index] = value;
    return this.length++;
  }

  get(row: number, column: number): number {
    return this.#values[row * this.#columns + column] ?? 0;
  }

  set(row: number, column: number, value: number): void {
    this.#values[row * this.#columns + column] = value;
  }

  /** Forgets all rows and keeps the room. */
  clear(): void {
    this.length = 0;
  }
}
