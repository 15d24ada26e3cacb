/** Pages of a store in memory: UTF-8 order, roll-up by a delimiter, and the last entry of a page as its cursor. */
import { LIST_PAGE_KEYS } from "../../limits.ts";
import { assertListable } from "../bounds.ts";
import type { ListPage, ListRequest, ObjectInfo } from "../contract.ts";
import { headMemory, type MemoryState } from "./memory-objects.ts";

/** Lists one page. */
export function listMemory(state: MemoryState, request: ListRequest): ListPage {
  assertListable(request);
  const { prefix, delimiter, cursor, startAfter, limit = LIST_PAGE_KEYS } = request;
  const after = cursor ?? startAfter;
  const keys = [...state.objects.keys()].filter((key) => key.startsWith(prefix));
  const entries = [...new Set(keys.map((key) => rollUp(key, request)))]
    .filter((entry) => after === undefined || compareUtf8(entry, after) > 0)
    .toSorted(compareUtf8);
  const page = entries.slice(0, limit);
  const objects = page
    .map((key) => (isRolledUp(key, request) ? null : headMemory(state, key)))
    .filter((info): info is ObjectInfo => info !== null)
    .map((info) => ({ ...info, sha256Hex: null }));
  const last = page.at(-1);
  return {
    objects,
    ...(delimiter === undefined ? {} : { prefixes: page.filter((entry) => isRolledUp(entry, request)) }),
    ...(entries.length > limit && last !== undefined ? { cursor: last } : {}),
  };
}

/** The prefix that a key counts as, or the key. */
function rollUp(key: string, { prefix, delimiter }: ListRequest): string {
  const at = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
  return delimiter === undefined || at === -1 ? key : key.slice(0, at + delimiter.length);
}

/** A key that has the delimiter is never listed itself: what has it is a prefix. */
function isRolledUp(entry: string, { prefix, delimiter }: ListRequest): boolean {
  return delimiter !== undefined && entry.includes(delimiter, prefix.length);
}

/** Order of the UTF-8 bytes, which is that of code points and not that of JavaScript's UTF-16 units. */
function compareUtf8(one: string, two: string): number {
  const encoder = new TextEncoder();
  const left = encoder.encode(one);
  const right = encoder.encode(two);
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
