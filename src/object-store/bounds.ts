/** What every store checks before it speaks to anyone, so that a caller's mistake looks the same everywhere. */
import { FirnError } from "../errors.ts";
import { LIST_PAGE_KEYS } from "../limits.ts";
import type { DeleteOptions, ListRequest, ObjectInfo, PutSource } from "./contract.ts";
import { objectChanged } from "./range.ts";

/** @throws RangeError when a page is to be empty or larger than stores allow, or asked for as not every store can. */
export function assertListable({ limit = LIST_PAGE_KEYS, delimiter, startAfter }: ListRequest): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_PAGE_KEYS) {
    throw new RangeError(`Cannot list: limit is ${limit}, expected 1 to ${LIST_PAGE_KEYS}`);
  }
  if (delimiter === "") throw new RangeError("Cannot list: the delimiter is empty");
  if (delimiter !== undefined && startAfter !== undefined) {
    throw new RangeError("Cannot list: startAfter and delimiter do not go together");
  }
}

/** @throws FirnError `store_unavailable` when a page ends where it began: following it would never end. */
export function assertCursorMoves({ prefix, cursor }: ListRequest, next: string | undefined): void {
  if (next === undefined || next !== cursor) return;
  throw new FirnError("store_unavailable", `Cannot list "${prefix}": the store gave the same cursor twice`);
}

/** @throws RangeError when one call names more keys than stores delete at once, or a version of more than one. */
export function assertDeletable(keys: readonly string[], { ifMatch }: DeleteOptions = {}): void {
  const most = ifMatch === undefined ? LIST_PAGE_KEYS : 1;
  if (keys.length <= most) return;
  throw new RangeError(`Cannot delete ${keys.length} objects at once, expected at most ${most}`);
}

/**
 * Looks at the object that is about to be deleted, for a store whose deletes take no condition.
 * @throws FirnError `object_changed`
 */
export async function assertSameVersion(
  head: (key: string) => Promise<ObjectInfo | null>,
  keys: readonly string[],
  { ifMatch }: DeleteOptions = {},
): Promise<void> {
  const [key] = keys;
  if (ifMatch === undefined || key === undefined) return;
  const info = await head(key);
  if (info !== null && info.etag !== ifMatch) throw objectChanged(key, ifMatch, "delete");
}

/**
 * Reads a source and holds it to its length: neither a byte more nor the end too early goes by unnoticed. The piece
 * that completes the length is given only once the source has ended: a store that has all bytes stores them, whatever
 * the source does next.
 * @throws RangeError, and what the source throws.
 */
export async function* readExactly(
  source: Pick<PutSource, "length" | "open">,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  let last: Uint8Array | null = null;
  for await (const piece of source.open()) {
    if (piece.length === 0) continue;
    length += piece.length;
    if (length > source.length) throw wrongLength(`${length} bytes or more`, source);
    if (length === source.length) last = piece.slice();
    else yield piece;
  }
  if (length < source.length) throw wrongLength(`${length} bytes`, source);
  if (last !== null) yield last;
}

function wrongLength(found: string, source: Pick<PutSource, "length">): RangeError {
  return new RangeError(`Cannot put: the source yields ${found}, expected ${source.length} bytes`);
}
