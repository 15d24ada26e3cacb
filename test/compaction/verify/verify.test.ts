import { describe, expect, it } from "vitest";
import { aroundCalls } from "../../../src/object-store/around-calls.ts";
import { HOUR, millis } from "../../../src/units.ts";
import { at, HOUR_FORMAT, MINUTE_FORMAT } from "../../reader/archive-sample.ts";
import { HOUR_14, JSON_GZIP, openBucket, readNames } from "../bucket.ts";
import { withCompactor } from "../compactor-kit.ts";
import { openMerger } from "../../../src/compaction/merge.ts";
import { publishNext } from "./damage-tools.ts";
import { partsOf, putFresh, scrub, withArchive } from "./verify-kit.ts";

describe("verify()", () => {
  it("finds nothing in an archive that is sound", async () => {
    await withArchive(async (kit) => {
      const document = await scrub(kit);

      expect(document.findings).toEqual([]);
      expect(document).toMatchObject({
        ok: true,
        complete: true,
        next: null,
        deep: true,
        checked: { hours: 1, objects: 3, items: 6 },
        finding_count: 0,
        repaired: 0,
        sequences: [{ signal: "traces", shard: 0, incarnation: "9f2c4e7a", lowest: 1, highest: 5 }],
      });
      expect(document.checked.members).toBeGreaterThan(1);
      expect(document.checked.bytes).toBeGreaterThan(100);
    });
  });

  it("takes an output for sound whose manifest had no room for the names of its services", async () => {
    await withArchive(async (kit) => {
      await publishNext(kit, (manifest) => ({
        ...manifest,
        outputs: manifest.outputs.map((output) => ({ ...output, services: null })),
      }));

      expect((await scrub(kit)).findings).toEqual([]);
    });
  });

  const formats = [[MINUTE_FORMAT], [HOUR_FORMAT], ["%d.%m.%Y/%H"]];
  it.each(formats)(
    "finds and changes nothing at any call of the store that compaction makes, in %s",
    async (format) => {
      const bucket = openBucket({ format });
      for (const minute of [1, 2, 2, 30]) await putFresh(bucket, minute, [`item-${minute}`]);
      await putFresh(bucket, 40, ["item-40"], { form: JSON_GZIP });
      await withCompactor(bucket, async (kit) => {
        kit.openMerger = openMerger;
        let looks = 0;
        const found: unknown[] = [];
        const look = async (): Promise<void> => {
          const { findings } = await scrub(kit, { isRepairing: true });
          found.push(...findings);
          looks += 1;
        };
        kit.wrap = (store) =>
          aroundCalls(store, async (_call, ask) => {
            await look();
            return ask();
          });

        await kit.restart();
        await look();
        await kit.work();
        await look();
        kit.now += HOUR;
        await kit.settle();
        await putFresh(bucket, 50, ["item-50"]);
        await kit.work();
        await look();

        expect(found).toEqual([]);
        expect(looks).toBeGreaterThan(30);
        expect(await readNames(bucket)).toEqual(
          ["item-1", "item-2", "item-2", "item-30", "item-40", "item-50"].toSorted(),
        );
      });
    },
    60_000,
  );

  it("reads no object when it is not deep, and sees what is missing all the same", async () => {
    await withArchive(async (kit) => {
      const [output = ""] = partsOf(kit).outputs;
      expect(await scrub(kit, { isDeep: false })).toMatchObject({ ok: true, checked: { items: 0, bytes: 0 } });

      kit.bucket.store.objects.delete(output);

      const { ok, findings } = await scrub(kit, { isDeep: false });
      expect(ok).toBe(false);
      expect(findings).toMatchObject([{ kind: "missing_output", key: output, severity: "error", repair: "none" }]);
    });
  });

  it("ends itself after so many calls, and says where to go on", async () => {
    await withArchive(async (kit) => {
      await putFresh(kit.bucket, 1, ["item-7"], { hour: millis(HOUR_14 + 2 * HOUR) });

      const first = await scrub(kit, {}, { maxStoreCalls: 5 });
      expect(first).toMatchObject({ ok: false, complete: false, next: "2026-05-01T15:00:00.000Z", finding_count: 0 });
      expect(first.sequences).toMatchObject([{ lowest: 1, highest: 5 }]);

      const second = await scrub(kit, { start: at(first.next ?? "") });
      expect(second).toMatchObject({ ok: true, complete: true, checked: { items: 1 } });
      expect(second.sequences).toMatchObject([{ lowest: 6, highest: 6 }]);
    });
  });
});
