import { expect, test } from "vitest";
import { inflateBody } from "../../src/compression/request-body.ts";
import { chooseCoding } from "../../src/replay/coding.ts";
import { formatFileName } from "../../src/replay/file-name.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import { at, freshKey } from "../reader/archive-sample.ts";
import { gzip, request } from "../reader/otlp-sample.ts";
import { openSyntheticStore, type SyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, WINDOW } from "./replay-kit.ts";

test.each([
  [null, "identity"],
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["GZIP", "gzip"],
  ["zstd", "zstd"],
  ["gzip, deflate, br, zstd", "gzip"],
  ["deflate, gzip;q=0.5, zstd", "zstd"],
  ["gzip;q=0.5, zstd;q=0.50", "gzip"],
  ["br, deflate", "identity"],
  ["gzip;q=0", "identity"],
  ["gzip; q=0.4, identity; q=0.5", "identity"],
  ["gzip;q=0.5, identity;q=0.5", "gzip"],
  ["gzip;q=0.1, *;q=1", "gzip"],
  ["*", "identity"],
  ["*;q=0, zstd", "zstd"],
  ["identity;q=0, *", "gzip"],
  ["identity;q=0, gzip;q=0, *", "zstd"],
  ["*;q=0, identity", "identity"],
  ["gzip;q=nonsense", "identity"],
  [",, ;q=1, gzip", "gzip"],
])("chooseCoding() of %j is %s", (header, coding) => {
  expect(chooseCoding(header)).toBe(coding);
});

test.each(["identity;q=0", "*;q=0", "br, identity;q=0", "identity;q=0, gzip;q=0, zstd;q=0, *"])(
  "chooseCoding() refuses %j, which refuses plain bytes too",
  (header) => {
    expect(() => chooseCoding(header)).toThrow(
      "Cannot answer in a coding that the header Accept-Encoding names, expected gzip or zstd",
    );
  },
);

const CODINGS = ["gzip", "zstd"] as const;

const names = (minute: number): string[] => Array.from({ length: 4000 }, (_, index) => `n-${minute}-${index}`);

function openStore(): SyntheticStore {
  return openSyntheticStore({
    [freshKey("2026-05-01T14:09:00Z")]: gzip(request("traces", names(9))),
    [freshKey("2026-05-01T14:10:00Z")]: gzip(request("traces", names(10))),
  });
}

const ask = async (store: SyntheticStore, acceptEncoding: string | null, format = "jsonl"): Promise<Response> => {
  const query = new URLSearchParams(`signal=traces&format=${format}&${WINDOW}`);
  return replayResponse({ query, accept: null, acceptEncoding }, depsOf(store));
};

test.each(CODINGS)("replayResponse() in %s is the same answer", async (coding) => {
  const plain = await (await ask(openStore(), null)).bytes();

  const response = await ask(openStore(), coding);
  const coded = await response.bytes();

  expect(response.headers.get("content-encoding")).toBe(coding);
  expect(response.headers.get("vary")).toBe("Accept, Accept-Encoding");
  expect(coded.length).toBeLessThan(plain.length / 5);
  expect(inflateBody(coding, coded, 2 ** 24).body).toEqual(plain);
});

test.each(CODINGS)("replayResponse() in %s breaks off without an end", async (coding) => {
  const store = openStore();
  const [, second = ""] = store.objects.keys();
  store.objects.delete(second);
  store.objects.set(second, { length: 100, *open() {} });
  const response = await ask(store, coding, "proto");
  const reader = response.body?.getReader();
  const given: Uint8Array[] = [];

  const reading = (async () => {
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) given.push(next.value);
  })();

  await expect(reading).rejects.toThrow();
  expect(given.length).toBeGreaterThan(0);
  const whole = new Uint8Array(given.flatMap((piece) => [...piece]));
  expect(() => inflateBody(coding, whole, 2 ** 24)).toThrow();
});

test.each(CODINGS)("replayResponse() in %s gives its first data before the second object is read", async (coding) => {
  const store = openStore();
  const response = await ask(store, coding, "proto");

  const first = await response.body?.getReader().read();

  expect(first?.value?.length).toBeGreaterThan(20);
});

test("formatFileName() says signal, window and format", () => {
  const window = { start: at("2026-05-01T14:00:00Z"), end: at("2026-05-01T15:00:00Z") };
  const odd = { start: at("2026-05-01T14:00:30Z"), end: at("2026-05-02T00:00:00.250Z") };

  expect(formatFileName({ signal: "traces", window, format: "jsonl" })).toBe(
    "firn-traces-20260501T1400Z-20260501T1500Z.jsonl",
  );
  expect(formatFileName({ signal: "all", window: odd, format: "proto-delimited" })).toBe(
    "firn-all-20260501T140030Z-20260502T000000.250Z.delimited.binpb",
  );
});

test("replayResponse() is an attachment, whose name has no ending for its coding", async () => {
  const response = await ask(openStore(), "gzip");

  expect(response.headers.get("content-disposition")).toBe(
    'attachment; filename="firn-traces-20260501T1400Z-20260501T1500Z.jsonl"',
  );
});
