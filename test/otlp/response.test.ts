/** Pinned bytes; protobufjs reads them in `test/node/otlp/response.test.ts`. */
import { expect, test } from "vitest";
import { MAX_ERROR_MESSAGE_BYTES } from "../../src/limits.ts";
import { CONTENT_TYPE, encodeExportResponse, encodeStatus } from "../../src/otlp/response.ts";
import { lengthField, varintField } from "./wire-builder.ts";

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test("CONTENT_TYPE names the types as clients compare them", () => {
  expect(CONTENT_TYPE).toEqual({ protobuf: "application/x-protobuf", json: "application/json" });
});

test("encodeExportResponse() writes full success without partial_success", () => {
  const success = { rejectedCount: 0, message: "" };

  expect(encodeExportResponse("traces", "protobuf", success)).toHaveLength(0);
  expect(toText(encodeExportResponse("traces", "json", success))).toBe("{}");
});

test.each([
  ["traces", "rejectedSpans"],
  ["metrics", "rejectedDataPoints"],
  ["logs", "rejectedLogRecords"],
  ["profiles", "rejectedProfiles"],
] as const)("encodeExportResponse() counts what was rejected of %s", (signal, key) => {
  const outcome = { rejectedCount: 300, message: "why" };

  const expected = lengthField(1, varintField(1, 300), lengthField(2, "why"));
  expect([...encodeExportResponse(signal, "protobuf", outcome)]).toEqual(expected);
  expect(toText(encodeExportResponse(signal, "json", outcome))).toBe(
    `{"partialSuccess":{"${key}":"300","errorMessage":"why"}}`,
  );
});

test("encodeExportResponse() writes a warning without counter", () => {
  const warning = { rejectedCount: 0, message: "look" };

  expect([...encodeExportResponse("logs", "protobuf", warning)]).toEqual(lengthField(1, lengthField(2, "look")));
  expect(toText(encodeExportResponse("logs", "json", warning))).toBe('{"partialSuccess":{"errorMessage":"look"}}');
});

test("encodeStatus() writes a status without details if there are no violations", () => {
  const status = { code: 14, message: "later", violations: [] };

  expect([...encodeStatus("protobuf", status)]).toEqual([...varintField(1, 14), ...lengthField(2, "later")]);
  expect(toText(encodeStatus("json", status))).toBe('{"code":14,"message":"later"}');
});

test("encodeStatus() writes violations as one BadRequest", () => {
  const status = { code: 3, message: "bad", violations: [{ field: "a", description: "b" }] };
  const type = "type.googleapis.com/google.rpc.BadRequest";

  const badRequest = lengthField(1, lengthField(1, "a"), lengthField(2, "b"));
  const any = lengthField(3, lengthField(1, type), lengthField(2, badRequest));
  expect([...encodeStatus("protobuf", status)]).toEqual([...varintField(1, 3), ...lengthField(2, "bad"), ...any]);
  expect(toText(encodeStatus("json", status))).toBe(
    `{"code":3,"message":"bad","details":[{"@type":"${type}","fieldViolations":[{"field":"a","description":"b"}]}]}`,
  );
});

test.each([
  ["ascii", "x", MAX_ERROR_MESSAGE_BYTES],
  ["three bytes a character", "€", Math.floor(MAX_ERROR_MESSAGE_BYTES / 3)],
  ["a surrogate pair a character", "😀", MAX_ERROR_MESSAGE_BYTES / 4],
])("encodeStatus() cuts texts to 1 KiB of UTF-8 at a character: %s", (_name, character, count) => {
  const long = character.repeat(MAX_ERROR_MESSAGE_BYTES + 1);
  const kept = character.repeat(count);

  const status = { code: 3, message: long, violations: [{ field: long, description: long }] };

  expect(JSON.parse(toText(encodeStatus("json", status)))).toMatchObject({
    message: kept,
    details: [{ fieldViolations: [{ field: kept, description: kept }] }],
  });
});

function toCutMessage(message: string): unknown {
  const body = encodeExportResponse("traces", "json", { rejectedCount: 1, message });
  return JSON.parse(toText(body)).partialSuccess.errorMessage;
}

test("encodeExportResponse() cuts the message of a partial success to 1 KiB, and leaves one of 1 KiB whole", () => {
  const whole = "x".repeat(MAX_ERROR_MESSAGE_BYTES);

  expect([toCutMessage(whole), toCutMessage(`${whole}y`), toCutMessage(`${whole.slice(1)}é`)]).toEqual([
    whole,
    whole,
    whole.slice(1),
  ]);
});

test("encodeStatus() replaces lone surrogates alike in both encodings", () => {
  const status = { code: 3, message: "a\ud83d", violations: [] };

  expect(toText(encodeStatus("json", status))).toContain('"a\ufffd"');
  expect(toText(encodeStatus("protobuf", status))).toContain("a\ufffd");
});
