/**
 * From outputs that are stored to a generation that readers see: committed as a row (the commit point), then mirrored
 * to the bucket, claim first. Every step may be repeated.
 */
import { checkSuccessor } from "../archive/chain.ts";
import { formatClaimKey, formatManifestKey } from "../archive/firn-keys.ts";
import { classifyKey } from "../archive/key.ts";
import type { ManifestOutput } from "../archive/manifest-output.ts";
import { decodeManifest } from "../archive/manifest.ts";
import { toSequenceSet } from "../archive/sequence-ranges.ts";
import { sha256HexOf } from "../bytes.ts";
import { FirnError } from "../errors.ts";
import { log } from "../log.ts";
import { bytes, millis, type Millis } from "../units.ts";
import { abandonRun } from "./abandon-run.ts";
import { commit } from "./commit.ts";
import { writeCounters, writeRun, type Compactor, type Counters, type Run } from "./compactor.ts";
import { putOwn } from "./firn-object.ts";
import { insertCommit, insertTrash, readUnreadable, type CommitCounts, type CommitRow } from "./ledger.ts";
import { buildManifest, encodeWithinBounds, type Additions } from "./build-manifest.ts";
import type { HourManifest } from "../reader/manifests.ts";
import type { MinuteSum } from "./merger.ts";
import { addDigests, findDifference, totalOf } from "./minute-sums.ts";
import { readNewest } from "./newest.ts";
import { clearRun, readOutputs, type OutputRow } from "./output-rows.ts";
import { ownedEpoch } from "./owner.ts";
import { readSources, run as exec, writeProgress } from "./schema.ts";
import { isAllStored } from "./store-output.ts";
import { toTraceIndexRefs } from "./trace-index.ts";

/** Commits what a run made as the next generation; the run begins again if another one came before it. */
export async function commitRun(compactor: Compactor, run: Run): Promise<void> {
  const { storage, layout } = compactor.deps;
  const newest = await readNewest(compactor, run.hour);
  if (newest?.sha256Hex !== run.parent?.sha256Hex) {
    log("warn", "compact.overtaken", { hour: run.hour, generation: newest?.manifest.generation ?? 0 });
    await abandonRun(compactor);
    return;
  }
  if (findDifference(run.sourceTotals, run.outputTotals) !== null) {
    throw new Error("Cannot commit the run: its outputs hold other items than its sources");
  }
  // Reader and writer of a rewrite share the member tables: the manifest is the word of the runs before.
  if (run.kind === "rewrite" && !isAllRewritten(run, newest)) {
    throw new Error("Cannot commit the rewrite: it holds other items than the outputs that it replaces");
  }
  // Storage may have been set back to before the objects were deleted again.
  if (!(await isAllStored(compactor))) {
    log("warn", "compact.output_vanished", { hour: run.hour });
    await abandonRun(compactor);
    return;
  }
  const outputs = readOutputs(storage).flatMap(({ key, progress }) =>
    progress.memberCount === 0 ? [] : [toManifestOutput(key, progress)],
  );
  const sources = run.kind === "merge" ? readSources(storage, 0, run.sourceCount) : [];
  const fresh = [];
  const foreign = [];
  for (const { key, etag, length } of sources) {
    const parsed = classifyKey(key, layout);
    if (parsed?.kind === "fresh") fresh.push(parsed);
    else foreign.push({ key, etag, sizeBytes: bytes(length) });
  }
  await commitGeneration(compactor, {
    hour: run.hour,
    newest,
    outputs,
    indexes: toTraceIndexRefs(readOutputs(storage)),
    removed: new Set(run.rewrites),
    isRetiring: false,
    sums: run.kind === "merge" ? run.outputTotals : new Map(),
    sources: toSequenceSet(fresh),
    foreign,
    unreadable: readUnreadable(storage, run.hour),
    sourceCount: sources.length,
    sourceBytes: sources.reduce((sum, { length }) => sum + length, 0),
  });
}

function isAllRewritten({ rewrites, outputTotals }: Run, newest: HourManifest | null): boolean {
  const replaced = (newest?.manifest.outputs ?? []).filter(({ key }) => rewrites.includes(key));
  const made = totalOf(outputTotals);
  const held = replaced.reduce<MinuteSum>(addDigests, totalOf(new Map()));
  return replaced.length === rewrites.length && made.itemCount === held.itemCount && made.digest === held.digest;
}

function toManifestOutput(key: string, progress: OutputRow["progress"]): ManifestOutput {
  const { sha256, members, sum, minTimeUnixNano, maxTimeUnixNano } = progress;
  if (sha256 === null || members === null) throw new Error(`Cannot publish output "${key}": it is not stored`);
  return {
    key,
    sizeBytes: bytes(progress.storedBytes),
    etag: progress.etag,
    sha256,
    rawBytes: bytes(progress.rawBytes),
    itemCount: sum.itemCount,
    digest: sum.digest,
    firstMinute: progress.firstMinute,
    lastMinute: progress.lastMinute,
    minTimeUnixNano: minTimeUnixNano === null ? null : BigInt(minTimeUnixNano),
    maxTimeUnixNano: maxTimeUnixNano === null ? null : BigInt(maxTimeUnixNano),
    services: progress.services,
    members,
    retired: false,
  };
}

/** Commits a generation: from here on it is the next one, or none is. The run that made it, if any, is over. */
export async function commitGeneration(compactor: Compactor, additions: Additions): Promise<void> {
  const { storage, store } = compactor.deps;
  const { newest, hour } = additions;
  const [deployment, epoch] = await ownedEpoch(compactor);
  const built = await buildManifest(compactor, additions, { deployment, epoch });
  for (const { key, part } of built.parts) {
    if ((await putOwn(store, key, part)) === "other") throw new Error(`Cannot put "${key}": another one stands there`);
  }
  const { manifest, encoded, leftOut } = encodeWithinBounds(built.manifest);
  if (newest !== null) checkSuccessor(manifest, newest, `generation ${manifest.generation}`);
  const outputKeys = additions.outputs.flatMap(({ key, members }) => [key, members.key]);
  // A forced order means what stood there: in an hour that still fills it would otherwise go on until its end.
  const change = compactor.run?.kind === "merge" && !compactor.run.hasMore ? { isForced: false } : {};
  const row: CommitRow = {
    hour,
    generation: manifest.generation,
    sha256Hex: await sha256HexOf(encoded),
    manifest: encoded,
    replaced: [...built.replaced, ...leftOut],
    written: [...outputKeys, ...[...additions.indexes, ...built.parts].map(({ key }) => key)],
    counts: countOf(additions),
  };
  await commit(
    compactor,
    () => {
      insertCommit(storage, row);
      clearRun(storage);
      writeRun(storage, null);
      writeProgress(storage, hour, change);
    },
    () => {
      compactor.run = null;
    },
  );
}

function countOf({ outputs, sourceCount, sourceBytes }: Additions): CommitCounts {
  const sum = (toNumber: (output: ManifestOutput) => number): number =>
    outputs.reduce((total, output) => total + toNumber(output), 0);
  return {
    items: sum(({ itemCount }) => itemCount),
    sources: sourceCount,
    outputs: outputs.length,
    sourceBytes,
    outputBytes: sum(({ sizeBytes }) => sizeBytes),
    rawBytes: sum(({ rawBytes }) => rawBytes),
  };
}

/** Mirrors a committed generation. Whoever holds the claim publishes; the others let go of what they wrote. */
export async function mirrorCommit(compactor: Compactor, row: CommitRow): Promise<void> {
  const { store, layout, identity } = compactor.deps;
  const hour = millis(row.hour);
  await ownedEpoch(compactor);
  const claim = await putOwn(store, formatClaimKey(row.generation, layout, identity.signal, hour), row.manifest);
  if (claim === "other") {
    log("warn", "compact.claimed_by_another", { hour, generation: row.generation });
    await dropCommit(compactor, row);
    return;
  }
  const key = formatManifestKey(row, layout, identity.signal, hour);
  if ((await putOwn(store, key, row.manifest)) === "other") {
    throw new FirnError("corrupt_object", `Cannot publish "${key}": other bytes stand there`);
  }
  await noteMirrored(compactor, row);
  log("info", "compact.published", { hour, generation: row.generation, ...row.counts });
}

async function dropCommit(compactor: Compactor, row: CommitRow): Promise<void> {
  const { storage, now } = compactor.deps;
  await commit(compactor, () => {
    exec(storage, "DELETE FROM commits WHERE hour = ?", row.hour);
    insertTrash(
      storage,
      row.written.map((key) => ({ key, uploadId: null, dueAt: now() })),
    );
    writeProgress(storage, row.hour);
  });
}

/** The mirror is proven: from now on the grace runs. */
async function noteMirrored(compactor: Compactor, row: CommitRow): Promise<void> {
  const { deps, counters } = compactor;
  const { storage } = deps;
  const deleteAt = graceEnd(compactor);
  const next = addCounts(counters, row, deps.now());
  await commit(
    compactor,
    () => {
      exec(storage, "DELETE FROM commits WHERE hour = ?", row.hour);
      for (const { key } of decodeManifest(row.manifest).unreadable) {
        exec(storage, "DELETE FROM unreadable WHERE key = ?", key);
      }
      insertTrash(
        storage,
        row.replaced.map((key) => ({ key, uploadId: null, dueAt: deleteAt })),
      );
      // Looked at once more: there may be more, and there are sources to be deleted.
      writeProgress(storage, row.hour, row.counts.sources > 0 ? { deleteAt } : {});
      writeCounters(storage, next);
    },
    () => {
      compactor.counters = next;
    },
  );
}

function addCounts(counters: Counters, { hour, counts }: CommitRow, now: number): Counters {
  return {
    ...counters,
    generations: counters.generations + 1,
    items: counters.items + counts.items,
    sources: counters.sources + counts.sources,
    outputs: counters.outputs + counts.outputs,
    sourceBytes: counters.sourceBytes + counts.sourceBytes,
    outputBytes: counters.outputBytes + counts.outputBytes,
    rawBytes: counters.rawBytes + counts.rawBytes,
    lastHour: hour,
    lastCompactedAt: now,
  };
}

/** When what a mirrored manifest makes superfluous may go: at once where outputs stand beside it (protocol 5.6). */
export function graceEnd({ deps }: Compactor): Millis {
  const now = deps.now();
  return millis(deps.layout.partition.granularity === "hour" ? now : now + deps.settings.grace);
}
