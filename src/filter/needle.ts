/**
 * Bytes that must stand in whatever meets a condition: {@link openSearch} finds them in order, far faster than fields
 * can be read, so that only items that hold them are looked into. Boyer, Moore and Horspool's search, which mostly
 * looks at one byte in as many as the needle has. Hot path, hence a class: `bench/filter.ts`.
 */

/** Finds needles in runs of bytes that follow each other. */
export interface Search {
  /** Begins anew in other bytes. */
  open(bytes: Uint8Array): void;
  /** Says whether a needle stands in `[start, end)`; from call to call `start` only grows. */
  isIn(start: number, end: number): boolean;
}

/** Shifts stand in bytes; a needle may be longer. */
const MAX_SHIFT = 255;
const BYTE_VALUES = 256;

/** Opens the search for any of some needles, none of them empty. */
export function openSearch(needles: readonly Uint8Array[]): Search {
  const searches = needles.map((needle) => new NeedleSearch(needle));
  const [only] = searches;
  if (only !== undefined && searches.length === 1) return only;
  return {
    open(bytes): void {
      for (const search of searches) search.open(bytes);
    },
    isIn: (start, end) => searches.some((search) => search.isIn(start, end)),
  };
}

class NeedleSearch implements Search {
  readonly #needle: Uint8Array;
  readonly #shifts: Uint8Array;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where the needle stands next; behind the bytes when it does not. */
  #next = -1;

  constructor(needle: Uint8Array) {
    this.#needle = needle;
    this.#shifts = new Uint8Array(BYTE_VALUES).fill(Math.min(MAX_SHIFT, needle.length));
    const last = needle.length - 1;
    for (let index = 0; index < last; index += 1) {
      this.#shifts[needle[index] ?? 0] = Math.min(MAX_SHIFT, last - index);
    }
  }

  open(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#next = -1;
  }

  isIn(start: number, end: number): boolean {
    if (this.#next < start) this.#next = this.#find(start);
    return this.#next + this.#needle.length <= end;
  }

  #find(start: number): number {
    const bytes = this.#bytes;
    const needle = this.#needle;
    const shifts = this.#shifts;
    const last = needle.length - 1;
    const lastByte = needle[last];
    for (let at = start + last; at < bytes.length;) {
      const byte = bytes[at] ?? 0;
      if (byte === lastByte && startsWith(bytes, at - last, needle)) return at - last;
      at += shifts[byte] ?? 1;
    }
    return bytes.length;
  }
}

/** Says whether a needle stands at a position; it ends within the bytes. */
function startsWith(bytes: Uint8Array, position: number, needle: Uint8Array): boolean {
  for (let index = 0; index < needle.length; index += 1) if (bytes[position + index] !== needle[index]) return false;
  return true;
}
