/**
 * Makes and reads zstd frames of up to 4 MiB for hour objects, denser than `member.ts` does, which has requests waiting
 * for it. `zstdCompressSync` of workerd 1.20261023 fails when it makes over 40,960 bytes, and an engine holds 8 MiB
 * that V8 knows nothing of: 300 that were closed made the process 2.4 GB large. So engines are used again.
 */
import { constants, createZstdCompress, createZstdDecompress, zstdCompressSync } from "node:zlib";
import { joinBytes } from "../bytes.ts";
import { KIB, MIB } from "../units.ts";
import { compressMember } from "./member.ts";
import {
  holdOutput,
  openEnginePool,
  type EngineKind,
  type EnginePool,
  type HeldContent,
  type SharedMemory,
  type SyncEngine,
} from "./sync-engine.ts";
import { isAtFrameEnd, openZstdWalk, parseZstdHeader, walkZstdBlocks } from "./zstd-frame.ts";

/** Raw bytes of a frame at most; what is longer becomes several. */
export const DENSE_FRAME_MAX_BYTES: number = 4 * MIB;
/** Output that does not fit makes engines of workerd fail: raw blocks take 3 bytes each, of 128 KiB. */
const OUTPUT_BYTES: number = DENSE_FRAME_MAX_BYTES + 64 * KIB;
/** Members that are held at the same time, beyond which memory is not kept: of outputs that are read side by side. */
const MAX_IDLE_HOLDERS = 4;
/** From this level on, tables would take 16 MiB and more. */
const FIRST_LEVEL_OF_LARGE_TABLES = 10;

/** How long matches are searched for where no level says it. */
export type DenseSearch = "long" | "short";

/** How hard frames are compressed. */
export interface DenseEffort {
  /** Of gzip 1 to 9, of zstd 1 to 19; `null` for what is best for archives, which `search` chooses. */
  readonly level: number | null;
  readonly search: DenseSearch;
}

type ZstdParams = Readonly<Record<number, number>>;

/** All levels look back over the whole of a frame. */
const SHARED_PARAMS: ZstdParams = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_windowLog]: 22 };
/**
 * What is best for archives, by what is in them. Text repeats in many ways, and a long search pays: in the time of
 * level 8 or 9 it makes up to 3% less than 9, with matches of four bytes, which ids and times in text need. Random ids
 * in binary repeat nowhere: of them a short search makes as little in half of the time.
 */
const BEST_PARAMS: Readonly<Record<DenseSearch, ZstdParams>> = {
  long: {
    [constants.ZSTD_c_strategy]: constants.ZSTD_lazy,
    [constants.ZSTD_c_hashLog]: 19,
    [constants.ZSTD_c_searchLog]: 6,
    [constants.ZSTD_c_minMatch]: 4,
  },
  short: {
    [constants.ZSTD_c_strategy]: constants.ZSTD_greedy,
    [constants.ZSTD_c_hashLog]: 19,
    [constants.ZSTD_c_searchLog]: 5,
    [constants.ZSTD_c_minMatch]: 5,
  },
};
const SMALL_TABLES: ZstdParams = { [constants.ZSTD_c_hashLog]: 20, [constants.ZSTD_c_chainLog]: 20 };

/** A frame of the text "firn", with a content size and a checksum. */
const PROBE_TEXT: Uint8Array = Uint8Array.of(0x66, 0x69, 0x72, 0x6e);
const PROBE_FRAME: Uint8Array = Uint8Array.of(
  0x28,
  0xb5,
  0x2f,
  0xfd,
  0x24,
  0x04,
  0x21,
  0x00,
  0x00,
  0x66,
  0x69,
  0x72,
  0x6e,
  0xd1,
  0x06,
  0x00,
  0x71,
);

/** A frame is copied before anything else is compressed or inflated, and while content is used nothing is. */
const sharing: SharedMemory = { memory: null };
/** Engines by what they were made for: a deployment has one level, or two kinds of search. */
const compressing = new Map<string, EnginePool>();
const decompressing: EnginePool = openEnginePool({
  open: (chunkSize) => createZstdDecompress({ chunkSize }),
  outputBytes: OUTPUT_BYTES,
  maxIdle: 1,
  sharing,
  isSound: isProbeRead,
});

/** For content that is held while other things are compressed or inflated: each engine has memory of its own. */
const holding: EnginePool = openEnginePool({
  open: (chunkSize) => createZstdDecompress({ chunkSize }),
  outputBytes: OUTPUT_BYTES,
  maxIdle: MAX_IDLE_HOLDERS,
  isSound: isProbeRead,
});

/**
 * Compresses bytes of any length but 0.
 * @returns one frame with checksum and content size for each 4 MiB
 */
export function compressDenseZstd(raw: Uint8Array, effort: DenseEffort): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < raw.length; at += DENSE_FRAME_MAX_BYTES) {
    const piece = raw.subarray(at, at + DENSE_FRAME_MAX_BYTES);
    frames.push(makeFrame(piece, effort) ?? makeFrameAlone(piece, effort) ?? compressMember(piece, "zstd"));
  }
  const [only] = frames;
  return only !== undefined && frames.length === 1 ? only : joinBytes(frames);
}

/**
 * Inflates one frame in memory that is used again.
 * @param use takes what it holds, which is right only while it runs and compresses nothing
 * @returns what `use` returns, and `null` without calling it if the frame could not be inflated in this way
 */
export function useZstdContent<Result>(frame: Uint8Array, use: (content: Uint8Array) => Result): Result | null {
  const engine = decompressing.take();
  if (engine === null) return null;
  let content: Uint8Array;
  try {
    content = engine.run(frame, 0);
  } catch {
    return null;
  }
  const result = engine.consumedBytes === frame.length ? use(content) : null;
  decompressing.give(engine);
  return result;
}

/** Inflates one frame in memory that is the caller's until it is released; `null` if it could not be done so. */
export function holdZstdContent(frame: Uint8Array): HeldContent | null {
  const engine = holding.take();
  if (engine === null) return null;
  try {
    const content = engine.run(frame, 0);
    if (engine.consumedBytes === frame.length) return holdOutput(content, engine, holding);
    holding.give(engine);
    return null;
  } catch {
    return null;
  }
}

/** Makes a frame with an engine; `null` when the runtime could not. */
function makeFrame(raw: Uint8Array, effort: DenseEffort): Uint8Array | null {
  const key = String(effort.level ?? effort.search);
  const pool = compressing.get(key) ?? openCompressors(effort);
  compressing.set(key, pool);
  const engine = pool.take();
  if (engine === null) return null;
  const frame = runCompressor(engine, raw);
  pool.give(engine);
  return frame;
}

function runCompressor(engine: SyncEngine, raw: Uint8Array): Uint8Array | null {
  try {
    const frame = engine.run(raw, constants.ZSTD_e_end).slice();
    return isWholeFrame(frame, raw.length) ? frame : null;
  } catch {
    return null;
  }
}

/** Makes a frame without an engine, for runtimes that have none of that kind any more: their sync call is mended. */
function makeFrameAlone(raw: Uint8Array, effort: DenseEffort): Uint8Array | null {
  try {
    const frame = Uint8Array.from(zstdCompressSync(raw, { params: toParams(effort) }));
    return isWholeFrame(frame, raw.length) ? frame : null;
  } catch {
    return null;
  }
}

function openCompressors(effort: DenseEffort): EnginePool {
  const kind: EngineKind = {
    open: (chunkSize) => createZstdCompress({ params: toParams(effort), chunkSize }),
    outputBytes: OUTPUT_BYTES,
    maxIdle: 1,
    sharing,
    isSound: (engine) => isWholeFrame(engine.run(PROBE_TEXT, constants.ZSTD_e_end), PROBE_TEXT.length),
  };
  return openEnginePool(kind);
}

function toParams({ level, search }: DenseEffort): ZstdParams {
  if (level === null) return { ...SHARED_PARAMS, ...BEST_PARAMS[search] };
  const tables = level < FIRST_LEVEL_OF_LARGE_TABLES ? {} : SMALL_TABLES;
  return { ...SHARED_PARAMS, ...tables, [constants.ZSTD_c_compressionLevel]: level };
}

/** Says whether bytes are one frame, no more and no less, that declares so much content. */
function isWholeFrame(frame: Uint8Array, contentBytes: number): boolean {
  const header = parseZstdHeader(frame, 0);
  if (header.kind !== "frame" || header.contentBytes !== contentBytes) return false;
  const walk = openZstdWalk(header);
  return walkZstdBlocks(walk, frame, 0) === frame.length && isAtFrameEnd(walk);
}

function isProbeRead(engine: SyncEngine): boolean {
  return [0, 1].every(() => isSame(engine.run(PROBE_FRAME, 0), PROBE_TEXT));
}

function isSame(found: Uint8Array, expected: Uint8Array): boolean {
  return found.length === expected.length && found.every((byte, index) => byte === expected[index]);
}
