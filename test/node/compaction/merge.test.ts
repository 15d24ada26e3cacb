/** What goes into a merge and what comes out of it, beside an independent reading of both. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../scripts/fuzz/random.ts";
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import { decodeMemberEntry } from "../../../src/archive/member-table.ts";
import { openMerger, openMergers } from "../../../src/compaction/merge.ts";
import type { MergedMember, MergerOptions, OpenMerger } from "../../../src/compaction/merger.ts";
import { readMemberHeader, useDense } from "../../../src/compression/dense.ts";
import { readEventTime } from "../../../src/otlp/item-facts.ts";
import { iterateItems } from "../../../src/otlp/items.ts";
import { decodeJsonElements } from "../../../src/otlp/json/decode.ts";
import { encodeJsonElements } from "../../../src/otlp/json/elements.ts";
import { openTopLevelSplitter } from "../../../src/otlp/top-level.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../src/signal.ts";
import { bytes } from "../../../src/units.ts";
import { scrambleContainers } from "../otlp/item-containers.ts";
import { describeItems } from "../otlp/item-model.ts";
import { randomMessage } from "../otlp/random-request.ts";

const RUNS = { numRuns: 60 };
/** No item of these requests, in JSON and with its context, is longer. */
const MAX_ITEM_BYTES = 20_000;
const MARSHALERS = ["otlp_proto", "otlp_json"] as const;
const COMPRESSIONS = ["gzip", "zstd"] as const;

/** A request of a minute. */
interface Source {
  readonly minute: number;
  readonly request: Uint8Array;
}

type Options = Omit<MergerOptions, "signal" | "level" | "startsOutput">;

const options = (marshalers: readonly ("otlp_proto" | "otlp_json")[]): fc.Arbitrary<Options> =>
  fc.record({
    marshaler: fc.constantFrom(...marshalers),
    compression: fc.constantFrom(...COMPRESSIONS),
    memberRawBytes: fc.integer({ min: 200, max: 20_000 }).map(bytes),
    gatherBytes: fc.integer({ min: 1000, max: 50_000 }).map(bytes),
  });
const sources = fc
  .array(fc.record({ minute: fc.integer({ min: 0, max: 59 }), seed: fc.nat(), hasUnknown: fc.boolean() }), {
    maxLength: 8,
  })
  .map((list) => list.toSorted((left, right) => left.minute - right.minute));

function makeSource(signal: ItemSignal, seed: number, hasUnknown: boolean): Uint8Array {
  const type = requestType(signal);
  const body = type.encode(type.fromObject(randomMessage(type, createRandom(seed), "good"))).finish();
  return scrambleContainers(signal, body, { random: createRandom(seed + 1), hasUnknown });
}

interface Merged {
  readonly members: readonly MergedMember[];
  readonly sums: { readonly source: unknown; readonly output: unknown };
}

function merge(open: OpenMerger, how: MergerOptions, list: readonly Source[]): Merged {
  const merger = open(how);
  const members: MergedMember[] = [];
  for (const [index, { minute, request }] of list.entries()) {
    const copy = Uint8Array.from(request);
    merger.addFields(minute, openTopLevelSplitter().push(copy));
    // Whatever was not copied is gone.
    copy.fill(0);
    if (index % 3 === 2) merger.endMinute();
    members.push(...merger.take());
  }
  merger.flush();
  members.push(...merger.take());
  expect(merger.take()).toEqual([]);
  expect(merger.heldBytes).toBeLessThan(40_000);
  return {
    members,
    sums: { source: Object.fromEntries(merger.sourceTotals), output: Object.fromEntries(merger.outputTotals) },
  };
}

/** Cuts a member at the lengths that its entry gives, as a reader does that knows nothing else. */
function readRuns(
  { marshaler, compression, signal }: MergerOptions,
  { bytes: stored }: MergedMember,
): readonly Source[] {
  const header = readMemberHeader(stored, 0, compression);
  if (header.kind !== "entry") throw new Error(`Cannot read member: ${header.kind}`);
  const { runs, rawBytes } = decodeMemberEntry(header.entry);
  const raw = useDense({ member: stored, compression, rawBytes }, (content) => content.slice());
  let at = 0;
  return runs.map((run) => {
    const part = raw.subarray(at, at + run.rawBytes);
    at += run.rawBytes;
    if (marshaler === "otlp_proto") return { minute: run.minute, request: part };
    const start = part[0] === 0x2c ? 1 : part.indexOf(0x5b) + 1;
    return { minute: run.minute, request: decodeJsonElements(signal, part.subarray(start), 0) };
  });
}

function listItems(signal: ItemSignal, list: readonly Source[]): readonly string[] {
  return list
    .flatMap(({ minute, request }) => describeItems(signal, request).map((item) => `${minute} ${item}`))
    .toSorted();
}

/** Fields of requests that are no containers, by minute and in their order. */
function listUnowned(list: readonly Source[]): readonly string[] {
  return list.flatMap(({ minute, request }) =>
    openTopLevelSplitter()
      .push(request)
      .flatMap(({ field, container }) =>
        container === null ? [`${minute} ${Buffer.from(field).toString("hex")}`] : [],
      ),
  );
}

/** As items come back from JSON. */
function toJsonForm(signal: ItemSignal, request: Uint8Array): Uint8Array {
  const elements = encodeJsonElements(signal, request);
  return elements.length === 0 ? elements : decodeJsonElements(signal, elements, 0);
}

describe.each(ITEM_SIGNALS)("openMerger() of %s", (signal) => {
  it("keeps every item with its context and minute, and says in each member what it holds", () => {
    const open = openMergers();
    fc.assert(
      fc.property(sources, options(MARSHALERS), (list, some) => {
        const how: MergerOptions = { ...some, signal, level: null, startsOutput: true };
        const isJson = how.marshaler === "otlp_json";
        const given = list.map(({ minute, seed, hasUnknown }) => ({
          minute,
          request: makeSource(signal, seed, hasUnknown && !isJson),
        }));

        const { members, sums } = merge(open, how, given);

        const runs = members.flatMap((member) => readRuns(how, member));
        const expected = isJson ? given.map((each) => ({ ...each, request: toJsonForm(signal, each.request) })) : given;
        expect(listItems(signal, runs)).toEqual(listItems(signal, expected));
        expect(sums.output).toEqual(sums.source);
        expect(listUnowned(runs)).toEqual(isJson ? [] : listUnowned(given));
        for (const member of members) expectEntry(how, member);
      }),
      RUNS,
    );
  });

  it("has other sums when an item is missing, there twice, or in another minute", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 58 }), (seed, minute) => {
        const how: MergerOptions = {
          signal,
          marshaler: "otlp_proto",
          compression: "zstd",
          level: 1,
          memberRawBytes: bytes(4096),
          gatherBytes: bytes(8192),
          startsOutput: true,
        };
        const request = makeSource(signal, seed, false);
        const fields = openTopLevelSplitter().push(request);
        const found = fields.findLast(({ field }) => describeItems(signal, field).length > 0);
        fc.pre(found !== undefined);
        const last = found?.field ?? request;
        const whole = [{ minute, request }];
        const rest = fields.filter((each) => each !== found).map(({ field }) => ({ minute, request: field }));

        const right = merge(openMerger, how, whole).sums;

        for (const wrong of [
          rest,
          [...whole, { minute, request: last }],
          [...rest, { minute: minute + 1, request: last }],
        ]) {
          expect(merge(openMerger, how, wrong).sums.output).not.toEqual(right.source);
        }
      }),
      RUNS,
    );
  });
});

function expectEntry({ memberRawBytes }: MergerOptions, { entry }: MergedMember): void {
  expect(entry.itemCount).toBe(entry.runs.reduce((sum, run) => sum + run.itemCount, 0));
  expect(entry.rawBytes).toBe(entry.runs.reduce((sum, run) => sum + run.rawBytes, 0));
  expect(new Set(entry.runs.map(({ minute }) => minute)).size).toBe(entry.runs.length);
  // Whatever is longer was one item, or one field, in what was left of the member.
  expect(entry.rawBytes).toBeLessThan(memberRawBytes + MAX_ITEM_BYTES);
}

describe("openMerger() and event times", () => {
  it("gives the first and the last of the member's items", () => {
    const how: MergerOptions = {
      signal: "traces",
      marshaler: "otlp_proto",
      compression: "zstd",
      level: 1,
      memberRawBytes: bytes(2 ** 20),
      gatherBytes: bytes(2 ** 20),
      startsOutput: true,
    };
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const request = makeSource("traces", seed, false);
        const times = Array.from(iterateItems("traces", request), (item) => readEventTime("traces", item))
          .filter((time) => time > 0n)
          .toSorted((left, right) => (left < right ? -1 : 1));

        const { members } = merge(openMerger, how, [{ minute: 3, request }]);

        expect(members[0]?.entry.minTimeUnixNano ?? null).toBe(times[0] ?? null);
        expect(members[0]?.entry.maxTimeUnixNano ?? null).toBe(times.at(-1) ?? null);
      }),
      RUNS,
    );
  });
});
