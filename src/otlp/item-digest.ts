/**
 * The digest of a set of items: equal for the same items in any order and however requests group them, another one as
 * soon as a byte of an item or of what it belongs to differs, one is missing, or one is there twice. Compaction proves
 * with it that outputs hold what sources held (protocol 5.5); it guards against faults, not against forgers. Archives
 * name digests, so it never changes: docs/decisions/0011-manifests-and-digests.md.
 *
 * | value   | is, H being MurmurHash3 x86 128, with seed 0 unless it says so, and ‖ the joining of bytes            |
 * |---------|-------------------------------------------------------------------------------------------------------|
 * | context | H(H(resource) ‖ H(scope)), of the canonical forms of `item-context.ts`; for a data point              |
 * |         | H(H(resource) ‖ H(scope) ‖ H(metric) ‖ H(data)), with the tag of the data as seed                     |
 * | item    | H(context ‖ payload of the item's message)                                                            |
 * | digest  | sum of the items modulo 2¹²⁸, a hash being the number h1·2⁹⁶ + h2·2⁶⁴ + h3·2³² + h4                   |
 *
 * Hot path, hence a class: `bench/item-digest.ts`.
 */
import { ByteWriter } from "./byte-writer.ts";
import type { ContextPart, ItemContext } from "./item-context.ts";
import type { Item } from "./items.ts";
import { HASH_BYTES, Murmur3 } from "./murmur3.ts";

/** A digest as plain data. */
export interface ItemDigestValue {
  readonly itemCount: number;
  /** 32 hex digits in lower case, the highest first. */
  readonly digest: string;
}

/** A digest that grows. */
export interface ItemDigest {
  readonly itemCount: number;
  /** Adds an item of sound protobuf, as `iterateItems` gives it. */
  add(item: Item): void;
  /** Adds all items of another digest. @throws RangeError for a digest that is not 32 hex digits */
  merge(value: ItemDigestValue): void;
  /** Formats the digest. */
  toHex(): string;
  /** Takes the value of now; {@link openItemDigest} goes on with it. */
  toValue(): ItemDigestValue;
  /** Lets the request of the last item go, of which the digest remembers the context. */
  release(): void;
}

/** Opens a digest. @param value what it begins with, nothing by default */
export function openItemDigest(value?: ItemDigestValue): ItemDigest {
  const digest = new ItemSum();
  if (value !== undefined) digest.merge(value);
  return digest;
}

const DIGEST = /^[0-9a-f]{32}$/;
/** A digest in words, each of which is a sum of its own until it is carried. */
const WORD_COUNT = 4;
const WORD_DIGITS = 8;
const WORD_VALUES = 2 ** 32;
/** Sums are doubles, which are exact up to 2⁵³: so many words fit before a carry. */
const MAX_UNCARRIED = 2 ** 20;
/** Room that forms begin with: a metric's name and description fit. */
const INITIAL_FORM_BYTES = 1024;
/** Where the hashes of a context stand before they are hashed. */
const SCOPE_AT = HASH_BYTES;
const METRIC_AT = 2 * HASH_BYTES;
const DATA_AT = 3 * HASH_BYTES;
const CONTEXT_BYTES = 4 * HASH_BYTES;
const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));

class ItemSum implements ItemDigest {
  itemCount = 0;
  /** Highest word first. */
  readonly #sums: Float64Array = new Float64Array(WORD_COUNT);
  #uncarried = 0;
  readonly #hash: Murmur3 = new Murmur3();
  readonly #forms: ByteWriter = new ByteWriter(INITIAL_FORM_BYTES, Number.POSITIVE_INFINITY);
  /** The context of the last item, the hashes of its parts, and the hash of an item that has it, up to the item. */
  #context: ItemContext | null = null;
  readonly #parts: DataView = new DataView(new ArrayBuffer(CONTEXT_BYTES));
  readonly #opened: Murmur3 = new Murmur3();
  /** The bytes of the last item, and the view of them. */
  #bytes: Uint8Array | null = null;
  #view: DataView = NO_BYTES;

  add(item: Item): void {
    const { bytes, context } = item;
    if (context !== this.#context) this.#enterContext(context);
    if (bytes !== this.#bytes) this.#enterBytes(bytes);
    const hash = this.#hash;
    hash.hashAfter(this.#opened, this.#view, item.start, item.end);
    const sums = this.#sums;
    sums[0] = (sums[0] ?? 0) + (hash.h1 >>> 0);
    sums[1] = (sums[1] ?? 0) + (hash.h2 >>> 0);
    sums[2] = (sums[2] ?? 0) + (hash.h3 >>> 0);
    sums[3] = (sums[3] ?? 0) + (hash.h4 >>> 0);
    this.itemCount += 1;
    this.#uncarried += 1;
    if (this.#uncarried >= MAX_UNCARRIED) this.#carry();
  }

  merge({ itemCount, digest }: ItemDigestValue): void {
    if (!DIGEST.test(digest)) throw new RangeError("Cannot merge digest: found another text, expected 32 hex digits");
    this.#carry();
    const sums = this.#sums;
    for (let word = 0; word < WORD_COUNT; word += 1) {
      const digits = digest.slice(word * WORD_DIGITS, (word + 1) * WORD_DIGITS);
      sums[word] = (sums[word] ?? 0) + Number.parseInt(digits, 16);
    }
    this.#carry();
    this.itemCount += itemCount;
  }

  toHex(): string {
    this.#carry();
    return Array.from(this.#sums, (word) => word.toString(16).padStart(WORD_DIGITS, "0")).join("");
  }

  toValue(): ItemDigestValue {
    return { itemCount: this.itemCount, digest: this.toHex() };
  }

  release(): void {
    this.#context = null;
    this.#bytes = null;
    this.#view = NO_BYTES;
  }

  /** Brings each sum below 2³², from the lowest word to the highest, whose carry is dropped. */
  #carry(): void {
    const sums = this.#sums;
    let carry = 0;
    for (let word = WORD_COUNT - 1; word >= 0; word -= 1) {
      const sum = (sums[word] ?? 0) + carry;
      carry = Math.floor(sum / WORD_VALUES);
      sums[word] = sum - carry * WORD_VALUES;
    }
    this.#uncarried = 0;
  }

  #enterBytes(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #enterContext(context: ItemContext): void {
    const last = this.#context;
    const { resource, scope, metric } = context;
    if (last?.resource !== resource) this.#hashPart(resource, 0);
    if (last?.scope !== scope) this.#hashPart(scope, SCOPE_AT);
    if (metric === null) this.#hash.hash(this.#parts, 0, METRIC_AT, 0);
    else {
      this.#hashPart(metric.metric, METRIC_AT);
      this.#hashPart(metric.data, DATA_AT);
      this.#hash.hash(this.#parts, 0, CONTEXT_BYTES, metric.dataTag);
    }
    this.#opened.openWith(this.#hash);
    this.#context = context;
  }

  #hashPart(part: ContextPart, offset: number): void {
    const forms = this.#forms;
    forms.length = 0;
    part.writeTo(forms);
    this.#hash.hash(forms.view, 0, forms.length, 0);
    this.#hash.writeTo(this.#parts, offset);
  }
}
