/**
 * Foreign sources: another writer's objects that outputs hold. The first 500 stand in the manifest, more in parts of
 * at most 1 MiB beside the member tables; {@link encodeForeignPart} and {@link decodeForeignPart} are inverse to each
 * other.
 */
import { FOREIGN_PART_MAX_BYTES } from "../limits.ts";
import { bytes, type Bytes } from "../units.ts";
import {
  decodeDocument,
  encodeDocument,
  FORMAT,
  memberOf,
  refuseTwins,
  toCount,
  toList,
  toName,
  toNullable,
  toText,
  type JsonField,
} from "./json-fields.ts";

/** Another writer's object that outputs hold. Its key alone is no identity: the writer may put another there. */
export interface ForeignSource {
  readonly key: string;
  /** As the store gave it; `null` when it gave none. */
  readonly etag: string | null;
  readonly sizeBytes: Bytes;
}

/**
 * Encodes a part: `{"format":1,"foreign":[{"key":…,"etag":…,"size_bytes":…},…]}` and a line end.
 * @throws RangeError when it is longer than 1 MiB, or would be refused by {@link decodeForeignPart}
 */
export function encodeForeignPart(sources: readonly ForeignSource[]): Uint8Array {
  const document = { format: FORMAT, foreign: sources.map(toForeignDocument) };
  return encodeDocument(document, "foreign part", { decode: decodeForeignPart, end: "\n" });
}

/** Decodes a part. @throws FirnError `unknown_format` for a format other than 1, `corrupt_object` otherwise */
export function decodeForeignPart(part: Uint8Array): readonly ForeignSource[] {
  return readForeignSources(memberOf(decodeDocument(part, "foreign part", FOREIGN_PART_MAX_BYTES), "foreign"));
}

/** Makes the document of a source. */
export function toForeignDocument({ key, etag, sizeBytes }: ForeignSource): object {
  return { key, etag, size_bytes: sizeBytes };
}

/** Reads a list of sources, no key twice. @throws FirnError `corrupt_object` with the field that is wrong */
export function readForeignSources(field: JsonField, max: number = Infinity): readonly ForeignSource[] {
  const sources = toList(field, readForeignSource, max);
  refuseTwins(field, sources);
  return sources;
}

function readForeignSource(field: JsonField): ForeignSource {
  return {
    key: toName(memberOf(field, "key")),
    etag: toNullable(memberOf(field, "etag"), toText),
    sizeBytes: bytes(toCount(memberOf(field, "size_bytes"))),
  };
}
