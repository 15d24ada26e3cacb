import { describe, expect, it } from "vitest";
import { formatOwnerKey } from "../../../src/archive/firn-keys.ts";
import { FirnError } from "../../../src/errors.ts";
import { openMerger } from "../../../src/compaction/merge.ts";
import { HOUR } from "../../../src/units.ts";
import { openBucket, readNames } from "../bucket.ts";
import { withCompactor } from "../compactor-kit.ts";
import { change, copyAs, leaveOrphan, nameOtherTraces, publishNext, sourceKey } from "./damage-tools.ts";
import { kindsOf, nth, objectOf, partsOf, putFresh, scrub, withArchive } from "./verify-kit.ts";

describe("verify() with repair", () => {
  it("keeps an orphan that may be the only copy, since its manifest and claim are lost", async () => {
    await withArchive(async (kit) => {
      const { manifests, claims, outputs } = partsOf(kit);
      for (const key of [nth(manifests, 1), nth(claims, 1)]) kit.bucket.store.objects.delete(key);

      const { findings } = await scrub(kit, { isRepairing: true });

      expect(findings).toMatchObject([
        { kind: "orphan_output", repaired: false, repair_error: expect.stringContaining("may be the only copy") },
        { kind: "sequence_gap" },
      ]);
      expect(partsOf(kit).outputs).toEqual(outputs);
    });
  });

  it("keeps an orphan while the Compactor cannot be asked, or objects are not read", async () => {
    await withArchive(async (kit) => {
      await leaveOrphan(kit);
      const { outputs } = partsOf(kit);

      await scrub(kit, { isRepairing: true }, { askCompactor: async () => null });
      await scrub(kit, { isRepairing: true, isDeep: false });

      expect(partsOf(kit).outputs).toEqual(outputs);
    });
  });

  it.each(["before", "after"])(
    "deletes what a Compactor left that lost its storage, %s the hour is compacted",
    async (when) => {
      const bucket = openBucket();
      for (const minute of [1, 2, 2, 30]) await putFresh(bucket, minute, [`item-${minute}`]);
      await withCompactor(bucket, async (kit) => {
        kit.openMerger = openMerger;
        kit.gate = (point) => {
          if (partsOf(kit).tables.length > 0 && point === "transaction.before") throw new Error("the isolate ends");
        };
        await kit.work().catch(() => undefined);
        kit.gate = () => undefined;
        await kit.loseStorage();
        kit.now += HOUR;
        if (when === "after") await kit.work();
        expect(await kindsOf(scrub(kit))).toEqual(["orphan_output"]);

        expect(await scrub(kit, { isRepairing: true })).toMatchObject({ ok: true, repaired: 1 });

        expect(await scrub(kit)).toMatchObject({ ok: true, finding_count: 0 });
        expect(partsOf(kit).tables).toHaveLength(when === "after" ? 1 : 0);
        expect(await readNames(bucket)).toEqual(bucket.names.toSorted());
      });
    },
  );

  it("changes nothing in an archive of another owner", async () => {
    await withArchive(async (kit) => {
      await copyAs(kit, partsOf(kit).fresh, sourceKey(kit));
      kit.bucket.store.objects.delete(nth(partsOf(kit).tables, 0));
      change(kit.bucket, formatOwnerKey(kit.bucket.layout), (owner) =>
        new TextEncoder().encode(new TextDecoder().decode(owner).replace(/d{32}/, "e".repeat(32))),
      );
      const before = new Map(kit.bucket.store.objects);

      const { ok, repaired, findings } = await scrub(kit, { isRepairing: true });

      expect({ ok, repaired, count: findings.length }).toEqual({ ok: false, repaired: 0, count: 2 });
      expect(findings[0]?.repair_error).toContain("owns it");
      expect(kit.bucket.store.objects).toEqual(before);
    });
  });

  it("keeps a source whose output is missing", async () => {
    await withArchive(async (kit) => {
      await copyAs(kit, partsOf(kit).fresh, sourceKey(kit));
      kit.bucket.store.objects.delete(nth(partsOf(kit).outputs, 1));

      expect(await kindsOf(scrub(kit, { isRepairing: true }))).toEqual(["missing_output", "leftover_source"]);
      expect(kit.bucket.store.objects.has(sourceKey(kit))).toBe(true);
    });
  });

  it("keeps sources within the grace", async () => {
    await withArchive(async (kit) => {
      await kit.work();

      expect(await scrub(kit, { isRepairing: true })).toMatchObject({ ok: true, finding_count: 0 });
      expect(partsOf(kit).fresh).not.toBe("");
    });
  });

  it("lets the Compactor publish what it failed to publish", async () => {
    await withArchive(async (kit) => {
      const { outputs } = partsOf(kit);
      kit.wrap = (store) => ({
        ...store,
        put: async (key, source) => {
          if (key.endsWith(".claim")) throw new FirnError("store_refused", "AccessDenied");
          return store.put(key, source);
        },
      });
      await kit.restart();
      await kit.work();
      expect(partsOf(kit).outputs.length).toBe(outputs.length + 1);

      const look = await scrub(kit);
      expect(look.findings).toMatchObject([{ kind: "unmirrored_manifest", severity: "warning", repaired: false }]);

      kit.wrap = (store) => store;
      await kit.restart();
      kit.now += HOUR;
      const repair = await scrub(kit, { isRepairing: true });
      expect(repair).toMatchObject({ ok: true, repaired: 1, findings: [{ kind: "unmirrored_manifest" }] });
      expect(partsOf(kit).manifests).toHaveLength(3);
      expect(await scrub(kit)).toMatchObject({ ok: true, finding_count: 0 });
    });
  });

  it("deletes an output that is retired and came back", async () => {
    await withArchive(async (kit) => {
      const [output = ""] = partsOf(kit).outputs;
      const object = objectOf(kit.bucket, output);
      await publishNext(kit, (manifest) => ({
        ...manifest,
        outputs: manifest.outputs.map((each) => ({ ...each, retired: true })),
        minutes: [],
        indexes: [],
      }));
      const { outputs, indexes } = partsOf(kit);
      for (const key of [...outputs, ...indexes]) kit.bucket.store.objects.delete(key);
      expect(await kindsOf(scrub(kit))).toEqual([]);
      kit.bucket.store.objects.set(output, object);

      expect(await scrub(kit)).toMatchObject({ ok: false, findings: [{ kind: "retired_output", key: output }] });
      expect(await scrub(kit, { isRepairing: true })).toMatchObject({ ok: true, repaired: 1 });
      expect(partsOf(kit).outputs).toEqual([]);
    });
  });

  it("deletes a trace index that names other traces than its output holds", async () => {
    await withArchive(async (kit) => {
      await nameOtherTraces(kit);
      const [index = ""] = partsOf(kit).indexes;

      expect(await kindsOf(scrub(kit, { isDeep: false }))).toEqual([]);
      expect((await scrub(kit)).findings).toMatchObject([{ kind: "wrong_trace_index", severity: "error", key: index }]);
      expect(await scrub(kit, { isRepairing: true })).toMatchObject({ ok: true, repaired: 1 });
      expect(partsOf(kit).indexes).not.toContain(index);
      // It cannot be made as the manifest names it, which is known when the output is read: readers do without it.
      expect(await scrub(kit)).toMatchObject({ ok: true, findings: [{ kind: "lost_trace_index", severity: "info" }] });
      expect((await scrub(kit, { isRepairing: true, isDeep: false })).findings).toMatchObject([
        { kind: "missing_trace_index", repaired: false, repair_error: expect.stringContaining("another one") },
      ]);
    });
  });

  it("makes a trace index again without having read the objects", async () => {
    await withArchive(async (kit) => {
      const [index = ""] = partsOf(kit).indexes;
      const object = objectOf(kit.bucket, index);
      kit.bucket.store.objects.delete(index);

      expect(await scrub(kit, { isRepairing: true, isDeep: false })).toMatchObject({ ok: true, repaired: 1 });
      expect(objectOf(kit.bucket, index).bytes).toEqual(object.bytes);
    });
  });
});
