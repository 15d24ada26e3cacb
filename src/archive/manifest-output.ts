/** One output in a manifest, and references to the files beside it: types, encoding, checks. */
import { MANIFEST_MAX_SERVICES } from "../limits.ts";
import { bytes, type Bytes } from "../units.ts";
import {
  corrupt,
  memberOf,
  toBoolean,
  toCount,
  toHex,
  toInteger,
  toList,
  toName,
  toNullable,
  toText,
  toUnixNano,
  type JsonField,
} from "./json-fields.ts";

/** An object that compaction wrote. */
export interface ManifestOutput {
  readonly key: string;
  readonly sizeBytes: Bytes;
  /** As the store gave it; `null` when it gave none. */
  readonly etag: string | null;
  /** SHA-256 of the object's bytes, in hex. */
  readonly sha256: string;
  /** Decompressed length. */
  readonly rawBytes: Bytes;
  readonly itemCount: number;
  /** Digest of its items, 32 hex digits. */
  readonly digest: string;
  /** First and last minute of the hour that it holds, 0 to 59. */
  readonly firstMinute: number;
  readonly lastMinute: number;
  /** Event times of its items, those without one left out; both `null` when no item has one. */
  readonly minTimeUnixNano: bigint | null;
  readonly maxTimeUnixNano: bigint | null;
  /** `service.name` of its resources, ascending by UTF-16 code units; `null` when there are more than 200. */
  readonly services: readonly string[] | null;
  /** Its member table; `count` is the number of members listed. */
  readonly members: FileRef;
  /** Deleted, or about to be: retention has passed. */
  readonly retired: boolean;
}

/** An index of an output, which says where its traces are. */
export interface TraceIndexRef extends FileRef {
  /** Key of the output. */
  readonly output: string;
}

/** A file below `_firn/` that belongs to a manifest: a member table, an index, or a part with foreign sources. */
export interface FileRef {
  readonly key: string;
  readonly sizeBytes: Bytes;
  /** SHA-256 of the file's bytes, in hex. */
  readonly sha256: string;
  /** Entries in it. */
  readonly count: number;
}

/** Event times of items, both or neither. */
export interface EventTimeRange {
  readonly minTimeUnixNano: bigint | null;
  readonly maxTimeUnixNano: bigint | null;
}

/** Hex digits of a SHA-256, and of a digest of items or a deployment id. */
export const SHA256_DIGITS = 64;
export const DIGEST_DIGITS = 32;
/** Last minute of an hour. */
export const LAST_MINUTE = 59;

/** Kind of a trace index. */
const TRACE_ID = "trace_id";

/** Makes the document of an output, its members in their one order. */
export function toOutputDocument(output: ManifestOutput): object {
  return {
    key: output.key,
    size_bytes: output.sizeBytes,
    etag: output.etag,
    sha256: output.sha256,
    raw_bytes: output.rawBytes,
    item_count: output.itemCount,
    digest: output.digest,
    first_minute: output.firstMinute,
    last_minute: output.lastMinute,
    min_time_unix_nano: output.minTimeUnixNano?.toString() ?? null,
    max_time_unix_nano: output.maxTimeUnixNano?.toString() ?? null,
    services: output.services,
    members: toRefDocument(output.members),
    retired: output.retired,
  };
}

/** Makes the document of a reference. */
export function toRefDocument({ key, sizeBytes, sha256, count }: FileRef): object {
  return { key, size_bytes: sizeBytes, sha256, count };
}

/** Makes the document of an index. */
export function toTraceIndexDocument({ output, ...ref }: TraceIndexRef): object {
  return { kind: TRACE_ID, output, ...toRefDocument(ref) };
}

/** Reads an index; `null` for one of a kind that later versions have. @throws FirnError `corrupt_object` */
export function readTraceIndex(field: JsonField): TraceIndexRef | null {
  if (memberOf(field, "kind").value !== TRACE_ID) return null;
  return { output: toName(memberOf(field, "output")), ...readRef(field) };
}

/** Reads an output. @throws FirnError `corrupt_object` with the field that is wrong */
export function readOutput(field: JsonField): ManifestOutput {
  const firstMinute = toInteger(memberOf(field, "first_minute"), { min: 0, max: LAST_MINUTE });
  return {
    key: toName(memberOf(field, "key")),
    sizeBytes: bytes(toCount(memberOf(field, "size_bytes"))),
    etag: toNullable(memberOf(field, "etag"), toText),
    sha256: toHex(memberOf(field, "sha256"), SHA256_DIGITS),
    rawBytes: bytes(toCount(memberOf(field, "raw_bytes"))),
    itemCount: toCount(memberOf(field, "item_count")),
    digest: toHex(memberOf(field, "digest"), DIGEST_DIGITS),
    firstMinute,
    lastMinute: toInteger(memberOf(field, "last_minute"), { min: firstMinute, max: LAST_MINUTE }),
    ...readEventTimes(field),
    services: toNullable(memberOf(field, "services"), readServices),
    members: readRef(memberOf(field, "members")),
    retired: toBoolean(memberOf(field, "retired")),
  };
}

/** Reads the two event times of an output or a member. @throws FirnError `corrupt_object` */
export function readEventTimes(field: JsonField): EventTimeRange {
  const maxField = memberOf(field, "max_time_unix_nano");
  const minTimeUnixNano = toNullable(memberOf(field, "min_time_unix_nano"), toUnixNano);
  const maxTimeUnixNano = toNullable(maxField, toUnixNano);
  if ((minTimeUnixNano === null) !== (maxTimeUnixNano === null) || (minTimeUnixNano ?? 0n) > (maxTimeUnixNano ?? 0n)) {
    throw corrupt(maxField, "does not fit min_time_unix_nano", "both null, or a time that is not earlier");
  }
  return { minTimeUnixNano, maxTimeUnixNano };
}

/** Reads a reference. @throws FirnError `corrupt_object` with the field that is wrong */
export function readRef(field: JsonField): FileRef {
  return {
    key: toName(memberOf(field, "key")),
    sizeBytes: bytes(toCount(memberOf(field, "size_bytes"))),
    sha256: toHex(memberOf(field, "sha256"), SHA256_DIGITS),
    count: toCount(memberOf(field, "count")),
  };
}

function readServices(field: JsonField): readonly string[] {
  const services = toList(field, toText, MANIFEST_MAX_SERVICES);
  services.forEach((service, index) => {
    const before = services[index - 1];
    if (before !== undefined && before >= service)
      throw corrupt(field, `is out of order at ${index}`, "names ascending");
  });
  return services;
}
