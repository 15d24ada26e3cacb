/**
 * The manifest of an hour: which outputs hold what, and which objects they were made of; {@link encodeManifest} and
 * {@link decodeManifest} are inverse to each other. JSON on one line, its members in the order of the tables in
 * docs/archive-format.md. A decoded manifest agrees with itself; whether it fits its name and its parent is `chain.ts`.
 */
import { MANIFEST_MAX_BYTES, MANIFEST_MAX_GENERATION, MANIFEST_MAX_INLINE_FOREIGN } from "../limits.ts";
import { isItemSignal, type ItemSignal } from "../signal.ts";
import { bytes, HOUR, millis, type Bytes, type Millis } from "../units.ts";
import { readForeignSources, toForeignDocument, type ForeignSource } from "./foreign-part.ts";
import {
  corrupt,
  decodeDocument,
  encodeDocument,
  FORMAT,
  memberOf,
  refuseTwins,
  toCount,
  toHex,
  toInteger,
  toList,
  toName,
  toNullable,
  toText,
  type JsonField,
} from "./json-fields.ts";
import {
  DIGEST_DIGITS,
  LAST_MINUTE,
  readOutput,
  readRef,
  readTraceIndex,
  SHA256_DIGITS,
  toOutputDocument,
  toRefDocument,
  toTraceIndexDocument,
  type FileRef,
  type ManifestOutput,
  type TraceIndexRef,
} from "./manifest-output.ts";
import { readSequenceSet, type SequenceSet } from "./sequence-ranges.ts";

/** What an hour of a tenant and signal consists of, in one generation. */
export interface Manifest {
  /** Id of the deployment that owns the archive, 32 hex digits. */
  readonly deployment: string;
  /** Epoch of its ownership, 1 and up. */
  readonly epoch: number;
  /** Empty for the unnamed tenant. */
  readonly tenant: string;
  readonly signal: ItemSignal;
  /** First instant of the hour. */
  readonly hour: Millis;
  /** 1 to 99,999,999. */
  readonly generation: number;
  /** SHA-256 of the bytes of the generation before, in hex; `null` in generation 1. */
  readonly parent: string | null;
  readonly created: Millis;
  /** No key twice. */
  readonly outputs: readonly ManifestOutput[];
  /** Ascending; sums over the outputs that are not retired. */
  readonly minutes: readonly MinuteTotals[];
  /** Firn's own fresh objects of this hour that were ever compacted. */
  readonly sources: SequenceSet;
  /** Parts with more foreign sources. */
  readonly foreignSources: readonly FileRef[];
  /** Foreign sources that are listed here, at most 500; no key twice. */
  readonly foreign: readonly ForeignSource[];
  /** Objects that cannot be decoded: they stay and are no sources. No key twice. */
  readonly unreadable: readonly UnreadableSource[];
  /** Trace indexes of outputs that are not retired, at most one of each. */
  readonly indexes: readonly TraceIndexRef[];
}

/** What one minute of arrival holds. */
export interface MinuteTotals {
  /** Minute of the hour, 0 to 59. */
  readonly minute: number;
  readonly itemCount: number;
  /** 32 hex digits. */
  readonly digest: string;
}

/** An object that cannot be decoded. */
export interface UnreadableSource {
  readonly key: string;
  readonly sizeBytes: Bytes;
  /** A sentence for the operator. */
  readonly reason: string;
}

/** `2026-05-01T14:00:00.000Z`; a year of more digits fits no key. */
const INSTANT_CHARS = 24;
const DIGEST_MODULUS = 2n ** 128n;

/**
 * Encodes a manifest; equal manifests become equal bytes.
 * @throws RangeError when it is longer than 256 KiB, or would be refused by {@link decodeManifest}
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return encodeDocument(toDocument(manifest), "manifest", { decode: decodeManifest, end: "\n" });
}

/**
 * Decodes a manifest and checks every value in it, sums and doubles included.
 * @throws FirnError `unknown_format` for a format other than 1, `corrupt_object` with the field that is wrong otherwise
 */
export function decodeManifest(encoded: Uint8Array): Manifest {
  const field = decodeDocument(encoded, "manifest", MANIFEST_MAX_BYTES);
  const manifest: Manifest = {
    deployment: toHex(memberOf(field, "deployment"), DIGEST_DIGITS),
    epoch: toCount(memberOf(field, "epoch"), 1),
    tenant: toText(memberOf(field, "tenant")),
    signal: toItemSignal(memberOf(field, "signal")),
    hour: toHour(memberOf(field, "hour")),
    generation: toInteger(memberOf(field, "generation"), { min: 1, max: MANIFEST_MAX_GENERATION }),
    parent: toNullable(memberOf(field, "parent"), (parent) => toHex(parent, SHA256_DIGITS)),
    created: toInstant(memberOf(field, "created")),
    outputs: toList(memberOf(field, "outputs"), readOutput),
    minutes: toList(memberOf(field, "minutes"), readMinute),
    sources: readSequenceSet(memberOf(field, "sources")),
    foreignSources: toList(memberOf(field, "foreign_sources"), readRef),
    foreign: readForeignSources(memberOf(field, "foreign"), MANIFEST_MAX_INLINE_FOREIGN),
    unreadable: toList(memberOf(field, "unreadable"), readUnreadable),
    indexes: toList(memberOf(field, "indexes"), readTraceIndex).filter((index) => index !== null),
  };
  if ((manifest.generation === 1) !== (manifest.parent === null)) {
    throw corrupt(memberOf(field, "parent"), "does not fit the generation", "null in generation 1 and nowhere else");
  }
  refuseTwins(memberOf(field, "outputs"), manifest.outputs);
  refuseTwins(memberOf(field, "foreign_sources"), manifest.foreignSources);
  refuseTwins(memberOf(field, "unreadable"), manifest.unreadable);
  checkMinutes(memberOf(field, "minutes"), manifest);
  checkIndexes(memberOf(field, "indexes"), manifest);
  return manifest;
}

function toDocument(manifest: Manifest): object {
  return {
    format: FORMAT,
    deployment: manifest.deployment,
    epoch: manifest.epoch,
    tenant: manifest.tenant,
    signal: manifest.signal,
    hour: toIso(manifest.hour),
    generation: manifest.generation,
    parent: manifest.parent,
    created: toIso(manifest.created),
    outputs: manifest.outputs.map(toOutputDocument),
    minutes: manifest.minutes.map(({ minute, itemCount, digest }) => ({ minute, item_count: itemCount, digest })),
    sources: manifest.sources.map(({ shard, incarnation, ranges }) => ({ shard, incarnation, ranges })),
    foreign_sources: manifest.foreignSources.map(toRefDocument),
    foreign: manifest.foreign.map(toForeignDocument),
    unreadable: manifest.unreadable.map(({ key, sizeBytes, reason }) => ({ key, size_bytes: sizeBytes, reason })),
    indexes: manifest.indexes.map(toTraceIndexDocument),
  };
}

/** Formats an instant; `toISOString` itself throws a RangeError for what is none. */
function toIso(time: Millis): string {
  return new Date(time).toISOString();
}

function readMinute(field: JsonField): MinuteTotals {
  return {
    minute: toInteger(memberOf(field, "minute"), { min: 0, max: LAST_MINUTE }),
    itemCount: toCount(memberOf(field, "item_count")),
    digest: toHex(memberOf(field, "digest"), DIGEST_DIGITS),
  };
}

function readUnreadable(field: JsonField): UnreadableSource {
  return {
    key: toName(memberOf(field, "key")),
    sizeBytes: bytes(toCount(memberOf(field, "size_bytes"))),
    reason: toText(memberOf(field, "reason")),
  };
}

/**
 * A reader skips outputs by their first and last minute and jobs compare the minutes with what they read, so both must
 * say the same.
 */
function checkMinutes(field: JsonField, { outputs, minutes }: Manifest): void {
  const live = outputs.filter(({ retired }) => !retired);
  minutes.forEach(({ minute }, index) => {
    const before = minutes[index - 1];
    if (before !== undefined && before.minute >= minute)
      throw corrupt(field, `is out of order at ${index}`, "ascending");
    if (live.some(({ firstMinute, lastMinute }) => firstMinute <= minute && minute <= lastMinute)) return;
    throw corrupt(field, `has minute ${minute}, which no output holds`, "minutes of outputs that are not retired");
  });
  const totals = [sumUp(minutes), sumUp(live)] as const;
  if (totals[0].itemCount !== totals[1].itemCount) {
    throw corrupt(field, `has ${totals[0].itemCount} items in sum`, `${totals[1].itemCount}, as the outputs say`);
  }
  if (totals[0].digest !== totals[1].digest) throw corrupt(field, "has another digest in sum", "that of the outputs");
}

function checkIndexes(field: JsonField, { outputs, indexes }: Manifest): void {
  const live = new Set(outputs.filter(({ retired }) => !retired).map(({ key }) => key));
  indexes.forEach(({ output }, index) => {
    if (live.delete(output)) return;
    throw corrupt(field, `has an index of "${output}" at ${index}`, "one of each output that is not retired");
  });
}

function sumUp(parts: readonly { readonly itemCount: number; readonly digest: string }[]): {
  readonly itemCount: number;
  readonly digest: bigint;
} {
  const digest = parts.reduce((sum, part) => sum + BigInt(`0x${part.digest}`), 0n) % DIGEST_MODULUS;
  return { itemCount: parts.reduce((sum, part) => sum + part.itemCount, 0), digest };
}

function toItemSignal(field: JsonField): ItemSignal {
  const text = toText(field);
  if (!isItemSignal(text)) throw corrupt(field, "is not right", "traces, metrics or logs");
  return text;
}

function toHour(field: JsonField): Millis {
  const time = toInstant(field);
  if (time % HOUR !== 0) throw corrupt(field, "is not a whole hour", "the first instant of an hour");
  return time;
}

/** Reads an instant, which has exactly one text. */
function toInstant(field: JsonField): Millis {
  const text = toText(field);
  const time = millis(Date.parse(text));
  if (!(time >= 0) || text.length !== INSTANT_CHARS || toIso(time) !== text)
    throw corrupt(field, "is not right", "an instant in UTC with milliseconds");
  return time;
}
