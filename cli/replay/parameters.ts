/** Options of a replay → parameters of `GET /replay`. Filters are checked by the server, which knows them best. */
import { parseWindow } from "../../src/archive/window.ts";
import { REPLAY_LINE_BYTES_CEILING, REPLAY_LINE_BYTES_FLOOR, REPLAY_LINE_MAX_BYTES } from "../../src/limits.ts";
import { FORMATS, type ReplayFormat } from "../../src/replay/format.ts";
import { SIGNALS, type Signal } from "../../src/signal.ts";
import { usageError, valueOf, type Option, type Values } from "../options.ts";
import type { ReplayShape } from "./framing.ts";

const SIGNAL: Option = {
  name: "signal",
  value: "SIGNAL",
  what: `${SIGNALS.join(", ")}, or all (with jsonl).`,
  choices: [...SIGNALS, "all"],
};
/** Which items: parameters of the same names. */
export const WINDOW_OPTIONS: readonly Option[] = [
  { name: "start", value: "TIME", what: 'RFC 3339, "2026-05-01 14:00" or 2026-05-01 (UTC): the first instant.' },
  { name: "end", value: "TIME", what: "The first instant after the window." },
  {
    name: "time",
    value: "TIME",
    what: "arrival, the default, or event: which time the window is about.",
    choices: ["arrival", "event"],
  },
];
/** How they come. */
export const FORM_OPTIONS: readonly Option[] = [
  { name: "format", value: "FORMAT", what: `${FORMATS.join(", ")}; jsonl by default.`, choices: FORMATS },
  {
    name: "max_line_bytes",
    value: "BYTES",
    what: `Length of a line of jsonl, ${REPLAY_LINE_MAX_BYTES} by default.`,
    range: [REPLAY_LINE_BYTES_FLOOR, REPLAY_LINE_BYTES_CEILING],
  },
  {
    name: "on_error",
    value: "WHAT",
    what: "An unreadable object: stop, the default, or skip it.",
    choices: ["stop", "skip"],
  },
];
/** Which of them are kept. */
export const FILTER_OPTIONS: readonly Option[] = [
  { name: "service", value: "NAME", what: "Only items of this service.name." },
  { name: "trace_id", value: "HEX", what: "Only spans and log records of this trace." },
  { name: "span_name", value: "NAME", what: "Only spans of this name." },
  { name: "metric_name", value: "NAME", what: "Only data points of this metric." },
  { name: "severity", value: "LEVEL", what: "Only log records of at least this severity." },
  { name: "attr.", value: "VALUE", what: "Only items with this attribute: --attr.http.request.method GET." },
  { name: "resource.", value: "VALUE", what: "Only items of resources with this attribute." },
];
/** All of `firn replay` that become parameters as they are. */
export const PARAMETER_OPTIONS: readonly Option[] = [SIGNAL, ...WINDOW_OPTIONS, ...FORM_OPTIONS, ...FILTER_OPTIONS];

/** A replay that the options describe. */
export interface ReplayRequest {
  /** Without `cursor`, `limit_bytes` and `mark`. */
  readonly parameters: URLSearchParams;
  readonly shape: ReplayShape;
  /** Half-open, milliseconds since 1970. */
  readonly window: { readonly start: number; readonly end: number };
}

/** Makes parameters of options. @throws FirnError `invalid_request` */
export function toReplayRequest(values: Values): ReplayRequest {
  const signal = valueOf(values, "signal");
  if (signal === undefined)
    throw usageError(`Cannot replay without --signal: expected ${SIGNAL.choices?.join(" or ")}`);
  const window = parseWindow(valueOf(values, "start") ?? null, valueOf(values, "end") ?? null);
  const format = FORMATS.find((known) => known === (valueOf(values, "format") ?? "jsonl")) ?? "jsonl";
  checkFormat(signal, format);
  const parameters = new URLSearchParams();
  for (const [name, [value = ""]] of values) if (isParameter(name)) parameters.set(name, value);
  parameters.set("format", format);
  return { parameters, shape: { format, signal: signal as Signal | "all" }, window };
}

function isParameter(name: string): boolean {
  return PARAMETER_OPTIONS.some((option) =>
    option.name.endsWith(".") ? name.startsWith(option.name) : name === option.name,
  );
}

function checkFormat(signal: string, format: ReplayFormat): void {
  if (signal === "all" && format !== "jsonl")
    throw usageError(`Cannot use --format ${format}: --signal all has only jsonl`);
}
