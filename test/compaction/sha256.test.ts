import { describe, expect, it } from "vitest";
import { endSha256, extendSha256, SHA256_START } from "../../src/compaction/sha256.ts";

async function digestOf(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function makeBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 131 + (index >> 8)) & 0xff);
}

describe("endSha256()", () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 100_003])(
    "agrees with the platform on %i bytes",
    async (length) => {
      const bytes = makeBytes(length);

      expect(endSha256(SHA256_START, bytes)).toBe(await digestOf(bytes));
    },
  );

  it("goes on where the state of another time stood", async () => {
    const bytes = makeBytes(10_007);
    const state = extendSha256(extendSha256(SHA256_START, bytes.subarray(0, 640)), bytes.subarray(640, 6400));
    const kept: typeof state = JSON.parse(JSON.stringify(state));

    expect(endSha256(kept, bytes.subarray(6400))).toBe(await digestOf(bytes));
  });

  it("refuses to go on in the middle of a block", () => {
    expect(() => extendSha256(SHA256_START, new Uint8Array(63))).toThrow(RangeError);
  });
});
