/**
 * The content of a part of a minute: {@link readPart}. A fresh object is one stream; in an hour object each run is read
 * by itself, so that the damage of one member does not reach the next.
 */
import { FirnError, unreachable } from "../errors.ts";
import type { Encoding } from "../otlp/response.ts";
import { joinAdjacent } from "../otlp/top-level.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import type { Millis } from "../units.ts";
import type { ReadPlace } from "./contract.ts";
import type { OpenedObject, OpenedPart } from "./fetch-ahead.ts";
import type { HourObject, Run } from "./hour-object.ts";
import {
  countItems,
  readJsonFields,
  readProtobufFields,
  toRunDocument,
  type CountItems,
  type FieldRun,
} from "./object-fields.ts";
import { readRequest, type WholeRequest } from "./object-request.ts";
import { readRawBytes } from "./raw-bytes.ts";
import type { RunningUsage } from "./usage.ts";

/** How much of a part stands before something in it. */
export type PlaceInPart = Pick<ReadPlace, "runs" | "fields">;

/** What a part gives, and where it fails. */
export type PartEvent =
  | ((FieldRun | WholeRequest) & { readonly before: PlaceInPart })
  /** All of an object from here on, or what is left of a member. More may come of what is not hurt. */
  | { readonly kind: "failed"; readonly error: unknown };

/** How parts are read. */
export interface PartSource {
  readonly signal: Signal;
  /** Wanted for requests of profiles; as they were stored without it. */
  readonly encoding: Encoding | undefined;
  /** As in the request. */
  readonly isPassedOn: boolean;
  readonly usage: RunningUsage;
  /** Of the part, this was given already. */
  readonly given: PlaceInPart;
}

/** Reads what a part holds of a minute after what was given. Never throws: failures are events. */
export async function* readPart(
  part: OpenedPart,
  minute: Millis,
  source: PartSource,
): AsyncGenerator<PartEvent, void, void> {
  switch (part.kind) {
    case "object":
      yield* passOver(readObject(part, source), source);
      return;
    case "runs":
      yield* passOver(readRuns(part.output, minute, source), source);
      return;
    case "lost":
      yield { kind: "failed", error: part.error };
      return;
    default:
      unreachable(part, "part");
  }
}

/** Leaves out the fields that were given of the run where the reading begins. */
async function* passOver(
  events: AsyncGenerator<PartEvent, void, void>,
  { signal, given }: PartSource,
): AsyncGenerator<PartEvent, void, void> {
  for await (const event of events) {
    const known = event.kind === "failed" || event.before.runs > given.runs ? 0 : given.fields - event.before.fields;
    if (event.kind === "failed" || known <= 0) yield event;
    else if (event.kind === "fields" && isItemSignal(signal) && known < event.fields.length) {
      const fields = event.fields.slice(known);
      yield { kind: "fields", fields, itemCount: countItems(fields, signal), before: given };
    }
  }
}

async function* readObject(part: OpenedObject, source: PartSource): AsyncGenerator<PartEvent, void, void> {
  const { object, body } = part;
  const { usage } = source;
  try {
    if (body === null) throw part.error;
    usage.objectCount++;
    usage.storedBytes += object.length;
    yield* placed(0, readContent(object.form.marshaler === "otlp_json", readRawBytes(object, body, usage), source));
  } catch (error) {
    yield { kind: "failed", error };
  }
}

/** Says how many fields of its run stand before each event. */
async function* placed(
  runs: number,
  content: AsyncGenerator<FieldRun | WholeRequest, void, void>,
): AsyncGenerator<PartEvent, void, void> {
  let fields = 0;
  for await (const event of content) {
    yield { ...event, before: { runs, fields } };
    fields += event.kind === "fields" ? event.fields.length : 1;
  }
}

async function* readContent(
  isJson: boolean,
  pieces: AsyncIterable<Uint8Array>,
  { signal, encoding }: PartSource,
  count?: CountItems,
): AsyncGenerator<FieldRun | WholeRequest, void, void> {
  if (isItemSignal(signal)) {
    yield* isJson ? readJsonFields(pieces, signal) : readProtobufFields(pieces, signal, count);
    return;
  }
  const stored = isJson ? "json" : "protobuf";
  yield await readRequest(pieces, stored, encoding ?? stored);
}

async function* readRuns(
  output: HourObject,
  minute: Millis,
  source: PartSource,
): AsyncGenerator<PartEvent, void, void> {
  for (;;) {
    try {
      const run = await output.nextRun(minute);
      if (run === null) return;
      yield* placed(run.ordinal, readRun(run, output, source));
    } catch (error) {
      yield { kind: "failed", error };
      // Members are independent of each other: the next one begins with a run of its own.
      await output.skipMember();
    }
  }
}

/** A run holds as many items as its entry says, or a neighbour's. */
async function* readRun(
  run: Run,
  { form }: HourObject,
  source: PartSource,
): AsyncGenerator<FieldRun | WholeRequest, void, void> {
  const isJson = form.marshaler === "otlp_json";
  const content = isJson ? toRunDocument(run.pieces, source.signal) : run.pieces;
  let found = 0;
  for await (const event of readContent(isJson, content, source, source.isPassedOn ? countOnly(run) : countItems)) {
    if (event.kind === "fields") found += event.itemCount;
    yield event;
  }
  if (found === run.itemCount) return;
  const expected = `expected ${run.itemCount}`;
  throw new FirnError("corrupt_object", `Cannot read minute of member: it has ${found} items, ${expected}`);
}

/** Takes the entry's word for a run that comes as one: both were proven when they were written. */
function countOnly({ itemCount, rawBytes }: Run): CountItems {
  return (fields, signal) => {
    let length = 0;
    for (const run of joinAdjacent(fields)) length += run.length;
    return length === rawBytes ? itemCount : countItems(fields, signal);
  };
}
