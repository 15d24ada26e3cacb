/** Documents and keys: otlp-http 5.1 and 5.2. Rules of every field have `decode-everywhere.test.ts`. */
import { expect, test } from "vitest";
import { decodeText, findFault, metric, record } from "./document-sample.ts";
import { lengthField } from "../wire-builder.ts";

const NOTHING = new Uint8Array(0);

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

const ACCEPTED_DOCUMENTS: readonly (readonly [string, string | readonly number[], Uint8Array])[] = [
  ["no bytes", "", NOTHING],
  ["white space alone", " \t\r\n", NOTHING],
  ["a byte order mark alone", [0xef, 0xbb, 0xbf], NOTHING],
  ["an empty object", "{}", NOTHING],
  ["white space around everything", ' { "resourceLogs" : [ ] } \n', NOTHING],
  [
    "space, tab, CR and LF before and behind every sign",
    '\t\r\n { \t"resourceLogs"\r\n :\t [ \n{ "schemaUrl" \t: \r"a" \n} , {\t} \r]\n } \t\r\n',
    Uint8Array.from([...lengthField(1, lengthField(3, "a")), ...lengthField(1)]),
  ],
  [
    "a long indentation",
    `{\n${" ".repeat(1001)}"resourceLogs": [\n${"\t".repeat(999)}{}]}`,
    Uint8Array.from(lengthField(1)),
  ],
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
  [
    "an empty key before keys that count",
    '{"":{"":[]},"resourceLogs":[{"":1,"schemaUrl":"a"}]}',
    Uint8Array.from(lengthField(1, lengthField(3, "a"))),
  ],
  ["lone surrogates by escape in keys", '{"\\ud83d":1,"a\\ude00\\ud83d":{"\\udfff":2}}', NOTHING],
  ["an escaped zero character in keys", '{"\\u0000":1,"resourceLogs\\u0000":[1]}', NOTHING],
  ["characters of all lengths in ignored keys and values", '{"aé€😀":["aé€😀",{"😀":"é"}]}', NOTHING],
  ["escapes in keys", '{"resource\\u004cogs":[{}]}', Uint8Array.from(lengthField(1))],
  ["10,000 levels of an unknown value", `{"x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`, NOTHING],
  [
    "1,000,000 levels of an unknown value",
    `{"x":${'[{"":'.repeat(500_000)}1${"}]".repeat(500_000)},"resourceLogs":[{}]}`,
    Uint8Array.from(lengthField(1)),
  ],
];

test.each(ACCEPTED_DOCUMENTS)("decodeJsonRequest() accepts %s", (_, text, expected) => {
  expect(decodeText("logs", text)).toEqual(expected);
});

const REFUSED_DOCUMENTS: readonly (readonly [string, string | readonly number[], string?])[] = [
  ["an array", "[]"],
  ["null", "null"],
  ["a string", '"x"'],
  ["a number", "1"],
  ["true", "true"],
  ["another value behind", "{}{}"],
  ["text behind", "{}x"],
  ["a zero byte behind", [...ascii("{}"), 0]],
  ["a zero byte alone", [0]],
  ["two byte order marks", [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, ...ascii("{}")]],
  ["half of a byte order mark", [0xef, 0xbb, ...ascii("{}")]],
  ["a byte order mark behind white space", [0x20, 0xef, 0xbb, 0xbf, ...ascii("{}")]],
  ["a byte order mark behind the document", [...ascii("{}"), 0xef, 0xbb, 0xbf]],
  ["UTF-16, little-endian with a byte order mark", [0xff, 0xfe, 0x7b, 0, 0x7d, 0]],
  ["UTF-16, big-endian with a byte order mark", [0xfe, 0xff, 0, 0x7b, 0, 0x7d]],
  ["UTF-16 without a byte order mark", [0x7b, 0, 0x7d, 0]],
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
  ["a vertical tab as white space", '{"a":\v1}'],
  ["a no-break space as white space", '{"a":\u00a01}'],
  ["a line separator as white space", '{"a":1}\u2028'],
  ["a zero byte as white space", '{"a":\0 1}'],
  [
    "an overlong form in a value",
    [...ascii('{"resourceLogs":[{"schemaUrl":"'), 0xe0, 0x80, 0xaf, ...ascii('"}]}')],
    "resourceLogs[0].schemaUrl",
  ],
  [
    "a continuation byte alone in a value",
    [...ascii('{"resourceLogs":[{"schemaUrl":"'), 0xbf, ...ascii('"}]}')],
    "resourceLogs[0].schemaUrl",
  ],
  [
    "an encoded surrogate in a value",
    [...ascii('{"resourceLogs":[{"schemaUrl":"'), 0xed, 0xb0, 0x80, ...ascii('"}]}')],
    "resourceLogs[0].schemaUrl",
  ],
  ["an overlong form in an ignored key", [...ascii('{"a":[{"'), 0xf0, 0x80, 0x80, 0xaf, ...ascii('":1}]}')]],
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

test.each(REFUSED_DOCUMENTS.map(([name, text, field = "body"]) => ({ name, text, field })))(
  "decodeJsonRequest() refuses $name",
  ({ text, field }) => {
    const fault = findFault("logs", text);

    expect(fault.kind).toBe("invalid_request");
    expect(fault.field).toBe(field);
  },
);

test("decodeJsonRequest() refuses two members of Metric.data", () => {
  const text = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{},{"gauge":{},"sum":{}}]}]}]}';

  expect(findFault("metrics", text).field).toBe("resourceMetrics[0].scopeMetrics[0].metrics[1].sum");
});

test("decodeJsonRequest() returns bytes of their own", () => {
  const decoded = decodeText("logs", record('"severityText":"a"'));

  expect(decoded.buffer.byteLength).toBe(decoded.length);
});

test("decodeJsonRequest() refuses protobuf above 24 MiB as too large", () => {
  const zeros = `"0"${',"0"'.repeat(3_500_000)}`.replaceAll('"', "");
  const text = metric(`"histogram":{"dataPoints":[{"bucketCounts":[${zeros}]}]}`);

  expect(findFault("metrics", text).kind).toBe("too_large");
});

test("decodeJsonRequest() never echoes the payload in its message", () => {
  expect(findFault("logs", record('"severityNumber":"SECRET"')).message).not.toContain("SECRET");
});
