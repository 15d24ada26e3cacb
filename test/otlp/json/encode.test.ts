/**
 * How single values and unusual wire forms become OTLP JSON; what the Collector writes is in `collector-json.test.ts`,
 * the corpus in `test/node/otlp/json/codec.test.ts`.
 */
import { expect, test } from "vitest";
import { encodeJsonRequest } from "../../../src/otlp/json/encode.ts";
import type { ItemSignal } from "../../../src/signal.ts";
import { double, toKind, wireBody, wireHistogram, wirePoint } from "./document-sample.ts";
import {
  fill,
  fixed32Field,
  fixed64Field,
  lengthField,
  logs,
  metrics,
  nestedArrays,
  tag,
  traces,
  varint,
  varintField,
} from "../wire-builder.ts";

function encodeText(signal: ItemSignal, body: Uint8Array): string {
  return new TextDecoder().decode(encodeJsonRequest(signal, body));
}

/** A logs request with one record of these members, as it is written. */
function record(members: string): string {
  return `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{${members}}]}]}]}`;
}

/** A metrics request with one metric of these members. */
function metric(members: string): string {
  return `{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[{${members}}]}]}]}`;
}

/** A metrics request with one point of a gauge. */
function point(members: string): string {
  return metric(`"gauge":{"dataPoints":[{${members}}]}`);
}

/** A metrics request with one point of an exponential histogram. */
function histogram(members: string): string {
  return metric(`"exponentialHistogram":{"dataPoints":[{${members}}]}`);
}

const VALUES: readonly (readonly [string, ItemSignal, Uint8Array, string])[] = [
  ["an empty request", "logs", new Uint8Array(0), "{}"],
  ["an empty resource", "logs", Uint8Array.from(lengthField(1)), '{"resourceLogs":[{"resource":{}}]}'],
  [
    "a string with everything that is escaped",
    "logs",
    logs(lengthField(3, '"\\/\b\f\n\r\t\0\u001f\u007f')),
    record('"severityText":"\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\u007f","body":{}'),
  ],
  [
    "text that is not UTF-8 with U+FFFD",
    "logs",
    logs(lengthField(3, "a", [0xff], '"')),
    record('"severityText":"a\ufffd\\"","body":{}'),
  ],
  [
    "zeros without presence as nothing",
    "logs",
    logs(fixed64Field(1), varintField(2, 0), lengthField(3), fixed32Field(8), lengthField(9)),
    record('"body":{}'),
  ],
  [
    "ids of zeros as nothing",
    "logs",
    logs(lengthField(9, fill(16, 0)), lengthField(10, fill(8, 0))),
    record('"body":{}'),
  ],
  [
    "zeros that are too few for an id",
    "logs",
    logs(lengthField(9, fill(15, 0))),
    record(`"body":{},"traceId":"${"00".repeat(15)}"`),
  ],
  ["false without presence as nothing", "metrics", metrics(lengthField(7, varintField(3, 0))), metric('"sum":{}')],
  ["zeros of a oneof", "logs", wireBody(lengthField(1)), record('"body":{"stringValue":""}')],
  ["an int64 zero of a oneof", "logs", wireBody(varintField(3, 0)), record('"body":{"intValue":"0"}')],
  [
    "a zero with explicit presence",
    "metrics",
    wireHistogram(double(5, 0), double(14, 0)),
    histogram('"sum":0,"positive":{},"negative":{}'),
  ],
  ["minus zero", "metrics", wireHistogram(double(14, -0)), histogram('"positive":{},"negative":{},"zeroThreshold":-0')],
  ["enums as numbers", "logs", logs(varintField(2, 9)), record('"severityNumber":9,"body":{}')],
  ["negative enums", "logs", logs(varintField(2, -1)), record('"severityNumber":-1,"body":{}')],
  ["truth values", "logs", wireBody(varintField(2, 256)), record('"body":{"boolValue":true}')],
  [
    "int64 at its lower limit",
    "logs",
    wireBody(varintField(3, -9223372036854775808n)),
    record('"body":{"intValue":"-9223372036854775808"}'),
  ],
  ["int64 minus one", "logs", wireBody(varintField(3, -1n)), record('"body":{"intValue":"-1"}')],
  ["int64 minus 2^32", "logs", wireBody(varintField(3, -4294967296n)), record('"body":{"intValue":"-4294967296"}')],
  [
    "fixed64 with zeros inside",
    "logs",
    logs([...tag(1, 1), 0, 0, 0, 0, 1, 0, 0, 0]),
    record('"timeUnixNano":"4294967296","body":{}'),
  ],
  ["sfixed64", "metrics", wirePoint([...tag(6, 1), ...fill(8, 0xff)]), point('"asInt":"-1"')],
  [
    "sint32",
    "metrics",
    wireHistogram(varintField(6, 4294967295)),
    histogram('"scale":-2147483648,"positive":{},"negative":{}'),
  ],
  [
    "bytes as base64",
    "logs",
    wireBody(lengthField(7, [0xfb, 0xff, 0xbf, 0])),
    record('"body":{"bytesValue":"+/+/AA=="}'),
  ],
  [
    "ids as hex",
    "logs",
    logs(lengthField(9, fill(16, 0xab)), lengthField(10, fill(8, 1))),
    record(`"body":{},"traceId":"${"ab".repeat(16)}","spanId":"${"01".repeat(8)}"`),
  ],
  [
    "fields in the order of the Collector",
    "logs",
    logs(lengthField(3, "b"), varintField(2, 1), fixed64Field(11, 2), fixed64Field(1, 1)),
    record(
      '"timeUnixNano":"72340172838076673","observedTimeUnixNano":"144680345676153346",' +
        '"severityNumber":1,"severityText":"b","body":{}',
    ),
  ],
  [
    "the last of repeated scalars",
    "logs",
    logs(lengthField(3, "a"), varintField(2, 1), lengthField(3, "b")),
    record('"severityNumber":1,"severityText":"b","body":{}'),
  ],
  [
    "a last zero of repeated scalars as nothing",
    "logs",
    logs(lengthField(3, "a"), lengthField(3)),
    record('"body":{}'),
  ],
  [
    "lists whose elements do not stand together",
    "logs",
    logs(lengthField(6, lengthField(1, "a")), varintField(2, 1), lengthField(6, lengthField(1, "b"))),
    record('"severityNumber":1,"body":{},"attributes":[{"key":"a","value":{}},{"key":"b","value":{}}]'),
  ],
  [
    "a singular message in pieces",
    "logs",
    Uint8Array.from(
      lengthField(
        1,
        lengthField(1, lengthField(1, lengthField(1, "a"))),
        lengthField(3, "u"),
        lengthField(1, varintField(2, 7), lengthField(1, lengthField(1, "b"))),
      ),
    ),
    '{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{}},{"key":"b","value":{}}],' +
      '"droppedAttributesCount":7},"schemaUrl":"u"}]}',
  ],
  [
    "the last member of a oneof",
    "logs",
    wireBody(lengthField(1, "a"), varintField(3, 1)),
    record('"body":{"intValue":"1"}'),
  ],
  [
    "a oneof member in pieces",
    "logs",
    wireBody(lengthField(5, lengthField(1, lengthField(1, "a"))), lengthField(5, lengthField(1, lengthField(1, "b")))),
    record('"body":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}'),
  ],
  [
    "a oneof member that another one voided",
    "logs",
    wireBody(lengthField(5, lengthField(1)), varintField(3, 1), lengthField(5, lengthField(1, lengthField(1, "b")))),
    record('"body":{"arrayValue":{"values":[{"stringValue":"b"}]}}'),
  ],
  [
    "packed and unpacked numbers",
    "metrics",
    wireHistogram(lengthField(8, lengthField(2, varint(300), [0]), varintField(2, 1), lengthField(2, [2]))),
    histogram('"positive":{"bucketCounts":["300","0","1","2"]},"negative":{}'),
  ],
  [
    "an empty packed list as nothing",
    "metrics",
    wireHistogram(lengthField(8, lengthField(2))),
    histogram('"positive":{},"negative":{}'),
  ],
  [
    "unknown fields as nothing",
    "logs",
    logs(varintField(30, 1), lengthField(5000, "x"), fixed64Field(31), fixed32Field(100), lengthField(3, "a")),
    record('"severityText":"a","body":{}'),
  ],
  [
    "unknown groups as nothing",
    "logs",
    logs([...tag(40, 3), ...tag(41, 3), ...varintField(1, 1), ...tag(41, 4), ...tag(40, 4)], lengthField(3, "a")),
    record('"severityText":"a","body":{}'),
  ],
  [
    "varints of ten bytes",
    "logs",
    wireBody([...tag(3, 0), 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
    record('"body":{"intValue":"1"}'),
  ],
];

test.each(VALUES)("encodeJsonRequest() writes %s", (_, signal, wire, expected) => {
  expect(encodeText(signal, wire)).toBe(expected);
});

const DOUBLES: readonly (readonly [number, string])[] = [
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [-123456789012345, "-123456789012345"],
  [9007199254740991, "9007199254740991"],
  [0.1, "0.1"],
  [1e21, "1e+21"],
  [1e-7, "1e-07"],
  [5e-324, "5e-324"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [Number.NaN, '"NaN"'],
  [Number.POSITIVE_INFINITY, '"Infinity"'],
  [Number.NEGATIVE_INFINITY, '"-Infinity"'],
];

test.each(DOUBLES)("encodeJsonRequest() writes the double %d in its shortest form", (value, expected) => {
  expect(encodeText("metrics", wirePoint(double(4, value)))).toBe(point(`"asDouble":${expected}`));
});

test("encodeJsonRequest() writes 100 levels of messages", () => {
  expect(encodeText("logs", wireBody(nestedArrays(47)))).toContain('"values":[{}]');
  const attribute = lengthField(6, lengthField(1, lengthField(1, "k")));
  const deepest = lengthField(9, lengthField(1, "k"), lengthField(2, nestedArrays(46, attribute)));
  // What is written though nobody sent it is no level more.
  expect(encodeText("traces", traces(lengthField(2, deepest)))).toContain('{"key":"k","value":{}}');
});

const UNSOUND: readonly (readonly [string, Uint8Array, ItemSignal?])[] = [
  ["101 levels of messages", wireBody(nestedArrays(48))],
  ["a length behind the end", Uint8Array.of(0x0a, 5, 0)],
  ["a length of 64 bits", Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)],
  ["a varint that is cut", logs([0x10, 0x80])],
  ["a varint of eleven bytes", logs([0x10, ...fill(10, 0x80), 0])],
  ["a field number of 0", Uint8Array.of(0, 0)],
  ["wire type 7", Uint8Array.of(0x0f, 0)],
  ["the end of a group alone", Uint8Array.of(0xa4, 1)],
  ["a group without end", Uint8Array.of(0xa3, 1, 8, 1)],
  ["a known field of another wire type", logs(varintField(3, 1))],
  [
    "a packed list that ends inside a number",
    metrics(lengthField(9, lengthField(1, lengthField(6, fill(9, 1))))),
    "metrics",
  ],
  ["a packed list that ends inside a varint", wireHistogram(lengthField(8, lengthField(2, [0x80]))), "metrics"],
  ["JSON", new TextEncoder().encode('{"resourceLogs":[]}')],
];

test.each(UNSOUND.map(([name, wire, signal = "logs"]) => ({ name, wire, signal })))(
  "encodeJsonRequest() refuses $name as corrupt",
  ({ wire, signal }) => {
    expect(toKind(() => encodeJsonRequest(signal, wire))).toBe("corrupt_object");
  },
);

test("encodeJsonRequest() writes spans with their ids, a parent of zeros as none", () => {
  const wire = traces(
    lengthField(2, lengthField(1, fill(16, 1)), lengthField(2, fill(8, 2)), lengthField(4, fill(8, 0))),
  );

  expect(encodeText("traces", wire)).toBe(
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{' +
      `"traceId":"${"01".repeat(16)}","spanId":"${"02".repeat(8)}","status":{}}]}]}]}`,
  );
});

test("encodeJsonRequest() takes time in proportion to a message in many pieces", () => {
  const piece = lengthField(1, lengthField(1, lengthField(1, "k")));
  const resource = Uint8Array.from({ length: 200_000 * piece.length }, (_, index) => piece[index % piece.length] ?? 0);
  const header = Uint8Array.from([...tag(1, 2), ...varint(resource.length)]);
  const wire = new Uint8Array(header.length + resource.length);
  wire.set(header);
  wire.set(resource, header.length);

  const element = '{"key":"k","value":{}},';
  expect(encodeJsonRequest("logs", wire).length).toBe(
    '{"resourceLogs":[{"resource":{"attributes":[]}}]}'.length + 200_000 * element.length - 1,
  );
});
