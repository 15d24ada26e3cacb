/** Pages of any hour, whatever its objects and the bounds, are the hour; compaction between them changes nothing. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import { REPLAY_LIMIT_BYTES_FLOOR } from "../../src/limits.ts";
import { FORMATS, type ReplayFormat } from "../../src/replay/format.ts";
import { replayResponse } from "../../src/replay/replay.ts";
import type { ReadLimits } from "../../src/reader/contract.ts";
import { bytes } from "../../src/units.ts";
import { formatKey } from "../../src/archive/key.ts";
import { profilesObject } from "../reader/archive-forms.ts";
import { at, layoutOf, LIMITS } from "../reader/archive-sample.ts";
import { bytesObject, openSyntheticStore } from "../reader/synthetic-store.ts";
import { depsOf, WINDOW } from "./replay-kit.ts";
import { hour, openBucket, type Bucket } from "./sample-hour.ts";

const limits: fc.Arbitrary<ReadLimits> = fc.record({
  maxStoreCalls: fc.constantFrom(1, 4, 6, 8000),
  maxRawBytes: fc.constantFrom(0, 30_000, 100_000, 2 ** 33).map((value) => bytes(value)),
  fetchAhead: fc.constantFrom(0, 3),
});

/** The beginnings of names, in their order: a JSON line or a message may hold several. */
const namesIn = (body: Uint8Array): string[] => new TextDecoder("latin1").decode(body).match(/n-\d+-\d+-x*/g) ?? [];

interface Taken {
  readonly names: readonly string[];
  readonly mark: Readonly<Record<string, unknown>>;
  readonly size: number;
}

/** The mark is the last JSON object of every format. */
async function takePage(
  { store }: Bucket,
  { format, query, bounds }: { readonly format: ReplayFormat; readonly query: string; readonly bounds: ReadLimits },
): Promise<Taken> {
  const search = new URLSearchParams(`signal=traces&format=${format}&${WINDOW}${query}`);
  return toTaken(await replayResponse({ query: search, accept: null }, depsOf(store, { limits: bounds })));
}

async function toTaken(response: Response): Promise<Taken> {
  const body = await response.bytes();
  const text = new TextDecoder("latin1").decode(body);
  const mark: unknown = JSON.parse(/\{"items":[^{}]*\}/.exec(text.slice(text.lastIndexOf('{"items"')))?.[0] ?? "null");
  return { names: namesIn(body), mark: mark as Taken["mark"], size: body.length };
}

interface Pages {
  readonly pages: readonly Taken[];
  readonly goneCount: number;
}

/** A client that goes on until there is no next, and that drops of a minute what it was told to drop. */
async function takePages(
  bucket: Bucket,
  options: {
    readonly format: ReplayFormat;
    readonly bounds: ReadLimits;
    readonly limit: number | null;
    readonly between: (pageCount: number) => Promise<void>;
  },
): Promise<Pages> {
  const pages: Taken[] = [];
  const cursors = new Set<string>();
  let goneCount = 0;
  let cursor: string | null = null;
  for (;;) {
    const limit = options.limit === null ? "" : `&limit_bytes=${options.limit}`;
    const query: string = `${limit}${cursor === null ? "" : `&cursor=${cursor}`}`;
    try {
      pages.push(await takePage(bucket, { ...options, query }));
    } catch (error) {
      if (!(error instanceof FirnError) || error.kind !== "position_gone") throw error;
      goneCount++;
      cursor = drop(pages, error);
      continue;
    }
    const next = pages.at(-1)?.mark["next"];
    if (typeof next !== "string") return { pages, goneCount };
    if (cursors.has(next)) throw new Error(`the replay does not get ahead: ${next}`);
    cursors.add(next);
    cursor = next;
    await options.between(pages.length);
  }
}

/** Drops the items of the minute that were given: they came last. */
function drop(pages: Taken[], { message, next = "" }: FirnError): string {
  const of = Number(/:(\d\d):00\.000Z:/.exec(message)?.[1]);
  const isOfMinute = (name: string): boolean => Number(name.split("-")[1]) === of;
  const given = pages.flatMap(({ names }) => names);
  const left = given.length - Number(/(\d+) of its items were given/.exec(message)?.[1]);
  expect(given.slice(left).every(isOfMinute)).toBe(true);
  expect(given.slice(0, left).some(isOfMinute)).toBe(false);
  expect(message).toContain(next);
  pages.splice(0, pages.length, { names: given.slice(0, left), mark: {}, size: 0 });
  return next;
}

test.each(FORMATS)(
  "replayResponse() in pages of %s is the hour, in its order",
  { timeout: 120_000 },
  async (format) => {
    await fc.assert(
      fc.asyncProperty(
        hour,
        limits,
        fc.constantFrom(null, REPLAY_LIMIT_BYTES_FLOOR, 200_000),
        async (sample, bounds, limit) => {
          const bucket = await openBucket(sample);

          const whole = await takePage(bucket, { format, query: "", bounds: LIMITS });
          const { pages } = await takePages(bucket, { format, bounds, limit, between: () => Promise.resolve() });

          expect(pages.flatMap(({ names }) => names)).toEqual(whole.names);
          expect(pages.reduce((sum, { mark }) => sum + Number(mark["items"]), 0)).toBe(whole.names.length);
          for (const { size, names } of pages) {
            if (limit !== null && names.length > 4) expect(size).toBeLessThanOrEqual(limit);
          }
          expect(pages.at(-1)?.mark["complete"]).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  },
);

test.each(FORMATS)(
  "replayResponse() in pages of %s gives every item once, though the hour is compacted between them",
  { timeout: 120_000 },
  async (format) => {
    let goneCount = 0;
    await fc.assert(
      fc.asyncProperty(hour, limits, fc.integer({ min: 1, max: 5 }), async (sample, bounds, after) => {
        const bucket = await openBucket(sample);
        const whole = await takePage(bucket, { format, query: "", bounds: LIMITS });
        const between = (count: number): Promise<void> => (count === after ? bucket.compact() : Promise.resolve());

        const found = await takePages(bucket, { format, bounds, limit: REPLAY_LIMIT_BYTES_FLOOR, between });

        goneCount += found.goneCount;
        expect(found.pages.flatMap(({ names }) => names).toSorted()).toEqual(whole.names.toSorted());
      }),
      { numRuns: 40 },
    );

    expect(goneCount).toBeGreaterThan(0);
  },
);

test.each(["jsonl", "proto-delimited"] as const)(
  "replayResponse() in pages of profiles as %s is the hour",
  async (format) => {
    const store = openSyntheticStore();
    const names = Array.from({ length: 7 }, (_, index) => `n-9-${index}-${"x".repeat(index * 6000)}`);
    for (const [index, name] of names.entries())
      store.objects.set(keyOf(index), bytesObject(profilesObject(name, GZIP)));
    const ask = async (cursor: string): Promise<Taken> => {
      const query = `signal=profiles&format=${format}&limit_bytes=${REPLAY_LIMIT_BYTES_FLOOR}&${WINDOW}${cursor}`;
      return toTaken(await replayResponse({ query: new URLSearchParams(query), accept: null }, depsOf(store)));
    };
    const pages: Taken[] = [await ask("")];
    for (let next = pages[0]?.mark["next"]; typeof next === "string"; next = pages.at(-1)?.mark["next"]) {
      pages.push(await ask(`&cursor=${next}`));
    }

    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flatMap((page) => page.names)).toEqual(names);
    for (const { size } of pages) expect(size).toBeLessThanOrEqual(REPLAY_LIMIT_BYTES_FLOOR);
  },
);

const GZIP = { marshaler: "otlp_proto", compression: "gzip" } as const;

function keyOf(index: number): string {
  const time = { sealTime: at("2026-05-01T14:09:00Z"), shard: 0, incarnation: "9f2c4e7a", sequence: index + 1 };
  return formatKey({ kind: "fresh", signal: "profiles", form: GZIP, ...time }, layoutOf());
}
