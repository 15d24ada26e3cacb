/** Every row of otlp-http 5.3, accepted and refused; expected bytes are written by hand. */
import { expect, test } from "vitest";
import type { ItemSignal } from "../../../src/signal.ts";
import {
  decodeText,
  double,
  findFault,
  fixed64,
  histogram,
  point,
  record,
  RECORD_PATH,
  span,
  wireBody,
  wireHistogram,
  wirePoint,
  wireSpan,
} from "./document-sample.ts";
import { fill, fixed32Field, fixed64Field, lengthField, logs, metrics, varintField } from "../wire-builder.ts";

const ACCEPTED_VALUES: readonly (readonly [string, ItemSignal, string, Uint8Array])[] = [
  [
    "a string",
    "logs",
    record('"severityText":"a/\\"\\\\\\/\\b\\f\\n\\r\\t"'),
    logs(lengthField(3, 'a/"\\/\b\f\n\r\t')),
  ],
  ["an escaped zero character", "logs", record('"severityText":"\\u0000"'), logs(lengthField(3, "\0"))],
  ["a surrogate pair", "logs", record('"severityText":"\\ud83d\\uDE00"'), logs(lengthField(3, "😀"))],
  [
    "characters of two and three bytes by escape",
    "logs",
    record('"severityText":"\\u00e9\\u20ac"'),
    logs(lengthField(3, "é€")),
  ],
  ["characters of all lengths", "logs", record('"severityText":"aé€😀"'), logs(lengthField(3, "aé€😀"))],
  ["a lone high surrogate as U+FFFD", "logs", record('"severityText":"\\ud83d!"'), logs(lengthField(3, "\ufffd!"))],
  ["a lone low surrogate as U+FFFD", "logs", record('"severityText":"\\ude00"'), logs(lengthField(3, "\ufffd"))],
  [
    "two high surrogates as two U+FFFD",
    "logs",
    record('"severityText":"\\ud83d\\ud83d"'),
    logs(lengthField(3, "\ufffd\ufffd")),
  ],
  ["a long string", "logs", record(`"severityText":"${"x".repeat(20_000)}"`), logs(lengthField(3, "x".repeat(20_000)))],
  [
    "a long string with an escape",
    "logs",
    record(`"severityText":"\\n${"\\u0041".repeat(127)}"`),
    logs(lengthField(3, `\n${"A".repeat(127)}`)),
  ],
  [
    "false without presence as absent",
    "metrics",
    '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"isMonotonic":false}}]}]}]}',
    metrics(lengthField(7)),
  ],
  [
    "true",
    "metrics",
    '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"isMonotonic":true}}]}]}]}',
    metrics(lengthField(7, varintField(3, 1))),
  ],
  [
    "zeros without presence as absent",
    "logs",
    record('"severityNumber":0,"severityText":"","timeUnixNano":"0","flags":0,"traceId":""'),
    logs(),
  ],
  ["zeros of a oneof", "logs", record('"body":{"stringValue":""}'), wireBody(lengthField(1))],
  ["a false of a oneof", "logs", record('"body":{"boolValue":false}'), wireBody(varintField(2, 0))],
  ["an empty bytesValue", "logs", record('"body":{"bytesValue":""}'), wireBody(lengthField(7))],
  [
    "a zero with explicit presence",
    "metrics",
    histogram('"sum":0,"min":-0,"zeroThreshold":0'),
    wireHistogram(double(5, 0), double(12, -0)),
  ],
  ["an empty AnyValue", "logs", record('"body":{}'), wireBody()],
  ["an enum", "logs", record('"severityNumber":9'), logs(varintField(2, 9))],
  ["an enum with a point", "logs", record('"severityNumber":2.0'), logs(varintField(2, 2))],
  ["an unknown enum value", "logs", record('"severityNumber":-2147483648'), logs(varintField(2, -2147483648))],
  ["uint32 at its limit", "logs", record('"droppedAttributesCount":"4294967295"'), logs(varintField(7, 4294967295))],
  ["fixed32", "logs", record('"flags":16843009'), logs(fixed32Field(8, 1))],
  ["sint32 at its limits", "metrics", histogram('"scale":-2147483648'), wireHistogram(varintField(6, 4294967295))],
  ["fixed64 quoted", "logs", record('"timeUnixNano":"1544712660300000001"'), logs(fixed64(1, 1544712660300000001n))],
  [
    "fixed64 as a number, exactly",
    "logs",
    record('"timeUnixNano":1544712660300000001'),
    logs(fixed64(1, 1544712660300000001n)),
  ],
  ["fixed64 with escaped digits", "logs", record('"timeUnixNano":"\\u0037"'), logs(fixed64(1, 7n))],
  ["fixed64 at its limit", "logs", record('"timeUnixNano":18446744073709551615'), logs(fixed64Field(1, 0xff))],
  [
    "fixed64 with point and exponent, exactly",
    "logs",
    record('"timeUnixNano":15447126603.00000001e8'),
    logs(fixed64(1, 1544712660300000001n)),
  ],
  [
    "int64 at its lower limit",
    "logs",
    record('"body":{"intValue":"-9223372036854775808"}'),
    wireBody(varintField(3, -9223372036854775808n)),
  ],
  [
    "int64 at its upper limit",
    "logs",
    record('"body":{"intValue":9223372036854775807}'),
    wireBody(varintField(3, 9223372036854775807n)),
  ],
  ["sfixed64", "metrics", point('"asInt":-1'), wirePoint(fixed64(6, -1n))],
  [
    "base64 with padding",
    "logs",
    record('"body":{"bytesValue":"+/+/AA=="}'),
    wireBody(lengthField(7, [0xfb, 0xff, 0xbf, 0])),
  ],
  [
    "base64 of the URL alphabet without padding",
    "logs",
    record('"body":{"bytesValue":"-_-_AA"}'),
    wireBody(lengthField(7, [0xfb, 0xff, 0xbf, 0])),
  ],
  [
    "base64 with an escape",
    "logs",
    record('"body":{"bytesValue":"\\u002b\\/+/"}'),
    wireBody(lengthField(7, [0xfb, 0xff, 0xbf])),
  ],
  [
    "a packed list",
    "metrics",
    histogram('"positive":{"offset":-1,"bucketCounts":["300",0,1]}'),
    wireHistogram(lengthField(8, varintField(1, 1), lengthField(2, [0xac, 2, 0, 1]))),
  ],
  ["an empty list", "metrics", histogram('"positive":{"bucketCounts":[]}'), wireHistogram(lengthField(8))],
  [
    "a list of strings",
    "logs",
    '{"resourceLogs":[{"resource":{"entityRefs":[{"idKeys":["","a"]}]}}]}',
    Uint8Array.from(lengthField(1, lengthField(1, lengthField(3, lengthField(3), lengthField(3, "a"))))),
  ],
  [
    "ids in any case",
    "traces",
    span(`"traceId":"${"aB".repeat(16)}","spanId":"${"C1".repeat(8)}"`),
    wireSpan(lengthField(1, fill(16, 0xab)), lengthField(2, fill(8, 0xc1))),
  ],
  ["a short id, as its bytes", "traces", span('"traceId":"0102"'), wireSpan(lengthField(1, [1, 2]))],
  ["an id that is not hex, as its text", "traces", span('"traceId":"xyz"'), wireSpan(lengthField(1, "xyz"))],
  [
    "an id of base64, as its text",
    "traces",
    span('"traceId":"AAAAAAAAAAAAAAAAAAAAAA=="'),
    wireSpan(lengthField(1, "AAAAAAAAAAAAAAAAAAAAAA==")),
  ],
  ["an id with an odd digit, as its text", "traces", span('"spanId":"123"'), wireSpan(lengthField(2, "123"))],
  [
    "a bad id of 16 characters with a byte more",
    "traces",
    span('"traceId":"0123456789abcdeg"'),
    wireSpan(lengthField(1, "0123456789abcdeg", [0xff])),
  ],
  [
    "a bad id of 8 characters with a byte more",
    "traces",
    span('"spanId":"0123456x"'),
    wireSpan(lengthField(2, "0123456x", [0xff])),
  ],
  [
    "duplicate scalars: the last wins",
    "logs",
    record('"severityText":"a","severityText":"b"'),
    logs(lengthField(3, "b")),
  ],
  [
    "duplicate scalars: a last zero wins",
    "logs",
    record('"severityText":"a","severityNumber":1,"severityText":""'),
    logs(varintField(2, 1)),
  ],
  ["duplicate keys: a last null wins", "logs", record('"severityText":"a","severityText":null'), logs()],
  [
    "duplicate messages: the last replaces",
    "logs",
    record('"body":{"stringValue":"a"},"severityNumber":1,"body":{}'),
    logs(varintField(2, 1), lengthField(5)),
  ],
  [
    "duplicate lists: the last replaces",
    "logs",
    record('"attributes":[{},{}],"attributes":[{}]'),
    logs(lengthField(6)),
  ],
  [
    "many duplicates on two levels",
    "logs",
    record(
      '"body":{"intValue":1,"intValue":2},"severityText":"a","body":{"intValue":3,"intValue":4},"severityText":"b"',
    ),
    logs(lengthField(5, varintField(3, 4)), lengthField(3, "b")),
  ],
  [
    "a oneof whose other member is null",
    "logs",
    record('"body":{"stringValue":null,"intValue":"1","boolValue":null}'),
    wireBody(varintField(3, 1)),
  ],
  [
    "__proto__ as an attribute key",
    "logs",
    record('"attributes":[{"key":"__proto__"}]'),
    logs(lengthField(6, lengthField(1, "__proto__"))),
  ],
  [
    "keys in any order",
    "logs",
    record('"severityText":"b","severityNumber":1'),
    logs(lengthField(3, "b"), varintField(2, 1)),
  ],
];

test.each(ACCEPTED_VALUES)("decodeJsonRequest() accepts %s", (_, signal, text, expected) => {
  expect(decodeText(signal, text)).toEqual(expected);
});

const REFUSED_VALUES: readonly (readonly [string, string])[] = [
  ["a number for a string", '"severityText":1'],
  ["a literal for a string", '"severityText":true'],
  ["an object for a string", '"severityText":{}'],
  ["the name of an enum", '"severityNumber":"SEVERITY_NUMBER_INFO"'],
  ["a fraction for an enum", '"severityNumber":1.5'],
  ["an enum above int32", '"severityNumber":2147483648'],
  ["a negative uint32", '"droppedAttributesCount":-1'],
  ["a uint32 above its limit", '"droppedAttributesCount":4294967296'],
  ["a fraction for a uint32", '"droppedAttributesCount":1e-1'],
  ["a negative fixed64", '"timeUnixNano":"-1"'],
  ["a fixed64 above its limit", '"timeUnixNano":"18446744073709551616"'],
  ["a fixed64 of very many digits", `"timeUnixNano":${"9".repeat(1000)}`],
  ["a fixed64 with a huge exponent", '"timeUnixNano":1e99999999999999999999'],
  ["an empty string for a number", '"timeUnixNano":""'],
  ["white space in a number", '"timeUnixNano":" 1"'],
  ["white space behind a quoted number", '"timeUnixNano":"1 "'],
  ["hex for a number", '"timeUnixNano":"0x1"'],
  ["an underscore in a number", '"timeUnixNano":"1_000"'],
  ["a BigInt suffix", '"timeUnixNano":"1n"'],
  ["a literal for a number", '"timeUnixNano":true'],
  ["NaN for an integer", '"timeUnixNano":"NaN"'],
  ["an array for a number", '"timeUnixNano":[1]'],
  ["a number for an id", '"traceId":1'],
  ["an object for an id", '"spanId":{}'],
];

test.each(REFUSED_VALUES)("decodeJsonRequest() refuses %s", (_, member) => {
  const fault = findFault("logs", record(`"attributes":[{}],${member}`));

  expect(fault.kind).toBe("invalid_request");
  expect(fault.field).toBe(`${RECORD_PATH}.${member.split('"')[1] ?? ""}`);
});

const REFUSED_ANY_VALUES: readonly (readonly [string, string, string])[] = [
  ["a quoted truth value", '"boolValue":"true"', "boolValue"],
  ["a number for a truth value", '"boolValue":1', "boolValue"],
  ["an int64 above its limit", '"intValue":9223372036854775808', "intValue"],
  ["an int64 below its limit", '"intValue":-9223372036854775809', "intValue"],
  ["a double that overflows", '"doubleValue":1e309', "doubleValue"],
  ["a quoted double that overflows", '"doubleValue":"-1e309"', "doubleValue"],
  ["an empty string for a double", '"doubleValue":""', "doubleValue"],
  ["another text for a double", '"doubleValue":"nan"', "doubleValue"],
  ["a literal for a double", '"doubleValue":true', "doubleValue"],
  ["another character in base64", '"bytesValue":"a*=="', "bytesValue"],
  ["white space in base64", '"bytesValue":"AA ="', "bytesValue"],
  ["base64 of one character more", '"bytesValue":"AAAAA"', "bytesValue"],
  ["padding inside base64", '"bytesValue":"AA==AAAA"', "bytesValue"],
  ["padding of the wrong length", '"bytesValue":"AA="', "bytesValue"],
  ["an array for arrayValue", '"arrayValue":[1]', "arrayValue"],
  ["an object for values", '"arrayValue":{"values":{}}', "arrayValue.values"],
  ["null in values", '"arrayValue":{"values":[{},null]}', "arrayValue.values[1]"],
  ["two members of a oneof", '"stringValue":"a","intValue":1', "intValue"],
  ["two members of a oneof, zeros", '"stringValue":"","boolValue":false', "boolValue"],
  ["two members of a oneof, messages", '"arrayValue":{},"kvlistValue":{}', "kvlistValue"],
];

test.each(REFUSED_ANY_VALUES)("decodeJsonRequest() refuses %s", (_, members, field) => {
  const fault = findFault("logs", record(`"body":{${members}}`));

  expect(fault.kind).toBe("invalid_request");
  expect(fault.field).toBe(`${RECORD_PATH}.body.${field}`);
});
