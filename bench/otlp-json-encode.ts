/**
 * Speed of protobuf → JSON on every data set of the corpus, on one core: `encodeJsonRequest`, and `openJsonLines` as a
 * replay uses it, beside protobufjs and `JSON.stringify` of the same requests.
 * `node bench/otlp-json-encode.ts` prints a JSON line a case.
 */
import { loadProtos } from "../scripts/generate-otlp-schema.ts";
import { REPLAY_LINE_MAX_BYTES } from "../src/limits.ts";
import { encodeJsonRequest } from "../src/otlp/json/encode.ts";
import { openJsonLines } from "../src/otlp/json/lines.ts";
import { REQUEST_MESSAGE } from "../src/otlp/schema.ts";
import { openTopLevelSplitter } from "../src/otlp/top-level.ts";
import { round, type BenchLine } from "./bench-line.ts";
import { listCodecCases, measureSpeeds, type CodecCase } from "./codec-cases.ts";

/** What is asked of protobuf → JSON. */
const TARGET_RATIO = 3;

/** Measures every data set. Speeds count the bytes of the JSON in the corpus, which is shorter than what is written. */
export async function run(): Promise<readonly BenchLine[]> {
  const cases = listCodecCases();
  const speeds = measureSpeeds(cases, listWorks);
  return cases.map(({ name }, index) => {
    const [encode = 0, lines = 0, stringify = 0] = speeds[index] ?? [];
    return {
      name: `otlp-json-encode.${name}`,
      bench: "otlp-json-encode",
      case: name,
      json_mb_per_s: round(encode),
      lines_json_mb_per_s: round(lines),
      protobufjs_json_mb_per_s: round(stringify),
      ratio: round(encode / stringify),
      target_ratio: TARGET_RATIO,
      ok: encode / stringify >= TARGET_RATIO,
    };
  });
}

function listWorks(data: CodecCase): readonly (() => void)[] {
  const { signal, bodies } = data;
  const type = loadProtos().lookupType(REQUEST_MESSAGE[signal]);
  const encoder = new TextEncoder();
  return [
    () => {
      for (const body of bodies) encodeJsonRequest(signal, body);
    },
    () => {
      cutLines(data);
    },
    () => {
      for (const body of bodies) {
        encoder.encode(JSON.stringify(type.toObject(type.decode(body), { longs: String, bytes: String })));
      }
    },
  ];
}

function cutLines({ signal, bodies }: CodecCase): number {
  const lines = openJsonLines(signal, REPLAY_LINE_MAX_BYTES);
  const splitter = openTopLevelSplitter();
  let writtenBytes = 0;
  for (const body of bodies) {
    for (const { container } of splitter.push(body)) {
      if (container !== null) for (const line of lines.add(container)) writtenBytes += line.length;
    }
  }
  for (const line of lines.end()) writtenBytes += line.length;
  return writtenBytes;
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
