import { array, assert, constantFrom, integer, nat, property, record, tuple, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { openItemDigest, type ItemDigestValue } from "../../src/otlp/item-digest.ts";
import type { ContextPart } from "../../src/otlp/item-context.ts";
import { iterateItems, type Item } from "../../src/otlp/items.ts";
import { Murmur3 } from "../../src/otlp/murmur3.ts";
import { openRegrouper } from "../../src/otlp/regroup.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../src/signal.ts";
import { lengthField, metrics, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];

/** What an item is and where it stands; every field is part of its digest. */
interface Planned {
  readonly resource: number;
  readonly resourceUrl: number;
  readonly scope: number;
  readonly scopeUrl: number;
  readonly metric: number;
  /** Of a metric's data: gauge, sum or histogram, and its temporality. */
  readonly data: number;
  readonly temporality: number;
  readonly payload: Uint8Array;
}

const DATA_FIELDS = [5, 7, 9];
const PLANNED = record({
  resource: nat(2),
  resourceUrl: nat(1),
  scope: nat(2),
  scopeUrl: nat(1),
  metric: nat(2),
  data: nat(2),
  temporality: nat(1),
  payload: uint8Array({ maxLength: 40 }),
});
const SIGNALS = constantFrom(...ITEM_SIGNALS);
const SAMPLE: Planned = {
  resource: 1,
  resourceUrl: 1,
  scope: 1,
  scopeUrl: 0,
  metric: 1,
  data: 1,
  temporality: 1,
  payload: Uint8Array.of(1, 2, 3, 4, 5),
};

/** Writes each item into a container of its own. */
function write(signal: ItemSignal, items: readonly Planned[]): Uint8Array {
  return Uint8Array.from(items.flatMap((item) => writeOne(signal, item)));
}

function writeOne(signal: ItemSignal, item: Planned): Bytes {
  const payload = lengthField(7, [...item.payload]);
  const leaf = signal === "metrics" ? writeMetric(item, payload) : payload;
  const scope = lengthField(
    2,
    lengthField(1, lengthField(1, `s${item.scope}`)),
    lengthField(2, leaf),
    url(item.scopeUrl),
  );
  return lengthField(
    1,
    lengthField(1, lengthField(1, lengthField(1, `r${item.resource}`))),
    scope,
    url(item.resourceUrl),
  );
}

function writeMetric({ metric, data, temporality }: Planned, payload: Bytes): Bytes {
  const fields = [lengthField(1, payload), temporality === 0 ? [] : varintField(data === 0 ? 9 : 2, temporality)];
  return [...lengthField(1, `m${metric}`), ...lengthField(DATA_FIELDS[data] ?? 5, ...fields)];
}

function url(number: number): Bytes {
  return number === 0 ? [] : lengthField(3, `https://${number}`);
}

function digestOf(signal: ItemSignal, ...requests: readonly Uint8Array[]): ItemDigestValue {
  const digest = openItemDigest();
  for (const request of requests) for (const item of iterateItems(signal, request)) digest.add(item);
  return digest.toValue();
}

function plannedDigest(signal: ItemSignal, items: readonly Planned[]): ItemDigestValue {
  return digestOf(signal, write(signal, items));
}

describe("openItemDigest() is pinned", () => {
  // Traces and logs have the same tags, so that these bytes are a request of both.
  test.each([
    ["traces", "86236168fd0663b2b4817acf8f3fdfc5"],
    ["logs", "86236168fd0663b2b4817acf8f3fdfc5"],
    ["metrics", "494b6a7494008408c76d103e727d0d8a"],
  ] as const)("%s", (signal, digest) => {
    expect(plannedDigest(signal, [SAMPLE, SAMPLE, { ...SAMPLE, resource: 2 }])).toEqual({ itemCount: 3, digest });
  });

  test("without items", () => {
    expect(openItemDigest().toValue()).toEqual({ itemCount: 0, digest: "0".repeat(32) });
  });

  test("as its table of the definition says", () => {
    assert(
      property(SIGNALS, array(PLANNED, { maxLength: 8 }), (signal, items) => {
        const request = write(signal, items);
        let sum = 0n;
        for (const item of iterateItems(signal, request)) sum += toNumber(hashItem(item));

        expect(digestOf(signal, request).digest).toBe((sum % 2n ** 128n).toString(16).padStart(32, "0"));
      }),
    );
  });
});

describe("openItemDigest() gives equal digests", () => {
  test("whatever the order of the items, and however requests hold them", () => {
    assert(
      property(SIGNALS, array(PLANNED, { maxLength: 12 }), nat(), (signal, items, seed) => {
        const expected = plannedDigest(signal, items);
        const shuffled = items.toSorted((left, right) => rank(left, seed) - rank(right, seed));
        const cut = shuffled.length >> 1;
        const regrouper = openRegrouper();
        for (const item of iterateItems(signal, write(signal, items))) regrouper.add(item);

        expect(expected.itemCount).toBe(items.length);
        expect(plannedDigest(signal, shuffled)).toEqual(expected);
        expect(digestOf(signal, write(signal, shuffled.slice(0, cut)), write(signal, shuffled.slice(cut)))).toEqual(
          expected,
        );
        expect(digestOf(signal, regrouper.end("form"))).toEqual(expected);
      }),
    );
  });

  test("for contexts that are written in another way", () => {
    const scope = lengthField(2, lengthField(2, lengthField(5, "x")));
    const attribute = lengthField(1, lengthField(1, "key"));
    const inOrder = Uint8Array.from(lengthField(1, lengthField(1, attribute, attribute), scope));
    const inPieces = Uint8Array.from(lengthField(1, scope, lengthField(1, attribute), lengthField(1, attribute)));

    expect(digestOf("traces", inPieces)).toEqual(digestOf("traces", inOrder));
  });
});

describe("openItemDigest() gives other digests", () => {
  test("when one value of one item or of its context changes", () => {
    const changes = tuple(
      SIGNALS,
      array(PLANNED, { minLength: 1, maxLength: 6 }),
      nat(),
      constantFrom<keyof Planned>("resource", "resourceUrl", "scope", "scopeUrl", "metric", "data", "temporality"),
    );
    assert(
      property(changes, ([signal, items, at, name]) => {
        const isOfMetrics = name === "metric" || name === "data" || name === "temporality";
        const index = at % items.length;
        const changed = items.map((item, other) =>
          other === index ? { ...item, [name]: Number(item[name]) + 1 } : item,
        );
        // Data past the last member is the first again.
        const sound = changed.map((item) => ({ ...item, data: item.data % DATA_FIELDS.length }));

        const isEqual = plannedDigest(signal, sound).digest === plannedDigest(signal, items).digest;

        expect(isEqual).toBe(isOfMetrics && signal !== "metrics");
      }),
    );
  });

  test("when any bit of an item changes", () => {
    const changes = tuple(SIGNALS, uint8Array({ minLength: 1, maxLength: 40 }), nat(), integer({ min: 0, max: 7 }));
    assert(
      property(changes, ([signal, payload, at, bit]) => {
        const index = at % payload.length;
        const changed = payload.with(index, (payload[index] ?? 0) ^ (1 << bit));

        expect(plannedDigest(signal, [{ ...SAMPLE, payload: changed }])).not.toEqual(
          plannedDigest(signal, [{ ...SAMPLE, payload }]),
        );
      }),
    );
  });

  test("when an item is missing, doubled, or changed places with one of another context", () => {
    assert(
      property(SIGNALS, array(PLANNED, { minLength: 1, maxLength: 8 }), (signal, items) => {
        const { digest } = plannedDigest(signal, items);
        const [first, ...rest] = items as [Planned, ...Planned[]];
        const other = { ...first, resource: first.resource + 1, payload: Uint8Array.from([...first.payload, 1]) };
        const pair = [first, other];
        const swapped = [
          { ...first, payload: other.payload },
          { ...other, payload: first.payload },
        ];

        expect(plannedDigest(signal, rest).digest).not.toBe(digest);
        expect(plannedDigest(signal, [...items, first]).digest).not.toBe(digest);
        expect(plannedDigest(signal, swapped).digest).not.toBe(plannedDigest(signal, pair).digest);
      }),
    );
  });

  test("when a form moves from the metric to its data, or from the resource to the scope", () => {
    const unknown = lengthField(90, "x");
    const data = lengthField(5, lengthField(1, lengthField(7, "p")));
    const dataWith = lengthField(5, lengthField(1, lengthField(7, "p")), unknown);
    const part = lengthField(1, lengthField(1, "x"));
    const item = lengthField(2, lengthField(5, "n"));

    expect(digestOf("metrics", metrics(data, unknown))).not.toEqual(digestOf("metrics", metrics(dataWith)));
    expect(digestOf("traces", Uint8Array.from(lengthField(1, part, lengthField(2, item))))).not.toEqual(
      digestOf("traces", Uint8Array.from(lengthField(1, lengthField(2, part, item)))),
    );
  });
});

describe("ItemDigest.merge() and ItemDigest.toValue()", () => {
  test("go on where another digest was", () => {
    assert(
      property(SIGNALS, array(PLANNED, { maxLength: 8 }), nat(8), (signal, items, cut) => {
        const left = plannedDigest(signal, items.slice(0, cut));
        const resumed = openItemDigest(JSON.parse(JSON.stringify(left)) as ItemDigestValue);
        for (const item of iterateItems(signal, write(signal, items.slice(cut)))) resumed.add(item);
        const merged = openItemDigest();
        merged.merge(plannedDigest(signal, items.slice(cut)));
        merged.merge(left);

        expect(resumed.toValue()).toEqual(plannedDigest(signal, items));
        expect(merged.toValue()).toEqual(plannedDigest(signal, items));
      }),
    );
  });

  test("carry over all words and drop what passes 128 bits", () => {
    const digest = openItemDigest({ itemCount: 1, digest: "f".repeat(32) });

    digest.merge({ itemCount: 2, digest: `${"0".repeat(31)}2` });
    expect(digest.toValue()).toEqual({ itemCount: 3, digest: `${"0".repeat(31)}1` });

    digest.merge({ itemCount: 0, digest: `00000000${"f".repeat(24)}` });
    expect(digest.toHex()).toBe(`00000001${"0".repeat(24)}`);
  });

  test.each(["", "0", "F".repeat(32), "g".repeat(32), `${"0".repeat(32)}\n`])("refuse the digest %j", (text) => {
    expect(() => openItemDigest({ itemCount: 0, digest: text })).toThrow(RangeError);
  });

  test("carry in time, however many items there are", () => {
    const request = write("logs", [SAMPLE]);
    const { digest } = digestOf("logs", request);
    const count = 2 ** 20 + 5;
    const many = openItemDigest();
    for (const item of iterateItems("logs", request)) for (let index = 0; index < count; index += 1) many.add(item);

    expect(many.toHex()).toBe(((BigInt(`0x${digest}`) * BigInt(count)) % 2n ** 128n).toString(16).padStart(32, "0"));
  });
});

describe("ItemDigest.release()", () => {
  test("keeps the digest and what comes after right", () => {
    const request = write("metrics", [SAMPLE, SAMPLE]);
    const digest = openItemDigest();
    for (const item of iterateItems("metrics", request)) {
      digest.add(item);
      digest.release();
    }

    expect(digest.toValue()).toEqual(digestOf("metrics", request));
  });
});

/** An order that depends on the seed alone. */
function rank(item: Planned, seed: number): number {
  return Math.imul(item.resource * 31 + item.scope * 7 + item.payload.length, seed | 1) >>> 8;
}

function hashItem({ bytes, start, end, context }: Item): Uint8Array {
  const { resource, scope, metric } = context;
  const parts = metric === null ? [resource, scope] : [resource, scope, metric.metric, metric.data];
  const hashes = parts.flatMap((part: ContextPart) => [...hash([...part.bytes], 0)]);
  return hash([...hash(hashes, metric?.dataTag ?? 0), ...bytes.subarray(start, end)], 0);
}

function hash(bytes: Bytes, seed: number): Uint8Array {
  const murmur = new Murmur3();
  murmur.hash(new DataView(Uint8Array.from(bytes).buffer), 0, bytes.length, seed);
  const view = new DataView(new ArrayBuffer(16));
  murmur.writeTo(view, 0);
  return new Uint8Array(view.buffer);
}

/** Reads a hash as a number: its words are little-endian, the first is the highest. */
function toNumber(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer);
  return [0, 4, 8, 12].reduce((number, at) => (number << 32n) | BigInt(view.getUint32(at, true)), 0n);
}
