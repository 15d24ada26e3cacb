/**
 * OTLP JSON requests → protobuf requests, strictly by otlp-http 5: one pass over the bytes, no value is ever built.
 *
 * Unknown keys are lost here, as in every conversion to protobuf. Ids that are not hex are faults of their items, so
 * they are written such that `../validate.ts` finds them. Hot path, hence a class that nests by recursion (at most
 * `MAX_MESSAGE_DEPTH` deep): `bench/otlp-json-decode.ts`.
 */
import { FirnError } from "../../errors.ts";
import { MAX_MESSAGE_DEPTH, MAX_REQUEST_BYTES_CEILING, MAX_TOP_LEVEL_FIELD_BYTES } from "../../limits.ts";
import type { ItemSignal, Signal } from "../../signal.ts";
import { ByteWriter } from "../byte-writer.ts";
import { DeadFields } from "./dead-fields.ts";
import { KeyGuess } from "./key-guess.ts";
import {
  isPackable,
  MAX_FIELDS,
  MESSAGE_COUNT,
  REQUEST_PLAN,
  type FieldPlan,
  type MessagePlan,
} from "./message-plan.ts";
import { NumberTranscoder } from "./number-transcoder.ts";
import { StringTranscoder } from "./string-transcoder.ts";
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

/** OTLP protobuf is about 0.45 of the same JSON; room for more saves a copy of everything. */
const EXPECTED_RATIO = 0.6;
const EXPECTED_EXTRA_BYTES = 256;
/** The writer makes room for more than a value takes; what counts is the length in the end. */
const SPARE_BYTES = 8192;
/** Stands for an unknown key in the path to what is being read. */
const NO_SLOT = -1;

/**
 * Decodes an OTLP JSON request into the protobuf request of the same meaning.
 *
 * @param body UTF-8; a byte order mark is passed over, nothing or white space is the empty request
 * @returns protobuf in an array of its own, fields in the order of the text
 * @throws FirnError `invalid_request` with the JSON path of the fault in `field`, `body` for the document as a whole;
 * `too_large` if the protobuf exceeds `MAX_REQUEST_BYTES_CEILING` (lists of short numbers grow up to fourfold)
 */
export function decodeJsonRequest(signal: Signal, body: Uint8Array): Uint8Array {
  return new RequestDecoder(body, MAX_REQUEST_BYTES_CEILING).decode(REQUEST_PLAN[signal]);
}

/**
 * Decodes some elements of a request's top-level array, such as ResourceSpans, by the rules of
 * {@link decodeJsonRequest}.
 *
 * @param elements UTF-8: at least one element, commas between them, no brackets around
 * @param firstIndex place of the first one in the array, for the paths of faults
 * @returns protobuf of a request with these elements, in an array of its own
 * @throws FirnError as {@link decodeJsonRequest}; `too_large` above `MAX_TOP_LEVEL_FIELD_BYTES`
 */
export function decodeJsonElements(signal: ItemSignal, elements: Uint8Array, firstIndex: number): Uint8Array {
  return new RequestDecoder(elements, MAX_TOP_LEVEL_FIELD_BYTES).decodeElements(REQUEST_PLAN[signal], firstIndex);
}

class RequestDecoder {
  readonly #text: JsonText;
  readonly #output: ByteWriter;
  readonly #maxBytes: number;
  readonly #strings: StringTranscoder;
  readonly #numbers: NumberTranscoder;
  readonly #keys: KeyGuess;
  readonly #dead: DeadFields;
  /** Message and slot → bytes that the length of the last submessage there took: the guess for the next. */
  readonly #lengthBytes: Uint8Array = new Uint8Array(MESSAGE_COUNT * MAX_FIELDS).fill(1);
  /** For error paths: slot of the field being read in the message of each depth, its place in a list, -1 outside. */
  readonly #slots: number[] = [NO_SLOT];
  readonly #indexes: number[] = [-1];
  #depth = 0;

  constructor(body: Uint8Array, maxBytes: number) {
    this.#text = new JsonText(body);
    this.#output = new ByteWriter(body.length * EXPECTED_RATIO + EXPECTED_EXTRA_BYTES, maxBytes + SPARE_BYTES);
    this.#maxBytes = maxBytes;
    this.#strings = new StringTranscoder(this.#text, this.#output);
    this.#numbers = new NumberTranscoder(this.#text, this.#output);
    this.#keys = new KeyGuess(this.#text);
    this.#dead = new DeadFields(this.#output);
  }

  decode(plan: MessagePlan): Uint8Array {
    const text = this.#text;
    text.skipByteOrderMark();
    text.peek();
    if (text.position < text.bytes.length) this.#orFault(plan, () => this.#document(plan));
    return this.#toBytes();
  }

  decodeElements(plan: MessagePlan, firstIndex: number): Uint8Array {
    this.#orFault(plan, () => this.#elements(plan, firstIndex));
    return this.#toBytes();
  }

  /** Turns the fault of a text into the error of a request, with the path of what was being read. */
  #orFault(plan: MessagePlan, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      throw new FirnError("invalid_request", error.message, { field: this.#toPath(plan) });
    }
  }

  #toBytes(): Uint8Array {
    if (this.#output.length > this.#maxBytes)
      throw new FirnError("too_large", `Cannot convert the message: it takes more than ${this.#maxBytes} bytes`);
    return this.#output.toBytes();
  }

  #document(plan: MessagePlan): void {
    const text = this.#text;
    this.#message(plan, 1);
    text.peek();
    if (text.position < text.bytes.length) throw text.fault("the end");
  }

  #elements(plan: MessagePlan, firstIndex: number): void {
    const text = this.#text;
    const field = plan.fields[0];
    if (field === undefined) throw new TypeError(`Cannot read elements of ${plan.name}: it has no fields`);
    this.#depth = 1;
    this.#slots[1] = field.slot;
    for (let index = firstIndex; ; index++) {
      this.#indexes[1] = index;
      this.#submessage(field, plan.id * MAX_FIELDS + field.slot, 1);
      text.peek();
      if (text.position === text.bytes.length) return;
      text.take(COMMA);
    }
  }

  /** Reads an object and appends the fields of the message, without tag and length. */
  #message(plan: MessagePlan, depth: number): void {
    const text = this.#text;
    const output = this.#output;
    if (depth > MAX_MESSAGE_DEPTH)
      throw new JsonFault(`Cannot read JSON: messages nest deeper than ${MAX_MESSAGE_DEPTH}`);
    text.take(OPEN_BRACE);
    this.#depth = depth;
    this.#slots[depth] = NO_SLOT;
    const start = output.length;
    let seen = 0;
    let present = 0;
    let slot = NO_SLOT;
    let isRepeated = false;
    let next = text.peek();
    if (next === CLOSE_BRACE) text.position += 1;
    while (next !== CLOSE_BRACE) {
      if (next !== QUOTE) throw text.fault("a key");
      slot = this.#keys.take(plan, slot);
      this.#slots[depth] = slot;
      const field = plan.fields[slot];
      if (field === undefined) text.skipValue();
      else {
        const bit = 1 << slot;
        if ((seen & bit) !== 0) {
          isRepeated = true;
          this.#dead.bury(depth, field.number);
        }
        seen |= bit;
        present &= ~bit;
        if (this.#field(plan, field, depth)) {
          if ((present & field.rivals) !== 0) throw new JsonFault("Cannot read JSON: two members of one oneof are set");
          present |= bit;
        }
      }
      next = text.peek();
      if (next !== COMMA && next !== CLOSE_BRACE) throw text.fault('"," or "}"');
      text.position += 1;
      if (next === COMMA) next = text.peek() === QUOTE ? QUOTE : 0;
    }
    if (isRepeated) this.#dead.remove(depth, start);
    this.#depth = depth - 1;
  }

  /** Reads the value of a known key; false if it is `null`, which is as good as absent. */
  #field(plan: MessagePlan, field: FieldPlan, depth: number): boolean {
    const text = this.#text;
    this.#indexes[depth] = -1;
    if (text.peek() === LETTER_N) {
      text.takeLiteral("null");
      return false;
    }
    if (field.isRepeated) this.#list(plan, field, depth);
    else this.#value(plan, field, depth);
    return true;
  }

  #value(plan: MessagePlan, field: FieldPlan, depth: number): void {
    const { kind } = field;
    if (kind === "string") this.#strings.transcodeText(field);
    else if (kind === "message") this.#submessage(field, plan.id * MAX_FIELDS + field.slot, depth);
    else if (kind !== "bytes") this.#numbers.transcodeField(field, kind);
    else if (field.idBytes > 0) this.#strings.transcodeId(field);
    else this.#strings.transcodeBytes(field);
  }

  #list(plan: MessagePlan, field: FieldPlan, depth: number): void {
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
      if (kind === "message") this.#submessage(field, plan.id * MAX_FIELDS + field.slot, depth);
      else if (kind === "string") this.#strings.transcodeText(field);
      else if (kind === "bytes") this.#strings.transcodeBytes(field);
      else this.#numbers.transcodeValue(field, kind);
      next = text.peek();
      if (next !== COMMA && next !== CLOSE_BRACKET) throw text.fault('"," or "]"');
      text.position += 1;
    }
    if (isPacked) output.closeLength(start, 1);
  }

  /** Reads a message with its tag and length; `place` is that of the field in the guesses. */
  #submessage(field: FieldPlan, place: number, depth: number): void {
    const plan = field.message;
    if (plan === null) throw new TypeError(`Cannot read ${field.jsonName}: no message in its plan`);
    const output = this.#output;
    output.varint(field.tag);
    const lengthBytes = this.#lengthBytes[place] ?? 1;
    const start = output.openLength(lengthBytes);
    this.#message(plan, depth + 1);
    this.#lengthBytes[place] = output.closeLength(start, lengthBytes);
  }

  /** JSON path of what is being read. */
  #toPath(root: MessagePlan): string {
    let path = "";
    let plan: MessagePlan | null = root;
    for (let depth = 1; depth <= this.#depth && plan !== null; depth++) {
      const field: FieldPlan | undefined = plan.fields[this.#slots[depth] ?? NO_SLOT];
      if (field === undefined) break;
      const index = this.#indexes[depth] ?? -1;
      path += `${path === "" ? "" : "."}${field.jsonName}${index < 0 ? "" : `[${index}]`}`;
      plan = field.message;
    }
    return path === "" ? "body" : path;
  }
}
