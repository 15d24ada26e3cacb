/** What every store checks before it speaks to anyone, so that a caller's mistake looks the same everywhere. */
import { LIST_PAGE_KEYS } from "../limits.ts";
import type { PutSource } from "./contract.ts";

/** @throws RangeError when a page of a listing is asked to be empty or larger than stores allow. */
export function assertListLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIST_PAGE_KEYS) return;
  throw new RangeError(`Cannot list: limit is ${limit}, expected 1 to ${LIST_PAGE_KEYS}`);
}

/** @throws RangeError when one call names more keys than stores delete at once. */
export function assertDeletable(keys: readonly string[]): void {
  if (keys.length <= LIST_PAGE_KEYS) return;
  throw new RangeError(`Cannot delete ${keys.length} objects at once, expected at most ${LIST_PAGE_KEYS}`);
}

/**
 * Reads a source and holds it to its length: neither a byte more nor the end too early goes by unnoticed.
 * @throws RangeError, and what the source throws.
 */
export async function* readExactly(source: PutSource): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const piece of source.open()) {
    length += piece.length;
    if (length > source.length) throw wrongLength(`${length} bytes or more`, source);
    if (piece.length > 0) yield piece;
  }
  if (length < source.length) throw wrongLength(`${length} bytes`, source);
}

function wrongLength(found: string, source: PutSource): RangeError {
  return new RangeError(`Cannot put: the source yields ${found}, expected ${source.length} bytes`);
}
