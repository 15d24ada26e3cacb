/** The signals of OTLP and what differs between them by name alone; what their messages look like is `otlp/`'s. */

/** Signals that consist of items (spans, data points, log records) and whose requests concatenate (protocol 2). */
export const ITEM_SIGNALS = ["traces", "metrics", "logs"] as const;

/** Every signal. A profiles request refers to a dictionary of its own, so it is kept whole and never interpreted. */
export const SIGNALS: readonly [...typeof ITEM_SIGNALS, "profiles"] = [...ITEM_SIGNALS, "profiles"];

/** One of the signals, always in the plural. */
export type Signal = (typeof SIGNALS)[number];

/** A signal that consists of items. */
export type ItemSignal = (typeof ITEM_SIGNALS)[number];

/** Says whether a text from outside names a signal. */
export function isSignal(text: string): text is Signal {
  return (SIGNALS as readonly string[]).includes(text);
}

/** Says whether a signal, or a text from outside, names one that consists of items. */
export function isItemSignal(text: string): text is ItemSignal {
  return (ITEM_SIGNALS as readonly string[]).includes(text);
}
