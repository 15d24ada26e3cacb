/**
 * The part of `node:zlib` that Firn uses, as the pinned workerd and Node 24 have it. Written by hand because the
 * worker is compiled without Node's types: their globals are not there at run time.
 */
declare module "node:zlib" {
  interface ZlibOptions {
    readonly level?: number;
    /** Size of the pieces of output; bytes. */
    readonly chunkSize?: number;
    /** Output beyond it is an error; bytes, at least 1. */
    readonly maxOutputLength?: number;
    /** Makes a synchronous call return `{ buffer, engine }`. */
    readonly info?: boolean;
    /** Output that waits to be read before the engine pauses; bytes. */
    readonly readableHighWaterMark?: number;
  }

  interface ZstdOptions {
    /** Output beyond it is an error; bytes, 1 to 128 MiB. */
    readonly maxOutputLength?: number;
    /** Size of the pieces of an engine's output; bytes. */
    readonly chunkSize?: number;
    readonly readableHighWaterMark?: number;
    /** Bytes that a compressing engine will be given. */
    readonly pledgedSrcSize?: number;
    /** By the numbers in `constants`. */
    readonly params?: Readonly<Record<number, number>>;
  }

  interface ZlibConstants {
    readonly ZSTD_c_compressionLevel: number;
    readonly ZSTD_c_checksumFlag: number;
    readonly ZSTD_c_windowLog: number;
    readonly ZSTD_c_hashLog: number;
    readonly ZSTD_c_chainLog: number;
    readonly ZSTD_c_searchLog: number;
    readonly ZSTD_c_minMatch: number;
    readonly ZSTD_c_strategy: number;
    readonly ZSTD_greedy: number;
    readonly ZSTD_lazy: number;
    readonly ZSTD_e_flush: number;
    readonly ZSTD_e_end: number;
    readonly Z_FINISH: number;
    readonly Z_SYNC_FLUSH: number;
  }

  /** An engine: bytes are written, what they inflate to is iterated. */
  interface Inflate extends AsyncIterable<Uint8Array> {
    /** Input consumed so far, in spite of its name; bytes. */
    readonly bytesWritten: number;
    write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
    end(): void;
    destroy(error?: Error): void;
  }

  export const constants: ZlibConstants;
  export function crc32(data: Uint8Array, value?: number): number;
  export function gzipSync(data: Uint8Array, options?: ZlibOptions): Uint8Array;
  export function deflateRawSync(data: Uint8Array, options?: ZlibOptions): Uint8Array;
  export function inflateRawSync(data: Uint8Array, options?: ZlibOptions): unknown;
  export function inflateSync(data: Uint8Array, options?: ZlibOptions): unknown;
  export function createDeflateRaw(options?: ZlibOptions): unknown;
  export function createInflateRaw(options?: ZlibOptions): Inflate;
  export function zstdCompressSync(data: Uint8Array, options?: ZstdOptions): Uint8Array;
  export function zstdDecompressSync(data: Uint8Array, options?: ZstdOptions): Uint8Array<ArrayBuffer>;
  export function createZstdCompress(options?: ZstdOptions): Inflate;
  export function createZstdDecompress(options?: ZstdOptions): Inflate;
}
