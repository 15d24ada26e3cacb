/**
 * The mark at the end of a page, found from its last bytes: {@link findMark}. A page is whole only if its mark is, and
 * if the mark counts as many bytes before it as came: archived telemetry may hold the mark of an earlier replay as an
 * unknown field, behind which a broken page would look whole. Pure. Shapes: `src/replay/mark.ts`.
 */
import { TAG_STEP, varintBytes, WIRE_LENGTH, WireReader, writeVarint } from "../../src/otlp/wire/format.ts";
import { unreachable } from "../../src/errors.ts";
import type { ReplayFormat } from "../../src/replay/format.ts";
import { MARK_FIELD_NUMBER, type Mark } from "../../src/replay/mark.ts";
import { parseObject } from "../ask.ts";

/** A mark, and where in the given bytes it begins. */
export interface FoundMark {
  readonly mark: Mark;
  readonly start: number;
}

/** A mark is below 1 KiB; this leaves room for cursors of later releases. */
export const MARK_MAX_BYTES = 65_536;

const LINE_FEED = 0x0a;
const JSON_MARK = ',"firn":';
const LENGTH_BYTES = 4;
const TAG: Uint8Array = encodeTag();

/** Says whether a top-level field of OTLP protobuf is a mark. */
export function isMarkField(field: Uint8Array): boolean {
  return TAG.every((byte, index) => field[index] === byte);
}

/** Says whether a line of `jsonl` is a mark. */
export function isMarkLine(line: Uint8Array): boolean {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  if (bytes.length > MARK_MAX_BYTES || !bytes.includes('"firn"')) return false;
  return readMarkLine(bytes.toString("utf8")) !== undefined;
}

/**
 * Finds the mark.
 * @param tail - the last bytes of a page, or all of it
 * @returns `null` when the page does not end in one
 */
export function findMark(tail: Uint8Array, format: ReplayFormat): FoundMark | null {
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  switch (format) {
    case "jsonl":
      return findLine(bytes);
    case "json":
      return findMember(bytes);
    case "proto":
      return findField(bytes);
    case "proto-delimited":
      return findMessage(bytes);
    default:
      return unreachable(format, "format");
  }
}

function findLine(bytes: Buffer): FoundMark | null {
  if (bytes.at(-1) !== LINE_FEED) return null;
  const start = bytes.subarray(0, -1).lastIndexOf(LINE_FEED) + 1;
  return toFound(readMarkLine(bytes.toString("utf8", start)), start);
}

/** @returns `undefined` for a line of telemetry */
function readMarkLine(text: string): unknown {
  const line = parseObject(text);
  return line !== null && "firn" in line && Object.keys(line).length === 2 ? line.firn : undefined;
}

/** Inside of strings the quotes would be escaped, and OTLP has no member of this name. */
function findMember(bytes: Buffer): FoundMark | null {
  const start = bytes.lastIndexOf(JSON_MARK);
  if (start < 0) return null;
  const text = bytes.toString("utf8", start + JSON_MARK.length);
  return text.endsWith("}\n") ? toFound(parseObject(text.slice(0, -2)), start) : null;
}

/** The payload is ASCII, which no byte of the tag but its last is. */
function findField(bytes: Buffer): FoundMark | null {
  const start = bytes.lastIndexOf(TAG);
  if (start < 0) return null;
  const payload = readPayload(bytes, start + TAG.length);
  return payload === null ? null : toFound(parseObject(payload), start);
}

function findMessage(bytes: Buffer): FoundMark | null {
  const found = findField(bytes);
  if (found === null || found.start < LENGTH_BYTES) return null;
  const start = found.start - LENGTH_BYTES;
  return bytes.readUInt32BE(start) === bytes.length - found.start ? { ...found, start } : null;
}

/** The text behind a length, if it reaches to the very end. */
function readPayload(bytes: Buffer, position: number): string | null {
  const reader = new WireReader(bytes, position);
  try {
    return reader.readValueEnd() === bytes.length ? bytes.toString("utf8", reader.position) : null;
  } catch {
    return null; // the page was cut off inside of its mark
  }
}

function toFound(mark: unknown, start: number): FoundMark | null {
  return isMark(mark) ? { mark, start } : null;
}

/** Members that later releases add are kept as they are. */
function isMark(mark: unknown): mark is Mark {
  if (typeof mark !== "object" || mark === null) return false;
  const { items, bytes, complete, next, watermark, unreadable, retired, expired } = { ...mark } as Partial<
    Record<keyof Mark, unknown>
  >;
  const areCounts = [items, bytes, unreadable, retired, expired].every((count) => Number.isSafeInteger(count));
  const isText = typeof watermark === "string" && (next === null || typeof next === "string");
  return areCounts && isText && typeof complete === "boolean";
}

function encodeTag(): Uint8Array {
  const tag = MARK_FIELD_NUMBER * TAG_STEP + WIRE_LENGTH;
  const bytes = new Uint8Array(varintBytes(tag));
  writeVarint(bytes, 0, tag);
  return bytes;
}
