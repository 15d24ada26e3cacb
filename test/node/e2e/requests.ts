/**
 * Requests for load tests: random telemetry from a seed, in every shape in which clients send it. The protobuf side
 * is protobufjs over the vendored `.proto` files, so nothing of the product makes the bytes it is tested with.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { RandomShare } from "../../../scripts/fuzz/random.ts";
import {
  CONTAINERS,
  listItems,
  type Item,
  type Json,
  type JsonObject,
  type Signal,
} from "../../../scripts/otlp-items.ts";
import { encodeProtobuf } from "../../../scripts/otlp-protobuf.ts";
import type { ReplayedItem } from "../../oracle/checker.ts";

/** A request as it goes over the wire, and what is in it. */
export interface WireRequest {
  readonly signal: Signal;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly items: readonly Item[];
}

const MAX_ITEMS = 20;

/** An item as the judge of a run compares it. */
export function toReplayed(signal: Signal, { key, content }: Item): ReplayedItem {
  const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  return { id: `${signal} ${key}`, digest, tenant: "", signal };
}

/** Builds a request of 1 to 20 items with ids that no other request of the run has. */
export function buildRequest(random: RandomShare, signal: Signal, serial: number): WireRequest {
  const request = buildJson(random, signal, serial);
  const isJson = random() < 0.5;
  const plain = isJson ? new TextEncoder().encode(JSON.stringify(request)) : encodeProtobuf(signal, request);
  const isGzip = random() < 0.5;
  return {
    signal,
    headers: {
      "content-type": isJson ? "application/json" : "application/x-protobuf",
      ...(isGzip ? { "content-encoding": "gzip" } : {}),
    },
    body: new Uint8Array(isGzip ? gzipSync(plain) : plain),
    items: listItems(signal, request),
  };
}

function buildJson(random: RandomShare, signal: Signal, serial: number): JsonObject {
  const { resources, scopes } = CONTAINERS[signal];
  const count = 1 + Math.floor(random() * MAX_ITEMS);
  const item = (i: number): JsonObject => BUILDERS[signal](random, `${signal}-${serial}-${i}`);
  const items = Array.from({ length: count }, (_, i) => item(i));
  const name = signal === "traces" ? "spans" : "logRecords";
  const scope = { scope: { name: "kill-loop", version: String(serial % 3) }, schemaUrl: "https://example.com/schema" };
  const filled =
    signal === "metrics"
      ? {
          ...scope,
          metrics: [
            { name: "kill.loop", unit: "1", sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: items } },
          ],
        }
      : { ...scope, [name]: items };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: `service-${serial % 5}` } }] };
  return { [resources]: [{ resource, [scopes]: [filled] }] };
}

const BUILDERS: Readonly<Record<Signal, (random: RandomShare, id: string) => JsonObject>> = {
  traces: (random, id) => ({
    traceId: randomHex(random, 16),
    spanId: randomHex(random, 8),
    name: `span ${id}`,
    kind: 1 + Math.floor(random() * 5),
    startTimeUnixNano: randomNanos(random),
    endTimeUnixNano: randomNanos(random),
    attributes: randomAttributes(random, id),
    events: [{ name: "event", timeUnixNano: randomNanos(random) }],
    status: { code: Math.floor(random() * 3) },
  }),
  metrics: (random, id) => ({
    startTimeUnixNano: randomNanos(random),
    timeUnixNano: randomNanos(random),
    asInt: String(Math.floor(random() * 1e9)),
    attributes: randomAttributes(random, id),
  }),
  logs: (random, id) => ({
    timeUnixNano: randomNanos(random),
    severityNumber: 1 + Math.floor(random() * 24),
    body: { stringValue: `log ${id} `.repeat(1 + Math.floor(random() * 20)) },
    attributes: randomAttributes(random, id),
  }),
};

function randomAttributes(random: RandomShare, id: string): readonly Json[] {
  return [
    { key: "item.id", value: { stringValue: id } },
    { key: "count", value: { intValue: String(Math.floor(random() * 2 ** 53)) } },
    { key: "ratio", value: { doubleValue: random() + 0.5 ** 20 } },
    { key: "ok", value: { boolValue: random() < 0.5 } },
    { key: "text", value: { stringValue: "snø ❄ ".repeat(Math.floor(random() * 10)) } },
  ];
}

function randomHex(random: RandomShare, length: number): string {
  return Array.from({ length }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, "0"),
  ).join("");
}

function randomNanos(random: RandomShare): string {
  return (1_700_000_000_000_000_000n + BigInt(Math.floor(random() * 2 ** 53))).toString();
}
