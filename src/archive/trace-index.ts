/**
 * The trace index of an output: which of its members hold a trace. Entries of one width, sorted, so that an id is found
 * by the share of its hash, with one read of a few pages; each page has a checksum of its own, since a reader that
 * takes a few of them must not miss a trace because of a damaged byte. What is hashed, and how, is `otlp/`'s.
 *
 * | bytes | header                                                          |
 * |-------|-----------------------------------------------------------------|
 * | 4     | `FNTI`                                                          |
 * | 1     | format, 1                                                       |
 * | 1     | bytes of a hash in an entry: 3, or 4 above 65,536 entries       |
 * | 1     | bytes of a member's number: 1, or 2 above 256 members           |
 * | 1     | hash, 1: h1 of MurmurHash3 x86 128, seed 0, of the 16-byte id   |
 * | 4     | number of entries                                               |
 * | 4     | CRC-32 of the 12 bytes before                                   |
 *
 * Pages follow, of 128 entries but for the last: the entries, then the CRC-32 of them. An entry is the highest bytes of
 * the hash and the number of the member, from 0 on as in the member table; each stands there once. All big-endian.
 */
import { FirnError } from "../errors.ts";
import { TRACE_INDEX_MAX_ENTRIES, TRACE_INDEX_MAX_MEMBERS } from "../limits.ts";
import { crc32 } from "./crc32.ts";

/** A trace index as it is stored. */
export interface EncodedTraceIndex {
  readonly file: Uint8Array;
  /** Entries. */
  readonly count: number;
}

/** What a manifest says of an index, which is all that its layout depends on. */
export interface TraceIndexFacts {
  readonly sizeBytes: number;
  readonly count: number;
  /** Of its output. */
  readonly memberCount: number;
}

/** The layout of an index. */
export interface TraceIndexShape {
  readonly count: number;
  readonly hashBytes: number;
  readonly memberBytes: number;
  readonly pageCount: number;
  /** It is by the size alone: the header is read with the first page, and without it nothing is known of the end. */
  readonly isGuessed: boolean;
}

/** Pages that are read together: first ≤ page < end. */
export interface PageRange {
  readonly first: number;
  readonly end: number;
}

const MAGIC = 0x464e_5449;
const FORMAT = 1;
const HASH_MURMUR3 = 1;
const HEADER_BYTES = 16;
const CHECKED_HEADER_BYTES = 12;
const CRC_BYTES = 4;
const PAGE_ENTRIES = 128;
const HASH_BITS = 32;
/** Entries are sorted by so many values of the hash: all at once would take more memory than the file. */
const SLICE_HASHES = 2 ** 24;
const INITIAL_SLICE_ENTRIES = 1024;
const MEMBER_VALUES = 2 ** 16;
/** One in 256 looks for an id that an index does not have finds an entry even so, and costs a member: no more. */
const SHORT_HASH_MAX_ENTRIES = 2 ** 16;
/** Places stray by √n/2 at most, as one standard deviation: three of them. */
const FIRST_SPREAD = 1.5;
const SPREAD_GROWTH = 8;

/**
 * Encodes an index.
 * @param members hashes of each member, 32 bits, in any order
 * @returns `null` when there are more members or entries than an index is made for
 */
export function encodeTraceIndex(members: readonly Uint32Array[]): EncodedTraceIndex | null {
  const total = members.reduce((sum, { length }) => sum + length, 0);
  if (total > TRACE_INDEX_MAX_ENTRIES || members.length > TRACE_INDEX_MAX_MEMBERS) return null;
  const hashBytes = total > SHORT_HASH_MAX_ENTRIES ? 4 : 3;
  const layout = { hashBytes, memberBytes: memberBytesFor(members.length), isGuessed: false };
  const file = new Uint8Array(fileBytes(toShape({ ...layout, count: total })));
  const view = new DataView(file.buffer);
  let count = 0;
  let at = HEADER_BYTES;
  let pageStart = at;
  const endPage = (): void => {
    view.setUint32(at, crc32(file.subarray(pageStart, at)));
    at += CRC_BYTES;
    pageStart = at;
  };
  for (const entries of sortEntries(members, hashBytes)) {
    for (const entry of entries) {
      const hash = Math.floor(entry / MEMBER_VALUES);
      for (let byte = hashBytes - 1; byte >= 0; byte -= 1) file[at++] = hash >>> (8 * byte);
      if (layout.memberBytes > 1) file[at++] = Math.floor(entry / 256);
      file[at++] = entry;
      count += 1;
      if (count % PAGE_ENTRIES === 0) endPage();
    }
  }
  if (at > pageStart) endPage();
  file.set(encodeHeader({ ...layout, count }));
  // Short hashes of a member may be alike; there are few of them then.
  return { file: at === file.length ? file : file.slice(0, at), count };
}

function encodeHeader({ count, hashBytes, memberBytes }: Omit<TraceIndexShape, "pageCount">): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, MAGIC);
  header.set([FORMAT, hashBytes, memberBytes, HASH_MURMUR3], 4);
  view.setUint32(8, count);
  view.setUint32(CHECKED_HEADER_BYTES, crc32(header.subarray(0, CHECKED_HEADER_BYTES)));
  return header;
}

/** Entries as numbers, the hash before the member: those of one highest byte after those of another, in one memory. */
function* sortEntries(members: readonly Uint32Array[], hashBytes: number): Generator<Float64Array, void, undefined> {
  const lists = members.map((hashes) => (isAscending(hashes) ? hashes : hashes.toSorted()));
  const places = new Uint32Array(lists.length);
  let memory = new Float64Array(INITIAL_SLICE_ENTRIES);
  for (let end = SLICE_HASHES; end <= 2 ** HASH_BITS; end += SLICE_HASHES) {
    let length = 0;
    for (const [member, hashes] of lists.entries()) {
      let place = places[member] ?? 0;
      for (; place < hashes.length && (hashes[place] ?? 0) < end; place += 1) {
        if (length === memory.length) memory = grow(memory);
        memory[length++] = ((hashes[place] ?? 0) >>> (HASH_BITS - 8 * hashBytes)) * MEMBER_VALUES + member;
      }
      places[member] = place;
    }
    yield sortOnce(memory.subarray(0, length));
  }
}

/** Sorts entries in place, and leaves each once. */
function sortOnce(entries: Float64Array): Float64Array {
  entries.sort();
  let kept = 0;
  for (const entry of entries) if (kept === 0 || entries[kept - 1] !== entry) entries[kept++] = entry;
  return entries.subarray(0, kept);
}

function isAscending(hashes: Uint32Array): boolean {
  return hashes.every((hash, index) => index === 0 || (hashes[index - 1] ?? 0) <= hash);
}

function grow(entries: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * entries.length);
  larger.set(entries);
  return larger;
}

/**
 * Says how an index is laid out.
 * @throws FirnError `corrupt_object` when no index has this size
 */
export function shapeOfTraceIndex({ sizeBytes, count, memberCount }: TraceIndexFacts): TraceIndexShape {
  const memberBytes = memberBytesFor(memberCount);
  for (const hashBytes of [3, 4]) {
    const shape = toShape({ count, hashBytes, memberBytes, isGuessed: false });
    if (fileBytes(shape) === sizeBytes) return shape;
  }
  throw corrupt(`it has ${sizeBytes} bytes`, `those of ${count} entries`);
}

/**
 * Says how an index is laid out as far as its size tells: outputs of few members are likelier. A wrong guess does not
 * fit the checksums of pages.
 * @returns `null` when no index has this size
 */
export function guessTraceIndexShape(sizeBytes: number): TraceIndexShape | null {
  if (sizeBytes < HEADER_BYTES) return null;
  for (const memberBytes of [1, 2]) {
    for (const hashBytes of [3, 4]) {
      const full = pageBytes({ hashBytes, memberBytes });
      const pages = Math.floor((sizeBytes - HEADER_BYTES) / full);
      const rest = sizeBytes - HEADER_BYTES - pages * full;
      const left = Math.max(0, Math.floor((rest - CRC_BYTES) / (hashBytes + memberBytes)));
      const shape = toShape({ count: pages * PAGE_ENTRIES + left, hashBytes, memberBytes, isGuessed: true });
      const isShort = shape.count <= SHORT_HASH_MAX_ENTRIES;
      if (fileBytes(shape) === sizeBytes && isShort === (hashBytes === 3)) return shape;
    }
  }
  return null;
}

/**
 * Plans which pages to read for an id.
 * @param attempt 0, and one more each time that {@link findInPages} found the place outside of the pages
 */
export function planPages(shape: TraceIndexShape, hash: number, attempt: number): PageRange {
  const { count, pageCount } = shape;
  if (pageCount <= 1) return { first: 0, end: pageCount };
  const expected = (hash / 2 ** HASH_BITS) * count;
  const spread = FIRST_SPREAD * SPREAD_GROWTH ** attempt * Math.sqrt(count);
  const first = Math.max(0, Math.floor((expected - spread) / PAGE_ENTRIES));
  return { first, end: Math.min(pageCount, Math.floor((expected + spread) / PAGE_ENTRIES) + 1) };
}

/** Where pages stand in the file, and before the first one the header if that is to be read. */
export function placeOfPages(
  shape: TraceIndexShape,
  pages: PageRange,
): { readonly offset: number; readonly length: number } {
  const offset = HEADER_BYTES + pages.first * pageBytes(shape) - headerBytesOf(shape, pages);
  return { offset, length: Math.min(fileBytes(shape), HEADER_BYTES + pages.end * pageBytes(shape)) - offset };
}

/** Bytes of the header that are read with pages. */
function headerBytesOf({ isGuessed }: TraceIndexShape, { first }: PageRange): number {
  return isGuessed && first === 0 ? HEADER_BYTES : 0;
}

/**
 * Finds the members that may hold an id.
 * @param bytes of their place
 * @returns `null` when entries of the id may stand before or behind the pages
 * @throws FirnError `corrupt_object` when a page is damaged, and when it is an index of another shape
 */
export function findInPages(
  shape: TraceIndexShape,
  pages: PageRange,
  bytes: Uint8Array,
  hash: number,
): ReadonlySet<number> | null {
  const { hashBytes, memberBytes, pageCount, isGuessed } = shape;
  const { first, end } = pages;
  const headerBytes = headerBytesOf(shape, pages);
  if (headerBytes > 0 && !encodeHeader(shape).every((byte, at) => byte === bytes[at]))
    throw corrupt("its header is another one", "that of an index of its size");
  const wanted = hash >>> (HASH_BITS - 8 * hashBytes);
  const found = new Set<number>();
  let before = -1;
  let firstHash = -1;
  for (const page of splitPages(shape, bytes.subarray(headerBytes))) {
    for (let at = 0; at < page.length; at += hashBytes + memberBytes) {
      const entryHash = readNumber(page, at, hashBytes);
      if (entryHash < before) throw corrupt("its entries are out of order", "them ascending");
      if (firstHash < 0) firstHash = entryHash;
      before = entryHash;
      if (entryHash === wanted) found.add(readNumber(page, at + hashBytes, memberBytes));
    }
  }
  const isEndKnown = end === pageCount && (!isGuessed || headerBytes > 0);
  const isInside = (first === 0 || firstHash < wanted) && (isEndKnown || before > wanted);
  return isInside ? found : null;
}

/** Entries page by page, each held against its checksum. */
function* splitPages(shape: TraceIndexShape, bytes: Uint8Array): Generator<Uint8Array> {
  const size = pageBytes(shape);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += size) {
    const end = Math.min(bytes.length, at + size) - CRC_BYTES;
    const page = bytes.subarray(at, end);
    if (view.getUint32(end) !== crc32(page)) throw corrupt("a page has another CRC-32", "the one behind its entries");
    yield page;
  }
}

function readNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let byte = 0; byte < length; byte += 1) value = value * 256 + (bytes[at + byte] ?? 0);
  return value;
}

function memberBytesFor(memberCount: number): number {
  return memberCount > 256 ? 2 : 1;
}

function toShape(shape: Omit<TraceIndexShape, "pageCount">): TraceIndexShape {
  return { ...shape, pageCount: Math.ceil(shape.count / PAGE_ENTRIES) };
}

/** Of a page that is full. */
function pageBytes({ hashBytes, memberBytes }: Pick<TraceIndexShape, "hashBytes" | "memberBytes">): number {
  return PAGE_ENTRIES * (hashBytes + memberBytes) + CRC_BYTES;
}

function fileBytes({ count, hashBytes, memberBytes, pageCount }: TraceIndexShape): number {
  return HEADER_BYTES + count * (hashBytes + memberBytes) + pageCount * CRC_BYTES;
}

function corrupt(found: string, expected: string): FirnError {
  return new FirnError("corrupt_object", `Cannot read trace index: ${found}, expected ${expected}`);
}
