/**
 * Reading of Firn's own JSON documents, manifests and member tables: each value is checked where it is taken, and a
 * fault names the field. Unknown members of an object are ignored, as later versions may add some.
 */
import { FirnError, toErrorMessage } from "../errors.ts";
import type { Bytes } from "../units.ts";

/** A value of a document, and where it stands. */
export interface JsonField {
  readonly value: unknown;
  /** Path in the document, such as `outputs[0].digest`; empty for the document itself. */
  readonly path: string;
  /** What the document is, such as `manifest`. */
  readonly document: string;
}

/** Range of an integer, both ends included. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** The only format there is. */
export const FORMAT = 1;

const MAX_UNSIGNED_64 = 2n ** 64n - 1n;
const UNSIGNED_64 = /^(?:0|[1-9]\d{0,19})$/;

/**
 * Decodes a document and looks at its `format`.
 * @throws FirnError `unknown_format` for another format than 1, `corrupt_object` for what is no such document
 */
export function decodeDocument(bytes: Uint8Array, document: string, maxBytes: Bytes): JsonField {
  const field = decodeJson(bytes, document, maxBytes);
  const format = memberOf(field, "format");
  if (format.value !== FORMAT && format.value !== undefined) {
    const found = typeof format.value === "number" ? `format is ${format.value}` : "format is no number";
    throw new FirnError("unknown_format", `Cannot decode ${document}: ${found}, expected ${FORMAT}`, {
      field: "format",
    });
  }
  if (format.value === undefined) throw corrupt(format, "is missing", String(FORMAT));
  return field;
}

/** How {@link encodeDocument} ends a document and makes sure of it. */
export interface DocumentRules {
  /** Its decoder, which says whether every value is one that readers take. */
  readonly decode: (encoded: Uint8Array) => unknown;
  /** What follows the JSON. */
  readonly end: "\n" | "";
}

/**
 * Encodes a document as JSON on one line.
 * @throws RangeError when its decoder would refuse it: such a document must never be stored
 */
export function encodeDocument(value: object, document: string, { decode, end }: DocumentRules): Uint8Array {
  const encoded = new TextEncoder().encode(JSON.stringify(value) + end);
  try {
    decode(encoded);
  } catch (error) {
    throw new RangeError(`Cannot encode ${document}: readers would say "${toErrorMessage(error)}"`, { cause: error });
  }
  return encoded;
}

/**
 * Decodes JSON.
 * @throws FirnError `corrupt_object`
 */
export function decodeJson(bytes: Uint8Array, document: string, maxBytes: Bytes): JsonField {
  const root = { value: undefined, path: "", document };
  if (bytes.byteLength > maxBytes) throw corrupt(root, `has ${bytes.byteLength} bytes`, `at most ${maxBytes}`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { ...root, value: JSON.parse(text) };
  } catch (error) {
    throw corrupt(root, "is not JSON", "an object", error);
  }
}

/** Takes a member of an object; its value is `undefined` when there is none. */
export function memberOf(field: JsonField, name: string): JsonField {
  const { value, path, document } = field;
  if (!isRecord(value)) throw corrupt(field, "is not right", "an object");
  const member = Object.hasOwn(value, name) ? value[name] : undefined;
  return { value: member, path: path === "" ? name : `${path}.${name}`, document };
}

/** Reads each element of a list. */
export function toList<T>(field: JsonField, read: (element: JsonField) => T, max: number = Infinity): readonly T[] {
  if (!Array.isArray(field.value)) throw corrupt(field, "is not right", "a list");
  if (field.value.length > max) throw corrupt(field, `has ${field.value.length} elements`, `at most ${max}`);
  return field.value.map((value: unknown, index) =>
    read({ value, path: `${field.path}[${index}]`, document: field.document }),
  );
}

/** Reads what may be `null`. */
export function toNullable<T>(field: JsonField, read: (field: JsonField) => T): T | null {
  return field.value === null ? null : read(field);
}

/** Reads an integer. */
export function toInteger(field: JsonField, { min, max }: IntegerRange): number {
  const { value } = field;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const found = typeof value === "number" ? `is ${value}` : "is not right";
  throw corrupt(field, found, `an integer from ${min} to ${max}`);
}

/** Reads a count or a size: an integer from `min` on. */
export function toCount(field: JsonField, min: number = 0): number {
  return toInteger(field, { min, max: Number.MAX_SAFE_INTEGER });
}

/** Reads a text, which may be empty. */
export function toText(field: JsonField): string {
  if (typeof field.value !== "string") throw corrupt(field, "is not right", "a text");
  return field.value;
}

/** Reads a text that is not empty. */
export function toName(field: JsonField): string {
  const text = toText(field);
  if (text === "") throw corrupt(field, "is empty", "a text");
  return text;
}

/** Reads `true` or `false`. */
export function toBoolean(field: JsonField): boolean {
  if (typeof field.value !== "boolean") throw corrupt(field, "is not right", "true or false");
  return field.value;
}

/** Reads hex digits in lower case, so and so many. */
export function toHex(field: JsonField, digits: number): string {
  const { value } = field;
  if (typeof value === "string" && value.length === digits && /^[0-9a-f]*$/.test(value)) return value;
  throw corrupt(field, "is not right", `${digits} hex digits in lower case`);
}

/** Reads nanoseconds since the Unix epoch, written as a text because a JSON number would lose the last digits. */
export function toUnixNano(field: JsonField): bigint {
  const { value } = field;
  if (typeof value === "string" && UNSIGNED_64.test(value) && BigInt(value) <= MAX_UNSIGNED_64) return BigInt(value);
  throw corrupt(field, "is not right", "an unsigned number of 64 bits in decimal digits, as a text");
}

/** Refuses a list whose elements have a key twice. */
export function refuseTwins(field: JsonField, elements: readonly { readonly key: string }[]): void {
  const keys = new Set<string>();
  elements.forEach(({ key }, index) => {
    if (keys.has(key)) throw corrupt(field, `has the key of element ${index} twice`, "each key once");
    keys.add(key);
  });
}

/** Makes the error of a field. */
export function corrupt(field: JsonField, found: string, expected: string, cause?: unknown): FirnError {
  const where = field.path === "" ? "it" : field.path;
  return new FirnError("corrupt_object", `Cannot decode ${field.document}: ${where} ${found}, expected ${expected}`, {
    ...(field.path === "" ? {} : { field: field.path }),
    ...(cause === undefined ? {} : { cause }),
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
