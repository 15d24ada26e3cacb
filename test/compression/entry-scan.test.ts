import { expect, test } from "vitest";
import { scanEntries, type ScannedEntry } from "../../src/compression/entry-scan.ts";
import { compressMember, literalMember } from "../../src/compression/member.ts";
import { concat } from "../reader/otlp-sample.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const RAW = text("telemetry ".repeat(50_000));
const LARGE = crypto.getRandomValues(new Uint8Array(60_000));

/** Skippable frame: any of sixteen magics, a length, content. */
const skippable = (nibble: number, content: Uint8Array): Uint8Array =>
  concat([
    new Uint8Array([0x50 + nibble, 0x2a, 0x4d, 0x18, content.length & 0xff, content.length >> 8, 0, 0]),
    content,
  ]);
const subfield = (id: string, content: Uint8Array): Uint8Array =>
  concat([text(id), new Uint8Array([content.length & 0xff, content.length >> 8]), content]);

/** A gzip member whose header has an extra field. */
function withExtra(raw: Uint8Array, ...subfields: readonly Uint8Array[]): Uint8Array {
  const plain = compressMember(raw, "gzip");
  const extra = concat(subfields);
  const head = concat([plain.subarray(0, 3), new Uint8Array([4]), plain.subarray(4, 10)]);
  return concat([head, new Uint8Array([extra.length & 0xff, extra.length >> 8]), extra, plain.subarray(10)]);
}

async function scan(object: Uint8Array, compression: "gzip" | "zstd", pieceBytes: number): Promise<ScannedEntry[]> {
  async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < object.length; at += pieceBytes) yield object.slice(at, at + pieceBytes);
  }
  const entries: ScannedEntry[] = [];
  for await (const entry of scanEntries(pieces(), compression)) entries.push(entry);
  return entries;
}

const ZSTD = [
  concat([skippable(13, text("first")), compressMember(RAW, "zstd"), compressMember(LARGE, "zstd")]),
  concat([skippable(13, text("second")), skippable(0, text("not ours")), compressMember(RAW, "zstd")]),
  literalMember(text("]}\n"), "zstd"),
];
const GZIP = [
  concat([withExtra(RAW, subfield("FN", text("first"))), compressMember(LARGE, "gzip")]),
  withExtra(RAW, subfield("XX", text("not ours")), subfield("FN", text("second"))),
  literalMember(text("]}\n"), "gzip"),
];
const CASES = (
  [
    ["zstd", ZSTD],
    ["gzip", GZIP],
  ] as const
).flatMap(([compression, members]) => [7, 1000, 1_000_000].map((pieceBytes) => ({ compression, members, pieceBytes })));

test.each(CASES)("scanEntries() finds entries in $compression, in pieces of $pieceBytes", async (each) => {
  const { compression, members, pieceBytes } = each;

  const entries = await scan(concat(members), compression, pieceBytes);

  expect(entries).toEqual([
    { offset: 0, entry: text("first") },
    { offset: members[0]?.length, entry: text("second") },
  ]);
});

test("scanEntries() finds none in what compaction did not write", async () => {
  expect(await scan(compressMember(RAW, "zstd"), "zstd", 1000)).toEqual([]);
  expect(await scan(compressMember(RAW, "gzip"), "gzip", 1000)).toEqual([]);
  expect(await scan(withExtra(RAW, subfield("XX", text("a"))), "gzip", 1000)).toEqual([]);
});

test.each([
  ["no zstd", text("not zstd at all"), "zstd"],
  ["a truncated frame", concat(ZSTD).subarray(0, -1), "zstd"],
  ["a truncated entry", skippable(13, text("first")).subarray(0, -1), "zstd"],
  ["a truncated skippable frame", skippable(1, text("first")).subarray(0, -1), "zstd"],
  ["half a header", new Uint8Array([0x28, 0xb5]), "zstd"],
  ["an entry above 4 KiB", skippable(13, new Uint8Array(4097)), "zstd"],
  ["no gzip", text("not gzip at all"), "gzip"],
  ["a truncated member", concat(GZIP).subarray(0, -1), "gzip"],
  ["a wrong checksum", GZIP[1]?.with(-8, (GZIP[1]?.at(-8) ?? 0) ^ 1) ?? RAW, "gzip"],
] as const)("scanEntries() takes %s for corrupt", async (_, object, compression) => {
  await expect(scan(object, compression, 1000)).rejects.toMatchObject({ kind: "corrupt_object" });
});
