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

  interface InflateRaw extends AsyncIterable<Uint8Array> {
    /** Input consumed so far, in spite of its name; bytes. */
    readonly bytesWritten: number;
    write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
    end(): void;
    destroy(error?: Error): void;
  }

  export function crc32(data: Uint8Array, value?: number): number;
  export function gzipSync(data: Uint8Array, options?: ZlibOptions): Uint8Array;
  export function inflateRawSync(data: Uint8Array, options?: ZlibOptions): unknown;
  export function createInflateRaw(options?: ZlibOptions): InflateRaw;
}
