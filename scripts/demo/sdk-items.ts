/**
 * What the SDK was told, as items: made from the SDK's own records by the OTLP data model, not from the bytes that its
 * exporters send. This is the side of the comparison that Firn has not touched.
 */
import { ValueType, type HrTime } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { DataPointType, type MetricData, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { toItem, type Item, type Json, type JsonObject } from "../otlp-items.ts";

/** Bit of a span's flags: it is known whether the parent is remote. */
const HAS_IS_REMOTE = 0x100;

/** Converts spans. */
export function toSpanItems(spans: readonly ReadableSpan[]): readonly Item[] {
  return spans.map((span) => {
    const { traceId, spanId, traceFlags } = span.spanContext();
    return toItem("traces", {
      ...toContext(span.resource, span.instrumentationScope),
      span: {
        traceId,
        spanId,
        parentSpanId: span.parentSpanContext?.spanId ?? "",
        name: span.name,
        kind: span.kind + 1, // OTLP begins with "unspecified"
        startTimeUnixNano: toNanos(span.startTime),
        endTimeUnixNano: toNanos(span.endTime),
        attributes: toAttributes(span.attributes),
        events: span.events.map(({ name, time, attributes }) => ({
          name,
          timeUnixNano: toNanos(time),
          attributes: toAttributes(attributes ?? {}),
        })),
        links: span.links.map(({ context, attributes }) => ({
          traceId: context.traceId,
          spanId: context.spanId,
          flags: context.traceFlags | HAS_IS_REMOTE,
          attributes: toAttributes(attributes ?? {}),
        })),
        status: { code: span.status.code, message: span.status.message ?? "" },
        flags: traceFlags | HAS_IS_REMOTE,
      },
    });
  });
}

/** Converts log records. */
export function toLogItems(records: readonly ReadableLogRecord[]): readonly Item[] {
  return records.map((record) =>
    toItem("logs", {
      ...toContext(record.resource, record.instrumentationScope),
      logRecord: {
        timeUnixNano: toNanos(record.hrTime),
        observedTimeUnixNano: toNanos(record.hrTimeObserved),
        severityNumber: record.severityNumber ?? 0,
        severityText: record.severityText ?? "",
        body: toAnyValue(record.body),
        eventName: record.eventName ?? "",
        attributes: toAttributes(record.attributes),
        flags: record.spanContext?.traceFlags ?? 0,
        traceId: record.spanContext?.traceId ?? "",
        spanId: record.spanContext?.spanId ?? "",
      },
    }),
  );
}

/** Converts data points, one item each. */
export function toMetricItems({ resource, scopeMetrics }: ResourceMetrics): readonly Item[] {
  return scopeMetrics.flatMap(({ scope, metrics }) =>
    metrics.flatMap((data) => {
      const { kind, points, ...rest } = toPoints(data);
      const { name, description, unit } = data.descriptor;
      const temporality = kind === "gauge" ? {} : { aggregationTemporality: data.aggregationTemporality + 1 };
      const metric = { name, description, unit, kind, ...temporality, ...rest };
      return points.map((point) => toItem("metrics", { ...toContext(resource, scope), metric, point }));
    }),
  );
}

interface Points {
  readonly [field: string]: Json;
  readonly kind: string;
  readonly points: readonly JsonObject[];
}

function toPoints(data: MetricData): Points {
  switch (data.dataPointType) {
    case DataPointType.SUM:
      return { kind: "sum", isMonotonic: data.isMonotonic, points: data.dataPoints.map((p) => toNumberPoint(data, p)) };
    case DataPointType.GAUGE:
      return { kind: "gauge", points: data.dataPoints.map((p) => toNumberPoint(data, p)) };
    case DataPointType.HISTOGRAM:
      return {
        kind: "histogram",
        points: data.dataPoints.map((point) => ({
          ...toPointHead(point),
          ...toSummary(point.value),
          bucketCounts: point.value.buckets.counts,
          explicitBounds: point.value.buckets.boundaries,
        })),
      };
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return {
        kind: "exponentialHistogram",
        points: data.dataPoints.map((point) => ({
          ...toPointHead(point),
          ...toSummary(point.value),
          scale: point.value.scale,
          zeroCount: point.value.zeroCount,
          positive: { ...point.value.positive },
          negative: { ...point.value.negative },
        })),
      };
    default:
      throw new Error(`Cannot read metric data of type ${JSON.stringify(data)}`);
  }
}

interface PointHead {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: object;
}

function toPointHead({ startTime, endTime, attributes }: PointHead): JsonObject {
  return {
    startTimeUnixNano: toNanos(startTime),
    timeUnixNano: toNanos(endTime),
    attributes: toAttributes(attributes),
  };
}

function toNumberPoint(data: MetricData, point: PointHead & { readonly value: number }): JsonObject {
  const isInt = data.descriptor.valueType === ValueType.INT;
  return { ...toPointHead(point), ...(isInt ? { asInt: point.value } : { asDouble: point.value }) };
}

interface Summary {
  readonly count: number;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

function toSummary({ count, sum, min, max }: Summary): JsonObject {
  const known = Object.entries({ sum, min, max }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return { count, ...Object.fromEntries(known) };
}

interface InstrumentationScope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
}

function toContext(resource: Resource, { name, version, schemaUrl }: InstrumentationScope): JsonObject {
  return {
    resource: { attributes: toAttributes(resource.attributes) },
    resourceSchemaUrl: resource.schemaUrl ?? "",
    instrumentationScope: { name, version: version ?? "" },
    scopeSchemaUrl: schemaUrl ?? "",
  };
}

function toAttributes(attributes: object): readonly Json[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAnyValue(value) }));
}

function toAnyValue(value: unknown): Json {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toAnyValue) } };
  if (typeof value === "object" && value !== null) return { kvlistValue: { values: toAttributes(value) } };
  return {};
}

function toNanos([seconds, nanos]: HrTime): string {
  return (BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toString();
}
