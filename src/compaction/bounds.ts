/** How much a Compactor does at once; tests hand in smaller bounds. */
import {
  COMPACT_GATHER_BYTES,
  COMPACT_MEMBER_RAW_BYTES,
  COMPACT_PART_BYTES,
  COMPACT_RUN_MAX_RAW_BYTES,
  COMPACT_RUN_MAX_SOURCES,
  COMPACT_STEP_RAW_BYTES,
  COMPACT_WORK_TIME,
} from "../limits.ts";
import type { WorkBounds } from "./compactor.ts";

/** The bounds of production. */
export const COMPACTION_BOUNDS: WorkBounds = {
  work: COMPACT_WORK_TIME,
  stepRawBytes: COMPACT_STEP_RAW_BYTES,
  runMaxSources: COMPACT_RUN_MAX_SOURCES,
  runMaxRawBytes: COMPACT_RUN_MAX_RAW_BYTES,
  partBytes: COMPACT_PART_BYTES,
  memberRawBytes: COMPACT_MEMBER_RAW_BYTES,
  gatherBytes: COMPACT_GATHER_BYTES,
};
