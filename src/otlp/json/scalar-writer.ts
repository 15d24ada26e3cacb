/** Scalars of protobuf as OTLP JSON values. On the hot path of `message-encoder.ts`: `bench/otlp-json-encode.ts`. */
import { unreachable } from "../../errors.ts";
import { encodeBase64 } from "../base64.ts";
import { toConstantText, type ByteWriter } from "../byte-writer.ts";
import { corrupt, type FieldReader } from "./field-reader.ts";
import { encodeHex } from "./hex.ts";
import { writeDouble } from "./double-text.ts";
import { writeInt32, writeInteger, writeQuoted64 } from "./integer-text.ts";
import { writeString } from "./string-text.ts";
import type { FieldPlan } from "./message-plan.ts";
import type { FieldKind } from "../schema.ts";

type IntegerKind = Exclude<FieldKind, "double" | "string" | "bytes" | "message">;

const QUOTE = 0x22;
const FALSE = toConstantText("false");
const TRUE = toConstantText("true");

/** Writes what a reader points at. */
export class ScalarWriter {
  /** The last value was the default of its kind, or an id of zeros, which says the same: omitted without presence. */
  isZero = false;
  readonly #reader: FieldReader;
  readonly #output: ByteWriter;

  constructor(reader: FieldReader, output: ByteWriter) {
    this.#reader = reader;
    this.#output = output;
  }

  /**
   * Writes a member of an object behind a comma, name and value; nothing for a zero without presence. What nearly all
   * members are is written at once; of the others, {@link ScalarWriter.write} says whether they are to be kept.
   */
  writeMember(field: FieldPlan, start: number, end: number): void {
    const output = this.#output;
    const { bytes, view } = this.#reader;
    switch (field.kind) {
      case "fixed64":
      case "sfixed64": {
        const low = view.getInt32(start, true);
        const high = view.getInt32(start + 4, true);
        if ((low | high) === 0 && !field.keepsZero) return;
        output.text(field.prefix);
        writeQuoted64(output, low, high, field.kind === "sfixed64");
        return;
      }
      case "double": {
        const value = view.getFloat64(start, true);
        if (Object.is(value, 0) && !field.keepsZero) return;
        output.text(field.prefix);
        writeDouble(output, value);
        return;
      }
      case "string":
        if (start === end && !field.keepsZero) return;
        output.text(field.prefix);
        writeString(output, this.#reader, start, end);
        return;
      case "enum":
      case "int32":
      case "uint32": {
        const value = bytes[start] ?? 0;
        if (value >= 0x80) break;
        if (value === 0 && !field.keepsZero) return;
        output.text(field.prefix);
        writeInteger(output, value);
        return;
      }
      default:
    }
    const begin = output.length;
    output.text(field.prefix);
    this.write(field, start, end);
    if (this.isZero && !field.keepsZero) output.length = begin;
  }

  /**
   * Writes one scalar and says in {@link ScalarWriter.isZero} whether it is the default of its kind.
   * @param end end of the value, or of the packed list that it lies in
   * @returns position after the value
   */
  write(field: FieldPlan, start: number, end: number): number {
    const reader = this.#reader;
    const output = this.#output;
    const { kind } = field;
    switch (kind) {
      case "string":
        this.isZero = start === end;
        writeString(output, reader, start, end);
        return end;
      case "bytes":
        this.#writeBytes(field, start, end);
        return end;
      case "double": {
        if (end - start < 8) throw corrupt("a packed list ends inside a number");
        const value = reader.readDouble(start);
        this.isZero = Object.is(value, 0);
        writeDouble(output, value);
        return start + 8;
      }
      case "message":
        throw new TypeError(`Cannot write ${field.jsonName}: no message in its plan`);
      default:
        return this.#writeInteger(kind, start, end);
    }
  }

  #writeInteger(kind: IntegerKind, start: number, end: number): number {
    const reader = this.#reader;
    const output = this.#output;
    const next = readInteger(reader, kind, start, end);
    const { low, high } = reader;
    this.isZero = low === 0 && high === 0;
    switch (kind) {
      case "fixed64":
      case "uint64":
        writeQuoted64(output, low, high, false);
        return next;
      case "sfixed64":
      case "int64":
        writeQuoted64(output, low, high, true);
        return next;
      case "sint64": {
        const sign = -(low & 1);
        writeQuoted64(output, ((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign, true);
        return next;
      }
      case "bool":
        output.text(this.isZero ? FALSE : TRUE);
        return next;
      case "sint32":
        this.isZero = low === 0;
        writeInt32(output, (low >>> 1) ^ -(low & 1));
        return next;
      case "int32":
      case "enum":
        this.isZero = low === 0;
        writeInt32(output, low | 0);
        return next;
      case "uint32":
      case "fixed32":
        this.isZero = low === 0;
        writeInteger(output, low >>> 0);
        return next;
      default:
        return unreachable(kind, "integer kind");
    }
  }

  #writeBytes({ idBytes }: FieldPlan, start: number, end: number): void {
    const output = this.#output;
    const { bytes, view } = this.#reader;
    this.isZero = start === end;
    output.byte(QUOTE);
    if (idBytes === 0) encodeBase64(bytes, start, end, output);
    else if (!encodeHex(view, start, end, output)) this.isZero ||= end - start === idBytes;
    output.byte(QUOTE);
  }
}

function readInteger(reader: FieldReader, kind: IntegerKind, start: number, end: number): number {
  if (kind === "fixed64" || kind === "sfixed64") {
    if (end - start < 8) throw corrupt("a packed list ends inside a number");
    return reader.readFixed64(start);
  }
  if (kind !== "fixed32") return reader.readVarint(start, end);
  if (end - start < 4) throw corrupt("a packed list ends inside a number");
  return reader.readFixed32(start);
}
