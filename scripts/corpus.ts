/**
 * Reads the telemetry corpus, for tests and benchmarks. It is too large for the repository: `FIRN_CORPUS` names its
 * folder, else it is `shared/corpus` beside the repository, else the excerpt in `test/fixtures/corpus`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isItemSignal, type ItemSignal } from "../src/signal.ts";

const WHOLE = join(import.meta.dirname, "../../shared/corpus");
const EXCERPT = join(import.meta.dirname, "../test/fixtures/corpus");
const CORPUS = process.env["FIRN_CORPUS"] ?? (existsSync(WHOLE) ? WHOLE : EXCERPT);

/** One data set. */
export interface DataSet {
  /** Such as `traces/hipstershop`. */
  readonly name: string;
  readonly signal: ItemSignal;
  readonly requestCount: number;
  readonly itemCount: number;
}

/** One request in both encodings. */
export interface Example {
  readonly name: string;
  readonly signal: ItemSignal;
  readonly body: Uint8Array;
  readonly document: Uint8Array;
}

/** Lists the data sets of the manifest that are streams of requests. */
export function listDataSets(): readonly DataSet[] {
  const manifest = JSON.parse(readFileSync(join(CORPUS, "MANIFEST.json"), "utf8")) as {
    readonly sets: readonly { name: string; signal: string; requests: number; items: number }[];
  };
  return manifest.sets.flatMap(({ name, signal, requests, items }) =>
    isItemSignal(signal) ? [{ name: `${signal}/${name}`, signal, requestCount: requests, itemCount: items }] : [],
  );
}

/** Reads the request bodies of a data set, protobuf. */
export function readBodies(name: string): readonly Uint8Array[] {
  const bytes = gunzipSync(readFileSync(join(CORPUS, `${name}.binpb.gz`)));
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    bodies.push(Uint8Array.from(bytes.subarray(at + 4, end)));
    at = end;
  }
  return bodies;
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
    if (stem === undefined || signal === undefined || !isItemSignal(signal)) return [];
    const read = (ending: string): Uint8Array =>
      Uint8Array.from(readFileSync(join(CORPUS, "examples", `${stem}.${signal}.${ending}`)));
    return [{ name: stem, signal, body: read("binpb"), document: read("json") }];
  });
}
