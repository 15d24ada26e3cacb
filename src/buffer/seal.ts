/**
 * Seal (protocol 4.1): one transaction fixes members, form, store, sequence, key, length and SHA-256 of a batch. Any
 * later try sends the same bytes under the same key. Sealing never waits for the store.
 */
import { FLOOR_MAX_AHEAD } from "../limits.ts";
import type { PutSource } from "../object-store/contract.ts";
import { commit } from "./commit.ts";
import { readChunkData, updateSeal, type Seal } from "./schema.ts";
import { objectBytes, writeTotals, type Batch, type Shard } from "./shard.ts";

/**
 * Seals a batch that holds members.
 * The digest is computed before the transaction, over rows that can't change any more: a closed batch takes no members.
 */
export async function sealBatch(shard: Shard, batch: Batch): Promise<void> {
  batch.isClosed = true;
  const { sha256, md5 } = await digestBatch(shard, batch);
  const seal = planSeal(shard, batch, sha256);
  // Seal times of a shard never go back, so that a clock that does can't seal below a watermark that was told.
  const totals = { ...shard.totals, nextSequence: seal.sequence + 1, floor: seal.sealedAt };
  await commit(
    shard,
    () => {
      updateSeal(shard.deps.storage, shard.meter, batch.id, seal);
      writeTotals(shard, totals);
    },
    () => {
      shard.totals = totals;
      batch.seal = seal;
      batch.md5 = md5;
    },
  );
}

/**
 * The moment at which a seal would fall now: the later of the clock and the floor (protocol 4.1, 5.1). It gives the
 * minute of arrival. A floor far ahead of the clock is a clock that was wrong for a while, and is not followed: what is
 * sealed below a promise then is reported as late when it is stored.
 */
export function toSealTime(shard: Shard): number {
  const now = shard.deps.now();
  const floors = [shard.totals.floor, shard.closing.closedUntil];
  return Math.max(now, ...floors.filter((floor) => floor <= now + FLOOR_MAX_AHEAD));
}

function planSeal(shard: Shard, batch: Batch, sha256: Uint8Array): Seal {
  const { deps, identity, incarnation, totals } = shard;
  if (identity === null) throw new Error("Cannot seal a batch: the shard does not know who it is");
  const sealedAt = toSealTime(shard);
  const sequence = totals.nextSequence;
  const key = deps.formatObjectKey(identity, { form: batch.form, sealedAt, incarnation, sequence });
  return { sequence, sealedAt, key, store: deps.store.identity, length: objectBytes(batch), sha256 };
}

interface BatchDigests {
  readonly sha256: Uint8Array;
  /** `null` where the store has no use for it. */
  readonly md5: Uint8Array | null;
}

/** One pass over the rows for both digests. */
async function digestBatch(shard: Shard, batch: Batch): Promise<BatchDigests> {
  const streams = [new crypto.DigestStream("SHA-256")];
  if (shard.deps.store.traits.sendsMd5) streams.push(new crypto.DigestStream("MD5"));
  const writers = streams.map((stream) => stream.getWriter());
  for (const data of readObjectBytes(shard, batch)) {
    for (const writer of writers) await writer.write(data);
  }
  for (const writer of writers) await writer.close();
  const [sha256, md5] = await Promise.all(streams.map((stream) => stream.digest));
  if (sha256 === undefined) throw new Error("Cannot seal a batch: it has no digest");
  return { sha256: new Uint8Array(sha256), md5: md5 === undefined ? null : new Uint8Array(md5) };
}

/** All of the object, from the first byte to the last: the batch's rows and the tail of its frame. */
function* readObjectBytes(shard: Shard, batch: Batch): Generator<Uint8Array> {
  yield* readRows(shard, batch);
  const { frame } = batch;
  // A copy, since a stream of bytes takes the memory of what it is given.
  if (frame !== null && frame.tail.byteLength > 0) yield frame.tail.slice();
}

/**
 * The rows of a batch, one at a time. A row's memory is given back when the next one is asked for; left to the garbage
 * collector it grows with the batch (75 MiB for 64 MB instead of 7, `npm run bench -- flush`).
 */
function* readRows(shard: Shard, batch: Batch): Generator<Uint8Array> {
  for (let row = 1; ; row += 1) {
    const data = readChunkData(shard.deps.storage, batch.id, row);
    if (data === null) return;
    yield data;
    if (data.buffer instanceof ArrayBuffer) data.buffer.transfer(0);
  }
}

/** A sealed batch as the source of a PUT; read anew for every try. */
export function toPutSource(shard: Shard, batch: Batch, seal: Seal): PutSource {
  return {
    length: seal.length,
    sha256: seal.sha256,
    ...(batch.md5 === null ? {} : { md5: batch.md5 }),
    contentType: shard.deps.toContentType(batch.form),
    async *open() {
      yield* readObjectBytes(shard, batch);
    },
  };
}
