/**
 * Writes items, in whatever order they come, into requests in which those of the same resource, instrumentation scope
 * and metric stand together. What is the same is decided by the bytes of the canonical forms of `item-context.ts`; the
 * items' own bytes are copied unchanged, so that nothing of them is lost, known or not.
 *
 * It holds what it was given, each context once, and writes it when it is asked to, at once or in parts
 * (`request-parts.ts`); how much that may be is up to the caller, who looks at {@link Regrouper.heldBytes}. Hot path,
 * hence classes over typed arrays, which hold millions of items without an object each: `bench/otlp-items.ts`.
 */
import { ByteWriter } from "./byte-writer.ts";
import { GroupTree, ROOT } from "./group-tree.ts";
import { CHILD_TAG, POINT_TAG } from "./item-context.ts";
import { Int32Rows } from "./int32-rows.ts";
import type { Item } from "./items.ts";
import { RequestParts } from "./request-parts.ts";
import { KeySort } from "./key-sort.ts";
import { varintBytes } from "./wire/format.ts";

/** Gathers items and writes them as requests. */
export interface Regrouper {
  /** Items gathered. */
  readonly itemCount: number;
  /** Bytes of memory that what was gathered takes. A request takes less, and is there beside it for a moment. */
  readonly heldBytes: number;
  /**
   * Copies an item, as soon as another comes that does not follow it in the same request: what follows each other is
   * copied at once.
   * @param key items of one group stand in the order of their keys, and those of one key in the order in which they
   * come; an integer from 0 to 2^32 - 1, by default 0
   */
  add(item: Item, key?: number): void;
  /** Lets the request of the last items go, which must stay as it is until then. */
  release(): void;
  /** Writes the request and forgets what was gathered; without items it is empty. */
  end(order: GroupOrder): Uint8Array;
  /**
   * Gives what was gathered as requests of bounded length, which {@link Regrouper.clear} ends: nothing may be added
   * before.
   */
  openParts(order: GroupOrder): RequestParts;
  /** Forgets what was gathered and keeps the room. */
  clear(): void;
}

/**
 * How groups follow each other: as they were first seen, or by the bytes of their forms, so that the same groups stand
 * in the same order whatever came first.
 */
export type GroupOrder = "arrival" | "form";

/**
 * Opens a regrouper for the items of one signal.
 * @param initialBytes room for items to begin with: who knows how many will come spares arrays that are outgrown
 */
export function openRegrouper(initialBytes: number = INITIAL_ITEM_BYTES): Regrouper {
  return new ItemGatherer(initialBytes);
}

const NONE = -1;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const INITIAL_ITEM_BYTES = 65_536;
/** What an item takes besides while requests are written: where it starts and ends, and a number to sort it by. */
const ORDERED_ITEM_BYTES = 16;

/** Columns of an item: its start, its key, and the next one of its group. */
const START = 0;
const KEY = 1;
const NEXT_ITEM = 2;
const ITEM_COLUMNS = 3;

/** Columns of a group: its first and its last item. */
const FIRST_ITEM = 0;
const LAST_ITEM = 1;
const GROUP_COLUMNS = 2;

class ItemGatherer implements Regrouper {
  readonly #tree: GroupTree = new GroupTree();
  /** The items as they will stand in the request, with tag and length. */
  readonly #bytes: ByteWriter;
  readonly #items: Int32Rows = new Int32Rows(ITEM_COLUMNS);
  readonly #groups: Int32Rows = new Int32Rows(GROUP_COLUMNS);
  readonly #sort: KeySort = new KeySort();
  readonly #parts: RequestParts = new RequestParts(this.#tree);
  /** The last items, that follow each other and were not copied yet; room for them is counted already. */
  #source: Uint8Array = NO_BYTES;
  #from = 0;
  #to = 0;

  constructor(initialBytes: number) {
    this.#bytes = new ByteWriter(initialBytes, Number.POSITIVE_INFINITY);
  }

  get itemCount(): number {
    return this.#items.length;
  }

  get heldBytes(): number {
    const { length, byteLength } = this.#items;
    const orderedBytes = ORDERED_ITEM_BYTES * length;
    return this.#itemBytes + byteLength + orderedBytes + this.#groups.byteLength + this.#tree.heldBytes;
  }

  add({ bytes, start, end, context }: Item, key: number = 0): void {
    const item = this.#items.add(NONE);
    this.#items.set(item, START, this.#itemBytes);
    this.#items.set(item, KEY, key);
    this.#link(item, this.#tree.find(context));
    // Between an item and the next there is room for the shortest tag and length: it is these that stand there.
    if (bytes === this.#source && start - 1 - varintBytes(end - start) === this.#to) {
      this.#to = end;
      return;
    }
    this.release();
    const output = this.#bytes;
    output.byte(context.metric === null ? CHILD_TAG : POINT_TAG);
    output.varint(end - start);
    this.#source = bytes;
    this.#from = start;
    this.#to = end;
  }

  release(): void {
    this.#bytes.copy(this.#source, this.#from, this.#to);
    this.#forgetSource();
  }

  /** Bytes of the items, copied or not. */
  get #itemBytes(): number {
    return this.#bytes.length + this.#to - this.#from;
  }

  end(order: GroupOrder): Uint8Array {
    const output = new ByteWriter(0, Number.POSITIVE_INFINITY);
    this.openParts(order).writeNext(output, Number.POSITIVE_INFINITY);
    this.clear();
    return output.bytes.subarray(0, output.length);
  }

  openParts(order: GroupOrder): RequestParts {
    this.release();
    const parts = this.#parts;
    parts.begin(this.#bytes.bytes, this.itemCount);
    this.#addGroups(ROOT, order, parts);
    return parts;
  }

  clear(): void {
    this.#forgetSource();
    this.#bytes.length = 0;
    this.#items.clear();
    this.#groups.clear();
    this.#tree.clear();
  }

  #forgetSource(): void {
    this.#source = NO_BYTES;
    this.#from = 0;
    this.#to = 0;
  }

  /** Puts an item behind the others of its group. */
  #link(item: number, group: number): void {
    const groups = this.#groups;
    while (groups.length <= group) groups.add(NONE);
    const last = groups.get(group, LAST_ITEM);
    if (last === NONE) groups.set(group, FIRST_ITEM, item);
    else this.#items.set(last, NEXT_ITEM, item);
    groups.set(group, LAST_ITEM, item);
  }

  /** Adds the children of a group to the parts, three levels at most. */
  #addGroups(parent: number, order: GroupOrder, parts: RequestParts): void {
    const children = this.#tree.listChildren(parent);
    if (order === "form") children.sort((left, right) => this.#tree.compareForms(left, right));
    for (const group of children) {
      const first = group < this.#groups.length ? this.#groups.get(group, FIRST_ITEM) : NONE;
      if (first === NONE) this.#addGroups(group, order, parts);
      else this.#addItems(group, first, parts);
    }
  }

  /** Adds the items of a group to the parts in their order. */
  #addItems(group: number, first: number, parts: RequestParts): void {
    const items = this.#items;
    const sort = this.#sort;
    parts.addGroup(group);
    sort.clear();
    for (let item = first; item !== NONE; item = items.get(item, NEXT_ITEM)) sort.add(items.get(item, KEY), item);
    sort.sort();
    for (let index = 0; index < sort.length; index += 1) {
      const item = sort.valueAt(index);
      parts.addItem(items.get(item, START), this.#endOfItem(item));
    }
  }

  #endOfItem(item: number): number {
    return item + 1 < this.#items.length ? this.#items.get(item + 1, START) : this.#bytes.length;
  }
}
