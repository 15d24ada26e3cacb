/**
 * What the checks of one hour share, and the proofs without which nothing is deleted: this deployment owns the archive,
 * the newest manifest was read again, and its outputs stand there. A listing alone is never a reason.
 */
import type { ChainPlace } from "../../archive/chain.ts";
import { FirnError } from "../../errors.ts";
import type { ListingSource } from "../../reader/listing.ts";
import { readNewestManifest, type HourManifest } from "../../reader/manifests.ts";
import { isItemSignal, type ItemSignal, type Signal } from "../../signal.ts";
import { millis, type Millis } from "../../units.ts";
import { readOwner } from "../owner.ts";
import type { HourKnowledge, VerifyCounts, VerifyDeps, VerifyOrder } from "./contract.ts";
import type { Findings, Found } from "./findings.ts";

/** Counts that grow. */
export type RunningCounts = { -readonly [Name in keyof VerifyCounts]: VerifyCounts[Name] };

/** One hour of one signal under the scrub. */
export interface HourContext {
  readonly order: VerifyOrder;
  readonly deps: VerifyDeps;
  readonly signal: Signal;
  /** First instant. */
  readonly hour: Millis;
  readonly source: ListingSource;
  readonly findings: Findings;
  readonly counts: RunningCounts;
  /** Asks the Compactor; at most once a look, and never before something was listed. */
  readonly knowledge: () => Promise<HourKnowledge | null>;
}

/** An hour of a signal that has manifests. */
export type ItemHourContext = HourContext & { readonly signal: ItemSignal };

/** Says whether the hour can have manifests. */
export function hasManifests(context: HourContext): context is ItemHourContext {
  return isItemSignal(context.signal);
}

/** The place of the hour's chain. */
export function chainPlaceOf({ deps, signal, hour }: ItemHourContext): ChainPlace {
  return { layout: deps.layout, signal, hour };
}

/** Adds a finding. @returns whether it was repaired */
export function report({ findings }: HourContext, found: Found): Promise<boolean> {
  return findings.add(found);
}

/** When what a manifest makes superfluous is missed if it still stands. */
export function deletionEnd({ deps }: HourContext, { manifest }: HourManifest): Millis {
  return millis(manifest.created + deps.grace);
}

/**
 * Proves that this deployment owns the archive.
 * @throws FirnError `misconfigured`
 */
export async function proveOwner({ deps }: HourContext): Promise<void> {
  const owner = await readOwner(deps);
  if (owner !== null && owner.deployment === (await deps.deployment())) return;
  const found = owner === null ? "nobody owns it" : `deployment ${owner.deployment} owns it`;
  throw new FirnError(
    "misconfigured",
    `Cannot repair the archive: ${found}, expected this deployment; compact it first`,
  );
}

/** Reads the newest manifest from the bucket, whatever was read before. */
export async function readAgain(context: ItemHourContext): Promise<HourManifest | null> {
  const { source, signal, hour } = context;
  return readNewestManifest(source, { signal, hour, known: null });
}

/**
 * Asks once more whether nobody works on the hour.
 * @throws FirnError `unavailable` when the Compactor cannot be asked
 */
export async function isIdle({ deps, signal, hour }: ItemHourContext, key: string): Promise<boolean> {
  const knowledge = await deps.askCompactor(signal, hour);
  if (knowledge === null) throw new FirnError("unavailable", "Cannot repair: the Compactor cannot be asked");
  return !knowledge.isWorking && !knowledge.pendingKeys.includes(key);
}

/** Says whether a key is the Compactor's to name or to delete, as far as it says. */
export async function isExpected(context: HourContext, key: string): Promise<boolean> {
  const knowledge = await context.knowledge();
  return knowledge !== null && (knowledge.isWorking || knowledge.pendingKeys.includes(key));
}
