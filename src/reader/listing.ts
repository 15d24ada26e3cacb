/** The listings of a read: all pages of an hour, or of another folder. */
import { hourListPrefix, type Layout } from "../archive/key.ts";
import { FirnError } from "../errors.ts";
import { LIST_MAX_EMPTY_PAGES, LIST_PAGE_KEYS } from "../limits.ts";
import type { ObjectInfo, ObjectStore } from "../object-store/contract.ts";
import type { Millis } from "../units.ts";
import { compareKeys } from "./key-order.ts";
import type { RunningUsage } from "./usage.ts";

/** Whom a listing asks, for whom, and where it is counted. */
export interface ListingSource {
  readonly store: ObjectStore;
  readonly layout: Layout;
  readonly usage: RunningUsage;
  /** How long the body of a file may give nothing; `STORE_CALL_TIMEOUT` if absent. */
  readonly bodyTimeout?: Millis | undefined;
}

/** Lists everything of an hour, page by page to the last one: of all signals, fresh and compacted. */
export function listHour(source: ListingSource, hour: Millis): AsyncGenerator<readonly ObjectInfo[], void, void> {
  return listAll(source, hourListPrefix(source.layout, hour));
}

/**
 * Lists everything with a prefix, page by page to the last one.
 * @throws FirnError `store_unavailable` when a page does not begin after the one before: a store that leads back would
 * show objects twice; and when pages without any object follow each other without end
 */
export async function* listAll(
  { store, usage }: ListingSource,
  prefix: string,
): AsyncGenerator<readonly ObjectInfo[], void, void> {
  let cursor: string | undefined;
  let last: string | null = null;
  const bound = openEmptyPageBound(prefix);
  do {
    usage.storeCalls++;
    const page = await store.list({ prefix, limit: LIST_PAGE_KEYS, ...(cursor === undefined ? {} : { cursor }) });
    for (const { key } of page.objects) {
      if (last !== null && compareKeys(last, key) >= 0) throw outOfOrder(prefix, key);
      last = key;
    }
    bound.add(page.objects.length);
    yield page.objects;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Counts pages in a row that show nothing: each may be empty and not the last, so that cursors alone end nothing. */
export interface EmptyPageBound {
  /** @throws FirnError `store_unavailable` above `LIST_MAX_EMPTY_PAGES` */
  add(objectCount: number): void;
}

/** Opens the bound of one listing. */
export function openEmptyPageBound(prefix: string): EmptyPageBound {
  let emptyPages = 0;
  return {
    add: (objectCount) => {
      emptyPages = objectCount === 0 ? emptyPages + 1 : 0;
      if (emptyPages <= LIST_MAX_EMPTY_PAGES) return;
      const found = `the store gave ${emptyPages} pages without an object one after another`;
      throw new FirnError("store_unavailable", `Cannot list "${prefix}": ${found}`);
    },
  };
}

/** The error of a listing whose keys do not ascend. */
export function outOfOrder(prefix: string, key: string): FirnError {
  const message = `Cannot list "${prefix}": the store listed "${key}" twice or out of order`;
  return new FirnError("store_unavailable", message);
}
