/** Answers as a client's protobuf runtime reads them. */
import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { loadProtos } from "../../../scripts/generate-otlp-schema.ts";
import { encodeExportResponse, encodeStatus } from "../../../src/otlp/response.ts";

/** The six fields of googleapis `google/rpc/{status,error_details}.proto` and `google/protobuf/any.proto`. */
const RPC = protobuf.parse(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message FieldViolation { string field = 1; string description = 2; }
  message BadRequest { repeated FieldViolation field_violations = 1; }
`).root;

test.each([
  ["traces", "ExportTraceServiceResponse", "rejectedSpans"],
  ["metrics", "ExportMetricsServiceResponse", "rejectedDataPoints"],
  ["logs", "ExportLogsServiceResponse", "rejectedLogRecords"],
  ["profiles", "ExportProfilesServiceResponse", "rejectedProfiles"],
] as const)("encodeExportResponse() writes what protobufjs reads for %s", (signal, name, key) => {
  const type = loadProtos().lookupType(name);
  const outcome = { rejectedCount: 2 ** 40 + 1, message: "2 of 5 spans rejected: ünïcode" };

  const response = type.toObject(type.decode(encodeExportResponse(signal, "protobuf", outcome)), { longs: String });
  const json = JSON.parse(new TextDecoder().decode(encodeExportResponse(signal, "json", outcome)));

  expect(Object.values(Object.values(response)[0] as object)).toEqual(["1099511627777", outcome.message]);
  expect(json).toEqual({ partialSuccess: { [key]: "1099511627777", errorMessage: outcome.message } });
});

test("encodeStatus() writes what protobufjs reads", () => {
  const violations = [
    { field: "resourceSpans[0]", description: "first" },
    { field: "body", description: "second" },
  ];
  const status = RPC.lookupType("Status");
  const badRequest = RPC.lookupType("BadRequest");

  const decoded = status.toObject(status.decode(encodeStatus("protobuf", { code: 3, message: "Cannot", violations })));
  const [detail] = decoded["details"] as [{ typeUrl: string; value: Uint8Array }];

  expect(decoded).toMatchObject({ code: 3, message: "Cannot" });
  expect(detail.typeUrl).toBe("type.googleapis.com/google.rpc.BadRequest");
  expect(badRequest.toObject(badRequest.decode(detail.value))).toEqual({ fieldViolations: violations });
});
