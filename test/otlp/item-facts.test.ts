import { array, assert, bigInt, constantFrom, nat, property, tuple, type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { readFixed64 } from "../../src/otlp/fields.ts";
import {
  openEventTimes,
  openServiceNames,
  readEventTime,
  readServiceName,
  type EventTimes,
} from "../../src/otlp/item-facts.ts";
import { iterateItems } from "../../src/otlp/items.ts";
import { MESSAGES } from "../../src/otlp/schema.generated.ts";
import { toField, toTag } from "../../src/otlp/wire/table.ts";
import { ITEM_SIGNALS, type ItemSignal } from "../../src/signal.ts";
import { fixed32Field, groups, lengthField, tag, varint, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];

const NONE: EventTimes = { minTimeUnixNano: null, maxTimeUnixNano: null };
/** Number of the field with the event time. */
const TIME = { traces: 7, logs: 1, metrics: 3 } as const;
const OBSERVED = 11;

function timeField(number: number, time: bigint): Bytes {
  return [...tag(number, 1), ...new Uint8Array(BigUint64Array.of(time).buffer)];
}

function toItem(...fields: readonly Bytes[]): {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
} {
  // Bytes around the item are not its own.
  const bytes = Uint8Array.from([0xff, ...fields.flat(), 0x39, 0x39]);
  return { bytes, start: 1, end: bytes.length - 2 };
}

function timesOf(signal: ItemSignal, ...items: readonly (readonly Bytes[])[]): EventTimes {
  const times = openEventTimes(signal);
  for (const fields of items) times.add(toItem(...fields));
  return times.toTimes();
}

describe("readEventTime()", () => {
  test.each([
    ["traces", "Span", "start_time_unix_nano"],
    ["logs", "LogRecord", "time_unix_nano"],
    ["metrics", "NumberDataPoint", "time_unix_nano"],
    ["metrics", "HistogramDataPoint", "time_unix_nano"],
    ["metrics", "ExponentialHistogramDataPoint", "time_unix_nano"],
    ["metrics", "SummaryDataPoint", "time_unix_nano"],
  ] as const)("of %s is that of %s.%s", (signal, message, name) => {
    const time = toTag(toField(message, name));

    expect(time).toBe(TIME[signal] * 8 + 1);
    expect(MESSAGES[message]).toBeDefined();
  });

  test.each([
    ["the time of a log record before the observed one", [timeField(OBSERVED, 9n), timeField(1, 5n)], 5n],
    ["the observed time of a log record without its own", [timeField(OBSERVED, 9n)], 9n],
    ["the observed time of a log record whose own is 0", [timeField(1, 0n), timeField(OBSERVED, 9n)], 9n],
    ["0 for a log record with neither", [timeField(1, 0n), timeField(OBSERVED, 0n)], 0n],
    ["0 for an empty log record", [], 0n],
    ["the last of two", [timeField(1, 5n), timeField(1, 3n)], 3n],
    ["the observed one when the last of two is 0", [timeField(1, 5n), timeField(1, 0n), timeField(OBSERVED, 4n)], 4n],
    ["64 bits", [timeField(1, 2n ** 64n - 1n)], 2n ** 64n - 1n],
  ])("gives %s", (_, fields, expected) => {
    expect(readEventTime("logs", toItem(...fields))).toBe(expected);
  });

  test("does not take the observed time's place in other items for a time", () => {
    expect(readEventTime("traces", toItem(timeField(OBSERVED, 9n)))).toBe(0n);
    expect(readEventTime("metrics", toItem(timeField(OBSERVED, 9n)))).toBe(0n);
  });

  test("is what fields.ts reads, whatever stands around it", () => {
    const items = tuple(constantFrom(...ITEM_SIGNALS), array(anyField(), { maxLength: 12 }));
    assert(
      property(items, ([signal, fields]) => {
        const item = toItem(...fields);
        const time = readFixed64(item, TIME[signal] * 8 + 1);
        const observed = signal === "logs" ? readFixed64(item, OBSERVED * 8 + 1) : 0n;

        expect(readEventTime(signal, item)).toBe(time === 0n ? observed : time);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("openEventTimes()", () => {
  test("has no times without items, or for items without times", () => {
    expect(timesOf("traces")).toEqual(NONE);
    expect(timesOf("traces", [], [timeField(7, 0n)])).toEqual(NONE);
  });

  test("gives the earliest and the latest, whatever their halves are", () => {
    assert(
      property(array(bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(narrow), { minLength: 1 }), (times) => {
        const known = times.filter((time) => time !== 0n).toSorted((left, right) => (left < right ? -1 : 1));

        expect(timesOf("metrics", ...times.map((time) => [timeField(3, time)]))).toEqual({
          minTimeUnixNano: known[0] ?? null,
          maxTimeUnixNano: known.at(-1) ?? null,
        });
      }),
    );
  });

  test("merges other times", () => {
    const times = openEventTimes("traces");

    times.merge(NONE);
    expect(times.toTimes()).toEqual(NONE);

    times.merge({ minTimeUnixNano: 5n, maxTimeUnixNano: 2n ** 33n });
    times.merge(NONE);
    times.add(toItem(timeField(7, 4n)));
    expect(times.toTimes()).toEqual({ minTimeUnixNano: 4n, maxTimeUnixNano: 2n ** 33n });
  });
});

describe("readServiceName()", () => {
  const named = (...value: readonly (Bytes | string)[]): Bytes =>
    lengthField(1, lengthField(1, "service.name"), lengthField(2, ...value));
  const other = lengthField(1, lengthField(1, "service.names"), lengthField(2, lengthField(1, "no")));

  test.each<readonly [string | null, string, Bytes]>([
    ["cart", "a text", lengthField(1, other, named(lengthField(1, "cart")))],
    ["", "an empty text", lengthField(1, named(lengthField(1, "")))],
    ["é🦊", "any text", lengthField(1, named(lengthField(1, "é🦊")), lengthField(3, "https://url"))],
    ["a", "the first of two", lengthField(1, named(lengthField(1, "a")), named(lengthField(1, "b")))],
    [null, "a number", lengthField(1, named(varintField(3, 5)))],
    [null, "a text that a number follows", lengthField(1, named(lengthField(1, "a"), varintField(3, 5)))],
    [null, "no value", lengthField(1, lengthField(1, lengthField(1, "service.name")))],
    [null, "another attribute", lengthField(1, other)],
    [null, "no attributes", lengthField(1)],
    [null, "no resource", lengthField(3, "https://url")],
  ])("is %j for %s", (expected, _, form) => {
    expect(readServiceName(Uint8Array.from(form))).toBe(expected);
  });
});

describe("openServiceNames()", () => {
  test("lists names once and in order, those without one left out", () => {
    expect(listNames("b", null, "a", "b", "B")).toEqual(["B", "a", "b"]);
    expect(listNames()).toEqual([]);
  });

  test("gives up above 200", () => {
    const names = Array.from({ length: 201 }, (_, index) => `s${index}`);

    expect(listNames(...names.slice(1))).toHaveLength(200);
    expect(listNames(...names)).toBeNull();
    expect(listNames(...names, ...names)).toBeNull();
  });
});

function listNames(...names: readonly (string | null)[]): readonly string[] | null {
  const services = openServiceNames();
  for (const item of iterateItems("traces", Uint8Array.from(names.flatMap(container)))) services.add(item);
  return services.toList();
}

function container(name: string | null): Bytes {
  const attribute = lengthField(1, lengthField(1, "service.name"), lengthField(2, lengthField(1, name ?? "")));
  return lengthField(1, lengthField(1, name === null ? [] : attribute), lengthField(2, lengthField(2), lengthField(2)));
}

/** Makes times whose halves are often equal. */
function narrow(time: bigint): bigint {
  return time & 0x0000_0003_0000_0003n;
}

/** Fields of every wire type, tags and lengths of one byte and more, times among them. */
function anyField(): Arbitrary<Bytes> {
  const numbers = constantFrom(1, 3, 7, OBSERVED, 15, 16, 200, 2047, 2048, 70_000);
  const values = tuple(numbers, nat(6), bigInt({ min: 0n, max: 5n }), constantFrom(0, 5, 127, 128, 300, 16_384));
  return values.map(([number, kind, time, size]) => {
    if (kind === 0) return timeField(number, time);
    if (kind === 1) return varintField(number, size * 1000);
    if (kind === 2) return fixed32Field(number, 1);
    if (kind === 3) return groups(2);
    // A tag with a byte more than it needs.
    if (kind === 4)
      return [((number * 8 + 1) & 0x7f) | 0x80, ...pad((number * 8 + 1) >>> 7), ...timeField(1, time).slice(1)];
    return [...tag(number, 2), ...varint(size), ...Array.from({ length: size }, () => 0x39)];
  });
}

/** A varint with a byte more than it needs. */
function pad(value: number): Bytes {
  return [...varint(value).map((byte) => byte | 0x80), 0];
}
