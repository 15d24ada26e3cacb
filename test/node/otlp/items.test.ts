/** Items out of requests and into requests again, beside an independent reading of both. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listDataSets, readBodies, readExamples } from "../../../scripts/corpus.ts";
import { createRandom } from "../../../scripts/fuzz/random.ts";
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import { FirnError } from "../../../src/errors.ts";
import { iterateItems } from "../../../src/otlp/items.ts";
import { openRegrouper, type GroupOrder } from "../../../src/otlp/regroup.ts";
import { validateRequest } from "../../../src/otlp/validate.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../../src/signal.ts";
import { scrambleContainers } from "./item-containers.ts";
import { describeItems } from "./item-model.ts";
import { randomMessage } from "./random-request.ts";

const RUNS = { numRuns: 150 };
const ORDERS: readonly GroupOrder[] = ["arrival", "form"];

function randomBody(signal: ItemSignal, seed: number): Uint8Array {
  const type = requestType(signal);
  return type.encode(type.fromObject(randomMessage(type, createRandom(seed), "good"))).finish();
}

function scrambled(signal: ItemSignal, seed: number, hasUnknown: boolean): Uint8Array {
  return scrambleContainers(signal, randomBody(signal, seed), { random: createRandom(seed + 1), hasUnknown });
}

function regroup(signal: ItemSignal, requests: readonly Uint8Array[], order: GroupOrder = "arrival"): Uint8Array {
  const regrouper = openRegrouper();
  for (const request of requests) for (const item of iterateItems(signal, request)) regrouper.add(item);
  return regrouper.end(order);
}

function countItems(signal: ItemSignal, request: Uint8Array): number {
  return Array.from(iterateItems(signal, request), ({ start }) => start).length;
}

/** Checks all that a regrouped request must be. */
function expectSameItems(signal: ItemSignal, requests: readonly Uint8Array[]): void {
  const copies = requests.map((request) => request.slice());
  const expected = requests.flatMap((request) => describeItems(signal, request)).toSorted();
  for (const order of ORDERS) {
    const output = regroup(signal, requests, order);

    expect(describeItems(signal, output).toSorted()).toEqual(expected);
    expect(validateRequest(signal, output)).toEqual({
      itemCount: expected.length,
      rejectedCount: 0,
      body: output,
      message: "",
    });
    expect(Buffer.compare(regroup(signal, [output], order), output)).toBe(0);
  }
  expect(requests.every((request, index) => Buffer.compare(request, copies[index] ?? Buffer.of()) === 0)).toBe(true);
}

describe.each(ITEM_SIGNALS)("%s", (signal) => {
  test("iterateItems() yields the items that protobufjs finds, in their order", () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, hasUnknown) => {
        const request = scrambled(signal, seed, hasUnknown);

        const items = Array.from(iterateItems(signal, request), ({ bytes, start, end }) =>
          Buffer.from(bytes.subarray(start, end)).toString("hex"),
        );

        expect(items).toEqual(
          describeItems(signal, request).map((text) => (JSON.parse(text) as { item: string }).item),
        );
        expect(items.length).toBe(validateRequest(signal, request).itemCount);
      }),
      RUNS,
    );
  });

  test("openRegrouper() keeps the multiset of items with their contexts, whatever the containers look like", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), fc.boolean(), (seeds, hasUnknown) => {
        expectSameItems(
          signal,
          seeds.map((seed) => scrambled(signal, seed, hasUnknown)),
        );
      }),
      RUNS,
    );
  });

  test("openRegrouper() writes the same request for other ways to write the same containers", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const other = scrambled(signal, seed, false);

        const output = regroup(signal, [other], "form");

        expect(Buffer.compare(output, regroup(signal, [randomBody(signal, seed)], "form"))).toBe(0);
      }),
      RUNS,
    );
  });

  test("iterateItems() yields as many items as validateRequest() keeps when it cuts some", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const type = requestType(signal);
        const body = type.encode(type.fromObject(randomMessage(type, createRandom(seed), "any"))).finish();

        const validation = validateRequest(signal, body);

        expect(countItems(signal, validation.body)).toBe(validation.itemCount);
        expect(countItems(signal, body)).toBe(validation.itemCount + validation.rejectedCount);
      }),
      RUNS,
    );
  });

  test("iterateItems() counts as validateRequest() does in requests of random bytes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 0x5a }), fc.constantFrom(0x0a, 0x12, 2, 0)), { maxLength: 40 }),
        (bytes) => {
          expectSameCount(signal, Uint8Array.from(bytes));
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe.each(listDataSets())("$name", ({ name, signal, itemCount }) => {
  const bodies = readBodies(name).toSorted((left, right) => left.length - right.length);

  test("openRegrouper() keeps every item with its context", () => {
    const output = regroup(signal, bodies, "form");

    expectSameItems(signal, bodies.slice(0, 2));
    expect(validateRequest(signal, output).itemCount).toBe(itemCount);
    expect(output.length).toBeLessThanOrEqual(bodies.reduce((sum, body) => sum + body.length, 0));
  });

  test("iterateItems() counts as validateRequest() does in mutated requests", () => {
    const body = bodies[0] ?? new Uint8Array(0);
    fc.assert(
      fc.property(fc.nat(Math.max(0, body.length - 1)), fc.nat(255), (at, byte) => {
        expectSameCount(signal, body.with(at, byte));
      }),
      { numRuns: 300 },
    );
  });
});

test.each(readExamples())("openRegrouper() keeps every item of $name", ({ signal, body }) => {
  expectSameItems(signal, [body]);
});

/** Counts what a sound request holds in two ways; what is unsound is refused and not for the iterator. */
function expectSameCount(signal: ItemSignal, request: Uint8Array): void {
  try {
    const { itemCount, rejectedCount } = validateRequest(signal, request);
    expect(countItems(signal, request)).toBe(itemCount + rejectedCount);
    expect(countItems(signal, regroup(signal, [request]))).toBe(itemCount + rejectedCount);
  } catch (error) {
    if (!(error instanceof FirnError)) throw error;
  }
}
