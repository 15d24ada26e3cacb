/**
 * The official OpenTelemetry SDK, set up as a program would do it, for one encoding. Each exporter is wrapped by one
 * that notes what it was given, so that the comparison knows what was sent and whether Firn acknowledged it.
 */
import type { Logger, Meter, Tracer } from "@opentelemetry/api";
import { OTLPLogExporter as JsonLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as JsonMetricExporter,
} from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as JsonTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from "@opentelemetry/sdk-logs";
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { Item, Signal } from "../otlp-items.ts";
import { toLogItems, toMetricItems, toSpanItems } from "./sdk-items.ts";

/** How the SDK is to send. */
export interface TelemetryOptions {
  /** Base URL; each signal has its path below it. */
  readonly url: string;
  readonly encoding: "protobuf" | "json";
  readonly compression: "gzip" | "none";
  readonly serviceName: string;
  /** Of sums and histograms; deltas when it is absent. */
  readonly temporality?: AggregationTemporalityPreference;
  /** Exporters to send with instead of those for Node. */
  readonly exporters?: Exporters;
}

/** A running SDK. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly meter: Meter;
  readonly logger: Logger;
  /** What was handed to the exporters so far, by signal. */
  readonly sent: Readonly<Record<Signal, Item[]>>;
  /** Sends what is buffered and waits for the answers. @throws Error when an export failed */
  readonly flush: () => Promise<void>;
  readonly shutdown: () => Promise<void>;
}

const SCOPE = ["firn.demo.shop", "1.0.0"] as const;
/** Metrics are sent when the program asks for it, not by the clock. */
const NEVER_MILLIS = 3_600_000;

/** Starts the SDK. */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const sent: Record<Signal, Item[]> = { traces: [], metrics: [], logs: [] };
  const failures: string[] = [];
  const resource = resourceFromAttributes({
    "service.name": options.serviceName,
    "service.instance.id": `${options.serviceName}-${options.encoding}-${options.compression}`,
    "deployment.environment.name": "demo",
    "host.cpus": 2,
  });
  const note = (signal: Signal, items: readonly Item[], result: ExportOutcome): void => {
    if (result.code === 0) sent[signal].push(...items);
    else failures.push(`${items.length} items of ${signal}: ${result.error?.message ?? "no reason given"}`);
  };
  const exporters = options.exporters ?? createExporters(options);
  const tracers = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: recordSpans(exporters.traces, note) })],
  });
  const loggers = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: recordLogs(exporters.logs, note) })],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: recordMetrics(exporters.metrics, note),
    exportIntervalMillis: NEVER_MILLIS,
  });
  const meters = new MeterProvider({
    resource,
    readers: [reader],
    views: [{ instrumentName: "shop.payment.duration", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  return {
    tracer: tracers.getTracer(...SCOPE),
    meter: meters.getMeter(...SCOPE),
    logger: loggers.getLogger(...SCOPE),
    sent,
    flush: async () => {
      await Promise.all([tracers.forceFlush(), loggers.forceFlush(), meters.forceFlush()]);
      if (failures.length > 0) throw new Error(`Cannot send ${failures.join("; ")}`);
    },
    shutdown: async () => {
      await Promise.all([exporters.traces.shutdown(), exporters.logs.shutdown(), exporters.metrics.shutdown()]);
    },
  };
}

/** One exporter a signal. */
export interface Exporters {
  readonly traces: SpanExporter;
  readonly metrics: PushMetricExporter;
  readonly logs: LogRecordExporter;
}

/** Compression is set as users set it, by the environment variable that every SDK knows. */
function createExporters({ url, encoding, compression, temporality }: TelemetryOptions): Exporters {
  const before = process.env["OTEL_EXPORTER_OTLP_COMPRESSION"];
  process.env["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression;
  try {
    const temporalityPreference = temporality ?? AggregationTemporalityPreference.DELTA;
    const metrics = { url: `${url}/v1/metrics`, temporalityPreference };
    if (encoding === "json") {
      return {
        traces: new JsonTraceExporter({ url: `${url}/v1/traces` }),
        metrics: new JsonMetricExporter(metrics),
        logs: new JsonLogExporter({ url: `${url}/v1/logs` }),
      };
    }
    return {
      traces: new ProtoTraceExporter({ url: `${url}/v1/traces` }),
      metrics: new ProtoMetricExporter(metrics),
      logs: new ProtoLogExporter({ url: `${url}/v1/logs` }),
    };
  } finally {
    if (before === undefined) delete process.env["OTEL_EXPORTER_OTLP_COMPRESSION"];
    else process.env["OTEL_EXPORTER_OTLP_COMPRESSION"] = before;
  }
}

/** What the SDK calls an export's result; 0 is success. */
interface ExportOutcome {
  readonly code: number;
  readonly error?: Error;
}

type Note = (signal: Signal, items: readonly Item[], result: ExportOutcome) => void;

function recordSpans(inner: SpanExporter, note: Note): SpanExporter {
  return {
    export: (spans, done) => {
      const items = toSpanItems(spans);
      inner.export(spans, (result) => {
        note("traces", items, result);
        done(result);
      });
    },
    shutdown: () => inner.shutdown(),
  };
}

function recordLogs(inner: LogRecordExporter, note: Note): LogRecordExporter {
  return {
    export: (records, done) => {
      const items = toLogItems(records);
      inner.export(records, (result) => {
        note("logs", items, result);
        done(result);
      });
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}

function recordMetrics(inner: PushMetricExporter, note: Note): PushMetricExporter {
  return {
    export: (metrics, done) => {
      const items = toMetricItems(metrics);
      inner.export(metrics, (result) => {
        note("metrics", items, result);
        done(result);
      });
    },
    forceFlush: () => inner.forceFlush(),
    selectAggregationTemporality: (type) => inner.selectAggregationTemporality?.(type) ?? AggregationTemporality.DELTA,
    selectAggregation: (type) => inner.selectAggregation?.(type) ?? { type: AggregationType.DEFAULT },
    shutdown: () => inner.shutdown(),
  };
}
