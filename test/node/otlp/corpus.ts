/** Reads the telemetry corpus; see `corpus/README.md` beside the repository. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isSignal, type Signal } from "../../../src/signal.ts";

const CORPUS = join(import.meta.dirname, "../../../../shared/corpus");

/** One data set. */
export interface DataSet {
  /** Such as `traces/hipstershop`. */
  readonly name: string;
  readonly signal: Signal;
  readonly requestCount: number;
  readonly itemCount: number;
}

/** Lists the data sets of the manifest that are streams of requests. */
export function listDataSets(): readonly DataSet[] {
  const manifest = JSON.parse(readFileSync(join(CORPUS, "MANIFEST.json"), "utf8")) as {
    readonly sets: readonly { name: string; signal: string; requests: number; items: number }[];
  };
  return manifest.sets.flatMap(({ name, signal, requests, items }) =>
    isSignal(signal) ? [{ name: `${signal}/${name}`, signal, requestCount: requests, itemCount: items }] : [],
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
