/** What one object gives and why it may be unreadable; order and failures of a whole window are in `read-window*`. */
import { expect, test } from "vitest";
import { MAX_TOP_LEVEL_FIELD_BYTES } from "../../src/limits.ts";
import { readRequest, take } from "./archive-sample.ts";
import { openSyntheticStore } from "./synthetic-store.ts";

const HOUR = { start: "2026-05-01T14:00:00Z", end: "2026-05-01T15:00:00Z" };
const KEY = "p/year=2026/month=05/day=01/hour=14/minute=09/metrics_1.json";

/** A metrics request in JSON with one histogram of so many bounds: two bytes each here, eight in protobuf. */
function histogram(boundCount: number): Uint8Array {
  const bounds = Array.from({ length: boundCount }, () => "0").join(",");
  const points = `[{"explicitBounds":[${bounds}]}]`;
  return new TextEncoder().encode(
    `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":${points}}}]}]}]}`,
  );
}

/** Number of items, or why there are none: megabytes have no place in the output of an assertion. */
async function read(document: Uint8Array): Promise<unknown> {
  const store = openSyntheticStore({ [KEY]: document });
  return take(readRequest(HOUR, { store, signal: "metrics" })).then(
    ({ itemCount }) => itemCount,
    (error: unknown) => error,
  );
}

test("readJsonFields() reads a JSON document as one request", async () => {
  expect(await read(histogram(3))).toBe(1);
});

test("readJsonFields() reads an element whose protobuf is larger than any request", { timeout: 60_000 }, async () => {
  expect(await read(histogram(3_200_000))).toBe(1);
});

test(
  "readJsonFields() takes a JSON document with an element above 32 MiB for a corrupt object",
  { timeout: 60_000 },
  async () => {
    expect(await read(histogram(MAX_TOP_LEVEL_FIELD_BYTES / 8 + 1))).toMatchObject({
      kind: "corrupt_object",
      message: expect.stringContaining(`Cannot read object "${KEY}": `) as unknown,
    });
  },
);

test("readJsonFields() takes a JSON document that is no request for a corrupt object", async () => {
  expect(await read(new TextEncoder().encode('{"resourceMetrics":1}'))).toMatchObject({
    kind: "corrupt_object",
    message: expect.stringContaining(`Cannot read object "${KEY}": `) as unknown,
  });
});
