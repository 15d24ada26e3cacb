/**
 * Spans as nearly all of them begin: ids, name, kind and times, sound and none of them zero. These fields are written
 * in one go, without asking of each what it is; a span that looks otherwise is left to `message-encoder.ts`, which
 * writes the same. They are as many as all others but attributes, hence a hot path: `bench/otlp-json-encode.ts`.
 */
import { toConstantText, type ByteWriter, type ConstantText } from "../byte-writer.ts";
import type { FieldReader } from "./field-reader.ts";
import { putHex } from "./hex.ts";
import { putInteger64 } from "./integer-text.ts";
import type { MessageFrame } from "./message-frame.ts";
import { writeString } from "./string-text.ts";

/** Slots of the fields: their places in pdata's order. */
const TRACE_ID = 0;
const SPAN_ID = 1;
const TRACE_STATE = 2;
const PARENT_ID = 3;
const FLAGS = 4;
const NAME = 5;
const KIND = 6;
const START = 7;
const END = 8;
/** The same as bits. */
const REQUIRED: number = (1 << TRACE_ID) | (1 << SPAN_ID) | (1 << NAME) | (1 << START) | (1 << END);
const WITH_PARENT: number = 1 << PARENT_ID;
const WITH_FLAGS: number = 1 << FLAGS;
const WITH_KIND: number = 1 << KIND;
const WRITTEN: number = REQUIRED | WITH_PARENT | WITH_FLAGS | WITH_KIND;
const UNUSUAL: number = 1 << TRACE_STATE;

const TRACE_ID_TEXT = toConstantText(',"traceId":"');
const SPAN_ID_TEXT = toConstantText('","spanId":"');
const PARENT_ID_TEXT = toConstantText('","parentSpanId":"');
const FLAGS_TEXT = toConstantText('","flags":');
const NAME_TEXT = toConstantText('","name":');
const NAME_AFTER_NUMBER_TEXT = toConstantText(',"name":');
const KIND_TEXT = toConstantText(',"kind":');
const START_TEXT = toConstantText(',"startTimeUnixNano":"');
const END_TEXT = toConstantText('","endTimeUnixNano":"');
const QUOTE = 0x22;
const DIGIT_0 = 0x30;
const MAX_DIGIT = 9;
const WORD_BYTES = 8;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** More than all that is written before the name, and more than all behind it. */
const ROOM_BYTES = 192;

/**
 * Writes the first fields of a scanned span, each behind a comma, if they have the usual form.
 * @param fields bits of the slots that are to be written
 * @returns bits of those that are left
 */
export function writeUsualSpan(output: ByteWriter, reader: FieldReader, frame: MessageFrame, fields: number): number {
  if (!isUsual(reader, frame, fields)) return fields;
  writeIds(output, reader.view, frame, fields);
  writeString(output, reader, frame.valueStarts[NAME] ?? 0, frame.valueEnds[NAME] ?? 0);
  writeKindAndTimes(output, reader, frame, fields);
  return fields & ~WRITTEN;
}

function isUsual({ bytes, view }: FieldReader, { valueStarts, valueEnds }: MessageFrame, fields: number): boolean {
  if ((fields & (REQUIRED | UNUSUAL)) !== REQUIRED) return false;
  const traceId = valueStarts[TRACE_ID] ?? 0;
  const spanId = valueStarts[SPAN_ID] ?? 0;
  if ((valueEnds[TRACE_ID] ?? 0) - traceId !== TRACE_ID_BYTES || (valueEnds[SPAN_ID] ?? 0) - spanId !== SPAN_ID_BYTES) {
    return false;
  }
  if (isZero(view, spanId) || (isZero(view, traceId) && isZero(view, traceId + WORD_BYTES))) return false;
  if ((fields & WITH_PARENT) !== 0) {
    const parentId = valueStarts[PARENT_ID] ?? 0;
    if ((valueEnds[PARENT_ID] ?? 0) - parentId !== SPAN_ID_BYTES || isZero(view, parentId)) return false;
  }
  if ((fields & WITH_FLAGS) !== 0 && view.getInt32(valueStarts[FLAGS] ?? 0, true) === 0) return false;
  if ((fields & WITH_KIND) !== 0) {
    const kind = bytes[valueStarts[KIND] ?? 0] ?? 0;
    if (kind === 0 || kind > MAX_DIGIT) return false;
  }
  if (isZero(view, valueStarts[START] ?? 0) || isZero(view, valueStarts[END] ?? 0)) return false;
  return valueStarts[NAME] !== valueEnds[NAME];
}

/** Writes the ids, the flags, and the key of the name. */
function writeIds(output: ByteWriter, source: DataView, { valueStarts }: MessageFrame, fields: number): void {
  output.reserve(ROOM_BYTES);
  const { view } = output;
  const traceId = valueStarts[TRACE_ID] ?? 0;
  let at = putText(view, output.length, TRACE_ID_TEXT);
  at = putHex(view, at, source, traceId);
  at = putHex(view, at, source, traceId + WORD_BYTES);
  at = putText(view, at, SPAN_ID_TEXT);
  at = putHex(view, at, source, valueStarts[SPAN_ID] ?? 0);
  if ((fields & WITH_PARENT) !== 0) {
    at = putText(view, at, PARENT_ID_TEXT);
    at = putHex(view, at, source, valueStarts[PARENT_ID] ?? 0);
  }
  if ((fields & WITH_FLAGS) === 0) at = putText(view, at, NAME_TEXT);
  else {
    at = putText(view, at, FLAGS_TEXT);
    at = putInteger64(view, at, source.getInt32(valueStarts[FLAGS] ?? 0, true), 0);
    at = putText(view, at, NAME_AFTER_NUMBER_TEXT);
  }
  output.length = at;
}

function writeKindAndTimes(
  output: ByteWriter,
  { bytes, view: source }: FieldReader,
  { valueStarts }: MessageFrame,
  fields: number,
): void {
  output.reserve(ROOM_BYTES);
  const { view } = output;
  const start = valueStarts[START] ?? 0;
  const end = valueStarts[END] ?? 0;
  let at = output.length;
  if ((fields & WITH_KIND) !== 0) {
    at = putText(view, at, KIND_TEXT);
    view.setUint8(at++, DIGIT_0 + (bytes[valueStarts[KIND] ?? 0] ?? 0));
  }
  at = putText(view, at, START_TEXT);
  at = putInteger64(view, at, source.getInt32(start, true), source.getInt32(start + 4, true));
  at = putText(view, at, END_TEXT);
  at = putInteger64(view, at, source.getInt32(end, true), source.getInt32(end + 4, true));
  view.setUint8(at, QUOTE);
  output.length = at + 1;
}

function isZero(source: DataView, position: number): boolean {
  return (source.getInt32(position, true) | source.getInt32(position + 4, true)) === 0;
}

/** Puts a constant. @returns position behind it */
function putText(view: DataView, position: number, { words, wordCount, byteCount }: ConstantText): number {
  for (let index = 0; index < wordCount; index++) {
    view.setFloat64(position + index * WORD_BYTES, words[index] ?? 0, true);
  }
  return position + byteCount;
}
