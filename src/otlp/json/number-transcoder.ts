/**
 * Numbers of OTLP JSON as protobuf scalars: which texts a kind accepts (otlp-http 5.3) and how its value stands on the
 * wire. Part of the hot path of `decode.ts`: `bench/otlp-json.ts`.
 */
import { unreachable } from "../../errors.ts";
import { ByteWriter } from "../byte-writer.ts";
import { Decimal } from "./decimal.ts";
import { JsonText, LETTER_F, LETTER_T, QUOTE } from "./text.ts";
import type { FieldPlan } from "./message-plan.ts";
import type { FieldKind } from "../schema.ts";

/** Kinds whose value is a number, an enum or a truth value. */
export type NumberKind = Exclude<FieldKind, "string" | "bytes" | "message">;

const MAX_UINT32 = 0xffff_ffff;
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
  readonly #decimal: Decimal = new Decimal();

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
      case "double":
        return this.#transcodeDouble();
      case "fixed64":
        return this.#writeFixed64(this.#scan(field).readUnsigned(), field);
      case "sfixed64":
        return this.#writeFixed64(this.#scan(field).readSigned(), field);
      case "int64":
        return this.#writeVarint64(this.#scan(field).readSigned(), field);
      case "uint64":
        return this.#writeVarint64(this.#scan(field).readUnsigned(), field);
      case "int32":
      case "enum":
        return this.#writeVarint64(this.#readInt32(field), field);
      case "uint32":
        return this.#writeVarint64(this.#readUint32(field), field);
      case "fixed32":
        return this.#writeFixed32(field);
      case "sint32":
        return this.#writeZigzag(this.#readInt32(field), field);
      case "sint64":
        return this.#writeZigzag(this.#scan(field).readSigned(), field);
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

  #transcodeDouble(): boolean {
    const value = this.#readDouble();
    this.#output.double(value);
    return Object.is(value, 0);
  }

  #readDouble(): number {
    const text = this.#text;
    const first = text.peek();
    const start = text.position;
    if (first === QUOTE) {
      text.takeString();
      const named = this.#findNamed();
      if (named !== undefined) return named;
      text.position = start;
    }
    this.#scanFor("a number");
    const value = this.#decimal.toDouble();
    if (Number.isFinite(value)) return value;
    text.position = start;
    throw text.fault("a number that a double can hold");
  }

  /** The value of the last string, if it is one of the names. */
  #findNamed(): number | undefined {
    const { bytes, stringStart, stringEnd, isEscaped } = this.#text;
    const name = isEscaped ? this.#unescape() : bytes.subarray(stringStart, stringEnd);
    return name.length > NAMED_DOUBLE_MAX_BYTES ? undefined : NAMED_DOUBLES.get(String.fromCharCode(...name));
  }

  #scan(field: FieldPlan): Decimal {
    return this.#scanFor(field.kind === "enum" ? "the number of an enum value" : "an integer");
  }

  /** Scans a number, quoted or not, and passes it. */
  #scanFor(wanted: string): Decimal {
    const text = this.#text;
    const first = text.peek();
    if (first !== QUOTE) {
      const next = this.#decimal.scan(text.bytes, text.position);
      if (next < 0) throw text.fault(wanted);
      text.position = next;
      return this.#decimal;
    }
    const start = text.position;
    const end = this.#decimal.scan(text.bytes, start + 1);
    if (end > 0 && text.bytes[end] === QUOTE) {
      text.position = end + 1;
      return this.#decimal;
    }
    text.takeString();
    if (!text.isEscaped || !this.#scanUnescaped()) {
      text.position = start;
      throw text.fault(`${wanted}, quoted or not`);
    }
    return this.#decimal;
  }

  /** Scans the last string, in which digits may be escaped. */
  #scanUnescaped(): boolean {
    const bytes = this.#unescape();
    return this.#decimal.scan(bytes, 0) === bytes.length;
  }

  #unescape(): Uint8Array {
    const unescaped = new ByteWriter(64, this.#text.stringEnd - this.#text.stringStart);
    this.#text.writeString(unescaped);
    return unescaped.toBytes();
  }

  #readInt32(field: FieldPlan): boolean {
    const decimal = this.#scan(field);
    return decimal.readSigned() && decimal.high === (decimal.low >= 0x8000_0000 ? MAX_UINT32 : 0);
  }

  #readUint32(field: FieldPlan): boolean {
    const decimal = this.#scan(field);
    return decimal.readUnsigned() && decimal.high === 0;
  }

  #writeFixed32(field: FieldPlan): boolean {
    if (!this.#readUint32(field)) throw this.#rangeFault(field);
    this.#output.fixed32(this.#decimal.low);
    return this.#decimal.low === 0;
  }

  #writeFixed64(isRead: boolean, field: FieldPlan): boolean {
    if (!isRead) throw this.#rangeFault(field);
    const { low, high } = this.#decimal;
    this.#output.fixed64(low, high);
    return low === 0 && high === 0;
  }

  #writeVarint64(isRead: boolean, field: FieldPlan): boolean {
    if (!isRead) throw this.#rangeFault(field);
    const { low, high } = this.#decimal;
    this.#output.varint64(low, high);
    return low === 0 && high === 0;
  }

  #writeZigzag(isRead: boolean, field: FieldPlan): boolean {
    if (!isRead) throw this.#rangeFault(field);
    const { low, high } = this.#decimal;
    const sign = high >>> 31 === 0 ? 0 : MAX_UINT32;
    this.#output.varint64(((low << 1) ^ sign) >>> 0, (((high << 1) | (low >>> 31)) ^ sign) >>> 0);
    return low === 0 && high === 0;
  }

  #rangeFault(field: FieldPlan): Error {
    return this.#text.faultAfter(`an integer that fits ${field.kind === "enum" ? "int32" : field.kind}`);
  }
}
