/**
 * The groups of a regrouping: a tree of contexts, each stored once. Below the root, which stands for the request, are
 * resources, then instrumentation scopes, then metrics; which group is which level's, its users know.
 *
 * Equal contexts are found by a hash. Whoever makes contexts of one hash on purpose gets groups apart, after a bounded
 * search, and no slow search: to stand together saves bytes and means nothing. Hot path: `bench/otlp-items.ts`.
 */
import { ByteWriter } from "./byte-writer.ts";
import type { ContextPart, ItemContext, MetricContext } from "./item-context.ts";
import { Int32Rows } from "./int32-rows.ts";

/** The group that stands for the request. */
export const ROOT = 0;
/** Stands for no group. */
const NONE = -1;

/** Columns of a group. */
const PARENT = 0;
const FORM_START = 1;
const FORM_END = 2;
/** Of a metric: the tag of the member of its data, and where that part of the form starts. */
const DATA_TAG = 3;
const DATA_START = 4;
const HASH = 5;
/** The next group of the same bucket, the first and the last child, and the next child of the same parent. */
const NEXT_IN_BUCKET = 6;
const FIRST_CHILD = 7;
const LAST_CHILD = 8;
const NEXT_SIBLING = 9;
const COLUMNS = 10;

const WORD_BYTES = 4;
const INITIAL_FORM_BYTES = 4096;
const INITIAL_BUCKETS = 256;
/** A bucket holds one group on average, and more than this only if someone wants it so. */
const MAX_SEARCHED_GROUPS = 32;
/** Odd, its bits without a pattern: 2^32 divided by the golden ratio. */
const HASH_FACTOR = 0x9e3779b1;

/** A part of a group's form. */
export interface FormRange {
  readonly start: number;
  readonly end: number;
}

/** The tree; groups are named by numbers, those of parents being lower than those of their children. */
export class GroupTree {
  /** Canonical forms of all groups. */
  readonly forms: ByteWriter = new ByteWriter(INITIAL_FORM_BYTES, Number.POSITIVE_INFINITY);
  readonly #groups: Int32Rows = new Int32Rows(COLUMNS);
  #buckets: Int32Array = new Int32Array(INITIAL_BUCKETS).fill(NONE);
  /** The context that was found last, and its groups. */
  #context: ItemContext | null = null;
  #resourceGroup: number = ROOT;
  #scopeGroup: number = ROOT;
  #itemGroup: number = ROOT;

  constructor() {
    this.#groups.add(NONE);
  }

  get length(): number {
    return this.#groups.length;
  }

  /** Bytes of memory that the groups take. */
  get heldBytes(): number {
    return this.#groups.byteLength + this.#buckets.byteLength + this.forms.length;
  }

  /** Finds the group that the items of a context belong to, and adds what is new. */
  find(context: ItemContext): number {
    const last = this.#context;
    if (last === context) return this.#itemGroup;
    const isResourceKnown = last?.resource === context.resource;
    if (!isResourceKnown) this.#resourceGroup = this.#findPart(ROOT, context.resource);
    if (!isResourceKnown || last.scope !== context.scope) {
      this.#scopeGroup = this.#findPart(this.#resourceGroup, context.scope);
    }
    this.#itemGroup = context.metric === null ? this.#scopeGroup : this.#findMetric(context.metric);
    this.#context = context;
    return this.#itemGroup;
  }

  /** The form of a resource or scope; of a metric, without its data. */
  readForm(group: number): FormRange {
    const end = this.#groups.get(group, this.dataTag(group) === NONE ? FORM_END : DATA_START);
    return { start: this.#groups.get(group, FORM_START), end };
  }

  /** The form of a metric's data. */
  readDataForm(group: number): FormRange {
    return { start: this.#groups.get(group, DATA_START), end: this.#groups.get(group, FORM_END) };
  }

  /** Bytes of all of a group's form. */
  formBytes(group: number): number {
    return this.#groups.get(group, FORM_END) - this.#groups.get(group, FORM_START);
  }

  /** The tag of a metric's data; -1 for other groups. */
  dataTag(group: number): number {
    return this.#groups.get(group, DATA_TAG);
  }

  parent(group: number): number {
    return this.#groups.get(group, PARENT);
  }

  /** Lists the children of a group, as they were first seen. */
  listChildren(group: number): number[] {
    const children: number[] = [];
    for (let child = this.#groups.get(group, FIRST_CHILD); child !== NONE;) {
      children.push(child);
      child = this.#groups.get(child, NEXT_SIBLING);
    }
    return children;
  }

  /** Compares two groups by their forms, byte by byte, for a sort. */
  compareForms(left: number, right: number): number {
    const { bytes } = this.forms;
    const leftStart = this.#groups.get(left, FORM_START);
    const rightStart = this.#groups.get(right, FORM_START);
    const leftLength = this.#groups.get(left, FORM_END) - leftStart;
    const rightLength = this.#groups.get(right, FORM_END) - rightStart;
    for (let index = 0; index < leftLength && index < rightLength; index += 1) {
      const difference = (bytes[leftStart + index] ?? 0) - (bytes[rightStart + index] ?? 0);
      if (difference !== 0) return difference;
    }
    return leftLength - rightLength || this.dataTag(left) - this.dataTag(right);
  }

  /** Forgets all groups and keeps the room. */
  clear(): void {
    this.forms.length = 0;
    this.#groups.clear();
    this.#groups.add(NONE);
    this.#buckets.fill(NONE);
    this.#context = null;
  }

  #findPart(parent: number, part: ContextPart): number {
    const start = this.forms.length;
    part.writeTo(this.forms);
    return this.#findForm({ parent, start, dataTag: NONE, dataStart: this.forms.length });
  }

  #findMetric({ metric, dataTag, data }: MetricContext): number {
    const start = this.forms.length;
    metric.writeTo(this.forms);
    const dataStart = this.forms.length;
    data.writeTo(this.forms);
    return this.#findForm({ parent: this.#scopeGroup, start, dataTag, dataStart });
  }

  /** Finds the group whose form was just written at the end of the forms, or makes one of it. */
  #findForm(form: NewForm): number {
    const hash = hashBytes(this.forms, form.start, form.parent ^ (form.dataTag << 24));
    const bucket = hash & (this.#buckets.length - 1);
    let group = this.#buckets[bucket] ?? NONE;
    for (let count = 0; group !== NONE && count < MAX_SEARCHED_GROUPS; count += 1) {
      if (this.#groups.get(group, HASH) === hash && this.#isForm(group, form)) {
        this.forms.length = form.start;
        return group;
      }
      group = this.#groups.get(group, NEXT_IN_BUCKET);
    }
    return this.#addGroup(form, hash);
  }

  #isForm(group: number, { parent, start, dataTag, dataStart }: NewForm): boolean {
    const groups = this.#groups;
    const otherStart = groups.get(group, FORM_START);
    if (groups.get(group, PARENT) !== parent || groups.get(group, DATA_TAG) !== dataTag) return false;
    if (groups.get(group, DATA_START) - otherStart !== dataStart - start) return false;
    if (groups.get(group, FORM_END) - otherStart !== this.forms.length - start) return false;
    const { bytes, view, length } = this.forms;
    let at = start;
    let other = otherStart;
    for (; at + WORD_BYTES <= length; at += WORD_BYTES) {
      if (view.getInt32(at) !== view.getInt32(other)) return false;
      other += WORD_BYTES;
    }
    for (; at < length; at += 1) if (bytes[at] !== bytes[other++]) return false;
    return true;
  }

  #addGroup({ parent, start, dataTag, dataStart }: NewForm, hash: number): number {
    const groups = this.#groups;
    if (groups.length > this.#buckets.length) this.#growBuckets();
    const group = groups.add(NONE);
    groups.set(group, PARENT, parent);
    groups.set(group, FORM_START, start);
    groups.set(group, FORM_END, this.forms.length);
    groups.set(group, DATA_TAG, dataTag);
    groups.set(group, DATA_START, dataStart);
    groups.set(group, HASH, hash);
    this.#link(group);
    const last = groups.get(parent, LAST_CHILD);
    if (last === NONE) groups.set(parent, FIRST_CHILD, group);
    else groups.set(last, NEXT_SIBLING, group);
    groups.set(parent, LAST_CHILD, group);
    return group;
  }

  /** Puts a group in front of its bucket. */
  #link(group: number): void {
    const bucket = this.#groups.get(group, HASH) & (this.#buckets.length - 1);
    this.#groups.set(group, NEXT_IN_BUCKET, this.#buckets[bucket] ?? NONE);
    this.#buckets[bucket] = group;
  }

  #growBuckets(): void {
    this.#buckets = new Int32Array(2 * this.#buckets.length).fill(NONE);
    for (let group = ROOT + 1; group < this.#groups.length; group += 1) this.#link(group);
  }
}

/** A form at the end of all forms, and where it belongs. */
interface NewForm {
  readonly parent: number;
  readonly start: number;
  readonly dataTag: number;
  readonly dataStart: number;
}

/** Hashes the bytes from `start` on, four at a time, to 32 bits. */
function hashBytes({ bytes, view, length }: ByteWriter, start: number, seed: number): number {
  let hash = Math.imul(seed ^ (length - start), HASH_FACTOR);
  let at = start;
  for (; at + WORD_BYTES <= length; at += WORD_BYTES) {
    hash = Math.imul(hash ^ view.getInt32(at, true), HASH_FACTOR);
    hash ^= hash >>> 15;
  }
  for (; at < length; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), HASH_FACTOR);
  return hash ^ (hash >>> 15);
}
