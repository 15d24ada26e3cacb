/** Small OTLP requests built by hand, so that tests of the archive's way do not lean on Firn's own encoder. */
import { gzipSync } from "node:zlib";
import { unreachable } from "../../src/errors.ts";
import type { ItemSignal } from "../../src/signal.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

function varint(value: number): number[] {
  const digits: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 0x80);
  return [...digits, rest];
}

/** A length-delimited field. */
export function field(number: number, payload: Uint8Array): Uint8Array {
  return concat([new Uint8Array([...varint(number * 8 + 2), ...varint(payload.length)]), payload]);
}

/** A request with one container that holds an item for each name. */
export function request(signal: ItemSignal, names: readonly string[]): Uint8Array {
  return field(1, field(2, concat(names.map((name) => field(2, item(signal, name))))));
}

function item(signal: ItemSignal, name: string): Uint8Array {
  switch (signal) {
    case "traces":
      return concat([field(1, new Uint8Array(16).fill(7)), field(2, new Uint8Array(8).fill(9)), field(5, text(name))]);
    case "logs":
      return field(5, field(1, text(name)));
    case "metrics":
      return concat([field(1, text(name)), field(5, field(1, new Uint8Array([0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f])))]);
    default:
      return unreachable(signal, "signal");
  }
}

/** One gzip member a part. */
export function gzip(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(parts.map((part) => new Uint8Array(gzipSync(part))));
}

/** Names of all items in JSON Lines, in order; the mark has none. */
export function namesOf(jsonLines: string): string[] {
  const found: string[] = [];
  for (const line of jsonLines.split("\n").filter((each) => each !== "")) {
    JSON.parse(line, (key, value: unknown) => {
      if (key === "name" && typeof value === "string" && value !== "") found.push(value);
      if (key === "stringValue" && typeof value === "string") found.push(value);
      return value;
    });
  }
  return found;
}
