import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { literalMember } from "../../src/compression/member.ts";
import { inflateBody, type ContentCoding } from "../../src/compression/request-body.ts";
import { bytesOf, member, text } from "./gzip-bytes.ts";
import { frame, rleBomb } from "./zstd-bytes.ts";

/** Adler-32 of so many zeros. */
function adlerOfZeros(length: number): number[] {
  const sum = length % 65_521;
  return [sum >> 8, sum & 0xff, 0, 1];
}

const ZLIB_HELLO = bytesOf([0x78, 0x9c], member("hello").subarray(10, -8), [0x06, 0x2c, 0x02, 0x15]);
const CODINGS: readonly (readonly [ContentCoding, Uint8Array])[] = [
  ["gzip", member("hello")],
  ["deflate", ZLIB_HELLO],
  ["zstd", frame("hello")],
];

describe("inflateBody()", () => {
  it.each(CODINGS)("undoes %s", (coding, wire) => {
    expect(text(inflateBody(coding, wire, 5).body)).toBe("hello");
  });

  it.each(CODINGS)("takes a body without bytes for an empty one in %s", (coding) => {
    expect(inflateBody(coding, bytesOf(), 5)).toEqual({ body: bytesOf(), isClean: false });
  });

  it("refuses each coding under the name of any other", () => {
    for (const [coding] of CODINGS) {
      for (const [other, wire] of CODINGS) {
        if (other === coding) continue;

        expect(() => inflateBody(coding, wire, 5), `${other} as ${coding}`).toThrow(
          expect.objectContaining({ kind: "invalid_request", field: "body" }),
        );
      }
    }
  });

  it("undoes a coding once, however often it was applied", () => {
    for (const compression of ["gzip", "zstd"] as const) {
      const twice = literalMember(literalMember(bytesOf("hello"), compression), compression);
      const once = inflateBody(compression, twice, 1000);

      expect(once.body).toEqual(literalMember(bytesOf("hello"), compression));
    }
  });
});

describe("inflateBody() cuts bombs off", () => {
  const LIMIT = 4 << 20;
  const zeros = new Uint8Array(64 << 20);
  const deflated = Uint8Array.from(gzipSync(zeros)).subarray(10, -8);

  it.each<readonly [string, ContentCoding, Uint8Array, number]>([
    ["a thousandfold", "gzip", bytesOf(member("").subarray(0, 10), deflated), zeros.length],
    ["a thousandfold", "deflate", bytesOf([0x78, 0x9c], deflated, adlerOfZeros(zeros.length)), zeros.length],
    ["thirty-thousandfold", "zstd", rleBomb(5000), 5000 * 2 ** 17],
    ["thirty-thousandfold, 786 GB in all", "zstd", rleBomb(6_000_000), 6_000_000 * 2 ** 17],
  ])("%s in %s", async (_name, coding, wire, inflatedBytes) => {
    const start = Date.now();

    expect(() => inflateBody(coding, wire, LIMIT)).toThrow(
      expect.objectContaining({ kind: "too_large", field: "body" }),
    );
    // The clock stands still until something is awaited.
    await scheduler.wait(1);
    expect(Date.now() - start).toBeLessThan(2000);
    expect(inflatedBytes / wire.length).toBeGreaterThan(1000);
  });
});
