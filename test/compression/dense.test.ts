import { array, assert, constantFrom, integer, property, record, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addMemberEntry,
  compressDense,
  readMemberHeader,
  useDense,
  type DenseCompression,
} from "../../src/compression/dense.ts";
import { DENSE_FRAME_MAX_BYTES } from "../../src/compression/dense-zstd.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { compressMember } from "../../src/compression/member.ts";
import { parseZstdHeader, openZstdWalk, walkZstdBlocks } from "../../src/compression/zstd-frame.ts";
import { bytesOf, member as gzipText, randomBytes, withByte, withHeader } from "./gzip-bytes.ts";
import { collect, pieces } from "./pieces.ts";
import { makeText, skippable } from "./zstd-bytes.ts";

const MIB = 2 ** 20;
const LEVELS = { gzip: [null, 1, 6, 9], zstd: [null, 1, 3, 6, 9, 10, 12] } as const;
const COMPRESSIONS = ["gzip", "zstd"] as const;
const NO_ENTRY = new Uint8Array(0);

function inflate(member: Uint8Array, compression: DenseCompression, rawBytes: number): Uint8Array {
  return useDense({ member, compression, rawBytes }, (raw) => raw.slice());
}

/** Compares megabytes, for which `toEqual` takes minutes. */
function expectSame(found: Uint8Array, expected: Uint8Array | undefined): void {
  expect(found.length).toBe(expected?.length);
  expect(found.findIndex((byte, index) => byte !== expected?.[index])).toBe(-1);
}

describe.each(COMPRESSIONS)("compressDense() with %s", (compression) => {
  it.each(LEVELS[compression])("gives back what it compressed at level %s, compressible or not", async (level) => {
    const lengths = [1, 255, 40_960, 131_072, MIB, DENSE_FRAME_MAX_BYTES];
    for (const raw of lengths.flatMap((length) => [randomBytes(length), makeText(length)])) {
      const member = compressDense(raw, { compression, level, search: "long" });

      expectSame(inflate(member, compression, raw.length), raw);
      expectSame(await collect(inflateStream(pieces(member, 65_536), compression)), raw);
    }
  });

  it("gives back what is longer than a frame", async () => {
    const raw = bytesOf(randomBytes(DENSE_FRAME_MAX_BYTES), makeText(DENSE_FRAME_MAX_BYTES + 1));

    const member = compressDense(raw, { compression, level: 1, search: "long" });

    expectSame(inflate(member, compression, raw.length), raw);
    expectSame(await collect(inflateStream(pieces(member, 65_536), compression)), raw);
  });

  it("makes better members than those of fresh objects", () => {
    const raw = makeText(2 * MIB);

    const dense = compressDense(raw, { compression, level: null, search: "long" });

    expect(dense.length).toBeLessThan(0.95 * compressMember(raw, compression).length);
  });

  it("has its entry read back, and is read as one stream in spite of it", async () => {
    const entries = [NO_ENTRY, bytesOf('{"raw_bytes":1}'), randomBytes(4096)];
    const raws = [makeText(300_000), randomBytes(70_000), bytesOf("x")];
    const members = raws.map((raw, index) =>
      addMemberEntry(
        compressDense(raw, { compression, level: null, search: "long" }),
        compression,
        entries[index] ?? NO_ENTRY,
      ),
    );

    const object = bytesOf(...members);

    let start = 0;
    for (const [index, member] of members.entries()) {
      const header = readMemberHeader(object, start, compression);
      expect(header).toMatchObject({ kind: "entry", entry: entries[index] });
      expectSame(inflate(member, compression, raws[index]?.length ?? 0), raws[index]);
      start += member.length;
    }
    for (const size of [1000, 100_000]) {
      expectSame(await collect(inflateStream(pieces(object, size), compression)), bytesOf(...raws));
    }
  });
});

it("compressDense() makes one zstd frame of 4 MiB, of what does not compress too, with changing levels", () => {
  const raws = [randomBytes(DENSE_FRAME_MAX_BYTES), makeText(DENSE_FRAME_MAX_BYTES), randomBytes(200_000)];
  for (const level of [null, 1, null, 12, null]) {
    for (const raw of raws) {
      const frame = compressDense(raw, { compression: "zstd", level, search: "short" });

      const header = parseZstdHeader(frame, 0);
      expect(header).toMatchObject({ kind: "frame", contentBytes: raw.length, hasChecksum: true, dictionaryId: null });
      if (header.kind !== "frame") continue;
      expect(walkZstdBlocks(openZstdWalk(header), frame, 0)).toBe(frame.length);
    }
  }
});

it("addMemberEntry() writes these bytes", () => {
  const zstd = addMemberEntry(bytesOf("frames"), "zstd", bytesOf("{}"));
  const gzip = addMemberEntry(bytesOf(new Uint8Array(10), "stream"), "gzip", bytesOf("{}"));

  expect(zstd.toHex()).toBe(`5d2a4d1802000000${bytesOf("{}frames").toHex()}`);
  expect(gzip.toHex()).toBe(`1f8b08040000000000ff0600464e0200${bytesOf("{}stream").toHex()}`);
});

describe("readMemberHeader()", () => {
  const zstd = addMemberEntry(
    compressDense(makeText(100), { compression: "zstd", level: 1, search: "long" }),
    "zstd",
    bytesOf("{}"),
  );
  const gzip = addMemberEntry(
    compressDense(makeText(100), { compression: "gzip", level: 1, search: "long" }),
    "gzip",
    bytesOf("{}"),
  );

  it.each([
    ["a frame", "zstd", zstd.subarray(10), "none"],
    ["another skippable frame", "zstd", skippable("table"), "none"],
    ["a plain member", "gzip", gzipText("x"), "none"],
    ["a member with other subfields", "gzip", withHeader(gzipText("x"), 4, [6, 0], "AB", [2, 0], "xy"), "none"],
    ["nothing", "zstd", NO_ENTRY, "short"],
    ["nothing", "gzip", NO_ENTRY, "short"],
    ["half a skippable frame", "zstd", zstd.subarray(0, 9), "short"],
    ["half a header", "gzip", gzip.subarray(0, 15), "short"],
    ["text", "zstd", bytesOf("text"), "bad"],
    ["text", "gzip", bytesOf("text"), "bad"],
    ["a subfield beyond the others", "gzip", withByte(gzip, 14, () => 3), "bad"],
  ] as const)("finds that %s is no entry (%s)", (_what, compression, bytes, kind) => {
    expect(readMemberHeader(bytes, 0, compression).kind).toBe(kind);
  });

  it("finds an entry behind other subfields, and before a name", () => {
    const others = withHeader(gzipText("x"), 12, [12, 0], "AB", [2, 0], "xy", "FN", [2, 0], "{}", "name", [0]);

    const header = readMemberHeader(others, 0, "gzip");

    expect(header).toEqual({ kind: "entry", entry: bytesOf("{}"), end: 29 });
  });

  it("never throws", () => {
    const parts = array(record({ at: integer({ min: 0, max: 40 }), byte: integer({ min: 0, max: 255 }) }));
    assert(
      property(constantFrom(...COMPRESSIONS), parts, uint8Array({ maxLength: 40 }), (compression, changes, tail) => {
        const bytes = bytesOf(compression === "zstd" ? zstd : gzip, tail);
        for (const { at, byte } of changes) bytes[at] = byte;

        expect(["entry", "none", "short", "bad"]).toContain(readMemberHeader(bytes, 0, compression).kind);
        expect(readMemberHeader(tail, 0, compression).kind).toBeDefined();
      }),
    );
  });
});

describe.each(COMPRESSIONS)("useDense() refuses, with %s,", (compression) => {
  const raw = makeText(10_000);
  const member = compressDense(raw, { compression, level: 1, search: "long" });

  it.each([
    ["a member of another length", member, raw.length + 1],
    ["a longer member", member, raw.length - 1],
    ["a truncated member", member.subarray(0, -1), raw.length],
    ["a member with something behind it", bytesOf(member, [1]), raw.length],
    ["a broken checksum", withByte(member, compression === "zstd" ? -1 : -6, (byte) => byte ^ 1), raw.length],
    ["nothing", NO_ENTRY, 1],
  ])("%s", (_what, bytes, rawBytes) => {
    expect(() => inflate(bytes, compression, rawBytes)).toThrow(
      expect.objectContaining({ kind: "corrupt_object" }) as Error,
    );
  });
});
