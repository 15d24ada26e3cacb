/**
 * Speed of undoing codings and of making members, on one core: `inflateBody` and `compressMember` beside the plain
 * native call on the same bytes. Bodies are cut from the corpus to three sizes. `node bench/compression.ts` prints a
 * JSON line a case.
 */
import * as zlib from "node:zlib";
import { listDataSets, readBodies } from "../scripts/corpus.ts";
import { compressMember } from "../src/compression/member.ts";
import { inflateBody, type ContentCoding } from "../src/compression/request-body.ts";
import { round, type BenchLine } from "./bench-line.ts";

/** Rounds of both sides alternate for so long; the best of each counts, since other work only slows rounds. */
const MEASURE_MILLIS = 800;
const SIZES: Readonly<Record<string, number>> = { "10KB": 10_000, "100KB": 100_000, "1MB": 1_000_000 };
const MAX_BYTES = 24 * 2 ** 20;
const ZSTD_PARAMS = { [zlib.constants.ZSTD_c_compressionLevel]: 1, [zlib.constants.ZSTD_c_checksumFlag]: 1 };

/** One operation, both ways of doing it, and what it makes of one body. */
interface Case {
  readonly name: string;
  readonly inputs: readonly Uint8Array[];
  readonly run: (input: Uint8Array) => Uint8Array;
  readonly plain: (input: Uint8Array) => Uint8Array;
}

/** Measures every operation at every size. */
export function run(): Promise<readonly BenchLine[]> {
  const lines = Object.entries(SIZES).flatMap(([sizeName, size]) => {
    const bodies = listDataSets().map(({ name }) => cut(readBodies(name), size));
    return listCases(bodies).map((data) => measure(data, sizeName, size * bodies.length));
  });
  return Promise.resolve(lines);
}

function listCases(bodies: readonly Uint8Array[]): readonly Case[] {
  const inflate = (
    coding: ContentCoding,
    encode: (raw: Uint8Array) => Uint8Array,
    plain: (wire: Uint8Array) => Uint8Array,
  ): Case => ({
    name: `inflate.${coding}`,
    inputs: bodies.map(encode),
    run: (wire) => inflateBody(coding, wire, MAX_BYTES).body,
    plain,
  });
  const options = { maxOutputLength: MAX_BYTES };
  return [
    inflate("gzip", zlib.gzipSync, (wire) => zlib.gunzipSync(wire, options)),
    inflate("deflate", zlib.deflateSync, (wire) => zlib.inflateSync(wire, options)),
    inflate("zstd", zlib.zstdCompressSync, (wire) => zlib.zstdDecompressSync(wire, options)),
    { name: "member.gzip", inputs: bodies, run: (raw) => compressMember(raw, "gzip"), plain: compressGzip },
    { name: "member.zstd", inputs: bodies, run: (raw) => compressMember(raw, "zstd"), plain: compressZstd },
  ];
}

function compressGzip(raw: Uint8Array): Uint8Array {
  return zlib.gzipSync(raw, { level: 1 });
}

function compressZstd(raw: Uint8Array): Uint8Array {
  return zlib.zstdCompressSync(raw, { params: ZSTD_PARAMS });
}

function measure({ name, inputs, run: ours, plain }: Case, sizeName: string, rawBytes: number): BenchLine {
  const best = { ours: Number.POSITIVE_INFINITY, plain: Number.POSITIVE_INFINITY };
  for (const end = performance.now() + MEASURE_MILLIS; performance.now() < end;) {
    best.plain = Math.min(best.plain, time(inputs, plain));
    best.ours = Math.min(best.ours, time(inputs, ours));
  }
  const count = (make: (input: Uint8Array) => Uint8Array): number =>
    inputs.reduce((sum, input) => sum + make(input).length, 0);
  return {
    name: `compression.${name}.${sizeName}`,
    bench: "compression",
    case: name,
    us_per_body: round((best.ours * 1000) / inputs.length),
    plain_us_per_body: round((best.plain * 1000) / inputs.length),
    mb_per_s: round(rawBytes / best.ours / 1000),
    ratio: round(best.ours / best.plain),
    size_ratio: round(count(ours) / count(plain)),
  };
}

/** @returns milliseconds */
function time(inputs: readonly Uint8Array[], work: (input: Uint8Array) => Uint8Array): number {
  const start = performance.now();
  for (const input of inputs) work(input);
  return performance.now() - start;
}

/** Bodies one after another, as often as it takes, cut to a size. */
function cut(bodies: readonly Uint8Array[], size: number): Uint8Array {
  const all = Buffer.concat(bodies);
  const copies = Array.from({ length: Math.ceil(size / all.length) }, () => all);
  return Uint8Array.from(Buffer.concat(copies).subarray(0, size));
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
