/**
 * Attributes as nearly all of them are: key, then value, nothing else, the value a string, an integer, a double or a
 * truth value. Written in one pass without a frame; whatever looks otherwise is left to `message-encoder.ts`, which
 * writes the same. Most of a request are attributes, hence a hot path of their own: `bench/otlp-json-encode.ts`.
 */
import { toConstantText, type ByteWriter } from "../byte-writer.ts";
import { TAG_STEP, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from "../wire/format.ts";
import { writeDouble } from "./double-text.ts";
import type { FieldReader } from "./field-reader.ts";
import { writeQuoted64 } from "./integer-text.ts";
import { writeString } from "./string-text.ts";

const KEY_TAG = 1 * TAG_STEP + WIRE_LENGTH;
const VALUE_TAG = 2 * TAG_STEP + WIRE_LENGTH;
const STRING_TAG = 1 * TAG_STEP + WIRE_LENGTH;
const BOOL_TAG = 2 * TAG_STEP + WIRE_VARINT;
const INT_TAG = 3 * TAG_STEP + WIRE_VARINT;
const DOUBLE_TAG = 4 * TAG_STEP + WIRE_FIXED64;

const KEY = toConstantText('{"key":');
const VALUE = toConstantText(',"value":');
const STRING = toConstantText('{"stringValue":');
const FALSE = toConstantText('{"boolValue":false');
const TRUE = toConstantText('{"boolValue":true');
const INT = toConstantText('{"intValue":');
const DOUBLE = toConstantText('{"doubleValue":');
const CLOSE_BRACE = 0x7d;

/**
 * Writes a KeyValue as an object, if it has the usual form.
 * @returns false, with nothing written, if it has not
 */
export function writeUsualAttribute(output: ByteWriter, reader: FieldReader, start: number, end: number): boolean {
  const { bytes } = reader;
  const keyBytes = bytes[start + 1] ?? 0;
  const keyEnd = start + 2 + keyBytes;
  if (bytes[start] !== KEY_TAG || keyBytes === 0 || keyBytes >= 0x80 || keyEnd >= end) return false;
  if (bytes[keyEnd] !== VALUE_TAG) return false;
  if (reader.readLength(keyEnd + 1, end) !== end) return false;
  const { valueStart } = reader;
  const begin = output.length;
  output.text(KEY);
  writeString(output, reader, start + 2, keyEnd);
  output.text(VALUE);
  if (!writeUsualValue(output, reader, valueStart, end)) {
    output.length = begin;
    return false;
  }
  output.byte(CLOSE_BRACE);
  return true;
}

/**
 * Writes an AnyValue as an object, if it has the usual form.
 * @returns false, with nothing written, if it has not
 */
export function writeUsualValue(output: ByteWriter, reader: FieldReader, start: number, end: number): boolean {
  switch (start < end ? reader.bytes[start] : 0) {
    case STRING_TAG:
      if (reader.readLength(start + 1, end) !== end) return false;
      output.text(STRING);
      writeString(output, reader, reader.valueStart, end);
      break;
    case INT_TAG:
      if (reader.readVarint(start + 1, end) !== end) return false;
      output.text(INT);
      writeQuoted64(output, reader.low, reader.high, true);
      break;
    case BOOL_TAG:
      if (end - start !== 2 || (reader.bytes[start + 1] ?? 0) > 1) return false;
      output.text(reader.bytes[start + 1] === 1 ? TRUE : FALSE);
      break;
    case DOUBLE_TAG:
      if (end - start !== 9) return false;
      output.text(DOUBLE);
      writeDouble(output, reader.readDouble(start + 1));
      break;
    default:
      return false;
  }
  output.byte(CLOSE_BRACE);
  return true;
}
