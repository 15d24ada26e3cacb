/**
 * One line of JSON per event, the only way in which Firn speaks to its operator's logs. Callers pass values that are
 * safe to read by anyone with access to the logs: never a token, a body, an attribute or a presigned URL.
 */

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A value that a log line may hold. */
export type LogValue = string | number | boolean | null;

/** Writes one event; `event` is a dotted name such as `flush.stored`, fields end in their unit. */
export function log(level: LogLevel, event: string, fields: Readonly<Record<string, LogValue>> = {}): void {
  // oxlint-disable-next-line no-console -- the platform collects console output; this is the only place that writes it
  console[level](JSON.stringify({ level, event, ...fields }));
}
