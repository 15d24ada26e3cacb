/**
 * Pages → one replay. Pages of `jsonl`, `proto` and `proto-delimited` follow each other without their marks; of a page
 * of `json` only the elements are kept, so that all pages are one document. Pure.
 */
import { JSON_SEPARATOR, JSON_TAIL, jsonHead } from "../../src/otlp/json/envelope.ts";
import type { ReplayFormat } from "../../src/replay/format.ts";
import { encodeMark, type Mark } from "../../src/replay/mark.ts";
import type { Signal } from "../../src/signal.ts";
import { joinBytes } from "../../src/bytes.ts";

/** What decides the frame of a replay. */
export interface ReplayShape {
  readonly format: ReplayFormat;
  readonly signal: Signal | "all";
}

/** Takes the pieces of one page. */
export interface PageFrame {
  /** What of a piece belongs to the replay. @throws RangeError when it is not the page that was asked for */
  take(piece: Uint8Array): Uint8Array;
  /** Bytes of the page that are not part of the replay, so far. */
  readonly droppedBytes: number;
}

const CLOSE_BRACKET = 0x5d;

/** `signal=all` has lines only, and any list will do for the line of its mark. */
function listSignal(signal: Signal | "all"): Signal {
  return signal === "all" ? "traces" : signal;
}

/**
 * Opens the frame of a page.
 * @param length - bytes of the replay before the page
 */
export function openPageFrame({ format, signal }: ReplayShape, length: number): PageFrame {
  if (format !== "json" || length === 0) return { take: (piece) => piece, droppedBytes: 0 };
  const head = jsonHead(listSignal(signal));
  const isFirst = length === head.length;
  /** Beginning of the page, until it is one byte longer than a head. */
  let begun: Uint8Array | null = new Uint8Array(0);
  let droppedBytes = 0;
  return {
    take(piece) {
      if (begun === null) return piece;
      begun = joinBytes([begun, piece]);
      if (begun.length <= head.length) return new Uint8Array(0);
      const [page, elements] = [begun.subarray(0, head.length), begun.subarray(head.length)];
      if (Buffer.compare(page, head) !== 0) throw new RangeError("it is no document of this signal");
      const isSeparated = !isFirst && elements[0] !== CLOSE_BRACKET;
      begun = null;
      droppedBytes = head.length - (isSeparated ? JSON_SEPARATOR.length : 0);
      return isSeparated ? joinBytes([JSON_SEPARATOR, elements]) : elements;
    },
    get droppedBytes() {
      return droppedBytes;
    },
  };
}

/** Bytes before the mark that are no content: the bracket behind the elements of a document. */
export function bracketBytes({ format }: ReplayShape): number {
  return format === "json" ? 1 : 0;
}

/** What ends a replay whose pages are all there; with a mark for all of them, or without. */
export function encodeEnd(mark: Mark | null, { format, signal }: ReplayShape): Uint8Array {
  if (mark === null) return format === "json" ? JSON_TAIL : new Uint8Array(0);
  const bracket = new Uint8Array(bracketBytes({ format, signal })).fill(CLOSE_BRACKET);
  return joinBytes([bracket, encodeMark(mark, { format, signal: listSignal(signal) })]);
}
