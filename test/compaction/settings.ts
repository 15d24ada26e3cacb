/** Settings and bounds of Compactors in tests, unless a test has its own. */
import type { WorkBounds } from "../../src/compaction/compactor.ts";
import type { WorkOrder } from "../../src/compaction/contract.ts";
import type { TenantCompaction } from "../../src/config/compact-settings.ts";
import { bytes, HOUR, KIB, MIB, millis } from "../../src/units.ts";

export const RECENT: WorkOrder = { kind: "recent" };

/** Settings of most tests. */
export const SETTINGS: TenantCompaction = {
  isEnabled: true,
  delay: millis(300_000),
  grace: HOUR,
  targetBytes: bytes(128 * MIB),
  compression: "gzip",
  level: null,
  foreign: "keep",
  isSoleWriter: false,
  retention: null,
  legalHold: false,
  bucketExpiration: null,
};

export const BOUNDS: WorkBounds = {
  work: millis(20_000),
  stepRawBytes: 64 * MIB,
  runMaxSources: 2000,
  runMaxRawBytes: 2048 * MIB,
  partBytes: 5 * MIB,
  memberRawBytes: 64 * KIB,
  gatherBytes: 64 * KIB,
};
