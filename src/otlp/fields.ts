/**
 * Single fields of a message, read straight from its bytes: for filters and tables, which want few fields of many
 * items. A field is named by its tag, looked up once with `toTag(toField("Span", "trace_id"))`. Of a field that is sent
 * twice the last occurrence counts. Benchmark: `bench/otlp-items.ts`.
 */
import { WireReader } from "./wire/format.ts";

/** A message: the bytes from `start` to before `end`. */
export interface MessageRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const NOTHING: Uint8Array = new Uint8Array(0);
/** A byte order mark is a character of the text like any other. */
const UTF8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** A message that fills an array. */
export function toRange(bytes: Uint8Array): MessageRange {
  return { bytes, start: 0, end: bytes.length };
}

/** Finds the value of a text, of bytes or of a message, without copying; undefined when the field is absent. */
export function findField(message: MessageRange, tag: number): MessageRange | undefined {
  const reader = findLast(message, tag);
  if (reader === undefined) return undefined;
  const end = reader.readValueEnd();
  return { bytes: message.bytes, start: reader.position, end };
}

/** Lists the values of a repeated text or message in their order, without copying. */
export function listFields(message: MessageRange, tag: number): readonly MessageRange[] {
  const values: MessageRange[] = [];
  const reader = new WireReader(message.bytes, message.start, message.end);
  while (!reader.isAtEnd()) {
    const current = reader.readTag();
    if (current !== tag) {
      reader.skipValue(current);
      continue;
    }
    const end = reader.readValueEnd();
    values.push({ bytes: message.bytes, start: reader.position, end });
    reader.position = end;
  }
  return values;
}

/** Reads bytes, such as an id, as a view; empty when the field is absent. */
export function readBytes(message: MessageRange, tag: number): Uint8Array {
  const value = findField(message, tag);
  return value === undefined ? NOTHING : value.bytes.subarray(value.start, value.end);
}

/** Reads a text; empty when the field is absent. */
export function readString(message: MessageRange, tag: number): string {
  return UTF8.decode(readBytes(message, tag));
}

/** Says whether a text or bytes are exactly these; an absent field is empty. */
export function hasValue(message: MessageRange, tag: number, expected: Uint8Array): boolean {
  const value = findField(message, tag);
  if (value === undefined) return expected.length === 0;
  if (value.end - value.start !== expected.length) return false;
  for (let index = 0; index < expected.length; index += 1) {
    if (value.bytes[value.start + index] !== expected[index]) return false;
  }
  return true;
}

/** Reads a varint of at most 32 bits, such as an enum, as an unsigned number; 0 when the field is absent. */
export function readUint32(message: MessageRange, tag: number): number {
  return findLast(message, tag)?.readUint32() ?? 0;
}

/** Reads a fixed64, such as a time in nanoseconds since 1970, as an unsigned number; 0 when the field is absent. */
export function readFixed64(message: MessageRange, tag: number): bigint {
  const reader = findLast(message, tag);
  if (reader === undefined) return 0n;
  const { bytes, position } = reader;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(position, true);
}

/** Finds the last occurrence of a field; the reader is behind its tag. */
function findLast(message: MessageRange, tag: number): WireReader | undefined {
  const reader = new WireReader(message.bytes, message.start, message.end);
  let last = -1;
  while (!reader.isAtEnd()) {
    const current = reader.readTag();
    if (current === tag) last = reader.position;
    reader.skipValue(current);
  }
  if (last < 0) return undefined;
  reader.position = last;
  return reader;
}
