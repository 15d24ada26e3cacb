/**
 * The content of a part of a minute: {@link readPart}. A fresh object is one stream; in an hour object each run is read
 * by itself, so that the damage of one member does not reach the next.
 */
import { FirnError, unreachable } from "../errors.ts";
import type { Encoding } from "../otlp/response.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import type { Millis } from "../units.ts";
import type { ReadEvent } from "./contract.ts";
import type { OpenedObject, OpenedPart } from "./fetch-ahead.ts";
import type { HourObject, Run } from "./hour-object.ts";
import { readJsonFields, readProtobufFields, toRunDocument } from "./object-fields.ts";
import { readRequest } from "./object-request.ts";
import { readRawBytes } from "./raw-bytes.ts";
import type { RunningUsage } from "./usage.ts";

/** What a part gives, and where it fails. */
export type PartEvent =
  | Extract<ReadEvent, { kind: "fields" | "request" }>
  /** All of an object from here on, or what is left of a member. More may come of what is not hurt. */
  | { readonly kind: "failed"; readonly error: unknown };

/** How parts are read. */
export interface PartSource {
  readonly signal: Signal;
  /** Wanted for requests of profiles; as they were stored without it. */
  readonly encoding: Encoding | undefined;
  readonly usage: RunningUsage;
}

/** Reads what a part holds of a minute. Never throws: failures are events. */
export async function* readPart(
  part: OpenedPart,
  minute: Millis,
  source: PartSource,
): AsyncGenerator<PartEvent, void, void> {
  switch (part.kind) {
    case "object":
      yield* readObject(part, source);
      return;
    case "runs":
      yield* readRuns(part.output, minute, source);
      return;
    case "lost":
      yield { kind: "failed", error: part.error };
      return;
    default:
      unreachable(part, "part");
  }
}

async function* readObject(part: OpenedObject, source: PartSource): AsyncGenerator<PartEvent, void, void> {
  const { object, body } = part;
  const { usage } = source;
  try {
    if (body === null) throw part.error;
    usage.objectCount++;
    usage.storedBytes += object.length;
    yield* readContent(object.form.marshaler === "otlp_json", readRawBytes(object, body, usage), source);
  } catch (error) {
    yield { kind: "failed", error };
  }
}

async function* readContent(
  isJson: boolean,
  pieces: AsyncIterable<Uint8Array>,
  { signal, encoding }: PartSource,
): AsyncGenerator<PartEvent, void, void> {
  if (isItemSignal(signal)) {
    yield* isJson ? readJsonFields(pieces, signal) : readProtobufFields(pieces, signal);
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
      yield* readRun(run, output, source);
    } catch (error) {
      yield { kind: "failed", error };
      // Members are independent of each other: the next one begins with a run of its own.
      await output.skipMember();
    }
  }
}

/** A run holds as many items as its entry says, or a neighbour's. */
async function* readRun(
  { itemCount, pieces }: Run,
  { form }: HourObject,
  source: PartSource,
): AsyncGenerator<PartEvent, void, void> {
  const isJson = form.marshaler === "otlp_json";
  const content = isJson ? toRunDocument(pieces, source.signal) : pieces;
  let found = 0;
  for await (const event of readContent(isJson, content, source)) {
    if (event.kind === "fields") found += event.itemCount;
    yield event;
  }
  if (found === itemCount) return;
  throw new FirnError("corrupt_object", `Cannot read minute of member: it has ${found} items, expected ${itemCount}`);
}
