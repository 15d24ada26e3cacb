/**
 * The scrub of a window: {@link verify} goes through its hours, signal by signal, and says what is wrong with them.
 * Pure over a store; it ends itself before the first hour after so many calls, and says where to go on.
 */
import { isItemSignal, type Signal } from "../../signal.ts";
import { hoursOf } from "../../reader/hours.ts";
import type { ListingSource } from "../../reader/listing.ts";
import { openHourSeek } from "../../reader/seek.ts";
import { openUsage } from "../../reader/usage.ts";
import { HOUR, millis, type Millis } from "../../units.ts";
import type { SeenSequences, VerifyCounts, VerifyDeps, VerifyDocument, VerifyOrder } from "./contract.ts";
import { openFindings, type Findings } from "./findings.ts";
import { scrubHour } from "./hour-check.ts";
import type { RunningCounts } from "./hour-context.ts";
import { openSequenceLedger, type SequenceLedger } from "./sequence-gaps.ts";

const NOTES: readonly string[] = [
  "Numbers of fresh objects are compared between the lowest and the highest of an incarnation in the window: objects " +
    "missing before or behind them are not seen",
  "Stores do not list unfinished uploads by Firn's contract: a lifecycle rule of the bucket ends them",
];
const CUT_NOTE =
  'The scrub ended itself: go on with start set to "next"; numbers missing just there show in "sequences" of both';
const SHALLOW_NOTE = "Objects were not read: only names, lengths, manifests and member tables were compared";

/** What is known while the scrub goes on. */
interface Progress {
  readonly source: ListingSource;
  readonly findings: Findings;
  readonly counts: RunningCounts;
  readonly sequences: SeenSequences[];
  /** First hour that is left for the next call; the same for all signals. */
  next: Millis | null;
}

/** Verifies a window. @throws FirnError what the store throws */
export async function verify(order: VerifyOrder, deps: VerifyDeps): Promise<VerifyDocument> {
  const { store, layout } = deps;
  const [first] = order.signals;
  if (first === undefined) throw new RangeError("Cannot verify: there is no signal");
  const progress: Progress = {
    source: { store, layout, usage: openUsage() },
    findings: openFindings({ signal: first, hour: order.start }, order.isRepairing),
    counts: { hours: 0, objects: 0, members: 0, items: 0, bytes: 0 },
    sequences: [],
    next: null,
  };
  // Hour by hour, all signals of each, so that a cut is one instant.
  await scrubWindow(order, deps, progress);
  return toDocument(order, progress);
}

async function scrubWindow(order: VerifyOrder, deps: VerifyDeps, progress: Progress): Promise<void> {
  const { layout, maxStoreCalls, client } = deps;
  const { source } = progress;
  const hours = hoursOf(layout, order.start, order.end);
  const seek = openHourSeek(source, order.signals.filter(isItemSignal));
  const ledgers = new Map<Signal, SequenceLedger>(order.signals.map((signal) => [signal, openSequenceLedger()]));
  for (let hour = hours.first; hour < hours.end;) {
    if (hour > hours.first && (source.usage.storeCalls >= maxStoreCalls || client.aborted)) {
      progress.next = hour;
      break;
    }
    const isEmpty = await scrubSignals(order, { deps, progress, ledgers, hour });
    const following = { first: millis(hour + HOUR), end: hours.end };
    hour = isEmpty && following.first < following.end ? await seek(following) : following.first;
  }
  for (const [signal, ledger] of ledgers) await tellGaps(progress, { signal, ledger, order });
}

interface HourPlace {
  readonly deps: VerifyDeps;
  readonly progress: Progress;
  readonly ledgers: ReadonlyMap<Signal, SequenceLedger>;
  readonly hour: Millis;
}

/** @returns whether the hour has nothing, of no signal */
async function scrubSignals(order: VerifyOrder, { deps, progress, ledgers, hour }: HourPlace): Promise<boolean> {
  const { source, findings, counts } = progress;
  let isEmpty = true;
  for (const [index, signal] of order.signals.entries()) {
    const result = await scrubHour({ order, deps, source, signal, hour, tellsForeignKeys: index === 0 });
    isEmpty &&= result.isEmpty;
    findings.merge(result.findings);
    addCounts(counts, result.counts);
    ledgers.get(signal)?.add(hour, result.sequences);
  }
  if (!isEmpty) counts.hours += 1;
  return isEmpty;
}

/** Hours are counted once for all signals, and only those that hold something. */
function addCounts(counts: RunningCounts, { objects, members, items, bytes }: VerifyCounts): void {
  counts.objects += objects;
  counts.members += members;
  counts.items += items;
  counts.bytes += bytes;
}

interface SignalLedger {
  readonly signal: Signal;
  readonly ledger: SequenceLedger;
  readonly order: VerifyOrder;
}

async function tellGaps({ findings, sequences }: Progress, { signal, ledger, order }: SignalLedger): Promise<void> {
  for (const { shard, incarnation, ranges } of ledger.seen) {
    sequences.push({ signal, shard, incarnation, lowest: ranges[0]?.[0] ?? 0, highest: ranges.at(-1)?.[1] ?? 0 });
  }
  for (const { shard, incarnation, first, last, hour } of ledger.findGaps()) {
    const gap = openFindings({ signal, hour }, order.isRepairing);
    const which = first === last ? `Sequence ${first}` : `Sequences ${first} to ${last}`;
    const message = `${which} of shard ${shard}, incarnation ${incarnation}, neither stand there nor in a manifest`;
    await gap.add({ kind: "sequence_gap", key: null, message });
    findings.merge(gap);
  }
}

function toDocument(order: VerifyOrder, { findings, counts, sequences, next }: Progress): VerifyDocument {
  const { signals, start, end, isDeep } = order;
  const notes = [...NOTES, ...(isDeep ? [] : [SHALLOW_NOTE]), ...(next === null ? [] : [CUT_NOTE])];
  return {
    ok: findings.openCount === 0 && next === null,
    complete: next === null,
    next: next === null ? null : new Date(next).toISOString(),
    window: { start: new Date(start).toISOString(), end: new Date(end).toISOString(), signals },
    deep: isDeep,
    checked: { ...counts },
    findings: findings.list,
    finding_count: findings.count,
    repaired: findings.repairedCount,
    sequences,
    notes,
  };
}
