/**
 * Doubles as pdata writes them: the shortest decimal that reads back as the same and is nearest to it, without an
 * exponent from 10^-6 to below 10^21, with one of at least two digits elsewhere (jsoniter `WriteFloat64` and Go's
 * `strconv`); what JSON has no number for is a string. `String()` finds the same digits, but takes half the time of a
 * request of gauges, so that `shortest-decimal.ts` stands before it. Hot path: `bench/otlp-json-encode.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { writeInteger } from "./integer-text.ts";
import { writeShortestDecimal } from "./shortest-decimal.ts";

const MINUS = 0x2d;
const LETTER_E = 0x65;

/** Appends a double. */
export function writeDouble(output: ByteWriter, value: number): void {
  const magnitude = Math.abs(value);
  if (value < 0 || (value === 0 && 1 / value < 0)) {
    if (magnitude === Number.POSITIVE_INFINITY) return writeText(output, '"-Infinity"');
    output.byte(MINUS);
  }
  if (Number.isSafeInteger(magnitude)) return writeInteger(output, magnitude);
  if (writeShortestDecimal(output, magnitude)) return;
  writeText(output, Number.isFinite(magnitude) ? toText(magnitude) : `"${magnitude}"`);
}

/** Both languages write the same digits and change to an exponent at the same values, but Go pads it. */
function toText(value: number): string {
  const text = String(value);
  return text.charCodeAt(text.length - 3) === LETTER_E ? `${text.slice(0, -1)}0${text.slice(-1)}` : text;
}

function writeText(output: ByteWriter, text: string): void {
  output.reserve(text.length);
  for (let index = 0; index < text.length; index++) output.bytes[output.length++] = text.charCodeAt(index);
}
