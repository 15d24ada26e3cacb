/**
 * Hour objects, member tables and manifests built by hand, so that tests of the reader do not lean on Firn's own
 * compaction; and an hour of fresh objects that can be compacted with them.
 */
import { gzipSync } from "node:zlib";
import { formatManifestKey, formatMembersKey } from "../../src/archive/firn-keys.ts";
import type { ForeignSource } from "../../src/archive/foreign-part.ts";
import { classifyKey, formatKey, type CompactedKey, type Layout } from "../../src/archive/key.ts";
import { encodeManifest, type Manifest } from "../../src/archive/manifest.ts";
import type { FileRef, ManifestOutput } from "../../src/archive/manifest-output.ts";
import { encodeMemberEntry, encodeMemberTable, type TableMember } from "../../src/archive/member-table.ts";
import type { ObjectForm } from "../../src/archive/object-form.ts";
import type { SourceRanges } from "../../src/archive/sequence-ranges.ts";
import { literalMember, compressMember } from "../../src/compression/member.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { bytes, millis, type Millis } from "../../src/units.ts";
import { jsonElement, LIST_NAME } from "./archive-forms.ts";
import { at, layoutOf } from "./archive-sample.ts";
import { concat, request } from "./otlp-sample.ts";
import { bytesObject, type SyntheticStore } from "./synthetic-store.ts";

/** The items of one minute, 0 to 59, by their names. */
export type SampleRun = readonly [minute: number, names: readonly string[]];
/** Runs of one member, minutes ascending. */
export type SampleMember = readonly SampleRun[];

export const HOUR_START: Millis = at("2026-05-01T14:00:00Z");
export const ZSTD: ObjectForm = { marshaler: "otlp_proto", compression: "zstd" };
export const HOUR_FORMS: readonly ObjectForm[] = (["otlp_proto", "otlp_json"] as const).flatMap((marshaler) =>
  (["zstd", "gzip"] as const).map((compression) => ({ marshaler, compression })),
);

/** Where and as what an output is made. */
export interface OutputOptions {
  readonly signal?: ItemSignal;
  readonly form?: ObjectForm;
  readonly layout?: Layout;
  readonly hour?: Millis;
  /** Number of the output in its attempt. */
  readonly number?: number;
  readonly attempt?: number;
  /** Changes a table before it is written. */
  readonly spoil?: (members: readonly TableMember[]) => readonly TableMember[];
}

/** An output, its table and its place in a manifest. */
export interface SampleOutput {
  readonly key: string;
  readonly object: Uint8Array;
  readonly table: { readonly key: string; readonly file: Uint8Array };
  readonly output: ManifestOutput;
  readonly members: readonly TableMember[];
  readonly samples: readonly SampleMember[];
}

export const sha256Of = async (content: Uint8Array): Promise<string> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();

/** Makes an output of members. */
export async function makeOutput(samples: readonly SampleMember[], options: OutputOptions = {}): Promise<SampleOutput> {
  const { signal = "traces", form = ZSTD, layout = layoutOf(), hour = HOUR_START, number = 1, attempt = 1 } = options;
  const id: CompactedKey = { kind: "compacted", signal, form, hour, attempt, incarnation: "7be0c1d2", output: number };
  const key = formatKey(id, layout);
  const stored: Uint8Array[] = [];
  const members: TableMember[] = [];
  let offset = 0;
  for (const [index, sample] of samples.entries()) {
    const { entry, raw } = makeRuns(sample, { signal, form, isFirst: index === 0 });
    const member = toMember(raw, encodeMemberEntry(entry), form);
    members.push({ ...entry, offset: bytes(offset), storedBytes: bytes(member.length) });
    stored.push(member);
    offset += member.length;
  }
  const isJson = form.marshaler === "otlp_json";
  const tail = new TextEncoder().encode("]}\n");
  if (isJson && form.compression !== "none") stored.push(literalMember(tail, form.compression));
  const object = concat(stored);
  const file = encodeMemberTable({ output: key, members: options.spoil?.(members) ?? members });
  const table = { key: formatMembersKey(id, layout), file };
  const minutes = samples.flat().map(([minute]) => minute);
  const output: ManifestOutput = {
    key,
    sizeBytes: bytes(object.length),
    etag: null,
    sha256: await sha256Of(object),
    rawBytes: bytes(members.reduce((sum, member) => sum + member.rawBytes, isJson ? tail.length : 0)),
    itemCount: members.reduce((sum, member) => sum + member.itemCount, 0),
    digest: "0".repeat(32),
    firstMinute: Math.min(...minutes),
    lastMinute: Math.max(...minutes),
    minTimeUnixNano: null,
    maxTimeUnixNano: null,
    services: [],
    members: {
      key: table.key,
      sizeBytes: bytes(file.length),
      sha256: await sha256Of(file),
      count: members.length,
    },
    retired: false,
  };
  return { key, object, table, output, members, samples };
}

interface RunOptions {
  readonly signal: ItemSignal;
  readonly form: ObjectForm;
  readonly isFirst: boolean;
}

function makeRuns(
  sample: SampleMember,
  { signal, form, isFirst }: RunOptions,
): { entry: Omit<TableMember, "offset" | "storedBytes">; raw: Uint8Array } {
  const raws = sample.map(([, names], index) => {
    if (form.marshaler === "otlp_proto") return request(signal, names);
    const before = isFirst && index === 0 ? `{"${LIST_NAME[signal]}":[` : ",";
    return new TextEncoder().encode(before + jsonElement(signal, names));
  });
  const runs = sample.map(([minute, names], index) => ({
    minute,
    itemCount: names.length,
    rawBytes: bytes(raws[index]?.length ?? 0),
  }));
  const raw = concat(raws);
  const itemCount = runs.reduce((sum, run) => sum + run.itemCount, 0);
  const times = { minTimeUnixNano: null, maxTimeUnixNano: null };
  return { entry: { rawBytes: bytes(raw.length), itemCount, runs, ...times }, raw };
}

/** A member after its entry: in a skippable frame, or in the extra field of its header. */
function toMember(raw: Uint8Array, entry: Uint8Array, { compression }: ObjectForm): Uint8Array {
  if (compression === "zstd") {
    const head = new Uint8Array([0x5d, 0x2a, 0x4d, 0x18, ...littleEndian(entry.length, 4)]);
    return concat([head, entry, compressMember(raw, "zstd")]);
  }
  const plain = new Uint8Array(gzipSync(raw));
  const extra = new Uint8Array([...littleEndian(entry.length + 4, 2), 0x46, 0x4e, ...littleEndian(entry.length, 2)]);
  return concat([plain.slice(0, 3), new Uint8Array([4]), plain.slice(4, 10), extra, entry, plain.slice(10)]);
}

const littleEndian = (value: number, length: number): number[] =>
  Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);

/** What a generation says beside its outputs. */
export interface Generation {
  readonly outputs: readonly (SampleOutput | ManifestOutput)[];
  readonly sources?: readonly SourceRanges[];
  readonly foreign?: readonly ForeignSource[];
  readonly foreignSources?: readonly FileRef[];
  readonly generation?: number;
  readonly parent?: string | null;
  readonly layout?: Layout;
  readonly signal?: ItemSignal;
  readonly hour?: Millis;
}

/** A manifest as it was put. */
export interface Published {
  readonly key: string;
  readonly sha256Hex: string;
  readonly manifest: Manifest;
}

/** Puts the manifest of a generation, and the outputs that come with their bytes. */
export async function publish(store: SyntheticStore, given: Generation): Promise<Published> {
  const { layout = layoutOf(), signal = "traces", hour = HOUR_START, generation = 1, parent = null } = given;
  const put = (key: string, content: Uint8Array): unknown => store.objects.set(key, bytesObject(content));
  const items = new Map<number, number>();
  for (const sample of given.outputs) {
    if (!("samples" in sample)) continue;
    put(sample.key, sample.object);
    put(sample.table.key, sample.table.file);
    for (const [minute, names] of sample.samples.flat()) items.set(minute, (items.get(minute) ?? 0) + names.length);
  }
  const minutes = [...items].toSorted(([left], [right]) => left - right);
  const manifest: Manifest = {
    deployment: "d".repeat(32),
    epoch: 1,
    tenant: layout.tenant,
    signal,
    hour,
    generation,
    parent,
    created: millis(hour + 7_500_000),
    outputs: given.outputs.map((sample) => ("samples" in sample ? sample.output : sample)),
    minutes: minutes.map(([minute, itemCount]) => ({ minute, itemCount, digest: "0".repeat(32) })),
    sources: given.sources ?? [],
    foreignSources: given.foreignSources ?? [],
    foreign: given.foreign ?? [],
    unreadable: [],
    indexes: [],
  };
  const encoded = encodeManifest(manifest);
  const sha256Hex = await sha256Of(encoded);
  const key = formatManifestKey({ generation, sha256Hex }, layout, signal, hour);
  put(key, encoded);
  return { key, sha256Hex, manifest };
}

/** The set of these fresh objects, whose sequences have no gaps. */
export function sourcesOf(keys: readonly string[], layout: Layout = layoutOf()): readonly SourceRanges[] {
  const sequences = new Map<number, number[]>();
  for (const key of keys) {
    const parsed = classifyKey(key, layout);
    if (parsed?.kind !== "fresh") throw new Error(`"${key}" is no fresh object`);
    sequences.set(parsed.shard, [...(sequences.get(parsed.shard) ?? []), parsed.sequence]);
  }
  return [...sequences]
    .toSorted(([left], [right]) => left - right)
    .map(([shard, found]) => ({ shard, incarnation: "9f2c4e7a", ranges: [[Math.min(...found), Math.max(...found)]] }));
}
