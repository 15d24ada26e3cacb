/** Requirements of otlp-http that concern the whole way of a request, and what it leaves to the server. */
import { describe, expect, it } from "vitest";
import { inflateBody } from "../../src/compression/request-body.ts";
import { encodeJsonRequest } from "../../src/otlp/json/encode.ts";
import { call, digest, JSON_TYPE, PROTOBUF, readStatus } from "../app-kit.ts";
import { lengthField, logs, varint } from "../otlp/wire-builder.ts";
import { openDeps, post, send } from "./ingest-kit.ts";

const TRACE_ID = "01".repeat(16);
const SPAN_ID = "02".repeat(8);
const DEPTH = 10_000;

function readMember(member: Uint8Array | undefined, signal: "traces" | "logs"): unknown {
  const { body } = inflateBody("gzip", member ?? new Uint8Array(), 1e6);
  return JSON.parse(new TextDecoder().decode(encodeJsonRequest(signal, body)));
}

describe("otlp-http 4.3 and 7: a request that is sent again", () => {
  it("with bad spans is stored without them, and is the same request as before its 503", async () => {
    const spans = ["a", "b", "c", "d", "e"].map((name) => ({ traceId: TRACE_ID, spanId: SPAN_ID, name }));
    const bad = [
      { ...spans[1], traceId: "00" },
      { ...spans[4], spanId: "0".repeat(16) },
    ];
    const sent = [spans[0], bad[0], spans[2], spans[3], bad[1]];
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: sent }] }] });
    const { deps, appended } = openDeps((count) =>
      count === 1 ? { kind: "unavailable", reason: "backlog", retryAfterSeconds: 5 } : { kind: "stored" },
    );

    await expect(send(post(body, JSON_TYPE), deps, "traces")).rejects.toMatchObject({ kind: "unavailable" });
    const response = await send(post(body, JSON_TYPE), deps, "traces");

    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: "2" } });
    expect(readMember(appended[1]?.member, "traces")).toMatchObject({
      resourceSpans: [{ scopeSpans: [{ spans: [spans[0], spans[2], spans[3]] }] }],
    });
    expect(new Set(appended.map(({ head }) => head.hash.toHex())).size).toBe(1);
  });
});

describe("otlp-http 4.3: a fault beside an unknown media type", () => {
  const coded = { "content-type": "text/plain", "content-encoding": "gzip" };
  it.each([
    ["no token", {}, 401, 16],
    ["a body that is no gzip", { authorization: "Bearer writer" }, 415, 3],
  ] as const)("%s is a 4xx with a Status in JSON", async (_name, headers, status, code) => {
    const vars = { ALLOW_ANONYMOUS: "false", INGEST_TOKEN_SHA256: await digest("writer") };
    const init = { method: "POST", headers: { ...coded, ...headers }, body: "no gzip" };
    const response = await call("/v1/logs", init, vars);

    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect((await readStatus(response)).code).toBe(code);
  });
});

describe("otlp-http 5.3: what is accepted as it is", () => {
  const record =
    '{"attributes":[{"key":"","value":{"stringValue":"x"}},{"key":"no value"},{"key":"empty","value":{}},' +
    '{"key":"twice","value":{"intValue":"1"}},{"key":"twice","value":{"boolValue":false}}]}';

  it("empty keys, missing and empty values and duplicate attribute keys are kept", async () => {
    const document = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`;
    const { deps, appended } = openDeps();
    const response = await send(post(document, JSON_TYPE), deps);

    expect(await response.text()).toBe("{}");
    // An empty text is the default of proto3, which is written as nothing.
    expect(readMember(appended[0]?.member, "logs")).toMatchObject(JSON.parse(document.replace('"key":"",', "")));
    expect(JSON.stringify(readMember(appended[0]?.member, "logs")).split('"key":')).toHaveLength(5);
  });

  it.each(['"+7"', '"007"', '"-007"', '"+0"'])("the quoted integer %s is read or refused", async (value) => {
    const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"intValue":${value}}}]}]}]}`;
    const { status } = await call("/v1/logs", { method: "POST", headers: JSON_TYPE, body });

    expect([200, 400]).toContain(status);
  });
});

/** The protobuf of a log record whose body is arrays in arrays. */
function nestWire(depth: number): Uint8Array {
  const sizes = [0];
  for (let level = 1; level < 2 * depth; level += 1) {
    const inner = sizes[level - 1] ?? 0;
    sizes.push(inner + 1 + varint(inner).length);
  }
  const value = sizes.toReversed().flatMap((size, level) => [level % 2 === 0 ? 0x2a : 0x0a, ...varint(size)]);
  return logs(lengthField(5, value));
}

describe("otlp-http 5.4: depth", () => {
  const [open, close] = ['{"arrayValue":{"values":['.repeat(DEPTH), "]}}".repeat(DEPTH)];
  it.each([
    [JSON_TYPE, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${open}{}${close}}]}]}]}`],
    [PROTOBUF, nestWire(DEPTH)],
  ])("10,000 levels are 400 with a BadRequest in the encoding of the request: %j", async (headers, body) => {
    const response = await call("/v1/logs", { method: "POST", headers, body });

    expect([response.status, response.headers.get("content-type")]).toEqual([400, headers["content-type"]]);
    expect(await readStatus(response)).toMatchObject({ code: 3, violations: [{ field: expect.any(String) }] });
  });
});
