/**
 * One step of a run: reads the next sources, merges them into members, hands those to the outputs, proves that they
 * hold the same items, and commits all of it at once. A step that fails or dies is repeated from the last commit.
 */
import {
  COMPACT_GROWTH_FACTOR,
  COMPACT_GROWTH_OUTPUTS,
  COMPACT_OUTPUT_MAX_BYTES,
  COMPACT_PLAIN_OUTPUTS,
} from "../limits.ts";
import { openUsage } from "../reader/usage.ts";
import { bytes, HOUR } from "../units.ts";
import { commit } from "./commit.ts";
import { writeRun, type Compactor, type Run } from "./compactor.ts";
import type { Merger, MinuteSums } from "./merger.ts";
import { addSums, findDifference, subtractSums, totalOf } from "./minute-sums.ts";
import { openOutputWriter, type OutputWriter } from "./output-writer.ts";
import { readOutputs } from "./output-rows.ts";
import { openRewriteSources } from "./rewrite-reader.ts";
import { readSources, writeProgress } from "./schema.ts";
import { openSources, type OpenedSource } from "./source-reader.ts";

/** Beyond this many halvings a step is one source anyway. */
const MAX_SHRINK = 26;

/** Takes a step. @param attempts failures of the hour in a row, this attempt included */
export async function mergeStep(compactor: Compactor, run: Run, attempts: number): Promise<void> {
  const { storage, settings, bounds, identity, openMerger } = compactor.deps;
  const shrink = Math.min(MAX_SHRINK, run.shrink + attempts - 1);
  const writer = openOutputWriter(compactor, run);
  const merger = openMerger({
    signal: identity.signal,
    marshaler: run.marshaler,
    compression: run.compression,
    level: settings.level,
    memberRawBytes: bytes(bounds.memberRawBytes),
    gatherBytes: bytes(bounds.gatherBytes),
    startsOutput: writer.rawBytes === 0,
  });
  const ended = readOutputs(storage).filter(({ state }) => state !== "open").length;
  const outputs = openStepOutputs(merger, writer, {
    targetBytes: settings.targetBytes,
    outputsBefore: run.keptOutputs + ended,
  });
  const taken = await mergeSources(compactor, run, { merger, outputs, maxRawBytes: bounds.stepRawBytes / 2 ** shrink });
  merger.endMinute();
  await outputs.flush();
  const nextSource = run.nextSource + taken;
  if (nextSource >= run.sourceCount) await writer.end();
  prove(run, merger.sourceTotals, merger.outputTotals);
  const next: Run = {
    ...run,
    nextSource,
    shrink,
    sourceTotals: addSums(run.sourceTotals, merger.sourceTotals),
    outputTotals: addSums(run.outputTotals, merger.outputTotals),
  };
  await commit(
    compactor,
    () => {
      writer.save();
      writeRun(storage, next);
      writeProgress(storage, run.hour);
    },
    () => {
      compactor.run = next;
      compactor.rest = writer.endStep(next);
    },
  );
}

interface StepOutputs {
  /** Moves finished members on, and ends the output when it is full. */
  move(): Promise<void>;
  /** Ends the member under way and moves it on. */
  flush(): Promise<void>;
}

/**
 * Raw bytes at which an output ends. A manifest names a bounded number of outputs, so that those of a very large hour,
 * and those of small targets, grow.
 */
function toTarget(targetBytes: number, outputsBefore: number): number {
  const groups = Math.max(0, Math.floor((outputsBefore - COMPACT_PLAIN_OUTPUTS) / COMPACT_GROWTH_OUTPUTS) + 1);
  const grown = Math.min(targetBytes * COMPACT_GROWTH_FACTOR ** groups, COMPACT_OUTPUT_MAX_BYTES);
  return Math.max(targetBytes, grown);
}

function openStepOutputs(
  merger: Merger,
  writer: OutputWriter,
  { targetBytes, outputsBefore }: { readonly targetBytes: number; readonly outputsBefore: number },
): StepOutputs {
  let before: MinuteSums = new Map();
  let count = outputsBefore;

  async function take(): Promise<void> {
    const members = merger.take();
    if (members.length === 0) return;
    const now = new Map(merger.outputTotals);
    await writer.add(members, totalOf(subtractSums(now, before)));
    before = now;
  }

  async function endFull(): Promise<void> {
    if (writer.rawBytes < toTarget(targetBytes, count)) return;
    merger.startOutput();
    await take();
    await writer.end();
    count += 1;
  }

  return {
    move: async () => {
      await take();
      await endFull();
    },
    flush: async () => {
      merger.flush();
      await take();
      await endFull();
    },
  };
}

/** @returns how many sources were read to their end */
async function mergeSources(
  compactor: Compactor,
  run: Run,
  step: { readonly merger: Merger; readonly outputs: StepOutputs; readonly maxRawBytes: number },
): Promise<number> {
  const { merger, outputs, maxRawBytes } = step;
  const { storage, store, layout, identity, now, bounds } = compactor.deps;
  const usage = openUsage();
  const from = { store, layout, signal: identity.signal, usage };
  const sources = readSources(storage, run.nextSource, bounds.runMaxSources);
  const startedAt = now();
  let taken = 0;
  let minute: number | null = null;
  const opened: AsyncGenerator<OpenedSource, void, void> =
    run.kind === "merge" ? openSources(from, sources) : openRewriteSources(compactor, run, { sources, usage });
  for await (const part of opened) {
    const { source } = part;
    if (minute !== null && minute !== source.minute) merger.endMinute();
    minute = source.minute;
    for await (const fields of part.read()) {
      merger.addFields(minute, fields);
      await outputs.move();
    }
    taken += 1;
    if (usage.rawBytes >= maxRawBytes || now() - startedAt >= bounds.work) break;
  }
  return taken;
}

/** Protocol 5.5. Never a fault of the data: what differs here is a bug, and nothing of it may be published. */
function prove({ hour }: Run, sources: MinuteSums, outputs: MinuteSums): void {
  const minute = findDifference(sources, outputs);
  if (minute === null) return;
  const time = new Date(hour + (minute * HOUR) / 60).toISOString();
  throw new Error(`Cannot compact minute ${time}: the outputs hold other items than the sources`);
}
