/**
 * `node:zlib` of the package (`prepack` puts this in its place): what the Node of a user lacks is `undefined` here. A
 * plain import of one name that is not there would keep every command from starting, not only those that need it.
 */
type Zlib = typeof import("node:zlib");

const zlib: Zlib = process.getBuiltinModule("node:zlib");

export const constants: Zlib["constants"] = zlib.constants;
export const crc32: Zlib["crc32"] = zlib.crc32;
export const createInflateRaw: Zlib["createInflateRaw"] = zlib.createInflateRaw;
export const createZstdDecompress: Zlib["createZstdDecompress"] = zlib.createZstdDecompress;
export const gzip: Zlib["gzip"] = zlib.gzip;
export const inflateRawSync: Zlib["inflateRawSync"] = zlib.inflateRawSync;
export const inflateSync: Zlib["inflateSync"] = zlib.inflateSync;
export const zstdDecompressSync: Zlib["zstdDecompressSync"] = zlib.zstdDecompressSync;
