/**
 * Small random messages, so that very many can be compared: every field of the schema, every edge of every scalar.
 * {@link Coverage} counts what was set, so that a test can prove that nothing was left out.
 */
import { pick, type Random } from "../../../../scripts/fuzz/random.ts";
import { toIdBytes, type Field, type Model, type Scalar, type Shape, type Value } from "./model.ts";

/** Times that a field (`Span.name`) or an edge value (`double NaN`) was set. */
export type Coverage = Map<string, number>;

/** What a message is made with. */
export interface ModelSource {
  readonly random: Random;
  readonly coverage: Coverage;
  /** Only ids that single items may have (otlp-http 7), or also those of zeros and of any length. */
  readonly ids: "good" | "any";
}

/** `AnyValue` and its lists are the only messages that hold themselves. */
const MAX_DEPTH = 14;
/** The chain from the request to its items, without which nothing else would be reached. */
const CONTAINER = /^(?:resource_(?:spans|metrics|logs)|scope_(?:spans|metrics|logs)|spans|log_records|metrics)$/;
const NEEDED_IDS = /^Span(?:\.Link)?\.(?:trace_id|span_id)$/;
/** One to four bytes a character, what JSON must escape, and the character that stands for a lone surrogate. */
const TEXTS = [
  "",
  "a",
  "service.name",
  "ünïcode",
  "日本語",
  "😀",
  "𐍈\u{10ffff}",
  "\u0000\u001f\u007f",
  '"\\/\b\f\n\r\t',
  "\ufffd",
  "a\ufffd\ufffd😀",
  "\u2028\u2029\ufeff",
  "__proto__",
  "x".repeat(200),
] as const;
const UNSIGNED_64 = ["0", "1", "18446744073709551615", "9223372036854775808", "9007199254740993"] as const;
const SIGNED_64 = ["0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"] as const;
const UNSIGNED_32 = [0, 1, 0xffff_ffff, 0x8000_0000] as const;
const SIGNED_32 = [0, -1, 0x7fff_ffff, -0x8000_0000] as const;
const ENUMS = [0, 1, 2, 3, 77, -1, 0x7fff_ffff, -0x8000_0000] as const;
const DOUBLES = [
  ...([0, -0, 1, -1.5, 0.1, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE] as const),
  ...([Number.MIN_VALUE, 2.2250738585072014e-308, 2 ** 53 + 2, 1e21, 123456789012345680000] as const),
] as const;

/** Makes a message. */
export function randomModel(shape: Shape, source: ModelSource, depth = 1): Model {
  const { random } = source;
  const model: Model = {};
  const chosen = chooseMembers(shape, random);
  for (const field of shape.fields) {
    const isNeeded = NEEDED_IDS.test(`${shape.name}.${field.name}`);
    if (field.oneof !== null ? chosen.get(field.oneof) !== field : !isNeeded && !hasField(field, random)) continue;
    if (field.message !== null && depth >= MAX_DEPTH) continue;
    const length = field.isRepeated ? 1 + (random(5) === 0 ? random(3) : 0) : 0;
    const value = (): Value => randomValue(field, source, depth);
    const set = field.isRepeated ? Array.from({ length }, value) : value();
    count(source.coverage, `${shape.name}.${field.name}`);
    model[field.name] = set;
  }
  return model;
}

function hasField(field: Field, random: Random): boolean {
  return random(20) < (CONTAINER.test(field.name) ? 19 : field.message === null ? 7 : 5);
}

/** At most one member of each oneof. */
function chooseMembers(shape: Shape, random: Random): ReadonlyMap<string, Field> {
  const chosen = new Map<string, Field>();
  const names = new Set(shape.fields.flatMap(({ oneof }) => (oneof === null ? [] : [oneof])));
  for (const name of names) {
    const members = shape.fields.filter(({ oneof }) => oneof === name);
    const member = members[random(members.length)];
    if (member !== undefined && random(12) > 0) chosen.set(name, member);
  }
  return chosen;
}

function randomValue(field: Field, source: ModelSource, depth: number): Value {
  if (field.message !== null) return randomModel(field.message, source, depth + 1);
  const value = randomScalar(field, source);
  if (value instanceof Uint8Array) count(source.coverage, value.length === 0 ? "bytes empty" : "bytes");
  else if (EDGES.has(value)) count(source.coverage, `${field.kind} ${nameEdge(value)}`);
  return value;
}

function randomScalar(field: Field, { random, ids }: ModelSource): Scalar | Uint8Array {
  const isEdge = random(2) === 0;
  switch (field.kind) {
    case "string":
      return isEdge ? pick(random, TEXTS) : randomText(random);
    case "bytes":
      return field.isId && (ids === "good" || random(4) > 0) ? randomId(field, random) : randomBytes(random);
    case "bool":
      return random(2) === 0;
    case "double":
      return isEdge ? pick(random, DOUBLES) : randomDouble(random);
    case "enum":
      return pick(random, ENUMS);
    case "uint64":
    case "fixed64":
      return isEdge ? pick(random, UNSIGNED_64) : String(randomBits(random));
    case "int64":
    case "sint64":
    case "sfixed64":
      return isEdge ? pick(random, SIGNED_64) : String(BigInt.asIntN(64, randomBits(random)));
    case "uint32":
    case "fixed32":
      return isEdge ? pick(random, UNSIGNED_32) : random(2 ** 32);
    case "int32":
    case "sint32":
      return isEdge ? pick(random, SIGNED_32) : random(2 ** 32) - 2 ** 31;
    default:
      throw new Error(`Cannot make a value of kind "${field.kind}": it is new to the schema`);
  }
}

function randomText(random: Random): string {
  const alphabet = pick(random, ["abc.-_ 019", 'ä"\\ß\u0007', "語☃\ufffd", "😀𝄞a"]);
  const letters = Array.from(alphabet);
  return Array.from({ length: random(12) }, () => letters[random(letters.length)]).join("");
}

/** Never all zero. */
function randomId({ name }: Field, random: Random): Uint8Array {
  return Uint8Array.from({ length: toIdBytes(name) }, (_, i) => random(256) | (i === 0 ? 1 : 0));
}

function randomBytes(random: Random): Uint8Array {
  const length = pick(random, [0, 8, 16, random(20)]);
  return random(4) === 0 ? new Uint8Array(length) : Uint8Array.from({ length }, () => random(256));
}

/** A double of any exponent: of random bits, as few programs make them, or decimal, as most do. */
function randomDouble(random: Random): number {
  if (random(2) === 0) return Number(`${random(2) === 0 ? "-" : ""}${random(1e6)}e${random(40) - 20}`);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, randomBits(random));
  return view.getFloat64(0);
}

function randomBits(random: Random): bigint {
  return (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
}

const EDGES: ReadonlySet<number | string | boolean> = new Set(
  [TEXTS, UNSIGNED_64, SIGNED_64, UNSIGNED_32, SIGNED_32, ENUMS, DOUBLES, [true, false]].flat(),
);

/** The edges that a run must meet, as {@link Coverage} names them. */
export const NEEDED_EDGES: readonly string[] = [
  "double NaN",
  "double Infinity",
  "double -Infinity",
  "double -0",
  "double 0",
  "double 5e-324",
  "fixed64 18446744073709551615",
  "bytes empty",
  "bool true",
  "bool false",
  'string "😀"',
  'string "\ufffd"',
  "enum -1",
  "enum 77",
  "uint32 4294967295",
  "int64 9223372036854775807",
  "int64 -9223372036854775808",
];

function nameEdge(value: number | string | boolean): string {
  if (typeof value === "string") return /^-?\d+$/.test(value) ? value : JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

function count(coverage: Coverage, what: string): void {
  coverage.set(what, (coverage.get(what) ?? 0) + 1);
}
