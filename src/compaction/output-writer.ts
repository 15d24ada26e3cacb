/**
 * Writes the members of a step into outputs: parts of one size go to the store as they fill, what is left over stays
 * for the next step. Nothing of it counts before {@link OutputWriter.save} is part of the step's transaction; a step
 * that is repeated sends its parts again under the same numbers, and the store takes the last ones.
 */
import { formatKey } from "../archive/key.ts";
import { formatContentType, type ObjectForm } from "../archive/object-form.ts";
import { releaseBytes } from "../bytes.ts";
import { literalMember } from "../compression/member.ts";
import { COMPACT_SERVICES_MAX_CHARS, MANIFEST_MAX_SERVICES } from "../limits.ts";
import { JSON_TAIL } from "../otlp/json/envelope.ts";
import { commit } from "./commit.ts";
import { writeCounters, type Compactor, type Run, type StepRest } from "./compactor.ts";
import type { MergedMember, MinuteSum } from "./merger.ts";
import { addDigests } from "./minute-sums.ts";
import {
  insertMember,
  NO_PROGRESS,
  readOutputs,
  readRemainder,
  writeOutput,
  writeRemainder,
  writeUploadId,
  type MemberRow,
  type OutputProgress,
  type OutputRow,
} from "./output-rows.ts";
import { openPartBuffer, type PartBuffer } from "./part-buffer.ts";
import { endSha256, extendSha256 } from "./sha256.ts";

/** The outputs of a step. */
export interface OutputWriter {
  /** Raw bytes of the output that is being written; 0 when none is. */
  readonly rawBytes: number;
  /** Appends members. @param sum what they hold together */
  add(members: readonly MergedMember[], sum: MinuteSum): Promise<void>;
  /** Ends the output that is being written, if any; the next member begins another one. */
  end(): Promise<void>;
  /** Writes what the step did; part of its transaction. */
  save(): void;
  /** Hands over what is left, once the transaction is made; the last use of the writer. @param next the run after it */
  endStep(next: Run): StepRest | null;
}

/** Opens the writer where the last step ended. */
export function openOutputWriter(compactor: Compactor, run: Run): OutputWriter {
  const { storage, store } = compactor.deps;
  const { partBytes } = compactor.deps.bounds;
  const form: ObjectForm = { marshaler: run.marshaler, compression: run.compression };
  const open = readOutputs(storage).filter(({ state }) => state === "open");
  const members: MemberRow[] = [];
  const changed = new Map<number, OutputRow>();
  // The one that was begun comes first; those behind it were opened by a step that failed, and hold nothing.
  let current = open.shift() ?? null;
  const part = takeRest(compactor, run, current) ?? openPartBuffer(partBytes);
  if (current !== null && part.length === 0) readRemainder(storage, current.number, (piece) => part.append(piece));

  function update(output: OutputRow): OutputRow {
    changed.set(output.number, output);
    current = output;
    return output;
  }

  async function takeOutput(): Promise<OutputRow> {
    return current ?? update(open.shift() ?? (await createOutput(compactor, run, form)));
  }

  async function withUpload(output: OutputRow): Promise<OutputRow & { readonly uploadId: string }> {
    const { uploadId: known } = output;
    if (known !== null) return { ...output, uploadId: known };
    const { uploadId } = await store.createMultipart(output.key, formatContentType(form));
    // What was sent so far counts with the step, the upload at once: or nobody would know of it after a crash.
    await commit(compactor, () => writeUploadId(storage, output.number, uploadId));
    return { ...output, uploadId };
  }

  async function sendPart(bytes: Uint8Array): Promise<OutputProgress> {
    const output = await withUpload(await takeOutput());
    const { progress, key, uploadId } = output;
    const sent = await store.putPart({ key, uploadId }, progress.parts.length + 1, bytes);
    const parts = [...progress.parts, sent];
    return update({ ...output, progress: { ...progress, parts } }).progress;
  }

  async function sendFull(): Promise<void> {
    const bytes = part.view();
    const progress = await sendPart(bytes);
    const output = await takeOutput();
    update({ ...output, progress: { ...progress, hash: extendSha256(progress.hash, bytes) } });
    part.release();
  }

  /** Gathers bytes, and sends each part as it fills. */
  async function push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += part.append(bytes.subarray(at));
      if (part.isFull) await sendFull();
    }
  }

  return {
    get rawBytes() {
      return current?.progress.rawBytes ?? 0;
    },
    async add(added, sum) {
      for (const [index, member] of added.entries()) {
        const output = await takeOutput();
        const { number, progress } = output;
        members.push({
          output: number,
          number: progress.memberCount,
          storedBytes: member.bytes.length,
          entry: member.entry,
          traceHashes: member.traceHashes,
        });
        const grown = growProgress(progress, member);
        update({ ...output, progress: index === 0 ? { ...grown, sum: addDigests(grown.sum, sum) } : grown });
        await push(member.bytes);
        releaseBytes(member.bytes);
      }
    },
    async end() {
      if (current === null || current.progress.memberCount === 0) return;
      if (form.marshaler === "otlp_json") {
        const tail = literalMember(JSON_TAIL, form.compression);
        const { progress } = current;
        const storedBytes = progress.storedBytes + tail.length;
        update({ ...current, progress: { ...progress, storedBytes, rawBytes: progress.rawBytes + JSON_TAIL.length } });
        await push(tail);
      }
      const rest = part.view();
      const progress = rest.length > 0 ? await sendPart(rest) : current.progress;
      const sha256 = endSha256(progress.hash, rest);
      update({ ...current, state: "sent", progress: { ...progress, sha256 } });
      current = null;
      part.release();
    },
    save() {
      for (const output of changed.values()) writeOutput(storage, output);
      for (const member of members) insertMember(storage, member);
      writeRemainder(storage, current?.number ?? 0, part.view());
    },
    endStep({ attempt, nextSource }) {
      for (const { traceHashes } of members) if (traceHashes !== null) releaseBytes(traceHashes);
      if (current !== null && part.length > 0) return { attempt, nextSource, output: current.number, part };
      part.release();
      return null;
    },
  };
}

/** What the step before left in memory, if this one follows it; whatever it is, nobody else has it afterwards. */
function takeRest(compactor: Compactor, run: Run, current: OutputRow | null): PartBuffer | null {
  const { rest } = compactor;
  compactor.rest = null;
  if (rest === null) return null;
  const isOfStep = rest.attempt === run.attempt && rest.nextSource === run.nextSource;
  if (isOfStep && rest.output === current?.number) return rest.part;
  rest.part.release();
  return null;
}

/** Draws a key that was never used, durably, before anything can stand under it. */
async function createOutput(compactor: Compactor, run: Run, form: ObjectForm): Promise<OutputRow> {
  const { deps, incarnation, counters } = compactor;
  const number = counters.nextOutput;
  const { signal } = deps.identity;
  const attempt = run.attempt % 256;
  const key = formatKey(
    { kind: "compacted", signal, form, hour: run.hour, attempt, incarnation, output: number },
    deps.layout,
  );
  const output: OutputRow = { number, key, uploadId: null, state: "open", progress: NO_PROGRESS };
  const next = { ...counters, nextOutput: number + 1 };
  await commit(
    compactor,
    () => {
      writeOutput(deps.storage, output);
      writeCounters(deps.storage, next);
    },
    () => {
      compactor.counters = next;
    },
  );
  return output;
}

function growProgress(progress: OutputProgress, { bytes, entry, services }: MergedMember): OutputProgress {
  const { runs, rawBytes, minTimeUnixNano, maxTimeUnixNano } = entry;
  const first = runs[0]?.minute ?? progress.lastMinute;
  return {
    ...progress,
    storedBytes: progress.storedBytes + bytes.length,
    rawBytes: progress.rawBytes + rawBytes,
    firstMinute: progress.memberCount === 0 ? first : progress.firstMinute,
    lastMinute: runs.at(-1)?.minute ?? progress.lastMinute,
    minTimeUnixNano: pickTime(progress.minTimeUnixNano, minTimeUnixNano, "min"),
    maxTimeUnixNano: pickTime(progress.maxTimeUnixNano, maxTimeUnixNano, "max"),
    services: uniteServices(progress.services, services),
    memberCount: progress.memberCount + 1,
  };
}

function pickTime(before: string | null, time: bigint | null, which: "min" | "max"): string | null {
  if (before === null || time === null) return time?.toString() ?? before;
  const isBetter = which === "min" ? time < BigInt(before) : time > BigInt(before);
  return isBetter ? time.toString() : before;
}

/** In the order of the manifest; `null` once there are too many. */
function uniteServices(before: readonly string[] | null, added: readonly string[] | null): readonly string[] | null {
  if (before === null || added === null) return null;
  const services = [...new Set([...before, ...added])];
  const chars = services.reduce((sum, { length }) => sum + length, 0);
  if (services.length > MANIFEST_MAX_SERVICES || chars > COMPACT_SERVICES_MAX_CHARS) return null;
  return services.toSorted((left, right) => (left < right ? -1 : 1));
}
