/** What the cases of the suite of stores share: how one is declared, small objects, and listings read to their end. */
import type { ListRequest, ObjectInfo, ObjectStore } from "../../src/object-store/contract.ts";
import { sourceOf } from "./put-source.ts";

/** Declares a case. @param body is given a store, and a prefix that no other case uses */
export type Case = (fact: string, body: (store: ObjectStore, prefix: string) => Promise<void>) => void;

/** Contents of small objects, of different length. */
export const SMALL: Uint8Array = new TextEncoder().encode("the bytes of an object");
export const OTHER: Uint8Array = new TextEncoder().encode("other bytes, other length");

/** A listing read to its end; `prefixes` is empty where the store gives none. */
export interface WholeListing {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
  /** Keys and prefixes of each page. */
  readonly pageSizes: readonly number[];
}

/** Follows the cursors of a listing. */
export async function listPages(store: ObjectStore, request: ListRequest): Promise<WholeListing> {
  const objects: ObjectInfo[] = [];
  const prefixes: string[] = [];
  const pageSizes: number[] = [];
  let page = await store.list(request);
  for (let pages = 0; pages < 2000; pages++) {
    objects.push(...page.objects);
    prefixes.push(...(page.prefixes ?? []));
    pageSizes.push(page.objects.length + (page.prefixes?.length ?? 0));
    if (page.cursor === undefined) return { objects, prefixes, pageSizes };
    page = await store.list({ ...request, cursor: page.cursor });
  }
  throw new Error("The listing has no end");
}

/** All objects of a listing. */
export async function listAll(store: ObjectStore, request: ListRequest): Promise<readonly ObjectInfo[]> {
  return (await listPages(store, request)).objects;
}

/** Puts small objects, a few at a time. */
export async function fill(store: ObjectStore, keys: readonly string[]): Promise<void> {
  const source = await sourceOf(SMALL);
  for (let at = 0; at < keys.length; at += 20) {
    await Promise.all(keys.slice(at, at + 20).map((key) => store.put(key, source)));
  }
}
