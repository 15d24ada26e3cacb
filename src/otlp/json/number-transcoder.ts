/**
 * Numbers of OTLP JSON as protobuf scalars: which texts a kind accepts (otlp-http 5.3) and how its value stands on the
 * wire. Part of the hot path of `decode.ts`: `bench/otlp-json-decode.ts`.
 */
import { unreachable } from "../../errors.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { scanDecimal, toDouble, toInteger, type Decimal } from "./decimal.ts";
import { PlainNumber } from "./plain-number.ts";
import { type JsonText, LETTER_F, LETTER_T, QUOTE } from "./text.ts";
import type { FieldPlan } from "./message-plan.ts";
import type { FieldKind } from "../schema.ts";

/** Kinds whose value is a number, an enum or a truth value. */
export type NumberKind = Exclude<FieldKind, "string" | "bytes" | "message">;

const POINT = 0x2e;
const LETTER_E = 0x65;
/** Doubles that JSON can only write as strings. */
const NAMED_DOUBLES: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);
const NAMED_DOUBLE_MAX_BYTES = 9;

/** Reads one number after the other from a text into a writer. */
export class NumberTranscoder {
  readonly #text: JsonText;
  readonly #output: ByteWriter;
  readonly #plain: PlainNumber = new PlainNumber();

  constructor(text: JsonText, output: ByteWriter) {
    this.#text = text;
    this.#output = output;
  }

  /** Writes tag and value of a field that is not repeated; a zero only if the field has presence. */
  transcodeField(field: FieldPlan, kind: NumberKind): void {
    const output = this.#output;
    const start = output.length;
    output.varint(field.tag);
    const isZero = this.transcodeValue(field, kind);
    if (isZero && !field.keepsZero) output.length = start;
  }

  /** Writes a value without its tag and says whether it is the default of its kind. */
  transcodeValue(field: FieldPlan, kind: NumberKind): boolean {
    switch (kind) {
      case "fixed64":
        return this.#writeFixed64(this.#readUnsigned(field));
      case "double":
        this.#readDouble();
        return this.#writeDouble();
      case "int64":
        return this.#writeVarint64(this.#readSigned(field));
      case "int32":
      case "enum":
        return this.#writeVarint64(this.#readInt32(field));
      case "uint32":
        return this.#writeVarint64(this.#readUint32(field));
      case "uint64":
        return this.#writeVarint64(this.#readUnsigned(field));
      case "sfixed64":
        return this.#writeFixed64(this.#readSigned(field));
      case "fixed32":
        return this.#writeFixed32(this.#readUint32(field));
      case "sint32":
        return this.#writeZigzag(this.#readInt32(field));
      case "sint64":
        return this.#writeZigzag(this.#readSigned(field));
      case "bool":
        return this.#transcodeBool();
      default:
        return unreachable(kind, "number kind");
    }
  }

  #transcodeBool(): boolean {
    const first = this.#text.peek();
    if (first !== LETTER_T && first !== LETTER_F) throw this.#text.fault('"true" or "false"');
    this.#text.takeLiteral(first === LETTER_T ? "true" : "false");
    this.#output.byte(first === LETTER_T ? 1 : 0);
    return first === LETTER_F;
  }

  /** Reads a double into the plain number. */
  #readDouble(): void {
    const plain = this.#plain;
    if (!this.#pass(plain.takeDouble(this.#text, this.#findDigits()))) plain.value = this.#readUnusualDouble();
  }

  #readUnusualDouble(): number {
    const text = this.#text;
    const start = text.position;
    if (text.bytes[start] === QUOTE) {
      text.takeString();
      const named = this.#findNamed();
      if (named !== undefined) return named;
      text.position = start;
    }
    const value = toDouble(this.#scan("a number"));
    if (Number.isFinite(value)) return value;
    text.position = start;
    throw text.fault("a number that a double can hold");
  }

  /** The value of the last string, if it is one of the names. */
  #findNamed(): number | undefined {
    const { bytes, stringStart, stringEnd, isEscaped } = this.#text;
    const name = isEscaped ? this.#text.unescape() : bytes.subarray(stringStart, stringEnd);
    return name.length > NAMED_DOUBLE_MAX_BYTES ? undefined : NAMED_DOUBLES.get(String.fromCharCode(...name));
  }

  /** Passes white space; returns where a number begins, behind the quote if there is one. */
  #findDigits(): number {
    return this.#text.peek() === QUOTE ? this.#text.position + 1 : this.#text.position;
  }

  /** Passes a number that was taken up to `end`; false if it goes on, or if none was taken (-1). */
  #pass(end: number): boolean {
    if (end < 0) return false;
    const text = this.#text;
    const { bytes } = text;
    const isQuoted = bytes[text.position] === QUOTE;
    const next = bytes[end] ?? 0;
    if (isQuoted ? next !== QUOTE : next === POINT || (next | 0x20) === LETTER_E) return false;
    text.position = isQuoted ? end + 1 : end;
    return true;
  }

  /** Reads an integer into the plain number, as do those below. */
  #readUnsigned(field: FieldPlan): PlainNumber {
    const plain = this.#plain;
    if (this.#pass(plain.takeUnsigned(this.#text, this.#findDigits()))) return plain;
    const value = this.#readUnusualInteger(field);
    if (value !== BigInt.asUintN(64, value)) throw this.#rangeFault(field);
    return plain.set(value);
  }

  #readSigned(field: FieldPlan): PlainNumber {
    const plain = this.#plain;
    if (this.#pass(plain.takeSigned(this.#text, this.#findDigits()))) return plain;
    const value = this.#readUnusualInteger(field);
    if (value !== BigInt.asIntN(64, value)) throw this.#rangeFault(field);
    return plain.set(value);
  }

  #readInt32(field: FieldPlan): PlainNumber {
    const value = this.#readSigned(field);
    if (value.high !== value.low >> 31) throw this.#rangeFault(field);
    return value;
  }

  #readUint32(field: FieldPlan): PlainNumber {
    const value = this.#readUnsigned(field);
    if (value.high !== 0) throw this.#rangeFault(field);
    return value;
  }

  #readUnusualInteger(field: FieldPlan): bigint {
    const value = toInteger(this.#scan(field.kind === "enum" ? "the number of an enum value" : "an integer"));
    if (value === null) throw this.#rangeFault(field);
    return value;
  }

  /** Scans a number, quoted or not, in which digits may be escaped, and passes it. */
  #scan(wanted: string): Decimal {
    const text = this.#text;
    const start = text.position;
    if (text.bytes[start] !== QUOTE) {
      const decimal = scanDecimal(text.bytes, start);
      if (decimal === null) throw text.fault(wanted);
      text.position = decimal.end;
      return decimal;
    }
    text.takeString();
    const bytes = text.isEscaped ? text.unescape() : text.bytes.subarray(text.stringStart, text.stringEnd);
    const decimal = scanDecimal(bytes, 0);
    if (decimal?.end === bytes.length) return decimal;
    text.position = start;
    throw text.fault(`${wanted}, quoted or not`);
  }

  #writeDouble(): boolean {
    const { value } = this.#plain;
    this.#output.double(value);
    return Object.is(value, 0);
  }

  #writeFixed32({ low }: PlainNumber): boolean {
    this.#output.fixed32(low);
    return low === 0;
  }

  #writeFixed64({ low, high }: PlainNumber): boolean {
    this.#output.fixed64(low, high);
    return (low | high) === 0;
  }

  #writeVarint64({ low, high }: PlainNumber): boolean {
    this.#output.varint64(low >>> 0, high >>> 0);
    return (low | high) === 0;
  }

  #writeZigzag({ low, high }: PlainNumber): boolean {
    const sign = high >> 31;
    this.#output.varint64(((low << 1) ^ sign) >>> 0, (((high << 1) | (low >>> 31)) ^ sign) >>> 0);
    return (low | high) === 0;
  }

  #rangeFault(field: FieldPlan): Error {
    return this.#text.faultAfter(`an integer that fits ${field.kind === "enum" ? "int32" : field.kind}`);
  }
}
