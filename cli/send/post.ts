/** One OTLP/HTTP request and what its answer means: {@link postBatch}. Rules: otlp-http 4. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { WIRE_LENGTH, WIRE_VARINT, WireReader } from "../../src/otlp/wire/format.ts";
import type { Signal } from "../../src/signal.ts";
import { describeAnswer, describeCause, parseObject } from "../ask.ts";
import type { Batch } from "./batches.ts";

/** Where requests go. */
export interface SendTarget {
  /** Without `/v1/…`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isGzip: boolean;
}

/** What became of a request. */
export type PostOutcome =
  | { readonly kind: "taken"; readonly rejectedCount: number; readonly message: string }
  /** The same request may be taken later. */
  | { readonly kind: "later"; readonly why: string; readonly retryAfter: string | null }
  | { readonly kind: "refused"; readonly why: string };

const PATHS: Readonly<Record<Signal, string>> = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
  profiles: "/v1development/profiles",
};
/** Nothing else is sent again: the specification's list. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Longer than any server should need, shorter than anybody's patience. */
const TIMEOUT_MILLIS = 60_000;
/** Compression by the way: fast, for a body that is unpacked at once. */
const GZIP_LEVEL = 1;

/** Sends a request once. */
export async function postBatch({ signal, body }: Batch, { url, headers, isGzip }: SendTarget): Promise<PostOutcome> {
  const sent = isGzip ? await promisify(gzip)(body, { level: GZIP_LEVEL }) : Buffer.from(body);
  const coding: Readonly<Record<string, string>> = isGzip ? { "content-encoding": "gzip" } : {};
  try {
    const response = await fetch(`${url}${PATHS[signal]}`, {
      method: "POST",
      headers: { "user-agent": "firn-send", ...headers, "content-type": "application/x-protobuf", ...coding },
      body: sent,
      // A redirect would be followed by a GET, whose 200 means nothing.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MILLIS),
    });
    const answer = new Uint8Array(await response.arrayBuffer());
    if (response.ok) return readSuccess(answer);
    const why = `${url}${PATHS[signal]} answers ${response.status}, ${describeFailure(response, answer)}`;
    if (!RETRYABLE.has(response.status)) return { kind: "refused", why };
    return { kind: "later", why, retryAfter: response.headers.get("retry-after") };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { kind: "later", why: `cannot reach ${url}: ${describeCause(cause)}`, retryAfter: null };
  }
}

/** A Status in protobuf has its sentence in field 2. */
function describeFailure({ status, headers }: Response, answer: Uint8Array): string {
  if (status >= 300 && status < 400) return `it is at ${headers.get("location") ?? "another URL"}: give that in --to`;
  const text = Buffer.from(answer).toString("utf8");
  const isProtobuf = headers.get("content-type")?.startsWith("application/x-protobuf") === true;
  return isProtobuf ? (readText(answer, 2) ?? describeAnswer("")) : describeAnswer(text);
}

/** Looks for a partial success, in protobuf or in JSON; an answer that is neither says nothing against the request. */
function readSuccess(answer: Uint8Array): PostOutcome {
  const json = answer[0] === 0x7b ? parseObject(Buffer.from(answer).toString("utf8")) : null;
  const partial = json === null ? readPartial(answer) : readJsonPartial(json);
  return { kind: "taken", ...partial };
}

interface Partial {
  readonly rejectedCount: number;
  readonly message: string;
}

const FULL: Partial = { rejectedCount: 0, message: "" };

function readJsonPartial(answer: object): Partial {
  const partial: unknown = "partialSuccess" in answer ? answer.partialSuccess : null;
  if (typeof partial !== "object" || partial === null) return FULL;
  const members = Object.entries(partial);
  const rejected = members.find(([name]) => name.startsWith("rejected"))?.[1];
  const message = members.find(([name]) => name === "errorMessage")?.[1];
  return { rejectedCount: Number(rejected ?? 0), message: typeof message === "string" ? message : "" };
}

/** Field 1 of the answer is the partial success; field 1 of that the count, field 2 the message. */
function readPartial(answer: Uint8Array): Partial {
  try {
    const outer = new WireReader(answer);
    if (!outer.findField(toTag(1, WIRE_LENGTH))) return FULL;
    const partial = answer.subarray(outer.valueStart, outer.position);
    const count = new WireReader(partial);
    const rejected = count.findField(toTag(1, WIRE_VARINT))
      ? new WireReader(partial, count.valueStart).readUint64()
      : 0n;
    return { rejectedCount: Number(rejected), message: readText(partial, 2) ?? "" };
  } catch {
    return FULL; // not protobuf: a page of a proxy, say
  }
}

function readText(message: Uint8Array, field: number): string | null {
  try {
    const reader = new WireReader(message);
    if (!reader.findField(toTag(field, WIRE_LENGTH))) return null;
    return Buffer.from(message.subarray(reader.valueStart, reader.position)).toString("utf8");
  } catch {
    return null;
  }
}

function toTag(field: number, wireType: number): number {
  return field * 8 + wireType;
}
