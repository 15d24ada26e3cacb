import { expect, test } from "vitest";
import { isUtf8 } from "../../../src/otlp/wire/utf8.ts";

const ACCEPTED: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["nothing", []],
  ["NUL", [0x00]],
  ["the last ASCII byte", [0x7f]],
  ["U+0080", [0xc2, 0x80]],
  ["U+07FF", [0xdf, 0xbf]],
  ["U+0800", [0xe0, 0xa0, 0x80]],
  ["U+D7FF", [0xed, 0x9f, 0xbf]],
  ["U+E000", [0xee, 0x80, 0x80]],
  ["U+FFFF", [0xef, 0xbf, 0xbf]],
  ["U+10000", [0xf0, 0x90, 0x80, 0x80]],
  ["U+10FFFF", [0xf4, 0x8f, 0xbf, 0xbf]],
];

const REJECTED: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["a lone continuation byte", [0x80]],
  ["the overlong C0", [0xc0, 0x80]],
  ["the overlong C1", [0xc1, 0xbf]],
  ["the overlong E0", [0xe0, 0x9f, 0xbf]],
  ["the overlong F0", [0xf0, 0x8f, 0xbf, 0xbf]],
  ["the first surrogate", [0xed, 0xa0, 0x80]],
  ["the last surrogate", [0xed, 0xbf, 0xbf]],
  ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
  ["the lead F5", [0xf5, 0x80, 0x80, 0x80]],
  ["FF", [0xff]],
  ["a cut two-byte form", [0xc2]],
  ["a cut three-byte form", [0xe2, 0x82]],
  ["a cut four-byte form", [0xf0, 0x9f, 0x98]],
  ["an ASCII second byte", [0xc2, 0x41]],
  ["an ASCII third byte", [0xe2, 0x82, 0x41]],
  ["an ASCII fourth byte", [0xf0, 0x9f, 0x98, 0x41]],
];

test.each(ACCEPTED)("isUtf8() accepts %s", (_name, bytes) => {
  expect(isUtf8(Uint8Array.from([0xff, ...bytes, 0xff]), 1, bytes.length + 1)).toBe(true);
});

test.each(REJECTED)("isUtf8() rejects %s", (_name, bytes) => {
  expect(isUtf8(Uint8Array.from([0x41, ...bytes, 0x80, 0x80]), 1, bytes.length + 1)).toBe(false);
});

test("isUtf8() agrees with TextDecoder on every pair of bytes before two fixed ones", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const disagreements: string[] = [];

  for (let pair = 0; pair < 0x1_0000; pair += 1) {
    const bytes = Uint8Array.of(pair >> 8, pair & 0xff, 0x80, 0xbf);
    if (isUtf8(bytes, 0, 4) !== isDecodable(decoder, bytes)) disagreements.push(pair.toString(16));
  }

  expect(disagreements).toEqual([]);
});

function isDecodable(decoder: TextDecoder, bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
