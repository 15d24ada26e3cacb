/** The signals of OTLP and what differs between them by name alone; what their messages look like is `otlp/`'s. */

/** Signals whose requests concatenate and that the archive keeps. Profiles get a form of their own (protocol 2). */
export const SIGNALS = ["traces", "metrics", "logs"] as const;

/** One of the signals, always in the plural. */
export type Signal = (typeof SIGNALS)[number];

/** Says whether a text from outside names a signal. */
export function isSignal(text: string): text is Signal {
  return (SIGNALS as readonly string[]).includes(text);
}
