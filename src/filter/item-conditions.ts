/**
 * The conditions on items: {@link compileItemConditions}, the cheapest first. A condition knows bytes that
 * stand in whatever meets it, where there are any.
 */
import { EventTimeReader, type EventWindow } from "../otlp/event-time.ts";
import { hasValue, readString } from "../otlp/fields.ts";
import { FieldPair } from "../otlp/field-pair.ts";
import { DATA_MEMBERS, type ItemContext } from "../otlp/item-context.ts";
import type { Item } from "../otlp/items.ts";
import { WireReader } from "../otlp/wire/format.ts";
import { toField, toTag } from "../otlp/wire/table.ts";
import type { ItemSignal } from "../signal.ts";
import type { Millis } from "../units.ts";
import { compileAttribute } from "./attribute.ts";
import type { AttributeMatch, ItemFilter } from "./contract.ts";
import { readSeverityName } from "./severity.ts";

/** A condition on items. */
export interface ItemCondition {
  /** One of these stands in each item that meets the condition; none if nothing is known. */
  readonly needles: readonly Uint8Array[];
  /** They stand before the item, in its metric, and not in itself. */
  readonly isOfMetric: boolean;
  /** @param arrival minute by which an item counts that has no time */
  isMetBy(item: Item, arrival: Millis): boolean;
}

const ITEM_MESSAGES: Readonly<Record<ItemSignal, readonly string[]>> = {
  traces: ["Span"],
  logs: ["LogRecord"],
  metrics: Object.values(DATA_MEMBERS).map(({ pointMessage }) => pointMessage),
};
const METRIC_NAME_TAG: number = toTag(toField("Metric", "name"));
const SPAN_NAME_TAG: number = toTag(toField("Span", "name"));
const SEVERITY_TAG: number = toTag(toField("LogRecord", "severity_number"));
const SEVERITY_TEXT_TAG: number = toTag(toField("LogRecord", "severity_text"));
const NANOS_PER_MILLI = 1_000_000n;
/** A time has 64 bits, of which a window may reach beyond. */
const MAX_TIME: bigint = 2n ** 64n;

/** Compiles the conditions of a filter on items. */
export function compileItemConditions(signal: ItemSignal, filter: ItemFilter): readonly ItemCondition[] {
  const { metricName, traceId, spanName, minSeverity, attributes, eventTime } = filter;
  const conditions = [
    metricName === null ? null : toMetricNameCondition(metricName),
    traceId === null ? null : toValueCondition(toTraceIdTag(signal), traceId),
    spanName === null ? null : toValueCondition(SPAN_NAME_TAG, new TextEncoder().encode(spanName)),
    ...attributes.map((match) => toAttributeCondition(signal, match)),
    minSeverity === null ? null : toSeverityCondition(minSeverity),
    eventTime === null ? null : toEventTimeCondition(signal, eventTime),
  ];
  return conditions.filter((condition) => condition !== null);
}

function toTraceIdTag(signal: ItemSignal): number {
  return toTag(toField(ITEM_MESSAGES[signal][0] ?? "", "trace_id"));
}

function toNeedles(value: Uint8Array): readonly Uint8Array[] {
  return value.length === 0 ? [] : [value];
}

/** Of a metric all items or none meet it, so that it is asked once a metric. */
function toMetricNameCondition(name: string): ItemCondition {
  const expected = new TextEncoder().encode(name);
  let last: ItemContext | null = null;
  let isMet = false;
  return {
    needles: toNeedles(expected),
    isOfMetric: true,
    isMetBy({ context }): boolean {
      if (context === last) return isMet;
      last = context;
      isMet = context.metric?.metric.hasText(METRIC_NAME_TAG, expected) === true;
      return isMet;
    },
  };
}

function toValueCondition(tag: number, expected: Uint8Array): ItemCondition {
  return { needles: toNeedles(expected), isOfMetric: false, isMetBy: (item) => hasValue(item, tag, expected) };
}

function toAttributeCondition(signal: ItemSignal, match: AttributeMatch): ItemCondition {
  const tags = new Map(
    ITEM_MESSAGES[signal].map((message) => [message, toTag(toField(message, "attributes"))] as const),
  );
  const condition = compileAttribute(match);
  return {
    needles: condition.needles,
    isOfMetric: false,
    isMetBy({ message, bytes, start, end }): boolean {
      const tag = tags.get(message) ?? 0;
      const fields = new WireReader(bytes, start, end);
      const attribute = { bytes, start, end };
      while (fields.findField(tag)) {
        attribute.start = fields.valueStart;
        attribute.end = fields.position;
        if (condition.isMetBy(attribute)) return true;
      }
      return false;
    },
  };
}

/** A record without a number counts by its text, if that is one of the common names. */
function toSeverityCondition(min: number): ItemCondition {
  const fields = new FieldPair(SEVERITY_TAG, SEVERITY_TEXT_TAG);
  return {
    needles: [],
    isOfMetric: false,
    isMetBy(item): boolean {
      fields.find(item);
      const { firstAt, secondAt } = fields;
      // Of the type int32: what is negative is no severity and below all of them.
      const number = firstAt === 0 ? 0 : new WireReader(item.bytes, firstAt, item.end).readUint32() | 0;
      if (number !== 0) return number >= min;
      const named = secondAt === 0 ? null : readSeverityName(readString(item, SEVERITY_TEXT_TAG));
      return named !== null && named >= min;
    },
  };
}

function toEventTimeCondition(signal: ItemSignal, { startUnixNano, endUnixNano }: EventWindow): ItemCondition {
  const times = new EventTimeReader(signal);
  const start = toHalves(startUnixNano);
  const end = toHalves(endUnixNano);
  return {
    needles: [],
    isOfMetric: false,
    isMetBy(item, arrival): boolean {
      if (!times.read(item)) {
        const arrivalUnixNano = BigInt(arrival) * NANOS_PER_MILLI;
        return arrivalUnixNano >= startUnixNano && arrivalUnixNano < endUnixNano;
      }
      const { high, low } = times;
      const isAfterStart = high > start.high || (high === start.high && low >= start.low);
      return isAfterStart && (high < end.high || (high === end.high && low < end.low));
    },
  };
}

interface Halves {
  readonly high: number;
  readonly low: number;
}

function toHalves(time: bigint): Halves {
  const bounded = time > MAX_TIME ? MAX_TIME : time;
  return { high: Number(bounded >> 32n), low: Number(bounded & 0xffff_ffffn) };
}
