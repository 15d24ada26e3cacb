/**
 * Hour objects as other tools read them: `zstd`, `gzip`, Python. Entries stand where they pass over them, and members
 * are one stream to them. A tool that this machine lacks cannot be asked; both command-line tools are on every Linux.
 */
import { spawnSync } from "node:child_process";
import { createGunzip, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { listDataSets, readBodies } from "../../../scripts/corpus.ts";
import { addMemberEntry, compressDense, type DenseCompression } from "../../../src/compression/dense.ts";
import { inflateStream } from "../../../src/compression/inflate-stream.ts";

const ENTRY = new TextEncoder().encode('{"raw_bytes":1,"item_count":1,"runs":[[0,1,1]]}');
const MAX_OUTPUT_BYTES = 2 ** 26;
const PYTHON_GZIP = "import gzip,sys;sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";

/** The first requests of every data set, and an object of two members of them. */
function makeObject(compression: DenseCompression): { readonly raw: Buffer; readonly object: Buffer } {
  const raws = listDataSets().map(({ name }) => Buffer.concat(readBodies(name).slice(0, 4)));
  const members = raws.map((raw) =>
    addMemberEntry(compressDense(raw, { compression, level: null, search: "long" }), compression, ENTRY),
  );
  return { raw: Buffer.concat(raws), object: Buffer.concat(members) };
}

function pipe(input: Buffer, command: string, ...args: readonly string[]): Buffer {
  const { stdout, stderr, status, error } = spawnSync(command, args, { input, maxBuffer: MAX_OUTPUT_BYTES });
  if (error !== undefined || status !== 0)
    throw new Error(`Cannot run ${command}: ${stderr?.toString() ?? ""}`, { cause: error });
  return stdout;
}

function has(command: string): boolean {
  return spawnSync(command, ["--version"]).status === 0;
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

async function* cut(object: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < object.length; at += 100_000) yield object.subarray(at, at + 100_000);
}

describe("addMemberEntry()", () => {
  const gzip = makeObject("gzip");
  const zstd = makeObject("zstd");

  it("leaves one stream to gunzip", () => {
    expect(pipe(gzip.object, "gzip", "-dc").equals(gzip.raw)).toBe(true);
  });

  it("leaves one stream to zlib of Node", async () => {
    const engine = createGunzip();
    engine.end(gzip.object);

    expect(gunzipSync(gzip.object).equals(gzip.raw)).toBe(true);
    expect((await collect(engine)).equals(gzip.raw)).toBe(true);
  });

  it("leaves one stream to gzip of Python", () => {
    if (has("python3")) expect(pipe(gzip.object, "python3", "-c", PYTHON_GZIP).equals(gzip.raw)).toBe(true);
  });

  it("leaves one stream to zstd", () => {
    if (has("zstd")) expect(pipe(zstd.object, "zstd", "-dc").equals(zstd.raw)).toBe(true);
  });

  it("leaves one stream to Firn's own readers", async () => {
    expect((await collect(inflateStream(cut(gzip.object), "gzip"))).equals(gzip.raw)).toBe(true);
    expect((await collect(inflateStream(cut(zstd.object), "zstd"))).equals(zstd.raw)).toBe(true);
  });
});
