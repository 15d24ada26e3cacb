/**
 * Speed of both directions of OTLP JSON on every data set of the corpus, on one core: `decodeJsonRequest` beside UTF-8
 * decoding and `JSON.parse` of the same bytes, `encodeJsonRequest` and `openJsonLines` beside protobufjs and
 * `JSON.stringify`. `node bench/otlp-json.ts` prints a JSON line a case.
 */
import { listDataSets, readDocuments } from "../scripts/corpus.ts";
import { loadProtos } from "../scripts/generate-otlp-schema.ts";
import { decodeJsonRequest } from "../src/otlp/json/decode.ts";
import { encodeJsonRequest } from "../src/otlp/json/encode.ts";
import { openJsonLines } from "../src/otlp/json/lines.ts";
import { REQUEST_MESSAGE } from "../src/otlp/schema.ts";
import { openTopLevelSplitter } from "../src/otlp/top-level.ts";
import { REPLAY_LINE_MAX_BYTES } from "../src/limits.ts";
import type { ItemSignal } from "../src/signal.ts";
import { round, type BenchLine } from "./bench-line.ts";

/** Requests of a data set that are measured: enough for every shape, few enough for the reference to be done soon. */
const MAX_BYTES = 12_000_000;
/** Each measurement goes on for so long; its best round counts, since other work on the machine only slows rounds. */
const MEASURE_MILLIS = 600;
/** What DESIGN.md section 12 asks of JSON → protobuf. */
const TARGET_DECODE_RATIO = 0.8;

interface Case {
  readonly name: string;
  readonly signal: ItemSignal;
  readonly documents: readonly Uint8Array[];
  readonly bodies: readonly Uint8Array[];
}

/** Measures every data set. All are warmed up before the first is measured, as one worker would see them all. */
export async function run(): Promise<readonly BenchLine[]> {
  const cases = listCases();
  for (const data of cases) for (const work of listWork(data)) for (const once of [1, 2]) if (once > 0) work.run();
  return cases.flatMap((data) => {
    const [decode = 0, parse = 0, encode = 0, lines = 0, stringify = 0] = listWork(data).map(measure);
    return [
      {
        name: `otlp-json.decode.${data.name}`,
        bench: "otlp-json.decode",
        case: data.name,
        mb_per_s: round(decode),
        json_parse_mb_per_s: round(parse),
        ratio: round(decode / parse),
        target_ratio: TARGET_DECODE_RATIO,
        ok: decode / parse >= TARGET_DECODE_RATIO,
      },
      {
        name: `otlp-json.encode.${data.name}`,
        bench: "otlp-json.encode",
        case: data.name,
        json_mb_per_s: round(encode),
        lines_json_mb_per_s: round(lines),
        protobufjs_json_mb_per_s: round(stringify),
        ratio: round(encode / stringify),
      },
    ];
  });
}

interface Work {
  /** Bytes of JSON that one run reads or writes. */
  readonly jsonBytes: number;
  readonly run: () => void;
}

function listWork({ signal, documents, bodies }: Case): readonly Work[] {
  const jsonBytes = documents.reduce((sum, document) => sum + document.length, 0);
  const type = loadProtos().lookupType(REQUEST_MESSAGE[signal]);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const encoder = new TextEncoder();
  const each = <T>(inputs: readonly T[], work: (input: T) => unknown): Work => ({
    jsonBytes,
    run: () => {
      for (const input of inputs) work(input);
    },
  });
  return [
    each(documents, (document) => decodeJsonRequest(signal, document)),
    each(documents, (document) => JSON.parse(decoder.decode(document))),
    each(bodies, (body) => encodeJsonRequest(signal, body)),
    { jsonBytes, run: () => cutLines(signal, bodies) },
    each(bodies, (body) =>
      encoder.encode(JSON.stringify(type.toObject(type.decode(body), { longs: String, bytes: String }))),
    ),
  ];
}

function cutLines(signal: ItemSignal, bodies: readonly Uint8Array[]): number {
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

/** Best speed of all rounds, in 10^6 bytes of JSON a second of this process's own CPU: other work does not count. */
function measure({ jsonBytes, run: runOnce }: Work): number {
  let bestMicros = Number.POSITIVE_INFINITY;
  for (const start = performance.now(); performance.now() - start < MEASURE_MILLIS;) {
    const before = process.threadCpuUsage();
    let rounds = 0;
    do {
      runOnce();
      rounds += 1;
    } while (toMicros(process.threadCpuUsage(before)) < 20_000);
    bestMicros = Math.min(bestMicros, toMicros(process.threadCpuUsage(before)) / rounds);
  }
  return jsonBytes / bestMicros;
}

function toMicros({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

function listCases(): readonly Case[] {
  return listDataSets().map(({ name, signal }) => {
    const documents = takeSome(readDocuments(name));
    return { name, signal, documents, bodies: documents.map((document) => decodeJsonRequest(signal, document)) };
  });
}

function takeSome(documents: readonly Uint8Array[]): readonly Uint8Array[] {
  let bytes = 0;
  return documents.filter((document) => (bytes += document.length) <= MAX_BYTES);
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
