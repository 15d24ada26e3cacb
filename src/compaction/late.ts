/** What shards report: an object that came into an hour which is closed (protocol 4.6). */
import { HOUR } from "../units.ts";
import { armAlarm } from "./alarm.ts";
import { commit } from "./commit.ts";
import type { Compactor } from "./compactor.ts";
import { newHour, readHour, writeHour } from "./schema.ts";

/** Notes durably that an hour is to be visited. @param hour any instant of it */
export async function reportLate(compactor: Compactor, hour: number): Promise<void> {
  const { storage } = compactor.deps;
  const first = hour - (hour % HOUR);
  compactor.reported.add(first);
  const row = readHour(storage, first) ?? newHour(first);
  if (!row.isWanted) await commit(compactor, () => writeHour(storage, { ...row, isWanted: true }));
  await armAlarm(compactor);
}
