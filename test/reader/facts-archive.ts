/**
 * Archives of generated items whose facts a test knows by their names: service, event time and trace. Compacted by
 * Firn's own Compactor, so that manifests, member tables and indexes say what they say in production.
 */
import { formatKey } from "../../src/archive/key.ts";
import { openMergers } from "../../src/compaction/merge.ts";
import type { ReadHints } from "../../src/reader/contract.ts";
import type { ItemSignal } from "../../src/signal.ts";
import { HOUR, KIB, millis, MINUTE, type Millis } from "../../src/units.ts";
import { GZIP, type Bucket } from "../compaction/bucket.ts";
import { withCompactor } from "../compaction/compactor-kit.ts";
import { concat, field, gzip } from "./otlp-sample.ts";

/** What a test knows of an item. */
export interface ItemFacts {
  readonly name: string;
  /** First instant of its minute of arrival. */
  readonly arrival: Millis;
  /** Empty for none. */
  readonly service: string;
  /** 0 for none. */
  readonly timeUnixNano: bigint;
  /** 16 bytes; `null` for none. */
  readonly traceId: Uint8Array | null;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function fixed64(tag: number, value: bigint): Uint8Array {
  const encoded = new Uint8Array(9);
  encoded[0] = tag;
  new DataView(encoded.buffer).setBigUint64(1, value, true);
  return encoded;
}

function toItem(signal: ItemSignal, { name, timeUnixNano, traceId }: ItemFacts): Uint8Array {
  // A tag may look like one more digit.
  const label = text(`${name}.`);
  const id = traceId ?? new Uint8Array(signal === "traces" ? 16 : 0);
  if (signal === "traces") {
    return concat([field(1, id), field(2, new Uint8Array(8).fill(9)), field(5, label), fixed64(0x39, timeUnixNano)]);
  }
  return concat([fixed64(0x09, timeUnixNano), field(5, field(1, label)), field(9, id)]);
}

function toRequest(signal: ItemSignal, items: readonly ItemFacts[]): Uint8Array {
  const services = new Set(items.map(({ service }) => service));
  return concat(
    [...services].map((service) => {
      const attribute = field(1, concat([field(1, text("service.name")), field(2, field(1, text(service)))]));
      const resource = service === "" ? new Uint8Array(0) : field(1, attribute);
      const own = items.filter((item) => item.service === service).map((item) => field(2, toItem(signal, item)));
      return field(1, concat([resource, field(2, concat(own))]));
    }),
  );
}

let sequence = 0;

/** Puts items, all of one minute of arrival, as one fresh object. */
export function putItems({ store, layout, signal }: Bucket, arrival: Millis, items: readonly ItemFacts[]): void {
  sequence += 1;
  const sealTime = millis(arrival + (sequence % 50_000));
  const incarnation = "5f2c4e7a";
  const key = formatKey({ kind: "fresh", signal, form: GZIP, sealTime, shard: 1, incarnation, sequence }, layout);
  const bytes = gzip(toRequest(signal, items));
  store.objects.set(key, { bytes, contentType: "application/gzip", sha256Hex: "0".repeat(64) });
}

/** Compacts what is there, into small members and outputs, and deletes the sources. */
export async function compactAll(bucket: Bucket, options: { readonly targetBytes?: number } = {}): Promise<void> {
  await withCompactor(bucket, async (kit) => {
    kit.openMerger = openMergers();
    Object.assign(kit.bounds, { memberRawBytes: KIB, gatherBytes: 4 * KIB });
    Object.assign(kit.settings, { targetBytes: options.targetBytes ?? 4 * KIB, compression: "zstd" });
    kit.now += 3 * HOUR;
    await kit.work();
    await kit.settle();
  });
}

/** Says whether hints, as a filter, keep an item. */
export function isKept({ service, traceId, eventTime }: ReadHints, item: ItemFacts): boolean {
  if (service !== null && item.service !== service) return false;
  if (traceId !== null && item.traceId?.toHex() !== traceId.toHex()) return false;
  if (eventTime === null) return true;
  const time = item.timeUnixNano === 0n ? BigInt(item.arrival) * 1_000_000n : item.timeUnixNano;
  return time >= eventTime.startUnixNano && time < eventTime.endUnixNano;
}

/** Numbers from 0 to 1, the same for a seed. */
export function openRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Makes items of a minute: some late or early, some without time, service or trace; times close to each other. */
export function makeItems(
  random: () => number,
  arrival: Millis,
  { count, traces }: { readonly count: number; readonly traces: readonly Uint8Array[] },
): readonly ItemFacts[] {
  const pick = (bound: number): number => Math.floor(random() * bound);
  const service = ["cart", "checkout", "ad", ""][pick(4)] ?? "";
  const delay = random() < 0.2 ? pick(5) * HOUR : 0;
  return Array.from({ length: count }, () => {
    sequence += 1;
    const time = BigInt(arrival - delay + pick(MINUTE)) * 1_000_000n;
    const traceId = random() < 0.2 ? null : (traces[pick(traces.length)] ?? null);
    return { name: `item-${sequence}`, arrival, service, timeUnixNano: random() < 0.05 ? 0n : time, traceId };
  });
}
