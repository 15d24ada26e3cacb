/** What one object gives and why it may be unreadable; order and failures of a whole window are in `read-window*`. */
import { expect, test } from "vitest";
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

test("readFields() reads a JSON document as one request", async () => {
  const store = openSyntheticStore({ [KEY]: histogram(3) });

  const taken = await take(readRequest(HOUR, { store, signal: "metrics" }));

  expect(taken.itemCount).toBe(1);
});

test("readFields() takes a JSON document whose protobuf is too large for a corrupt object", async () => {
  const store = openSyntheticStore({ [KEY]: histogram(3_200_000) });

  await expect(take(readRequest(HOUR, { store, signal: "metrics" }))).rejects.toMatchObject({
    kind: "corrupt_object",
    message: `Cannot read object "${KEY}": Cannot convert the message: it takes more than 25165824 bytes`,
  });
});

test("readFields() takes a JSON document that is no request for a corrupt object", async () => {
  const store = openSyntheticStore({ [KEY]: new TextEncoder().encode('{"resourceMetrics":1}') });

  await expect(take(readRequest(HOUR, { store, signal: "metrics" }))).rejects.toMatchObject({
    kind: "corrupt_object",
    message: expect.stringContaining(`Cannot read object "${KEY}": Cannot read JSON`) as unknown,
  });
});
