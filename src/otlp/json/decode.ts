/**
 * OTLP JSON requests → protobuf requests, strictly by otlp-http 5: one pass over the bytes, no value is ever built.
 *
 * Unknown keys are lost here, as in every conversion to protobuf. Ids that are not hex are faults of their items, so
 * they are written such that `../validate.ts` finds them. Hot path, hence a class that nests by recursion (at most
 * `MAX_MESSAGE_DEPTH` deep): `bench/otlp-json.ts`.
 */
import { FirnError } from "../../errors.ts";
import { MAX_MESSAGE_DEPTH, MAX_REQUEST_BYTES_CEILING } from "../../limits.ts";
import type { Signal } from "../../signal.ts";
import { base64Bytes, decodeBase64, findBase64End } from "../base64.ts";
import { ByteWriter } from "../byte-writer.ts";
import { DeadFields } from "./dead-fields.ts";
import { decodeHex } from "./hex.ts";
import { NumberTranscoder } from "./number-transcoder.ts";
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  JsonFault,
  JsonText,
  LETTER_N,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./text.ts";
import { KeyGuess } from "./key-guess.ts";
import { isPackable, MESSAGE_COUNT, REQUEST_PLAN, type FieldPlan, type MessagePlan } from "./message-plan.ts";
import { varintBytes } from "../wire/format.ts";

const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
/** OTLP protobuf is about 0.45 of the same JSON; room for more saves a copy of everything. */
const EXPECTED_RATIO = 0.6;
const EXPECTED_EXTRA_BYTES = 256;
/** What makes an id text of the length of an id a bad id. */
const BAD_ID_MARK = 0xff;

/**
 * Decodes an OTLP JSON request into the protobuf request of the same meaning.
 *
 * @param body UTF-8; a byte order mark is passed over, nothing or white space is the empty request
 * @returns protobuf in an array of its own, fields in the order of the text
 * @throws FirnError `invalid_request` with the JSON path of the fault in `field`, `body` for the document as a whole;
 * `too_large` if the protobuf exceeds `MAX_REQUEST_BYTES_CEILING` (lists of short numbers grow up to fourfold)
 */
export function decodeJsonRequest(signal: Signal, body: Uint8Array): Uint8Array {
  return new RequestDecoder(body).decode(REQUEST_PLAN[signal]);
}

class RequestDecoder {
  readonly #text: JsonText;
  readonly #output: ByteWriter;
  readonly #numbers: NumberTranscoder;
  readonly #keys: KeyGuess;
  readonly #dead: DeadFields;
  /** Bytes that the length of the last message of each kind took: the guess for the next. */
  readonly #lengthBytes: Uint8Array = new Uint8Array(MESSAGE_COUNT).fill(1);
  /** The field being read in the message of each depth, and its place in a list, -1 outside; for error paths. */
  readonly #fields: (FieldPlan | null)[] = [];
  readonly #indexes: Int32Array = new Int32Array(MAX_MESSAGE_DEPTH + 1);
  #depth = 0;

  constructor(body: Uint8Array) {
    this.#text = new JsonText(body);
    this.#output = new ByteWriter(body.length * EXPECTED_RATIO + EXPECTED_EXTRA_BYTES, MAX_REQUEST_BYTES_CEILING);
    this.#numbers = new NumberTranscoder(this.#text, this.#output);
    this.#keys = new KeyGuess(this.#text);
    this.#dead = new DeadFields(this.#output);
  }

  decode(plan: MessagePlan): Uint8Array {
    const text = this.#text;
    if (BYTE_ORDER_MARK.every((byte, index) => text.bytes[index] === byte)) text.position = BYTE_ORDER_MARK.length;
    try {
      text.peek();
      if (text.position < text.bytes.length) this.#decodeDocument(plan);
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      throw new FirnError("invalid_request", error.message, { field: this.#toPath() });
    }
    return this.#output.toBytes();
  }

  #decodeDocument(plan: MessagePlan): void {
    const text = this.#text;
    this.#message(plan);
    text.peek();
    if (text.position < text.bytes.length) throw text.fault("the end");
  }

  /** Reads an object and appends the fields of the message, without tag and length. */
  #message(plan: MessagePlan): void {
    const text = this.#text;
    const output = this.#output;
    text.take(OPEN_BRACE);
    const depth = ++this.#depth;
    if (depth > MAX_MESSAGE_DEPTH)
      throw new JsonFault(`Cannot read JSON: messages nest deeper than ${MAX_MESSAGE_DEPTH}`);
    this.#fields[depth] = null;
    const start = output.length;
    let seen = 0;
    let present = 0;
    let slot = -1;
    let next = text.peek();
    if (next === CLOSE_BRACE) text.position += 1;
    while (next !== CLOSE_BRACE) {
      if (next !== QUOTE) throw text.fault("a key");
      slot = this.#keys.take(plan, slot);
      const field = plan.fields[slot] ?? null;
      this.#fields[depth] = field;
      if (field === null) text.skipValue();
      else {
        const bit = 1 << slot;
        if ((seen & bit) !== 0) this.#dead.bury(depth, slot);
        seen |= bit;
        present &= ~bit;
        const fieldStart = output.length;
        if (this.#field(field, depth)) {
          if ((present & field.rivals) !== 0) throw new JsonFault("Cannot read JSON: two members of one oneof are set");
          present |= bit;
        }
        this.#dead.place(depth, slot, fieldStart);
      }
      next = text.peek();
      if (next !== COMMA && next !== CLOSE_BRACE) throw text.fault('"," or "}"');
      text.position += 1;
      if (next === COMMA) next = text.peek() === QUOTE ? QUOTE : 0;
    }
    if (this.#dead.count > 0) this.#dead.remove(depth, start);
    this.#depth = depth - 1;
  }

  /** Reads the value of a known key; false if it is `null`, which is as good as absent. */
  #field(field: FieldPlan, depth: number): boolean {
    const text = this.#text;
    this.#indexes[depth] = -1;
    if (text.peek() === LETTER_N) {
      text.takeLiteral("null");
      return false;
    }
    if (field.isRepeated) this.#list(field, depth);
    else this.#value(field);
    return true;
  }

  #value(field: FieldPlan): void {
    const { kind } = field;
    if (kind === "message") this.#submessage(field);
    else if (kind === "string") this.#string(field);
    else if (kind !== "bytes") this.#numbers.transcodeField(field, kind);
    else if (field.idBytes > 0) this.#id(field);
    else this.#bytes(field);
  }

  #list(field: FieldPlan, depth: number): void {
    const text = this.#text;
    const output = this.#output;
    const { kind } = field;
    text.take(OPEN_BRACKET);
    if (text.peek() === CLOSE_BRACKET) {
      text.position += 1;
      return;
    }
    const isPacked = isPackable(kind);
    if (isPacked) output.varint(field.tag);
    const start = isPacked ? output.openLength(1) : output.length;
    for (let index = 0, next = COMMA; next === COMMA; index++) {
      this.#indexes[depth] = index;
      if (kind === "message") this.#submessage(field);
      else if (kind === "string") this.#string(field);
      else if (kind === "bytes") this.#bytes(field);
      else this.#numbers.transcodeValue(field, kind);
      next = text.peek();
      if (next !== COMMA && next !== CLOSE_BRACKET) throw text.fault('"," or "]"');
      text.position += 1;
    }
    if (isPacked) output.closeLength(start, 1);
  }

  #submessage(field: FieldPlan): void {
    const plan = field.message;
    if (plan === null) throw new TypeError(`Cannot read ${field.jsonName}: no message in its plan`);
    const output = this.#output;
    output.varint(field.tag);
    const lengthBytes = this.#lengthBytes[plan.id] ?? 1;
    const start = output.openLength(lengthBytes);
    this.#message(plan);
    this.#lengthBytes[plan.id] = output.closeLength(start, lengthBytes);
  }

  #string(field: FieldPlan): void {
    const text = this.#text;
    const output = this.#output;
    if (text.peek() !== QUOTE) throw text.fault("a string");
    text.takeString();
    const { stringStart, stringEnd } = text;
    if (stringStart === stringEnd && !field.keepsZero && !field.isRepeated) return;
    output.varint(field.tag);
    if (text.isEscaped) {
      const guess = varintBytes(stringEnd - stringStart);
      const start = output.openLength(guess);
      text.writeString(output);
      output.closeLength(start, guess);
      return;
    }
    output.varint(stringEnd - stringStart);
    output.copy(text.bytes, stringStart, stringEnd);
  }

  /** Reads base64 of either alphabet. */
  #bytes(field: FieldPlan): void {
    const source = this.#takeText("a string of base64");
    const end = findBase64End(source.bytes, source.stringStart, source.stringEnd);
    if (end < 0) throw this.#text.faultAfter("a string of base64");
    const count = base64Bytes(end - source.stringStart);
    if (count === 0 && !field.keepsZero && !field.isRepeated) return;
    this.#output.varint(field.tag);
    this.#output.varint(count);
    decodeBase64(source.bytes, source.stringStart, end, this.#output);
  }

  /**
   * Reads a hex id. A text that is not hex becomes its own UTF-8, with one byte more if it would have the length of an
   * id: so a bad id never turns into a good one, and its length still tells what it was (24 of base64, 36 of a UUID).
   */
  #id(field: FieldPlan): void {
    if (this.#goodId(field)) return;
    const output = this.#output;
    const source = this.#takeText("a string of hex");
    const { bytes, stringStart, stringEnd } = source;
    const count = stringEnd - stringStart;
    if (count === 0) return;
    output.varint(field.tag);
    const textStart = output.length;
    if (count % 2 === 0) {
      output.varint(count / 2);
      if (decodeHex(bytes, stringStart, stringEnd, output)) return;
      output.length = textStart;
    }
    const hasIdLength = count === 8 || count === 16;
    output.varint(hasIdLength ? count + 1 : count);
    output.copy(bytes, stringStart, stringEnd);
    if (hasIdLength) output.byte(BAD_ID_MARK);
  }

  /** Reads an id that is hex of the right length, which nearly all are, in one pass; false if it is not. */
  #goodId(field: FieldPlan): boolean {
    const text = this.#text;
    const output = this.#output;
    const start = text.position + 1;
    const end = start + 2 * field.idBytes;
    if (text.bytes[start - 1] !== QUOTE || text.bytes[end] !== QUOTE) return false;
    const outputStart = output.length;
    output.varint(field.tag);
    output.varint(field.idBytes);
    if (!decodeHex(text.bytes, start, end, output)) {
      output.length = outputStart;
      return false;
    }
    text.position = end + 1;
    return true;
  }

  /** Takes a string whose characters are looked at; escapes, which nobody needs there, are undone in a copy. */
  #takeText(wanted: string): Pick<JsonText, "bytes" | "stringStart" | "stringEnd"> {
    const text = this.#text;
    if (text.peek() !== QUOTE) throw text.fault(wanted);
    text.takeString();
    if (!text.isEscaped) return text;
    const unescaped = new ByteWriter(64, text.stringEnd - text.stringStart);
    text.writeString(unescaped);
    return { bytes: unescaped.bytes, stringStart: 0, stringEnd: unescaped.length };
  }

  /** JSON path of what is being read. */
  #toPath(): string {
    let path = "";
    for (let depth = 1; depth <= this.#depth; depth++) {
      const field = this.#fields[depth] ?? null;
      if (field === null) break;
      const index = this.#indexes[depth] ?? -1;
      path += `${path === "" ? "" : "."}${field.jsonName}${index < 0 ? "" : `[${index}]`}`;
    }
    return path === "" ? "body" : path;
  }
}
