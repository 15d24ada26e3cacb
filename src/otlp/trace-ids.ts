/**
 * Trace ids of spans and log records as an index keeps them: 32 bits of a hash, since the bytes of an id need not be
 * random. An id has 16 bytes that are not all zero; anything else is none. The hash is the first lane, h1, of
 * MurmurHash3 x86 128 with seed 0. Archives name it, so it never changes: docs/archive-format.md.
 */
import { releaseBytes } from "../bytes.ts";
import { Murmur3 } from "./murmur3.ts";

/** Bytes of a trace id. */
export const TRACE_ID_BYTES = 16;

/** Trace ids as they are gathered. */
export interface TraceIdSink {
  /** Takes the id that stands at an offset. */
  add(bytes: Uint8Array, offset: number): void;
}

/** Hashes of trace ids as they are gathered. */
export interface TraceHashes extends TraceIdSink {
  /** Takes the hashes, each once, ascending; the list is empty afterwards, and its memory is used again. */
  take(): Uint32Array<ArrayBuffer>;
}

const INITIAL_COUNT = 1024;

/** Opens a list without ids. */
export function openTraceHashes(): TraceHashes {
  const hasher = openHasher();
  let hashes = new Uint32Array(INITIAL_COUNT);
  let count = 0;

  function add(bytes: Uint8Array, offset: number): void {
    const hash = hasher(bytes, offset);
    // Spans of a trace often stand together.
    if (hash === null || (count > 0 && hashes[count - 1] === hash)) return;
    if (count === hashes.length) {
      const larger = new Uint32Array(2 * count);
      larger.set(hashes);
      releaseBytes(hashes);
      hashes = larger;
    }
    hashes[count] = hash;
    count += 1;
  }

  function take(): Uint32Array<ArrayBuffer> {
    hashes.subarray(0, count).sort();
    let kept = 0;
    for (let index = 0; index < count; index += 1) {
      const hash = hashes[index] ?? 0;
      if (kept > 0 && hashes[kept - 1] === hash) continue;
      hashes[kept] = hash;
      kept += 1;
    }
    count = 0;
    return hashes.slice(0, kept);
  }

  return { add, take };
}

/** Hashes a trace id. @returns `null` for what is no id */
export function hashTraceId(id: Uint8Array): number | null {
  return id.length === TRACE_ID_BYTES ? openHasher()(id, 0) : null;
}

/** Reads in place, by a view of the bytes that it was given last. */
function openHasher(): (bytes: Uint8Array, offset: number) => number | null {
  const murmur = new Murmur3();
  let last: Uint8Array = new Uint8Array(0);
  let view = new DataView(last.buffer);
  return (bytes, at) => {
    if (bytes !== last) {
      last = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    if ((view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0) return null;
    murmur.hash(view, at, at + TRACE_ID_BYTES, 0);
    return murmur.h1 >>> 0;
  };
}
