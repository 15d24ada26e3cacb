/** OTLP JSON by another hand: plain code over what protobufjs decoded, and a printer that uses all freedom of JSON. */
import protobuf from "protobufjs";
import type { ItemSignal } from "../../../../src/signal.ts";
import { requestType, type Decoded } from "../oracle.ts";
import type { Random } from "../random-request.ts";

/** A request as protobufjs sees it, all fields without presence filled in, so that written zeros make no difference. */
export function decodeFull(signal: ItemSignal, body: Uint8Array): Decoded {
  const type = requestType(signal);
  return type.toObject(type.decode(body), { longs: String, bytes: String, defaults: true });
}

/** What `encodeJsonRequest` should write for a request, as a value. */
export function toOtlpJson(signal: ItemSignal, body: Uint8Array): Decoded {
  const type = requestType(signal);
  return convert(type, type.toObject(type.decode(body), { longs: String }));
}

function convert(type: protobuf.Type, message: Decoded): Decoded {
  const json: Decoded = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined || (field.repeated && (value as unknown[]).length === 0)) continue;
    const key = field.name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (field.repeated) json[key] = (value as unknown[]).map((element) => convertValue(field, element));
    else if (field.partOf !== null || !isZero(field, value)) json[key] = convertValue(field, value);
  }
  return json;
}

function convertValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return convert(field.resolvedType, value as Decoded);
  if (value instanceof Uint8Array) return Buffer.from(value).toString(field.name.endsWith("_id") ? "hex" : "base64");
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function isZero(field: protobuf.Field, value: unknown): boolean {
  if (field.resolvedType instanceof protobuf.Type) return false;
  if (value instanceof Uint8Array) return value.length === 0;
  return value === "" || value === "0" || value === false || Object.is(value, 0);
}

/** Leaves one member of every oneof, at random; `randomMessage` sets several. In place. */
export function keepOneMember(type: protobuf.Type, message: Decoded, random: Random): Decoded {
  for (const oneof of type.oneofsArray) {
    const members = oneof.fieldsArray.filter((field) => message[field.name] !== undefined);
    const kept = members[random(Math.max(1, members.length))];
    for (const field of members) if (field !== kept) delete message[field.name];
  }
  for (const field of type.fieldsArray) {
    const inner = field.resolvedType;
    const value = message[field.name];
    if (!(inner instanceof protobuf.Type) || value === undefined) continue;
    for (const element of field.repeated ? (value as Decoded[]) : [value as Decoded])
      keepOneMember(inner, element, random);
  }
  return message;
}

/** Prints a value of {@link toOtlpJson}: any order, any spacing, any escapes, unknown and null keys, bare integers. */
export function printFreely(value: unknown, random: Random, name = ""): string {
  const space = (): string => [" ", "\n", "\t\r", "", "", ""].at(random(6))!;
  if (Array.isArray(value))
    return `[${value.map((element) => space() + printFreely(element, random, name)).join(`${space()},`)}${space()}]`;
  const isInteger = typeof value === "string" && /^-?\d+$/.test(value) && !/Id$|^bytesValue$/.test(name);
  if (isInteger && random(2) === 0) return value;
  if (typeof value === "string") return printString(value, random);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0.0" : JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, member]) =>
      `${space()}${printString(key, random)}${space()}:${space()}${printFreely(member, random, key)}${space()}`,
  );
  if (random(8) === 0) members.push(`"unknown":{"resourceSpans":[null,${random(100)}.5e-3,{"":"\\ud800"}]}`);
  if (random(8) === 0) members.push('"attributes_":null');
  if (random(4) === 0) members.reverse();
  return `{${members.join(",")}${space()}}`;
}

function printString(text: string, random: Random): string {
  if (random(3) > 0) return JSON.stringify(text);
  const units = text.split("").map((unit) => {
    if (random(2) === 0 && !/[\ud800-\udfff]/.test(unit)) return JSON.stringify(unit).slice(1, -1);
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${units.join("")}"`;
}
