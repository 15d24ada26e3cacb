/**
 * Requests to send, prepared before anything is measured: recorded traces (the Online Boutique demo of the corpus) cut
 * or merged to a size, gzip level 6 as SDKs send it, and no two bodies equal, because Firn stores equal bodies once.
 *
 * The first pass over the corpus keeps the recorded ids. Each later pass XORs every trace id and span id with a mask of
 * its own: references stay whole, and the bytes compress as well as before.
 */
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import type protobuf from "protobufjs";
import { readBodies } from "../scripts/corpus.ts";
import { loadProtos } from "../scripts/generate-otlp-schema.ts";

const DATA_SET = "traces/hipstershop";
const GZIP_LEVEL = 6;
const REQUEST_TYPE = "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest";

/** One request, ready to be written to a socket. */
export interface PreparedRequest {
  /** HTTP head and gzip body. */
  readonly wire: Uint8Array;
  /** The gzip body alone: what becomes a member of the archive. */
  readonly body: Uint8Array;
  readonly rawBytes: number;
  readonly itemCount: number;
}

interface Span {
  trace_id: Uint8Array;
  span_id: Uint8Array;
  parent_span_id: Uint8Array;
  links: { trace_id: Uint8Array; span_id: Uint8Array }[];
}
interface ScopeSpans {
  readonly scope?: object;
  readonly schema_url: string;
  readonly spans: Span[];
}
interface ResourceSpans {
  readonly resource?: object;
  readonly schema_url: string;
  readonly scope_spans: ScopeSpans[];
}

interface Cut {
  readonly resources: readonly ResourceSpans[];
  readonly count: number;
}

/** Prepares unique requests of about `rawBytes` each. */
export function prepareRequests(count: number, rawBytes: number): readonly PreparedRequest[] {
  const type = loadProtos().lookupType(REQUEST_TYPE);
  const recorded = readBodies(DATA_SET).map(
    (body) => type.decode(body) as unknown as { resource_spans: ResourceSpans[] },
  );
  const resources = recorded.flatMap((request) => request.resource_spans);
  const spanCount = spansPerRequest(type, resources, rawBytes);
  const prepared: PreparedRequest[] = [];
  for (let pass = 0; prepared.length < count; pass++) {
    if (pass > 0) maskIds(resources, pass);
    for (const cut of cutAtSpans(resources, spanCount)) {
      if (prepared.length === count) break;
      prepared.push(prepareRequest(encodeCut(type, cut), cut.count));
    }
  }
  return prepared;
}

/**
 * Prepares valid requests that hardly compress.
 * @param noiseBytes random bytes in each
 */
export function prepareRandomRequests(count: number, noiseBytes: number): readonly PreparedRequest[] {
  const type = loadProtos().lookupType(REQUEST_TYPE);
  return Array.from({ length: count }, () => {
    const attributes = [{ key: "noise", value: { bytes_value: randomBytes(noiseBytes) } }];
    const span = { trace_id: randomBytes(16), span_id: randomBytes(8), name: "noise", attributes };
    const resource = { resource: { attributes: [] }, scope_spans: [{ spans: [span] }] };
    return prepareRequest(type.encode(type.fromObject({ resource_spans: [resource] })).finish(), 1);
  });
}

/** Wraps a raw OTLP protobuf body of traces into a request. */
export function prepareRequest(raw: Uint8Array, itemCount: number): PreparedRequest {
  const body = gzipSync(raw, { level: GZIP_LEVEL });
  const head =
    "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-protobuf\r\n" +
    `content-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`;
  const wire = Buffer.concat([Buffer.from(head, "latin1"), body]);
  return { wire, body: wire.subarray(head.length), rawBytes: raw.length, itemCount };
}

/** Small cuts repeat their resources more often, so the size of a span is estimated once more at the cut's own size. */
function spansPerRequest(type: protobuf.Type, resources: readonly ResourceSpans[], rawBytes: number): number {
  const estimate = (spanCount: number): number => {
    const sample = [...cutAtSpans(resources, spanCount)].filter((_, index) => index % 10 === 0);
    const sampleBytes = sample.reduce((sum, cut) => sum + encodeCut(type, cut).length, 0);
    const sampleSpans = sample.reduce((sum, cut) => sum + cut.count, 0);
    return Math.max(1, Math.round((rawBytes * sampleSpans) / sampleBytes));
  };
  return estimate(estimate(100));
}

/** The cut is made of decoded messages, which protobufjs encodes as they are. */
function encodeCut(type: protobuf.Type, cut: Cut): Uint8Array {
  return type.encode({ resource_spans: cut.resources }).finish();
}

/** Cuts after every `spanCount` spans, in recorded order; a cut repeats the resource and scope of what it continues. */
function* cutAtSpans(resources: readonly ResourceSpans[], spanCount: number): Generator<Cut> {
  let cut: ResourceSpans[] = [];
  let count = 0;
  for (const resource of resources) {
    for (const scope of resource.scope_spans) {
      for (let taken = 0; taken < scope.spans.length;) {
        const spans = scope.spans.slice(taken, taken + spanCount - count);
        taken += spans.length;
        count += spans.length;
        appendSpans(cut, resource, { ...pickScope(scope), spans });
        if (count < spanCount) continue;
        yield { resources: cut, count };
        cut = [];
        count = 0;
      }
    }
  }
}

/** Appends to the cut's last resource when it is the same one. */
function appendSpans(cut: ResourceSpans[], source: ResourceSpans, scope: ScopeSpans): void {
  const last = cut.at(-1);
  if (last !== undefined && last.resource === source.resource) {
    last.scope_spans.push(scope);
    return;
  }
  const resource = source.resource === undefined ? {} : { resource: source.resource };
  cut.push({ ...resource, schema_url: source.schema_url, scope_spans: [scope] });
}

function pickScope(scope: ScopeSpans): { scope?: object; schema_url: string } {
  return { ...(scope.scope === undefined ? {} : { scope: scope.scope }), schema_url: scope.schema_url };
}

function maskIds(resources: readonly ResourceSpans[], pass: number): void {
  const mask = createHash("sha256").update(`pass ${pass}`).digest();
  const xor = (id: Uint8Array, offset: number): Uint8Array =>
    id.map((byte, index) => byte ^ (mask[offset + index] ?? 0));
  for (const resource of resources) {
    for (const scope of resource.scope_spans) {
      for (const span of scope.spans) {
        span.trace_id = xor(span.trace_id, 0);
        span.span_id = xor(span.span_id, 16);
        span.parent_span_id = xor(span.parent_span_id, 16);
        for (const link of span.links) {
          link.trace_id = xor(link.trace_id, 0);
          link.span_id = xor(link.span_id, 16);
        }
      }
    }
  }
}
