/**
 * Sorts small integers by keys, stable, without an object for any of them. A native sort of doubles, each of them a key
 * and a place, takes a tenth of the time of a sort with a function. Hot path, hence a class: `bench/otlp-items.ts`.
 */

const INITIAL_LENGTH = 64;
/** A double holds integers of 53 bits: a key of 32, and a place among this many. */
const MAX_RUN = 2 ** 21;
/** Up to this many, a loop is done before a native sort has begun. */
const LOOP_MAX_LENGTH = 12;

/** A list of keys and values, used again and again. */
export class KeySort {
  length = 0;
  #isSorted = true;
  #lastKey = 0;
  /** Keys with the places of their values. */
  #numbers: Float64Array = new Float64Array(INITIAL_LENGTH);
  #values: Int32Array = new Int32Array(INITIAL_LENGTH);

  clear(): void {
    this.length = 0;
    this.#isSorted = true;
    this.#lastKey = 0;
  }

  /** Adds a value. @param key 32 bits, taken as an unsigned number */
  add(key: number, value: number): void {
    const index = this.length;
    if (index === this.#values.length) this.#grow();
    const unsigned = key >>> 0;
    if (unsigned < this.#lastKey) this.#isSorted = false;
    this.#lastKey = unsigned;
    this.#numbers[index] = unsigned * MAX_RUN + (index % MAX_RUN);
    this.#values[index] = value;
    this.length = index + 1;
  }

  /** Sorts what was added; of more than 2^21 values, each so many for themselves. */
  sort(): void {
    if (this.#isSorted) return;
    for (let start = 0; start < this.length; start += MAX_RUN) {
      const end = Math.min(start + MAX_RUN, this.length);
      if (end - start <= LOOP_MAX_LENGTH) this.#sortByLoop(start, end);
      else this.#numbers.subarray(start, end).sort();
    }
  }

  /** The value at a place of the sorted list. */
  valueAt(index: number): number {
    if (this.#isSorted) return this.#values[index] ?? 0;
    const place = (this.#numbers[index] ?? 0) % MAX_RUN;
    return this.#values[index - (index % MAX_RUN) + place] ?? 0;
  }

  #sortByLoop(start: number, end: number): void {
    const numbers = this.#numbers;
    for (let index = start + 1; index < end; index += 1) {
      const number = numbers[index] ?? 0;
      let to = index;
      for (; to > start && (numbers[to - 1] ?? 0) > number; to -= 1) numbers[to] = numbers[to - 1] ?? 0;
      numbers[to] = number;
    }
  }

  #grow(): void {
    const numbers = new Float64Array(2 * this.length);
    const values = new Int32Array(2 * this.length);
    numbers.set(this.#numbers);
    values.set(this.#values);
    this.#numbers = numbers;
    this.#values = values;
  }
}
