import { expect, it } from "vitest";
import type { ObjectInfo } from "../../src/object-store/contract.ts";
import { answerUnsatisfiable, assertRange, formatRangeHeader } from "../../src/object-store/range.ts";
import { read } from "../conformance/put-source.ts";

const INFO: ObjectInfo = { key: "key", length: 10, etag: "e", sha256Hex: null };

it("formatRangeHeader() names the last byte, not the length", () => {
  expect(formatRangeHeader({ offset: 0, length: 1 })).toBe("bytes=0-0");
  expect(formatRangeHeader({ offset: 5, length: 10 })).toBe("bytes=5-14");
  expect(formatRangeHeader({ offset: 5 })).toBe("bytes=5-");
});

it("assertRange() refuses what no object could have", () => {
  assertRange(undefined);
  assertRange({ offset: 0 });
  assertRange({ offset: 2 ** 52, length: 1 });
  for (const offset of [-1, 0.5, NaN, Infinity]) expect(() => assertRange({ offset })).toThrow(RangeError);
  for (const length of [-1, 0, 0.5, NaN]) expect(() => assertRange({ offset: 0, length })).toThrow(RangeError);
});

it("answerUnsatisfiable() tells the end of an object from what lies behind it", async () => {
  expect(await read(answerUnsatisfiable("key", { range: { offset: 10 } }, INFO))).toEqual(new Uint8Array(0));
  expect(() => answerUnsatisfiable("key", { range: { offset: 11 } }, INFO)).toThrow(RangeError);
});

it("answerUnsatisfiable() throws what else the answer may have meant", () => {
  const range = { offset: 10 };

  expect(() => answerUnsatisfiable("key", { range }, null)).toThrow(
    expect.objectContaining({ kind: "object_not_found" }),
  );
  expect(() => answerUnsatisfiable("key", { range, ifMatch: "other" }, INFO)).toThrow(
    expect.objectContaining({ kind: "object_changed" }),
  );
  expect(() => answerUnsatisfiable("key", { range: { offset: 9 } }, INFO)).toThrow(
    expect.objectContaining({ kind: "store_unavailable" }),
  );
});

it("answerUnsatisfiable() serves a reader that brings its buffer", async () => {
  const reader = answerUnsatisfiable("key", { range: { offset: 10 } }, INFO).getReader({ mode: "byob" });

  expect(await reader.read(new Uint8Array(16))).toMatchObject({ done: true });
});
