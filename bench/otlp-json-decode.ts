/**
 * Speed of JSON → protobuf on every data set of the corpus, on one core, all checks included: `decodeJsonRequest`, and
 * `openJsonSplitter` in pieces, beside UTF-8 decoding and `JSON.parse` of the same bytes.
 * `node bench/otlp-json-decode.ts` prints a JSON line a case.
 */
import { STREAM_PIECE_BYTES } from "../src/limits.ts";
import { decodeJsonRequest } from "../src/otlp/json/decode.ts";
import { openJsonSplitter } from "../src/otlp/json/splitter.ts";
import type { ItemSignal } from "../src/signal.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { listCodecCases, measureSpeeds, type CodecCase } from "./codec-cases.ts";

/** What DESIGN.md section 12 asks of JSON → protobuf. */
const TARGET_RATIO = 0.8;

/** Measures every data set. */
export async function run(): Promise<readonly BenchLine[]> {
  const cases = listCodecCases();
  const speeds = measureSpeeds(cases, listWorks);
  return cases.map(({ name }, index) => {
    const [decode = 0, split = 0, parse = 0] = speeds[index] ?? [];
    return {
      name: `otlp-json-decode.${name}`,
      bench: "otlp-json-decode",
      case: name,
      mb_per_s: round(decode),
      split_mb_per_s: round(split),
      json_parse_mb_per_s: round(parse),
      ratio: round(decode / parse),
      target_ratio: TARGET_RATIO,
      ok: decode / parse >= TARGET_RATIO,
    };
  });
}

function listWorks({ signal, documents }: CodecCase): readonly (() => void)[] {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return [
    () => {
      for (const document of documents) decodeJsonRequest(signal, document);
    },
    () => {
      for (const document of documents) splitDocument(signal, document);
    },
    () => {
      for (const document of documents) JSON.parse(decoder.decode(document));
    },
  ];
}

function splitDocument(signal: ItemSignal, document: Uint8Array): void {
  const splitter = openJsonSplitter(signal);
  for (let start = 0; start < document.length; start += STREAM_PIECE_BYTES) {
    splitter.push(document.subarray(start, start + STREAM_PIECE_BYTES));
  }
  splitter.end();
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
