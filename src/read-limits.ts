/** Bounds of reading little where little is wanted: trace indexes, and hours looked at ahead. See also `limits.ts`. */
import { bytes, MIB, type Bytes } from "./units.ts";

/** Members that a trace index can number; a larger output has none. */
export const TRACE_INDEX_MAX_MEMBERS = 65_536;
/** Entries of a trace index: they take 26 MB in memory with the file, and a larger index is not made. */
export const TRACE_INDEX_MAX_ENTRIES = 2_000_000;
/** Bytes of that many, with what stands around them. */
export const TRACE_INDEX_MAX_BYTES: Bytes = bytes(16 * MIB);
/** Trace indexes of an hour: each takes half a KiB of the manifest's 256; outputs beyond them have none. */
export const MANIFEST_MAX_INDEXES = 96;
/** Hours that a read with hints looks at beside each other: of six connections two are left to bodies. */
export const READ_HOURS_AHEAD = 4;
