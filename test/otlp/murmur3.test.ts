import { assert, integer, nat, property, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { Murmur3 } from "../../src/otlp/murmur3.ts";

function hash(bytes: Uint8Array, seed: number): Murmur3 {
  const murmur = new Murmur3();
  murmur.hash(toView(bytes), 0, bytes.length, seed);
  return murmur;
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function toHex({ h1, h2, h3, h4 }: Murmur3): string {
  return [h1, h2, h3, h4].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function toBytes(murmur: Murmur3): Uint8Array {
  const bytes = new Uint8Array(16);
  murmur.writeTo(toView(bytes), 0);
  return bytes;
}

describe("Murmur3.hash()", () => {
  test.each([
    [123, "Hello, world!", "61c9129e5a1aacd7a41621629e37c886"],
    [321, "Hello, world!", "d5fbdcb3c26c4193045880c5a7170f0f"],
    [123, "x".repeat(28), "5e40bab278825a164cf929d31fec6047"],
    [123, "", "fedc524526f3e79926f3e79926f3e799"],
    [0, "", "0".repeat(32)],
  ])("is that of other implementations: seed %d, %j", (seed, text, expected) => {
    expect(toHex(hash(new TextEncoder().encode(text), seed))).toBe(expected);
  });

  test("gives the verification value of SMHasher", () => {
    const key = Uint8Array.from({ length: 256 }, (_, index) => index);
    const all = new Uint8Array(key.length * 16);
    for (let length = 0; length < 256; length += 1) {
      all.set(toBytes(hash(key.subarray(0, length), 256 - length)), length * 16);
    }

    expect(toHex(hash(all, 0)).slice(0, 8)).toBe("b3ece62a");
  });

  test("reads nothing around its range", () => {
    assert(
      property(uint8Array({ maxLength: 40 }), nat(20), nat(20), (bytes, before, after) => {
        const wide = new Uint8Array(before + bytes.length + after).fill(0xff);
        wide.set(bytes, before);
        const murmur = new Murmur3();

        murmur.hash(toView(wide), before, before + bytes.length, 7);

        expect(toHex(murmur)).toBe(toHex(hash(bytes, 7)));
      }),
    );
  });
});

describe("Murmur3.hashAfter()", () => {
  test("is the hash of a hash's bytes and what follows them", () => {
    assert(
      property(uint8Array({ maxLength: 50 }), uint8Array({ maxLength: 70 }), integer(), (context, rest, seed) => {
        const first = hash(context, seed);
        const opened = new Murmur3();
        opened.openWith(first);
        const murmur = new Murmur3();
        murmur.hashAfter(opened, toView(rest), 0, rest.length);

        expect(toHex(murmur)).toBe(toHex(hash(Uint8Array.from([...toBytes(first), ...rest]), 0)));
      }),
    );
  });
});
