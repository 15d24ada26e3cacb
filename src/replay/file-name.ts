/** The name under which a browser, or `curl -OJ`, keeps an answer: {@link formatFileName}. */
import type { Millis } from "../units.ts";
import type { ReplayFormat } from "./format.ts";
import type { ReplayQuery } from "./parameters.ts";

/** What ends a name; a coding is of the transfer, and undone before anything is kept. */
const ENDING: Readonly<Record<ReplayFormat, string>> = {
  jsonl: "jsonl",
  json: "json",
  proto: "binpb",
  "proto-delimited": "delimited.binpb",
};

/** Formats a name such as `firn-traces-20260501T1400Z-20260501T1500Z.jsonl`; it needs no escaping. */
export function formatFileName({ signal, window, format }: Pick<ReplayQuery, "signal" | "window" | "format">): string {
  return `firn-${signal}-${formatInstant(window.start)}-${formatInstant(window.end)}.${ENDING[format]}`;
}

/** To the minute, where it is one. */
function formatInstant(instant: Millis): string {
  const [date = "", time = ""] = new Date(instant).toISOString().split("T");
  const digits = time.replace(/:00\.000Z$/, "").replace(/\.000Z$/, "");
  return `${date.replaceAll("-", "")}T${digits.replaceAll(/[:Z]/g, "")}Z`;
}
