/**
 * Counts the items of a request that Firn itself wrote and whose checksum was right, without a look into them: {@link
 * countOwnItems}. A walk (`wire/walk.ts`) reads each byte; here an item costs a tag and a length.
 */
import type { ItemSignal } from "../signal.ts";

/** Fields 2 of a resource's container and of a scope's: the scopes, and their spans or log records. */
const INNER_TAG = 0x12;
const CONTAINER_TAG = 0x0a;
const MAX_LENGTH_BYTES = 5;

/**
 * Counts the items of one top-level field.
 * @returns `null` where only a walk can tell: of metrics, and of anything that is written in another way than usual
 */
export function countOwnItems(signal: ItemSignal, field: Uint8Array): number | null {
  if (signal === "metrics" || field[0] !== CONTAINER_TAG) return null;
  const cursor: Cursor = { bytes: field, position: 1 };
  const end = enter(cursor, field.length);
  if (end !== field.length) return null;
  let count = 0;
  while (cursor.position < end) {
    const isScope = field[cursor.position] === INNER_TAG;
    const innerEnd = enterField(cursor, end);
    if (innerEnd < 0) return null;
    if (isScope) {
      while (cursor.position < innerEnd) {
        if (field[cursor.position] === INNER_TAG) count += 1;
        const itemEnd = enterField(cursor, innerEnd);
        if (itemEnd < 0) return null;
        cursor.position = itemEnd;
      }
    }
    cursor.position = innerEnd;
  }
  return count;
}

interface Cursor {
  readonly bytes: Uint8Array;
  position: number;
}

/** Steps over a tag of one byte and a length. @returns where the field ends; negative if it is of another form */
function enterField(cursor: Cursor, limit: number): number {
  const tag = cursor.bytes[cursor.position] ?? 0;
  if (tag >= 0x80 || (tag & 7) !== 2 || tag < 8) return -1;
  cursor.position += 1;
  return enter(cursor, limit);
}

function enter(cursor: Cursor, limit: number): number {
  let size = 0;
  for (let index = 0; index < MAX_LENGTH_BYTES; index += 1) {
    if (cursor.position >= limit) return -1;
    const byte = cursor.bytes[cursor.position++] ?? 0;
    size += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return size <= limit - cursor.position ? cursor.position + size : -1;
  }
  return -1;
}
