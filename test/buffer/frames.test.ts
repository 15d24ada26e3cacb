/** Batches in JSON: whatever happens, each object is one document and nothing is missing. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MemberForm } from "../../src/buffer/contract.ts";
import { drain } from "../../src/buffer/flush.ts";
import { CHUNK_MAX_BYTES } from "../../src/limits.ts";
import { JSON_SAMPLES } from "./samples.ts";
import { storedBytes, withShard, type ShardKit } from "./shard-kit.ts";

const JSON_NONE: MemberForm = { marshaler: "otlp_json", compression: "none" };
const HEAD = '{"resourceSpans":[';
const TAIL = "]}\n";

/** An element of so many bytes that says which one it is. */
function makeElement(number: number, length = 30): Uint8Array {
  return new TextEncoder().encode(`{"schemaUrl":"${String(number).padEnd(length - 16, ".")}"}`);
}

const append = (kit: ShardKit, number: number, length?: number): ReturnType<ShardKit["append"]> =>
  kit.append(makeElement(number, length), { form: JSON_NONE });

/** Numbers of the elements of each object, in the order of the objects. */
function numbersByObject(kit: ShardKit): number[][] {
  return storedBytes(kit.store).map((object) => {
    const text = new TextDecoder().decode(object);
    const document = JSON.parse(text) as { resourceSpans: { schemaUrl: string }[] };
    expect(text.startsWith(HEAD)).toBe(true);
    expect(text.endsWith(TAIL)).toBe(true);
    return document.resourceSpans.map(({ schemaUrl }) => Number.parseInt(schemaUrl, 10));
  });
}

describe("a batch in JSON", () => {
  it.each(JSON_SAMPLES)("is one document and a line feed: $name", async (sample) => {
    await withShard(async (kit) => {
      const members = await Promise.all([1, 2, 3, 4].map((number) => sample.make(number)));
      for (const member of members.slice(0, 2)) await kit.append(member, sample.head);
      await Promise.all(members.slice(2).map((member) => kit.append(member, sample.head)));
      await drain(kit.shard, "all");

      expect(kit.store.objects.size).toBe(1);
      expect(await sample.numbersOf(storedBytes(kit.store))).toEqual([1, 2, 3, 4]);
    });
  });

  it("has one head when an eviction reopened it", async () => {
    await withShard(async (kit) => {
      for (const number of [1, 2, 3]) {
        await append(kit, number);
        await kit.restart();
      }
      await drain(kit.shard, "all");

      expect(numbersByObject(kit)).toEqual([[1, 2, 3]]);
    });
  });

  it("takes members larger than a row, whatever stands before them", { timeout: 60_000 }, async () => {
    await withShard(async (kit) => {
      const lengths = [CHUNK_MAX_BYTES - 28, 30, 2 * CHUNK_MAX_BYTES + 5, CHUNK_MAX_BYTES - 29, 5_000_000];
      for (const [index, length] of lengths.entries()) await append(kit, index, length);
      await drain(kit.shard, "all");

      expect(numbersByObject(kit)).toEqual([[0, 1, 2, 3, 4]]);
    });
  });

  it("counts head, separators and tail: an object reaches FLUSH_MAX_BYTES exactly and never exceeds it", async () => {
    await withShard(async (kit) => {
      const twoElements = HEAD.length + 30 + 1 + 30 + TAIL.length;
      kit.settings.flushMaxBytes = twoElements;
      for (const number of [1, 2, 3, 4]) await append(kit, number);
      kit.settings.flushMaxBytes = twoElements - 1;
      for (const number of [5, 6]) await append(kit, number);

      const unsealed = [...kit.shard.batches.values()].reduce((sum, { memberBytes }) => sum + memberBytes, 0);
      expect(kit.shard.backlogBytes).toBe(unsealed);
      const report = await drain(kit.shard, "all");

      expect(numbersByObject(kit)).toEqual([[1, 2], [3, 4], [5], [6]]);
      const lengths = storedBytes(kit.store).map(({ length }) => length);
      expect(lengths.slice(0, 2)).toEqual([twoElements, twoElements]);
      expect(report.storedBytes).toBe(lengths.reduce((sum, length) => sum + length, 0));
      expect(kit.shard.totals.bytesStored).toBe(report.storedBytes);
      expect(kit.shard.backlogBytes).toBe(0);
      expect(kit.shard.inFlightBytes).toBe(0);
    });
  });

  it("is sent with its tail again after a restart", async () => {
    await withShard(async (kit) => {
      await append(kit, 1);
      kit.store.onPut = () => {
        throw new Error("down");
      };
      await drain(kit.shard, "all");
      kit.store.onPut = () => undefined;
      await kit.restart();
      await drain(kit.shard, "all");

      expect(numbersByObject(kit)).toEqual([[1]]);
      expect(new Set(kit.store.puts).size).toBe(1);
    });
  });

  it("keeps protobuf members as they are beside it", async () => {
    await withShard(async (kit) => {
      const plain: MemberForm = { marshaler: "otlp_proto", compression: "none" };
      await Promise.all([append(kit, 1), kit.append(new Uint8Array([1, 2, 3]), { form: plain }), append(kit, 2)]);
      await kit.append(new Uint8Array([4]), { form: plain });
      await drain(kit.shard, "all");

      const [document, message] = storedBytes(kit.store);
      expect(new TextDecoder().decode(document)).toMatch(/^\{"resourceSpans":\[.*\]\}\n$/);
      expect(message).toEqual(new Uint8Array([1, 2, 3, 4]));
    });
  });

  it(
    "holds exactly what was acknowledged, over any order of groups, evictions, faults and flushes",
    { timeout: 60_000 },
    async () => {
      const length = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 30, max: 3000 }) }, fc.constant(2_500_000));
      const step = fc.oneof(
        {
          weight: 5,
          arbitrary: fc.record({ kind: fc.constant("append"), lengths: fc.array(length, { maxLength: 5 }) }),
        },
        { weight: 2, arbitrary: fc.constant({ kind: "restart", lengths: [] }) },
        { weight: 1, arbitrary: fc.constant({ kind: "fault", lengths: [] }) },
        { weight: 1, arbitrary: fc.constant({ kind: "outage", lengths: [] }) },
        { weight: 2, arbitrary: fc.constant({ kind: "flush", lengths: [] }) },
      );

      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 14 }),
          fc.integer({ min: 100, max: 10_000 }),
          async (steps, max) => {
            await withShard(async (kit) => {
              kit.settings.flushMaxBytes = max;
              const acknowledged = await runSteps(kit, steps);
              await drain(await kit.live(), "all");

              const stored = numbersByObject(kit).flat();
              expect(new Set(stored).size).toBe(stored.length);
              expect(stored.toSorted((a, b) => a - b)).toEqual(acknowledged.toSorted((a, b) => a - b));
            });
          },
        ),
        { numRuns: 40 },
      );
    },
  );
});

interface Step {
  readonly kind: string;
  readonly lengths: readonly number[];
}

/** Runs steps. @returns numbers that were acknowledged, after a retry where a fault left it open */
async function runSteps(kit: ShardKit, steps: readonly Step[]): Promise<number[]> {
  const acknowledged: number[] = [];
  const send = async (number: number, length: number): Promise<void> => {
    const retry = (): ReturnType<ShardKit["append"]> => append(kit, number, length);
    const { kind } = await append(kit, number, length).catch(retry);
    expect(kind).not.toBe("unavailable");
    acknowledged.push(number);
  };
  let count = 0;
  for (const { kind, lengths } of steps) {
    kit.now += 1000;
    if (kind === "append") await Promise.all(lengths.map((length) => send((count += 1), length)));
    if (kind === "restart") await kit.restart();
    if (kind === "fault") failNextCommit(kit);
    if (kind === "outage") kit.store.onPut = failOnce(kit);
    if (kind === "flush") await drain(await kit.live(), "all").catch(() => undefined);
  }
  kit.gate = () => undefined;
  kit.store.onPut = () => undefined;
  return acknowledged;
}

/** The next transaction takes effect, and nobody hears of it. */
function failNextCommit(kit: ShardKit): void {
  kit.gate = (point) => {
    if (point !== "sync.before") return;
    kit.gate = () => undefined;
    throw new Error("unknown");
  };
}

function failOnce(kit: ShardKit): () => void {
  return () => {
    kit.store.onPut = () => undefined;
    throw new Error("store down");
  };
}
