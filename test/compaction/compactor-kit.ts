/**
 * A Compactor on real SQLite storage with a clock, a store and crash points in the test's hand.
 * {@link CompactorKit.restart} throws memory away and starts again on what is durable, as an eviction does.
 */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { openCompactor, type Compactor, type CompactorDeps, type WorkBounds } from "../../src/compaction/compactor.ts";
import type { TenantCompaction } from "../../src/config/compact-settings.ts";
import type { CompactorIdentity, WorkOrder, WorkReport } from "../../src/compaction/contract.ts";
import type { OpenMerger } from "../../src/compaction/merger.ts";
import type { CompactorStorage } from "../../src/compaction/schema.ts";
import { onAlarm, work } from "../../src/compaction/work.ts";
import { aroundCalls } from "../../src/object-store/around-calls.ts";
import type { ObjectStore } from "../../src/object-store/contract.ts";
import type { Millis } from "../../src/units.ts";
import { AFTER_14, type Bucket } from "./bucket.ts";
import { openPlainMerger } from "./plain-merger.ts";
import { BOUNDS, RECENT, SETTINGS } from "./settings.ts";

/** Called before and after every outside effect; throws to stop the Compactor there. */
export type Gate = (point: string) => void;

export interface CompactorKit {
  readonly bucket: Bucket;
  readonly storage: DurableObjectStorage;
  readonly settings: { -readonly [K in keyof TenantCompaction]: TenantCompaction[K] };
  readonly bounds: { -readonly [K in keyof WorkBounds]: WorkBounds[K] };
  readonly alarms: { at: number | null };
  readonly closings: number[];
  compactor: Compactor;
  openMerger: OpenMerger;
  deployment: string;
  closeHour: (hour: Millis) => "closed" | "open";
  /** Wraps the store once more, for faults. */
  wrap: (store: ObjectStore) => ObjectStore;
  now: number;
  gate: Gate;
  isAbandoned: boolean;
  restart(): Promise<void>;
  live(): Promise<Compactor>;
  work(order?: WorkOrder | null): Promise<WorkReport>;
  /** Lets alarms come until there is none, or none for so long. */
  settle(rounds?: number): Promise<void>;
  /** Waits for SQLite to be durable; a simulation, which never loses power, does not. */
  isSyncing: boolean;
  /** Throws away what storage holds. */
  loseStorage(): Promise<void>;
}

let counter = 0;

/** Runs a test inside a Durable Object of its own. */
export async function withCompactor(bucket: Bucket, body: (kit: CompactorKit) => Promise<void>): Promise<void> {
  await withStorage(async (storage) => body(await openKit(bucket, storage)));
}

/** Hands out the storage of a new Durable Object. */
export async function withStorage(body: (storage: DurableObjectStorage) => Promise<void>): Promise<void> {
  const stub = env.SHARD_BUFFER.get(env.SHARD_BUFFER.idFromName(`compactor-${crypto.randomUUID()}`));
  await runInDurableObject(stub, async (_instance, state) => body(state.storage));
}

/** Behind these words stands the name of a table. */
const TABLE = /\b(FROM|INTO|UPDATE|JOIN|EXISTS) (?!SET\b)(\w+)/g;

/**
 * Opens a Compactor on storage. A Durable Object cannot touch another's storage, so that several Compactors of a test
 * share one, each with tables of its own.
 * @param prefix of the names of its tables
 */
export async function openKit(bucket: Bucket, storage: DurableObjectStorage, prefix = ""): Promise<CompactorKit> {
  counter += 1;
  const kitNumber = counter;
  const settings = { ...SETTINGS };
  const bounds = { ...BOUNDS };
  const alarms: { at: number | null } = { at: null };
  const closings: number[] = [];
  let restarting: Promise<Compactor> | null = null;
  let incarnations = 0;
  const identity: CompactorIdentity = { tenant: "", signal: bucket.signal };
  const open = (): Promise<Compactor> =>
    openCompactor(
      toDeps(),
      () => `${kitNumber.toString(16).padStart(4, "0")}${(incarnations += 1).toString().padStart(4, "0")}`,
    );
  const toDeps = (): CompactorDeps => ({
    identity,
    storage: gateStorage({ storage, prefix, isSyncing: () => kit.isSyncing }, alarms, (point) => kit.gate(point)),
    settings,
    store: gateStore(kit.wrap(bucket.store), (point) => kit.gate(point)),
    layout: bucket.layout,
    now: () => kit.now,
    random: () => 0.5,
    deployment: async () => kit.deployment,
    closeHour: async (hour) => {
      kit.gate("closeHour");
      closings.push(hour);
      return kit.closeHour(hour);
    },
    openMerger: (options) => kit.openMerger(options),
    bounds,
    abandon: () => {
      kit.isAbandoned = true;
    },
  });
  const kit: CompactorKit = {
    bucket,
    storage,
    settings,
    bounds,
    alarms,
    closings,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set right below, before anyone can read it
    compactor: undefined as unknown as Compactor,
    openMerger: openPlainMerger,
    deployment: "d".repeat(32),
    closeHour: () => "closed",
    wrap: (store) => store,
    now: AFTER_14,
    gate: () => undefined,
    isAbandoned: false,
    isSyncing: true,
    async restart() {
      restarting ??= open().finally(() => {
        restarting = null;
      });
      kit.compactor = await restarting;
      kit.isAbandoned = false;
    },
    async live() {
      if (kit.isAbandoned) await kit.restart();
      return kit.compactor;
    },
    work: async (order = RECENT) => work(await kit.live(), order),
    async settle(rounds = 40) {
      for (let round = 0; round < rounds; round += 1) {
        const { at } = alarms;
        if (at === null) return;
        kit.now = Math.max(kit.now, at);
        alarms.at = null;
        await onAlarm(await kit.live());
        if (kit.isAbandoned) await kit.restart();
      }
    },
    async loseStorage() {
      const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
      for (const { name } of tables) {
        if (typeof name === "string" && name.startsWith(prefix) && !name.startsWith("_cf")) {
          storage.sql.exec(`DROP TABLE ${name}`);
        }
      }
      alarms.at = null;
      await kit.restart();
    },
  };
  kit.compactor = await open();
  return kit;
}

function gateStorage(
  {
    storage,
    prefix,
    isSyncing,
  }: { readonly storage: DurableObjectStorage; readonly prefix: string; readonly isSyncing: () => boolean },
  alarms: { at: number | null },
  gate: Gate,
): CompactorStorage {
  const rename = (query: string): string => query.replace(TABLE, `$1 ${prefix}$2`);
  return {
    sql: {
      exec: <T extends Record<string, SqlStorageValue>>(query: string, ...values: unknown[]) =>
        storage.sql.exec<T>(prefix === "" ? query : rename(query), ...values),
    },
    transactionSync(closure) {
      gate("transaction.before");
      const result = storage.transactionSync(closure);
      gate("transaction.after");
      return result;
    },
    async sync() {
      gate("sync.before");
      if (isSyncing()) await storage.sync();
      gate("sync.after");
    },
    getAlarm: async () => alarms.at,
    async setAlarm(at) {
      gate("alarm.before");
      alarms.at = at;
    },
  };
}

function gateStore(store: ObjectStore, gate: Gate): ObjectStore {
  return aroundCalls(store, async (call, ask) => {
    gate(`${call}.before`);
    const answer = await ask();
    gate(`${call}.after`);
    return answer;
  });
}
