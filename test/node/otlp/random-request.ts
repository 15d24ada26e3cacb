/** Seeded random requests over every field of the schema, and random other ways to write the same request. */
import protobuf from "protobufjs";
import { pick, type Random } from "../../../scripts/fuzz/random.ts";
import { DATA, type Decoded } from "./oracle.ts";

/** How ids are made: only good ones, or some that are not. */
export type IdStyle = "good" | "any";

const TEXTS = ["", "a", "service.name", "ünïcode", "日本語のテキスト", "😀😀", "x".repeat(300), "abc\u0000def"];
const NEEDED_IDS: readonly string[] = ["Span.trace_id", "Span.span_id", "Link.trace_id", "Link.span_id"];

/** Makes a random message of a type; any field may be absent, any list long or empty. */
export function randomMessage(type: protobuf.Type, random: Random, ids: IdStyle, depth = 0): Decoded {
  const message: Decoded = {};
  const data = DATA[random(DATA.length)];
  for (const field of type.fieldsArray) {
    if (type.name === "Metric" && field.partOf !== null && field.name !== data) continue;
    const isNeeded = ids === "good" && NEEDED_IDS.includes(`${type.name}.${field.name}`);
    const isAbsent = field.resolvedType instanceof protobuf.Type && depth > 4 ? random(depth) > 1 : random(4) === 0;
    if ((isAbsent && !isNeeded) || depth > 25) continue;
    const value = (): unknown => randomValue(field, random, ids, depth);
    message[field.name] = field.repeated ? Array.from({ length: random(4) }, value) : value();
  }
  return message;
}

function randomValue(field: protobuf.Field, random: Random, ids: IdStyle, depth: number): unknown {
  const type = field.resolvedType;
  if (type instanceof protobuf.Type) return randomMessage(type, random, ids, depth + 1);
  if (type instanceof protobuf.Enum) return pick(random, [0, 1, 2, 77, -1]);
  if (field.type === "string") return pick(random, ["", ...TEXTS]);
  if (field.type === "bytes") return randomBytes(field.name, random, ids);
  if (field.type === "bool") return random(2) === 1;
  if (field.type === "double") return pick(random, [0, -1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300]);
  // protobufjs takes the decimal text of a 64-bit number.
  if (field.type.endsWith("64")) {
    const bits = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
    return String(/^s|^i/.test(field.type) ? BigInt.asIntN(64, bits) : bits);
  }
  return field.type === "uint32" || field.type === "fixed32" ? random(2 ** 32) : random(2 ** 32) - 2 ** 31;
}

function randomBytes(name: string, random: Random, ids: IdStyle): Uint8Array {
  const size = name === "trace_id" ? 16 : name.endsWith("span_id") ? 8 : random(40);
  const isId = name.endsWith("_id");
  if (isId && ids === "any" && random(5) === 0)
    return new Uint8Array(pick(random, [size, 0, size - 1, 1])).fill(random(2));
  return Uint8Array.from({ length: size }, () => 1 + random(255));
}

/** Rewrites a message so that it means the same: other order, unknown fields, ids and messages that come twice. */
export function rewrite(type: protobuf.Type, body: Uint8Array, random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { field, wireType, bytes, value } of readParts(type, body)) {
    const isId = field !== undefined && field.type === "bytes" && field.name.endsWith("_id");
    if (isId && random(3) === 0)
      parts.push(writePart(field.id, new Uint8Array(pick(random, [16, 8, 3, 0])).fill(random(2))));
    if (field !== undefined && wireType === 2 && field.resolvedType instanceof protobuf.Type) {
      parts.push(writePart(field.id, rewrite(field.resolvedType, value, random)));
    } else parts.push(bytes);
    if (random(6) === 0) parts.push(randomUnknown(random));
  }
  return Buffer.concat(random(2) === 0 ? parts : reverseFields(parts));
}

/** The last field first, as the Collector writes; occurrences of one field keep their order. */
function reverseFields(parts: readonly Uint8Array[]): Uint8Array[] {
  return parts.toSorted((a, b) => readNumber(b) - readNumber(a));
}

function readNumber(part: Uint8Array): number {
  return protobuf.Reader.create(part).uint32() >>> 3;
}

interface Part {
  readonly field: protobuf.Field | undefined;
  readonly wireType: number;
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
}

function readParts(type: protobuf.Type, body: Uint8Array): Part[] {
  const reader = protobuf.Reader.create(body);
  const parts: Part[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const value = (tag & 7) === 2 ? reader.bytes() : skip(reader, tag & 7);
    parts.push({
      field: type.fieldsById[tag >>> 3],
      wireType: tag & 7,
      bytes: body.slice(start, reader.pos),
      value,
    });
  }
  return parts;
}

function skip(reader: protobuf.Reader, wireType: number): Uint8Array {
  reader.skipType(wireType);
  return new Uint8Array(0);
}

function writePart(number: number, value: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32((number << 3) | 2)
    .bytes(value)
    .finish();
}

function randomUnknown(random: Random): Uint8Array {
  const writer = protobuf.Writer.create();
  const number = pick(random, [30, 31, 32, 100, 5000, 2 ** 29 - 1]) * 8;
  if (random(5) === 0)
    return writer
      .uint32(number)
      .uint64(random(2 ** 32))
      .finish();
  if (random(4) === 0)
    return writer
      .uint32(number + 1)
      .fixed64(7)
      .finish();
  if (random(3) === 0)
    return writer
      .uint32(number + 2)
      .bytes(Uint8Array.from({ length: random(200) }, () => random(256)))
      .finish();
  if (random(2) === 0)
    return writer
      .uint32(number + 5)
      .fixed32(7)
      .finish();
  return writer
    .uint32(number + 3)
    .uint32(8)
    .uint32(1)
    .uint32(number + 4)
    .finish();
}
