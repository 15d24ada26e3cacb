/**
 * A visit to an hour: what is fresh in it becomes the sources of a run, what a manifest names as sources is deleted
 * once the grace has passed, many small outputs are rewritten, and what retention has passed is retired.
 */
import { classifyKey, type ForeignKey, type FreshKey } from "../archive/key.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import { COMPACT_CLOSE_MAX_DELAY, COMPACT_SET_ASIDE_ATTEMPTS } from "../limits.ts";
import { log } from "../log.ts";
import type { ObjectInfo } from "../object-store/contract.ts";
import { listHour } from "../reader/listing.ts";
import { findSources, type HourManifest } from "../reader/manifests.ts";
import { openUsage } from "../reader/usage.ts";
import { HOUR, millis, MINUTE, type Millis } from "../units.ts";
import { openChooser, type Choice } from "./choose.ts";
import { commit } from "./commit.ts";
import { NO_ADDITIONS } from "./build-manifest.ts";
import { writeCounters, writeRun, type Compactor, type Run } from "./compactor.ts";
import { isExpired, openDeleter, type Deleter } from "./delete.ts";
import { readUnreadable } from "./ledger.ts";
import { readNewest } from "./newest.ts";
import { commitGeneration, graceEnd } from "./publish.ts";
import { retireHour, isPastRetention } from "./retention.ts";
import { planRewrite, type PlannedRewrite } from "./rewrite.ts";
import { insertSources, readHour, writeHour, type HourRow } from "./schema.ts";

/** An hour whose shards still may write is looked at again after this time. */
const OPEN_HOUR_WAIT: Millis = millis(300_000);

/** What was found in an hour. */
interface Look {
  /** `undefined` when nothing made it necessary to look. */
  readonly newest: HourManifest | null | undefined;
  readonly choice: Choice | null;
  /** Sources that are named and still there. */
  readonly hasNamed: boolean;
  /** When the newest generation lets them go, where that is known. */
  readonly dueAt: number | null;
}

/**
 * Visits an hour. It is left without work, with a run, with a generation to be mirrored, or with a time to come back.
 */
export async function visitHour(compactor: Compactor, row: HourRow): Promise<void> {
  compactor.reported.delete(row.hour);
  const mayBegin = isRipe(compactor, row);
  // What a forced run compacted is deleted after its grace, and the hour need not be over by then.
  if (!mayBegin && !isDeletionDue(compactor, row)) {
    await writeVisited(compactor, row, row.deleteAt);
    return;
  }
  compactor.visits += 1;
  const deleter = openDeleter(compactor, row);
  const found = await lookAt(compactor, row, deleter);
  const look = mayBegin ? found : { ...found, choice: null };
  // One run at a time: while there is one, only sources are deleted elsewhere.
  if (compactor.run !== null) {
    const deleteAt = toDeleteAt(compactor, row, look);
    if (deleteAt !== row.deleteAt)
      await commit(compactor, () => writeHour(compactor.deps.storage, { ...row, deleteAt }));
    return;
  }
  if (look.choice !== null && (await begin(compactor, row, { ...look, choice: look.choice }))) return;
  const newest = await newestOf(compactor, row, look);
  if (newest !== undefined && (await extend(compactor, row, newest))) return;
  await writeVisited(compactor, row, toDeleteAt(compactor, row, look));
}

/** When the sources that are left may be deleted; `null` when there are none. */
function toDeleteAt(compactor: Compactor, row: HourRow, { hasNamed, dueAt }: Look): number | null {
  if (!hasNamed || isExpired(compactor, millis(row.hour))) return null;
  const known = row.deleteAt ?? graceEnd(compactor);
  return dueAt === null ? known : Math.max(known, dueAt);
}

function isRipe({ deps }: Compactor, { hour, isForced }: HourRow): boolean {
  const now = deps.now();
  return isForced ? hour <= now : hour + HOUR + deps.settings.delay <= now;
}

function isDeletionDue({ deps }: Compactor, { deleteAt }: HourRow): boolean {
  return deleteAt !== null && deleteAt <= deps.now();
}

/** Where nothing is fresh the newest manifest matters only to retention, and to what was found unreadable. */
async function newestOf(compactor: Compactor, row: HourRow, look: Look): Promise<HourManifest | null | undefined> {
  if (look.newest !== undefined) return look.newest;
  const hour = millis(row.hour);
  const isNeeded = isPastRetention(compactor, hour) || readUnreadable(compactor.deps.storage, hour).length > 0;
  return isNeeded ? readNewest(compactor, hour) : undefined;
}

/** What else the hour's chain needs. @returns whether something was begun */
async function extend(compactor: Compactor, row: HourRow, newest: HourManifest | null): Promise<boolean> {
  const hour = millis(row.hour);
  if (newest !== null && (await retireHour(compactor, hour, newest))) return true;
  const known = new Set(newest?.manifest.unreadable.map(({ key }) => key));
  const unreadable = readUnreadable(compactor.deps.storage, hour).filter(({ key }) => !known.has(key));
  if (unreadable.length > 0 && (newest?.manifest.unreadable.length ?? 0) === 0) {
    await commitGeneration(compactor, { ...NO_ADDITIONS, hour, newest, unreadable });
    return true;
  }
  const rewrite = newest === null ? null : await planRewrite(compactor, row, newest);
  if (rewrite === null || newest === null) return false;
  await writeIntent(compactor, row, rewrite);
  return true;
}

async function lookAt(compactor: Compactor, row: HourRow, deleter: Deleter): Promise<Look> {
  const { store, layout, storage, bounds } = compactor.deps;
  const hour = millis(row.hour);
  const chooser = openChooser(bounds);
  const noted = new Map(readUnreadable(storage, row.hour).map(({ key, length }) => [key, length]));
  const source = { store, layout, usage: openUsage() };
  let newest: HourManifest | null | undefined;
  let hasNamed = false;
  compactor.isAtGap = true;
  for await (const page of listHour(source, hour)) {
    if (page.length > 0) compactor.isAtGap = false;
    const found = page.flatMap((info) => toFound(compactor, row, info));
    if (found.length === 0) continue;
    if (newest === undefined) {
      newest = await readNewest(compactor, hour);
      for (const { key, sizeBytes } of newest?.manifest.unreadable ?? []) noted.set(key, sizeBytes);
    }
    const infos = found.map(({ info }) => info);
    const named = newest === null ? new Set<string>() : await findSources(source, newest, infos);
    for (const { info, key, minute } of found) {
      if (named.has(info.key)) {
        if (newest === null || deleter.isKept(key)) continue;
        if (deleter.isDue(newest)) await deleter.add({ kind: key.kind, info }, newest);
        else hasNamed = true;
      } else if (noted.get(info.key) !== info.length && (key.kind === "fresh" || row.isForeign)) {
        chooser.add({ key: info.key, length: info.length, etag: info.etag, minute, form: key.form });
      }
    }
  }
  await deleter.end();
  const choice = isExpired(compactor, hour) ? null : chooser.choose();
  const dueAt = newest === undefined || newest === null ? null : deleter.dueAt(newest);
  return { newest, choice, hasNamed, dueAt };
}

interface Found {
  readonly info: ObjectInfo;
  readonly key: FreshKey | ForeignKey;
  readonly minute: number;
}

/** Takes what can be a source of the hour: own fresh objects, and foreign ones where they are wanted or deleted. */
function toFound({ deps }: Compactor, row: HourRow, info: ObjectInfo): readonly Found[] {
  const key = classifyKey(info.key, deps.layout);
  if (key === null || key.kind === "compacted" || key.signal !== deps.identity.signal) return [];
  if (key.kind === "foreign" && !row.isForeign && deps.settings.foreign === "keep") return [];
  const time = key.kind === "fresh" ? key.sealTime : key.minute;
  const minute = time === null ? -1 : Math.floor((time - row.hour) / MINUTE);
  return minute >= 0 && minute < 60 ? [{ info, key, minute }] : [];
}

/** Begins a run, unless shards may still write into the hour. @returns whether a run was begun */
async function begin(
  compactor: Compactor,
  row: HourRow,
  { newest, choice }: { readonly newest: Look["newest"]; readonly choice: Choice },
): Promise<boolean> {
  const { deps, counters } = compactor;
  const hour = millis(row.hour);
  // An hour that has a manifest was closed before, or forced; what comes after is late.
  if (!row.isForced && (newest ?? null) === null && !(await isClosed(compactor, hour))) {
    const waiting = { ...row, isWanted: true, nextAttemptAt: deps.now() + OPEN_HOUR_WAIT };
    await commit(compactor, () => writeHour(deps.storage, waiting));
    return true;
  }
  const run: Run = {
    hour,
    attempt: counters.nextAttempt,
    maxAttempts: Math.max(COMPACT_SET_ASIDE_ATTEMPTS, row.attempts + 1),
    shrink: 0,
    kind: "merge",
    marshaler: choice.marshaler,
    compression: deps.settings.compression,
    parent: toParent(newest ?? null),
    keptOutputs: newest?.manifest.outputs.length ?? 0,
    rewrites: [],
    sourceCount: choice.sources.length,
    nextSource: 0,
    sourceTotals: new Map(),
    outputTotals: new Map(),
    hasMore: choice.hasMore,
  };
  const sources = choice.sources.map(({ key, length, etag, minute }, number) => ({
    number,
    key,
    length,
    etag,
    minute,
  }));
  await writeIntent(compactor, row, { run, sources });
  return true;
}

/**
 * A shard that cannot be asked, or has data left, holds an hour up so long and no longer (protocol 5.1). Even then
 * those are asked that can be: one that has promised tells of what comes late, at once instead of at the next look.
 */
async function isClosed(compactor: Compactor, hour: Millis): Promise<boolean> {
  const { deps } = compactor;
  const isOverdue = hour + HOUR + COMPACT_CLOSE_MAX_DELAY <= deps.now();
  // Shards that do not answer take their time, and many hours may have waited.
  if (isOverdue && deps.now() < compactor.closeRetryAt) return true;
  try {
    if ((await deps.closeHour(hour)) === "closed") return true;
  } catch (error) {
    log("warn", "compact.not_closed", { hour, error: toErrorMessage(error) });
  }
  compactor.closeRetryAt = deps.now() + OPEN_HOUR_WAIT;
  return isOverdue;
}

/** The generation that a run follows. */
export function toParent(newest: HourManifest | null): Run["parent"] {
  return newest === null ? null : { generation: newest.manifest.generation, sha256Hex: newest.sha256Hex };
}

/** The intent: from here on it is known which objects the run reads, before anything of it is written. */
async function writeIntent(compactor: Compactor, row: HourRow, { run, sources }: PlannedRewrite): Promise<void> {
  const { storage } = compactor.deps;
  if (run.sourceCount !== sources.length) throw new FirnError("internal", "Cannot begin a run: its sources are others");
  const counters = { ...compactor.counters, nextAttempt: run.attempt + 1 };
  await commit(
    compactor,
    () => {
      insertSources(storage, sources);
      writeRun(storage, run);
      writeCounters(storage, counters);
      writeHour(storage, { ...row, isWanted: true });
    },
    () => {
      compactor.run = run;
      compactor.counters = counters;
    },
  );
}

/**
 * Ends a visit; costs a row only when something changed. What was reported late while the hour was looked at may have
 * come after its listing: it is looked at again.
 */
async function writeVisited(compactor: Compactor, row: HourRow, deleteAt: number | null): Promise<void> {
  const { storage } = compactor.deps;
  const isWanted = compactor.reported.has(row.hour);
  const flags = isWanted ? {} : { isForced: false, isForeign: false };
  const after = { ...row, ...flags, isWanted, attempts: 0, nextAttemptAt: 0, error: null, deleteAt };
  const stored = readHour(storage, row.hour);
  if (stored === null ? !isWanted && deleteAt === null : JSON.stringify(stored) === JSON.stringify(after)) return;
  await commit(compactor, () => writeHour(storage, after));
}
