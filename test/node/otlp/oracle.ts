/** An independent reading of requests: protobufjs decodes, plain code over its objects counts and applies the rules. */
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import type { ItemSignal } from "../../../src/signal.ts";

/** A decoded message; the names are those of the `.proto` files. */
export type Decoded = { [field: string]: unknown };

/** Decodes a request into plain objects: bytes as base64, 64-bit numbers as text. */
export function decode(signal: ItemSignal, body: Uint8Array): Decoded {
  const type = requestType(signal);
  return type.toObject(type.decode(body), { longs: String, bytes: String });
}

/** A repeated field of messages, empty when absent. */
export function listOf(message: Decoded, field: string): Decoded[] {
  return (message[field] as Decoded[] | undefined) ?? [];
}

/** Lists the items of a decoded request: spans, log records or data points. */
export function listItems(signal: ItemSignal, request: Decoded): Decoded[] {
  const scopes = (word: string): Decoded[] =>
    listOf(request, `resource_${word}`).flatMap((resource) => listOf(resource, `scope_${word}`));
  if (signal === "traces") return scopes("spans").flatMap((scope) => listOf(scope, "spans"));
  if (signal === "logs") return scopes("logs").flatMap((scope) => listOf(scope, "log_records"));
  return scopes("metrics")
    .flatMap((scope) => listOf(scope, "metrics"))
    .flatMap((metric) =>
      DATA.flatMap((member) => listOf((metric[member] as Decoded | undefined) ?? {}, "data_points")),
    );
}

/** Members of the oneof `Metric.data`. */
export const DATA = ["gauge", "sum", "histogram", "exponential_histogram", "summary"] as const;

function idBytes(id: unknown): Buffer {
  return Buffer.from((id as string | undefined) ?? "", "base64");
}

function isGood(id: unknown, size: number): boolean {
  return idBytes(id).length === size && idBytes(id).some((byte) => byte !== 0);
}

/** Applies otlp-http 7 to a decoded request, in place, and says how many spans it took out. */
export function applyItemRules(signal: ItemSignal, request: Decoded): number {
  let rejectedCount = 0;
  if (signal === "traces") {
    for (const resource of listOf(request, "resource_spans")) {
      for (const scope of listOf(resource, "scope_spans")) {
        const kept = listOf(scope, "spans").filter(isGoodSpan);
        rejectedCount += listOf(scope, "spans").length - kept.length;
        if (scope["spans"] !== undefined) replaceList(scope, "spans", kept);
        for (const span of kept) dropLinks(span);
      }
    }
  }
  if (signal === "logs") for (const record of listItems(signal, request)) stripIds(record);
  if (signal === "metrics")
    for (const point of listItems(signal, request))
      for (const exemplar of listOf(point, "exemplars")) stripIds(exemplar);
  return rejectedCount;
}

function isGoodSpan(span: Decoded): boolean {
  const parent = idBytes(span["parent_span_id"]).length;
  return isGood(span["trace_id"], 16) && isGood(span["span_id"], 8) && (parent === 0 || parent === 8);
}

function dropLinks(span: Decoded): void {
  const links = listOf(span, "links");
  const kept = links.filter((link) => isGood(link["trace_id"], 16) && isGood(link["span_id"], 8));
  if (kept.length === links.length) return;
  replaceList(span, "links", kept);
  const dropped = ((span["dropped_links_count"] as number | undefined) ?? 0) + links.length - kept.length;
  span["dropped_links_count"] = Math.min(dropped, 0xffff_ffff);
}

function stripIds(record: Decoded): void {
  const isTraceBad = idBytes(record["trace_id"]).length > 0 && !isGood(record["trace_id"], 16);
  const isSpanBad = idBytes(record["span_id"]).length > 0 && !isGood(record["span_id"], 8);
  if (isTraceBad) delete record["trace_id"];
  if (isTraceBad || isSpanBad) delete record["span_id"];
}

function replaceList(message: Decoded, field: string, list: readonly Decoded[]): void {
  if (list.length > 0) message[field] = list;
  else delete message[field];
}
