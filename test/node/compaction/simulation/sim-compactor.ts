/**
 * A Compactor that dies and comes back: one disk, one clock, and instances one after the other, of which an old one may
 * go on for a while.
 */
import {
  openCompactor,
  type Compactor,
  type CompactorDeps,
  type WorkBounds,
} from "../../../../src/compaction/compactor.ts";
import type { Merger, MergerOptions } from "../../../../src/compaction/merger.ts";
import type { TenantCompaction } from "../../../../src/config/compact-settings.ts";
import type { ObjectStore } from "../../../../src/object-store/contract.ts";
import { openPlainMerger } from "../../../compaction/plain-merger.ts";
import type { Bucket } from "../../../compaction/bucket.ts";
import type { Life } from "./scheduler.ts";
import type { SqliteDisk, StoragePoint } from "./sqlite-disk.ts";

/** A Compactor of the simulation. */
export interface SimCompactor {
  readonly name: string;
  readonly disk: SqliteDisk;
  /** How far its clock is ahead of the world's; milliseconds. */
  skew: number;
  /** The latest moment that its clock has shown: what was decided by a clock that then went back is no fault of its. */
  latest: number;
  /** The instance that has the disk; `null` while there is none. */
  life: Life | null;
  /** Calls under way. */
  calls: number;
  /** Starts an instance if there is none. */
  live(): Promise<Compactor>;
}

/** What it is made of. */
export interface SimCompactorParts {
  readonly name: string;
  readonly disk: SqliteDisk;
  readonly bucket: Bucket;
  readonly settings: TenantCompaction;
  readonly bounds: WorkBounds;
  readonly now: () => number;
  readonly openStore: (life: Life) => ObjectStore;
  readonly pointOf: (life: Life) => StoragePoint;
  readonly closeHour: () => "closed" | "open";
  readonly onAbandon: (life: Life) => void;
}

const DEPLOYMENT = "d".repeat(32);

/** Makes one that has not been started. */
export function openSimCompactor(parts: SimCompactorParts): SimCompactor {
  const { name, disk, bucket } = parts;
  let instances = 0;
  let starting: Promise<Compactor> | null = null;

  function toDeps(life: Life): CompactorDeps {
    return {
      identity: { tenant: "", signal: bucket.signal },
      storage: disk.open(parts.pointOf(life)),
      settings: parts.settings,
      store: parts.openStore(life),
      layout: bucket.layout,
      now: () => {
        const now = parts.now() + sim.skew;
        sim.latest = Math.max(sim.latest, now);
        return now;
      },
      random: () => 0.5,
      deployment: async () => DEPLOYMENT,
      closeHour: async () => parts.closeHour(),
      openMerger: openIndexedMerger,
      bounds: parts.bounds,
      abandon: () => parts.onAbandon(life),
    };
  }

  function start(): Promise<Compactor> {
    instances += 1;
    const life: Life = { name, state: "alive" };
    sim.life = life;
    const incarnation = `${name === "one" ? "1" : "2"}${instances.toString(16).padStart(7, "0")}`;
    return openCompactor(toDeps(life), () => incarnation);
  }

  const sim: SimCompactor = {
    name,
    disk,
    skew: 0,
    latest: 0,
    life: null,
    calls: 0,
    live: () => {
      if (sim.life === null || starting === null) starting = start();
      return starting;
    },
  };
  return sim;
}

/** A plain merger whose members hold one trace: outputs have indexes, and stand in the bucket as they are. */
function openIndexedMerger(options: MergerOptions): Merger {
  const merger = openPlainMerger(options);
  return { ...merger, take: () => merger.take().map((member) => ({ ...member, traceHashes: Uint32Array.of(7) })) };
}
