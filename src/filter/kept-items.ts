/**
 * A container without the items that a filter leaves out: {@link KeptItems} first takes the decision on each item and
 * then writes what is left. Items, contexts and unknown fields are copied as they stand; what held nothing but items
 * that went is gone with them. Hot path, hence a class: `bench/filter.ts`.
 *
 * A decision is kept only where it differs from the one before, since items that belong together mostly match together:
 * millions of items take no memory worth naming.
 */
import type { ByteWriter } from "../otlp/byte-writer.ts";
import { Int32Rows } from "../otlp/int32-rows.ts";
import { CHILD_TAG, CONTAINER_TAG, DATA_MEMBERS, POINT_TAG } from "../otlp/item-context.ts";
import { varintBytes, WireReader } from "../otlp/wire/format.ts";
import type { ItemSignal } from "../signal.ts";

/** A message around items. */
interface Level {
  /** Says which of its fields hold items, or are items where there is no level below. */
  readonly hasItems: (tag: number) => boolean;
  readonly inner: Level | null;
  /** Those fields stay when nothing is left in them: they say what the others mean. */
  readonly keepsEmpty: boolean;
}

const isChild = (tag: number): boolean => tag === CHILD_TAG;
const ITEMS: Level = { hasItems: isChild, inner: null, keepsEmpty: false };
const POINTS: Level = { hasItems: (tag) => tag === POINT_TAG, inner: null, keepsEmpty: false };
const METRIC: Level = { hasItems: (tag) => DATA_MEMBERS[tag] !== undefined, inner: POINTS, keepsEmpty: true };
const METRICS: Level = { hasItems: isChild, inner: METRIC, keepsEmpty: false };

const REQUEST: Readonly<Record<ItemSignal, Level>> = {
  traces: toRequest(ITEMS),
  logs: toRequest(ITEMS),
  metrics: toRequest(METRICS),
};

function toRequest(inner: Level): Level {
  const container: Level = { hasItems: isChild, inner, keepsEmpty: false };
  return { hasItems: (tag) => tag === CONTAINER_TAG, inner: container, keepsEmpty: false };
}

/** Decisions on the items of one top-level field after the other. */
export class KeptItems {
  readonly #request: Level;
  /** Positions from which on the decision is another one: one byte before the item, which an empty one has, too. */
  readonly #flips: Int32Rows = new Int32Rows(1);
  /** The decision on the first item, and then on the last one that was taken or written. */
  #isFirstKept = false;
  #isKept = false;
  #nextFlip = 0;
  itemCount = 0;
  keptCount = 0;

  constructor(signal: ItemSignal) {
    this.#request = REQUEST[signal];
  }

  /** Begins another field. */
  clear(): void {
    this.#flips.clear();
    this.itemCount = 0;
    this.keptCount = 0;
  }

  /** Takes the decision on the next item. @param start of the item in the field */
  add(start: number, isKept: boolean): void {
    if (this.itemCount === 0) this.#isFirstKept = isKept;
    else if (isKept !== this.#isKept) this.#flips.add(start - 1);
    this.#isKept = isKept;
    this.itemCount += 1;
    if (isKept) this.keptCount += 1;
  }

  /** Appends the field with the items that are kept. */
  writeTo(output: ByteWriter, field: Uint8Array): void {
    this.#isKept = this.#isFirstKept;
    this.#nextFlip = 0;
    this.#write(output, new WireReader(field), this.#request);
  }

  /** Writes a message; says whether items of it are left. */
  #write(output: ByteWriter, fields: WireReader, level: Level): boolean {
    const { bytes, end } = fields;
    let from = fields.position;
    let isAnyKept = false;
    while (!fields.isAtEnd()) {
      const tag = fields.readField();
      if (!level.hasItems(tag)) continue;
      const { fieldStart, valueStart, position } = fields;
      if (level.inner === null) this.#moveTo(valueStart - 1);
      const isWhole = level.inner === null || this.#flipAt() >= position;
      if (isWhole && this.#isKept) {
        isAnyKept = true;
        continue;
      }
      output.copy(bytes, from, fieldStart);
      from = position;
      if (level.inner === null || (isWhole && !level.keepsEmpty)) continue;
      if (this.#writeInner(output, fields, level)) isAnyKept = true;
    }
    output.copy(bytes, from, end);
    return isAnyKept;
  }

  /** Writes the value of a field anew, if anything is left of it. */
  #writeInner(output: ByteWriter, field: WireReader, { inner, keepsEmpty }: Level): boolean {
    if (inner === null) return false;
    const { length } = output;
    const lengthBytes = varintBytes(field.position - field.valueStart);
    output.varint(field.tag);
    const start = output.openLength(lengthBytes);
    const isAnyKept = this.#write(output, field.openValue(), inner);
    if (isAnyKept || keepsEmpty) output.closeLength(start, lengthBytes);
    else output.length = length;
    return isAnyKept;
  }

  /** The position of the next flip; behind everything when there is none. */
  #flipAt(): number {
    return this.#nextFlip < this.#flips.length ? this.#flips.get(this.#nextFlip, 0) : Number.POSITIVE_INFINITY;
  }

  #moveTo(position: number): void {
    while (this.#flipAt() <= position) {
      this.#isKept = !this.#isKept;
      this.#nextFlip += 1;
    }
  }
}
