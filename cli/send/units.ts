/**
 * Bytes of a replay → units, the smallest pieces that can be sent: {@link readUnits}. Everything becomes protobuf, in
 * which requests concatenate; marks are left out. Holds one unit in memory.
 */
import { FirnError, toErrorMessage } from "../../src/errors.ts";
import { JSON_DOCUMENT_MAX_BYTES } from "../../src/limits.ts";
import { decodeJsonRequest } from "../../src/otlp/json/decode.ts";
import { openJsonSplitter } from "../../src/otlp/json/splitter.ts";
import { openTopLevelSplitter } from "../../src/otlp/top-level.ts";
import { walkRequest } from "../../src/otlp/wire/walk.ts";
import type { ReplayFormat } from "../../src/replay/format.ts";
import { isItemSignal, type ItemSignal, type Signal } from "../../src/signal.ts";
import { parseObject } from "../ask.ts";
import { usageError } from "../options.ts";
import { isMarkField, isMarkLine } from "../replay/page-mark.ts";
import { splitLines, splitMessages } from "./split.ts";

/** A line, an element of a document, a field or a message. */
export interface Unit {
  readonly signal: Signal;
  /** A whole request of OTLP protobuf. */
  readonly body: Uint8Array;
  /** Spans, data points, log records, or profiles requests. */
  readonly itemCount: number;
}

/** What is read. */
export interface UnitSource {
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly format: ReplayFormat;
  /** `null`: each line, or the document, says it itself. */
  readonly signal: Signal | null;
}

const LISTS: readonly (readonly [key: RegExp, signal: Signal])[] = [
  [/resource_?spans/i, "traces"],
  [/resource_?metrics/i, "metrics"],
  [/resource_?logs/i, "logs"],
  [/resource_?profiles/i, "profiles"],
];
/** The key of the list stands at the very beginning of what Firn and the Collector write. */
const FIRST_KEY = /^\s*\{\s*"([a-zA-Z_]{1,40})"\s*:/;
const HEAD_BYTES = 4_096;

/**
 * Reads units in their order.
 * @throws FirnError `invalid_request` for what is not what the format says, with the number of the unit
 */
export async function* readUnits({ pieces, format, signal }: UnitSource): AsyncGenerator<Unit, void, void> {
  switch (format) {
    case "jsonl":
      for await (const { number, bytes } of splitLines(pieces, JSON_DOCUMENT_MAX_BYTES)) {
        if (!isMarkLine(bytes)) yield readLine(bytes, number, signal);
      }
      return;
    case "json":
      yield* readDocument(pieces, signal);
      return;
    case "proto":
      yield* readFields(pieces, requireItemSignal(signal, format));
      return;
    case "proto-delimited":
      for await (const { number, bytes } of splitMessages(pieces, JSON_DOCUMENT_MAX_BYTES)) {
        if (!isMarkField(bytes)) yield toUnit(requireSignal(signal, format), bytes, `message ${number}`);
      }
  }
}

function readLine(line: Uint8Array, number: number, said: Signal | null): Unit {
  const signal = said ?? findSignal(line);
  if (signal === null) throw usageError(`Cannot send line ${number}: it is no OTLP JSON request`);
  try {
    return toUnit(signal, decodeJsonRequest(signal, line), `line ${number}`);
  } catch (error) {
    throw toFault(`line ${number}`, error);
  }
}

async function* readDocument(pieces: AsyncIterable<Uint8Array>, said: Signal | null): AsyncGenerator<Unit, void, void> {
  let number = 0;
  let open: ReturnType<typeof openJsonSplitter> | null = null;
  let signal: ItemSignal = "traces";
  const toUnits = (bodies: readonly Uint8Array[]): readonly Unit[] =>
    bodies.map((body) => toUnit(signal, body, `element ${(number += 1)}`));
  try {
    for await (const piece of pieces) {
      if (open === null) {
        signal = requireItemSignal(said ?? findSignal(piece.subarray(0, HEAD_BYTES)), "json");
        open = openJsonSplitter(signal);
      }
      yield* toUnits(open.push(piece));
    }
    if (open !== null) yield* toUnits(open.end());
  } catch (error) {
    throw toFault(`what follows element ${number}`, error);
  }
}

async function* readFields(pieces: AsyncIterable<Uint8Array>, signal: ItemSignal): AsyncGenerator<Unit, void, void> {
  const splitter = openTopLevelSplitter();
  let number = 0;
  try {
    for await (const piece of pieces) {
      for (const { field } of splitter.push(piece)) {
        number += 1;
        if (!isMarkField(field)) yield toUnit(signal, field.slice(), `field ${number}`);
      }
    }
    splitter.end();
  } catch (error) {
    throw toFault(`what follows field ${number}`, error);
  }
}

function toUnit(signal: Signal, body: Uint8Array, which: string): Unit {
  if (!isItemSignal(signal)) return { signal, body, itemCount: 1 };
  const walk = walkRequest(signal, body);
  if (walk.kind === "sound") return { signal, body, itemCount: walk.itemCount };
  throw usageError(`Cannot send ${which}: it is no request of ${signal}, at byte ${walk.position} of it`);
}

function toFault(which: string, error: unknown): unknown {
  if (!(error instanceof FirnError) || error.message.startsWith("Cannot send")) return error;
  return usageError(`Cannot send ${which}: ${toErrorMessage(error)}`);
}

/** The signal that a JSON request is of; `null` when it is none. */
function findSignal(json: Uint8Array): Signal | null {
  const head = Buffer.from(json.buffer, json.byteOffset, Math.min(json.byteLength, HEAD_BYTES)).toString("utf8");
  const first = toSignal(FIRST_KEY.exec(head)?.[1]);
  if (first !== null) return first;
  const request = parseObject(new TextDecoder().decode(json));
  const keys = Object.keys(request ?? {}).map(toSignal);
  return keys.find((signal) => signal !== null) ?? null;
}

function toSignal(key: string | undefined): Signal | null {
  return LISTS.find(([pattern]) => key !== undefined && pattern.test(key))?.[1] ?? null;
}

function requireSignal(signal: Signal | null, format: ReplayFormat): Signal {
  if (signal !== null) return signal;
  throw usageError(`Cannot send ${format} without --signal: nothing in it says which signal it is of`);
}

function requireItemSignal(signal: Signal | null, format: ReplayFormat): ItemSignal {
  const known = requireSignal(signal, format);
  if (isItemSignal(known)) return known;
  throw usageError(
    `Cannot send ${known} as ${format}: its requests do not concatenate, expected jsonl or proto-delimited`,
  );
}
