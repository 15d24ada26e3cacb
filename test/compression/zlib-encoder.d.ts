/** The part of `node:zlib` that only tests use: an encoder whose frames may have any window and size field. */
declare module "node:zlib" {
  interface ZstdEncoderOptions extends ZstdOptions {
    /** Length of the input, when it is known beforehand; bytes. */
    readonly pledgedSrcSize?: number;
  }

  interface ZlibConstants {
    readonly ZSTD_c_windowLog: number;
  }

  export function createZstdCompress(options?: ZstdEncoderOptions): Inflate;
}
