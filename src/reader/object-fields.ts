/**
 * The bytes of one object of traces, metrics or logs → whole top-level fields with their item counts, piece by piece.
 * Protobuf and JSON both flow in memory of one field, whatever the object's size.
 */
import { FirnError } from "../errors.ts";
import { openJsonSplitter } from "../otlp/json/splitter.ts";
import { openTopLevelSplitter, type TopLevelField } from "../otlp/top-level.ts";
import { toFaultError } from "../otlp/wire/fault.ts";
import { walkRequest } from "../otlp/wire/walk.ts";
import type { ItemSignal } from "../signal.ts";

/** Fields of one object that follow each other. */
export interface FieldRun {
  readonly kind: "fields";
  readonly fields: readonly TopLevelField[];
  readonly itemCount: number;
}

/** Reads concatenated protobuf requests. @throws FirnError `corrupt_object` when that is not what the bytes are */
export async function* readProtobufFields(
  pieces: AsyncIterable<Uint8Array>,
  signal: ItemSignal,
): AsyncGenerator<FieldRun, void, void> {
  const splitter = openTopLevelSplitter();
  for await (const piece of pieces) yield* toRuns(splitter.push(piece), signal);
  splitter.end();
}

/** Reads one JSON document. @throws FirnError `corrupt_object` when that is not what the bytes are */
export async function* readJsonFields(
  pieces: AsyncIterable<Uint8Array>,
  signal: ItemSignal,
): AsyncGenerator<FieldRun, void, void> {
  const elements = openJsonSplitter(signal);
  const fields = openTopLevelSplitter();
  // Each request has memory of its own, so that fields of several can be given at once.
  const split = (request: Uint8Array): readonly TopLevelField[] => fields.push(request);
  for await (const piece of pieces) yield* toRuns(elements.push(piece).flatMap(split), signal);
  yield* toRuns(elements.end().flatMap(split), signal);
}

function* toRuns(fields: readonly TopLevelField[], signal: ItemSignal): Generator<FieldRun, void, void> {
  if (fields.length > 0) yield { kind: "fields", fields, itemCount: countItems(fields, signal) };
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
