/** Media types of requests and answers (otlp-http 3.1). */
import { describe, expect, it } from "vitest";
import { call, JSON_TYPE, makeLogs, readStatus } from "../app-kit.ts";

function post(headers: Record<string, string>, body: BodyInit): Promise<Response> {
  return call("/v1/logs", { method: "POST", headers, body });
}

describe("otlp-http 3.1: Content-Type", () => {
  it.each([
    "application/json",
    "Application/JSON",
    " application/json ",
    "application/json;",
    "application/json;charset=utf-8",
    "application/json ; charset=latin1; messageType=x",
  ])("%j is OTLP JSON: text before the first semicolon, trimmed, in any case", async (type) => {
    const response = await post({ "content-type": type }, makeLogs("json"));

    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await response.text()).toBe("{}");
  });

  it.each([
    "application/x-protobuf",
    "APPLICATION/X-PROTOBUF",
    "application/x-protobuf; messageType=opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
  ])("%j is binary protobuf", async (type) => {
    const response = await post({ "content-type": type }, new Uint8Array([10, 0]));

    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-protobuf"]);
    expect((await response.bytes()).length).toBe(0);
  });

  it.each([
    "application/protobuf",
    "application/vnd.google.protobuf",
    "application/octet-stream",
    "application/jsonl",
    "application/json+x",
    "text/plain",
    "text/json",
    "json",
    "application/json, application/json",
    ";application/json",
    "",
  ])("%j is 415 with Accept-Post and a Status in JSON", async (type) => {
    const response = await post({ "content-type": type }, makeLogs("a"));

    expect(response.status).toBe(415);
    expect(response.headers.get("accept-post")).toBe("application/x-protobuf, application/json");
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await readStatus(response)).toMatchObject({ code: 3, violations: [] });
  });

  it("a missing media type is 415", async () => {
    const response = await post({}, new Uint8Array([10, 0]));

    expect([response.status, response.headers.get("accept-post")]).toEqual([
      415,
      "application/x-protobuf, application/json",
    ]);
  });

  it.each(["application/x-protobuf", "text/html", "*/*;q=0"])("Accept: %s is ignored", async (accept) => {
    const response = await post({ ...JSON_TYPE, accept }, makeLogs("a"));

    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  });
});
