/**
 * Ids of spans, links, log records and exemplars: which of them otlp-http 7 accepts, read from a sound message. A field
 * that is sent twice counts as its last occurrence. One pass a message: `bench/otlp-cut.ts`.
 */
import { base64Bytes, findBase64End } from "./base64.ts";
import type { WireReader } from "./wire/format.ts";
import { toField, toTag } from "./wire/table.ts";

/** Bytes of each id, by its name in the `.proto` files. */
export const ID_BYTES: Readonly<Record<string, number>> = { trace_id: 16, span_id: 8, parent_span_id: 8 };
/** Ids of one message at most. */
const MAX_IDS = 3;
const BASE64_HINT = " (ids are hex in OTLP JSON, this looks like base64)";
const BASE64_ID_BYTES: ReadonlySet<number> = new Set(Object.values(ID_BYTES));

/** What an id of a message must be. */
export interface IdRule {
  readonly tag: number;
  /** Key of the id in OTLP JSON. */
  readonly jsonName: string;
  readonly size: number;
  readonly isNeeded: boolean;
  readonly mayBeZero: boolean;
}

const NEEDED = { isNeeded: true, mayBeZero: false };
const OPTIONAL = { isNeeded: false, mayBeZero: false };
/** A parent of eight zero bytes is none. */
const MAY_BE_ZERO = { isNeeded: false, mayBeZero: true };

/** The ids of each message that has some, in the order in which their faults are told. */
export const SPAN_IDS: readonly IdRule[] = [
  toRule("Span", "trace_id", NEEDED),
  toRule("Span", "span_id", NEEDED),
  toRule("Span", "parent_span_id", MAY_BE_ZERO),
];
export const LINK_IDS: readonly IdRule[] = ["trace_id", "span_id"].map((name) => toRule("Span.Link", name, NEEDED));
export const LOG_RECORD_IDS: readonly IdRule[] = ["trace_id", "span_id"].map((name) =>
  toRule("LogRecord", name, OPTIONAL),
);
export const EXEMPLAR_IDS: readonly IdRule[] = ["trace_id", "span_id"].map((name) =>
  toRule("Exemplar", name, OPTIONAL),
);

/** Looks at the ids of one message after the other; used again and again, it allocates nothing for any of them. */
export class IdCheck {
  /** The first bad id of the last message: the rule that it breaks, and where it lies. */
  #rule: IdRule | undefined;
  #start = 0;
  #end = 0;
  readonly #starts: Int32Array = new Int32Array(MAX_IDS);
  readonly #ends: Int32Array = new Int32Array(MAX_IDS);

  /** Finds the rule that a message breaks first, of all its ids; undefined when they are as they should be. */
  findBroken(message: WireReader, rules: readonly IdRule[]): IdRule | undefined {
    this.#starts.fill(0);
    this.#ends.fill(0);
    while (!message.isAtEnd()) {
      const index = indexOfTag(rules, message.readField());
      if (index < 0) continue;
      this.#starts[index] = message.valueStart;
      this.#ends[index] = message.position;
    }
    this.#rule = undefined;
    for (let index = 0; index < rules.length && this.#rule === undefined; index += 1) {
      const rule = rules[index];
      this.#start = this.#starts[index] ?? 0;
      this.#end = this.#ends[index] ?? 0;
      if (rule !== undefined && !isGoodId(rule, message.bytes, this.#start, this.#end)) this.#rule = rule;
    }
    return this.#rule;
  }

  /** Says what the bad id that was found last must be: the end of a sentence that begins with its message's path. */
  describe(bytes: Uint8Array): string {
    const { jsonName, size } = this.#rule ?? { jsonName: "", size: 0 };
    const foundBytes = this.#end - this.#start;
    if (foundBytes === size) return `${jsonName} must not be all zero`;
    const hint = isBase64OfId(bytes, this.#start, this.#end) ? BASE64_HINT : "";
    return `${jsonName} must be ${size} bytes, got ${foundBytes}${hint}`;
  }
}

function indexOfTag(rules: readonly IdRule[], tag: number): number {
  for (let index = 0; index < rules.length; index += 1) if (rules[index]?.tag === tag) return index;
  return -1;
}

function isGoodId(rule: IdRule, bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start) return !rule.isNeeded;
  if (end - start !== rule.size) return false;
  if (rule.mayBeZero) return true;
  for (let position = start; position < end; position += 1) if (bytes[position] !== 0) return true;
  return false;
}

function toRule(
  message: string,
  name: string,
  { isNeeded, mayBeZero }: { readonly isNeeded: boolean; readonly mayBeZero: boolean },
): IdRule {
  const field = toField(message, name);
  return { tag: toTag(field), jsonName: field.jsonName, size: ID_BYTES[name] ?? 0, isNeeded, mayBeZero };
}

/** Says whether an id is the padded base64 of one: 24 or 12 characters, which the JSON decoder leaves as its text. */
function isBase64OfId(bytes: Uint8Array, start: number, end: number): boolean {
  if ((end - start) % 4 !== 0) return false;
  const textEnd = findBase64End(bytes, start, end);
  return textEnd >= 0 && BASE64_ID_BYTES.has(base64Bytes(textEnd - start));
}
