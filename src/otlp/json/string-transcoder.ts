/**
 * Strings of OTLP JSON as protobuf: text, base64 and hex ids (otlp-http 5.3). Text is checked and copied in one pass,
 * four bytes a step. Part of the hot path of `decode.ts`: `bench/otlp-json-decode.ts`.
 */
import { base64Bytes, decodeBase64, findBase64End } from "../base64.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { decodeHex } from "./hex.ts";
import type { FieldPlan } from "./message-plan.ts";
import { countUnmarked, markSpecial } from "./plain-run.ts";
import { type JsonText, QUOTE } from "./text.ts";

/** Strings up to this many bytes, and a word, have a length of one byte, so that it is known where they go. */
const SHORT_MAX_BYTES = 120;
/** Room for a short string: tag, length, text and the word in which it ends. */
const SHORT_ROOM_BYTES = SHORT_MAX_BYTES + 16;
/** What makes an id text of the length of an id a bad id. */
const BAD_ID_MARK = 0xff;

/** Reads one string after the other from a text into a writer, with their tags. */
export class StringTranscoder {
  readonly #text: JsonText;
  readonly #output: ByteWriter;
  /** Bytes that the length of the last string took that was not short: the guess for the next. */
  #lengthBytes = 2;

  constructor(text: JsonText, output: ByteWriter) {
    this.#text = text;
    this.#output = output;
  }

  /** Reads text: in one loop if it is short and holds no escapes and only ASCII. */
  transcodeText(field: FieldPlan): void {
    const text = this.#text;
    const output = this.#output;
    if (text.peek() !== QUOTE) throw text.fault("a string");
    const { bytes, view } = text;
    const start = text.position + 1;
    if (output.length + SHORT_ROOM_BYTES > output.bytes.length) output.reserve(SHORT_ROOM_BYTES);
    const target = output.view;
    const { tag } = field;
    const contentStart = output.length + (tag < 0x80 ? 2 : 3);
    const shift = contentStart - start;
    let position = start;
    for (const stop = Math.min(start + SHORT_MAX_BYTES, bytes.length - 4); position <= stop; position += 4) {
      const word = view.getInt32(position, true);
      target.setInt32(position + shift, word, true);
      const marks = markSpecial(word);
      if (marks === 0) continue;
      position += countUnmarked(marks);
      if (bytes[position] !== QUOTE) break;
      text.position = position + 1;
      if (position === start && !field.keepsZero && !field.isRepeated) return;
      output.bytes[contentStart - 1] = position - start;
      if (tag < 0x80) output.bytes[contentStart - 2] = tag;
      else target.setUint16(contentStart - 3, (tag & 0x7f) | 0x80 | ((tag >> 7) << 8), true);
      output.length = position + shift;
      return;
    }
    text.position = start;
    this.#transcodeRest(field);
  }

  /** Reads text of any kind, whose quote was passed. */
  #transcodeRest(field: FieldPlan): void {
    const output = this.#output;
    const fieldStart = output.length;
    const lengthBytes = this.#lengthBytes;
    output.varint(field.tag);
    const start = output.openLength(lengthBytes);
    this.#text.copyString(output);
    if (output.length === start && !field.keepsZero && !field.isRepeated) output.length = fieldStart;
    else this.#lengthBytes = output.closeLength(start, lengthBytes);
  }

  /** Reads base64 of either alphabet. */
  transcodeBytes(field: FieldPlan): void {
    const { bytes, start, end } = this.#takeText("a string of base64");
    const last = findBase64End(bytes, start, end);
    if (last < 0) throw this.#text.faultAfter("a string of base64");
    const count = base64Bytes(last - start);
    if (count === 0 && !field.keepsZero && !field.isRepeated) return;
    this.#output.varint(field.tag);
    this.#output.varint(count);
    decodeBase64(bytes, start, last, this.#output);
  }

  /**
   * Reads a hex id. A text that is not hex becomes its own UTF-8, with one byte more if it would have the length of an
   * id: so a bad id never turns into a good one, and its length still tells what it was (24 of base64, 36 of a UUID).
   */
  transcodeId(field: FieldPlan): void {
    if (this.#transcodeGoodId(field)) return;
    const output = this.#output;
    const { bytes, start, end } = this.#takeText("a string of hex");
    const count = end - start;
    if (count === 0) return;
    output.varint(field.tag);
    const lengthStart = output.length;
    if (count % 2 === 0) {
      output.varint(count / 2);
      if (decodeHex(bytes, start, end, output)) return;
      output.length = lengthStart;
    }
    const hasIdLength = count === 8 || count === 16;
    output.varint(hasIdLength ? count + 1 : count);
    output.copy(bytes, start, end);
    if (hasIdLength) output.byte(BAD_ID_MARK);
  }

  /** Reads an id that is hex of the right length, which nearly all are, in one pass; false if it is not. */
  #transcodeGoodId(field: FieldPlan): boolean {
    const text = this.#text;
    const output = this.#output;
    const { bytes } = text;
    const start = text.position + 1;
    const end = start + 2 * field.idBytes;
    if (bytes[start - 1] !== QUOTE || end >= bytes.length || bytes[end] !== QUOTE) return false;
    const fieldStart = output.length;
    output.varint(field.tag);
    output.varint(field.idBytes);
    if (!decodeHex(bytes, start, end, output)) {
      output.length = fieldStart;
      return false;
    }
    text.position = end + 1;
    return true;
  }

  /** Takes a string whose characters are looked at; escapes, which nobody needs there, are undone in a copy. */
  #takeText(wanted: string): { readonly bytes: Uint8Array; readonly start: number; readonly end: number } {
    const text = this.#text;
    if (text.peek() !== QUOTE) throw text.fault(wanted);
    text.takeString();
    if (!text.isEscaped) return { bytes: text.bytes, start: text.stringStart, end: text.stringEnd };
    const bytes = text.unescape();
    return { bytes, start: 0, end: bytes.length };
  }
}
