/** Answers in the encoding of the request (otlp-http 4); the bytes of each message are pinned in `test/otlp/`. */
import { env } from "cloudflare:workers";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readBindings, type Bindings } from "../../src/config.ts";
import { call, digest, JSON_TYPE, makeLogs, PROTOBUF, readMessage, readStatus } from "../app-kit.ts";
import { fill, lengthField, span, traces } from "../otlp/wire-builder.ts";
import { failureOf, makeLogs as makeProtobufLogs, openDeps, post, send } from "./ingest-kit.ts";

const ENDPOINTS = ["/v1/traces", "/v1/metrics", "/v1/logs", "/v1development/profiles"];
const TYPES = [PROTOBUF, JSON_TYPE];

function postTo(path: string, headers: Record<string, string>, body: BodyInit): Promise<Response> {
  return call(path, { method: "POST", headers, body });
}

async function exactly(response: Response): Promise<[number, string | null, string | null, string]> {
  const { status, headers } = response;
  return [status, headers.get("content-type"), headers.get("content-encoding"), await response.text()];
}

describe("otlp-http 4.1: full success", () => {
  it("protobuf is answered 200 application/x-protobuf with zero bytes", async () => {
    const response = await postTo("/v1/logs", PROTOBUF, makeProtobufLogs("full"));

    expect(await exactly(response)).toEqual([200, "application/x-protobuf", null, ""]);
  });

  it("JSON is answered 200 application/json with {}, partialSuccess unset", async () => {
    const response = await postTo("/v1/logs", JSON_TYPE, makeLogs("full"));

    expect(await exactly(response)).toEqual([200, "application/json", null, "{}"]);
  });

  it("an answer is never compressed, whatever the client accepts", async () => {
    const headers = { ...JSON_TYPE, "accept-encoding": "gzip, deflate, zstd" };

    for (const body of ["{", "{}"]) {
      const [, type, coding] = await exactly(await postTo("/v1/logs", headers, body));
      expect([type, coding], body).toEqual(["application/json", null]);
    }
  });

  const empty = new Uint8Array();
  const empties: readonly [string, Record<string, string>, BodyInit][] = [
    ["zero protobuf bytes", PROTOBUF, empty],
    ["zero bytes of JSON", JSON_TYPE, empty],
    ["zero bytes with a coding", { ...PROTOBUF, "content-encoding": "gzip" }, empty],
    ["gzip of zero bytes", { ...PROTOBUF, "content-encoding": "gzip" }, gzipSync(empty)],
    ["{}", JSON_TYPE, "{}"],
    ["white space around {}", JSON_TYPE, " {\r\n}\t"],
  ];
  it.each(empties)("an empty request, %s, is a full success on every endpoint", async (_name, headers, body) => {
    for (const path of ENDPOINTS) {
      const [status, type, , text] = await exactly(await postTo(path, headers, body));
      expect([status, type], path).toEqual([200, headers["content-type"]]);
      expect(text, path).toBe(type === "application/json" ? "{}" : "");
    }
  });

  it.each([
    ["no resource", PROTOBUF, new Uint8Array([0x0a, 0])],
    ["an empty resource", PROTOBUF, Uint8Array.from(lengthField(1, lengthField(1)))],
    ["an empty scope", PROTOBUF, Uint8Array.from(lengthField(1, lengthField(2)))],
    ["an empty list", JSON_TYPE, '{"resourceSpans":[]}'],
    ["an empty container", JSON_TYPE, '{"resourceSpans":[{}]}'],
    ["null", JSON_TYPE, '{"resourceSpans":null}'],
    ["unknown keys only", JSON_TYPE, '{"check":"ok","resource_spans":[1]}'],
  ] as const)("an empty envelope, %s, is a full success and stores nothing", async (_name, headers, body) => {
    const { deps, appended } = openDeps();
    const response = await send(post(body, headers), deps, "traces");

    expect((await exactly(response)).slice(0, 2)).toEqual([200, headers["content-type"]]);
    expect(appended).toEqual([]);
  });
});

/** A span with good ids. */
function makeSpan(name: string): object {
  return { traceId: "01".repeat(16), spanId: "02".repeat(8), name };
}

function toRequest(...spans: object[]): string {
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

const REJECTS = [makeSpan("a"), { traceId: "xyz" }, makeSpan("c"), makeSpan("d"), { ...makeSpan("e"), spanId: "00" }];

describe("otlp-http 4.2: partial success", () => {
  it("counts rejected items exactly and says how many, why, and where the first is, in JSON", async () => {
    const { deps, appended } = openDeps();
    const response = await send(post(toRequest(...REJECTS), JSON_TYPE), deps, "traces");

    const [status, type, , text] = await exactly(response);
    expect([status, type]).toEqual([200, "application/json"]);
    expect(JSON.parse(text)).toEqual({
      partialSuccess: {
        rejectedSpans: "2",
        errorMessage: expect.stringMatching(/^2 of 5 spans rejected: .*spans\[1\]\.traceId/),
      },
    });
    expect(appended[0]?.head).toMatchObject({ itemCount: 3, rejectedCount: 2 });
  });

  it("counts rejected items exactly in protobuf", async () => {
    const bad = lengthField(2, lengthField(1, fill(16, 0)), lengthField(2, fill(8, 1)));
    const { deps } = openDeps();
    const response = await send(post(traces(span(), bad, bad)), deps, "traces");

    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-protobuf"]);
    const [partial] = readMessage(await response.bytes()).get(1) ?? [];
    const fields = partial instanceof Uint8Array ? readMessage(partial) : new Map();
    expect(fields.get(1)).toEqual([2]);
    expect(new TextDecoder().decode(fields.get(2)?.[0])).toMatch(/^2 of 3 spans rejected/);
  });

  it("all items rejected is still 200 with the full count, and stores nothing", async () => {
    const { deps, appended } = openDeps();
    const response = await send(post(toRequest({}, {}), JSON_TYPE), deps, "traces");

    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: "2" } });
    expect([response.status, appended]).toEqual([200, []]);
  });

  it("a warning has a message and no counter", async () => {
    const { deps, appended } = openDeps();
    const records = [{ traceId: "00", body: { stringValue: "kept" } }];
    const response = await send(
      post(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] }), JSON_TYPE),
      deps,
    );

    expect(await response.json()).toEqual({ partialSuccess: { errorMessage: expect.stringMatching(/./) } });
    expect(appended[0]?.head).toMatchObject({ itemCount: 1, rejectedCount: 0 });
  });

  it("a copy is answered with the count of its original", async () => {
    const { deps } = openDeps(() => ({ kind: "copy", itemCount: 3, rejectedCount: 2 }));
    const response = await send(post(toRequest(...REJECTS), JSON_TYPE), deps, "traces");

    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: "2" } });
  });
});

function fail(): never {
  throw new Error("reset");
}

function openBrokenShards(): Bindings {
  return { ...readBindings(env), shardBuffer: new Proxy(env.SHARD_BUFFER, { get: () => fail }) };
}

interface FailureRow {
  readonly name: string;
  readonly status: number;
  readonly code: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: (type: string | undefined) => BodyInit;
  readonly vars?: Record<string, string>;
  readonly bindings?: Bindings;
  readonly answer?: Record<string, string>;
}

const closed = { INGEST_TOKEN_SHA256: "ab".repeat(32) };
const failures: readonly FailureRow[] = [
  { name: "400 INVALID_ARGUMENT for a body that cannot be decoded", status: 400, code: 3, body: () => "{\u0001" },
  {
    name: "401 UNAUTHENTICATED without a token",
    status: 401,
    code: 16,
    vars: closed,
    answer: { "www-authenticate": "Bearer" },
  },
  {
    name: "401 UNAUTHENTICATED for an unknown token",
    status: 401,
    code: 16,
    headers: { authorization: "Bearer guess" },
    vars: closed,
    answer: { "www-authenticate": "Bearer" },
  },
  {
    name: "403 PERMISSION_DENIED for a token without the scope",
    status: 403,
    code: 7,
    headers: { authorization: "Bearer reader" },
    vars: { READ_TOKEN_SHA256: await digest("reader") },
  },
  { name: "404 NOT_FOUND for an unknown path", status: 404, code: 5, path: "/v1/spans" },
  {
    name: "405 UNIMPLEMENTED for another method",
    status: 405,
    code: 12,
    method: "PUT",
    answer: { allow: "POST, OPTIONS" },
  },
  { name: "413 RESOURCE_EXHAUSTED", status: 413, code: 8, headers: { "content-length": "999999999" } },
  {
    name: "415 INVALID_ARGUMENT for a coding",
    status: 415,
    code: 3,
    headers: { "content-encoding": "br" },
    answer: { "accept-encoding": "gzip, deflate, zstd, identity" },
  },
  {
    name: "503 UNAVAILABLE for a shard that fails",
    status: 503,
    code: 14,
    body: (type) => (type === "application/json" ? makeLogs("x") : makeProtobufLogs("x")),
    bindings: openBrokenShards(),
    answer: { "retry-after": "1" },
  },
  {
    name: "503 UNAVAILABLE for wrong settings",
    status: 503,
    code: 14,
    vars: { FLUSH_INTERVAL_SECONDS: "soon" },
    answer: { "retry-after": "1" },
  },
];

describe("otlp-http 4.3: failures", () => {
  it.each(failures)("$name, with a Status in the encoding of the request", async (row) => {
    for (const type of TYPES) {
      const { method = "POST", path = "/v1/logs" } = row;
      const body = row.body?.(type["content-type"]) ?? "{}";
      const init = { method, headers: { ...type, ...row.headers }, body };
      const response = await call(path, init, row.vars, row.bindings ?? readBindings(env));

      expect([response.status, response.headers.get("content-type")]).toEqual([row.status, type["content-type"]]);
      for (const [name, value] of Object.entries(row.answer ?? {})) expect(response.headers.get(name)).toBe(value);
      const { code, message, violations } = await readStatus(response);
      expect([code, violations.length]).toEqual([row.code, row.status === 400 ? 1 : 0]);
      expect(message).toMatch(/^Cannot .+[^.]$/);
      expect(response.headers.has("retry-after")).toBe(row.status === 503);
    }
  });

  it.each([
    ["no media type", undefined],
    ["an unknown media type", "application/protobuf"],
  ])("a request with %s is answered in JSON", async (_name, type) => {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    const response = await postTo("/v1/nowhere", headers, new Uint8Array([1]));

    expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/json"]);
  });

  it("the parameters of the media type don't change the encoding of a failure", async () => {
    const response = await postTo("/v1/nowhere", { "content-type": "Application/X-Protobuf; a=b" }, "x");

    expect((await readStatus(response)).code).toBe(5);
    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  });

  it.each([
    ["JSON", JSON_TYPE, '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"severityNumber":"SECRET"}]}]}]}', /SECRET/],
    ["protobuf", PROTOBUF, Uint8Array.from(lengthField(1, lengthField(2, lengthField(2, [0x0a, 1, 0x53])))), /S\b/],
  ] as const)("400 names the JSON path of the fault and echoes nothing, in %s", async (_name, headers, body, echo) => {
    const { message, violations } = await readStatus(await postTo("/v1/logs", headers, body));

    expect(violations).toEqual([
      { field: expect.stringMatching(/^resourceLogs\[0\]\.scopeLogs\[0\]/), description: message },
    ]);
    expect(message).not.toMatch(echo);
  });

  it("400 names the body where no field is at fault", async () => {
    const { violations } = await readStatus(await postTo("/v1/logs", JSON_TYPE, "{}x"));

    expect(violations[0]?.field).toBe("body");
  });

  it.each([
    [0, "1"],
    [0.2, "1"],
    [1, "1"],
    [59.5, "60"],
    [60, "60"],
    [3600, "60"],
    [-5, "1"],
  ])("Retry-After is a whole number of seconds from 1 to 60, also when a shard says %s", async (wanted, expected) => {
    const { deps } = openDeps(() => ({ kind: "unavailable", reason: "overload", retryAfterSeconds: wanted }));
    const failure = await failureOf(send(post(makeProtobufLogs("x")), deps));
    const { toErrorResponse } = await import("../../src/http-errors.ts");

    const response = toErrorResponse(failure, { encoding: "protobuf", requestId: "0" });

    expect([response.status, response.headers.get("retry-after")]).toEqual([503, expected]);
  });
});
