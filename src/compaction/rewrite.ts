/**
 * When late objects have left an hour with many small outputs, those are rewritten into one generation, themselves
 * being the sources (protocol 5.8). Large outputs stay as they are.
 */
import { parseKey } from "../archive/key.ts";
import { liveOutputs } from "../archive/visibility.ts";
import { COMPACT_MAX_LATE_OUTPUTS, COMPACT_SET_ASIDE_ATTEMPTS } from "../limits.ts";
import type { HourManifest } from "../reader/manifests.ts";
import { millis } from "../units.ts";
import type { Compactor, Run } from "./compactor.ts";
import { isExpired } from "./delete.ts";
import { readOutputMinutes } from "./rewrite-reader.ts";
import type { HourRow, SourceRow } from "./schema.ts";

/** A rewrite that is worth it. */
export interface PlannedRewrite {
  readonly run: Run;
  readonly sources: readonly SourceRow[];
}

/**
 * Plans a rewrite of an hour's small outputs; `null` while there are few, or the bucket's lifecycle deletes them.
 */
export async function planRewrite(
  compactor: Compactor,
  row: HourRow,
  newest: HourManifest,
): Promise<PlannedRewrite | null> {
  const { settings, layout } = compactor.deps;
  const hour = millis(row.hour);
  if (isExpired(compactor, hour)) return null;
  const small = liveOutputs(newest.manifest)
    .filter(({ rawBytes }) => rawBytes < settings.targetBytes / 2)
    .map((output) => ({ output, marshaler: parseKey(output.key, layout)?.form.marshaler }));
  for (const marshaler of ["otlp_proto", "otlp_json"] as const) {
    const outputs = small.flatMap((one) => (one.marshaler === marshaler ? [one.output] : []));
    if (outputs.length <= COMPACT_MAX_LATE_OUTPUTS) continue;
    const sources = await readOutputMinutes(compactor, outputs);
    const run: Run = {
      hour,
      attempt: compactor.counters.nextAttempt,
      maxAttempts: Math.max(COMPACT_SET_ASIDE_ATTEMPTS, row.attempts + 1),
      shrink: 0,
      kind: "rewrite",
      marshaler,
      compression: settings.compression,
      parent: { generation: newest.manifest.generation, sha256Hex: newest.sha256Hex },
      keptOutputs: newest.manifest.outputs.length - outputs.length,
      rewrites: outputs.map(({ key }) => key),
      sourceCount: sources.length,
      nextSource: 0,
      sourceTotals: new Map(),
      outputTotals: new Map(),
      hasMore: false,
    };
    return { run, sources };
  }
  return null;
}
