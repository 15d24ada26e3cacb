import { describe, expect, test } from "vitest";
import { openEventTimes } from "../../src/otlp/item-facts.ts";
import { Murmur3 } from "../../src/otlp/murmur3.ts";
import { hashTraceId, openTraceHashes } from "../../src/otlp/trace-ids.ts";
import { fill, lengthField, tag, varintField } from "./wire-builder.ts";

const ID = Array.from({ length: 16 }, (_, at) => at + 1);
const OTHER = ID.toReversed();
const NUMBER = { traces: 1, logs: 9 } as const;

/** The first word of the hash, by the code that digests rest on, which has the reference's vectors. */
function expectedHash(id: readonly number[]): number {
  const murmur = new Murmur3();
  murmur.hash(new DataView(Uint8Array.from(id).buffer), 0, id.length, 0);
  return murmur.h1 >>> 0;
}

function hashesOf(signal: "traces" | "logs", ...items: readonly (readonly number[])[]): number[] {
  const traces = openTraceHashes();
  const times = openEventTimes(signal, traces);
  for (const item of items) {
    const bytes = Uint8Array.from([0xff, ...item, 0x0a]);
    times.add({ bytes, start: 1, end: bytes.length - 1 });
  }
  return [...traces.take()];
}

/** A length in more bytes than it needs. */
const longLength = (number: number, id: readonly number[]): number[] => [...tag(number, 2), 0x90, 0x00, ...id];

test("hashTraceId() takes 16 bytes that are not all zero", () => {
  expect(hashTraceId(Uint8Array.from(ID))).toBe(expectedHash(ID));
  expect(hashTraceId(Uint8Array.from(ID.slice(1)))).toBeNull();
  expect(hashTraceId(new Uint8Array(16))).toBeNull();
  expect(hashTraceId(new Uint8Array(0))).toBeNull();
});

test("openTraceHashes() lists each hash once, ascending, however many there are", () => {
  const ids = Array.from({ length: 3000 }, (_, index) => [...ID.slice(2), index % 256, index >> 8]);
  const found = hashesOf("traces", ...[...ids, ...ids].map((id) => lengthField(1, id)));
  expect(found).toEqual([...new Set(ids.map(expectedHash))].toSorted((left, right) => left - right));
});

describe.each(["traces", "logs"] as const)("openEventTimes() of %s hands out the trace id", (signal) => {
  const number = NUMBER[signal];
  test.each([
    ["of an item", [...varintField(6, 3n), ...lengthField(number, ID)], [ID]],
    ["that came last", [...lengthField(number, OTHER), ...lengthField(5, [1]), ...lengthField(number, ID)], [ID]],
    ["with a length in two bytes", longLength(number, ID), [ID]],
    ["but none that came before an empty one", [...lengthField(number, ID), ...lengthField(number, [])], []],
    ["but none of another length", lengthField(number, [...ID, 1]), []],
    ["but none of zeros", lengthField(number, fill(16, 0)), []],
    ["but none of another field", lengthField(number + 1, ID), []],
    ["behind a long field", [...lengthField(5, fill(200, 7)), ...lengthField(number, ID)], [ID]],
  ])("%s", (_, item, expected) => {
    expect(hashesOf(signal, item)).toEqual(expected.map(expectedHash));
  });
});

test("openEventTimes() of data points has no trace ids", () => {
  const traces = openTraceHashes();
  const bytes = Uint8Array.from([0, ...lengthField(1, ID)]);
  openEventTimes("metrics", traces).add({ bytes, start: 1, end: bytes.length });
  expect(traces.take()).toHaveLength(0);
});
