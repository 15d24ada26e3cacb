/**
 * Clients of all languages as they are (otlp-http 8), byte for byte over a socket, against a real Firn on plain workerd
 * that asks for tokens: what each of them sends comes back once and unchanged, and each gets the answer that it needs.
 */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFirn, type FirnServer } from "../../../bench/workerd-server.ts";
import { compareItems, formatComparison } from "../../../scripts/demo/compare.ts";
import { formatReplayUrl, parseReplay, toWindow } from "../../../scripts/firn-client.ts";
import { readExportResponse, readStatus } from "../../../scripts/fuzz/answers.ts";
import { openConnection, type Answer, type Connection, type HttpRequest } from "../../../scripts/fuzz/connection.ts";
import { listItems, SIGNALS, type Item, type JsonObject, type Signal } from "../../../scripts/otlp-items.ts";
import { encodeProtobuf } from "../../../scripts/otlp-protobuf.ts";
import { listSenders, makeTelemetry, readRecorded, toHttpRequest } from "./senders.ts";

const TIMEOUT_MILLIS = 10_000;
const TOKENS = { ingest: "ingest-7f3a", read: "read-9b1c", admin: "admin-4d2e" } as const;
const BEARER = ["Authorization", `Bearer ${TOKENS.ingest}`] as const;
const JSON_TYPE = ["Content-Type", "application/json"] as const;
const PROTOBUF_TYPE = ["Content-Type", "application/x-protobuf"] as const;

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function toPost(signal: Signal, body: Uint8Array | string, headers: HttpRequest["headers"]): HttpRequest {
  return { method: "POST", path: `/v1/${signal}`, headers, body: Buffer.from(body), framing: "length" };
}

function readText({ body }: Answer): string {
  return new TextDecoder().decode(body);
}

describe("senders", () => {
  const began = Date.now();
  const sent: Record<Signal, Item[]> = { traces: [], metrics: [], logs: [] };
  let firn: FirnServer;
  let connection: Connection;

  beforeAll(async () => {
    firn = await startFirn({
      ALLOW_ANONYMOUS: "false",
      INGEST_TOKEN_SHA256: digest(TOKENS.ingest),
      READ_TOKEN_SHA256: digest(TOKENS.read),
      ADMIN_TOKEN_SHA256: digest(TOKENS.admin),
    });
    connection = openConnection(firn.port, TIMEOUT_MILLIS);
  });

  afterAll(async () => {
    connection.close();
    await firn.stop();
  });

  async function replayAll(signal: Signal): Promise<readonly Item[]> {
    const url = `http://127.0.0.1:${firn.port}`;
    const flush = { method: "POST", headers: { authorization: `Bearer ${TOKENS.admin}` } };
    const flushed = await fetch(`${url}/admin/flush`, flush);
    expect(await flushed.json()).toMatchObject({ complete: true, remaining_batches: 0 });
    const read = { headers: { authorization: `Bearer ${TOKENS.read}` } };
    const response = await fetch(formatReplayUrl(url, signal, toWindow(began, Date.now())), read);
    return parseReplay(signal, await response.text()).items;
  }

  /** Sends telemetry that must be taken whole, over a connection that all tests share. */
  async function sendWhole(request: HttpRequest, signal: Signal, telemetry: JsonObject): Promise<Answer> {
    const answer = await connection.send(request);
    expect([answer.status, readText(answer)]).toEqual([200, answer.body.length === 0 ? "" : "{}"]);
    sent[signal].push(...listItems(signal, telemetry));
    return answer;
  }

  describe.each(listSenders(TOKENS.ingest))("$name", (sender) => {
    test.each(SIGNALS)("is answered as it wants to be for %s", async (signal) => {
      const telemetry = makeTelemetry(`${sender.name} ${signal}`)[signal];
      const { headers, body } = await sendWhole(toHttpRequest(sender, signal, telemetry), signal, telemetry);

      const isJson = sender.form.startsWith("json");
      // The Go SDK and the Collector compare the type with ==, and take any other body for an error.
      expect(headers.get("content-type")).toBe(isJson ? "application/json" : "application/x-protobuf");
      expect(Buffer.from(body).toString()).toBe(isJson ? "{}" : "");
      expect(headers.get("content-encoding")).toBeUndefined();
    });
  });

  test.each(readRecorded())("a request that was recorded is taken as it came: $name", async (recorded) => {
    const { signal, wire, isJson, telemetry } = recorded;
    const head = `Authorization: ${BEARER[1]}\r\nConnection: close\r\n`;
    const start = wire.indexOf("\r\n") + 2;
    const sentBytes = Buffer.concat([wire.subarray(0, start), Buffer.from(head), wire.subarray(start)]);

    const answer = await exchange(firn.port, sentBytes, null);

    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(
      isJson ? /\r\nContent-Type: application\/json\r\n/i : /\r\nContent-Type: application\/x-protobuf\r\n/i,
    );
    expect(answer.slice(answer.indexOf("\r\n\r\n") + 4)).toBe(isJson ? "{}" : "");
    sent[signal].push(...listItems(signal, telemetry));
  });

  test("a client that asks before it sends its body is told to go on, and answered", async () => {
    const telemetry = makeTelemetry("expect 100-continue").logs;
    const body = Buffer.from(encodeProtobuf("logs", telemetry));
    const head = [
      "POST /v1/logs HTTP/1.1",
      "Host: firn.example",
      "Content-Type: application/x-protobuf",
      `Authorization: Bearer ${TOKENS.ingest}`,
      `Content-Length: ${body.length}`,
      "Expect: 100-continue",
      "Connection: close",
    ];

    const answer = await exchange(firn.port, Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body);

    expect(answer).toMatch(/^HTTP\/1\.1 100 [^\r]*\r\n\r\nHTTP\/1\.1 200 /);
    sent.logs.push(...listItems("logs", telemetry));
  });

  test("integers of JSON mean the same as numbers and as text, to the last digit", async () => {
    const texts = [
      formatHistogram("bare", "1544712660300000001", "3"),
      formatHistogram("quoted", '"1544712660300000001"', '"3"'),
    ];

    for (const text of texts) {
      const answer = await connection.send(toPost("metrics", text, [JSON_TYPE, BEARER]));
      expect([answer.status, readText(answer)]).toEqual([200, "{}"]);
    }
    const points = (await replayAll("metrics")).filter(({ key }) => key.startsWith("integers"));

    expect(points.map(({ key }) => key).toSorted()).toEqual(["integers bare", "integers quoted"]);
    for (const { content } of points)
      expect(content["point"]).toMatchObject({
        timeUnixNano: "1544712660300000001",
        count: "3",
        bucketCounts: ["3"],
        flags: 3,
        attributes: [
          { key: "item.id" },
          {
            key: "i",
            value: { intValue: "1544712660300000001" },
          },
        ],
      });
  });

  test("ids in base64 are refused one by one, with the hint that ids are hex", async () => {
    const telemetry = JSON.stringify(makeTelemetry("base64 ids").traces).replace(
      /"traceId":"[0-9a-f]{32}","spanId":"[0-9a-f]{16}","name"/,
      '"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"7uGbfsPBsXQ=","name"',
    );

    const answer = await connection.send(toPost("traces", telemetry, [JSON_TYPE, BEARER]));
    const partial = readExportResponse("traces", "json", answer.body);

    expect([answer.status, partial?.rejectedCount]).toEqual([200, 1]);
    expect(partial?.errorMessage).toMatch(/resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId.*hex.*base64/);
    expect(partial?.errorMessage).not.toContain("W47");
  });

  test.each([
    ["text/plain", null],
    ["application/json", null],
    ["application/json", "gzip"],
    ["application/octet-stream", "gzip"],
  ])("the probe of the platform's export is answered with success, as %s coded %s", async (type, coding) => {
    const body = coding === null ? Buffer.from("test") : gzipSync("test");
    const headers = [
      ["Content-Type", type] as const,
      ...(coding === null ? [] : [["Content-Encoding", coding] as const]),
    ];
    const probe = { ...toPost("logs", body, [...headers, BEARER]), framing: "chunked" as const };

    const answer = await connection.send(probe);
    const refused = await connection.send({ ...probe, headers });

    expect([answer.status, readText(answer), answer.headers.get("content-type")]).toEqual([
      200,
      "{}",
      "application/json",
    ]);
    expect(refused.status).toBe(401);
  });

  test("a page of another origin asks first, may send, and can read a refusal", async () => {
    const origin = ["Origin", "https://app.example"] as const;
    const preflight = await connection.send({
      method: "OPTIONS",
      path: "/v1/traces",
      headers: [
        origin,
        ["Access-Control-Request-Method", "POST"],
        ["Access-Control-Request-Headers", "authorization,content-type"],
      ],
      body: new Uint8Array(),
      framing: "length",
    });
    const telemetry = makeTelemetry("page").traces;
    const body = JSON.stringify(telemetry);
    const taken = await sendWhole(toPost("traces", body, [origin, JSON_TYPE, BEARER]), "traces", telemetry);
    const refused = await connection.send(toPost("traces", body, [origin, JSON_TYPE]));

    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/authorization,\s*content-type/);
    expect(refused.status).toBe(401);
    for (const { headers } of [preflight, taken, refused]) expect(headers.get("access-control-allow-origin")).toBe("*");
    for (const { headers } of [taken, refused])
      expect(headers.get("access-control-expose-headers")).toBe("Retry-After");
  });

  test("a refusal is a Status in the encoding of the request, and the connection goes on", async () => {
    const inProtobuf = await connection.send(toPost("traces", "", [PROTOBUF_TYPE]));
    const inJson = await connection.send(toPost("traces", "{}", [JSON_TYPE, ["Authorization", "Bearer wrong-token"]]));
    const broken = await connection.send(toPost("traces", "{", [PROTOBUF_TYPE, BEARER]));
    const empty = await connection.send(toPost("traces", "", [PROTOBUF_TYPE, BEARER]));

    expect([inProtobuf.status, readStatus("protobuf", inProtobuf.body).code]).toEqual([401, 16]);
    expect([inJson.status, readStatus("json", inJson.body).code]).toEqual([401, 16]);
    expect(readText(inJson)).not.toContain("wrong-token");
    expect(inJson.headers.get("www-authenticate")).toBe("Bearer");
    expect([broken.status, readStatus("protobuf", broken.body).violations.length]).toEqual([400, 1]);
    expect([empty.status, empty.body.length]).toEqual([200, 0]);
  });

  test.each(SIGNALS)("%s of every sender came back once and unchanged", async (signal) => {
    const items = (await replayAll(signal)).filter(({ key }) => !key.startsWith("integers"));

    expect(sent[signal].length).toBeGreaterThan(listSenders("").length);
    expect(formatComparison(compareItems(sent[signal], items))).toBe("nothing differs");
  });
});

/** A request as text, with integers written as they are given. */
function formatHistogram(name: string, time: string, count: string): string {
  return (
    `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","histogram":{"dataPoints":[{"timeUnixNano":${time},` +
    `"count":${count},"bucketCounts":[${count}],"flags":${count},"attributes":[` +
    `{"key":"item.id","value":{"stringValue":"integers ${name}"}},{"key":"i","value":{"intValue":${time}}}]}]}}]}]}]}`
  );
}

/** Sends some bytes, others once the server has said a word; gives the answer's text up to the end. */
async function exchange(port: number, first: Uint8Array, second: Uint8Array | null): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port });
    socket.setTimeout(TIMEOUT_MILLIS, () => socket.destroy(new Error(`Cannot go on: the server is silent, ${text}`)));
    socket.on("data", (piece) => {
      if (text === "" && second !== null) socket.write(second);
      text += piece.toString("latin1");
    });
    socket.once("error", reject);
    socket.once("end", () => resolve(text));
    socket.write(first);
  });
}
