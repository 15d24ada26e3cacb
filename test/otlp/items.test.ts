import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CONTAINER_RULES, ContextPart, DATA_MEMBERS, METRIC_RULES } from "../../src/otlp/item-context.ts";
import { iterateItems } from "../../src/otlp/items.ts";
import { MESSAGES } from "../../src/otlp/schema.generated.ts";
import { toTag } from "../../src/otlp/wire/table.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { fixed64Field, lengthField, span, tag, traces, varint, varintField } from "./wire-builder.ts";

type Bytes = readonly number[];
const POINT: Bytes = lengthField(1, fixed64Field(3, 7));

/** What an item is, copied out of the iteration. */
interface Seen {
  readonly message: string;
  readonly value: Bytes;
  readonly resource: Bytes;
  readonly scope: Bytes;
}

function listItems(signal: ItemSignal, request: Uint8Array | Bytes): readonly Seen[] {
  return Array.from(iterateItems(signal, Uint8Array.from(request)), ({ message, bytes, start, end, context }) => ({
    message,
    value: [...bytes.subarray(start, end)],
    resource: [...context.resource.bytes],
    scope: [...context.scope.bytes],
  }));
}

/** The metric context of each data point, as bytes. */
function listMetrics(...metricFields: readonly Bytes[]): readonly { metric: Bytes; dataTag: number; data: Bytes }[] {
  const request = Uint8Array.from(lengthField(1, lengthField(2, lengthField(2, ...metricFields))));
  return Array.from(iterateItems("metrics", request), ({ context: { metric } }) => ({
    metric: [...(metric?.metric.bytes ?? [])],
    dataTag: metric?.dataTag ?? 0,
    data: [...(metric?.data.bytes ?? [])],
  }));
}

function formOf(message: Bytes): Bytes {
  return [
    ...new ContextPart({ bytes: Uint8Array.from(message), start: 0, end: message.length }, CONTAINER_RULES).bytes,
  ];
}

describe("items", () => {
  test("iterateItems() yields items in the order of their bytes with what they stand in", () => {
    const [first, second, third] = [lengthField(5, "a"), lengthField(5, "b"), lengthField(5, "c")];
    const resource = lengthField(1, lengthField(1, lengthField(1, "key")));
    const scope = lengthField(1, lengthField(1, "library"));
    const container = [
      ...resource,
      ...lengthField(2, scope, lengthField(2, first), lengthField(2, second)),
      ...lengthField(2, lengthField(2, third)),
    ];

    expect(listItems("traces", lengthField(1, container))).toEqual<Seen[]>([
      { message: "Span", value: first, resource, scope },
      { message: "Span", value: second, resource, scope },
      { message: "Span", value: third, resource, scope: [] },
    ]);
  });

  test("iterateItems() finds resource and scope behind the items", () => {
    const request = lengthField(
      1,
      lengthField(3, "url"),
      lengthField(2, lengthField(2, fixed64Field(1)), lengthField(1, lengthField(1, "library"))),
      lengthField(1, varintField(2, 3)),
    );

    expect(listItems("logs", request)).toEqual([
      {
        message: "LogRecord",
        value: fixed64Field(1),
        resource: [...lengthField(1, varintField(2, 3)), ...lengthField(3, "url")],
        scope: lengthField(1, lengthField(1, "library")),
      },
    ]);
  });

  test("iterateItems() yields nothing for containers without items", () => {
    const empty = [
      ...lengthField(1),
      ...lengthField(1, lengthField(1)),
      ...lengthField(1, lengthField(2, lengthField(3, "x"))),
    ];
    const metric = lengthField(
      1,
      lengthField(2, lengthField(2, lengthField(1, "name")), lengthField(2, lengthField(5))),
    );

    expect(listItems("traces", [])).toEqual([]);
    expect(listItems("traces", empty)).toEqual([]);
    expect(listItems("metrics", [...empty, ...metric])).toEqual([]);
  });

  test("iterateItems() yields empty items", () => {
    expect(listItems("traces", traces(lengthField(2), lengthField(2)))).toHaveLength(2);
    expect(
      listItems("metrics", lengthField(1, lengthField(2, lengthField(2, lengthField(5, lengthField(1)))))),
    ).toHaveLength(1);
  });

  test("iterateItems() passes over unknown fields beside containers", () => {
    expect(listItems("traces", [...varintField(9, 1), ...traces(span()), ...lengthField(2, "x")])).toHaveLength(1);
  });

  test("iterateItems() reads nothing behind an item before it is asked for the next", () => {
    const items = iterateItems("traces", Uint8Array.from([...traces(span()), 0xff, 0xff]));

    expect(items.next().done).toBe(false);
    expect(() => items.next()).toThrow(/^Cannot read protobuf/);
  });

  test("iterateItems() keeps one context object while the items stand in the same message", () => {
    const scope = lengthField(2, span(), span());
    const contexts = Array.from(
      iterateItems("traces", Uint8Array.from([...lengthField(1, scope, scope), ...lengthField(1, scope)])),
      ({ context }) => context,
    );

    expect(new Set(contexts).size).toBe(3);
    expect(contexts[0]).toBe(contexts[1]);
    expect(contexts[0]?.resource).toBe(contexts[2]?.resource);
    expect(contexts[2]?.resource).not.toBe(contexts[4]?.resource);
  });

  test("iterateItems() counts positions in the bytes that it was given", () => {
    const body = traces(span());
    const shifted = new Uint8Array([9, 9, ...body, 9]).subarray(2, 2 + body.length);

    expect(listItems("traces", shifted)).toEqual(listItems("traces", body));
    expect([...iterateItems("traces", shifted)][0]?.bytes).toBe(shifted);
  });
});

describe("metrics", () => {
  test.each<readonly [name: string, number: number, message: string]>([
    ["a gauge", 5, "NumberDataPoint"],
    ["a sum", 7, "NumberDataPoint"],
    ["a histogram", 9, "HistogramDataPoint"],
    ["an exponential histogram", 10, "ExponentialHistogramDataPoint"],
    ["a summary", 11, "SummaryDataPoint"],
  ])("iterateItems() yields the data points of %s", (_name, number, message) => {
    const request = Uint8Array.from(lengthField(1, lengthField(2, lengthField(2, lengthField(number, POINT, POINT)))));

    const items = Array.from(iterateItems("metrics", request), (item) => [item.message, item.context.metric?.dataTag]);

    expect(items).toEqual([
      [message, number * 8 + 2],
      [message, number * 8 + 2],
    ]);
  });

  test("iterateItems() gives the metric without its data, and the data without its points", () => {
    const metadata = [...lengthField(12, lengthField(1, "a")), ...lengthField(12)];
    const texts = [...lengthField(1, "name"), ...lengthField(2, "text"), ...lengthField(3, "By")];
    const sum = lengthField(7, varintField(3, 1), POINT, varintField(2, 2));

    expect(listMetrics(metadata, sum, lengthField(3, "By"), lengthField(2, "text"), lengthField(1, "name"))).toEqual([
      { metric: [...texts, ...metadata], dataTag: 0x3a, data: [...varintField(2, 2), ...varintField(3, 1)] },
    ]);
  });

  test("iterateItems() yields the points of the member of data that is set last", () => {
    const [gauge, sum] = [lengthField(5, POINT, POINT), lengthField(7, POINT)];

    expect(listMetrics(gauge, sum).map(({ dataTag }) => dataTag)).toEqual([0x3a]);
    expect(listMetrics(gauge, sum, gauge).map(({ dataTag }) => dataTag)).toEqual([0x2a, 0x2a]);
    expect(listMetrics(gauge, lengthField(7))).toEqual([]);
  });

  test("iterateItems() joins the pieces of a member of data", () => {
    const pieces = [
      lengthField(7, varintField(2, 1), POINT),
      lengthField(1, "n"),
      lengthField(7, POINT, varintField(2, 2)),
    ];

    expect(listMetrics(...pieces)).toEqual([
      { metric: lengthField(1, "n"), dataTag: 0x3a, data: varintField(2, 2) },
      { metric: lengthField(1, "n"), dataTag: 0x3a, data: varintField(2, 2) },
    ]);
  });

  test("iterateItems() does not join pieces of data over another member", () => {
    const old = lengthField(7, varintField(2, 1), POINT);

    expect(listMetrics(old, lengthField(5), lengthField(7, POINT))).toEqual([{ metric: [], dataTag: 0x3a, data: [] }]);
  });

  test("iterateItems() keeps unknown fields of metrics and of their data", () => {
    const unknown = varintField(31, 1);

    expect(listMetrics(unknown, lengthField(5, unknown, POINT), fixed64Field(4))).toEqual([
      { metric: [...unknown, ...fixed64Field(4)], dataTag: 0x2a, data: unknown },
    ]);
  });
});

describe("canonical form", () => {
  const text = lengthField(3, "schema");
  const message = lengthField(1, lengthField(1, "x"));
  const unknown = [...lengthField(99, "u"), ...tag(98, 3), ...varintField(1, 1), ...tag(98, 4), ...varintField(99, 0)];

  test.each<readonly [fact: string, fields: Bytes, form: Bytes]>([
    ["leaves out children", [...message, ...lengthField(2, "a"), ...text, ...lengthField(2)], [...message, ...text]],
    ["sorts by field number", [...text, ...message], [...message, ...text]],
    ["keeps unknown fields in their order behind the others", [...unknown, ...text], [...text, ...unknown]],
    ["keeps unknown fields that stand there already", [...text, ...unknown], [...text, ...unknown]],
    ["keeps the last of several texts", [...lengthField(3, "old"), ...text], text],
    ["leaves out a text that is empty in the end", [...text, ...lengthField(3)], []],
    ["leaves out an empty text", lengthField(3), []],
    [
      "joins the pieces of a message",
      [...lengthField(1, [8, 1]), ...text, ...lengthField(1, [8, 2])],
      [...lengthField(1, [8, 1, 8, 2]), ...text],
    ],
    ["keeps an empty message", lengthField(1), lengthField(1)],
    ["shortens tags and lengths", [0x9a, 0x80, 0x00, 0x81, 0x80, 0x00, 0x41], lengthField(3, "A")],
  ])("ContextPart.bytes %s", (_fact, fields, form) => {
    expect(formOf(fields)).toEqual(form);
    expect(formOf(form)).toEqual(form);
  });

  test("ContextPart.bytes is its own canonical form and the same whatever the order of fields of other numbers", () => {
    const field = fc.oneof(
      fc.constantFrom(message, text, lengthField(3), lengthField(1), lengthField(2, "child")),
      fc.tuple(fc.integer({ min: 4, max: 40 }), fc.nat(300)).map(([number, value]) => varintField(number, value)),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        const form = formOf(fields.flat());
        const known = fields.filter(([first]) => (first ?? 0) < 0x20);
        const others = fields.filter(([first]) => (first ?? 0) >= 0x20);

        expect(formOf(form)).toEqual(form);
        expect(formOf([...others, ...known].flat())).toEqual(form);
        expect(formOf([...known, ...others].flat())).toEqual(form);
      }),
    );
  });

  test("ContextPart.bytes takes no list of a million unknown fields out of order", () => {
    const count = 1_000_000;
    const fields = new Uint8Array(2 * count + text.length).fill(0x20);
    fields.set(text, 2 * count);

    const part = new ContextPart({ bytes: fields, start: 0, end: fields.length }, CONTAINER_RULES);

    expect(part.bytes.length).toBe(fields.length);
    expect([...part.bytes.subarray(0, text.length)]).toEqual(text);
  });

  test("the rules of contexts name the fields that the message table has", () => {
    for (const signal of ["Spans", "Metrics", "Logs"]) {
      for (const level of ["Resource", "Scope"])
        expect(numbersOf(CONTAINER_RULES)).toEqual(tableNumbers(`${level}${signal}`));
    }
    expect(numbersOf(METRIC_RULES)).toEqual(tableNumbers("Metric"));
    for (const field of (MESSAGES["Metric"] ?? []).filter(({ oneof }) => oneof === "data")) {
      const member = DATA_MEMBERS[toTag(field)];
      expect(numbersOf(member?.rules ?? [])).toEqual(tableNumbers(field.message ?? ""));
      expect(member?.pointMessage).toBe(MESSAGES[field.message ?? ""]?.find(({ number }) => number === 1)?.message);
    }
  });
});

test("iterateItems() passes a million pieces of a metric's data in bounded time", () => {
  const pieceBytes = 2_000_000;
  const pieces = new Uint8Array(pieceBytes).map((_, index) => (index % 2 === 0 ? 0x2a : 0));
  const data = lengthField(5, POINT);
  const heads = [2, 2, 1].reduce(
    (inner: Bytes, number) => [...tag(number, 2), ...varint(inner.length + pieceBytes + data.length), ...inner],
    [],
  );
  const request = new Uint8Array(heads.length + pieceBytes + data.length);
  request.set(heads);
  request.set(pieces, heads.length);
  request.set(data, heads.length + pieceBytes);

  expect(Array.from(iterateItems("metrics", request), ({ context }) => context.metric?.data.bytes.length)).toEqual([0]);
});

function numbersOf(rules: readonly unknown[]): readonly number[] {
  return rules.flatMap((rule, number) => (rule === undefined ? [] : [number]));
}

function tableNumbers(message: string): readonly number[] {
  return (MESSAGES[message] ?? []).map(({ number }) => number);
}
