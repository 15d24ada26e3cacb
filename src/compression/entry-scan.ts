/**
 * Finds the entries that stand before the members of an hour object, with nothing but the object's bytes: {@link
 * scanEntries}. In zstd an entry is the content of a skippable frame, in gzip a subfield of the member's header:
 *
 * | compression | bytes                                                                                        |
 * |-------------|----------------------------------------------------------------------------------------------|
 * | zstd        | magic `5d 2a 4d 18`, length of 4 bytes, entry; the member's frames follow                     |
 * | gzip        | in the extra field `46 4e` ("FN"), length of 2 bytes, entry; the rest of the member follows   |
 *
 * What an entry says is not looked at. Frames of zstd are walked; members of gzip, which say nowhere how long they are,
 * have to be inflated.
 */
import { MEMBER_ENTRY_MAX_BYTES } from "../limits.ts";
import { openWindow, type ByteSource, type ByteWindow } from "./byte-source.ts";
import { toCorruptObject } from "./corrupt-object.ts";
import { inflateGzipMember, readGzipHeader } from "./inflate-gzip.ts";
import {
  isAtFrameEnd,
  openZstdWalk,
  parseZstdHeader,
  walkZstdBlocks,
  ZSTD_HEADER_MAX_BYTES,
  type ZstdFrameHeader,
} from "./zstd-frame.ts";

/** An entry, and where the member begins to which it belongs. */
export interface ScannedEntry {
  /** Of the skippable frame in zstd, of the member in gzip. */
  readonly offset: number;
  readonly entry: Uint8Array;
}

const ENTRY_MAGIC = 0x5d;
const SKIPPABLE_HEADER_BYTES = 8;
const GZIP_FLAG_EXTRA = 4;
const GZIP_EXTRA_START = 12;
const SUBFIELD_HEADER_BYTES = 4;
const SUBFIELD_ID: readonly [number, number] = [0x46, 0x4e];

/**
 * Scans an object from its first byte to its last.
 * @param source is closed at the end, after a failure, and when the consumer stops.
 * @throws FirnError `corrupt_object` where it is no sequence of members; what the source throws is thrown as it is.
 */
export async function* scanEntries(
  source: ByteSource,
  compression: "gzip" | "zstd",
): AsyncGenerator<ScannedEntry, void, undefined> {
  const input = openCounted(openWindow(source));
  try {
    yield* compression === "gzip" ? scanGzip(input) : scanZstd(input);
  } finally {
    await input.close();
  }
}

/** A window that knows how much of it was consumed. */
interface CountedWindow extends ByteWindow {
  position(): number;
}

function openCounted(input: ByteWindow): CountedWindow {
  let position = 0;
  return {
    ...input,
    consume: (count) => {
      position += count;
      input.consume(count);
    },
    position: () => position,
  };
}

async function* scanGzip(input: CountedWindow): AsyncGenerator<ScannedEntry, void, undefined> {
  while (await input.fill(1)) {
    const offset = input.position();
    const entry = findSubfield(await readGzipHeader(input))?.slice() ?? null;
    for await (const _ of inflateGzipMember(input));
    if (entry !== null) yield { offset, entry };
  }
}

function findSubfield(header: Uint8Array): Uint8Array | null {
  if (((header[3] ?? 0) & GZIP_FLAG_EXTRA) === 0) return null;
  const end = GZIP_EXTRA_START + readUint(header, GZIP_EXTRA_START - 2, 2);
  for (let at = GZIP_EXTRA_START; at + SUBFIELD_HEADER_BYTES <= end;) {
    const start = at + SUBFIELD_HEADER_BYTES;
    const length = readUint(header, at + 2, 2);
    const isEntry = header[at] === SUBFIELD_ID[0] && header[at + 1] === SUBFIELD_ID[1];
    if (isEntry && start + length <= end) return header.subarray(start, start + length);
    at = start + length;
  }
  return null;
}

async function* scanZstd(input: CountedWindow): AsyncGenerator<ScannedEntry, void, undefined> {
  while (await input.fill(1)) {
    await input.fill(ZSTD_HEADER_MAX_BYTES);
    const offset = input.position();
    const isEntry = input.view()[0] === ENTRY_MAGIC;
    const header = parseZstdHeader(input.view(), 0);
    if (header.kind === "bad") throw toCorruptObject(header.found, "zstd frames");
    if (header.kind === "short") throw toCorruptObject("a truncated zstd frame header", "zstd frames");
    if (header.kind === "frame") await skipFrame(input, header);
    else if (isEntry) yield { offset, entry: await takeEntry(input, header.frameBytes) };
    else await skip(input, header.frameBytes);
  }
}

async function takeEntry(input: ByteWindow, frameBytes: number): Promise<Uint8Array> {
  if (frameBytes > SKIPPABLE_HEADER_BYTES + MEMBER_ENTRY_MAX_BYTES) {
    throw toCorruptObject(`an entry of ${frameBytes} bytes`, `at most ${MEMBER_ENTRY_MAX_BYTES}`);
  }
  if (!(await input.fill(frameBytes))) throw toCorruptObject("a truncated entry", "zstd frames");
  const entry = input.view().slice(SKIPPABLE_HEADER_BYTES, frameBytes);
  input.consume(frameBytes);
  return entry;
}

async function skipFrame(input: ByteWindow, header: ZstdFrameHeader): Promise<void> {
  const walk = openZstdWalk(header);
  for (;;) {
    input.consume(walkZstdBlocks(walk, input.view(), 0));
    if (isAtFrameEnd(walk)) return;
    if (walk.fault !== null) throw toCorruptObject(walk.fault, "zstd frames");
    // Either bytes of a block are missing, or a block header is not whole.
    if (!(await input.fill(input.view().length + 1))) throw toCorruptObject("a truncated zstd frame", "zstd frames");
  }
}

async function skip(input: ByteWindow, count: number): Promise<void> {
  for (let left = count; left > 0;) {
    if (!(await input.fill(1))) throw toCorruptObject("a truncated skippable frame", "zstd frames");
    const step = Math.min(left, input.view().length);
    input.consume(step);
    left -= step;
  }
}

/** Little-endian. */
function readUint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
