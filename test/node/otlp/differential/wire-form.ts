/**
 * Every way to write one message as protobuf (otlp-http 6): fields in any order, singular messages in pieces, values
 * that a later one replaces, packed lists or not or both, long varints, high bits that do not count, and unknown fields
 * of every wire type anywhere. What it means is the model's, whatever is chosen here.
 */
import { pick, type Random } from "../../../../scripts/fuzz/random.ts";
import { toScalar, type Field, type Model, type Shape, type Value } from "./model.ts";

/** A message, or one of several that merge to it and of which each says nothing of what the others hold. */
type Extent = "whole" | "piece";

/** A part of a message that may change places with parts of another key, and with no other of its own. */
interface Part {
  readonly key: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** 64-bit values by how they are written. */
const FIXED: Readonly<Record<string, 4 | 8>> = { double: 8, fixed64: 8, sfixed64: 8, fixed32: 4 };
const UNKNOWN_NUMBERS = [30, 31, 99, 1000, 18_999, 2 ** 29 - 1] as const;

/** Writes a message in a random form. */
export function writeWireForm(shape: Shape, model: Model, random: Random, extent: Extent = "whole"): Uint8Array {
  const parts: Part[] = [];
  for (const field of shape.fields) {
    const value = model[field.name];
    if (value === undefined) {
      if (extent === "whole" && !field.hasPresence && random(10) === 0) parts.push(...writeZero(field, random));
      continue;
    }
    const key = field.oneof ?? field.name;
    if (extent === "whole" && !field.isRepeated) parts.push(...writeReplaced(shape, field, random));
    for (const bytes of writeField(field, value, random, extent)) parts.push({ key, number: field.number, bytes });
  }
  for (let more = random(3); more > 0; more -= 1) {
    const number = pick(random, UNKNOWN_NUMBERS);
    parts.push({ key: `unknown ${more}`, number, bytes: writeUnknown(number, random) });
  }
  return Buffer.concat(reorder(parts, random).map(({ bytes }) => bytes));
}

/** As it is, the last field first as the Collector writes, or shuffled. */
function reorder(parts: readonly Part[], random: Random): readonly Part[] {
  const choice = random(3);
  if (choice === 0) return parts;
  const rank = new Map(parts.map(({ key, number }) => [key, choice === 1 ? -number : random(1000)]));
  return parts.toSorted((a, b) => (rank.get(a.key) ?? 0) - (rank.get(b.key) ?? 0));
}

/** A zero that means as little as its absence; of a list of numbers, an empty packed run. */
function writeZero(field: Field, random: Random): readonly Part[] {
  const { kind, name, number } = field;
  if (field.isRepeated) return kind === "string" ? [] : [{ key: name, number, bytes: writeEmpty(field, random) }];
  const zero = kind === "bytes" ? new Uint8Array() : kind === "string" ? "" : kind === "bool" ? false : 0;
  return [{ key: name, number, bytes: writeSingle(field, zero, random) }];
}

/** Earlier values of a singular scalar, and earlier members of its oneof: they do not count. */
function writeReplaced(shape: Shape, field: Field, random: Random): readonly Part[] {
  if (random(6) > 0) return [];
  const others = field.oneof === null ? [field] : shape.fields.filter(({ oneof }) => oneof === field.oneof);
  const other = others[random(others.length)] ?? field;
  // The same message again would be merged, not replaced.
  if (other.message !== null && other === field) return [];
  const bytes = other.message === null ? writeSingle(other, toJunk(other, random), random) : writeEmpty(other, random);
  return [{ key: field.oneof ?? field.name, number: other.number, bytes }];
}

function writeEmpty({ number }: Field, random: Random): Uint8Array {
  return Buffer.concat([writeTag(number, 2, random), writeVarint(0n, random, 5)]);
}

function toJunk({ kind, isWide }: Field, random: Random): Value {
  if (kind === "string") return "replaced";
  if (kind === "bytes") return new Uint8Array(random(20)).fill(random(2));
  return kind === "bool" ? true : isWide ? "7" : 7;
}

function writeField(field: Field, value: Value, random: Random, within: Extent): readonly Uint8Array[] {
  if (!field.isRepeated) {
    if (field.message === null) return [writeSingle(field, value, random)];
    const pieces = splitMessage(field.message, value as Model, random);
    const extent = pieces.length === 1 ? within : "piece";
    return pieces.map((piece) => writeMessage(field, piece, random, extent));
  }
  const list = value as readonly Value[];
  if (field.message !== null) return list.map((element) => writeMessage(field, element as Model, random, "whole"));
  if (field.kind === "string") return list.map((element) => writeSingle(field, element, random));
  return writeNumbers(field, list, random);
}

function writeMessage(field: Field, model: Model, random: Random, extent: Extent): Uint8Array {
  const body = field.message === null ? new Uint8Array() : writeWireForm(field.message, model, random, extent);
  return writeLength(field.number, body, random);
}

/** Cuts a message into pieces which merge to it: each field in one of them, a list also across them. */
function splitMessage(shape: Shape, model: Model, random: Random): readonly Model[] {
  if (random(3) > 0) return [model];
  const [first, second]: [Model, Model] = [{}, {}];
  for (const field of shape.fields) {
    const value = model[field.name];
    if (value === undefined) continue;
    if (field.isRepeated) {
      const list = value as readonly Value[];
      const at = random(list.length + 1);
      if (at > 0) first[field.name] = list.slice(0, at);
      if (at < list.length) second[field.name] = list.slice(at);
    } else if (field.message !== null && random(2) === 0) {
      const [head = {}, tail] = splitMessage(field.message, value as Model, random);
      first[field.name] = head;
      if (tail !== undefined) second[field.name] = tail;
    } else (random(2) === 0 ? first : second)[field.name] = value;
  }
  return [first, second];
}

/** A list of numbers: packed runs and single elements in any mix. */
function writeNumbers(field: Field, list: readonly Value[], random: Random): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < list.length;) {
    const end = start + 1 + random(list.length - start);
    const run = list.slice(start, end);
    if (random(2) === 0) pieces.push(...run.map((element) => writeSingle(field, element, random)));
    else
      pieces.push(
        writeLength(field.number, Buffer.concat(run.map((element) => writeScalar(field, element, random))), random),
      );
    start = end;
  }
  return pieces;
}

function writeSingle(field: Field, value: Value, random: Random): Uint8Array {
  const scalar = writeScalar(field, value, random);
  if (field.kind === "string" || field.kind === "bytes") return writeLength(field.number, scalar, random);
  const width = FIXED[field.kind];
  const wireType = width === undefined ? 0 : width === 8 ? 1 : 5;
  return Buffer.concat([writeTag(field.number, wireType, random), scalar]);
}

function writeScalar({ kind }: Field, value: Value, random: Random): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const view = new DataView(new ArrayBuffer(FIXED[kind] ?? 0));
  const bytes = new Uint8Array(view.buffer);
  switch (kind) {
    case "string":
      return new TextEncoder().encode(String(toScalar(value)));
    case "double":
      view.setFloat64(0, Number(value), true);
      return bytes;
    case "fixed32":
      view.setUint32(0, Number(value), true);
      return bytes;
    case "fixed64":
    case "sfixed64":
      view.setBigUint64(0, BigInt.asUintN(64, toBigInt(value)), true);
      return bytes;
    case "sint32":
      return writeVarint(BigInt(((Number(value) << 1) ^ (Number(value) >> 31)) >>> 0), random);
    case "bool":
      return writeVarint(value === true ? pick(random, [1n, 2n, 1n << 40n]) : 0n, random);
    case "int64":
    case "uint64":
      return writeVarint(BigInt.asUintN(64, toBigInt(value)), random);
    case "enum":
    case "int32":
    case "uint32":
      return writeVarint(writeHighBits(kind, toBigInt(value), random), random);
    default:
      throw new Error(`Cannot write a value of kind "${kind}": it is new to the schema`);
  }
}

/** Of a 32-bit value the low 32 bits count; a negative one is sign-extended by whoever does as the rules say. */
function writeHighBits(kind: string, value: bigint, random: Random): bigint {
  const plain = BigInt.asUintN(64, value);
  if (random(8) > 0) return plain;
  const high = kind === "uint32" ? BigInt(random(2 ** 32)) : 1n + BigInt(random(2 ** 31));
  return (high << 32n) | BigInt.asUintN(32, value);
}

function toBigInt(value: Value): bigint {
  return typeof value === "string" || typeof value === "number" ? BigInt(value) : 0n;
}

function writeLength(number: number, body: Uint8Array, random: Random): Uint8Array {
  return Buffer.concat([writeTag(number, 2, random), writeVarint(BigInt(body.length), random, 5), body]);
}

function writeTag(number: number, wireType: number, random: Random): Uint8Array {
  return writeVarint((BigInt(number) << 3n) | BigInt(wireType), random, 5);
}

/** Writes a varint, now and then with more bytes than it needs. @param maxBytes - 10, or 5 for tags and lengths */
function writeVarint(value: bigint, random: Random, maxBytes = 10): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn));
    rest >>= 7n;
  } while (rest > 0n);
  if (random(10) === 0) while (bytes.length < maxBytes && random(4) > 0) bytes.push(0);
  return Uint8Array.from(bytes, (byte, i) => (i < bytes.length - 1 ? byte | 0x80 : byte));
}

/** A field that no message has; a group may hold others, of any number. */
export function writeUnknown(number: number, random: Random, depth = 0): Uint8Array {
  const content = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => random(256));
  switch (random(depth > 3 ? 4 : 5)) {
    case 0:
      return Buffer.concat([writeTag(number, 0, random), writeVarint(BigInt(random(2 ** 32)) << 20n, random)]);
    case 1:
      return Buffer.concat([writeTag(number, 1, random), content(8)]);
    case 2:
      return writeLength(number, content(random(20)), random);
    case 3:
      return Buffer.concat([writeTag(number, 5, random), content(4)]);
    default: {
      const inner = Array.from({ length: random(3) }, () => writeUnknown(1 + random(40), random, depth + 1));
      return Buffer.concat([writeTag(number, 3, random), ...inner, writeTag(number, 4, random)]);
    }
  }
}
