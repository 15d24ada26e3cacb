/** The kinds of findings: how bad each is, what a repair does about it, and what an operator can do where none does. */
import type { FindingKind, Severity } from "./contract.ts";

/** What is known of a kind. */
export interface KindFacts {
  readonly severity: Severity;
  /** What a repair does; `null` when there is none. */
  readonly repair: string | null;
  /** What an operator can do where there is no repair, or where it cannot be made. */
  readonly advice: string;
}

const VERSIONS = "Restore it from a version or copy of the bucket";
const READS_NOTHING = "Until then nothing of the hour is read, compacted or deleted";

/** What is known of each kind. */
export const KINDS: Readonly<Record<FindingKind, KindFacts>> = {
  unknown_format: fact("error", null, "Verify with the release that wrote it, or a newer one"),
  damaged_manifest: fact("error", "put its bytes back from its claim", `${VERSIONS}. ${READS_NOTHING}`),
  missing_manifest: fact("error", "put its bytes back from its claim", `${VERSIONS}. ${READS_NOTHING}`),
  doubled_generation: fact(
    "error",
    null,
    `Keep the one whose bytes the claim holds, and delete the other one by hand. ${READS_NOTHING}`,
  ),
  broken_chain: fact("error", null, `${VERSIONS}, the manifest or its parent. ${READS_NOTHING}`),
  missing_claim: fact("warning", "put the bytes of its manifest as the claim", "Verify with repair=true"),
  damaged_claim: fact("warning", "put the bytes of its manifest in its place", "Verify with repair=true"),
  unfinished_publication: fact("warning", "put the manifest that it claims", "Compact the hour, which finishes it"),
  unmirrored_manifest: fact("warning", "let the Compactor publish it", "Look at the Compactor's last error in /status"),
  wrong_manifest: fact("error", null, `${VERSIONS}, the outputs or the manifest: one of them was changed`),
  missing_output: fact("error", null, `${VERSIONS}; while sources of the hour still stand, keep copies of them`),
  expired_output: fact("info", null, "Nothing: the bucket's lifecycle deletes objects of this age"),
  damaged_output: fact("error", null, `${VERSIONS}; undamaged members of it are still read with on_error=skip`),
  retired_output: fact("warning", "delete it", "Compact the hour, which deletes it"),
  missing_member_table: fact("warning", "make it again from the output", "Readers do without it, slowly"),
  damaged_member_table: fact("warning", "make it again from the output", "Readers do without it, slowly"),
  missing_trace_index: fact("warning", "make it again from the output", "Readers do without it, slowly"),
  damaged_trace_index: fact("warning", "make it again from the output", "Readers do without it, slowly"),
  wrong_trace_index: fact("error", "delete it: readers do without it", "Delete it by hand: it hides traces"),
  lost_trace_index: fact("info", null, "Nothing: readers look into its output instead"),
  damaged_foreign_part: fact("error", null, `${VERSIONS}: without it nobody knows which foreign objects outputs hold`),
  leftover_source: fact("warning", "delete it: outputs hold its items", "Compact the hour, which deletes it"),
  unreadable_object: fact("error", null, `${VERSIONS}, or read past it with on_error=skip`),
  damaged_object: fact("error", null, VERSIONS),
  vanished_object: fact("error", null, "Find out who deletes here: the store listed it, and no manifest names it"),
  frozen_object: fact("warning", null, "Restore it from its storage class, then verify again"),
  orphan_output: fact("warning", "delete it: no manifest names it", "Verify again when the Compactor can be asked"),
  orphan_file: fact("warning", "delete it: no manifest names it", "Verify again when the Compactor can be asked"),
  unfinished_upload: fact("info", null, "Nothing: the bucket's lifecycle rule for unfinished uploads ends it"),
  unknown_file: fact("warning", null, "Find out who writes here: everything below _firn/ is Firn's own"),
  foreign_key: fact("warning", null, "Move it to a key of a partition if it is telemetry: no reader sees it here"),
  doubled_sequence: fact("error", null, "Compare the two: a number names one object, and a copy shows its items twice"),
  sequence_gap: fact(
    "error",
    null,
    `${VERSIONS}: objects of these numbers were sealed, and are gone or not stored yet`,
  ),
};

function fact(severity: Severity, repair: string | null, advice: string): KindFacts {
  return { severity, repair, advice };
}
