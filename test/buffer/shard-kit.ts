/**
 * A shard on real SQLite storage with a clock, a store and crash points in the test's hand. {@link ShardKit.restart}
 * throws memory away and starts again on what is durable, as an eviction does.
 */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { append } from "../../src/buffer/append.ts";
import type { AppendHead, AppendOutcome, MemberForm } from "../../src/buffer/contract.ts";
import type { ShardStorage } from "../../src/buffer/schema.ts";
import { openShard, type Shard, type ShardSettings } from "../../src/buffer/shard.ts";
import { toFrame } from "../../src/durable-objects/batch-frame.ts";
import type { ObjectInfo, ObjectStore, PutOutcome, PutSource } from "../../src/object-store/contract.ts";

export const GZIP: MemberForm = { marshaler: "otlp_proto", compression: "gzip" };

/** Called before and after every outside effect; throws to stop the shard there. */
export type Gate = (point: string) => void;

export interface ScriptedStore extends ObjectStore {
  readonly objects: Map<string, Uint8Array>;
  readonly puts: string[];
  /** Throws to let a PUT fail; runs before the effect. */
  onPut: (key: string, source: PutSource) => void | Promise<void>;
  /** Runs after the effect, before the answer. */
  afterPut: (key: string) => void;
}

export interface ShardKit {
  readonly store: ScriptedStore;
  readonly storage: ShardStorage;
  readonly settings: { -readonly [K in keyof ShardSettings]: ShardSettings[K] };
  readonly registered: string[];
  /** Hours of which the Compactor heard, in the order of the reports. */
  readonly reported: number[];
  /** What the platform would know of the alarm. */
  readonly alarms: { at: number | null };
  shard: Shard;
  now: number;
  gate: Gate;
  isAbandoned: boolean;
  /** Throws the memory away. */
  restart(): Promise<void>;
  /** The shard as the platform would serve it: started again if it was abandoned. */
  live(): Promise<Shard>;
  append(member: Uint8Array, options?: Partial<AppendHead>): Promise<AppendOutcome>;
}

let counter = 0;

/** Runs a test inside a Durable Object of its own. */
export async function withShard(body: (kit: ShardKit) => Promise<void>): Promise<void> {
  counter += 1;
  const stub = env.SHARD_BUFFER.get(env.SHARD_BUFFER.idFromName(`kit-${counter}-${crypto.randomUUID()}`));
  await runInDurableObject(stub, async (_instance, state) => {
    await body(await openKit(state.storage));
  });
}

async function openKit(storage: DurableObjectStorage): Promise<ShardKit> {
  const store = openScriptedStore();
  const settings = {
    flushIntervalMillis: 60_000,
    flushMaxBytes: 1e9,
    backlogMaxBytes: 1e9,
    dedupeWindowMillis: 3_600_000,
  };
  const registered: string[] = [];
  const reported: number[] = [];
  let incarnations = 0;
  let restarting: Promise<Shard> | null = null;
  const alarms: { at: number | null } = { at: null };
  const gated = gateStorage(storage, alarms, (point) => kit.gate(point));
  const open = (): Promise<Shard> =>
    openShard(
      {
        storage: gated,
        settings,
        now: () => kit.now,
        random: () => 0.5,
        store,
        formatObjectKey: ({ signal }, { sealedAt, incarnation, sequence }) =>
          `${signal}/${sealedAt}-${incarnation}-${sequence}`,
        toContentType: () => "application/gzip",
        toFrame,
        register: async ({ tenant, signal, shard }) => {
          kit.gate("register");
          registered.push(`${tenant}/${signal}/${shard}`);
        },
        reportLate: async (_identity, hours) => {
          kit.gate("report.before");
          reported.push(...hours);
          kit.gate("report.after");
        },
        abandon: () => {
          kit.isAbandoned = true;
        },
      },
      () => `0000000${(incarnations += 1)}`,
    );
  const kit: ShardKit = {
    store,
    storage,
    settings,
    registered,
    reported,
    alarms,
    now: Date.UTC(2026, 4, 1, 14, 9, 30),
    gate: () => undefined,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set right below, before anyone can read it
    shard: undefined as unknown as Shard,
    isAbandoned: false,
    async restart() {
      // Those who ask at once meet one instance, as on the platform.
      restarting ??= open().finally(() => {
        restarting = null;
      });
      kit.shard = await restarting;
      kit.isAbandoned = false;
    },
    async live() {
      if (kit.isAbandoned) await kit.restart();
      return kit.shard;
    },
    append: async (member, options = {}) => append(await kit.live(), toHead(member, options), () => member),
  };
  kit.shard = await open();
  return kit;
}

function toHead(member: Uint8Array, options: Partial<AppendHead>): AppendHead {
  return {
    identity: { tenant: "", signal: "traces", shard: 0 },
    hash: hashOf(member),
    form: GZIP,
    itemCount: 1,
    rejectedCount: 0,
    memberBytes: member.byteLength,
    ...options,
  };
}

/** A spread of the member's bytes over 16: distinct members of a test get distinct hashes. */
export function hashOf(member: Uint8Array): Uint8Array {
  const hash = new Uint8Array(16);
  const view = new DataView(hash.buffer);
  let state = member.byteLength + 1;
  for (const byte of member.subarray(0, 64)) state = Math.imul(state ^ byte, 0x9e3779b1) + 1;
  for (let word = 0; word < 4; word += 1) view.setUint32(word * 4, Math.imul(state + word, 0x85ebca6b) ^ (state >>> 7));
  return hash;
}

/** A member whose bytes tell which one it is. */
export function makeMember(number: number, length = 100): Uint8Array {
  const member = new Uint8Array(length);
  new DataView(member.buffer).setUint32(0, number + 1);
  for (let index = 4; index < length; index += 1) member[index] = (number * 31 + index) & 0xff;
  return member;
}

function gateStorage(storage: DurableObjectStorage, alarms: { at: number | null }, gate: Gate): ShardStorage {
  return {
    sql: storage.sql,
    transactionSync(closure) {
      gate("transaction.before");
      const result = storage.transactionSync(closure);
      gate("transaction.after");
      return result;
    },
    async sync() {
      gate("sync.before");
      await storage.sync();
      gate("sync.after");
    },
    // The test's clock is not the runtime's: a real alarm would fire at once, in the middle of a test.
    getAlarm: async () => alarms.at,
    async setAlarm(at) {
      gate("alarm.before");
      alarms.at = at;
    },
  };
}

function openScriptedStore(): ScriptedStore {
  const objects = new Map<string, Uint8Array>();
  const infos = new Map<string, ObjectInfo>();
  const store: ScriptedStore = {
    identity: "memory:test",
    traits: { createOnly: "atomic", sendsMd5: false },
    objects,
    puts: [],
    onPut: () => undefined,
    afterPut: () => undefined,
    async put(key: string, source: PutSource): Promise<PutOutcome> {
      store.puts.push(key);
      await store.onPut(key, source);
      const found = infos.get(key);
      if (found !== undefined) return { kind: "exists", info: found };
      const pieces: Uint8Array[] = [];
      for await (const piece of source.open()) pieces.push(piece.slice());
      const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      if (bytes.length !== source.length || digest !== source.sha256.toHex()) throw new Error("the source lies");
      const info = { key, length: bytes.length, etag: null, sha256Hex: digest };
      objects.set(key, bytes);
      infos.set(key, info);
      store.afterPut(key);
      return { kind: "stored", info };
    },
    get: () => Promise.reject(new Error("not used")),
    head: async (key) => infos.get(key) ?? null,
    list: () => Promise.reject(new Error("not used")),
    delete: () => Promise.reject(new Error("not used")),
    createMultipart: () => Promise.reject(new Error("not used")),
    putPart: () => Promise.reject(new Error("not used")),
    completeMultipart: () => Promise.reject(new Error("not used")),
    abortMultipart: () => Promise.reject(new Error("not used")),
  };
  return store;
}

function sequenceOf(key: string): number {
  return Number(key.split("-").at(-1));
}

/** All bytes in all objects, in the order of their keys' sequence. */
export function storedBytes(store: ScriptedStore): Uint8Array[] {
  return [...store.objects].toSorted(([a], [b]) => sequenceOf(a) - sequenceOf(b)).map(([, bytes]) => bytes);
}

/** Numbers of the members in stored bytes, when all members have the same length. */
export function memberNumbers(bytes: readonly Uint8Array[], length = 100): number[] {
  return bytes.flatMap((object) => {
    const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
    return Array.from({ length: object.byteLength / length }, (_, index) => view.getUint32(index * length) - 1);
  });
}
