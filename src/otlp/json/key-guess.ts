/**
 * Which field a JSON key names. Requests repeat one order of keys thousands of times, so the key that followed last
 * time is compared first, and all others only when it is another. Hot path: `bench/otlp-json.ts`.
 */
import { ByteWriter } from "../byte-writer.ts";
import { COLON, type JsonText } from "./text.ts";
import { MAX_FIELDS, MESSAGE_COUNT, type FieldPlan, type MessagePlan } from "./message-plan.ts";

/** Entries of one message in the guesses: one for each field, one for the start of the object. */
const STRIDE = MAX_FIELDS + 1;

/** Reads keys of one text and learns their order. */
export class KeyGuess {
  readonly #text: JsonText;
  /** Message and slot of the key before (0 at the start, else one more) → slot of the key that followed it. */
  readonly #next: Int8Array = new Int8Array(MESSAGE_COUNT * STRIDE);

  constructor(text: JsonText) {
    this.#text = text;
  }

  /**
   * Takes a key and its colon.
   *
   * @param previous slot of the key before it in the same object, -1 for none
   * @returns slot of the field, -1 for an unknown key
   */
  take(plan: MessagePlan, previous: number): number {
    const text = this.#text;
    const place = plan.id * STRIDE + previous + 1;
    const guess = this.#next[place] ?? 0;
    const name = plan.fields[guess]?.quotedName;
    if (name !== undefined && startsWith(text.bytes, text.position, name)) {
      text.position += name.length;
      return guess;
    }
    text.takeString();
    const slot = text.isEscaped
      ? this.#findUnescaped(plan)
      : findSlot(plan, text.bytes, text.stringStart, text.stringEnd);
    text.take(COLON);
    if (slot >= 0) this.#next[place] = slot;
    return slot;
  }

  #findUnescaped(plan: MessagePlan): number {
    const unescaped = new ByteWriter(64, this.#text.stringEnd - this.#text.stringStart);
    this.#text.writeString(unescaped);
    return findSlot(plan, unescaped.bytes, 0, unescaped.length);
  }
}

function startsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let index = 0; index < prefix.length; index++) {
    if (bytes[start + index] !== prefix[index]) return false;
  }
  return true;
}

function findSlot(plan: MessagePlan, bytes: Uint8Array, start: number, end: number): number {
  for (const field of plan.fields) {
    if (isName(field, bytes, start, end)) return field.slot;
  }
  return -1;
}

function isName(field: FieldPlan, bytes: Uint8Array, start: number, end: number): boolean {
  const { quotedName } = field;
  if (quotedName.length - 3 !== end - start) return false;
  for (let position = start; position < end; position++) {
    if (bytes[position] !== quotedName[position - start + 1]) return false;
  }
  return true;
}
