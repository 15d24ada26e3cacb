/** What the bucket's own lifecycle deletes (protocol 5.11): what is absent then is no fault. */
import { HOUR, type Millis } from "../units.ts";

/** Says whether the bucket's lifecycle may have deleted what an hour holds. @param expiredBefore as a read has it */
export function isExpiredHour(hour: Millis, expiredBefore: Millis | undefined): boolean {
  return expiredBefore !== undefined && hour + HOUR <= expiredBefore;
}
