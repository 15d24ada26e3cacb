/** Each kind of finding, made on purpose: what a repair heals is clean afterwards, anything else is untouched. */
import { describe, expect, it } from "vitest";
import { KINDS } from "../../../src/compaction/verify/finding-kinds.ts";
import { DAMAGES } from "./damages.ts";
import { scrub, withArchive } from "./verify-kit.ts";

describe("verify() of", () => {
  it.each(DAMAGES)("$what", async ({ damage, kinds, heals = false, deps = () => ({}) }) => {
    await withArchive(async (kit) => {
      await damage(kit);
      const before = new Map(kit.bucket.store.objects);

      const look = await scrub(kit, {}, deps(kit));
      expect(look.findings.map(({ kind }) => kind).toSorted()).toEqual([...kinds].toSorted());
      expect(look.findings.some(({ repair }) => repair !== "none")).toBe(heals || kinds.includes("orphan_output"));
      expect(kit.bucket.store.objects).toEqual(before);

      const repair = await scrub(kit, { isRepairing: true }, deps(kit));
      if (heals) {
        expect(repair).toMatchObject({ ok: true, repaired: repair.finding_count });
        expect(repair.repaired).toBeGreaterThan(0);
        expect((await scrub(kit, {}, deps(kit))).findings).toEqual([]);
      } else {
        expect(repair.repaired).toBe(0);
        expect(kit.bucket.store.objects).toEqual(before);
      }
    });
  });
});

describe("DAMAGES", () => {
  it("has every kind of finding but those that repair.test.ts makes", () => {
    const made = new Set(DAMAGES.flatMap(({ kinds }) => kinds));

    expect(Object.keys(KINDS).filter((kind) => !made.has(kind as keyof typeof KINDS))).toEqual([
      "unmirrored_manifest",
      "retired_output",
      "wrong_trace_index",
      "lost_trace_index",
    ]);
  });
});
