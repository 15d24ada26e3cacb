/**
 * The outputs of one hour, opened as their minutes come: {@link openHourOutputs}. An output's member table is loaded
 * when its first minute of the window is reached, its bytes when that minute is read.
 */
import type { TableMember } from "../archive/member-table.ts";
import type { FirnError } from "../errors.ts";
import type { Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import type { EarlyOutputs } from "./early-outputs.ts";
import { mayKeepMember, NO_HINTS } from "./hints.ts";
import { openHourObject, type HourObject, type MinuteCost } from "./hour-object.ts";
import { minuteAt, type HourView, type VisibleOutput } from "./hour-view.ts";
import { compareKeys } from "./key-order.ts";
import { loadMembers } from "./member-tables.ts";
import { chunkBytesFor } from "./output-minutes.ts";
import { hashKey } from "./part-hash.ts";
import type { RunningUsage } from "./usage.ts";

/** Hour objects that are open in a read, so that they can be closed when it ends early. */
export type OpenHourObjects = Set<HourObject>;

/** An output that cannot be read. */
export interface LostOutput {
  readonly kind: "lost";
  /** It was looked for twice; else it was there when its hour was looked at. */
  readonly isMissed: boolean;
  readonly key: string;
  readonly error: FirnError;
}

/** What the outputs have for one minute, each in the order of keys. */
export interface OutputMinute {
  /** Found to be unreadable now. */
  readonly lost: readonly LostOutput[];
  readonly runs: readonly { readonly output: HourObject; readonly cost: MinuteCost }[];
}

/** The outputs of an hour; minutes are asked in ascending order. */
export interface HourOutputs {
  /** Store calls that {@link HourOutputs.reach} takes. */
  tableCalls(minute: Millis): number;
  /** Goes to a minute. @throws FirnError what the store throws */
  reach(minute: Millis): Promise<OutputMinute>;
}

/** Whose outputs they are. */
export interface HourOutputsSource {
  readonly hour: Millis;
  readonly view: HourView;
  readonly usage: RunningUsage;
  readonly openObjects: OpenHourObjects;
  /** What was asked for before the manifest was known; nothing if absent. */
  readonly early?: EarlyOutputs;
}

/** Opens the outputs of an hour before its first minute. */
export function openHourOutputs(request: ReadRequest, source: HourOutputsSource): HourOutputs {
  const { hour, view, early } = source;
  const chunkMaxBytes = chunkBytesFor(view.outputs.map(({ output }) => output));
  early?.keep(new Set(view.outputs.flatMap(({ output, fault }) => (fault === null ? [output.key] : []))));
  const opened: HourObject[] = [];
  let waiting: readonly VisibleOutput[] = view.outputs;
  const { place } = request;
  /** Key of the output in which the read goes on; `null` if that is in a fresh object. */
  const givenAt = view.outputs.find(({ output }) => hashKey(output.key) === place?.part)?.output.key ?? null;

  function reached(minute: Millis): readonly VisibleOutput[] {
    return waiting.filter(({ output }) => minuteAt(hour, output.firstMinute) <= minute && minute >= request.start);
  }

  /** Of the minute at the start; outputs are read in the order of their keys, and fresh objects after all of them. */
  function countGivenRuns(key: string): number {
    if (place === undefined || (givenAt !== null && compareKeys(key, givenAt) > 0)) return 0;
    return key === givenAt ? place.runs : Number.POSITIVE_INFINITY;
  }

  async function open(visible: VisibleOutput): Promise<LostOutput | null> {
    const { output, form, etag, fault, isFrozen = false, traceMembers = null } = visible;
    if (fault !== null) return { kind: "lost", isMissed: true, key: output.key, error: fault };
    const { start, end, bodyTimeout, hints = NO_HINTS } = request;
    const store = early?.store ?? request.store;
    const { usage, openObjects } = source;
    const loaded = await loadMembers(visible, { store, usage, bodyTimeout });
    if (loaded.kind === "lost") {
      await early?.claim(output.key, etag, null);
      return { kind: "lost", isMissed: false, key: output.key, error: loaded.error };
    }
    const { members } = loaded;
    const onClose = (): void => {
      openObjects.delete(object);
    };
    const givenRuns = countGivenRuns(output.key);
    const settings = { isFrozen, hour, start, end, givenRuns, chunkMaxBytes, usage, bodyTimeout, onClose };
    const isWanted = (member: TableMember, number: number): boolean =>
      traceMembers?.has(number) !== false && mayKeepMember(hints, member, hour);
    const object = openHourObject({ store, output, form, etag, members, isWanted, ...settings });
    openObjects.add(object);
    opened.push(object);
    await early?.claim(object.key, etag, object.firstChunk);
    // Its minutes of the window may all be gaps, or of no member that is wanted.
    if (object.minutes.size === 0) await object.close();
    return null;
  }

  return {
    tableCalls: (minute) => reached(minute).filter(({ fault }) => fault === null).length,
    reach: async (minute) => {
      const now = reached(minute);
      waiting = waiting.filter((visible) => !now.includes(visible));
      const lost: LostOutput[] = [];
      for (const visible of now) {
        const found = await open(visible);
        if (found !== null) lost.push(found);
      }
      const runs = opened.flatMap((output) => {
        const cost = output.minutes.get(minute);
        return cost === undefined ? [] : [{ output, cost }];
      });
      return { lost, runs: runs.toSorted(byKey) };
    },
  };
}

function byKey(left: { readonly output: HourObject }, right: { readonly output: HourObject }): number {
  return compareKeys(left.output.key, right.output.key);
}
