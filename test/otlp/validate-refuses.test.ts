/** What the door refuses (otlp-http 6), and the field that it names. */
import { describe, expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import { validateRequest } from "../../src/otlp/validate.ts";
import type { ItemSignal } from "../../src/signal.ts";
import {
  fill,
  fixed64Field,
  groups,
  lengthField,
  logs,
  metrics,
  nestedArrays,
  SHORT_LIST,
  span,
  tag,
  traces,
  varint,
  varintField,
} from "./wire-builder.ts";

const SPAN = "resourceSpans[0].scopeSpans[0].spans[0]";
const POINT = "resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0]";
const BUCKETS = "resourceMetrics[0].scopeMetrics[0].metrics[0].exponentialHistogram.dataPoints[0].positive";
const RECORD = "resourceLogs[0].scopeLogs[0].logRecords[0]";

/** A path that is too long is told without its middle. */
const DEEP_PATH: unknown = expect.stringMatching(/^resourceLogs\[0\].*….*(arrayValue|values|value)(\[0\])?$/);

function thrownBy(signal: ItemSignal, body: Uint8Array): FirnError {
  try {
    validateRequest(signal, body);
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

describe("refuses", () => {
  test.each<readonly [name: string, signal: ItemSignal, body: Uint8Array, field: unknown]>([
    ["a varint of eleven bytes", "traces", traces(span([...tag(6, 0), ...fill(10, 0x80), 0])), `${SPAN}.kind`],
    ["a cut varint", "traces", traces(span([...tag(6, 0), 0x80])), `${SPAN}.kind`],
    ["a cut tag", "traces", traces(span([0x80])), SPAN],
    ["a missing varint", "traces", traces(span(tag(6, 0))), `${SPAN}.kind`],
    ["a missing length", "traces", traces(span(tag(5, 2))), `${SPAN}.name`],
    ["a cut fixed64", "traces", traces(span([...tag(7, 1), ...fill(7, 0)])), `${SPAN}.startTimeUnixNano`],
    ["a cut fixed32", "traces", traces(span([...tag(16, 5), ...fill(3, 0)])), `${SPAN}.flags`],
    ["a tag of six bytes", "traces", traces(span([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00])), SPAN],
    ["a field number above 2^29-1", "traces", traces(span([...varint(2 ** 32), 0x00])), SPAN],
    ["field number 0", "traces", traces(span([0x02, 0x00])), SPAN],
    ["field number 0 in two bytes", "traces", traces(span([0x80, 0x00, 0x00])), SPAN],
    ["wire type 6", "traces", traces(span(tag(90, 6))), SPAN],
    ["wire type 7 of a known field", "traces", traces(span([0x2f])), `${SPAN}.name`],
    ["a known field as a varint", "traces", traces(span(varintField(5, 1))), `${SPAN}.name`],
    ["a known field as a group", "traces", traces(span(tag(5, 3), tag(5, 4))), `${SPAN}.name`],
    ["a known scalar as bytes", "traces", traces(span(lengthField(6, [1]))), `${SPAN}.kind`],
    ["a known fixed64 as a varint", "traces", traces(span(varintField(7, 1))), `${SPAN}.startTimeUnixNano`],
    ["a known field with a long tag and another wire type", "traces", traces(span([0xa8, 0x00, 0x01])), `${SPAN}.name`],
    ["logs sent as traces", "traces", logs(fixed64Field(1)), `${SPAN}.traceId`],
    [
      "traces sent as metrics",
      "metrics",
      traces(span(fixed64Field(7))),
      "resourceMetrics[0].scopeMetrics[0].metrics[0].sum",
    ],
    ["the end of no group", "traces", traces(span(tag(90, 4))), SPAN],
    ["a group without an end", "traces", traces(span(tag(90, 3), varintField(1, 1))), SPAN],
    ["a group with the end of another", "traces", traces(span(tag(90, 3), tag(91, 4))), SPAN],
    ["groups 101 deep", "traces", Uint8Array.from(groups(101)), "body"],
    ["groups 98 deep in the fourth message", "traces", traces(span(groups(98))), SPAN],
    ["groups 100 000 deep", "traces", Uint8Array.from(groups(100_000)), "body"],
    ["a group with a cut length", "traces", traces(span(tag(90, 3), [0x0a, 0x7f], tag(90, 4))), SPAN],
    ["a length past the message", "traces", traces(span([...tag(5, 2), 2, 0x41])), `${SPAN}.name`],
    [
      "a length past the message but in the body",
      "traces",
      traces(span(lengthField(9, [0x0a, 9, 0x41])), span()),
      `${SPAN}.attributes[0].key`,
    ],
    ["a length above 2^31-1", "traces", traces(span([...tag(5, 2), ...varint(2 ** 31)])), `${SPAN}.name`],
    ["a length of 2^32 and 1", "traces", traces(span([...tag(5, 2), ...varint(2 ** 32 + 1), 0x41])), `${SPAN}.name`],
    ["a negative length", "traces", traces(span([...tag(5, 2), ...varint(-1)])), `${SPAN}.name`],
    ["a length of eleven bytes", "traces", traces(span([...tag(5, 2), ...fill(10, 0x80), 0])), `${SPAN}.name`],
    ["a cut varint in an unknown group", "traces", traces(span([...tag(90, 3), ...tag(1, 0), 0x80])), SPAN],
    [
      "a varint of eleven bytes in an unknown field",
      "traces",
      traces(span([...tag(90, 0), ...fill(10, 0x80), 0])),
      SPAN,
    ],
    ["a length past the end of an unknown field", "traces", traces(span([...tag(90, 2), 5])), SPAN],
    [
      "packed fixed64 of 15 bytes",
      "metrics",
      metrics(lengthField(9, lengthField(1, lengthField(6, fill(15, 0))))),
      `${POINT}.bucketCounts`,
    ],
    [
      "packed double of 4 bytes",
      "metrics",
      metrics(lengthField(9, lengthField(1, lengthField(7, fill(4, 0))))),
      `${POINT}.explicitBounds`,
    ],
    [
      "a cut packed varint",
      "metrics",
      metrics(lengthField(10, lengthField(1, lengthField(8, lengthField(2, [1, 0x80]))))),
      `${BUCKETS}.bucketCounts`,
    ],
    [
      "a packed varint of eleven bytes",
      "metrics",
      metrics(lengthField(10, lengthField(1, lengthField(8, lengthField(2, [...fill(10, 0x80), 0]))))),
      `${BUCKETS}.bucketCounts`,
    ],
    ["text that is not UTF-8", "logs", logs(lengthField(3, [0xff])), `${RECORD}.severityText`],
    [
      "text that is not UTF-8, long",
      "logs",
      logs(lengthField(5, lengthField(1, "x".repeat(99), [0xc0]))),
      `${RECORD}.body.stringValue`,
    ],
    [
      "text that is not UTF-8, in a list",
      "logs",
      Uint8Array.from(lengthField(1, lengthField(1, lengthField(3, lengthField(3, "a"), lengthField(3, [0x80]))))),
      "resourceLogs[0].resource.entityRefs[0].idKeys[1]",
    ],
    ["a message at depth 101", "logs", logs(lengthField(5, nestedArrays(48))), DEEP_PATH],
    ["a message at depth 102", "logs", logs(lengthField(6, lengthField(2, nestedArrays(48)))), DEEP_PATH],
    [
      "a short attribute's value at depth 101",
      "logs",
      logs(lengthField(6, lengthField(2, nestedArrays(46, SHORT_LIST)))),
      DEEP_PATH,
    ],
    [
      "a log record that is unsound behind a bad id",
      "logs",
      logs(lengthField(9, [1]), lengthField(10, [1]), [0x0f]),
      `${RECORD}.timeUnixNano`,
    ],
    [
      "an exemplar that is unsound behind a bad id",
      "metrics",
      metrics(lengthField(9, lengthField(1, lengthField(8, lengthField(5, [1]), [0x0f])))),
      `${POINT}.exemplars[0]`,
    ],
    ["a span that is unsound behind a bad id", "traces", traces(span(lengthField(1, [1]), [0x0f])), `${SPAN}.traceId`],
    ["JSON", "logs", new TextEncoder().encode('{"resourceLogs":[]}'), "body"],
    ["gzip", "traces", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), "body"],
    ["a gRPC frame", "traces", Uint8Array.of(0, 0, 0, 0, 2, 0x0a, 0), "body"],
    ["a length prefix", "traces", Uint8Array.of(2, 0x0a, 0), "body"],
  ])("validateRequest() refuses %s", (_name, signal, body, field) => {
    const error = thrownBy(signal, body);

    expect(error.kind).toBe("invalid_request");
    expect(error.field).toEqual(field);
    expect(error.message).toMatch(/^Cannot decode [^:]+: .*[^.]$/);
    expect(error.message.length).toBeLessThan(700);
  });

  test("validateRequest() refuses a value 100 000 arrays deep in bounded time", () => {
    const sizes = [0];
    for (let index = 1; index <= 100_000; index += 1) {
      const inner = sizes[index - 1] ?? 0;
      sizes.push(inner + 1 + varint(inner).length);
    }
    const value = sizes.toReversed().flatMap((size, index) => [index % 2 === 0 ? 0x2a : 0x0a, ...varint(size)]);

    expect(thrownBy("logs", logs(lengthField(5, value))).message).toContain("messages nest deeper than 100");
  });

  test("validateRequest() names an element of a message that comes in two parts", () => {
    const attribute = lengthField(1, lengthField(1, "key"));
    const resource = [
      lengthField(1, attribute, attribute),
      lengthField(1, attribute, lengthField(1, varintField(1, 1))),
    ];

    const error = thrownBy("logs", Uint8Array.from(lengthField(1, ...resource)));

    expect(error.field).toBe("resourceLogs[0].resource.attributes[3].key");
  });

  test.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40])(
    "validateRequest() finds a bad byte anywhere in a text of %d and one bytes",
    (size) => {
      for (let at = 0; at <= size; at += 1) {
        const text = [...fill(at, 0x41), 0x80, ...fill(size - at, 0x41)];

        expect(thrownBy("logs", logs(lengthField(3, text))).field).toBe(`${RECORD}.severityText`);
        expect(thrownBy("logs", logs(lengthField(3, text), fixed64Field(1))).field).toBe(`${RECORD}.severityText`);
      }
    },
  );
});
