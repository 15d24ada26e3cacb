/** What a format makes of the archive's content: {@link openOutput}, the one place that knows the formats' framing. */
import { FirnError, unreachable } from "../errors.ts";
import { JSON_WHOLE_MAX_BYTES, REPLAY_RUN_BYTES } from "../limits.ts";
import { openJsonElements } from "../otlp/json/elements.ts";
import { JSON_SEPARATOR, jsonHead } from "../otlp/json/envelope.ts";
import { openJsonLines } from "../otlp/json/lines.ts";
import { joinAdjacent, type TopLevelField } from "../otlp/top-level.ts";
import { walkRequest } from "../otlp/wire/walk.ts";
import type { ReadEvent } from "../reader/contract.ts";
import { isItemSignal, type ItemSignal, type Signal } from "../signal.ts";
import type { Bytes } from "../units.ts";
import { encodeLength, openMessageGatherer } from "./delimited.ts";
import type { ReplayFormat } from "./format.ts";
import { toJsonLine } from "./json-line.ts";

/** Content of a read: fields of traces, metrics and logs, or a request of profiles in the encoding of the format. */
export type Content = Extract<ReadEvent, { kind: "fields" | "request" }>;

/** Writes the content of a replay in its order; the mark is not its business. */
export interface Output {
  /** The bytes that this content completes; views, valid until the next call. */
  add(content: Content): Iterable<Uint8Array>;
  /** What is held back; more may be added. */
  flush(): Iterable<Uint8Array>;
  /** What is still held back, up to the place of the mark. */
  end(): Iterable<Uint8Array>;
  /** What could not be written in this format and was left out; only with `onError: "skip"`. */
  readonly skipped: Skipped;
}

/** Containers that were left out, and the items in them. */
export interface Skipped {
  containers: number;
  items: number;
}

/** What decides an output. */
export interface OutputOptions {
  readonly format: ReplayFormat;
  readonly signal: Signal;
  readonly maxLineBytes: Bytes;
  /** What becomes of a container with a record that is too long for JSON. */
  readonly onError: "stop" | "skip";
}

const LINE_FEED: Uint8Array = new Uint8Array([0x0a]);
const CLOSE_BRACKET: Uint8Array = new Uint8Array([0x5d]);
const NOTHING_SKIPPED: Skipped = Object.freeze({ containers: 0, items: 0 });

/** Opens the output of a replay; a signal has the formats that `format.ts` says. */
export function openOutput({ format, signal, maxLineBytes, onError }: OutputOptions): Output {
  if (!isItemSignal(signal)) return openRequestOutput(format);
  switch (format) {
    case "jsonl":
      return openLines(maxLineBytes, openJsonSource(signal, onError));
    case "json":
      return openDocument(openJsonSource(signal, onError));
    case "proto":
      return openUnheld((content) => joinAdjacent(fieldsOf(content)));
    case "proto-delimited":
      return openMessages();
    default:
      return unreachable(format, "format");
  }
}

/** An output that gives everything at once. */
function openUnheld(add: Output["add"]): Output {
  return { add, flush: () => [], end: () => [], skipped: NOTHING_SKIPPED };
}

function fieldsOf(content: Content): readonly TopLevelField[] {
  if (content.kind === "fields") return content.fields;
  throw new Error("Cannot write a whole request between fields");
}

/** The containers that can be written as JSON. */
interface JsonSource {
  readonly signal: ItemSignal;
  readonly skipped: Skipped;
  list(content: Content): Iterable<Uint8Array>;
}

/**
 * Opens the way from content to containers. To skip one it must be known beforehand whether all of it can be written:
 * half a container would be neither given nor left out.
 */
function openJsonSource(signal: ItemSignal, onError: OutputOptions["onError"]): JsonSource {
  const skipped: Skipped = { containers: 0, items: 0 };
  return {
    signal,
    skipped,
    *list(content): Generator<Uint8Array, void, void> {
      for (const { field, container } of fieldsOf(content)) {
        if (container === null) continue;
        if (onError === "stop" || isWritable(signal, container)) yield container;
        else {
          skipped.containers += 1;
          skipped.items += countItems(signal, field);
        }
      }
    },
  };
}

/** Says whether no record of a container is too long for JSON; small ones never are, whatever they hold. */
function isWritable(signal: ItemSignal, container: Uint8Array): boolean {
  if (container.length <= JSON_WHOLE_MAX_BYTES) return true;
  try {
    const runs = openJsonElements(signal, REPLAY_RUN_BYTES).add(container)[Symbol.iterator]();
    while (runs.next().done !== true);
    return true;
  } catch (error) {
    if (error instanceof FirnError && error.kind === "too_large") return false;
    throw error;
  }
}

function countItems(signal: ItemSignal, field: Uint8Array): number {
  const walk = walkRequest(signal, field);
  return walk.kind === "sound" ? walk.itemCount : 0;
}

function openLines(maxLineBytes: Bytes, source: JsonSource): Output {
  const lines = openJsonLines(source.signal, maxLineBytes);
  return {
    *add(content): Generator<Uint8Array, void, void> {
      for (const container of source.list(content)) yield* lines.add(container);
    },
    flush: () => lines.end(),
    end: () => lines.end(),
    skipped: source.skipped,
  };
}

/**
 * One document, whose last bracket stands before the mark. Nothing is written before the first element or the end: what
 * fails until then can still be answered with a status.
 */
function openDocument(source: JsonSource): Output {
  const elements = openJsonElements(source.signal, REPLAY_RUN_BYTES);
  const head = jsonHead(source.signal);
  let isBegun = false;

  function* separate(runs: Iterable<Uint8Array>): Generator<Uint8Array, void, void> {
    for (const run of runs) {
      yield isBegun ? JSON_SEPARATOR : head;
      isBegun = true;
      yield run;
    }
  }

  return {
    *add(content): Generator<Uint8Array, void, void> {
      for (const container of source.list(content)) yield* separate(elements.add(container));
    },
    flush: () => separate(elements.end()),
    *end(): Generator<Uint8Array, void, void> {
      yield* separate(elements.end());
      if (!isBegun) yield head;
      yield CLOSE_BRACKET;
    },
    skipped: source.skipped,
  };
}

/** The fields of all requests are one message; here they are cut into several, wherever one is large enough. */
function openMessages(): Output {
  const messages = openMessageGatherer();
  return {
    *add(content): Generator<Uint8Array, void, void> {
      for (const { field } of fieldsOf(content)) yield* messages.add(field);
    },
    flush: () => messages.end(),
    end: () => messages.end(),
    skipped: NOTHING_SKIPPED,
  };
}

/** Requests that stay whole: a line or a message each, however long. */
function openRequestOutput(format: ReplayFormat): Output {
  switch (format) {
    case "jsonl":
      return openUnheld((content) => [toJsonLine(bodyOf(content)), LINE_FEED]);
    case "proto-delimited":
      return openUnheld((content) => [encodeLength(bodyOf(content).length), bodyOf(content)]);
    case "json":
    case "proto":
      throw new Error(`Cannot write requests that do not concatenate as ${format}`);
    default:
      return unreachable(format, "format");
  }
}

function bodyOf(content: Content): Uint8Array {
  if (content.kind === "request") return content.body;
  throw new Error("Cannot write fields as a whole request");
}
