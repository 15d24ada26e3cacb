/**
 * Reads a fresh object that no manifest names, whole: it can be decoded, and its bytes are the ones whose digest Firn
 * attached when it wrote them. In memory of one field.
 */
import type { FreshKey, ForeignKey } from "../../archive/key.ts";
import type { ObjectForm } from "../../archive/object-form.ts";
import { inflateStream } from "../../compression/inflate-stream.ts";
import { FirnError, toErrorMessage } from "../../errors.ts";
import type { ObjectInfo } from "../../object-store/contract.ts";
import { openItemDigest, type ItemDigestValue } from "../../otlp/item-digest.ts";
import { iterateItems } from "../../otlp/items.ts";
import { openBody } from "../../reader/object-body.ts";
import { readJsonFields, readProtobufFields } from "../../reader/object-fields.ts";
import { readRequest } from "../../reader/object-request.ts";
import { isItemSignal } from "../../signal.ts";
import type { FindingKind } from "./contract.ts";
import { report, type HourContext } from "./hour-context.ts";
import { openSha256, type Sha256Sink } from "./sha256-sink.ts";

/**
 * Checks one object.
 * @param info as it was listed just now
 * @returns its items; `null` when it cannot be read, or has none that can be told apart
 */
export async function checkFresh(
  context: HourContext,
  key: FreshKey | ForeignKey,
  info: ObjectInfo,
): Promise<ItemDigestValue | null> {
  try {
    const { items, fault } = await readObject(context, key.form, info);
    if (fault !== null) await report(context, { kind: "damaged_object", key: info.key, message: fault });
    return items;
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
    const kind = toKind(error, key);
    if (kind === "throw") throw error;
    const message = `Cannot read "${info.key}": ${toErrorMessage(error)}`;
    if (kind !== "pass") await report(context, { kind, key: info.key, message });
    return null;
  }
}

function toKind({ kind }: FirnError, key: FreshKey | ForeignKey): FindingKind | "pass" | "throw" {
  switch (kind) {
    case "corrupt_object":
      return "unreadable_object";
    case "object_frozen":
      return "frozen_object";
    case "object_not_found":
      return "vanished_object";
    case "object_changed":
      // Other writers may put another object under a key; Firn never does.
      return key.kind === "foreign" ? "pass" : "damaged_object";
    default:
      return "throw";
  }
}

interface ReadObject {
  readonly items: ItemDigestValue | null;
  /** What is wrong with bytes that can be decoded; `null` when nothing is. */
  readonly fault: string | null;
}

async function readObject(context: HourContext, form: ObjectForm, info: ObjectInfo): Promise<ReadObject> {
  const { source, deps, counts } = context;
  const { key, length, etag } = info;
  source.usage.storeCalls += 2;
  const head = await source.store.head(key);
  if (head === null) throw new FirnError("object_not_found", "it does not exist");
  const stream = await source.store.get(key, etag === null ? {} : { ifMatch: etag });
  const body = openBody(stream, length, deps.bodyTimeout);
  const sink = openSha256();
  try {
    const pieces = inflateStream(tee(body.read(), sink), form.compression);
    const items = await readItems(context, form, pieces);
    const sha256Hex = await sink.end();
    counts.items += items?.itemCount ?? 1;
    counts.bytes += length;
    const isSame = head.sha256Hex === null || head.sha256Hex === sha256Hex;
    const fault = isSame ? null : `"${key}" has SHA-256 ${sha256Hex}, but its metadata says ${head.sha256Hex}`;
    return { items, fault };
  } catch (error) {
    await sink.abort();
    throw error;
  } finally {
    await body.close();
  }
}

/** `null` for the one request of an object of profiles. */
async function readItems(
  { signal }: HourContext,
  { marshaler }: ObjectForm,
  pieces: AsyncIterable<Uint8Array>,
): Promise<ItemDigestValue | null> {
  const isJson = marshaler === "otlp_json";
  if (!isItemSignal(signal)) {
    const encoding = isJson ? "json" : "protobuf";
    await readRequest(pieces, encoding, encoding);
    return null;
  }
  const digest = openItemDigest();
  for await (const { fields } of isJson ? readJsonFields(pieces, signal) : readProtobufFields(pieces, signal)) {
    for (const { field } of fields) for (const item of iterateItems(signal, field)) digest.add(item);
    digest.release();
  }
  return digest.toValue();
}

async function* tee(pieces: AsyncIterable<Uint8Array>, sink: Sha256Sink): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    await sink.add(piece);
    yield piece;
  }
}
