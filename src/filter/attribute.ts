/**
 * Single attributes, read from their bytes: {@link compileAttribute} makes a condition of a key and a value written as
 * text, {@link findTextValue} reads the first text of a key. Attributes as every encoder writes them, a key and then a
 * value, are compared in place; any other shape is read field by field, as protobuf merges it.
 */
import { decodeBase64, findBase64End } from "../otlp/base64.ts";
import { ByteWriter } from "../otlp/byte-writer.ts";
import { hasValue, listFields, type MessageRange } from "../otlp/fields.ts";
import { readTextValue } from "../otlp/item-facts.ts";
import { WireReader } from "../otlp/wire/format.ts";
import { toField, toTag } from "../otlp/wire/table.ts";
import type { AttributeMatch } from "./contract.ts";

/** A condition on one attribute. */
export interface AttributeCondition {
  /** One of these stands in every attribute that meets it; none of them is empty unless the key is. */
  readonly needles: readonly Uint8Array[];
  isMetBy(attribute: MessageRange): boolean;
}

/** What a value must be, in each of the types that a text may stand for. */
interface ExpectedValue {
  readonly text: Uint8Array;
  readonly bool: boolean | null;
  readonly int: bigint | null;
  readonly double: number | null;
  readonly bytes: Uint8Array | null;
}

/** The member of a value that is set, and where it lies. */
interface Member extends MessageRange {
  readonly tag: number;
}

const KEY_TAG: number = toTag(toField("KeyValue", "key"));
const VALUE_TAG: number = toTag(toField("KeyValue", "value"));
const STRING_TAG: number = toTag(toField("AnyValue", "string_value"));
const BOOL_TAG: number = toTag(toField("AnyValue", "bool_value"));
const INT_TAG: number = toTag(toField("AnyValue", "int_value"));
const DOUBLE_TAG: number = toTag(toField("AnyValue", "double_value"));
const BYTES_TAG: number = toTag(toField("AnyValue", "bytes_value"));
/** The others, which match nothing, and of which the last one that is set counts all the same. */
const OTHER_TAGS: readonly number[] = ["array_value", "kvlist_value", "string_value_strindex"].map((name) =>
  toTag(toField("AnyValue", name)),
);
const MEMBER_TAGS: ReadonlySet<number> = new Set([STRING_TAG, BOOL_TAG, INT_TAG, DOUBLE_TAG, BYTES_TAG, ...OTHER_TAGS]);

/** A byte of a varint from here on is not the last one. */
const CONTINUED = 0x80;
/** Where there is no value, because the key is another one, or because the shape is none that is read in place. */
const OTHER_KEY = -1;
const OTHER_SHAPE = -2;
/** A shorter needle is found too often to be worth its search. */
const MIN_NEEDLE_BYTES = 4;
const INT = /^(?:0|-?[1-9]\d{0,18})$/;
const DOUBLE = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const MAX_INT: bigint = 2n ** 63n - 1n;

/** Compiles a condition. */
export function compileAttribute({ key, value }: AttributeMatch): AttributeCondition {
  const keyBytes = new TextEncoder().encode(key);
  const expected = toExpected(value);
  return {
    needles: toNeedles(keyBytes, expected),
    isMetBy: (attribute) => {
      const valueAt = findValue(attribute, keyBytes);
      if (valueAt === OTHER_KEY) return false;
      if (valueAt !== OTHER_SHAPE) return isEqual(readMember([{ ...attribute, start: valueAt }]), expected);
      return hasValue(attribute, KEY_TAG, keyBytes) && isEqual(readMember(listFields(attribute, VALUE_TAG)), expected);
    },
  };
}

/** Compares the text of an attribute, read as manifests list service names; `null`: the attribute has another key. */
export type TextComparison = (attribute: MessageRange) => boolean | null;

/** Compiles a comparison with one text. */
export function compileText(key: string, text: string): TextComparison {
  const keyBytes = new TextEncoder().encode(key);
  const textBytes = new TextEncoder().encode(text);
  return (attribute) => {
    const { bytes, end } = attribute;
    const valueAt = findValue(attribute, keyBytes);
    if (valueAt === OTHER_KEY) return null;
    if (valueAt === OTHER_SHAPE && !hasValue(attribute, KEY_TAG, keyBytes)) return null;
    const start = endOfShortHead(bytes, valueAt, end, STRING_TAG);
    if (start !== 0) return isSame(bytes, start, end, textBytes);
    return readTextValue(attribute) === text;
  };
}

/**
 * Finds the value of an attribute that consists of a key and a value.
 * @returns where it starts; it ends with the attribute
 */
function findValue({ bytes, start, end }: MessageRange, key: Uint8Array): number {
  const keyBytes = bytes[start + 1] ?? CONTINUED;
  const keyEnd = start + 2 + keyBytes;
  if (bytes[start] !== KEY_TAG || keyBytes >= CONTINUED || keyEnd >= end) return OTHER_SHAPE;
  const valueAt = endOfShortHead(bytes, keyEnd, end, VALUE_TAG);
  if (valueAt === 0) return OTHER_SHAPE;
  return isSame(bytes, start + 2, keyEnd, key) ? valueAt : OTHER_KEY;
}

/** Says where the value of a field starts that reaches to `end`, with a length of one or two bytes; 0 if none does. */
function endOfShortHead(bytes: Uint8Array, start: number, end: number, tag: number): number {
  if (start < 0 || bytes[start] !== tag) return 0;
  const first = bytes[start + 1] ?? CONTINUED;
  if (first < CONTINUED) return start + 2 + first === end ? start + 2 : 0;
  const second = bytes[start + 2] ?? CONTINUED;
  return second < CONTINUED && start + 3 + (first & 0x7f) + (second << 7) === end ? start + 3 : 0;
}

function isSame(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  if (end - start !== expected.length) return false;
  for (let index = 0; index < expected.length; index += 1) if (bytes[start + index] !== expected[index]) return false;
  return true;
}

/** Reads a value that may come in pieces: of its members the one that is set last counts. */
function readMember(pieces: readonly MessageRange[]): Member | null {
  let member: Member | null = null;
  for (const { bytes, start, end } of pieces) {
    const reader = new WireReader(bytes, start, end);
    while (!reader.isAtEnd()) {
      const tag = reader.readField();
      if (MEMBER_TAGS.has(tag)) member = { tag, bytes, start: reader.valueStart, end: reader.position };
    }
  }
  return member;
}

function isEqual(member: Member | null, expected: ExpectedValue): boolean {
  if (member === null) return false;
  const { tag, bytes, start, end } = member;
  if (tag === STRING_TAG) return isSame(bytes, start, end, expected.text);
  if (tag === BOOL_TAG) return expected.bool !== null && (readUint64(member) !== 0n) === expected.bool;
  if (tag === INT_TAG) return expected.int !== null && BigInt.asIntN(64, readUint64(member)) === expected.int;
  if (tag === DOUBLE_TAG) return expected.double !== null && isSameNumber(readDouble(member), expected.double);
  return tag === BYTES_TAG && expected.bytes !== null && isSame(bytes, start, end, expected.bytes);
}

function readUint64({ bytes, start, end }: Member): bigint {
  return new WireReader(bytes, start, end).readUint64();
}

function readDouble({ bytes, start }: Member): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(start, true);
}

function isSameNumber(left: number, right: number): boolean {
  return left === right || (Number.isNaN(left) && Number.isNaN(right));
}

function toExpected(value: string): ExpectedValue {
  const int = INT.test(value) ? BigInt(value) : null;
  return {
    text: new TextEncoder().encode(value),
    bool: value === "true" ? true : value === "false" ? false : null,
    int: int !== null && int <= MAX_INT && int >= -MAX_INT - 1n ? int : null,
    double: toDouble(value),
    bytes: toBytes(value),
  };
}

/** A decimal number, or one of the three that OTLP JSON writes as texts. */
function toDouble(value: string): number | null {
  const isNumber = DOUBLE.test(value) || value === "NaN" || value === "Infinity" || value === "-Infinity";
  return isNumber ? Number(value) : null;
}

function toBytes(value: string): Uint8Array | null {
  const text = new TextEncoder().encode(value);
  const end = findBase64End(text, 0, text.length);
  if (end < 0) return null;
  const output = new ByteWriter(text.length, Number.POSITIVE_INFINITY);
  decodeBase64(text, 0, end, output);
  return output.toBytes();
}

/** The value where it can only be text or bytes and is long enough; else the key. */
function toNeedles(key: Uint8Array, { text, bool, int, double, bytes }: ExpectedValue): readonly Uint8Array[] {
  const isNumber = bool !== null || int !== null || double !== null;
  const values = bytes === null ? [text] : [text, bytes];
  const isLong = values.every(({ length }) => length >= MIN_NEEDLE_BYTES);
  return isNumber || !isLong ? [key] : values;
}
