/**
 * Writes items that are in order, group by group, as requests of bounded length: a group that does not fit is gone on
 * with in the next request, under its context once more. Hot path, hence a class: `bench/otlp-items.ts`.
 */
import type { ByteWriter } from "./byte-writer.ts";
import type { FormRange, GroupTree } from "./group-tree.ts";
import { CHILD_TAG, CONTAINER_TAG } from "./item-context.ts";
import { Int32Rows } from "./int32-rows.ts";
import { MAX_VARINT_BYTES, varintBytes } from "./wire/format.ts";

const NONE = -1;
/** Tag and length of a message, at most. */
const HEADER_MAX_BYTES = 6;

/** Columns of a group of items: its number in the tree, and the place of its first item. */
const GROUP = 0;
const FIRST_PLACE = 1;
const GROUP_COLUMNS = 2;

/** Columns of a message: its group, the message around it, the bytes of its value, and the places of its items. */
const MESSAGE_GROUP = 0;
const PARENT = 1;
const VALUE_BYTES = 2;
const FROM = 3;
const TO = 4;
const ITEM_BYTES = 5;
const MESSAGE_COLUMNS = 6;

/** The items that were not written yet. */
export class RequestParts {
  readonly #tree: GroupTree;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Groups that hold items, in order. */
  readonly #groups: Int32Rows = new Int32Rows(GROUP_COLUMNS);
  /** Where the items start and end in the bytes, in order. */
  #starts: Uint32Array = new Uint32Array(0);
  #ends: Uint32Array = new Uint32Array(0);
  #length = 0;
  #itemBytes = 0;
  /** What comes next: an item, and its group. */
  #place = 0;
  #groupIndex = 0;
  /** The messages of the request that is being written, outer ones first, and the last ones that hold others. */
  readonly #messages: Int32Rows = new Int32Rows(MESSAGE_COLUMNS);
  #resourceMessage = NONE;
  #scopeMessage = NONE;

  constructor(tree: GroupTree) {
    this.#tree = tree;
  }

  /**
   * Forgets all items and begins with others, in the memory of those before: it lives long enough to be collected late.
   * @param bytes holds the items, with tag and length
   * @param itemCount of them
   */
  begin(bytes: Uint8Array, itemCount: number): void {
    this.#bytes = bytes;
    if (this.#starts.length < itemCount) {
      const room = Math.max(itemCount, 2 * this.#starts.length);
      this.#starts = new Uint32Array(room);
      this.#ends = new Uint32Array(room);
    }
    this.#groups.clear();
    this.#length = 0;
    this.#itemBytes = 0;
    this.#place = 0;
    this.#groupIndex = 0;
  }

  /** Bytes of a request of all that was not written, or some more. */
  get maxRestBytes(): number {
    if (this.#place === this.#length) return 0;
    return this.#itemBytes + this.#tree.forms.length + 2 * HEADER_MAX_BYTES * this.#tree.length;
  }

  /** Begins a group that holds items; groups of one parent follow each other. */
  addGroup(group: number): void {
    const index = this.#groups.add(group);
    this.#groups.set(index, FIRST_PLACE, this.#length);
  }

  /** Adds an item of the group. */
  addItem(start: number, end: number): void {
    this.#starts[this.#length] = start;
    this.#ends[this.#length] = end;
    this.#length += 1;
    this.#itemBytes += end - start;
  }

  /**
   * Appends a request of the next items.
   * @param maxBytes limit of the request, which only a single item may exceed
   * @returns how many items it holds; 0 when all were written
   */
  writeNext(output: ByteWriter, maxBytes: number): number {
    const first = this.#place;
    this.#choose(maxBytes);
    output.reserve(this.#sumUp() + MAX_VARINT_BYTES);
    for (let message = 0; message < this.#messages.length; message += 1) this.#write(output, message);
    return this.#place - first;
  }

  /** Lists the messages that hold as many of the next items as may be. */
  #choose(maxBytes: number): void {
    this.#messages.clear();
    this.#resourceMessage = NONE;
    this.#scopeMessage = NONE;
    for (let room = maxBytes; this.#place < this.#length; this.#groupIndex += 1) {
      const group = this.#groups.get(this.#groupIndex, GROUP);
      const groupEnd = this.#endOfGroup(this.#groupIndex);
      room -= this.#openingBytes(group);
      const message = this.#chooseItems(group, groupEnd, room);
      if (message === NONE || this.#place < groupEnd) return;
      room -= this.#messages.get(message, ITEM_BYTES);
    }
  }

  /** Lists the message of a group with as many of its items as there is room for; the first item always has some. */
  #chooseItems(group: number, groupEnd: number, room: number): number {
    const from = this.#place;
    let to = from;
    let itemBytes = 0;
    if (this.#messages.length === 0) itemBytes += this.#itemLength(to++);
    for (; to < groupEnd; to += 1) {
      const length = this.#itemLength(to);
      if (itemBytes + length > room) break;
      itemBytes += length;
    }
    if (to === from) return NONE;
    const message = this.#openMessage(group);
    this.#messages.set(message, FROM, from);
    this.#messages.set(message, TO, to);
    this.#messages.set(message, ITEM_BYTES, itemBytes);
    this.#itemBytes -= itemBytes;
    this.#place = to;
    return message;
  }

  /** Bytes of the messages around a group's items that are not open yet, at most. */
  #openingBytes(group: number): number {
    const { scope, resource } = this.#around(group);
    let count = scope === group ? 0 : this.#headBytes(group);
    if (!this.#isOpen(this.#scopeMessage, scope)) count += this.#headBytes(scope);
    if (!this.#isOpen(this.#resourceMessage, resource)) count += this.#headBytes(resource);
    return count;
  }

  /** Lists the message of a group, and those around it that are not open yet. */
  #openMessage(group: number): number {
    const { scope, resource } = this.#around(group);
    if (!this.#isOpen(this.#resourceMessage, resource)) this.#resourceMessage = this.#addMessage(resource, NONE);
    if (!this.#isOpen(this.#scopeMessage, scope)) this.#scopeMessage = this.#addMessage(scope, this.#resourceMessage);
    return scope === group ? this.#scopeMessage : this.#addMessage(group, this.#scopeMessage);
  }

  #around(group: number): { readonly scope: number; readonly resource: number } {
    const scope = this.#tree.dataTag(group) === NONE ? group : this.#tree.parent(group);
    return { scope, resource: this.#tree.parent(scope) };
  }

  #isOpen(message: number, group: number): boolean {
    return message !== NONE && this.#messages.get(message, MESSAGE_GROUP) === group;
  }

  #addMessage(group: number, parent: number): number {
    const messages = this.#messages;
    const message = messages.add(0);
    messages.set(message, MESSAGE_GROUP, group);
    messages.set(message, PARENT, parent);
    return message;
  }

  /** Sums up the bytes of all messages, children before what is around them, and of the request. */
  #sumUp(): number {
    const messages = this.#messages;
    let requestBytes = 0;
    for (let message = messages.length - 1; message >= 0; message -= 1) {
      const valueBytes = messages.get(message, VALUE_BYTES) + this.#ownBytes(message);
      messages.set(message, VALUE_BYTES, valueBytes);
      const parent = messages.get(message, PARENT);
      if (parent === NONE) requestBytes += fieldBytes(valueBytes);
      else messages.set(parent, VALUE_BYTES, messages.get(parent, VALUE_BYTES) + fieldBytes(valueBytes));
    }
    return requestBytes;
  }

  /** Bytes of a message's value without the messages in it. */
  #ownBytes(message: number): number {
    const group = this.#messages.get(message, MESSAGE_GROUP);
    const itemBytes = this.#messages.get(message, ITEM_BYTES);
    const formBytes = lengthOf(this.#tree.readForm(group));
    if (this.#tree.dataTag(group) === NONE) return formBytes + itemBytes;
    return formBytes + fieldBytes(lengthOf(this.#tree.readDataForm(group)) + itemBytes);
  }

  /** Writes a message up to the messages in it. */
  #write(output: ByteWriter, message: number): void {
    const tree = this.#tree;
    const group = this.#messages.get(message, MESSAGE_GROUP);
    output.byte(this.#messages.get(message, PARENT) === NONE ? CONTAINER_TAG : CHILD_TAG);
    output.varint(this.#messages.get(message, VALUE_BYTES));
    copyForm(output, tree, tree.readForm(group));
    const tag = tree.dataTag(group);
    if (tag !== NONE) {
      const data = tree.readDataForm(group);
      output.byte(tag);
      output.varint(lengthOf(data) + this.#messages.get(message, ITEM_BYTES));
      copyForm(output, tree, data);
    }
    this.#writeItems(output, this.#messages.get(message, FROM), this.#messages.get(message, TO));
  }

  /** Writes items; those that follow each other in the bytes too are copied at once. */
  #writeItems(output: ByteWriter, from: number, to: number): void {
    const starts = this.#starts;
    const ends = this.#ends;
    for (let place = from; place < to;) {
      const start = starts[place] ?? 0;
      let end = ends[place] ?? 0;
      for (place += 1; place < to && starts[place] === end; place += 1) end = ends[place] ?? 0;
      output.copy(this.#bytes, start, end);
    }
  }

  #itemLength(place: number): number {
    return (this.#ends[place] ?? 0) - (this.#starts[place] ?? 0);
  }

  #endOfGroup(index: number): number {
    return index + 1 < this.#groups.length ? this.#groups.get(index + 1, FIRST_PLACE) : this.#length;
  }

  /** Bytes of a group's form, and at most of the tags and lengths around it. */
  #headBytes(group: number): number {
    return this.#tree.formBytes(group) + 2 * HEADER_MAX_BYTES;
  }
}

function copyForm(output: ByteWriter, { forms }: GroupTree, { start, end }: FormRange): void {
  output.copy(forms.bytes, start, end);
}

function lengthOf({ start, end }: FormRange): number {
  return end - start;
}

/** Bytes of a field of wire type 2 with a tag of one byte. */
function fieldBytes(valueBytes: number): number {
  return 1 + varintBytes(valueBytes) + valueBytes;
}
