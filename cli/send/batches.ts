/** Units → requests of a useful size. The same units from the same place on make the same requests, byte for byte. */
import { joinBytes } from "../../src/bytes.ts";
import { isItemSignal, type Signal } from "../../src/signal.ts";
import type { Unit } from "./units.ts";

/** One request. */
export interface Batch {
  readonly signal: Signal;
  /** OTLP protobuf. */
  readonly body: Uint8Array;
  readonly itemCount: number;
  /** Units from the beginning of the input to the end of this request. */
  readonly unitEnd: number;
}

/** Where the units begin to count, and how much a request holds. */
export interface BatchOptions {
  readonly batchBytes: number;
  /** So many units were sent before. */
  readonly skipUnits: number;
}

/** Gathers units that follow each other and are of one signal; a larger unit, and a profiles request, goes alone. */
export async function* gatherBatches(
  units: AsyncIterable<Unit>,
  { batchBytes, skipUnits }: BatchOptions,
): AsyncGenerator<Batch, void, void> {
  let gathered: Unit[] = [];
  let gatheredBytes = 0;
  let unitEnd = 0;
  const toBatch = (): Batch => ({
    signal: gathered[0]?.signal ?? "traces",
    body: joinBytes(gathered.map(({ body }) => body)),
    itemCount: gathered.reduce((sum, { itemCount }) => sum + itemCount, 0),
    unitEnd,
  });
  for await (const unit of units) {
    const fits = gatheredBytes + unit.body.length <= batchBytes;
    const isSame = gathered[0]?.signal === unit.signal && isItemSignal(unit.signal);
    if (gathered.length > 0 && !(fits && isSame)) {
      yield toBatch();
      gathered = [];
      gatheredBytes = 0;
    }
    unitEnd += 1;
    if (unitEnd <= skipUnits) continue;
    gathered.push(unit);
    gatheredBytes += unit.body.length;
  }
  if (gathered.length > 0) yield toBatch();
}
