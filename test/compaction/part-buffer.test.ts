import { describe, expect, it } from "vitest";
import { openPartBuffer } from "../../src/compaction/part-buffer.ts";

const BYTES = Uint8Array.of(1, 2, 3, 4, 5);

describe("openPartBuffer()", () => {
  it("takes as many bytes as there is room for, and says how many", () => {
    const part = openPartBuffer(8);

    const taken = [part.append(BYTES), part.append(BYTES), part.append(BYTES)];

    expect(taken).toEqual([5, 3, 0]);
    expect(part.isFull).toBe(true);
    expect([...part.view()]).toEqual([1, 2, 3, 4, 5, 1, 2, 3]);
  });

  it("copies what it takes", () => {
    const part = openPartBuffer(8);
    const bytes = BYTES.slice();

    part.append(bytes);
    bytes.fill(0);

    expect([...part.view()]).toEqual([...BYTES]);
  });

  it("begins again after its release", () => {
    const part = openPartBuffer(8);
    part.append(BYTES);

    part.release();
    const forgotten = part.length;
    part.append(BYTES.subarray(3));

    expect(forgotten).toBe(0);
    expect([...part.view()]).toEqual([4, 5]);
  });

  it("gives the memory of a part back at once when it is released", () => {
    const part = openPartBuffer(8);
    part.append(BYTES);
    const view = part.view();

    part.release();

    expect(view.byteLength).toBe(0);
    expect(part.view().byteLength).toBe(0);
  });
});
