import { describe, expect, it } from "vitest";
import { makeMember, withShard } from "./shard-kit.ts";

describe("armAlarm()", () => {
  it("sets an alarm again that never came, with the next append", async () => {
    await withShard(async (kit) => {
      await kit.append(makeMember(1));
      kit.alarms.at = null;
      kit.now += 90_000;
      await kit.append(makeMember(2));
      expect(kit.alarms.at).toBeNull();

      kit.now += 60_000;
      await kit.append(makeMember(3));
      expect(kit.alarms.at).toBe(kit.now + 1);
    });
  });

  it("keeps acknowledging while no alarm can be set, and sets it as soon as it can", async () => {
    await withShard(async (kit) => {
      kit.gate = (point) => {
        if (point === "alarm.before") throw new Error("no alarm");
      };
      expect((await kit.append(makeMember(1))).kind).toBe("stored");
      expect(kit.alarms.at).toBeNull();

      kit.gate = () => undefined;
      await kit.append(makeMember(2));
      expect(kit.alarms.at).not.toBeNull();
    });
  });
});
