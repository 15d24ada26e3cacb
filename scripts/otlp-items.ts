/**
 * Items of OTLP/JSON requests in a form that can be compared: each with its resource, instrumentation scope and
 * metric, defaults left out, 64-bit numbers as text, attributes as they came. Shares no code with `src/`, so that a
 * fault of the codec cannot hide in the comparison.
 */

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/** An object of JSON. */
export type JsonObject = { readonly [key: string]: Json };
export type Signal = "traces" | "metrics" | "logs";

/** All signals, in the order in which people name them. */
export const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs"];

/** One span, data point or log record with all that gives it its meaning. */
export interface Item {
  /** Equal for the same item, different for any two: see {@link formatItemKey}. */
  readonly key: string;
  readonly content: JsonObject;
}

/** Names of a signal's containers in OTLP/JSON. */
export const CONTAINERS: Readonly<Record<Signal, { readonly resources: string; readonly scopes: string }>> = {
  traces: { resources: "resourceSpans", scopes: "scopeSpans" },
  metrics: { resources: "resourceMetrics", scopes: "scopeMetrics" },
  logs: { resources: "resourceLogs", scopes: "scopeLogs" },
};

const METRIC_KINDS = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];

/** Fields whose presence says something even when the value is the default: members of a oneof, and `optional`. */
const PRESENT = /^(?:string|bool|int|double|bytes|array|kvlist)Value$|^as(?:Int|Double)$|^(?:sum|min|max)$/;
/** Fields of 64 bits, which JSON writes as text and some writers as numbers. */
const WIDE = /UnixNano$|^(?:intValue|asInt|count|zeroCount|bucketCounts)$/;

/** Lists the items of one request. */
export function listItems(signal: Signal, request: JsonObject): readonly Item[] {
  const { resources, scopes } = CONTAINERS[signal];
  return listObjects(request[resources]).flatMap((resource) =>
    listObjects(resource[scopes]).flatMap((scope) => {
      const context = {
        resource: resource["resource"] ?? {},
        resourceSchemaUrl: resource["schemaUrl"] ?? "",
        instrumentationScope: scope["scope"] ?? {},
        scopeSchemaUrl: scope["schemaUrl"] ?? "",
      };
      if (signal === "traces") return listObjects(scope["spans"]).map((span) => toItem(signal, { ...context, span }));
      if (signal === "logs")
        return listObjects(scope["logRecords"]).map((logRecord) => toItem(signal, { ...context, logRecord }));
      return listObjects(scope["metrics"]).flatMap((metric) =>
        listPoints(metric).map((point) => toItem(signal, { ...context, ...point })),
      );
    }),
  );
}

/** Makes an item of its content; both sides of a comparison go through here. */
export function toItem(signal: Signal, content: JsonObject): Item {
  const normal = toObject(normalise("", content));
  return { key: formatItemKey(signal, normal), content: normal };
}

/** Each data point with the metric that it belongs to. */
function listPoints(metric: JsonObject): readonly JsonObject[] {
  return METRIC_KINDS.flatMap((kind) => {
    const { dataPoints, ...data } = toObject(metric[kind]);
    const { [kind]: _, ...head } = metric;
    return listObjects(dataPoints).map((point) => ({ metric: { ...head, kind, ...data }, point }));
  });
}

/**
 * A span is known by its ids, a log record by its attribute `item.id`, and a data point by that or else by metric,
 * attributes, resource and time, which the data model demands to be different.
 */
function formatItemKey(signal: Signal, content: JsonObject): string {
  const item = toObject(content["span"] ?? content["logRecord"] ?? content["point"]);
  if (signal === "traces") return `${formatJson(item["traceId"])}/${formatJson(item["spanId"])}`;
  const id = listObjects(item["attributes"]).find(({ key }) => key === "item.id");
  if (id !== undefined) return formatJson(toObject(id["value"])["stringValue"]);
  if (signal === "logs") return formatJson(content);
  const name = formatJson(toObject(content["metric"])["name"]);
  return [name, ...[item["attributes"], item["timeUnixNano"], content["resource"]].map(formatJson)].join(" ");
}

/** Drops what protobuf would not have written, writes wide numbers as text and sorts the fields. */
function normalise(field: string, value: Json): Json {
  if (isList(value)) return value.map((element) => normalise(field, element));
  if (typeof value === "object" && value !== null) {
    const entries = Object.keys(value)
      .toSorted()
      .map((key) => [key, normalise(key, value[key] ?? null)] as const);
    return Object.fromEntries(entries.filter(([key, kept]) => PRESENT.test(key) || !isDefault(kept)));
  }
  return WIDE.test(field) && typeof value === "number" ? String(value) : value;
}

function isDefault(value: Json): boolean {
  if (value === null || value === 0 || value === "" || value === "0" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** An object, or an empty one for anything else. */
export function toObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !isList(value) ? value : {};
}

/** The objects of a list, or none for anything else. */
function listObjects(value: Json | undefined): readonly JsonObject[] {
  return value !== undefined && isList(value) ? value.map(toObject) : [];
}

/** Text of a value; a string as it is. */
export function formatJson(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
