/**
 * ProtoJSON by another hand: {@link readJson} takes a strict reading of what a writer wrote, {@link writeJsonForm} uses
 * all the freedom that the rules give to a writer (otlp-http 5): any order, spacing and escapes, unknown and null keys,
 * integers bare, quoted or with an exponent, both alphabets of base64, surrogates that stand alone.
 */
import { pick, type Random } from "../../../../scripts/fuzz/random.ts";
import { toScalar, type Field, type Model, type Shape, type Value } from "./model.ts";

/** Reads a parsed document into a model. @throws Error on a key or a value that the one canonical form does not have */
export function readJson(shape: Shape, value: unknown): Model {
  const model: Model = {};
  for (const [key, inner] of Object.entries(value as Record<string, unknown>)) {
    const field = shape.byJsonName.get(key);
    if (field === undefined) throw new Error(`${shape.name} has no field "${key}"`);
    model[field.name] = field.isRepeated
      ? (inner as readonly unknown[]).map((element) => readValue(field, element))
      : readValue(field, inner);
  }
  return model;
}

function readValue(field: Field, value: unknown): Value {
  const fail = (): never => {
    throw new Error(`${field.jsonName} of kind ${field.kind} is written as ${JSON.stringify(value)}`);
  };
  if (field.message !== null)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? readJson(field.message, value)
      : fail();
  if (field.kind === "bytes") {
    if (typeof value !== "string") return fail();
    const bytes = Buffer.from(value, field.isId ? "hex" : "base64");
    return bytes.toString(field.isId ? "hex" : "base64") === value ? new Uint8Array(bytes) : fail();
  }
  if (field.isWide) return typeof value === "string" && /^-?\d+$/.test(value) ? value : fail();
  if (field.kind === "bool") return typeof value === "boolean" ? value : fail();
  if (field.kind === "string") return typeof value === "string" ? value : fail();
  if (field.kind === "double" && typeof value === "string")
    return /^(?:NaN|-?Infinity)$/.test(value) ? Number(value) : fail();
  return typeof value === "number" ? value : fail();
}

/** Writes a message as JSON in a random form. */
export function writeJsonForm(shape: Shape, model: Model, random: Random): string {
  const members: string[] = [];
  const add = (key: string, text: string): void => {
    members.push(`${space(random)}${writeKey(key, random)}${space(random)}:${space(random)}${text}${space(random)}`);
  };
  for (const field of shape.fields) {
    const value = model[field.name];
    if (value === undefined) {
      if (random(12) === 0) add(field.jsonName, "null");
      continue;
    }
    // The last of two equal keys counts; another member of a oneof would be refused.
    if (random(30) === 0 && field.oneof === null) add(field.jsonName, "null");
    const write = (one: Value): string => writeValue(field, one, random);
    const text = field.isRepeated
      ? `[${(value as readonly Value[]).map((one) => space(random) + write(one)).join(`${space(random)},`)}]`
      : write(value);
    add(field.jsonName, text);
  }
  if (random(6) === 0) add(pick(random, UNKNOWN_KEYS), pick(random, UNKNOWN_VALUES));
  if (random(3) === 0) reverseKeys(members);
  return `{${members.join(",") || space(random)}}`;
}

const UNKNOWN_KEYS = [
  "",
  "unknown",
  "trace_id",
  "TraceId",
  "__proto__",
  "constructor",
  "toString",
  "attributes_",
] as const;
const UNKNOWN_VALUES = [
  "null",
  "-0.5e-3",
  '"\\ud800"',
  "[]",
  '{"":[null,{"resourceSpans":[1]}],"a":1e999}',
  "[[[[true]]]]",
] as const;

/** Two members of one name keep their order. */
function reverseKeys(members: string[]): void {
  if (!members.some((member) => /:\s*null\s*$/.test(member))) members.reverse();
}

function writeValue(field: Field, value: Value, random: Random): string {
  if (field.message !== null) return writeJsonForm(field.message, value as Model, random);
  if (value instanceof Uint8Array) return field.isId ? writeHex(value, random) : writeBase64(value, random);
  if (field.kind === "string") return writeText(String(toScalar(value)), random);
  if (typeof value === "boolean") return String(toScalar(value));
  if (field.kind === "double") return writeDouble(Number(value), random);
  const text = String(toScalar(value));
  const exponent = /^(-?\d*[1-9])(0+)$/.exec(text);
  // An enum is a number and nothing else.
  const forms = [text, `${text}.0`, `${text}e0`, `${text}E+0`, `${text}.000`];
  if (text !== "0") forms.push(`${text}0e-1`);
  if (exponent !== null) forms.push(`${exponent[1]}e${exponent[2]?.length}`);
  const form = random(2) === 0 ? text : (forms[random(forms.length)] ?? text);
  return field.kind !== "enum" && random(2) === 0 ? `"${form}"` : form;
}

function writeDouble(value: number, random: Random): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  const text = Object.is(value, -0) ? pick(random, ["-0", "-0.0", "-0e5"]) : String(toScalar(value));
  const form = random(3) === 0 ? value.toExponential() : text;
  const signed = Object.is(value, -0) ? text : form;
  return random(4) === 0 ? `"${signed}"` : signed;
}

function writeHex(bytes: Uint8Array, random: Random): string {
  const hex = Buffer.from(bytes).toString("hex");
  return `"${random(2) === 0 ? hex : hex.toUpperCase()}"`;
}

function writeBase64(bytes: Uint8Array, random: Random): string {
  const padded = Buffer.from(bytes).toString("base64");
  const text = random(2) === 0 ? padded : padded.replaceAll("=", "");
  return `"${random(2) === 0 ? text : text.replaceAll("+", "-").replaceAll("/", "_")}"`;
}

function writeKey(key: string, random: Random): string {
  return random(20) === 0 ? writeEscaped(key, random) : JSON.stringify(key);
}

/** U+FFFD stands for itself, or for a surrogate alone: the two mean the same (otlp-http 5.1). */
function writeText(text: string, random: Random): string {
  if (text.includes("\ufffd") && random(2) === 0) {
    const lone = pick(random, ["\\ud83d", "\\udbff", "\\udc00", "\\uDFFF"]);
    return `"${text.split("\ufffd").map(escapeWhole).join(lone)}"`;
  }
  return random(4) === 0 ? writeEscaped(text, random) : JSON.stringify(text);
}

function escapeWhole(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Code units as `\u` escapes, all of a pair or none, beside characters as they are. */
function writeEscaped(text: string, random: Random): string {
  const characters = Array.from(text, (character) => {
    if (random(2) === 0) return escapeWhole(character);
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
  return `"${characters.join("")}"`;
}

function space(random: Random): string {
  return random(8) === 0 ? pick(random, [" ", "\n", "\t", "\r\n "]) : "";
}
