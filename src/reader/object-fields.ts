/**
 * One opened object → whole top-level fields with their item counts, piece by piece. Protobuf flows in constant memory
 * whatever the object's size; a JSON document cannot be cut, so it is read whole up to a bound.
 */
import { joinBytes } from "../bytes.ts";
import { inflateStream } from "../compression/inflate-stream.ts";
import { FirnError } from "../errors.ts";
import { MAX_TOP_LEVEL_FIELD_BYTES } from "../limits.ts";
import { decodeJsonRequest } from "../otlp/json/decode.ts";
import { openTopLevelSplitter, type TopLevelField } from "../otlp/top-level.ts";
import { toFaultError } from "../otlp/wire/fault.ts";
import { walkRequest } from "../otlp/wire/walk.ts";
import type { ItemSignal } from "../signal.ts";
import type { ObjectBody } from "./object-body.ts";
import type { RunningUsage } from "./usage.ts";
import type { VisibleObject } from "./visible.ts";

/** Fields of one object that follow each other. */
export interface FieldRun {
  readonly fields: readonly TopLevelField[];
  readonly itemCount: number;
}

/** Largest JSON document that is read: it has to be in memory as a whole (protocol 5.10). */
const MAX_DOCUMENT_BYTES = MAX_TOP_LEVEL_FIELD_BYTES;

/**
 * Reads an object to its end.
 * @throws FirnError `corrupt_object` when its bytes are not what its name says, `store_unavailable` when they do not
 * come
 */
export async function* readFields(
  object: VisibleObject,
  body: ObjectBody,
  { signal, usage }: { readonly signal: ItemSignal; readonly usage: RunningUsage },
): AsyncGenerator<FieldRun, void, void> {
  const pieces = countRaw(inflateStream(body.read(), toInflatable(object)), usage);
  if (object.form.marshaler === "otlp_proto") yield* splitPieces(pieces, signal);
  else yield* splitPieces([await readDocument(pieces, signal)], signal);
}

/** Refuses what cannot be read before it is fetched. @throws FirnError `corrupt_object` */
export function assertReadable(object: VisibleObject): void {
  toInflatable(object);
}

function toInflatable({ form }: VisibleObject): "gzip" | "none" {
  if (form.compression !== "zstd") return form.compression;
  throw new FirnError("corrupt_object", "zstd is not supported yet, it comes with a later release");
}

async function* countRaw(
  pieces: AsyncIterable<Uint8Array>,
  usage: RunningUsage,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    usage.rawBytes += piece.length;
    yield piece;
  }
}

async function* splitPieces(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: ItemSignal,
): AsyncGenerator<FieldRun, void, void> {
  const splitter = openTopLevelSplitter();
  for await (const piece of pieces) {
    const fields = splitter.push(piece);
    if (fields.length > 0) yield { fields, itemCount: countItems(fields, signal) };
  }
  splitter.end();
}

/** Every field is a request of its own; walking it also makes sure that whoever decodes it next can. */
function countItems(fields: readonly TopLevelField[], signal: ItemSignal): number {
  let itemCount = 0;
  for (const { field } of fields) {
    const walk = walkRequest(signal, field);
    if (walk.kind === "fault") {
      const fault = toFaultError(signal, field, walk.position);
      throw new FirnError("corrupt_object", fault.message, { cause: fault });
    }
    itemCount += walk.itemCount;
  }
  return itemCount;
}

async function readDocument(pieces: AsyncIterable<Uint8Array>, signal: ItemSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > MAX_DOCUMENT_BYTES) {
      throw new FirnError("corrupt_object", `its JSON document has more than ${MAX_DOCUMENT_BYTES} bytes`);
    }
    // A copy: an inflater may use its memory again.
    parts.push(piece.slice());
  }
  try {
    return decodeJsonRequest(signal, joinBytes(parts));
  } catch (error) {
    // What would be a client's fault at ingest is the object's here.
    const isOfObject = error instanceof FirnError && (error.kind === "invalid_request" || error.kind === "too_large");
    if (!isOfObject) throw error;
    throw new FirnError("corrupt_object", error.message, { cause: error });
  }
}
