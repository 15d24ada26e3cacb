/**
 * Goes through the objects of an hour page by page, after its newest manifest was read: what the manifest names is gone
 * once the grace has passed, what it does not name can be read, and nothing else stands there.
 */
import { classifyKey, type ArchiveKey, type ForeignKey, type FreshKey } from "../../archive/key.ts";
import type { SequenceSet } from "../../archive/sequence-ranges.ts";
import { VERIFY_DELETE_SLACK, VERIFY_READERS } from "../../limits.ts";
import type { ObjectInfo } from "../../object-store/contract.ts";
import { listHour } from "../../reader/listing.ts";
import { findSources, type HourManifest } from "../../reader/manifests.ts";
import { deleteSources as deleteNamed } from "../delete-sources.ts";
import type { MinuteSums } from "../merger.ts";
import { proveOutputs } from "../prove-outputs.ts";
import type { RepairOutcome } from "./findings.ts";
import { checkFresh } from "./fresh-check.ts";
import {
  deletionEnd,
  hasManifests,
  proveOwner,
  readAgain,
  report,
  type HourContext,
  type ItemHourContext,
} from "./hour-context.ts";
import { openOrphanCheck, type OrphanCheck } from "./orphan-check.ts";
import { openListedSequences } from "./sequence-gaps.ts";

/** What is known of the hour before its objects are gone through. */
export interface HourLook {
  /** `null` when the hour has none. */
  readonly newest: HourManifest | null;
  /** The chain says what is visible; otherwise only names are looked at. */
  readonly isDecided: boolean;
  /** What each output that was read holds by minute. */
  readonly outputSums: readonly MinuteSums[];
  /** Keys that are of no signal are told of; in one of the signals only. */
  readonly tellsForeignKeys: boolean;
}

/** An object of the hour that may be read. */
interface Fresh {
  readonly key: FreshKey | ForeignKey;
  readonly info: ObjectInfo;
}

/** Checks all objects. @returns the numbers of Firn's own fresh ones */
export async function checkObjects(context: HourContext, look: HourLook): Promise<SequenceSet> {
  const sequences = openListedSequences();
  const orphans = openOrphanCheck(look);
  for await (const page of listHour(context.source, context.hour)) {
    const fresh: Fresh[] = [];
    const own: (FreshKey & { readonly name: string })[] = [];
    for (const info of page) {
      const key = classifyKey(info.key, context.deps.layout);
      if (await checkName(context, look, { key, info })) continue;
      context.counts.objects += 1;
      if (key?.kind === "compacted") orphans.addOutput(key, info);
      if (key === null || key.kind === "compacted") continue;
      fresh.push({ key, info });
      if (key.kind === "fresh") own.push({ ...key, name: info.key });
    }
    for (const { name, sequence } of sequences.add(own)) {
      const message = `"${name}" has sequence ${sequence} of its incarnation, as another object has`;
      await report(context, { kind: "doubled_sequence", key: name, message });
    }
    if (look.isDecided) await checkPage(context, { look, orphans }, fresh);
  }
  if (look.isDecided && hasManifests(context)) await orphans.check(context);
  return sequences.set;
}

interface Named {
  readonly key: ArchiveKey | null;
  readonly info: ObjectInfo;
}

/** @returns whether the object is none of the signal's, or one that no reader sees */
async function checkName(context: HourContext, look: HourLook, { key, info }: Named): Promise<boolean> {
  if (key === null) {
    if (!look.tellsForeignKeys) return true;
    await report(context, { kind: "foreign_key", key: info.key, message: `"${info.key}" is no key of telemetry` });
    return true;
  }
  if (key.signal !== context.signal) return true;
  if (key.kind === "foreign" && key.minute === null) {
    const message = `"${info.key}" stands in no partition of ARCHIVE_PARTITION_FORMAT`;
    await report(context, { kind: "foreign_key", key: info.key, message });
    return true;
  }
  return false;
}

interface PagePlace {
  readonly look: HourLook;
  readonly orphans: OrphanCheck;
}

async function checkPage(context: HourContext, { look, orphans }: PagePlace, fresh: readonly Fresh[]): Promise<void> {
  const { newest } = look;
  const infos = fresh.map(({ info }) => info);
  const named = newest === null ? new Set<string>() : await findSources(context.source, newest, infos);
  if (newest !== null && hasManifests(context)) {
    await checkLeftovers(
      context,
      newest,
      fresh.filter(({ info }) => named.has(info.key)),
    );
  }
  if (!context.order.isDeep) return;
  const known = new Map(newest?.manifest.unreadable.map(({ key, reason }) => [key, reason]));
  await forEachOf(
    fresh.filter(({ info }) => !named.has(info.key)),
    async ({ key, info }) => {
      const reason = known.get(info.key);
      if (reason === undefined) orphans.addVisible(key, await checkFresh(context, key, info));
      else
        await report(context, {
          kind: "unreadable_object",
          key: info.key,
          message: `Cannot read "${info.key}": ${reason}`,
        });
    },
  );
}

/** Runs a check for each, a few at once. */
async function forEachOf<T>(values: readonly T[], check: (value: T) => Promise<void>): Promise<void> {
  let next = 0;
  async function go(): Promise<void> {
    while (next < values.length) {
      const value = values[next];
      next += 1;
      if (value !== undefined) await check(value);
    }
  }
  await Promise.all(Array.from({ length: VERIFY_READERS }, go));
}

/** Sources that outputs hold and that still stand there, or came back. */
async function checkLeftovers(
  context: ItemHourContext,
  newest: HourManifest,
  sources: readonly Fresh[],
): Promise<void> {
  const { deps } = context;
  const now = deps.now();
  const leftovers = sources.filter(({ key }) => key.kind === "fresh" || deps.foreign === "delete");
  if (leftovers.length === 0 || deletionEnd(context, newest) + VERIFY_DELETE_SLACK > now) return;
  const knowledge = await context.knowledge();
  if (knowledge?.isWorking === true) return;
  if (knowledge !== null && knowledge.deleteAt !== null && knowledge.deleteAt + VERIFY_DELETE_SLACK > now) return;
  let deletion: Promise<ReadonlySet<string>> | null = null;
  const repair = async (key: string): Promise<RepairOutcome> => {
    deletion ??= deleteSources(context, leftovers);
    return (await deletion).has(key) ? "repaired" : "not_now";
  };
  for (const { info } of leftovers) {
    const { key } = info;
    const message = `"${key}" still stands there, though outputs hold its items and the grace has passed`;
    await report(context, { kind: "leftover_source", key, message, repair: () => repair(key) });
  }
}

/** Deletes those that the newest manifest of now names, whose outputs stand. @returns their keys */
async function deleteSources(context: ItemHourContext, leftovers: readonly Fresh[]): Promise<ReadonlySet<string>> {
  const infos = leftovers.map(({ info }) => info);
  await proveOwner(context);
  const newest = await readAgain(context);
  if (newest === null) return new Set();
  const named = await findSources(context.source, newest, infos);
  if (named.size === 0) return named;
  await proveOutputs(context.source, newest.manifest);
  const sources = leftovers.flatMap(({ key: { kind }, info }) => (named.has(info.key) ? [{ kind, info }] : []));
  return new Set(await deleteNamed(context.source.store, sources));
}
