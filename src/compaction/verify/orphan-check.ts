/**
 * Outputs that no manifest names. An attempt that was given up leaves them, and then what they hold is visible besides:
 * in its sources, or in other outputs. But if a manifest and its claim were lost, they hold the only copy. So one is
 * deleted only where each of its minutes is proven, by its digest, to be the same as one that is visible.
 */
import { formatMembersKey, formatTraceIndexKey } from "../../archive/firn-keys.ts";
import { minuteOf, type CompactedKey, type ForeignKey, type FreshKey } from "../../archive/key.ts";
import { FirnError } from "../../errors.ts";
import { HOUR_MAX_COMPACTED_KEYS } from "../../limits.ts";
import type { ObjectInfo } from "../../object-store/contract.ts";
import type { ItemDigestValue } from "../../otlp/item-digest.ts";
import type { HourManifest } from "../../reader/manifests.ts";
import { scanMembers } from "../../reader/member-scan.ts";
import { bytes, MINUTE } from "../../units.ts";
import type { MinuteSums } from "../merger.ts";
import { addSums } from "../minute-sums.ts";
import { proveOutputs } from "../prove-outputs.ts";
import type { RepairOutcome } from "./findings.ts";
import { isExpected, isIdle, proveOwner, readAgain, report, type ItemHourContext } from "./hour-context.ts";
import { walkOutput } from "./output-walk.ts";

/** Of an hour. */
const MINUTES = 60;

/** Orphans of an hour, and what is visible beside them. */
export interface OrphanCheck {
  addOutput(key: CompactedKey, info: ObjectInfo): void;
  /** Notes the items of a fresh object that no manifest names. */
  addVisible(key: FreshKey | ForeignKey, items: ItemDigestValue | null): void;
  /** Tells of the orphans; after all objects were added. */
  check(context: ItemHourContext): Promise<void>;
}

interface Orphan {
  readonly key: CompactedKey;
  readonly info: ObjectInfo;
}

/** What is visible of an hour. */
export interface VisibleSums {
  readonly newest: HourManifest | null;
  /** What each output that was read holds by minute. */
  readonly outputSums: readonly MinuteSums[];
}

/** Opens the check of an hour. */
export function openOrphanCheck({ newest, outputSums }: VisibleSums): OrphanCheck {
  const named = new Set(newest?.manifest.outputs.map(({ key }) => key));
  const orphans: Orphan[] = [];
  let fresh: MinuteSums = new Map();

  return {
    addOutput: (key, info) => {
      // More are told of when these are gone.
      if (!named.has(info.key) && orphans.length < HOUR_MAX_COMPACTED_KEYS) orphans.push({ key, info });
    },
    addVisible: (key, items) => {
      const time = key.kind === "fresh" ? minuteOf(key) : key.minute;
      if (time === null || items === null) return;
      fresh = addSums(fresh, new Map([[Math.floor(time / MINUTE) % MINUTES, items]]));
    },
    check: async (context) => {
      const all = outputSums.reduce<MinuteSums>(addSums, new Map());
      const visible = [fresh, all, addSums(fresh, all), ...outputSums];
      for (const orphan of orphans) await checkOrphan(context, orphan, visible);
    },
  };
}

async function checkOrphan(context: ItemHourContext, orphan: Orphan, visible: readonly MinuteSums[]): Promise<void> {
  const { key } = orphan.info;
  if (await isExpected(context, key)) return;
  const age = Math.max(0, Math.floor((context.deps.now() - context.hour) / 3_600_000));
  const message = `"${key}" is an output that no manifest names, of an hour that began ${age} hours ago`;
  const repair = (): Promise<RepairOutcome> => deleteOrphan(context, orphan, visible);
  await report(context, { kind: "orphan_output", key, message, repair });
}

/** @throws FirnError `corrupt_object` when it may be the only copy; `unavailable` when the Compactor is silent */
async function deleteOrphan(
  context: ItemHourContext,
  orphan: Orphan,
  visible: readonly MinuteSums[],
): Promise<RepairOutcome> {
  const { key } = orphan.info;
  await proveOwner(context);
  if (!context.order.isDeep) throw refusal(key, "objects were not read: it may be the only copy");
  for (const [minute, { itemCount, digest }] of await readSums(context, orphan)) {
    const isVisible = visible.some((sums) => {
      const sum = sums.get(minute);
      return itemCount === 0 || (sum?.itemCount === itemCount && sum.digest === digest);
    });
    if (isVisible) continue;
    const held = `it holds ${itemCount} items of minute ${minute} that are not proven to be visible elsewhere`;
    throw refusal(key, `${held}: it may be the only copy, of a manifest that was lost`);
  }
  if (!(await isIdle(context, key))) return "not_now";
  // Only after that: who worked until now has published by now.
  const newest = await readAgain(context);
  if (newest?.manifest.outputs.some((output) => output.key === key) === true) return "not_now";
  if (newest !== null) await proveOutputs(context.source, newest.manifest);
  const { layout } = context.deps;
  const files = [formatMembersKey(orphan.key, layout), formatTraceIndexKey(orphan.key, layout)];
  await context.source.store.delete([key, ...files]);
  return "repaired";
}

/** What an orphan holds, by minute. */
async function readSums(context: ItemHourContext, { key, info }: Orphan): Promise<MinuteSums> {
  const { form } = key;
  const output = { key: info.key, sizeBytes: bytes(info.length) };
  const members = await scanMembers({ output, form }, context.source);
  return (await walkOutput(context, { output, form, signal: context.signal, members })).minutes;
}

function refusal(key: string, found: string): FirnError {
  return new FirnError("corrupt_object", `Cannot delete "${key}": ${found}`);
}
