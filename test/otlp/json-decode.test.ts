/** Every row of otlp-http 5, accepted and refused; expected bytes are written by hand. */
import { expect, test } from "vitest";
import { FirnError } from "../../src/errors.ts";
import { decodeJsonRequest } from "../../src/otlp/json-decode.ts";
import type { Signal } from "../../src/signal.ts";
import {
  fill,
  fixed32Field,
  fixed64Field,
  lengthField,
  logs,
  metrics,
  tag,
  traces,
  varintField,
} from "./wire-builder.ts";

const RECORD_PATH = "resourceLogs[0].scopeLogs[0].logRecords[0]";
const NOTHING = new Uint8Array(0);

/** A logs request with one record of these members. */
function record(members: string): string {
  return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${members}}]}]}]}`;
}

function point(members: string): string {
  return `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{${members}}]}}]}]}]}`;
}

function span(members: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
}

function histogram(members: string): string {
  return `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"exponentialHistogram":{"dataPoints":[{${members}}]}}]}]}]}`;
}

function decodeText(signal: Signal, text: string | readonly number[]): Uint8Array {
  return decodeJsonRequest(signal, typeof text === "string" ? new TextEncoder().encode(text) : Uint8Array.from(text));
}

function decodeLogs(text: string | readonly number[]): Uint8Array {
  return decodeText("logs", text);
}

function findFault(signal: Signal, text: string | readonly number[]): FirnError {
  try {
    decodeText(signal, text);
  } catch (error) {
    if (error instanceof FirnError) return error;
    throw error;
  }
  throw new Error(`Expected a refusal of ${String(text)}`);
}

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function fixed64(number: number, value: bigint): readonly number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return [...tag(number, 1), ...bytes];
}

function double(number: number, value: number): readonly number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...tag(number, 1), ...bytes];
}

const gauge = (...fields: readonly (readonly number[])[]): Uint8Array =>
  metrics(lengthField(5, lengthField(1, ...fields)));
const body = (...fields: readonly (readonly number[])[]): Uint8Array => logs(lengthField(5, ...fields));
const oneSpan = (...fields: readonly (readonly number[])[]): Uint8Array => traces(lengthField(2, ...fields));
const exponential = (...fields: readonly (readonly number[])[]): Uint8Array =>
  metrics(lengthField(10, lengthField(1, ...fields)));

const ACCEPTED_DOCUMENTS: readonly (readonly [string, string | readonly number[], Uint8Array])[] = [
  ["no bytes", "", NOTHING],
  ["white space alone", " \t\r\n", NOTHING],
  ["a byte order mark alone", [0xef, 0xbb, 0xbf], NOTHING],
  ["an empty object", "{}", NOTHING],
  ["white space around everything", ' { "resourceLogs" : [ ] } \n', NOTHING],
  ["a byte order mark", [0xef, 0xbb, 0xbf, ...ascii("{}")], NOTHING],
  ["an empty resource", '{"resourceLogs":[{}]}', Uint8Array.from(lengthField(1))],
  [
    "null for a message, a list and a scalar",
    '{"resourceLogs":[{"resource":null,"scopeLogs":null,"schemaUrl":null}]}',
    Uint8Array.from(lengthField(1)),
  ],
  [
    "snake_case and other spellings as unknown",
    '{"resource_logs":[1],"ResourceLogs":2,"resourceLog":3,"resourceLogsX":4,"":5}',
    NOTHING,
  ],
  [
    "unknown keys of any value",
    '{"a":[1,{"b":[[],{},"x",true,false,null,-1.5e+3]}],"c":{"d":{}},"e":"\\u00e9"}',
    NOTHING,
  ],
  ["keys that objects inherit", '{"__proto__":{"resourceLogs":[{}]},"constructor":1,"toString":2}', NOTHING],
  ["escapes in keys", '{"resource\\u004cogs":[{}]}', Uint8Array.from(lengthField(1))],
  ["a very deep unknown value", `{"x":${"[".repeat(200_000)}${"]".repeat(200_000)}}`, NOTHING],
];

test.each(ACCEPTED_DOCUMENTS)("decodeJsonRequest() accepts %s", (_, text, expected) => {
  expect(decodeLogs(text)).toEqual(expected);
});

const REFUSED_DOCUMENTS: readonly (readonly [string, string | readonly number[], string?])[] = [
  ["an array", "[]"],
  ["null", "null"],
  ["a string", '"x"'],
  ["a number", "1"],
  ["another value behind", "{}{}"],
  ["text behind", "{}x"],
  ["a zero byte behind", [...ascii("{}"), 0]],
  ["a zero byte alone", [0]],
  ["two byte order marks", [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, ...ascii("{}")]],
  ["UTF-16", [0xff, 0xfe, 0x7b, 0, 0x7d, 0]],
  ["no end", "{"],
  ["no value", '{"a"}'],
  ["no key", "{:1}"],
  ["a comma behind the last member", '{"a":1,}'],
  ["a comma behind the last element", '{"a":[1,]}'],
  ["a comma behind the last element of a list", '{"resourceLogs":[{},]}', "resourceLogs[1]"],
  ["two commas", '{"a":1,,"b":2}'],
  ["a comment", '{/* */"a":1}'],
  ["single quotes", "{'a':1}"],
  ["a bare key", "{a:1}"],
  ["NaN", '{"a":NaN}'],
  ["Infinity", '{"a":-Infinity}'],
  ["a leading zero", '{"a":01}'],
  ["a leading plus", '{"a":+1}'],
  ["a number without digits before the point", '{"a":.5}'],
  ["a number without digits behind the point", '{"a":1.}'],
  ["a number without exponent", '{"a":1e}'],
  ["a minus alone", '{"a":-}'],
  ["a hex number", '{"a":0x10}'],
  ["a literal in capitals", '{"a":True}'],
  ["a literal that is cut", '{"a":nul}'],
  ["a control character in a string", '{"a":"\n"}'],
  ["a zero byte in a string", '{"a":"\0"}'],
  ["a tab in a key", '{"a\t":1}'],
  ["an unknown escape", '{"a":"\\x41"}'],
  ["a short escape", '{"a":"\\u12"}'],
  ["a string without end", '{"a":"x'],
  ["an escape without end", '{"a":"\\'],
  ["brackets that do not match", '{"a":[1}'],
  ["braces that do not match", '{"a":{"b":1]'],
  ["a form feed as white space", '{\f"a":1}'],
  ["an overlong form in an ignored value", [...ascii('{"a":"'), 0xc0, 0xaf, ...ascii('"}')]],
  ["an encoded surrogate in an ignored key", [...ascii('{"'), 0xed, 0xa0, 0x80, ...ascii('":1}')]],
  ["a code point above U+10FFFF", [...ascii('{"a":"'), 0xf4, 0x90, 0x80, 0x80, ...ascii('"}')]],
  ["a character that is cut by the quote", [...ascii('{"a":"'), 0xe2, 0x82, ...ascii('"}')]],
  ["a list that is an object", '{"resourceLogs":{}}', "resourceLogs"],
  ["a null element", '{"resourceLogs":[null]}', "resourceLogs[0]"],
  ["a message that is a string", '{"resourceLogs":[{},"x"]}', "resourceLogs[1]"],
  [
    "attributes as a map",
    '{"resourceLogs":[{"resource":{"attributes":{"a":"b"}}}]}',
    "resourceLogs[0].resource.attributes",
  ],
];

test.each(REFUSED_DOCUMENTS)("decodeJsonRequest() refuses %s", (_, text, field = "body") => {
  const fault = findFault("logs", text);

  expect(fault.kind).toBe("invalid_request");
  expect(fault.field).toBe(field);
});

const ACCEPTED_VALUES: readonly (readonly [string, Signal, string, Uint8Array])[] = [
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
  ["zeros of a oneof", "logs", record('"body":{"stringValue":""}'), body(lengthField(1))],
  ["a false of a oneof", "logs", record('"body":{"boolValue":false}'), body(varintField(2, 0))],
  ["an empty bytesValue", "logs", record('"body":{"bytesValue":""}'), body(lengthField(7))],
  [
    "a zero with explicit presence",
    "metrics",
    histogram('"sum":0,"min":-0,"zeroThreshold":0'),
    exponential(double(5, 0), double(12, -0)),
  ],
  ["an empty AnyValue", "logs", record('"body":{}'), body()],
  ["an enum", "logs", record('"severityNumber":9'), logs(varintField(2, 9))],
  ["an enum with a point", "logs", record('"severityNumber":2.0'), logs(varintField(2, 2))],
  ["an unknown enum value", "logs", record('"severityNumber":-2147483648'), logs(varintField(2, -2147483648))],
  ["uint32 at its limit", "logs", record('"droppedAttributesCount":"4294967295"'), logs(varintField(7, 4294967295))],
  ["fixed32", "logs", record('"flags":16843009'), logs(fixed32Field(8, 1))],
  ["sint32 at its limits", "metrics", histogram('"scale":-2147483648'), exponential(varintField(6, 4294967295))],
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
    body(varintField(3, -9223372036854775808n)),
  ],
  [
    "int64 at its upper limit",
    "logs",
    record('"body":{"intValue":9223372036854775807}'),
    body(varintField(3, 9223372036854775807n)),
  ],
  ["sfixed64", "metrics", point('"asInt":-1'), gauge(fixed64(6, -1n))],
  [
    "base64 with padding",
    "logs",
    record('"body":{"bytesValue":"+/+/AA=="}'),
    body(lengthField(7, [0xfb, 0xff, 0xbf, 0])),
  ],
  [
    "base64 of the URL alphabet without padding",
    "logs",
    record('"body":{"bytesValue":"-_-_AA"}'),
    body(lengthField(7, [0xfb, 0xff, 0xbf, 0])),
  ],
  [
    "base64 with an escape",
    "logs",
    record('"body":{"bytesValue":"\\u002b\\/+/"}'),
    body(lengthField(7, [0xfb, 0xff, 0xbf])),
  ],
  [
    "a packed list",
    "metrics",
    histogram('"positive":{"offset":-1,"bucketCounts":["300",0,1]}'),
    exponential(lengthField(8, varintField(1, 1), lengthField(2, [0xac, 2, 0, 1]))),
  ],
  ["an empty list", "metrics", histogram('"positive":{"bucketCounts":[]}'), exponential(lengthField(8))],
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
    oneSpan(lengthField(1, fill(16, 0xab)), lengthField(2, fill(8, 0xc1))),
  ],
  ["a short id, as its bytes", "traces", span('"traceId":"0102"'), oneSpan(lengthField(1, [1, 2]))],
  ["an id that is not hex, as its text", "traces", span('"traceId":"xyz"'), oneSpan(lengthField(1, "xyz"))],
  [
    "an id of base64, as its text",
    "traces",
    span('"traceId":"AAAAAAAAAAAAAAAAAAAAAA=="'),
    oneSpan(lengthField(1, "AAAAAAAAAAAAAAAAAAAAAA==")),
  ],
  ["an id with an odd digit, as its text", "traces", span('"spanId":"123"'), oneSpan(lengthField(2, "123"))],
  [
    "a bad id of 16 characters with a byte more",
    "traces",
    span('"traceId":"0123456789abcdeg"'),
    oneSpan(lengthField(1, "0123456789abcdeg", [0xff])),
  ],
  [
    "a bad id of 8 characters with a byte more",
    "traces",
    span('"spanId":"0123456x"'),
    oneSpan(lengthField(2, "0123456x", [0xff])),
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
    body(varintField(3, 1)),
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

/** A double is read to the last bit, whatever way it is written. */
const DOUBLES: readonly (readonly [string, number])[] = [
  ["0.1", 0.1],
  ["-0", -0],
  ["-0.0", -0],
  ["1e23", 1e23],
  ["1e22", 1e22],
  ["9007199254740993", 9007199254740992],
  ["0.30000000000000004", 0.30000000000000004],
  ["5e-324", 5e-324],
  ["1e-400", 0],
  ["-1e-400", -0],
  ["1.7976931348623157e308", 1.7976931348623157e308],
  ["123456789012345678901234567890", 123456789012345678901234567890],
  ["0.000000000000000000000000000001", 1e-30],
  ["1E+2", 100],
  ['"1.5"', 1.5],
  ['"-2e-3"', -0.002],
  ['"\\u0031"', 1],
  ['"NaN"', Number.NaN],
  ['"Infinity"', Number.POSITIVE_INFINITY],
  ['"-Infinity"', Number.NEGATIVE_INFINITY],
  [`0.${"3".repeat(1000)}`, 1 / 3],
];

test.each(DOUBLES)("decodeJsonRequest() reads the double %s", (text, expected) => {
  expect(decodeText("metrics", point(`"asDouble":${text}`))).toEqual(gauge(double(4, expected)));
});

const INTEGERS: readonly (readonly [string, bigint])[] = [
  ["7", 7n],
  ["7.0", 7n],
  ["7e0", 7n],
  ['"7"', 7n],
  ['"7e0"', 7n],
  ["-0", 0n],
  ["70e-1", 7n],
  ["0.7E+1", 7n],
  ["1.500e1", 15n],
  ["12e17", 1200000000000000000n],
  ["-9.223372036854775808e18", -9223372036854775808n],
  ["0e999999999999", 0n],
  ["0.000e-5", 0n],
  ["100000000000000000000000000000e-28", 10n],
  [`1${"0".repeat(1000)}e-1000`, 1n],
  ["999999999", 999999999n],
  ["1000000000", 1000000000n],
  ["4294967296", 4294967296n],
  ["-4294967296", -4294967296n],
  ["9007199254740993", 9007199254740993n],
];

test.each(INTEGERS)("decodeJsonRequest() reads the integer %s", (text, expected) => {
  expect(decodeText("metrics", point(`"asInt":${text}`))).toEqual(gauge(fixed64(6, expected)));
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

test("decodeJsonRequest() refuses two members of Metric.data", () => {
  const text = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{},{"gauge":{},"sum":{}}]}]}]}';

  expect(findFault("metrics", text).field).toBe("resourceMetrics[0].scopeMetrics[0].metrics[1].sum");
});

/** Body of a log record: message 5 is the AnyValue, each array two messages more. */
function nestArrays(count: number): string {
  return record(`"body":${'{"arrayValue":{"values":['.repeat(count)}{}${"]}}".repeat(count)}`);
}

test("decodeJsonRequest() accepts 100 levels of messages", () => {
  expect(decodeLogs(nestArrays(47)).length).toBeGreaterThan(200);
});

test("decodeJsonRequest() refuses 101 levels of messages and names the path", () => {
  const fault = findFault("logs", nestArrays(48));

  expect(fault.message).toContain("100");
  expect(fault.field).toMatch(/^resourceLogs\[0\]\.scopeLogs\[0\]\.logRecords\[0\]\.body\.arrayValue\.values\[0\]\./);
});

test("decodeJsonRequest() refuses 100,000 levels of messages without overflowing the stack", () => {
  expect(findFault("logs", nestArrays(100_000)).kind).toBe("invalid_request");
});

test("decodeJsonRequest() returns bytes of their own", () => {
  const decoded = decodeLogs(record('"severityText":"a"'));

  expect(decoded.buffer.byteLength).toBe(decoded.length);
});

test("decodeJsonRequest() refuses protobuf above 24 MiB as too large", () => {
  const zeros = `"0"${',"0"'.repeat(3_500_000)}`.replaceAll('"', "");
  const text = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":[${zeros}]}]}}]}]}]}`;

  expect(findFault("metrics", text).kind).toBe("too_large");
});

test("decodeJsonRequest() never echoes the payload in its message", () => {
  expect(findFault("logs", record('"severityNumber":"SECRET"')).message).not.toContain("SECRET");
});
