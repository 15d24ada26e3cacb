import { assert, constantFrom, property, shuffledSubarray, string, array } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkNewest,
  checkSuccessor,
  findNewest,
  type ChainPlace,
  type NewestManifest,
} from "../../src/archive/chain.ts";
import { formatManifestKey, manifestFolder } from "../../src/archive/firn-keys.ts";
import type { Layout } from "../../src/archive/key.ts";
import type { Manifest } from "../../src/archive/manifest.ts";
import type { ManifestOutput } from "../../src/archive/manifest-output.ts";
import { parsePartitionFormat } from "../../src/archive/partition.ts";
import { FirnError } from "../../src/errors.ts";
import { bytes, HOUR, millis } from "../../src/units.ts";
import { SAMPLE_HOUR, SAMPLE_MANIFEST, SAMPLE_OUTPUTS } from "./sample-manifest.ts";

const LAYOUT: Layout = {
  basePrefix: "",
  prefix: "a",
  tenant: "",
  partition: parsePartitionFormat("year=%Y/month=%m/day=%d/hour=%H/minute=%M"),
  filePrefix: "",
};
const PLACE: ChainPlace = { layout: LAYOUT, signal: "traces", hour: SAMPLE_HOUR };
const FOLDER = manifestFolder(LAYOUT, "traces", SAMPLE_HOUR);
const PARENT_SHA = "5".repeat(64);
const SHA = "6".repeat(64);
const KEYS = ["4", "5", "6", "7"].map((digit, index) => keyOf(index + 1, digit.repeat(64)));
const NEWEST = findNewest([keyOf(1, PARENT_SHA), keyOf(2, SHA)], PLACE) as NewestManifest;
const [OUTPUT] = SAMPLE_OUTPUTS as readonly [ManifestOutput];

describe("findNewest()", () => {
  it("finds the highest generation and its parent, in any order and beside other keys", () => {
    const keys = [`${FOLDER}notes.txt`, ...KEYS.toReversed(), `${FOLDER}deeper/00000009-0123456789abcdef.json`];

    expect(findNewest(keys, PLACE)).toEqual({
      key: KEYS[3],
      generation: 4,
      sha16: "7".repeat(16),
      parent: { key: KEYS[2], generation: 3, sha16: "6".repeat(16) },
    });
  });

  it("finds generation 1, which has no parent", () => {
    expect(findNewest(KEYS.slice(0, 1), PLACE)).toMatchObject({ generation: 1, parent: null });
  });

  it.each([[[]], [["a/_firn/manifests/-/traces/x.json", ""]]])("finds nothing in %j", (keys) => {
    expect(findNewest(keys, PLACE)).toBeNull();
  });

  it.each([
    ["generation 2 stands there twice", [...KEYS, keyOf(2, "8".repeat(64))]],
    ["generation 4 stands there twice", [...KEYS, keyOf(4, "8".repeat(64))]],
    ["generation 1 stands there twice", [KEYS[0] ?? "", keyOf(1, "8".repeat(64))]],
    ["generation 3 is missing", KEYS.filter((key) => key !== KEYS[2])],
    ["generation 1 is missing", KEYS.slice(1)],
    ["generation 1 is missing", KEYS.slice(3)],
  ])("refuses: %s", (found, keys) => {
    expect(() => findNewest(keys, PLACE)).toThrow(
      expect.objectContaining({ kind: "corrupt_object", message: expect.stringContaining(found) as unknown }),
    );
  });

  it("gives the newest of any whole chain and nothing for any other choice of keys", () => {
    const twins = KEYS.map((_, index) => keyOf(index + 1, "9".repeat(64)));
    assert(
      property(shuffledSubarray([...KEYS, ...twins]), array(string()), (keys, others) => {
        const generations = keys
          .map((key) => Number(key.slice(FOLDER.length, FOLDER.length + 8)))
          .toSorted((left, right) => left - right);
        const isChain = generations.every((generation, index) => generation === index + 1);

        let found: number | null;
        try {
          found = findNewest([...others, ...keys], PLACE)?.generation ?? 0;
        } catch (error) {
          expect(error).toBeInstanceOf(FirnError);
          found = null;
        }

        expect(found).toBe(isChain ? keys.length : null);
      }),
    );
  });
});

describe("checkNewest()", () => {
  it("takes a manifest that fits its name, its parent and its place", () => {
    checkNewest({ manifest: SAMPLE_MANIFEST, sha256Hex: SHA }, NEWEST, PLACE);
    checkNewest(
      { manifest: { ...SAMPLE_MANIFEST, generation: 1, parent: null }, sha256Hex: "4".repeat(64) },
      findNewest(KEYS.slice(0, 1), PLACE) as NewestManifest,
      PLACE,
    );
  });

  it.each<readonly [string, Partial<Manifest>]>([
    ["it says generation 3", { generation: 3 }],
    ["its parent is not the generation before", { parent: "7".repeat(64) }],
    ["its parent is not the generation before", { parent: null }],
    ["another hour, signal or tenant", { hour: millis(SAMPLE_HOUR + HOUR) }],
    ["another hour, signal or tenant", { signal: "logs" }],
    ["another hour, signal or tenant", { tenant: "acme" }],
    ["is none of the hour", { outputs: [{ ...OUTPUT, key: OUTPUT.key.replace("traces_", "logs_") }] }],
    ["is none of the hour", { outputs: [{ ...OUTPUT, key: OUTPUT.key.replaceAll(/hour=14|T14/g, nextHour) }] }],
    ["is none of the hour", { outputs: [{ ...OUTPUT, key: `x${OUTPUT.key}` }] }],
    ["is none of the hour", { outputs: [{ ...OUTPUT, key: "a/_firn/owner" }] }],
  ])("refuses: %s", (found, values) => {
    expect(() => {
      checkNewest({ manifest: { ...SAMPLE_MANIFEST, ...values }, sha256Hex: SHA }, NEWEST, PLACE);
    }).toThrow(expect.objectContaining({ kind: "corrupt_object", message: expect.stringContaining(found) as unknown }));
  });

  it("refuses bytes that are others than the name says", () => {
    expect(() => {
      checkNewest({ manifest: SAMPLE_MANIFEST, sha256Hex: PARENT_SHA }, NEWEST, PLACE);
    }).toThrow(`Cannot read manifest "${NEWEST.key}": its bytes are others than its name says`);
  });

  it("refuses a parent where the chain begins", () => {
    expect(() => {
      checkNewest({ manifest: SAMPLE_MANIFEST, sha256Hex: SHA }, { ...NEWEST, parent: null }, PLACE);
    }).toThrow("its parent is not the generation before");
  });
});

describe("checkSuccessor()", () => {
  const newer: Manifest = { ...SAMPLE_MANIFEST, generation: 3, parent: SHA };
  const older = { manifest: SAMPLE_MANIFEST, sha256Hex: SHA };
  const part = { key: "part", sizeBytes: bytes(9), sha256: "7".repeat(64), count: 2 };

  it.each<readonly [string, Partial<Manifest>]>([
    ["the same content", {}],
    [
      "more sources",
      { sources: [...SAMPLE_MANIFEST.sources, { shard: 3, incarnation: "0".repeat(8), ranges: [[1, 1]] }] },
    ],
    ["rewritten outputs", { outputs: [{ ...OUTPUT, key: `${OUTPUT.key}2` }] }],
    ["a retired output", { outputs: [{ ...OUTPUT, retired: true }] }],
    ["a new owner", { epoch: 2, deployment: "f".repeat(32) }],
    [
      "foreign sources that moved to a part",
      { foreign: [], foreignSources: [...SAMPLE_MANIFEST.foreignSources, part] },
    ],
    ["an unreadable object that can be read now", { unreadable: [] }],
  ])("takes %s", (_, values) => {
    expect(() => {
      checkSuccessor({ ...newer, ...values }, older, "key");
    }).not.toThrow();
  });

  it.each<readonly [string, Partial<Manifest>]>([
    ["does not name the generation before", { generation: 4 }],
    ["does not name the generation before", { parent: PARENT_SHA }],
    ["another hour, signal or tenant", { tenant: "acme" }],
    ["another hour, signal or tenant", { signal: "logs" }],
    ["another hour, signal or tenant", { hour: millis(0) }],
    ["a deployment of epoch 1 wrote it", { deployment: "f".repeat(32) }],
    ["a deployment of epoch 0 wrote it", { epoch: 0 }],
    ["it forgets sources", { sources: SAMPLE_MANIFEST.sources.slice(1) }],
    ["it forgets sources", { sources: [] }],
    ["it forgets foreign sources", { foreign: SAMPLE_MANIFEST.foreign.slice(1) }],
    ["it forgets foreign sources", { foreignSources: [] }],
    [
      "it forgets foreign sources",
      { foreignSources: [{ ...part, key: SAMPLE_MANIFEST.foreignSources[0]?.key ?? "" }] },
    ],
    [
      "it forgets foreign sources",
      { foreign: SAMPLE_MANIFEST.foreign.map((source) => ({ ...source, sizeBytes: bytes(99) })) },
    ],
    ["has changed", { outputs: [{ ...OUTPUT, itemCount: 13 }] }],
    ["has changed", { outputs: [{ ...OUTPUT, sha256: SHA }] }],
    ["has changed", { outputs: SAMPLE_OUTPUTS.map((output) => ({ ...output, retired: false })) }],
  ])("refuses: %s", (found, values) => {
    expect(() => {
      checkSuccessor({ ...newer, ...values }, older, "key");
    }).toThrow(expect.objectContaining({ kind: "corrupt_object", message: expect.stringContaining(found) as unknown }));
  });

  it("refuses a chain from which any source is missing", () => {
    assert(
      property(constantFrom(1, 2, 41, 42, 44, 60), (sequence) => {
        const ranges = [1, 44].map((first) => [first, first === 1 ? 42 : 60] as const);
        const left = ranges.flatMap(([first, last]) =>
          [[first, sequence - 1] as const, [sequence + 1, last] as const].filter(
            (range) => sequence >= first && sequence <= last && range[0] <= range[1],
          ),
        );
        const sources = [{ shard: 1, incarnation: "9f2c4e7a", ranges: left }, ...SAMPLE_MANIFEST.sources.slice(1)];

        expect(() => {
          checkSuccessor({ ...newer, sources }, older, "key");
        }).toThrow("it forgets sources");
      }),
    );
  });
});

function keyOf(generation: number, sha256Hex: string): string {
  return formatManifestKey({ generation, sha256Hex }, LAYOUT, "traces", SAMPLE_HOUR);
}

function nextHour(text: string): string {
  return text.replace("14", "15");
}
