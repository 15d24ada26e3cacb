import { constants, createZstdCompress } from "node:zlib";
import { bytesOf } from "./gzip-bytes.ts";

/** Parts of zstd frames for tests, made by hand from RFC 8878 section 3.1: a case shows what is wrong with it. */
export const MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const;
/** Descriptor of a frame with a window descriptor and nothing else. */
export const WINDOWED = 0x00;
export const CHECKSUM = 0x04;
export const RESERVED = 0x08;
export const UNUSED = 0x10;
/** Descriptor of a frame whose window is its content; one byte of content size follows. */
export const SINGLE = 0x20;

/** What a phrase becomes in the encoder of the Collector, `github.com/klauspost/compress/zstd` 1.20.3. */
export const COLLECTOR: { readonly phrase: string; readonly whole: Uint8Array; readonly flushed: Uint8Array } = {
  phrase: "otlp over http, ".repeat(8),
  whole: Uint8Array.fromHex("28b52ffd0400cd000004016f746c70206f76657220687474702c20015410042ada0418c7affb"),
  /** Flushed after every 16 bytes, and so with the window of a stream: 8 MiB. */
  flushed: Uint8Array.fromHex(
    `28b52ffd0468 8000006f746c70206f76657220687474702c20 ${"3c000000015400040d13".repeat(7)} 01000018c7affb`.replaceAll(
      " ",
      "",
    ),
  ),
};

/** What may be asked of the encoder. */
export interface ZstdChoice {
  readonly level?: number;
  readonly windowLog?: number;
  readonly hasChecksum?: boolean;
  /** Puts the content size into the frame, which makes a single segment of all but large ones. */
  readonly isSized?: boolean;
}

/** Window descriptor of a power of two. */
export function windowByte(bytes: number): number {
  return (Math.log2(bytes) - 10) << 3;
}

export function rawBlock(content: Uint8Array | string, isLast = true): Uint8Array {
  const bytes = bytesOf(content);
  return bytesOf(blockHeader({ type: 0, size: bytes.length, isLast }), bytes);
}

/** One byte, repeated. */
export function rleBlock(count: number, isLast = true): Uint8Array {
  return bytesOf(blockHeader({ type: 1, size: count, isLast }), "A");
}

export function blockHeader(block: {
  readonly type: number;
  readonly size: number;
  readonly isLast: boolean;
}): number[] {
  const value = block.size * 8 + block.type * 2 + (block.isLast ? 1 : 0);
  return [value & 0xff, (value >> 8) & 0xff, value >> 16];
}

/** A frame without content size and checksum. */
export function windowed(windowBytes: number, ...blocks: readonly Uint8Array[]): Uint8Array {
  return bytesOf(MAGIC, [WINDOWED, windowByte(windowBytes)], ...blocks);
}

/** A frame whose window is its content, which it says to be so long. */
export function single(contentBytes: number, ...blocks: readonly Uint8Array[]): Uint8Array {
  return bytesOf(MAGIC, [0xa0], uint32(contentBytes), ...blocks);
}

/** A frame of raw blocks with a window of 1 KiB: no content size, no checksum. */
export function frame(content: string): Uint8Array {
  return bytesOf(MAGIC, [WINDOWED, 0], rawBlock(content));
}

/** Frames of one byte repeated, 128 KiB a block: four bytes stand for each. */
export function rleBomb(blockCount: number, windowBytes: number = 1 << 23): Uint8Array {
  const block = rleBlock(1 << 17, false);
  const bomb = new Uint8Array(6 + 4 * blockCount);
  bomb.set(bytesOf(MAGIC, [WINDOWED, windowByte(windowBytes)]));
  for (let index = 0; index < blockCount; index++) bomb.set(block, 6 + 4 * index);
  bomb.set(rleBlock(1 << 17), bomb.length - 4);
  return bomb;
}

export function skippable(content: Uint8Array | string, nibble = 0): Uint8Array {
  const bytes = bytesOf(content);
  return bytesOf([0x50 + nibble, 0x2a, 0x4d, 0x18], uint32(bytes.length), bytes);
}

export function uint32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

/**
 * Compresses with the runtime's own encoder. Its pieces of output are longer than the frame: with shorter ones the
 * pinned workerd fails on bytes that do not compress.
 */
export async function zstd(raw: Uint8Array, choice: ZstdChoice = {}): Promise<Uint8Array> {
  const engine = createZstdCompress({
    chunkSize: raw.length + (raw.length >> 7) + 1024,
    params: {
      [constants.ZSTD_c_compressionLevel]: choice.level ?? 1,
      [constants.ZSTD_c_checksumFlag]: (choice.hasChecksum ?? true) ? 1 : 0,
      ...(choice.windowLog === undefined ? {} : { [constants.ZSTD_c_windowLog]: choice.windowLog }),
    },
    ...(choice.isSized === true ? { pledgedSrcSize: raw.length } : {}),
  });
  engine.write(raw, () => engine.end());
  const pieces: Uint8Array[] = [];
  for await (const piece of engine) pieces.push(piece);
  return bytesOf(...pieces);
}

/** Text that compresses as telemetry does, five- to tenfold. */
export function makeText(length: number): Uint8Array {
  const lines: string[] = [];
  for (let seed = 1, size = 0; size < length;) {
    seed = (seed * 48_271) % 0x7fffffff;
    const pod = `pod-${seed % 17} user=${(seed >> 7) % 97}`;
    const line = `2026-11-20 GET /api/v1/items/${seed % 9973} 200 ${seed % 311} ms ${pod}\n`;
    lines.push(line);
    size += line.length;
  }
  return bytesOf(lines.join("")).subarray(0, length);
}
