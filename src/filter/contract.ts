/** Which items are kept: what a filter is made of, and what filtering gives. */
import type { EventWindow } from "../otlp/event-time.ts";
import type { TopLevelField } from "../otlp/top-level.ts";

/** Which items to keep: every condition that is given must hold. Conditions that a signal does not have are `null`. */
export interface ItemFilter {
  /** The resource's attribute `service.name`, a text. */
  readonly service: string | null;
  /** 16 bytes; traces and logs. */
  readonly traceId: Uint8Array | null;
  /** Traces. */
  readonly spanName: string | null;
  /** Metrics. */
  readonly metricName: string | null;
  /** Logs; 1 to 24, at least. */
  readonly minSeverity: number | null;
  /** Of the item itself. */
  readonly attributes: readonly AttributeMatch[];
  readonly resourceAttributes: readonly AttributeMatch[];
  /** By each item's own time; an item without one counts by its arrival minute. */
  readonly eventTime: EventWindow | null;
}

/**
 * An attribute with this key and this value, written as text: a string as it is, a boolean as `true` or `false`, an
 * integer in decimal, a double as any number equal to it, bytes in base64. Lists, maps and missing values match
 * nothing; of a key that stands twice one match is enough.
 */
export interface AttributeMatch {
  readonly key: string;
  readonly value: string;
}

/** What is left of some top-level fields: those that hold items which match, and how many. */
export interface FilteredFields {
  /** Views of what was given or of memory that the next filtering uses again. */
  readonly fields: readonly TopLevelField[];
  readonly itemCount: number;
}
