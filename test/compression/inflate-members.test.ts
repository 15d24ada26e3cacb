import { array, assert, asyncProperty, boolean, integer, record } from "fast-check";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflateMembers } from "../../src/compression/inflate-members.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { compressMember, literalMember } from "../../src/compression/member.ts";
import { bytesOf, member, randomBytes, text, withByte } from "./gzip-bytes.ts";
import { collect, pieces } from "./pieces.ts";
import { makeText } from "./zstd-bytes.ts";

const MIB = 2 ** 20;

function gzip(raw: Uint8Array): Uint8Array {
  return Uint8Array.from(gzipSync(raw));
}

/** Copies pieces, whose memory is used again. */
async function read(object: Uint8Array, size = 65_536): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of inflateMembers(pieces(object, size), "gzip")) all.push(piece.slice());
  return bytesOf(...all);
}

/** Pieces of one memory, which is filled anew for each. */
async function* passingPieces(object: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(size);
  for (let at = 0; at < object.length; at += size) {
    memory.fill(0xff);
    const piece = object.subarray(at, at + size);
    memory.set(piece);
    yield memory.subarray(0, piece.length);
  }
  memory.fill(0xff);
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

describe("inflateMembers()", () => {
  it.each([1, 10, 4096, 65_536, 10 * MIB])("gives what members hold, read in pieces of %i bytes", async (size) => {
    const raws = [bytesOf("a"), makeText(100_000), new Uint8Array(0), randomBytes(50_000), bytesOf("z")];
    const object = bytesOf(...raws.map(gzip));

    expect(isSame(await read(object, size), bytesOf(...raws))).toBe(true);
  });

  it.each(["gzip", "zstd"] as const)(
    "reads %s from passing pieces, whose memory is used again",
    async (compression) => {
      const raws = [makeText(100_000), randomBytes(50_000), makeText(700_000), bytesOf("z")];
      const object = bytesOf(...raws.map((raw) => compressMember(raw, compression)));

      for (const size of [1000, 4096, 65_536, 300_000]) {
        const all: Uint8Array[] = [];
        const source = passingPieces(object, size);
        for await (const piece of inflateMembers(source, compression)) all.push(piece.slice());
        expect(isSame(bytesOf(...all), bytesOf(...raws))).toBe(true);
      }
    },
  );

  it("gives what is longer than a piece, compressible or not", async () => {
    const raws = [makeText(5 * MIB), new Uint8Array(20 * MIB), randomBytes(3 * MIB), makeText(10)];
    const object = bytesOf(...raws.map(gzip));

    expect(isSame(await read(object), bytesOf(...raws))).toBe(true);
  });

  it("gives what is dense all of a sudden, at the end of a piece too", async () => {
    for (const before of [0, MIB, 4 * MIB - 5000, 4 * MIB - 1]) {
      const raw = bytesOf(randomBytes(before), new Uint8Array(9 * MIB), makeText(100_000));
      expect(isSame(await read(gzip(raw)), raw)).toBe(true);
    }
  });

  it("gives what is dense all of a sudden in pieces that are not as dense", async () => {
    for (const before of [300, 100_000, 4 * MIB - 1]) {
      const object = gzip(bytesOf(randomBytes(before), new Uint8Array(64 * MIB)));
      for (const size of ["long", "short"] as const) {
        let longest = 0;
        for await (const piece of inflateMembers(pieces(object, MIB), "gzip", size)) {
          longest = Math.max(longest, piece.length);
        }
        expect(longest).toBeLessThan(8.2 * MIB);
      }
    }
  });

  it("gives several members in a piece, and each whole that fits into one", async () => {
    const raws = [makeText(3 * MIB), makeText(2 * MIB), bytesOf("x")];
    const lengths: number[] = [];
    for await (const piece of inflateMembers(pieces(bytesOf(...raws.map(gzip)), 1000), "gzip")) {
      lengths.push(piece.length);
    }

    expect(lengths).toEqual([3 * MIB, 2 * MIB + 1]);
  });

  it("gives what is right, unless it is little, before it waits for more", async () => {
    const raws = [makeText(800_000), makeText(800_000), randomBytes(100_000), makeText(2 * MIB)];
    const order: string[] = [];
    async function* ask(): AsyncGenerator<Uint8Array> {
      for (const raw of raws) {
        order.push("ask");
        const whole = gzip(raw);
        yield whole.subarray(0, 5000);
        order.push("ask");
        yield whole.subarray(5000);
      }
    }

    for await (const piece of inflateMembers(ask(), "gzip")) order.push(String(piece.length));

    const given = ["ask", "ask", "ask", "ask", "1600000", "ask", "ask", "ask", "ask"];
    expect(order).toEqual([...given, String(100_000 + 2 * MIB)]);
  });

  it("gives what stands before a broken member, and nothing of one that fits into a piece", async () => {
    const broken = withByte(gzip(makeText(MIB)), -6, (byte) => byte ^ 1);
    const found: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of inflateMembers(pieces(bytesOf(member("a"), member("b"), broken), 1000), "gzip")) {
        found.push(piece.slice());
      }
    })();

    await expect(reading).rejects.toMatchObject({ kind: "corrupt_object" });
    expect(text(bytesOf(...found))).toBe("ab");
  });

  it("gives the same as inflateStream() of any members", async () => {
    const parts = array(record({ length: integer({ min: 0, max: 300_000 }), isRandom: boolean() }), { maxLength: 6 });
    await assert(
      asyncProperty(parts, integer({ min: 100, max: 100_000 }), async (members, size) => {
        const raws = members.map(({ length, isRandom }) => (isRandom ? randomBytes(length) : makeText(length)));
        const object = bytesOf(member("first"), ...raws.map(gzip));

        expect(isSame(await read(object, size), await collect(inflateStream(pieces(object, size), "gzip")))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("lets two readers take turns", async () => {
    const raws = [makeText(3 * MIB), randomBytes(3 * MIB)];
    const readers = raws.map((raw) => inflateMembers(pieces(bytesOf(gzip(raw), gzip(raw)), 30_000), "gzip"));
    const found: Uint8Array[][] = [[], []];

    for (let left = true; left;) {
      left = false;
      for (const [index, reader] of readers.entries()) {
        const { value } = await reader.next();
        if (value === undefined) continue;
        found[index]?.push(value.slice());
        left = true;
      }
    }

    for (const [index, raw] of raws.entries()) {
      expect(isSame(bytesOf(...(found[index] ?? [])), bytesOf(raw, raw))).toBe(true);
    }
  });

  it("closes its source, and goes on with another object, when a reader stops early", async () => {
    const source = pieces(gzip(makeText(5 * MIB)), 10_000);
    for await (const piece of inflateMembers(source, "gzip")) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }

    expect(source.state.isClosed).toBe(true);
    expect(text(await read(member("next")))).toBe("next");
  });

  it("passes on what the source throws, and reads the next object", async () => {
    await expect(collect(inflateMembers(fail(), "gzip"))).rejects.toThrow("gone");
    expect(text(await read(member("next")))).toBe("next");
  });

  it.each(["zstd", "none"] as const)("reads %s as inflateStream() does", async (compression) => {
    const raw = makeText(100_000);
    const object = compressMember(raw, compression);

    expect(isSame(await collect(inflateMembers(pieces(object, 1000), compression)), raw)).toBe(true);
  });
});

describe("inflateMembers() refuses", () => {
  const whole = bytesOf(gzip(makeText(50_000)), member("second"));
  const broken = bytesOf(gzip(makeText(50_000)).subarray(0, 100), new Uint8Array(50).fill(255), member("second"));

  it.each([
    ["nothing", new Uint8Array(0)],
    ["text", bytesOf("text")],
    ["half a header", whole.subarray(0, 5)],
    ["a truncated stream", gzip(makeText(50_000)).subarray(0, 200)],
    ["a truncated trailer", whole.subarray(0, -1)],
    ["a wrong checksum", withByte(whole, -6, (byte) => byte ^ 1)],
    ["a wrong length", withByte(whole, -2, (byte) => byte ^ 1)],
    ["a zero byte between members", bytesOf(member("a"), [0], member("b"))],
    ["a broken stream", broken],
    ["a stored block with another length", withByte(literalMember(bytesOf("abc"), "gzip"), 13, () => 0)],
  ])("%s, and reads the next object", async (_what, object) => {
    await expect(read(object, 50)).rejects.toMatchObject({ kind: "corrupt_object" });
    expect(text(await read(member("next")))).toBe("next");
  });
});

async function* fail(): AsyncGenerator<Uint8Array> {
  yield member("whole").subarray(0, 15);
  throw new RangeError("gone");
}
