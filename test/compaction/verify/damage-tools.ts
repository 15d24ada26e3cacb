/** What tests of the scrub do to an archive. */
import { formatClaimKey, formatManifestKey, formatMembersKey } from "../../../src/archive/firn-keys.ts";
import { formatKey, parseKey } from "../../../src/archive/key.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../../src/archive/manifest.ts";
import { encodeTraceIndex } from "../../../src/archive/trace-index.ts";
import { bytes, millis, MINUTE } from "../../../src/units.ts";
import { sha256Of } from "../../reader/hour-kit.ts";
import { GZIP, HOUR_14, type Bucket } from "../bucket.ts";
import { type CompactorKit } from "../compactor-kit.ts";
import { nth, objectOf, partsOf } from "./verify-kit.ts";

/** Replaces bytes of an object; its metadata stays. */
export function change(bucket: Bucket, key: string, edit: (bytes: Uint8Array) => Uint8Array): void {
  const object = objectOf(bucket, key);
  bucket.store.objects.set(key, { ...object, bytes: edit(object.bytes.slice()) });
}

/** Flips a bit of the byte at a part of the length. */
export function flip(bucket: Bucket, key: string, part = 0.5): void {
  change(bucket, key, (content) => {
    const at = Math.floor(content.length * part);
    return content.with(at, (content[at] ?? 0) ^ 1);
  });
}

export function truncate(bucket: Bucket, key: string): void {
  change(bucket, key, (content) => content.subarray(0, content.length - 1));
}

export function put({ store }: Bucket, key: string, content: Uint8Array = new TextEncoder().encode("{}")): void {
  store.objects.set(key, { bytes: content, contentType: "application/json", sha256Hex: null });
}

export async function copyAs(kit: CompactorKit, from: string, to: string): Promise<void> {
  kit.bucket.store.objects.set(to, objectOf(kit.bucket, from));
}

/** Publishes a generation after the newest, with its claim. */
export async function publishNext(
  kit: CompactorKit,
  edit: (manifest: Manifest) => Manifest,
  spoil: (text: string) => string = (text) => text,
): Promise<void> {
  const { bucket } = kit;
  const { layout } = bucket;
  const last = objectOf(bucket, nth(partsOf(kit).manifests, 1)).bytes;
  const next = { ...decodeManifest(last), generation: 3, parent: await sha256Of(last) };
  const encoded = new TextEncoder().encode(spoil(new TextDecoder().decode(encodeManifest(edit(next)))));
  const sha256Hex = await sha256Of(encoded);
  put(bucket, formatManifestKey({ generation: 3, sha256Hex }, layout, "traces", HOUR_14), encoded);
  put(bucket, formatClaimKey(3, layout, "traces", HOUR_14), encoded);
}

/** A sound index of traces that its output does not hold, named by a manifest. */
export async function nameOtherTraces(kit: CompactorKit): Promise<void> {
  const key = nth(partsOf(kit).indexes, 0);
  const encoded = encodeTraceIndex([Uint32Array.of(1, 2, 3)]);
  if (encoded === null) throw new Error("it is no index");
  const { file, count } = encoded;
  put(kit.bucket, key, file);
  const fact = { sizeBytes: bytes(file.length), sha256: await sha256Of(file), count };
  await publishNext(kit, (manifest) => ({
    ...manifest,
    indexes: manifest.indexes.map((index) => (index.key === key ? { ...index, ...fact } : index)),
  }));
}

/** An output that an attempt of a Compactor without storage left behind. */
export async function leaveOrphan(kit: CompactorKit): Promise<void> {
  const { layout } = kit.bucket;
  const { outputs, tables } = partsOf(kit);
  const own = parseKey(nth(outputs, 0), layout);
  if (own?.kind !== "compacted") throw new Error("it is no output");
  const orphan = { ...own, incarnation: "0badcafe" };
  await copyAs(kit, nth(outputs, 0), formatKey(orphan, layout));
  await copyAs(kit, nth(tables, 0), formatMembersKey(orphan, layout));
}

/** The key of the first source, which is deleted. */
export function sourceKey(kit: CompactorKit): string {
  const key = {
    kind: "fresh",
    signal: "traces",
    form: GZIP,
    sealTime: millis(HOUR_14 + 3 * MINUTE + 1),
    shard: 0,
    incarnation: "9f2c4e7a",
    sequence: 1,
  } as const;
  return formatKey(key, kit.bucket.layout);
}
