/**
 * Cuts one OTLP JSON document, such as the inflated bytes of an archive object, at the elements of its top-level array
 * and gives them as protobuf, in memory of one element, however large the document is.
 *
 * As strict as `decodeJsonRequest`, with two differences. What was given cannot be taken back, so once the array was
 * there its key may not come again, whatever its value. And nothing, or white space alone, is no document: an archive
 * object that lost all of its bytes must not pass for an empty one. Rules: otlp-http 5.1 and 5.2.
 */
import { FirnError, unreachable } from "../../errors.ts";
import { MAX_TOP_LEVEL_FIELD_BYTES, MAX_UNKNOWN_VALUE_DEPTH } from "../../limits.ts";
import type { ItemSignal } from "../../signal.ts";
import { ByteWriter } from "../byte-writer.ts";
import { ElementList } from "./element-list.ts";
import { findField } from "./key-guess.ts";
import { REQUEST_PLAN } from "./message-plan.ts";
import { OpenContainers } from "./open-containers.ts";
import { toWordSource } from "./plain-run.ts";
import {
  BYTE_ORDER_MARK,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  describeByte,
  isWhiteSpace,
  JsonFault,
  JsonText,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./text.ts";
import { ValueScan } from "./value-scan.ts";

/** A cursor over pieces of one document, in order. */
export interface JsonSplitter {
  /**
   * Takes the next piece and returns Export…Request protobuf of the elements that it completes, each in an array of its
   * own: field 1 once per element, in the order of the document.
   * @param requests - receives them; up to a fault, too
   * @throws FirnError `corrupt_object` if the document breaks a rule, or if an element, a key or a scalar is larger
   * than `MAX_TOP_LEVEL_FIELD_BYTES`; the splitter is then of no further use
   */
  push(piece: Uint8Array, requests?: Uint8Array[]): readonly Uint8Array[];
  /** Ends the document. @throws FirnError `corrupt_object` if it ended too early */
  end(): readonly Uint8Array[];
}

/** What comes next outside of the array; "close" is the bracket that ends the innermost object or array. */
type Wanted =
  | "an object"
  | "a key"
  | "a key or close"
  | "a colon"
  | "a value"
  | "a value or close"
  | "a comma or close"
  | "the end";

/** Room that a key or a scalar begins with when it crosses a piece. */
const PENDING_INITIAL_BYTES = 64;
/** 1 for the bytes that end a number or a literal. */
const ENDS_SCALAR: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isBracket = [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET].includes(byte);
  return isBracket || byte === COMMA || byte === COLON || byte === QUOTE || isWhiteSpace(byte) ? 1 : 0;
});

/** Opens a splitter at the beginning of a document. */
export function openJsonSplitter(signal: ItemSignal): JsonSplitter {
  return new DocumentCursor(signal);
}

class DocumentCursor implements JsonSplitter {
  readonly #signal: ItemSignal;
  #wanted: Wanted = "an object";
  readonly #open: OpenContainers = new OpenContainers();
  /** The array of containers, while it is open. */
  #list: ElementList | null = null;
  #hadList = false;
  /** The value that comes next, or has begun, is that of the array's key. */
  #isListNext = false;
  /** A key or a scalar has begun; the part of it in earlier pieces is pending. */
  #isInToken = false;
  readonly #pending: ByteWriter = new ByteWriter(PENDING_INITIAL_BYTES, MAX_TOP_LEVEL_FIELD_BYTES);
  readonly #scan: ValueScan = new ValueScan();
  /** Bytes of the byte order mark that were there. */
  #markBytes = 0;
  /** Bytes in the pieces before. */
  #takenBytes = 0;

  constructor(signal: ItemSignal) {
    this.#signal = signal;
  }

  push(piece: Uint8Array, requests: Uint8Array[] = []): readonly Uint8Array[] {
    try {
      for (let position = 0; position < piece.length;) position = this.#take(piece, position, requests);
    } catch (error) {
      throw this.#toCorrupt(error);
    }
    this.#takenBytes += piece.length;
    return requests;
  }

  end(): readonly Uint8Array[] {
    if (this.#wanted === "the end") return [];
    throw this.#toCorrupt(new JsonFault(`Cannot read JSON: found the end of the document, expected ${this.#wanted}`));
  }

  /** Takes something that comes next and returns the position after it. */
  #take(piece: Uint8Array, position: number, requests: Uint8Array[]): number {
    if (this.#list !== null) {
      const next = this.#list.take(piece, position, requests);
      if (this.#list.isClosed) this.#endValue();
      return next;
    }
    if (this.#isInToken) return this.#takeToken(piece, position);
    const byte = piece[position] ?? 0;
    if (this.#isMark(byte, position) || isWhiteSpace(byte) || this.#takeSign(byte)) return position + 1;
    this.#isInToken = true;
    return this.#takeToken(piece, position);
  }

  /** Says whether this is the next byte of the byte order mark. */
  #isMark(byte: number, position: number): boolean {
    const count = this.#markBytes;
    if (this.#takenBytes + position !== count || byte !== BYTE_ORDER_MARK[count]) return false;
    this.#markBytes += 1;
    return true;
  }

  /** Takes a bracket, comma or colon; false if a key or a scalar begins here. */
  #takeSign(byte: number): boolean {
    switch (this.#wanted) {
      case "an object":
        if (byte === OPEN_BRACE && this.#markBytes % BYTE_ORDER_MARK.length === 0) return this.#openContainer(byte);
        break;
      case "a key":
        if (byte === QUOTE) return false;
        break;
      case "a key or close":
        if (byte === CLOSE_BRACE) return this.#closeContainer();
        if (byte === QUOTE) return false;
        break;
      case "a colon":
        if (byte === COLON) return this.#want("a value");
        break;
      case "a value":
        return this.#openValue(byte);
      case "a value or close":
        return byte === CLOSE_BRACKET ? this.#closeContainer() : this.#openValue(byte);
      case "a comma or close":
        if (byte === this.#open.close()) return this.#closeContainer();
        if (byte === COMMA) return this.#want(this.#open.close() === CLOSE_BRACE ? "a key" : "a value");
        break;
      case "the end":
        break;
      default:
        return unreachable(this.#wanted, "state");
    }
    throw new JsonFault(`Cannot read JSON: found ${describeByte(byte)}, expected ${this.#wanted}`);
  }

  #want(wanted: Wanted): true {
    this.#wanted = wanted;
    return true;
  }

  #openContainer(bracket: number): true {
    if (this.#open.depth === MAX_UNKNOWN_VALUE_DEPTH)
      throw new JsonFault(`Cannot read JSON: values nest deeper than ${MAX_UNKNOWN_VALUE_DEPTH} levels`);
    this.#open.push(bracket);
    return this.#want(bracket === OPEN_BRACE ? "a key or close" : "a value or close");
  }

  #closeContainer(): true {
    this.#open.pop();
    return this.#want(this.#open.depth === 0 ? "the end" : "a comma or close");
  }

  /** Opens an object or an array; false if a scalar begins here. */
  #openValue(byte: number): boolean {
    if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) return false;
    if (!this.#isListNext) return this.#openContainer(byte);
    if (byte === OPEN_BRACE) throw new JsonFault("Cannot read JSON: found an object, expected an array");
    this.#list = new ElementList(this.#signal);
    this.#hadList = true;
    return true;
  }

  /** Takes a key or a scalar, or as much of it as the piece holds. */
  #takeToken(piece: Uint8Array, start: number): number {
    const pending = this.#pending;
    const end = this.#findTokenEnd(piece, start);
    if (end >= 0 && pending.length === 0) this.#readToken(piece.subarray(start, end));
    else {
      pending.copy(piece, start, end < 0 ? piece.length : end);
      if (end < 0) return piece.length;
      this.#readToken(pending.bytes.subarray(0, pending.length));
      pending.length = 0;
    }
    this.#isInToken = false;
    return end;
  }

  /** Position after a string, or after a number or literal; -1 if it may go on behind the piece. */
  #findTokenEnd(piece: Uint8Array, start: number): number {
    const isBeginning = this.#pending.length === 0;
    const first = isBeginning ? piece[start] : this.#pending.bytes[0];
    if (first === QUOTE) return this.#scan.findEnd(toWordSource(piece), start);
    for (let position = isBeginning ? start + 1 : start; position < piece.length; position++) {
      if (ENDS_SCALAR[piece[position] ?? 0] === 1) return position;
    }
    return -1;
  }

  #readToken(token: Uint8Array): void {
    const text = new JsonText(token);
    if (this.#wanted === "a key" || this.#wanted === "a key or close") {
      text.takeString();
      this.#endKey(text);
      return;
    }
    if (this.#isListNext) text.takeLiteral("null");
    else text.skipValue();
    if (text.position < token.length) throw text.fault("the end of a value");
    this.#endValue();
  }

  #endKey(text: JsonText): void {
    this.#isListNext = this.#open.depth === 1 && findField(REQUEST_PLAN[this.#signal], text) >= 0;
    if (this.#isListNext && this.#hadList) throw new JsonFault("Cannot read JSON: found the key of the array again");
    this.#wanted = "a colon";
  }

  #endValue(): void {
    this.#list = null;
    this.#isListNext = false;
    this.#wanted = "a comma or close";
  }

  #toCorrupt(error: unknown): unknown {
    if (!(error instanceof JsonFault) && !(error instanceof FirnError)) return error;
    const message = `Cannot split an OTLP JSON document after byte ${this.#takenBytes}: ${error.message}`;
    const field = error instanceof FirnError ? error.field : undefined;
    return new FirnError("corrupt_object", message, { cause: error, ...(field === undefined ? {} : { field }) });
  }
}
