/** What a finished member holds, minute by minute: the proof of a merge rests on it (protocol 5.5). */
import type { MemberRun } from "../archive/member-table.ts";
import { decodeJsonElements } from "../otlp/json/decode.ts";
import { JSON_SEPARATOR, jsonHead } from "../otlp/json/envelope.ts";
import type { ItemSignal } from "../signal.ts";

/** One minute of a member, as a protobuf request. */
export interface MergedRun {
  readonly minute: number;
  readonly request: Uint8Array;
}

/** How the member was written. */
export interface MergedForm {
  readonly signal: ItemSignal;
  readonly marshaler: "otlp_proto" | "otlp_json";
  /** Whether it is the first of its output. */
  readonly startsOutput: boolean;
}

/**
 * Reads a member run by run.
 * @param raw its bytes, inflated
 * @param runs of its entry
 */
export function* readMergedRuns(raw: Uint8Array, runs: readonly MemberRun[], form: MergedForm): Generator<MergedRun> {
  const { signal, marshaler, startsOutput } = form;
  let at = 0;
  for (const { minute, rawBytes } of runs) {
    const run = raw.subarray(at, at + rawBytes);
    if (marshaler === "otlp_proto") yield { minute, request: run };
    else {
      const before = startsOutput && at === 0 ? jsonHead(signal) : JSON_SEPARATOR;
      yield { minute, request: decodeJsonElements(signal, run.subarray(before.length), 0) };
    }
    at += rawBytes;
  }
}
