/**
 * Takes out of a sound request what otlp-http 7 does not let pass: spans with bad ids, links with bad ids, bad ids of
 * log records and of exemplars. All other bytes are copied unchanged, but for the lengths around a change.
 *
 * First a plan of edits in the order of the bytes, then one copy. Runs only after the wire walk met a suspect id.
 */
import type { ItemSignal } from "../signal.ts";
import { findLinkFault, findRecordFaults, findSpanFault, type IdFault } from "./item-ids.ts";
import { REQUEST_MESSAGE } from "./schema.ts";
import { MESSAGES } from "./schema.generated.ts";
import { toField, toTag } from "./wire/table.ts";
import { varintBytes, WireReader, writeVarint } from "./wire/format.ts";

/** What was taken out of a request. */
export interface Cut {
  /** The input itself when nothing was taken out. */
  readonly body: Uint8Array;
  readonly spans: CutCount;
  readonly links: CutCount;
  readonly logRecords: CutCount;
  readonly exemplars: CutCount;
}

/** How many of a kind, and the first of them. */
export interface CutCount {
  readonly count: number;
  readonly first?: CutFault;
}

/** A fault and the first byte of the message that it was found in. */
export interface CutFault extends IdFault {
  readonly position: number;
}

/** Bytes of the input that are left out, and what stands in their place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  bytes: Uint8Array;
}

interface Plan {
  readonly body: Uint8Array;
  readonly edits: Edit[];
  readonly counts: Record<"spans" | "links" | "logRecords" | "exemplars", CutCount>;
}

/** A message inside the body: `start` is its tag, or 0 for the request. */
interface Range {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const NOTHING: Uint8Array = new Uint8Array(0);
const NONE: CutCount = { count: 0 };
/** `dropped_links_count` is a uint32: more are not counted. */
const MAX_DROPPED_LINKS = 0xffff_ffff;

/** Messages that lead to items or exemplars. They don't nest in themselves, which bounds the recursion here. */
const CONTAINERS: ReadonlySet<string> = new Set([
  "ResourceSpans",
  "ScopeSpans",
  "ResourceLogs",
  "ScopeLogs",
  "ResourceMetrics",
  "ScopeMetrics",
  "Metric",
  "Gauge",
  "Sum",
  "Histogram",
  "ExponentialHistogram",
  "NumberDataPoint",
  "HistogramDataPoint",
  "ExponentialHistogramDataPoint",
]);

/** Cuts a request that the wire walk found sound. */
export function cutRequest(signal: ItemSignal, body: Uint8Array): Cut {
  const counts = { spans: NONE, links: NONE, logRecords: NONE, exemplars: NONE };
  const plan: Plan = { body, edits: [], counts };
  planContainer(plan, { name: REQUEST_MESSAGE[signal], start: 0, valueStart: 0, end: body.length });
  return { body: plan.edits.length === 0 ? body : applyEdits(body, plan.edits), ...plan.counts };
}

/** Plans what is inside a message and says by how many bytes it grows, which is mostly below 0. */
function planContainer(plan: Plan, container: Range): number {
  const reader = new WireReader(plan.body, container.valueStart, container.end);
  const fields = MESSAGES[container.name] ?? [];
  let growth = 0;
  while (!reader.isAtEnd()) {
    const start = reader.position;
    const tag = reader.readTag();
    const name = fields.find((field) => toTag(field) === tag)?.message;
    if (name === undefined) {
      reader.skipValue(tag);
      continue;
    }
    const lengthStart = reader.position;
    const end = reader.readValueEnd();
    growth += planMessage(plan, { name, start, valueStart: reader.position, end }, lengthStart);
    reader.position = end;
  }
  return growth;
}

/** Plans one message and the length in front of it. */
function planMessage(plan: Plan, message: Range, lengthStart: number): number {
  const mark = plan.edits.length;
  const length: Edit = { start: lengthStart, end: message.valueStart, bytes: NOTHING };
  plan.edits.push(length);
  const growth = planValue(plan, message);
  if (plan.edits.length === mark + 1) {
    plan.edits.pop();
    return 0;
  }
  if (growth === "removed") {
    plan.edits.splice(mark, Number.POSITIVE_INFINITY, { start: message.start, end: message.end, bytes: NOTHING });
    return message.start - message.end;
  }
  length.bytes = toVarint(message.end - message.valueStart + growth);
  return growth + length.bytes.length - (length.end - length.start);
}

function planValue(plan: Plan, message: Range): number | "removed" {
  if (message.name === "Span") return planSpan(plan, message);
  if (message.name === "LogRecord" || message.name === "Exemplar") return planRecord(plan, message);
  return CONTAINERS.has(message.name) ? planContainer(plan, message) : 0;
}

function planSpan(plan: Plan, span: Range): number | "removed" {
  const fault = findSpanFault(new WireReader(plan.body, span.valueStart, span.end));
  if (fault !== undefined) {
    plan.counts.spans = addFault(plan.counts.spans, { ...fault, position: span.start });
    plan.edits.push({ start: span.start, end: span.end, bytes: NOTHING });
    return "removed";
  }
  const links = readLinks(plan, span);
  if (links.bad.length === 0) return 0;
  const dropped = new Set([...links.bad, ...links.counts]);
  const growth = planDrops(plan, span, (start) => dropped.has(start));
  const count = toVarint(Math.min(links.droppedCount + links.bad.length, MAX_DROPPED_LINKS));
  const bytes = Uint8Array.of(toTag(toField("Span", "dropped_links_count")), ...count);
  plan.edits.push({ start: span.end, end: span.end, bytes });
  return growth + bytes.length;
}

/** Finds where the bad links and the fields `dropped_links_count` start, and what the last of these says. */
function readLinks(
  plan: Plan,
  span: Range,
): { bad: readonly number[]; counts: readonly number[]; droppedCount: number } {
  const linkTag = toTag(toField("Span", "links"));
  const countTag = toTag(toField("Span", "dropped_links_count"));
  const bad: number[] = [];
  const counts: number[] = [];
  let droppedCount = 0;
  const reader = new WireReader(plan.body, span.valueStart, span.end);
  while (!reader.isAtEnd()) {
    const position = reader.position;
    const tag = reader.readTag();
    if (tag === countTag) {
      counts.push(position);
      droppedCount = reader.readUint32();
    } else if (tag === linkTag) {
      const end = reader.readValueEnd();
      const fault = findLinkFault(new WireReader(plan.body, reader.position, end));
      reader.position = end;
      if (fault === undefined) continue;
      bad.push(position);
      plan.counts.links = addFault(plan.counts.links, { ...fault, position });
    } else reader.skipValue(tag);
  }
  return { bad, counts, droppedCount };
}

/** Takes the bad ids out of a log record or an exemplar; with the trace id the span id loses its meaning. */
function planRecord(plan: Plan, record: Range): number {
  const faults = findRecordFaults(new WireReader(plan.body, record.valueStart, record.end), record.name);
  const [first] = faults;
  if (first === undefined) return 0;
  const kind = record.name === "LogRecord" ? "logRecords" : "exemplars";
  plan.counts[kind] = addFault(plan.counts[kind], { ...first, position: record.start });
  const names = first.jsonName === "traceId" ? ["trace_id", "span_id"] : ["span_id"];
  const tags = new Set(names.map((name) => toTag(toField(record.name, name))));
  return planDrops(plan, record, (_start, tag) => tags.has(tag));
}

/** Plans to leave out the fields of a message that a test picks. */
function planDrops(plan: Plan, message: Range, isDropped: (start: number, tag: number) => boolean): number {
  const reader = new WireReader(plan.body, message.valueStart, message.end);
  let growth = 0;
  while (!reader.isAtEnd()) {
    const start = reader.position;
    const tag = reader.readTag();
    reader.skipValue(tag);
    if (!isDropped(start, tag)) continue;
    plan.edits.push({ start, end: reader.position, bytes: NOTHING });
    growth += start - reader.position;
  }
  return growth;
}

function applyEdits(body: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const growth = edits.reduce((sum, edit) => sum + edit.bytes.length - (edit.end - edit.start), 0);
  const output = new Uint8Array(body.length + growth);
  let from = 0;
  let to = 0;
  for (const edit of edits) {
    output.set(body.subarray(from, edit.start), to);
    to += edit.start - from;
    output.set(edit.bytes, to);
    to += edit.bytes.length;
    from = edit.end;
  }
  output.set(body.subarray(from), to);
  return output;
}

function addFault(count: CutCount, fault: CutFault): CutCount {
  return { count: count.count + 1, first: count.first ?? fault };
}

function toVarint(value: number): Uint8Array {
  const output = new Uint8Array(varintBytes(value));
  writeVarint(output, 0, value);
  return output;
}
