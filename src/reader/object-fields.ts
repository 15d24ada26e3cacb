/**
 * The bytes of one object of traces, metrics or logs → whole top-level fields with their item counts, piece by piece.
 * Protobuf and JSON both flow in memory of one field, whatever the object's size.
 */
import { FirnError } from "../errors.ts";
import { JSON_TAIL, jsonHead } from "../otlp/json/envelope.ts";
import { openJsonSplitter } from "../otlp/json/splitter.ts";
import { joinAdjacent, openTopLevelSplitter, type TopLevelField } from "../otlp/top-level.ts";
import { toFaultError } from "../otlp/wire/fault.ts";
import { walkRequest } from "../otlp/wire/walk.ts";
import type { ItemSignal, Signal } from "../signal.ts";

const OPEN_BRACE = 0x7b;
const COMMA = 0x2c;

/** Fields of one object that follow each other. */
export interface FieldRun {
  readonly kind: "fields";
  readonly fields: readonly TopLevelField[];
  readonly itemCount: number;
}

/** Counts the items of fields. @throws FirnError `corrupt_object` when they are no requests */
export type CountItems = (fields: readonly TopLevelField[], signal: ItemSignal) => number;

/** Reads concatenated protobuf requests. @throws FirnError `corrupt_object` when that is not what the bytes are */
export async function* readProtobufFields(
  pieces: AsyncIterable<Uint8Array>,
  signal: ItemSignal,
  count: CountItems = countItems,
): AsyncGenerator<FieldRun, void, void> {
  const splitter = openTopLevelSplitter();
  for await (const piece of pieces) {
    for (const fields of splitter.split(piece)) yield* toRuns(fields, signal, count);
  }
  splitter.end();
}

/** Reads one JSON document. @throws FirnError `corrupt_object` when that is not what the bytes are */
export async function* readJsonFields(
  pieces: AsyncIterable<Uint8Array>,
  signal: ItemSignal,
): AsyncGenerator<FieldRun, void, void> {
  const elements = openJsonSplitter(signal);
  const fields = openTopLevelSplitter();
  function* split(take: (requests: Uint8Array[]) => unknown): Generator<FieldRun, void, void> {
    const requests: Uint8Array[] = [];
    const giveRuns = function* (): Generator<FieldRun, void, void> {
      for (const request of requests) for (const run of fields.split(request)) yield* toRuns(run, signal);
    };
    try {
      take(requests);
    } catch (error) {
      yield* giveRuns();
      throw error;
    }
    yield* giveRuns();
  }
  for await (const piece of pieces) yield* split((requests) => elements.push(piece, requests));
  elements.end();
}

/**
 * Makes a document of a piece of one that stands in an hour object: elements with what stands before them, which is the
 * head for the first of the object and a comma for every other.
 * @throws FirnError `corrupt_object` when it begins with anything else
 */
export async function* toRunDocument(
  pieces: AsyncIterable<Uint8Array>,
  signal: Signal,
): AsyncGenerator<Uint8Array, void, void> {
  let isBegun = false;
  for await (const piece of pieces) {
    const first = piece[0];
    if (isBegun || first === OPEN_BRACE) yield piece;
    else if (first === COMMA) {
      yield jsonHead(signal);
      yield piece.subarray(1);
    } else throw new FirnError("corrupt_object", "Cannot read elements of a JSON document: they begin with no comma");
    isBegun = true;
  }
  if (!isBegun) yield jsonHead(signal);
  yield JSON_TAIL;
}

/** Counts fields together; if one of them is at fault, those before it are given, and the error is of that one. */
function* toRuns(
  fields: readonly TopLevelField[],
  signal: ItemSignal,
  count: CountItems = countItems,
): Generator<FieldRun, void, void> {
  let itemCount: number;
  try {
    itemCount = count(fields, signal);
  } catch (error) {
    if (fields.length === 1) throw error;
    for (const field of fields) yield* toRuns([field], signal, count);
    return;
  }
  yield { kind: "fields", fields, itemCount };
}

/** Counts the items of fields. Walking them also makes sure that whoever decodes them next can. */
export function countItems(fields: readonly TopLevelField[], signal: ItemSignal): number {
  let itemCount = 0;
  for (const request of joinAdjacent(fields)) {
    const walk = walkRequest(signal, request);
    if (walk.kind === "fault") {
      const fault = toFaultError(signal, request, walk.position);
      throw new FirnError("corrupt_object", fault.message, { cause: fault });
    }
    itemCount += walk.itemCount;
  }
  return itemCount;
}
