/**
 * Seal (protocol 4.1): one transaction fixes members, form, store, sequence, key, length and SHA-256 of a batch. Any
 * later try sends the same bytes under the same key. Sealing never waits for the store.
 */
import type { PutSource } from "../object-store/contract.ts";
import { readChunkData, updateSeal, type Seal } from "./schema.ts";
import { writeTotals, type Batch, type Shard } from "./shard.ts";

/**
 * Seals a batch that holds members.
 * The digest is computed before the transaction, over rows that can't change any more: a closed batch takes no members.
 */
export async function sealBatch(shard: Shard, batch: Batch): Promise<void> {
  batch.isClosed = true;
  const sha256 = await digestBatch(shard, batch);
  const { storage } = shard.deps;
  const seal = planSeal(shard, batch, sha256);
  const totals = { ...shard.totals, nextSequence: seal.sequence + 1 };
  storage.transactionSync(() => {
    updateSeal(storage, shard.meter, batch.id, seal);
    writeTotals(shard, totals);
  });
  shard.totals = totals;
  batch.seal = seal;
}

/** Seal time is the later of the clock and the floor, and gives the minute of arrival (protocol 4.1, 5.1). */
function planSeal(shard: Shard, batch: Batch, sha256: Uint8Array): Seal {
  const { deps, identity, incarnation, totals } = shard;
  if (identity === null) throw new Error("Cannot seal a batch: the shard does not know who it is");
  const sealedAt = Math.max(deps.now(), totals.floor);
  const sequence = totals.nextSequence;
  const key = deps.formatObjectKey(identity, { form: batch.form, sealedAt, incarnation, sequence });
  return { sequence, sealedAt, key, store: deps.store.identity, length: batch.memberBytes, sha256 };
}

async function digestBatch(shard: Shard, batch: Batch): Promise<Uint8Array> {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  for (const data of readBatchData(shard, batch)) await writer.write(data);
  await writer.close();
  return new Uint8Array(await stream.digest);
}

/**
 * The bytes of a batch, a row at a time: what the object will be, from the first byte to the last. A row's memory is
 * given back when the next one is asked for; left to the garbage collector it grows with the batch (75 MiB for 64 MB
 * instead of 7, `npm run bench -- flush`).
 */
function* readBatchData(shard: Shard, batch: Batch): Generator<Uint8Array> {
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
      yield* readBatchData(shard, batch);
    },
  };
}
