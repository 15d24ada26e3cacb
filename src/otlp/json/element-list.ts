/**
 * The array of containers at the top of an OTLP JSON document, in pieces of any size: cuts it at its elements and
 * decodes runs of whole ones. An element that crosses pieces is gathered; nothing else is kept.
 */
import { MAX_TOP_LEVEL_FIELD_BYTES } from "../../limits.ts";
import type { ItemSignal } from "../../signal.ts";
import { ByteWriter } from "../byte-writer.ts";
import { decodeJsonElements } from "./decode.ts";
import { toWordSource, type WordSource } from "./plain-run.ts";
import { CLOSE_BRACKET, COMMA, describeByte, isWhiteSpace, JsonFault, OPEN_BRACE } from "./text.ts";
import { ValueScan } from "./value-scan.ts";

/** Whole elements are decoded together up to about this many bytes, so that what is given away stays small. */
const RUN_BYTES = 262_144;
/** Room that an element begins with when it crosses a piece; it doubles, so the copying stays linear. */
const PENDING_INITIAL_BYTES = 4096;

/** Elements that follow each other in a piece. */
interface ElementRun {
  /** Where each begins and ends. */
  readonly bounds: readonly number[];
  /** Index of the first one in the array. */
  readonly firstIndex: number;
}

/** A cursor over the bytes behind the opening bracket of the array. */
export class ElementList {
  /** The closing bracket was passed. */
  isClosed = false;
  readonly #signal: ItemSignal;
  readonly #scan: ValueScan = new ValueScan();
  #wanted: "element or end" | "element" | "comma or end" = "element or end";
  #isInElement = false;
  /** Elements that ended. */
  #elementCount = 0;
  /** Beginning of the element that crosses pieces. */
  readonly #pending: ByteWriter = new ByteWriter(PENDING_INITIAL_BYTES, MAX_TOP_LEVEL_FIELD_BYTES);

  constructor(signal: ItemSignal) {
    this.#signal = signal;
  }

  /**
   * Takes the bytes of a piece from `start` to the end of the array, at most.
   *
   * @param requests receives protobuf of the elements that it completes
   * @returns position after what was taken
   * @throws JsonFault or FirnError if an element breaks a rule or is larger than `MAX_TOP_LEVEL_FIELD_BYTES`
   */
  take(bytes: Uint8Array, start: number, requests: Uint8Array[]): number {
    const piece = toWordSource(bytes);
    let position = this.#isInElement ? this.#takeRest(piece, start, requests) : start;
    while (position < bytes.length && !this.isClosed) position = this.#takeRun(piece, position, requests);
    return position;
  }

  /** Takes the rest of the element that began in an earlier piece. */
  #takeRest(piece: WordSource, start: number, requests: Uint8Array[]): number {
    const { bytes } = piece;
    const end = this.#findEnd(piece, start);
    this.#pending.copy(bytes, start, end < 0 ? bytes.length : end);
    if (end < 0) return bytes.length;
    const element = this.#pending.bytes.subarray(0, this.#pending.length);
    requests.push(decodeJsonElements(this.#signal, element, this.#elementCount - 1));
    this.#pending.length = 0;
    return end;
  }

  /** Takes elements that lie in the piece whole, and the beginning of one that does not. */
  #takeRun(piece: WordSource, start: number, requests: Uint8Array[]): number {
    const { bytes } = piece;
    const firstIndex = this.#elementCount;
    let position = this.#findElement(bytes, start);
    const runStart = position;
    /** Where each element begins and ends. */
    const bounds: number[] = [];
    try {
      while (this.#isInElement) {
        const end = this.#findEnd(piece, position);
        if (end < 0) {
          this.#pending.copy(bytes, position, bytes.length);
          position = bytes.length;
          break;
        }
        bounds.push(position, end);
        position = end;
        if (end - runStart < RUN_BYTES) position = this.#findElement(bytes, end);
      }
    } finally {
      if (bounds.length > 0) this.#decodeRun(bytes, { bounds, firstIndex }, requests);
    }
    return position;
  }

  /** Decodes elements together; if one of them is at fault, those before it are given. */
  #decodeRun(bytes: Uint8Array, { bounds, firstIndex }: ElementRun, requests: Uint8Array[]): void {
    try {
      requests.push(decodeJsonElements(this.#signal, bytes.subarray(bounds[0], bounds.at(-1)), firstIndex));
    } catch (error) {
      if (bounds.length === 2) throw error;
      for (let at = 0; at < bounds.length; at += 2) {
        const element = { bounds: bounds.slice(at, at + 2), firstIndex: firstIndex + at / 2 };
        this.#decodeRun(bytes, element, requests);
      }
    }
  }

  #findEnd(piece: WordSource, start: number): number {
    const end = this.#scan.findEnd(piece, start);
    if (end >= 0) {
      this.#isInElement = false;
      this.#wanted = "comma or end";
      this.#elementCount += 1;
    }
    return end;
  }

  /** Passes what stands between elements; stops at the next one, behind the closing bracket or at the piece's end. */
  #findElement(bytes: Uint8Array, start: number): number {
    for (let position = start; position < bytes.length; position++) {
      const byte = bytes[position] ?? 0;
      if (isWhiteSpace(byte)) continue;
      if (byte === COMMA && this.#wanted === "comma or end") this.#wanted = "element";
      else if (byte === CLOSE_BRACKET && this.#wanted !== "element") {
        this.isClosed = true;
        return position + 1;
      } else if (byte === OPEN_BRACE && this.#wanted !== "comma or end") {
        this.#isInElement = true;
        return position;
      } else {
        throw new JsonFault(`Cannot read JSON: found ${describeByte(byte)} in the list, expected ${this.#wanted}`);
      }
    }
    return bytes.length;
  }
}
