/**
 * Severities of log records by name and by number, as the data model of OpenTelemetry has them: TRACE is 1, DEBUG 5,
 * INFO 9, WARN 13, ERROR 17, FATAL 21, and each has three more above it (`WARN2` is 14).
 * https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
 */

/** Names in the order of their numbers, four numbers each. */
export const SEVERITY_NAMES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
/** The largest severity. */
export const MAX_SEVERITY = 24;

const NUMBERS_PER_NAME = 4;
const NAME = /^(trace|debug|info|warn|error|fatal)([234]?)$/i;

/** Reads a name in any case; `null` when it is none. `warning`, which many libraries write, is `warn`. */
export function readSeverityName(text: string): number | null {
  const match = NAME.exec(text.toLowerCase() === "warning" ? "warn" : text);
  const index = SEVERITY_NAMES.findIndex((name) => name === match?.[1]?.toLowerCase());
  if (match === null || index < 0) return null;
  const step = match[2] === "" ? 1 : Number(match[2]);
  return index * NUMBERS_PER_NAME + step;
}
