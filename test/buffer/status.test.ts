import { describe, expect, it } from "vitest";
import { drain } from "../../src/buffer/flush.ts";
import { claimWatermark, toWatermark } from "../../src/buffer/status.ts";
import { makeMember, withShard } from "./shard-kit.ts";

describe("claimWatermark()", () => {
  it("is never undercut by a later seal, whatever the clock does, and outlives the memory", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      const claimed = await claimWatermark(kit.shard);
      kit.now -= 4 * 60_000;
      await kit.restart();
      await kit.append(makeMember(2));
      await drain(kit.shard, "all");

      const [key] = kit.store.objects.keys();
      expect(Number(key?.split("/")[1]?.split("-")[0])).toBeGreaterThanOrEqual(claimed);
    });
  });

  it("does not follow a clock that was hours ahead", async () => {
    await withShard(async (kit) => {
      kit.now += 5 * 3_600_000;
      await kit.append(makeMember(1));
      await drain(kit.shard, "all");
      kit.now -= 5 * 3_600_000;

      expect(toWatermark(kit.shard)).toBe(kit.now - (kit.now % 60_000));
    });
  });
});

describe("toWatermark()", () => {
  it("is the current minute without sealed data, and the seal's minute while a batch is not stored", async () => {
    await withShard(async (kit) => {
      const minute = kit.now - (kit.now % 60_000);
      await kit.append(makeMember(1));
      expect(toWatermark(kit.shard)).toBe(minute);

      kit.store.onPut = () => {
        throw new Error("down");
      };
      await drain(kit.shard, "all");
      kit.now += 600_000;
      expect(toWatermark(kit.shard)).toBe(minute);
      kit.store.onPut = () => undefined;
      await drain(kit.shard, "all");
      expect(toWatermark(kit.shard)).toBe(minute + 600_000);
    });
  });
});
