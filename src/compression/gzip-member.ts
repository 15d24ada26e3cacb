/** Makes the gzip members of fresh objects. Compaction compresses them again, densely, so speed comes first here. */
import { gzipSync } from "node:zlib";

/** Fresh objects live for about an hour: level 1 costs a third of the default's CPU (protocol 2, platform 4). */
const LEVEL = 1;

/**
 * Compresses bytes into one gzip member, without name, time or other traces of where it was made.
 * @param raw of any length; an empty member is legal gzip, but is never kept in an object.
 */
export function compressGzip(raw: Uint8Array): Uint8Array {
  const member = gzipSync(raw, { level: LEVEL });
  return new Uint8Array(member.buffer, member.byteOffset, member.byteLength);
}
