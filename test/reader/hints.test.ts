/** A read that is hinted, followed by the filter, gives what the whole read gives, and reads less. */
import { describe, expect, test } from "vitest";
import type { ReadHints, ReadPlace } from "../../src/reader/contract.ts";
import { mayKeepMember, mayKeepOutput, NO_HINTS } from "../../src/reader/hints.ts";
import { bytes, HOUR, millis, MINUTE, type Millis } from "../../src/units.ts";
import { SAMPLE_HOUR, SAMPLE_OUTPUTS } from "../archive/sample-manifest.ts";
import { HOUR_14, namesIn, openBucket, type Bucket } from "../compaction/bucket.ts";
import { HOUR_FORMAT, LIMITS, MINUTE_FORMAT, readRequest, take, type Taken } from "./archive-sample.ts";
import { compactAll, isKept, makeItems, openRandom, putItems, type ItemFacts } from "./facts-archive.ts";

const HOURS = 3;
const SERVICES = [null, null, "cart", "ad", "nobody"];
const nanos = (time: number): bigint => BigInt(time) * 1_000_000n;

interface World {
  readonly bucket: Bucket;
  readonly items: readonly ItemFacts[];
  readonly traces: readonly Uint8Array[];
}

/** Hours of which some are compacted once, some twice, and some have late objects. */
async function openWorld(signal: "traces" | "logs", format: string, random: () => number): Promise<World> {
  const bucket = openBucket({ signal, format });
  const items: ItemFacts[] = [];
  const traces = Array.from({ length: 60 }, (_, index) =>
    Uint8Array.from({ length: 16 }, (__, at) => (at === 15 ? index + 1 : at === 3 ? 7 : 0)),
  );
  const fill = (share: number): void => {
    for (let minute = 0; minute < HOURS * 60; minute += 1) {
      if (random() > share) continue;
      const arrival = millis(HOUR_14 - HOUR * (HOURS - 1) + minute * MINUTE);
      const made = makeItems(random, arrival, { count: 1 + Math.floor(random() * 12), traces });
      items.push(...made);
      putItems(bucket, arrival, made);
    }
  };
  fill(0.5);
  await compactAll(bucket);
  fill(0.1);
  await compactAll(bucket);
  fill(0.05);
  return { bucket, items, traces };
}

function drawHints(random: () => number, traces: readonly Uint8Array[]): ReadHints {
  const start = HOUR_14 - 6 * HOUR + Math.floor(random() * 8 * HOUR);
  const end = start + 1 + Math.floor(random() * (random() < 0.5 ? 10 * MINUTE : 2 * HOUR));
  const unknown = new Uint8Array(16).fill(250);
  const traceId = random() < 0.5 ? null : random() < 0.2 ? unknown : (traces[Math.floor(random() * 60)] ?? null);
  return {
    service: SERVICES[Math.floor(random() * SERVICES.length)] ?? null,
    traceId,
    eventTime: random() < 0.5 ? null : { startUnixNano: nanos(start), endUnixNano: nanos(end) },
  };
}

function drawWindow(random: () => number): { readonly start: Millis; readonly end: Millis } {
  const first = HOUR_14 - HOUR * (HOURS - 1);
  const start = first + Math.floor(random() * HOURS * 30) * MINUTE;
  return { start: millis(start), end: millis(start + (1 + Math.floor(random() * HOURS * 60)) * MINUTE) };
}

async function readNames(
  { bucket }: World,
  window: { readonly start: Millis; readonly end: Millis },
  options: { readonly hints?: ReadHints; readonly maxStoreCalls?: number },
): Promise<{ readonly names: readonly string[]; readonly rawBytes: number; readonly storeCalls: number }> {
  const { store, layout, signal } = bucket;
  const { hints, maxStoreCalls = LIMITS.maxStoreCalls } = options;
  const names: string[] = [];
  let rawBytes = 0;
  let storeCalls = 0;
  let from: Millis | null = window.start;
  let place: ReadPlace | null = null;
  while (from !== null) {
    const span = { start: new Date(from).toISOString(), end: new Date(window.end).toISOString() };
    const limits = { ...LIMITS, maxStoreCalls };
    const given = { ...(hints === undefined ? {} : { hints }), ...(place === null ? {} : { place }) };
    const {
      bytes: read,
      next,
      end,
    }: Taken = await take(readRequest(span, { store, layout, signal, limits, ...given }));
    names.push(...namesIn(read));
    rawBytes += end.usage.rawBytes;
    storeCalls += end.usage.storeCalls;
    expect(next === null || (next % MINUTE === 0 && (next > from || end.place !== null))).toBe(true);
    from = next;
    place = end.place;
  }
  return { names, rawBytes, storeCalls };
}

describe.each(["traces", "logs"] as const)("readWindow() of %s", (signal) => {
  test.each([
    [1, MINUTE_FORMAT],
    [2, MINUTE_FORMAT],
    [3, HOUR_FORMAT],
    [4, "day=%d/month=%m/year=%Y/%H/%M"],
  ])("gives what its hints keep, world %d of %s", async (seed, format) => {
    const random = openRandom(seed);
    const world = await openWorld(signal, format, random);
    const facts = new Map(world.items.map((item) => [item.name, item]));
    let saved = 0;
    for (let turn = 0; turn < 60; turn += 1) {
      const hints = drawHints(random, world.traces);
      const window = drawWindow(random);
      const maxStoreCalls = random() < 0.3 ? 3 + Math.floor(random() * 20) : LIMITS.maxStoreCalls;
      const all = await readNames(world, window, {});
      const hinted = await readNames(world, window, { hints, maxStoreCalls });
      const keep = (names: readonly string[]): string[] =>
        names.filter((name) => isKept(hints, facts.get(name) ?? fail(name))).toSorted();
      const expected = world.items.filter(
        (item) => item.arrival >= window.start && item.arrival < window.end && isKept(hints, item),
      );
      expect(keep(hinted.names)).toEqual(expected.map(({ name }) => name).toSorted());
      expect(keep(all.names)).toEqual(keep(hinted.names));
      // A read that ends itself inflates a member again that goes on behind the cut.
      if (maxStoreCalls < LIMITS.maxStoreCalls) continue;
      expect(hinted.rawBytes).toBeLessThanOrEqual(all.rawBytes);
      if (hinted.rawBytes < all.rawBytes) saved += 1;
    }
    expect(saved).toBeGreaterThan(20);
  });
});

function fail(name: string): never {
  throw new Error(`${name} was never put`);
}

const [OUTPUT] = SAMPLE_OUTPUTS;
if (OUTPUT === undefined) throw new Error("the sample has no output");
const eventTime = (start: number, end: number): ReadHints => ({
  ...NO_HINTS,
  eventTime: { startUnixNano: nanos(start), endUnixNano: nanos(end) },
});

test("mayKeepOutput() passes over an output only for names that it lists", () => {
  const hints = { ...NO_HINTS, service: "ad" };
  expect(mayKeepOutput(hints, OUTPUT, SAMPLE_HOUR)).toBe(false);
  expect(mayKeepOutput({ ...NO_HINTS, service: "cart" }, OUTPUT, SAMPLE_HOUR)).toBe(true);
  expect(mayKeepOutput(hints, { ...OUTPUT, services: null }, SAMPLE_HOUR)).toBe(true);
});

test("mayKeepOutput() looks at event times and at minutes of arrival, each half-open", () => {
  // The output arrived in minute 9; its items happened from 14:09:30.1 to 14:09:31.
  const last = millis(SAMPLE_HOUR + 9 * MINUTE + 31_000);
  expect(mayKeepOutput(eventTime(last, last + 1), OUTPUT, SAMPLE_HOUR)).toBe(true);
  const early = { ...OUTPUT, minTimeUnixNano: nanos(SAMPLE_HOUR), maxTimeUnixNano: nanos(SAMPLE_HOUR + 1) };
  expect(mayKeepOutput(eventTime(SAMPLE_HOUR - 5, SAMPLE_HOUR), early, SAMPLE_HOUR)).toBe(false);
  expect(mayKeepOutput(eventTime(SAMPLE_HOUR + 1, SAMPLE_HOUR + 2), early, SAMPLE_HOUR)).toBe(true);
  expect(mayKeepOutput(eventTime(SAMPLE_HOUR + 2, SAMPLE_HOUR + 3), early, SAMPLE_HOUR)).toBe(false);
  const minute = SAMPLE_HOUR + 9 * MINUTE;
  expect(mayKeepOutput(eventTime(minute - 5, minute), early, SAMPLE_HOUR)).toBe(false);
  expect(mayKeepOutput(eventTime(minute - 5, minute + 1), early, SAMPLE_HOUR)).toBe(true);
  expect(mayKeepOutput(eventTime(minute + MINUTE, minute + 2 * MINUTE), early, SAMPLE_HOUR)).toBe(false);
});

const within = (minute: number): ReadHints =>
  eventTime(SAMPLE_HOUR + minute * MINUTE, SAMPLE_HOUR + (minute + 1) * MINUTE);

test("mayKeepMember() keeps a member without times whose minutes meet the window", () => {
  const member = {
    offset: bytes(0),
    storedBytes: bytes(1),
    rawBytes: bytes(2),
    itemCount: 2,
    runs: [
      { minute: 3, itemCount: 1, rawBytes: bytes(1) },
      { minute: 7, itemCount: 1, rawBytes: bytes(1) },
    ],
    minTimeUnixNano: null,
    maxTimeUnixNano: null,
  };
  expect([2, 3, 5, 7, 8].map((minute) => mayKeepMember(within(minute), member, SAMPLE_HOUR))).toEqual([
    false,
    true,
    false,
    true,
    false,
  ]);
});
