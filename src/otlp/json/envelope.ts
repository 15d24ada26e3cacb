/**
 * What encloses the elements of a request's top-level list in OTLP JSON: head, elements with {@link JSON_SEPARATOR}
 * between them, {@link JSON_TAIL}. Every document that is put together from elements takes its frame from here.
 */
import type { Signal } from "../../signal.ts";
import { REQUEST_PLAN } from "./message-plan.ts";

/** Stands between two elements. */
export const JSON_SEPARATOR: Uint8Array = new TextEncoder().encode(",");
/** Ends a document; with its line feed, so that documents that follow each other are JSON Lines (collector-s3 W4). */
export const JSON_TAIL: Uint8Array = new TextEncoder().encode("]}\n");

/** Begins a document, up to the bracket of the list: `{"resourceSpans":[` for traces. */
export function jsonHead(signal: Signal): Uint8Array {
  return new TextEncoder().encode(`{"${REQUEST_PLAN[signal].fields[0]?.jsonName ?? ""}":[`);
}
