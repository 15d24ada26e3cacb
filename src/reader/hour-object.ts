/**
 * Reads an hour object by minute: {@link openHourObject}. Its members stand in the order of minutes, so that one pass
 * over those that a window needs gives the minutes one after another; nothing is fetched before the first is wanted.
 */
import type { ManifestOutput } from "../archive/manifest-output.ts";
import type { TableMember } from "../archive/member-table.ts";
import type { ObjectForm } from "../archive/object-form.ts";
import { FirnError, toErrorMessage } from "../errors.ts";
import type { ObjectStore } from "../object-store/contract.ts";
import { MINUTE, millis, type Bytes, type Millis } from "../units.ts";
import { openChunks, planChunks, type Chunk } from "./hour-chunks.ts";
import { openMember, type MemberReader } from "./hour-member.ts";
import type { RunningUsage } from "./usage.ts";

/** The items of one minute in one member. */
export interface Run {
  readonly itemCount: number;
  readonly rawBytes: number;
  /** Runs of its minute that stand before it in the object, wanted or not. */
  readonly ordinal: number;
  /** Raw bytes: a request, or elements of a JSON document and what stands before them. */
  readonly pieces: AsyncGenerator<Uint8Array, void, void>;
}

/** A cursor over the runs of an hour object. */
export interface HourObject {
  readonly key: string;
  readonly form: ObjectForm;
  readonly isFrozen: boolean;
  /** What each minute takes that it holds in the window; store calls stand where they are first needed. */
  readonly minutes: ReadonlyMap<Millis, MinuteCost>;
  /** What its first minute begins with; `null` if it has none in the window. */
  readonly firstChunk: Chunk | null;
  /** Fetches what its first minute begins with, unless the reading has begun. */
  prefetch(): Promise<void>;
  /**
   * Gives the next run of a minute, `null` when there is none left; minutes ascend. What is left of the run before is
   * passed over.
   * @throws FirnError `corrupt_object`, and what the store throws
   */
  nextRun(minute: Millis): Promise<Run | null>;
  /** Leaves out what is left of the member that is being read; what stands in it of later minutes too. */
  skipMember(): Promise<void>;
  /** Gives everything up; no more runs come. */
  close(): Promise<void>;
}

/** What reading a minute takes. */
export interface MinuteCost {
  readonly storeCalls: number;
  readonly rawBytes: number;
  readonly itemCount: number;
  /** Of the members that begin in it. */
  readonly storedBytes: number;
}

const NO_COST: MinuteCost = Object.freeze({ storeCalls: 0, rawBytes: 0, itemCount: 0, storedBytes: 0 });

/** An output to be read, and how. */
export interface HourObjectSource {
  readonly store: ObjectStore;
  readonly output: ManifestOutput;
  readonly form: ObjectForm;
  /** As listed. */
  readonly etag: string | null;
  /** As listed: it has to be restored before it is read. */
  readonly isFrozen?: boolean;
  /** Its member table. */
  readonly members: readonly TableMember[];
  /** Says which members are read; all of them if absent. */
  readonly isWanted?: (member: TableMember, number: number) => boolean;
  readonly hour: Millis;
  /** Of the window: start ≤ minute < end. */
  readonly start: Millis;
  readonly end: Millis;
  /** Runs of the minute at `start` before this ordinal were read before; all of them if `Infinity`. */
  readonly givenRuns?: number;
  readonly chunkMaxBytes: Bytes;
  readonly usage: RunningUsage;
  /** How long a body may give nothing; `STORE_CALL_TIMEOUT` if absent. */
  readonly bodyTimeout?: Millis | undefined;
  /** Called once, when it was closed or read to its end. */
  readonly onClose?: () => void;
}

/** A member that the window needs. */
export interface NeededMember {
  readonly member: TableMember;
  readonly chunk: number;
  readonly runs: readonly NeededRun[];
}

/** A run that the window needs. */
export interface NeededRun {
  readonly minute: Millis;
  readonly ordinal: number;
  readonly itemCount: number;
  /** Place in the raw bytes of its member. */
  readonly from: number;
  readonly to: number;
}

/** Opens a cursor before the first minute of the window; fetches nothing yet. */
export function openHourObject(source: HourObjectSource): HourObject {
  const { store, output, form, etag, usage, bodyTimeout } = source;
  const { needed, chunks } = planMembers(source);
  const reader = openChunks({ store, key: output.key, etag, chunks, usage, bodyTimeout });
  let memberIndex = 0;
  let runIndex = 0;
  let chunk: { readonly index: number; readonly bytes: Uint8Array } | null = null;
  let current: MemberReader | null = null;
  let isOpen = true;

  async function openCurrent({ member, chunk: index }: NeededMember): Promise<MemberReader> {
    if (chunk?.index !== index) {
      chunk = null;
      chunk = { index, bytes: await reader.take(index) };
    }
    const start = member.offset - (chunks[index]?.offset ?? 0);
    const stored = chunk.bytes.subarray(start, start + member.storedBytes);
    return openMember(stored, { compression: form.compression, rawBytes: member.rawBytes, usage });
  }

  /** Without one of its chunks nothing more can be had of the object. */
  async function openOrClose(place: NeededMember): Promise<MemberReader> {
    try {
      return await openCurrent(place);
    } catch (error) {
      await close();
      throw error;
    }
  }

  async function leaveMember(): Promise<void> {
    const left = current;
    current = null;
    memberIndex++;
    runIndex = 0;
    await left?.close();
    if (memberIndex >= needed.length) await close();
  }

  async function close(): Promise<void> {
    memberIndex = needed.length;
    chunk = null;
    const left = current;
    current = null;
    await left?.close();
    await reader.close();
    if (isOpen) source.onClose?.();
    isOpen = false;
  }

  async function nextRun(minute: Millis): Promise<Run | null> {
    for (;;) {
      const place = needed[memberIndex];
      if (place === undefined) return null;
      const run = place.runs[runIndex];
      if (run === undefined) {
        await naming(place.member, () => current?.end());
        await leaveMember();
        continue;
      }
      if (run.minute > minute) return null;
      runIndex++;
      if (run.minute < minute) continue;
      current ??= await openOrClose(place);
      const { itemCount, ordinal } = run;
      return {
        itemCount,
        rawBytes: run.to - run.from,
        ordinal,
        pieces: namingEach(place.member, current.take(run.from, run.to)),
      };
    }
  }

  return {
    key: output.key,
    form,
    isFrozen: source.isFrozen === true,
    minutes: sumMinutes(needed, chunks),
    firstChunk: chunks[0] ?? null,
    prefetch: () => reader.prefetch(),
    nextRun,
    skipMember: leaveMember,
    close,
  };
}

/** Which members are read of an output, and how they are fetched. */
export interface MembersPlan {
  readonly needed: readonly NeededMember[];
  readonly chunks: readonly Chunk[];
}

type MembersSource = Pick<
  HourObjectSource,
  "members" | "isWanted" | "hour" | "start" | "end" | "givenRuns" | "chunkMaxBytes"
>;

/** Plans the members with a minute of the window that are wanted. */
export function planMembers(source: MembersSource): MembersPlan {
  const { members, isWanted, hour, start, end, givenRuns = 0, chunkMaxBytes } = source;
  const counts = new Map<Millis, number>();
  const isInWindow = ({ minute, ordinal }: NeededRun): boolean =>
    minute >= start && minute < end && (minute > start || ordinal >= givenRuns);
  const wanted = members
    // Of all members, so that an ordinal is the same whatever is left out.
    .map((member) => ({ member, runs: toRuns(member, { hour, counts }).filter(isInWindow) }))
    .filter(({ member }, number) => isWanted?.(member, number) !== false)
    .filter(({ runs }) => runs.length > 0);
  const chunks = planChunks(
    wanted.map(({ member }) => member),
    chunkMaxBytes,
  );
  let chunk = 0;
  const needed = wanted.map(({ member, runs }, index) => {
    if (chunks[chunk + 1]?.firstMember === index) chunk++;
    return { member, chunk, runs };
  });
  return { needed, chunks };
}

/** @param counts - runs so far, by minute */
function toRuns(
  { runs }: TableMember,
  { hour, counts }: { readonly hour: Millis; readonly counts: Map<Millis, number> },
): readonly NeededRun[] {
  let to = 0;
  return runs.map(({ minute: minuteOfHour, itemCount, rawBytes }) => {
    const from = to;
    to += rawBytes;
    const minute = millis(hour + minuteOfHour * MINUTE);
    const ordinal = counts.get(minute) ?? 0;
    counts.set(minute, ordinal + 1);
    return { minute, ordinal, itemCount, from, to };
  });
}

function sumMinutes(needed: readonly NeededMember[], chunks: readonly Chunk[]): ReadonlyMap<Millis, MinuteCost> {
  const minutes = new Map<Millis, MinuteCost>();
  needed.forEach(({ member, chunk, runs }, index) => {
    runs.forEach(({ minute, itemCount, from, to }, runIndex) => {
      const cost = minutes.get(minute) ?? NO_COST;
      const opensChunk = runIndex === 0 && chunks[chunk]?.firstMember === index;
      minutes.set(minute, {
        storeCalls: cost.storeCalls + (opensChunk ? 1 : 0),
        rawBytes: cost.rawBytes + to - from,
        itemCount: cost.itemCount + itemCount,
        storedBytes: cost.storedBytes + (runIndex === 0 ? member.storedBytes : 0),
      });
    });
  });
  return minutes;
}

/** Says in an error of which member it is. */
async function naming({ offset }: TableMember, read: () => Promise<void> | undefined): Promise<void> {
  try {
    await read();
  } catch (error) {
    throw toNamed(error, offset);
  }
}

async function* namingEach(
  { offset }: TableMember,
  pieces: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* pieces;
  } catch (error) {
    throw toNamed(error, offset);
  }
}

function toNamed(error: unknown, offset: number): unknown {
  if (!(error instanceof FirnError) || error.kind !== "corrupt_object") return error;
  return new FirnError("corrupt_object", `in the member at byte ${offset}: ${toErrorMessage(error)}`, { cause: error });
}
