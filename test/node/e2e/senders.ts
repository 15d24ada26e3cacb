/**
 * How the exporters of other languages send, as far as a server can tell: headers, framing, coding, and the form of
 * the message (otlp-http 8). The telemetry in it has what the JS SDK cannot make: exemplars, summaries, entities.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gunzipSync, gzipSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { parseWire, writeTree, type WireNode } from "../../../scripts/fuzz/wire-tree.ts";
import { SIGNALS, type JsonObject, type Signal } from "../../../scripts/otlp-items.ts";
import { decodeProtobuf, encodeProtobuf, requestType } from "../../../scripts/otlp-protobuf.ts";
import type { HttpRequest } from "../../../scripts/fuzz/connection.ts";

/** A kind of client. */
export interface Sender {
  readonly name: string;
  readonly form: "protobuf" | "protobuf backwards" | "json" | "json of the Collector";
  readonly coding: "gzip" | "deflate" | "zstd" | null;
  readonly framing: "length" | "chunked";
  readonly headers: readonly Header[];
}

type Header = readonly [name: string, value: string];

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const TEMPLATE = readFileSync(join(FIXTURES, "telemetry.json"), "utf8");
const RECORDED = join(FIXTURES, "senders");
const PROTOBUF = ["Content-Type", "application/x-protobuf"] as const;
const JSON_TYPE = ["Content-Type", "application/json"] as const;
const PYTHON = [
  ["User-Agent", "OTel-OTLP-Exporter-Python/1.37.0"],
  ["Accept-Encoding", "gzip, deflate"],
  ["Accept", "*/*"],
  ["Connection", "keep-alive"],
  PROTOBUF,
] as const;
const GO_TRANSPORT = ["Accept-Encoding", "gzip"] as const;

/** The clients; each is given the credential that its users have. @param token - of the scope `ingest` */
export function listSenders(token: string): readonly Sender[] {
  const bearer = ["Authorization", `Bearer ${token}`] as const;
  const basic = ["Authorization", `Basic ${Buffer.from(`pk-lf-1234:${token}`).toString("base64")}`] as const;
  const langfuse = [["x-langfuse-sdk-name", "python"], ["x-langfuse-public-key", "pk-lf-1234"], basic] as const;
  return [
    ...listCollectors(bearer),
    ...listPythons(bearer),
    toSender(
      "Go SDK, gzip without a length",
      ["protobuf", "gzip", "chunked"],
      [["User-Agent", "OTel OTLP Exporter Go/1.38.0"], ["Content-Encoding", "gzip"], PROTOBUF, GO_TRANSPORT, bearer],
    ),
    toSender(
      "Java SDK over OkHttp, gzip without a length",
      ["protobuf", "gzip", "chunked"],
      [
        ["User-Agent", "OTel-OTLP-Exporter-Java/1.55.0"],
        ["Content-Encoding", "gzip"],
        ["Connection", "Keep-Alive"],
        PROTOBUF,
        GO_TRANSPORT,
        bearer,
      ],
    ),
    toSender(
      ".NET SDK",
      ["protobuf", null, "length"],
      [["User-Agent", "OTel-OTLP-Exporter-Dotnet/1.12.0"], PROTOBUF, bearer],
    ),
    toSender(
      "Logfire SDK, bare token",
      ["protobuf", "gzip", "length"],
      [["User-Agent", "logfire/4.3.5"], ...PYTHON.slice(1), ["Content-Encoding", "gzip"], ["Authorization", token]],
    ),
    toSender("Langfuse SDK for Python, Basic", ["protobuf", null, "length"], [...PYTHON, ...langfuse]),
    toSender(
      "Langfuse SDK for JS, Basic",
      ["json", null, "chunked"],
      [["User-Agent", "OTel-OTLP-Exporter-JavaScript/0.301.0"], JSON_TYPE, ...langfuse],
    ),
    toSender(
      "Cloudflare Workers export",
      ["json", "gzip", "chunked"],
      [JSON_TYPE, ["content-encoding", "gzip"], bearer],
    ),
    toSender(
      "media type with a charset, in odd case",
      ["json", null, "length"],
      [["content-TYPE", "Application/JSON ;Charset=UTF-8"], bearer],
    ),
    toSender(
      "x-gzip and identity in odd case",
      ["protobuf", "gzip", "chunked"],
      [["Content-Type", "application/X-PROTOBUF;"], ["Content-Encoding", "Identity, X-GZIP,"], bearer],
    ),
  ];
}

function listCollectors(bearer: Header): readonly Sender[] {
  const toHeaders = (type: Header, coding: string): readonly Header[] => [
    ["User-Agent", "otelcol-contrib/0.159.0 (linux/amd64)"],
    ["Content-Encoding", coding],
    type,
    GO_TRANSPORT,
    bearer,
  ];
  const name = "Collector otlphttp exporter";
  return [
    ...(["gzip", "zstd", "deflate", null] as const).map((coding) =>
      toSender(
        `${name}, ${coding ?? "none"}`,
        ["protobuf backwards", coding, "length"],
        toHeaders(PROTOBUF, coding ?? ""),
      ),
    ),
    toSender(`${name}, JSON`, ["json of the Collector", "gzip", "length"], toHeaders(JSON_TYPE, "gzip")),
  ];
}

function listPythons(bearer: Header): readonly Sender[] {
  return ([null, "gzip", "deflate"] as const).map((coding) =>
    toSender(
      `Python exporter, ${coding ?? "none"}`,
      ["protobuf", coding, "length"],
      [...PYTHON, ["Content-Encoding", coding ?? "identity"], bearer],
    ),
  );
}

function toSender(
  name: string,
  [form, coding, framing]: readonly [Sender["form"], Sender["coding"], Sender["framing"]],
  headers: readonly Header[],
): Sender {
  return { name, form, coding, framing, headers };
}

const CODE = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync } as const;

/** Makes the request in which a client sends some telemetry. */
export function toHttpRequest(sender: Sender, signal: Signal, telemetry: JsonObject): HttpRequest {
  const plain = encodeForm(sender.form, signal, telemetry);
  const body = sender.coding === null ? plain : CODE[sender.coding](plain);
  return { method: "POST", path: `/v1/${signal}`, headers: sender.headers, body, framing: sender.framing };
}

function encodeForm(form: Sender["form"], signal: Signal, telemetry: JsonObject): Uint8Array {
  const type = requestType(signal);
  switch (form) {
    case "protobuf":
      return encodeProtobuf(signal, telemetry);
    case "protobuf backwards":
      return writeTree(reverseFields(parseWire(type, encodeProtobuf(signal, addEmptyFields(telemetry)))));
    case "json":
      return Buffer.from(JSON.stringify(telemetry));
    case "json of the Collector":
      return Buffer.from(JSON.stringify(addEmptyFields(telemetry)));
    default:
      throw new Error(`Cannot encode a form "${String(form)}"`);
  }
}

/** The highest field number first, elements of a list in their order. */
function reverseFields(nodes: readonly WireNode[]): readonly WireNode[] {
  return nodes
    .map((node) => (node.children === null ? node : { ...node, children: reverseFields(node.children) }))
    .toSorted((a, b) => b.number - a.number);
}

/** The Collector writes these whether they were sent or not: ids of no bytes, messages without fields. */
function addEmptyFields(telemetry: JsonObject): JsonObject {
  const text = JSON.stringify(telemetry, (key, value: unknown) => {
    if (key === "spans") return (value as readonly object[]).map((span) => ({ parentSpanId: "", ...span }));
    if (key === "exponentialHistogram") return addNegative(value as JsonObject);
    return value;
  });
  return JSON.parse(text) as JsonObject;
}

function addNegative(histogram: JsonObject): JsonObject {
  const points = histogram["dataPoints"] as readonly JsonObject[];
  return { ...histogram, dataPoints: points.map((point) => ({ negative: {}, ...point })) };
}

/** A request that was recorded byte for byte, and what is in it. */
export interface Recorded {
  readonly name: string;
  readonly signal: Signal;
  /** Head and body as they came. */
  readonly wire: Buffer;
  readonly isJson: boolean;
  readonly telemetry: JsonObject;
}

/** Reads the requests that real exporters sent. */
export function readRecorded(): readonly Recorded[] {
  return readdirSync(RECORDED).map((file) => {
    const wire = readFileSync(join(RECORDED, file));
    const headEnd = wire.indexOf("\r\n\r\n");
    const head = wire.toString("latin1", 0, headEnd);
    const signal = SIGNALS.find((candidate) => head.startsWith(`POST /v1/${candidate} `));
    if (signal === undefined) throw new Error(`Cannot read ${file}: its path is of no signal`);
    const rest = wire.subarray(headEnd + 4);
    const body = /^transfer-encoding: chunked/im.test(head) ? joinChunks(rest) : rest;
    const coding = /^content-encoding: (\w+)/im.exec(head)?.[1];
    const plain = coding === undefined ? body : (DECODE[coding]?.(body) ?? body);
    const isJson = /^content-type: application\/json/im.test(head);
    const telemetry = isJson ? (JSON.parse(plain.toString()) as JsonObject) : decodeProtobuf(signal, plain);
    return { name: file.replace(".http", ""), signal, wire, isJson, telemetry };
  });
}

const DECODE: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: (body) => gunzipSync(body),
  deflate: (body) => inflateSync(body),
  zstd: (body) => zstdDecompressSync(body),
};

function joinChunks(chunks: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < chunks.length;) {
    const start = chunks.indexOf("\r\n", at) + 2;
    const length = Number.parseInt(chunks.toString("latin1", at, start), 16);
    parts.push(chunks.subarray(start, start + length));
    at = start + length + 2;
  }
  return Buffer.concat(parts);
}

/** Makes telemetry that no other name has: a request of each signal, of everything that SDKs of any language make. */
export function makeTelemetry(name: string): Readonly<Record<Signal, JsonObject>> {
  const text = TEMPLATE.replaceAll(/\$(\w+)/g, (_, what: string) => (what === "name" ? name : toId(name, what)));
  return JSON.parse(text) as Record<Signal, JsonObject>;
}

/** An id of 16 bytes for a trace, of 8 for a span, the same each time. */
function toId(name: string, what: string): string {
  const digits = /trace$/i.test(what) ? 32 : 16;
  return createHash("sha256").update(`${name} ${what}`).digest("hex").slice(0, digits);
}
