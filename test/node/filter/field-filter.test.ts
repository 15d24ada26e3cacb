/** Filtering on the wire beside a filter over the objects that protobufjs decodes. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listDataSets, readBodies, readExamples } from "../../../scripts/corpus.ts";
import { createRandom } from "../../../scripts/fuzz/random.ts";
import type { ItemFilter } from "../../../src/filter/contract.ts";
import { openFieldFilter } from "../../../src/filter/field-filter.ts";
import { openTopLevelSplitter } from "../../../src/otlp/top-level.ts";
import { validateRequest } from "../../../src/otlp/validate.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../src/signal.ts";
import { millis } from "../../../src/units.ts";
import { scrambleContainers } from "../otlp/item-containers.ts";
import { describeItems } from "../otlp/item-model.ts";
import { rewrite } from "../otlp/random-request.ts";
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import { filtersOf, isMatch, NO_FILTER, randomFilter, randomRequest, toModelItem } from "./filter-model.ts";

const RUNS = { numRuns: 150 };
/** 2026-05-28; the times of random requests lie around it. */
const ARRIVAL = millis(1_780_000_000_000);
const ARRIVAL_NANOS = 1_780_000_000_000_000_000n;

interface Outcome {
  /** Concatenated. */
  readonly output: Uint8Array;
  readonly itemCount: number;
  readonly isUntouched: boolean;
}

function filterRequest(signal: ItemSignal, filter: ItemFilter, request: Uint8Array): Outcome {
  const fields = openTopLevelSplitter().push(request);
  const { fields: left, itemCount } = openFieldFilter(signal, filter)(fields, ARRIVAL);
  for (const { field, container } of left) {
    const headBytes = field.length - (container?.length ?? 0);
    expect(container).toEqual(field.subarray(headBytes));
  }
  return {
    output: Buffer.concat(left.map(({ field }) => field)),
    itemCount,
    isUntouched: left.every((each) => fields.includes(each)),
  };
}

/** Checks a filter on one request. @returns how many items there are and how many matched */
function expectAsModel(signal: ItemSignal, filter: ItemFilter, request: Uint8Array): { all: number; matched: number } {
  const copy = request.slice();
  const items = describeItems(signal, request);
  const expected = items.filter((item) => isMatch(filter, toModelItem(signal, item), ARRIVAL_NANOS));

  const { output, itemCount, isUntouched } = filterRequest(signal, filter, request);

  expect(describeItems(signal, output)).toEqual(expected);
  expect(itemCount).toBe(expected.length);
  expect(validateRequest(signal, output).itemCount).toBe(expected.length);
  expect(Buffer.compare(request, copy)).toBe(0);
  if (expected.length === items.length) expect(isUntouched).toBe(true);
  if (expected.length === 0) expect(output.length).toBe(0);
  return { all: items.length, matched: expected.length };
}

describe.each(ITEM_SIGNALS)("%s", (signal) => {
  test("openFieldFilter() keeps the items that match, in their order, with contexts as they were", () => {
    let some = 0;
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, hasUnknown) => {
        const random = createRandom(seed);
        const request = randomRequest(signal, random);
        const filter = randomFilter(signal, random);

        const { all, matched } = expectAsModel(signal, filter, request);
        expectAsModel(signal, filter, scrambleContainers(signal, request, { random, hasUnknown }));

        if (matched > 0 && matched < all) some += 1;
      }),
      RUNS,
    );
    // Else the filters would say nothing about what lies between all and nothing.
    expect(some).toBeGreaterThan(RUNS.numRuns / 50);
  });

  test("openFieldFilter() reads fields in any order and in pieces", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = createRandom(seed);
        const request = rewrite(requestType(signal), randomRequest(signal, random), random);
        const { body } = validateRequest(signal, request);

        const filter = randomFilter(signal, random);
        const { output, itemCount } = filterRequest(signal, filter, body);

        const kept = describeItems(signal, output);
        expect(kept.length).toBe(itemCount);
        expect(isPartOf(kept, describeItems(signal, body))).toBe(true);
        expect(filterRequest(signal, filter, output).itemCount).toBe(itemCount);
      }),
      RUNS,
    );
  });

  test("openFieldFilter() without conditions passes every container on that holds items", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expectAsModel(signal, NO_FILTER, randomRequest(signal, createRandom(seed)));
      }),
      RUNS,
    );
  });
});

/** Checks filters made of two items of a request: each finds them, and all others that have the same. */
function expectToFind(signal: ItemSignal, request: Uint8Array): void {
  const items = describeItems(signal, request);
  for (const item of [items[0], items[Math.floor(items.length / 2)]]) {
    if (item === undefined) continue;
    for (const filter of filtersOf(toModelItem(signal, item))) {
      expect(expectAsModel(signal, filter, request).matched).toBeGreaterThan(0);
    }
  }
}

/** The first containers of some requests, as many as a model can read many times. */
function readSome(name: string): Uint8Array {
  const bodies = readBodies(name).toSorted((left, right) => left.length - right.length);
  const fields = bodies
    .flatMap((body) => openTopLevelSplitter().push(body))
    .filter(({ field }) => field.length < 10_000);
  return Buffer.concat(fields.slice(0, 6).map(({ field }) => field));
}

test.each(listDataSets())("openFieldFilter() finds what items of $name have", ({ name, signal }) => {
  expectToFind(signal, Uint8Array.from(readSome(name)));
});

test.each(readExamples())("openFieldFilter() finds what items of $name have", ({ signal, body }) => {
  expectToFind(signal, body);
});

/** Says whether all elements of a list stand in another one in the same order. */
function isPartOf(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const element of whole) if (element === part[at]) at += 1;
  return at === part.length;
}
