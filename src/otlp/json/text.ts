/**
 * A cursor over JSON text in UTF-8 (RFC 8259): white space, literals, strings, and values that are skipped unread.
 *
 * It checks syntax and UTF-8 of whatever it passes and knows no message. It never recurses, so no depth can hurt it.
 * Hot path, hence a class with open fields: `bench/otlp-json-decode.ts`.
 */
import { ByteWriter } from "../byte-writer.ts";
import { escapeBytes, writeEscape } from "./escape.ts";
import { OpenContainers } from "./open-containers.ts";
import { copyPlain, skipPlain } from "./plain-run.ts";
import { isUtf8 } from "../wire/utf8.ts";

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const LETTER_F = 0x66;
export const LETTER_N = 0x6e;
export const LETTER_T = 0x74;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
/** Indentation is passed four spaces a step. */
const FOUR_SPACES = 0x2020_2020;
const COPY_STEP_BYTES = 4096;
const COPY_ROOM_BYTES = 16;
const POINT = 0x2e;

export const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
const LITERALS: Readonly<Record<"true" | "false" | "null", Uint8Array>> = {
  true: new TextEncoder().encode("true"),
  false: new TextEncoder().encode("false"),
  null: new TextEncoder().encode("null"),
};

/** Length of the byte order mark that some text begins with; 0 without one (RFC 8259 section 8.1). */
export function byteOrderMarkBytes(text: Uint8Array): number {
  return BYTE_ORDER_MARK.every((byte, index) => text[index] === byte) ? BYTE_ORDER_MARK.length : 0;
}

/** The text breaks a rule at an offset; whoever holds the cursor knows in which field. */
export class JsonFault extends Error {
  override readonly name: string = "JsonFault";
}

/** A cursor; `position` is the next byte to read. Past the end it reads zero bytes, which are never valid JSON. */
export class JsonText {
  readonly bytes: Uint8Array;
  /** The same bytes, for words. */
  readonly view: DataView;
  position = 0;
  /** The last string lies here, without its quotes, escapes as written. */
  stringStart = 0;
  stringEnd = 0;
  /** The last string holds escapes. */
  isEscaped = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Passes one byte order mark, where the document begins (otlp-http 5.1). */
  skipByteOrderMark(): void {
    this.position = byteOrderMarkBytes(this.bytes);
  }

  /** Passes white space and returns the byte after it without taking it; 0 at the end. */
  peek(): number {
    const byte = this.bytes[this.position] ?? 0;
    return byte > SPACE ? byte : this.#peekBehindSpace();
  }

  #peekBehindSpace(): number {
    const { bytes, view } = this;
    const lastWord = bytes.length - 4;
    let { position } = this;
    let byte = bytes[position] ?? 0;
    while (isWhiteSpace(byte)) {
      position += 1;
      while (position <= lastWord && view.getInt32(position, true) === FOUR_SPACES) position += 4;
      byte = bytes[position] ?? 0;
    }
    this.position = position;
    return byte;
  }

  /** Takes the byte that must come next, after white space. */
  take(byte: number): void {
    if (this.peek() !== byte) throw this.fault(`"${String.fromCharCode(byte)}"`);
    this.position += 1;
  }

  /** Takes `true`, `false` or `null`. */
  takeLiteral(literal: "true" | "false" | "null"): void {
    for (const byte of LITERALS[literal]) {
      if (this.bytes[this.position] !== byte) throw this.fault(`"${literal}"`);
      this.position += 1;
    }
  }

  /** Takes a string whose quote comes next, and leaves its place in `stringStart`, `stringEnd` and `isEscaped`. */
  takeString(): void {
    const { bytes } = this;
    const start = this.position + 1;
    let position = start;
    let isEscaped = false;
    let firstHigh = -1;
    for (;;) {
      position = skipPlain(this, position);
      let byte = bytes[position] ?? 0;
      if (byte === QUOTE) break;
      this.position = position;
      if (byte >= 0x80) {
        if (firstHigh < 0) firstHigh = position;
        while (byte >= 0x80) byte = bytes[++position] ?? 0;
      } else if (byte === BACKSLASH) {
        isEscaped = true;
        const count = escapeBytes(bytes, position);
        if (count === 0) throw this.fault("an escape of JSON");
        position += count;
      } else throw this.fault("the rest of a string");
    }
    if (firstHigh >= 0 && !isUtf8(bytes, firstHigh, position))
      throw new JsonFault(`Cannot read JSON: string at byte ${start} is not UTF-8`);
    this.stringStart = start;
    this.stringEnd = position;
    this.isEscaped = isEscaped;
    this.position = position + 1;
  }

  /** What the last string stands for, in bytes of its own; lone surrogates become U+FFFD (otlp-http 5.1). */
  unescape(): Uint8Array {
    // With its quote: there may be a million such strings in a body, so that none takes more room than it needs.
    const sourceBytes = this.stringEnd + 1 - this.stringStart;
    const output = new ByteWriter(sourceBytes + COPY_ROOM_BYTES, 2 * sourceBytes + COPY_ROOM_BYTES);
    const end = this.position;
    this.position = this.stringStart;
    this.copyString(output, this.stringEnd + 1);
    this.position = end;
    return output.toBytes();
  }

  /**
   * Takes the rest of a string, whose quote was passed, and appends what it stands for.
   * @param limit position that lies behind its other quote
   */
  copyString(output: ByteWriter, limit: number = this.bytes.length): void {
    const { bytes } = this;
    for (;;) {
      const end = Math.min(limit, this.position + COPY_STEP_BYTES);
      output.reserve(end - this.position + COPY_ROOM_BYTES);
      this.position = copyPlain(output, this, this.position, end);
      if (this.position === end && end < bytes.length) continue;
      const byte = bytes[this.position] ?? 0;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) this.#copyEscape(output);
      else if (byte >= 0x80) this.#copyHighRun(output);
      else throw this.fault("the rest of a string");
    }
    this.position += 1;
  }

  #copyEscape(output: ByteWriter): void {
    const next = writeEscape(output, this.bytes, this.position);
    if (next < 0) throw this.fault("an escape of JSON");
    this.position = next;
  }

  /** Takes bytes that are not ASCII up to the next one that is. */
  #copyHighRun(output: ByteWriter): void {
    const { bytes, position } = this;
    let end = position + 1;
    while ((bytes[end] ?? 0) >= 0x80) end += 1;
    if (!isUtf8(bytes, position, end)) throw new JsonFault(`Cannot read JSON: byte ${position} begins no UTF-8`);
    output.copy(bytes, position, end);
    this.position = end;
  }

  /** Passes a number and checks its grammar. */
  skipNumber(): void {
    if (this.bytes[this.position] === MINUS) this.position += 1;
    if (this.bytes[this.position] === DIGIT_0) this.position += 1;
    else this.#skipDigits();
    if (this.bytes[this.position] === POINT) {
      this.position += 1;
      this.#skipDigits();
    }
    if (((this.bytes[this.position] ?? 0) | 0x20) !== 0x65) return;
    this.position += 1;
    const sign = this.bytes[this.position];
    if (sign === MINUS || sign === PLUS) this.position += 1;
    this.#skipDigits();
  }

  /** Passes a value of any kind and depth, checking its syntax. */
  skipValue(): void {
    let first = this.peek();
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
      this.#skipScalar(first);
      return;
    }
    for (const open = new OpenContainers(); ; first = this.peek()) {
      if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        this.position += 1;
        const close = first + 2;
        if (this.peek() !== close) {
          open.push(first);
          if (first === OPEN_BRACE) this.#skipKey();
          continue;
        }
        this.position += 1;
      } else this.#skipScalar(first);
      this.#skipEnds(open);
      if (open.depth === 0) return;
    }
  }

  /** Makes the fault of finding something else than was wanted here. */
  fault(wanted: string): JsonFault {
    const found = describeByte(this.bytes[this.position]);
    return new JsonFault(`Cannot read JSON at byte ${this.position}: found ${found}, expected ${wanted}`);
  }

  /** Makes the fault of a value that was passed already and is not what was wanted. */
  faultAfter(wanted: string): JsonFault {
    return new JsonFault(`Cannot read JSON: value before byte ${this.position} is wrong, expected ${wanted}`);
  }

  /** Closes what ends after a value and moves to the next value. */
  #skipEnds(open: OpenContainers): void {
    while (open.depth > 0) {
      const byte = this.peek();
      const close = open.close();
      if (byte === COMMA) {
        this.position += 1;
        if (close === CLOSE_BRACE) this.#skipKey();
        return;
      }
      if (byte !== close) throw this.fault(close === CLOSE_BRACE ? '"," or "}"' : '"," or "]"');
      this.position += 1;
      open.pop();
    }
  }

  #skipKey(): void {
    if (this.peek() !== QUOTE) throw this.fault("a key");
    this.takeString();
    this.take(COLON);
  }

  #skipScalar(first: number): void {
    if (first === QUOTE) this.takeString();
    else if (first === LETTER_T) this.takeLiteral("true");
    else if (first === LETTER_F) this.takeLiteral("false");
    else if (first === LETTER_N) this.takeLiteral("null");
    else if (first === MINUS || isDigit(first)) this.skipNumber();
    else throw this.fault("a value");
  }

  #skipDigits(): void {
    if (!isDigit(this.bytes[this.position] ?? 0)) throw this.fault("a digit");
    while (isDigit(this.bytes[this.position] ?? 0)) this.position += 1;
  }
}

/** Says what begins with a byte, without telling the byte: messages hold no payload. */
export function describeByte(byte: number | undefined): string {
  if (byte === undefined) return "the end";
  if (byte === QUOTE) return "a string";
  if (byte === MINUS || isDigit(byte)) return "a number";
  if (byte === OPEN_BRACE) return "an object";
  if (byte === OPEN_BRACKET) return "an array";
  if (byte === LETTER_T || byte === LETTER_F || byte === LETTER_N) return "a literal";
  return [COMMA, COLON, CLOSE_BRACE, CLOSE_BRACKET].includes(byte) ? `"${String.fromCharCode(byte)}"` : "another byte";
}

/** Says whether a byte is white space of JSON. */
export function isWhiteSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}
