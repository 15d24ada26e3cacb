/**
 * An independent reading of filters: items as protobufjs decodes them, with their contexts from `item-model.ts`, and
 * plain code over the objects. Requests of few different values, so that filters made of the same values match some.
 */
import type protobuf from "protobufjs";
import { loadProtos } from "../../../scripts/generate-otlp-schema.ts";
import { requestType } from "../../../scripts/otlp-protobuf.ts";
import { pick, type Random } from "../../../scripts/fuzz/random.ts";
import type { AttributeMatch, ItemFilter } from "../../../src/filter/contract.ts";
import type { ItemSignal } from "../../../src/signal.ts";
import { randomMessage } from "../otlp/random-request.ts";

export const NO_FILTER: ItemFilter = {
  service: null,
  traceId: null,
  spanName: null,
  metricName: null,
  minSeverity: null,
  attributes: [],
  resourceAttributes: [],
  eventTime: null,
};

/** Texts, numbers and booleans, lists and objects of such. */
type Fields = Readonly<Record<string, unknown>>;

const ROOT = loadProtos();
const POINT_TYPES: Readonly<Record<number, string>> = {
  5: "NumberDataPoint",
  7: "NumberDataPoint",
  9: "HistogramDataPoint",
  10: "ExponentialHistogramDataPoint",
  11: "SummaryDataPoint",
};
const SEVERITIES = ["trace", "debug", "info", "warn", "error", "fatal"];

/** An item of `describeItems()`, decoded. */
export interface ModelItem {
  readonly signal: ItemSignal;
  readonly fields: Fields;
  readonly resource: readonly Attribute[];
  readonly metricName: string | undefined;
}

/** Decodes an item of `describeItems()`. */
export function toModelItem(signal: ItemSignal, description: string): ModelItem {
  const { item, resource, texts, number } = JSON.parse(description) as {
    readonly item: string;
    readonly resource: { readonly message: Fields | null };
    readonly texts?: readonly string[];
    readonly number?: number;
  };
  return {
    signal,
    fields: decode(itemType(signal, number ?? 0), Buffer.from(item, "hex")),
    resource: listAttributes(resource.message ?? {}),
    metricName: texts?.[0],
  };
}

/** Says whether an item matches. @param arrivalNanos of an item without a time */
export function isMatch(filter: ItemFilter, item: ModelItem, arrivalNanos: bigint): boolean {
  const { signal, fields, resource } = item;
  const { service, traceId, spanName, metricName, minSeverity, eventTime } = filter;
  if (service !== null) {
    const first = resource.find(({ key }) => key === "service.name");
    if (first?.value?.["string_value"] !== service) return false;
  }
  if (traceId !== null && fields["trace_id"] !== Buffer.from(traceId).toString("base64")) return false;
  if (spanName !== null && (fields["name"] ?? "") !== spanName) return false;
  if (metricName !== null && item.metricName !== metricName) return false;
  if (minSeverity !== null && !(severityOf(fields) >= minSeverity)) return false;
  if (eventTime !== null) {
    const time = timeOf(signal, fields) || arrivalNanos;
    if (time < eventTime.startUnixNano || time >= eventTime.endUnixNano) return false;
  }
  return (
    filter.attributes.every((match) => hasAttribute(listAttributes(fields), match)) &&
    filter.resourceAttributes.every((match) => hasAttribute(resource, match))
  );
}

function itemType(signal: ItemSignal, number: number): protobuf.Type {
  if (signal === "traces") return ROOT.lookupType("opentelemetry.proto.trace.v1.Span");
  if (signal === "logs") return ROOT.lookupType("opentelemetry.proto.logs.v1.LogRecord");
  return ROOT.lookupType(`opentelemetry.proto.metrics.v1.${POINT_TYPES[number]}`);
}

function decode(type: protobuf.Type, bytes: Uint8Array): Fields {
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}

interface Attribute {
  readonly key: string;
  readonly value: Fields | null;
}

/** Text of a scalar; empty for what is absent. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "").replaceAll('"', "");
}

function listAttributes(message: Fields): readonly Attribute[] {
  const list = (message["attributes"] ?? []) as readonly Fields[];
  return list.map(({ key, value }) => ({ key: textOf(key), value: (value ?? null) as Fields | null }));
}

function hasAttribute(attributes: readonly Attribute[], { key, value }: AttributeMatch): boolean {
  return attributes.some((each) => each.key === key && each.value !== null && isSame(each.value, value));
}

function isSame(member: Fields, text: string): boolean {
  const [name, found] = Object.entries(member)[0] ?? [];
  switch (name) {
    case "string_value":
    case "int_value":
    case "bool_value":
      return String(found) === text;
    case "double_value":
      return text.trim() !== "" && (Number(text) === found || (text === "NaN" && Number.isNaN(found)));
    case "bytes_value":
      return String(found) === text;
    default:
      return false;
  }
}

function severityOf(item: Fields): number {
  const number = Number(item["severity_number"] ?? 0);
  if (number !== 0) return number;
  const [, name = "", step = ""] = /^([a-z]+)(\d?)$/.exec(textOf(item["severity_text"]).toLowerCase()) ?? [];
  const index = SEVERITIES.indexOf(name === "warning" ? "warn" : name);
  if (index < 0 || !["", "2", "3", "4"].includes(step)) return Number.NaN;
  return 4 * index + Number(step || 1);
}

function timeOf(signal: ItemSignal, item: Fields): bigint {
  const read = (name: string): bigint => BigInt(textOf(item[name]) || "0");
  if (signal === "traces") return read("start_time_unix_nano");
  return read("time_unix_nano") || (signal === "logs" ? read("observed_time_unix_nano") : 0n);
}

const KEYS = ["a", "service.name", "http.response.status_code", "ключ"] as const;
const TEXTS = ["", "true", "500", "1.5", "checkout", "AAEC", "ünïcode text", "x".repeat(200)] as const;
const NAMES = ["GET /", "checkout", "日本語", "a"] as const;
const TRACE_IDS = [1, 2, 200].map((byte) => new Uint8Array(16).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array];
const LEVELS = ["INFO", "info2", "Warning", "ERROR", "fatal4", "notice", ""] as const;
const TIMES = ["0", "1", "1000", "4294967295", "4294967296", "1780000000000000000", "18446744073709551615"] as const;
const VALUES: readonly [Fields, ...Fields[]] = [
  { bool_value: true },
  ...TEXTS.map((text) => ({ string_value: text })),
  { bool_value: false },
  ...["0", "500", "-1", "-9223372036854775808", "9223372036854775807"].map((int) => ({ int_value: int })),
  ...[0, -0, 1.5, 500, Number.NaN, Number.NEGATIVE_INFINITY].map((double) => ({ double_value: double })),
  { bytes_value: Uint8Array.of(0, 1, 2) },
  { bytes_value: new Uint8Array(0) },
  { array_value: { values: [{ string_value: "checkout" }] } },
  { kvlist_value: { values: [{ key: "a", value: { string_value: "checkout" } }] } },
  {},
];
const VALUE_TEXTS = [
  ...TEXTS,
  "false",
  "0",
  "-1",
  "500.0",
  "5e2",
  "-9223372036854775808",
  "9223372036854775807",
  "9223372036854775808",
  "NaN",
  "-Infinity",
  "-0",
  "0500",
  "+1",
] as const;

/** Requests of few different values, as many as to hold some items, concatenated. */
export function randomRequest(signal: ItemSignal, random: Random): Uint8Array {
  const type = requestType(signal);
  const requests = Array.from({ length: 2 + random(5) }, () => {
    const message = simplify(randomMessage(type, random, "good"), random) as Fields;
    return type.encode(type.fromObject(message)).finish();
  });
  return Uint8Array.from(Buffer.concat(requests));
}

function simplify(value: unknown, random: Random): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => simplify(each, random));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const fields = Object.entries(value).map(([name, inner]) => [name, simplifyField(name, inner, random)] as const);
  return Object.fromEntries(fields);
}

function simplifyField(name: string, value: unknown, random: Random): unknown {
  if (name === "attributes") return randomAttributes(random);
  if (name === "name") return pick(random, NAMES);
  if (name === "trace_id") return pick(random, TRACE_IDS);
  if (name === "severity_text") return pick(random, LEVELS);
  if (name === "severity_number") return pick(random, [0, 0, 1, 9, 13, 24, 77, -1]);
  if (/^(?:start_|observed_)?time_unix_nano$/.test(name)) return pick(random, TIMES);
  return simplify(value, random);
}

function randomAttributes(random: Random): readonly object[] {
  return Array.from({ length: random(5) }, () => ({
    ...(random(20) === 0 ? {} : { key: pick(random, KEYS) }),
    ...(random(20) === 0 ? {} : { value: pick(random, VALUES) }),
  }));
}

/** Filters of one condition each, out of the values of an item, and one of all of them. */
export function filtersOf({ signal, fields, resource, metricName }: ModelItem): readonly ItemFilter[] {
  const own = listAttributes(fields).flatMap(toMatch);
  const shared = resource.flatMap(toMatch);
  const time = timeOf(signal, fields);
  const severity = severityOf(fields);
  const conditions: readonly Partial<ItemFilter>[] = [
    ...own.map((match) => ({ attributes: [match] })),
    ...shared.map((match) => ({ resourceAttributes: [match] })),
    ...shared.filter(({ key }) => key === "service.name").map(({ value }) => ({ service: value })),
    ...(time === 0n ? [] : [{ eventTime: { startUnixNano: time, endUnixNano: time + 1_000_000_000n } }]),
    ...(signal === "traces" ? [{ spanName: textOf(fields["name"]) }] : []),
    ...(metricName === undefined ? [] : [{ metricName }]),
    ...(severity > 0 ? [{ minSeverity: severity }] : []),
    ...(fields["trace_id"] === undefined ? [] : [{ traceId: Buffer.from(textOf(fields["trace_id"]), "base64") }]),
  ];
  return [...conditions, Object.assign({}, ...conditions) as Partial<ItemFilter>].map((each) => ({
    ...NO_FILTER,
    ...each,
  }));
}

function toMatch({ key, value }: Attribute): readonly AttributeMatch[] {
  const [name, found] = Object.entries(value ?? {})[0] ?? [];
  return name === undefined || /^(?:array|kvlist)_value$/.test(name) ? [] : [{ key, value: textOf(found) }];
}

/** A filter of one condition, or of several, out of the values of {@link randomRequest}. */
export function randomFilter(signal: ItemSignal, random: Random): ItemFilter {
  const conditions: readonly (() => Partial<ItemFilter>)[] = [
    () => ({ service: pick(random, TEXTS) }),
    () => ({ attributes: randomMatches(random) }),
    () => ({ resourceAttributes: randomMatches(random) }),
    () => ({ eventTime: randomWindow(random) }),
    ...(signal === "metrics" ? [] : [() => ({ traceId: pick(random, TRACE_IDS) })]),
    ...(signal === "traces" ? [() => ({ spanName: pick(random, NAMES) })] : []),
    ...(signal === "metrics" ? [() => ({ metricName: pick(random, NAMES) })] : []),
    ...(signal === "logs" ? [() => ({ minSeverity: pick(random, [1, 9, 10, 13, 17, 24]) })] : []),
  ];
  const count = random(4) === 0 ? 2 : 1;
  const chosen = Array.from({ length: count }, () => conditions[random(conditions.length)]?.() ?? {});
  return Object.assign({ ...NO_FILTER }, ...chosen) as ItemFilter;
}

function randomMatches(random: Random): readonly AttributeMatch[] {
  return Array.from({ length: 1 + (random(3) === 0 ? 1 : 0) }, () => ({
    key: pick(random, KEYS),
    value: pick(random, VALUE_TEXTS),
  }));
}

function randomWindow(random: Random): ItemFilter["eventTime"] {
  const [start, end] = [BigInt(pick(random, TIMES)), BigInt(pick(random, TIMES)) + BigInt(random(2))];
  return start <= end ? { startUnixNano: start, endUnixNano: end } : { startUnixNano: end, endUnixNano: start };
}
