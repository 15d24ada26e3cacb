/** What a manifest holds and has room for, and what becomes of the files that it names no more. */
import { describe, expect, it } from "vitest";
import { decodeManifest, type Manifest } from "../../src/archive/manifest.ts";
import { buildManifest, encodeWithinBounds, NO_ADDITIONS } from "../../src/compaction/build-manifest.ts";
import { findCommit } from "../../src/compaction/ledger.ts";
import { readNewest } from "../../src/compaction/newest.ts";
import { commitGeneration } from "../../src/compaction/publish.ts";
import { MANIFEST_MAX_BYTES } from "../../src/limits.ts";
import { HOUR_14, openBucket } from "./bucket.ts";
import { withCompactor } from "./compactor-kit.ts";

describe("buildManifest()", () => {
  it("names no more retired outputs than it has room for, and all that are retired now", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      const newest = await readNewest(kit.compactor, HOUR_14);
      const live = newest?.manifest.outputs[0];
      if (newest === null || live === undefined) throw new Error("Nothing was published");
      const retired = Array.from({ length: 200 }, (_, index) => ({
        ...live,
        key: `${live.key}-${index}`,
        retired: true,
      }));
      const manifest = { ...newest.manifest, outputs: [...retired, live] };

      const built = await buildManifest(
        kit.compactor,
        { ...NO_ADDITIONS, hour: HOUR_14, newest: { ...newest, manifest }, isRetiring: true },
        { deployment: kit.deployment, epoch: 1 },
      );

      const outputs = [...retired.slice(-127), { ...live, retired: true }];
      expect(built.manifest.outputs).toEqual(outputs);
      expect(built.replaced).toEqual([live.key, live.members.key]);
    });
  });
});

/** Outputs with long keys and service names, and as many indexes as a manifest may name. */
function crowd(manifest: Manifest, count: number, services: number): Manifest {
  const [live] = manifest.outputs;
  if (live === undefined) throw new Error("Nothing was published");
  const names = Array.from({ length: services }, (_, index) => `サービスの名前-${String(index).padStart(3, "0")}`);
  const outputs = Array.from({ length: count }, (_, index) => ({
    ...live,
    key: `${live.key}-${String(index).padStart(300, "0")}`,
    services: names,
    ...(index === 0 ? {} : { itemCount: 0, digest: "0".repeat(32) }),
  }));
  const indexes = outputs.slice(0, 96).map(({ key, members }) => ({ ...members, key: `${key}.trace`, output: key }));
  return { ...manifest, outputs, indexes };
}

describe("encodeWithinBounds()", () => {
  it.each([
    ["names all services and indexes while there is room", { outputs: 20, services: 3, kept: 20, indexes: 20 }],
    ["leaves out the last indexes where outputs take room", { outputs: 160, services: 10, kept: 160, indexes: 66 }],
    ["leaves out all services where they take the room", { outputs: 160, services: 60, kept: 0, indexes: 69 }],
  ])("%s", async (_name, { outputs, services, kept, indexes: indexCount }) => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      const newest = await readNewest(kit.compactor, HOUR_14);
      if (newest === null) throw new Error("Nothing was published");
      const given = crowd(newest.manifest, outputs, services);

      const { manifest, encoded, leftOut } = encodeWithinBounds(given);
      expect(encoded.length).toBeLessThanOrEqual(MANIFEST_MAX_BYTES);
      expect(decodeManifest(encoded)).toEqual(manifest);
      expect(manifest.outputs.filter((output) => output.services !== null)).toHaveLength(kept);
      expect(manifest.indexes).toEqual(given.indexes.slice(0, indexCount));
      expect(leftOut).toEqual(given.indexes.slice(indexCount).map(({ key }) => key));
    });
  });
});

describe("commitGeneration()", () => {
  it("throws away the trace indexes for which the manifest has no room any more", async () => {
    const bucket = openBucket();
    bucket.put(3, ["item-1"]);
    await withCompactor(bucket, async (kit) => {
      await kit.work();
      const newest = await readNewest(kit.compactor, HOUR_14);
      if (newest === null) throw new Error("Nothing was published");
      const manifest = crowd(newest.manifest, 160, 10);

      await commitGeneration(kit.compactor, { ...NO_ADDITIONS, hour: HOUR_14, newest: { ...newest, manifest } });

      const commit = findCommit(kit.storage, kit.now);
      expect(commit?.replaced).toEqual(manifest.indexes.slice(66).map(({ key }) => key));
    });
  });
});
