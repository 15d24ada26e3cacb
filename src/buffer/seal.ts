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
  const sha256 = await digestBatch(shard, batch);
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
    },
  );
}

/**
 * The moment at which a seal would fall now: the later of the clock and the floor (protocol 4.1, 5.1). It gives the
 * minute of arrival. A floor far ahead of the clock is a clock that was wrong for a while, and is not followed.
 */
export function toSealTime(shard: Shard): number {
  const now = shard.deps.now();
  const { floor } = shard.totals;
  return floor <= now + FLOOR_MAX_AHEAD ? Math.max(now, floor) : now;
}

function planSeal(shard: Shard, batch: Batch, sha256: Uint8Array): Seal {
  const { deps, identity, incarnation, totals } = shard;
  if (identity === null) throw new Error("Cannot seal a batch: the shard does not know who it is");
  const sealedAt = toSealTime(shard);
  const sequence = totals.nextSequence;
  const key = deps.formatObjectKey(identity, { form: batch.form, sealedAt, incarnation, sequence });
  return { sequence, sealedAt, key, store: deps.store.identity, length: objectBytes(batch), sha256 };
}

async function digestBatch(shard: Shard, batch: Batch): Promise<Uint8Array> {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  for (const data of readObjectBytes(shard, batch)) await writer.write(data);
  await writer.close();
  return new Uint8Array(await stream.digest);
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
    contentType: shard.deps.toContentType(batch.form),
    async *open() {
      yield* readObjectBytes(shard, batch);
    },
  };
}
