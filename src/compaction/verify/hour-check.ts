/**
 * The scrub of one hour of one signal: {@link scrubHour}. The hour is listed, then its chain read, as a reader does;
 * and if another generation was published meanwhile, what was found is thrown away and the hour looked at again.
 */
import { classifyKey } from "../../archive/key.ts";
import { NO_SEQUENCES, uniteSequences, type SequenceSet } from "../../archive/sequence-ranges.ts";
import { FirnError } from "../../errors.ts";
import { HOUR_MAX_COMPACTED_KEYS, VERIFY_HOUR_MAX_LOOKS } from "../../limits.ts";
import type { ObjectInfo } from "../../object-store/contract.ts";
import { listHour, type ListingSource } from "../../reader/listing.ts";
import type { HourManifest } from "../../reader/manifests.ts";
import type { Signal } from "../../signal.ts";
import type { Millis } from "../../units.ts";
import { checkChain, type ChainState } from "./chain-check.ts";
import { listChain } from "./chain-files.ts";
import type { HourKnowledge, VerifyDeps, VerifyOrder } from "./contract.ts";
import { checkFiles, checkForeignParts } from "./files-check.ts";
import { openFindings, type Findings } from "./findings.ts";
import { hasManifests, report, type HourContext, type RunningCounts } from "./hour-context.ts";
import { checkObjects, type HourLook } from "./objects-check.ts";
import { checkOutputs, type CompactedObjects } from "./outputs-check.ts";

/** An hour to be scrubbed. */
export interface HourRequest {
  readonly order: VerifyOrder;
  readonly deps: VerifyDeps;
  readonly source: ListingSource;
  readonly signal: Signal;
  /** First instant. */
  readonly hour: Millis;
  /** See `HourLook`. */
  readonly tellsForeignKeys: boolean;
}

/** What an hour gave. */
export interface HourResult {
  /** Neither keys nor manifests. */
  readonly isEmpty: boolean;
  readonly findings: Findings;
  readonly counts: RunningCounts;
  /** Numbers of fresh objects, those that the manifest names included. */
  readonly sequences: SequenceSet;
}

/** Scrubs an hour. */
export async function scrubHour(request: HourRequest): Promise<HourResult> {
  const { order, signal, hour } = request;
  const findings = openFindings({ signal, hour }, order.isRepairing);
  for (let look = 1; ; look += 1) {
    const context = openContext(request, findings);
    const result = await lookAt(context, request);
    const isStill = result !== null && !(await hasChanged(context, result.chain));
    if (result !== null && (isStill || look >= VERIFY_HOUR_MAX_LOOKS)) {
      const { isEmpty, sequences } = result;
      return { isEmpty, findings, counts: context.counts, sequences };
    }
    if (look > 2 * VERIFY_HOUR_MAX_LOOKS) {
      throw new FirnError(
        "corrupt_object",
        `Cannot repair the manifests of ${new Date(hour).toISOString()}: they do not stay`,
      );
    }
    findings.keepRepaired();
  }
}

function openContext({ order, deps, source, signal, hour }: HourRequest, findings: Findings): HourContext {
  const counts = { hours: 1, objects: 0, members: 0, items: 0, bytes: 0 };
  let asked: Promise<HourKnowledge | null> | null = null;
  const context: HourContext = {
    order,
    deps,
    signal,
    hour,
    source,
    findings,
    counts,
    knowledge: () => {
      asked ??= hasManifests(context) ? deps.askCompactor(context.signal, hour) : Promise.resolve(null);
      return asked;
    },
  };
  return context;
}

interface LookResult {
  readonly isEmpty: boolean;
  readonly chain: ChainState;
  readonly sequences: SequenceSet;
}

/** One look; `null` when a manifest was put back, so that there is another hour to look at. */
async function lookAt(context: HourContext, request: HourRequest): Promise<LookResult | null> {
  const { isEmpty, compacted } = await listCompacted(context);
  const chain: ChainState = hasManifests(context) ? await checkChain(context) : { kind: "none" };
  if (chain.kind === "repaired") return null;
  const isDecided = chain.kind !== "broken";
  let newest = chain.kind === "newest" ? chain.newest : null;
  let outputSums: HourLook["outputSums"] = [];
  if (hasManifests(context) && isDecided && !(isEmpty && newest === null)) {
    await checkFiles(context, newest, compacted);
    if (await tellKnowledge(context, newest)) return null;
    if (newest !== null) outputSums = await checkOutputs(context, newest, compacted);
    if (newest !== null && !(await checkForeignParts(context, newest))) newest = withoutParts(newest);
  }
  const look: HourLook = { newest, isDecided, outputSums, tellsForeignKeys: request.tellsForeignKeys };
  const listed = isEmpty ? NO_SEQUENCES : await checkObjects(context, look);
  return {
    isEmpty: isEmpty && chain.kind === "none",
    chain,
    sequences: newest === null ? listed : uniteSequences(listed, newest.manifest.sources),
  };
}

/** Foreign objects that a broken part names cannot be told from others: they are read like these. */
function withoutParts(newest: HourManifest): HourManifest {
  return { ...newest, manifest: { ...newest.manifest, foreignSources: [] } };
}

async function listCompacted(
  context: HourContext,
): Promise<{ readonly isEmpty: boolean; readonly compacted: CompactedObjects }> {
  const compacted = new Map<string, ObjectInfo>();
  let isEmpty = true;
  for await (const page of listHour(context.source, context.hour)) {
    for (const info of page) {
      isEmpty = false;
      const key = classifyKey(info.key, context.deps.layout);
      if (key?.kind !== "compacted" || key.signal !== context.signal) continue;
      // What is not remembered is asked for one by one.
      if (compacted.size < HOUR_MAX_COMPACTED_KEYS) compacted.set(info.key, info);
    }
  }
  return { isEmpty, compacted };
}

/** What only the Compactor knows. @returns whether a generation was published because of it */
async function tellKnowledge(context: HourContext, newest: HourManifest | null): Promise<boolean> {
  const knowledge = await context.knowledge();
  if (knowledge === null) return false;
  for (const key of knowledge.unfinishedUploads) {
    await report(context, { kind: "unfinished_upload", key, message: `An upload of "${key}" was begun and given up` });
  }
  const { unmirrored } = knowledge;
  if (unmirrored === null || unmirrored <= (newest?.manifest.generation ?? 0)) return false;
  const message = `Generation ${unmirrored} is committed in the Compactor, and the bucket does not have it`;
  return report(context, { kind: "unmirrored_manifest", key: null, message, repair: () => mirror(context) });
}

async function mirror(context: HourContext): Promise<"repaired" | "not_now"> {
  if (!hasManifests(context)) return "not_now";
  await context.deps.mirror(context.signal, context.hour);
  const knowledge = await context.deps.askCompactor(context.signal, context.hour);
  return knowledge?.unmirrored === null ? "repaired" : "not_now";
}

/** Whether another generation was published during the look. A broken chain stays so whatever is published. */
async function hasChanged(context: HourContext, chain: ChainState): Promise<boolean> {
  if (!hasManifests(context) || chain.kind === "broken" || context.findings.openCount === 0) return false;
  const { manifests, highest } = await listChain(context);
  const key = manifests.get(highest)?.[0]?.key ?? null;
  return key !== (chain.kind === "newest" ? chain.newest.name.key : null);
}
