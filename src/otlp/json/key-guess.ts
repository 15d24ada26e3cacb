/**
 * Which field a JSON key names. Requests repeat one order of keys thousands of times, so the key that followed last
 * time is compared first, and all others only when it is another. Hot path: `bench/otlp-json-decode.ts`.
 */
import { COLON, type JsonText } from "./text.ts";
import { MAX_FIELDS, MESSAGE_COUNT, type FieldPlan, type MessagePlan } from "./message-plan.ts";

/** Entries of one message in the guesses: one for each field, one for the start of the object. */
const STRIDE = MAX_FIELDS + 1;

/** Reads keys of one text and learns their order. */
export class KeyGuess {
  readonly #text: JsonText;
  /** Message and slot of the key before → one more than the slot of the key that followed it, 0 if none did yet. */
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
    const next = this.#next[place] ?? 0;
    // Most writers follow the order of the table.
    const guess = next === 0 ? previous + 1 : next - 1;
    const { view, position } = text;
    const field = plan.fields[guess];
    if (field !== undefined && isKey(view, position, field)) {
      text.position = position + field.quotedName.length;
      return guess;
    }
    for (const other of plan.fields) {
      if (!isKey(view, position, other)) continue;
      text.position = position + other.quotedName.length;
      this.#next[place] = other.slot + 1;
      return other.slot;
    }
    text.takeString();
    const slot = findField(plan, text);
    text.take(COLON);
    if (slot >= 0) this.#next[place] = slot + 1;
    return slot;
  }
}

/** Slot of the field that the last string of the text names, -1 for none; escapes are undone first. */
export function findField(plan: MessagePlan, text: JsonText): number {
  if (!text.isEscaped) return findSlot(plan, text.bytes, text.stringStart, text.stringEnd);
  const name = text.unescape();
  return findSlot(plan, name, 0, name.length);
}

function isKey(view: DataView, position: number, { quotedName, nameWords }: FieldPlan): boolean {
  const last = position + quotedName.length - 4;
  if (last + 4 > view.byteLength) return false;
  const lastIndex = nameWords.length - 1;
  if (view.getInt32(last, true) !== nameWords[lastIndex]) return false;
  for (let index = 0; index < lastIndex; index++) {
    if (view.getInt32(position + 4 * index, true) !== nameWords[index]) return false;
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
