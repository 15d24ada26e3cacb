/** The formats of an answer: their names, their media types, and which of them a signal has. */
import { isItemSignal, type Signal } from "../signal.ts";

/** A format of the answer. */
export type ReplayFormat = "jsonl" | "json" | "proto" | "proto-delimited";

/** Media types of collector-s3 5.1; no two formats share one. */
export const CONTENT_TYPE: Readonly<Record<ReplayFormat, string>> = {
  jsonl: "application/x-ndjson",
  json: "application/json",
  proto: "application/x-protobuf",
  "proto-delimited": "application/octet-stream",
};

/** Formats to choose from, the preferred one first. */
export type Offer = readonly [ReplayFormat, ...(readonly ReplayFormat[])];

/** All formats, the preferred one first. */
export const FORMATS: Offer = ["jsonl", "json", "proto", "proto-delimited"];
/** Requests of profiles do not concatenate, so that several are neither one document nor one message (protocol 2). */
const PROFILES_FORMATS: Offer = ["jsonl", "proto-delimited"];

/** Of all signals: a document and a message are of one. */
const ALL_FORMATS: Offer = ["jsonl"];

/** The formats in which a signal can be given, the preferred one first. */
export function formatsOf(signal: Signal | "all"): Offer {
  if (signal === "all") return ALL_FORMATS;
  return isItemSignal(signal) ? FORMATS : PROFILES_FORMATS;
}
