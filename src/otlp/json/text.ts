/**
 * A cursor over JSON text in UTF-8 (RFC 8259): white space, literals, strings, and values that are skipped unread.
 *
 * It checks syntax and UTF-8 of whatever it passes and knows no message. It never recurses, so no depth can hurt it.
 * Hot path, hence a class with open fields: `bench/otlp-json.ts`.
 */
import type { ByteWriter } from "../byte-writer.ts";
import { escapeBytes, skipPlain, writeUnescaped } from "./escape.ts";
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
const POINT = 0x2e;

const LITERALS: Readonly<Record<"true" | "false" | "null", Uint8Array>> = {
  true: new TextEncoder().encode("true"),
  false: new TextEncoder().encode("false"),
  null: new TextEncoder().encode("null"),
};

/** The text breaks a rule at an offset; whoever holds the cursor knows in which field. */
export class JsonFault extends Error {
  override readonly name: string = "JsonFault";
}

/** A cursor; `position` is the next byte to read. Past the end it reads zero bytes, which are never valid JSON. */
export class JsonText {
  readonly bytes: Uint8Array;
  position = 0;
  /** The last string lies here, without its quotes, escapes as written. */
  stringStart = 0;
  stringEnd = 0;
  /** The last string holds escapes. */
  isEscaped = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Passes white space and returns the byte after it without taking it; 0 at the end. */
  peek(): number {
    const { bytes } = this;
    let { position } = this;
    let byte = bytes[position] ?? 0;
    while (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++position] ?? 0;
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
      position = skipPlain(bytes, position, bytes.length);
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

  /** Appends what the last string stands for; lone surrogates become U+FFFD (otlp-http 5.1). */
  writeString(output: ByteWriter): void {
    writeUnescaped(output, this.bytes, this.stringStart, this.stringEnd);
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
    let open = new Uint8Array(64);
    let depth = 0;
    for (;;) {
      const first = this.peek();
      if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        this.position += 1;
        const close = first + 2;
        if (this.peek() !== close) {
          if (depth === open.length) open = grow(open);
          open[depth++] = close;
          if (first === OPEN_BRACE) this.#skipKey();
          continue;
        }
        this.position += 1;
      } else this.#skipScalar(first);
      depth = this.#skipEnds(open, depth);
      if (depth === 0) return;
    }
  }

  /** Makes the fault of finding something else than was wanted here. */
  fault(wanted: string): JsonFault {
    const found = describe(this.bytes[this.position]);
    return new JsonFault(`Cannot read JSON at byte ${this.position}: found ${found}, expected ${wanted}`);
  }

  /** Makes the fault of a value that was passed already and is not what was wanted. */
  faultAfter(wanted: string): JsonFault {
    return new JsonFault(`Cannot read JSON: value before byte ${this.position} is wrong, expected ${wanted}`);
  }

  /** Closes what ends after a value and moves to the next value; returns the containers still open. */
  #skipEnds(open: Uint8Array, openCount: number): number {
    for (let depth = openCount; depth > 0; depth--) {
      const byte = this.peek();
      const close = open[depth - 1];
      if (byte === COMMA) {
        this.position += 1;
        if (close === CLOSE_BRACE) this.#skipKey();
        return depth;
      }
      if (byte !== close) throw this.fault(close === CLOSE_BRACE ? '"," or "}"' : '"," or "]"');
      this.position += 1;
    }
    return 0;
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
function describe(byte: number | undefined): string {
  if (byte === undefined) return "the end";
  if (byte === QUOTE) return "a string";
  if (byte === MINUS || isDigit(byte)) return "a number";
  if (byte === OPEN_BRACE) return "an object";
  if (byte === OPEN_BRACKET) return "an array";
  if (byte === LETTER_T || byte === LETTER_F || byte === LETTER_N) return "a literal";
  return [COMMA, COLON, CLOSE_BRACE, CLOSE_BRACKET].includes(byte) ? `"${String.fromCharCode(byte)}"` : "another byte";
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function grow(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(bytes.length * 2);
  grown.set(bytes);
  return grown;
}
