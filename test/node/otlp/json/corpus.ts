/** The JSON half of the telemetry corpus, and its single examples in both encodings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isSignal, type Signal } from "../../../../src/signal.ts";

const CORPUS = join(import.meta.dirname, "../../../../../shared/corpus");

/** One request in both encodings. */
export interface Example {
  readonly name: string;
  readonly signal: Signal;
  readonly body: Uint8Array;
  readonly document: Uint8Array;
}

/** Reads the request bodies of a data set, JSON. */
export function readDocuments(name: string): readonly Uint8Array[] {
  const lines = gunzipSync(readFileSync(join(CORPUS, `${name}.jsonl.gz`)))
    .toString("utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => new TextEncoder().encode(line));
}

/** Reads the examples. */
export function readExamples(): readonly Example[] {
  return readdirSync(join(CORPUS, "examples"), { recursive: true, encoding: "utf8" }).flatMap((path) => {
    const [, stem, signal] = /^(.*)\.(\w+)\.json$/.exec(path) ?? [];
    if (stem === undefined || signal === undefined || !isSignal(signal)) return [];
    const read = (ending: string): Uint8Array =>
      Uint8Array.from(readFileSync(join(CORPUS, "examples", `${stem}.${signal}.${ending}`)));
    return [{ name: stem, signal, body: read("binpb"), document: read("json") }];
  });
}
