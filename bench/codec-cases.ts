/** What the benchmarks of the JSON codec share: requests of the corpus in both encodings, and one way to measure. */
import { listDataSets, readDocuments } from "../scripts/corpus.ts";
import { decodeJsonRequest } from "../src/otlp/json/decode.ts";
import type { ItemSignal } from "../src/signal.ts";

/** Requests of a data set that are measured: enough for every shape, few enough for the reference to be done soon. */
const MAX_BYTES = 12_000_000;
/** CPU time of one round: the kernel counts it in ticks of 4 ms. */
const ROUND_MICROS = 100_000;
/** Rounds of each work. The best one counts, since other work on the machine only slows rounds. */
const ROUNDS = 6;

/** Some requests of one data set. */
export interface CodecCase {
  /** Such as `traces/hipstershop`. */
  readonly name: string;
  readonly signal: ItemSignal;
  readonly documents: readonly Uint8Array[];
  /** The same requests as protobuf. */
  readonly bodies: readonly Uint8Array[];
  /** Bytes of all documents. */
  readonly jsonBytes: number;
}

/** Reads requests of every data set. */
export function listCodecCases(): readonly CodecCase[] {
  return listDataSets().map(({ name, signal }) => {
    const documents = takeSome(readDocuments(name));
    const bodies = documents.map((document) => decodeJsonRequest(signal, document));
    return { name, signal, documents, bodies, jsonBytes: documents.reduce((sum, { length }) => sum + length, 0) };
  });
}

/**
 * Runs the works of every case in turn, round after round, so that all of them see the same machine. All cases are
 * warmed up before the first is measured, as one worker would see them all.
 *
 * @param listWorks the works of a case; each goes over all of its requests
 * @returns for each case the best speed of each work, in 10^6 bytes of JSON a second of this thread's own CPU
 */
export function measureSpeeds(
  cases: readonly CodecCase[],
  listWorks: (data: CodecCase) => readonly (() => void)[],
): readonly (readonly number[])[] {
  for (const data of [...cases, ...cases]) for (const work of listWorks(data)) work();
  return cases.map((data) => {
    const works = listWorks(data);
    const best = works.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, work] of works.entries())
        best[index] = Math.min(best[index] ?? Number.POSITIVE_INFINITY, measureRound(work));
    }
    return best.map((micros) => data.jsonBytes / micros);
  });
}

/** Microseconds of CPU that one run of the work takes. */
function measureRound(work: () => void): number {
  const before = process.threadCpuUsage();
  for (let runs = 1; ; runs++) {
    work();
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= ROUND_MICROS) return (user + system) / runs;
  }
}

function takeSome(documents: readonly Uint8Array[]): readonly Uint8Array[] {
  let bytes = 0;
  return documents.filter(({ length }) => (bytes += length) <= MAX_BYTES);
}
