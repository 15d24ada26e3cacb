/**
 * Writes items, in whatever order they come, into one request in which those of the same resource, instrumentation
 * scope and metric stand together. What is the same is decided by the bytes of the canonical forms of
 * `item-context.ts`; the items' own bytes are copied unchanged, so that nothing of them is lost, known or not.
 *
 * It holds what it was given, each context once, and writes it when it is asked to; how much that may be is up to the
 * caller, who looks at {@link Regrouper.maxBytes}. Hot path, hence classes over typed arrays, which hold millions of
 * items without an object each: `bench/otlp-items.ts`.
 */
import { ByteWriter } from "./byte-writer.ts";
import { GroupTree, ROOT, type FormRange } from "./group-tree.ts";
import { CHILD_TAG, CONTAINER_TAG, POINT_TAG } from "./item-context.ts";
import { Int32Rows } from "./int32-rows.ts";
import type { Item } from "./items.ts";
import { MAX_VARINT_BYTES, varintBytes } from "./wire/format.ts";

/** Gathers items and writes them as requests. */
export interface Regrouper {
  /** Items gathered. */
  readonly itemCount: number;
  /** Bytes of memory that what was gathered takes. A request takes less, and is there beside it for a moment. */
  readonly heldBytes: number;
  /** Copies an item. Those of one group keep the order in which they come. */
  add(item: Item): void;
  /** Writes the request and forgets what was gathered; without items it is empty. */
  end(order: GroupOrder): Uint8Array;
}

/**
 * How groups follow each other: as they were first seen, or by the bytes of their forms, so that the same groups stand
 * in the same order whatever came first.
 */
export type GroupOrder = "arrival" | "form";

/** Opens a regrouper for the items of one signal. */
export function openRegrouper(): Regrouper {
  return new ItemGatherer();
}

const NONE = -1;
const INITIAL_ITEM_BYTES = 65_536;

/** Columns of a group's totals: its first and last run, and, when it is written, their bytes and all of its bytes. */
const FIRST_RUN = 0;
const LAST_RUN = 1;
const ITEM_BYTES = 2;
const VALUE_BYTES = 3;
const TOTAL_COLUMNS = 4;

/** Columns of a run, which is items of one group that came one after the other: its start, and the group's next run. */
const START = 0;
const NEXT_RUN = 1;
const RUN_COLUMNS = 2;

class ItemGatherer implements Regrouper {
  itemCount = 0;
  readonly #tree: GroupTree = new GroupTree();
  /** The items as they will stand in the request, with tag and length. */
  readonly #items: ByteWriter = new ByteWriter(INITIAL_ITEM_BYTES, Number.POSITIVE_INFINITY);
  readonly #runs: Int32Rows = new Int32Rows(RUN_COLUMNS);
  readonly #totals: Int32Rows = new Int32Rows(TOTAL_COLUMNS);
  #lastGroup = NONE;

  get heldBytes(): number {
    return this.#items.length + this.#runs.byteLength + this.#totals.byteLength + this.#tree.heldBytes;
  }

  add({ bytes, start, end, context }: Item): void {
    const group = this.#tree.find(context);
    if (group !== this.#lastGroup) this.#openRun(group);
    const items = this.#items;
    items.byte(context.metric === null ? CHILD_TAG : POINT_TAG);
    items.varint(end - start);
    items.copy(bytes, start, end);
    this.itemCount += 1;
  }

  end(order: GroupOrder): Uint8Array {
    this.#sumUp();
    const requestBytes = this.#totals.length === 0 ? 0 : this.#totals.get(ROOT, VALUE_BYTES);
    const output = new ByteWriter(requestBytes + MAX_VARINT_BYTES, Number.POSITIVE_INFINITY);
    this.#writeChildren(output, ROOT, order);
    this.#clear();
    return output.bytes.subarray(0, output.length);
  }

  #openRun(group: number): void {
    while (this.#totals.length < this.#tree.length) this.#totals.add(NONE);
    const run = this.#runs.add(NONE);
    this.#runs.set(run, START, this.#items.length);
    const last = this.#totals.get(group, LAST_RUN);
    if (last === NONE) this.#totals.set(group, FIRST_RUN, run);
    else this.#runs.set(last, NEXT_RUN, run);
    this.#totals.set(group, LAST_RUN, run);
    this.#lastGroup = group;
  }

  /** Sums up the bytes of all groups, children before their parents. */
  #sumUp(): void {
    const totals = this.#totals;
    for (let group = 0; group < totals.length; group += 1) totals.set(group, VALUE_BYTES, 0);
    for (let group = totals.length - 1; group >= ROOT; group -= 1) {
      let itemBytes = 0;
      for (let run = totals.get(group, FIRST_RUN); run !== NONE; run = this.#runs.get(run, NEXT_RUN)) {
        itemBytes += this.#endOfRun(run) - this.#runs.get(run, START);
      }
      totals.set(group, ITEM_BYTES, itemBytes);
      const valueBytes = totals.get(group, VALUE_BYTES) + this.#ownBytes(group, itemBytes);
      totals.set(group, VALUE_BYTES, valueBytes);
      if (group === ROOT) return;
      const parent = this.#tree.parent(group);
      totals.set(parent, VALUE_BYTES, totals.get(parent, VALUE_BYTES) + fieldBytes(valueBytes));
    }
  }

  /** Bytes of a group's value without its children. */
  #ownBytes(group: number, itemBytes: number): number {
    const formBytes = lengthOf(this.#tree.readForm(group));
    if (this.#tree.dataTag(group) === NONE) return formBytes + itemBytes;
    return formBytes + fieldBytes(lengthOf(this.#tree.readDataForm(group)) + itemBytes);
  }

  #endOfRun(run: number): number {
    return run + 1 < this.#runs.length ? this.#runs.get(run + 1, START) : this.#items.length;
  }

  /** Writes the children of a group, three levels at most. */
  #writeChildren(output: ByteWriter, parent: number, order: GroupOrder): void {
    const children = this.#tree.listChildren(parent);
    if (order === "form") children.sort((left, right) => this.#tree.compareForms(left, right));
    for (const group of children) {
      output.byte(parent === ROOT ? CONTAINER_TAG : CHILD_TAG);
      output.varint(this.#totals.get(group, VALUE_BYTES));
      this.#writeOwn(output, group);
      this.#writeChildren(output, group, order);
    }
  }

  /** Writes what is a group's own: its form and its items. */
  #writeOwn(output: ByteWriter, group: number): void {
    const tree = this.#tree;
    const form = tree.readForm(group);
    output.copy(tree.forms.bytes, form.start, form.end);
    const tag = tree.dataTag(group);
    if (tag !== NONE) {
      const data = tree.readDataForm(group);
      output.byte(tag);
      output.varint(lengthOf(data) + this.#totals.get(group, ITEM_BYTES));
      output.copy(tree.forms.bytes, data.start, data.end);
    }
    for (let run = this.#totals.get(group, FIRST_RUN); run !== NONE; run = this.#runs.get(run, NEXT_RUN)) {
      output.copy(this.#items.bytes, this.#runs.get(run, START), this.#endOfRun(run));
    }
  }

  #clear(): void {
    this.itemCount = 0;
    this.#items.length = 0;
    this.#runs.clear();
    this.#totals.clear();
    this.#tree.clear();
    this.#lastGroup = NONE;
  }
}

function lengthOf({ start, end }: FormRange): number {
  return end - start;
}

/** Bytes of a field of wire type 2 with a tag of one byte. */
function fieldBytes(valueBytes: number): number {
  return 1 + varintBytes(valueBytes) + valueBytes;
}
