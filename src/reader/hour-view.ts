/**
 * What of an hour a reader sees: {@link viewHour} lists it to the last page first and reads the newest manifest after
 * that, so that whatever was deleted before the listing is in the outputs that the manifest names (protocol 6.1).
 */
import { parseKey, type Layout } from "../archive/key.ts";
import type { ManifestOutput } from "../archive/manifest-output.ts";
import type { ObjectForm } from "../archive/object-form.ts";
import { liveOutputs, type HourSources } from "../archive/visibility.ts";
import { FirnError } from "../errors.ts";
import { REPLAY_MAX_MINUTE_OBJECTS } from "../limits.ts";
import { hashTraceId } from "../otlp/trace-ids.ts";
import { isItemSignal } from "../signal.ts";
import { MINUTE, millis, type Millis } from "../units.ts";
import type { ReadHints, ReadRequest } from "./contract.ts";
import { isExpiredHour } from "./expired-hour.ts";
import type { EarlyOutputs } from "./early-outputs.ts";
import { mayKeepOutput, NO_HINTS } from "./hints.ts";
import { compareKeys } from "./key-order.ts";
import type { ListedHour } from "./listed-hours.ts";
import { askListedTraces, NOTHING_ASKED, type ListedTraces, type SeenHour } from "./listed-traces.ts";
import { listHour, type ListingSource } from "./listing.ts";
import { findSources, readNewestManifest, type HourManifest } from "./manifests.ts";
import { meetsWindow } from "./output-minutes.ts";
import { findTraceMembers } from "./trace-index.ts";
import { openHourCollector, type HourObjects, type HourSelection, type MinuteObjects } from "./visible.ts";

/** An hour as it stands now. */
export interface HourView {
  /** Neither keys nor manifests; where text order is time order, hours like it can be stepped over. */
  readonly isEmpty: boolean;
  /** Of the newest manifest; 0 without one, and where it was not read since nothing of the hour is kept. */
  readonly generation: number;
  /** Fresh objects of the window that no manifest names, minutes ascending. */
  readonly minutes: readonly MinuteObjects[];
  /** First minute that was left out because the hour has too many objects; `null` when all are there. */
  readonly cutAt: Millis | null;
  /** Outputs that hold minutes of the window and may hold what is kept, in the order of their keys. */
  readonly outputs: readonly VisibleOutput[];
  /** Outputs that held minutes of the window until retention removed them. */
  readonly retired: readonly ManifestOutput[];
  /** Outputs that hold minutes of the window were deleted by the bucket's lifecycle. */
  readonly hasExpired: boolean;
}

/** An output to be read. */
export interface VisibleOutput {
  readonly output: ManifestOutput;
  readonly form: ObjectForm;
  /** As listed. */
  readonly etag: string | null;
  /** Why it cannot be read, `null` when nothing is known against it. */
  readonly fault: FirnError | null;
  /** As listed: it has to be restored before it is read. */
  readonly isFrozen?: boolean;
  /** Numbers of the members that may hold what is kept, as far as an index says; all of them if absent. */
  readonly traceMembers?: ReadonlySet<number> | null;
}

/** One listing, and the manifest that was the newest after it. */
interface Look {
  readonly objects: HourObjects;
  readonly newest: HourManifest | null;
  readonly traces: ListedTraces;
}

/** An hour to be looked at. */
export interface ViewedHour {
  readonly hour: Millis;
  /** If it was listed with others. */
  readonly listed: ListedHour | null;
  /** Is shown the listing before the manifest is looked for. */
  readonly early?: EarlyOutputs | undefined;
}

/**
 * Looks at an hour, by a listing of its own unless it was listed with others, and once more when it does not hold what
 * its manifest names: the manifest may have been published after the listing. The manifest is not read where listed
 * indexes say that a trace is not there.
 * @throws FirnError `corrupt_object` and `unknown_format` for a manifest that decides nothing
 */
export async function viewHour(
  request: ReadRequest,
  source: ListingSource,
  { hour, listed, early }: ViewedHour,
): Promise<HourView> {
  const { layout, signal, start, end, place, hints = NO_HINTS } = request;
  const selection: HourSelection = { layout, signal, hour, start, end, startPart: place?.part };
  let look = await lookOnce(request, source, selection, { known: null, listed, early });
  let outputs = toOutputs(look, selection, hints);
  const isCramped = look.objects.cutAt !== null || look.objects.isOverfull;
  // What the manifest names needs no room in the next listing.
  if (look.newest !== null && (isCramped || outputs.some(({ fault }) => fault !== null))) {
    look = await lookOnce(request, source, selection, { known: look.newest, listed: null, early });
    outputs = toOutputs(look, selection, hints);
  }
  const { objects, newest, traces } = look;
  const isGone = ({ fault }: VisibleOutput): boolean =>
    fault?.kind === "object_not_found" && isExpiredHour(hour, request.expiredBefore);
  return {
    isEmpty: objects.isEmpty && newest === null,
    generation: newest?.manifest.generation ?? 0,
    minutes: await leaveOutSources(objects.minutes, newest, source),
    cutAt: objects.cutAt,
    outputs: await leaveOutTraces(
      outputs.filter((output) => !isGone(output)),
      newest,
      { hints, source, asked: traces.asked },
    ),
    hasExpired: outputs.some(isGone),
    retired: (newest?.manifest.outputs ?? []).filter((output) => output.retired && meetsWindow(output, selection)),
  };
}

async function lookOnce(
  request: ReadRequest,
  source: ListingSource,
  selection: HourSelection,
  { known, listed, early }: Omit<ViewedHour, "hour"> & { readonly known: HourManifest | null },
): Promise<Look> {
  const { signal, hour } = selection;
  const bounds = { maxObjects: request.limits.maxStoreCalls, maxMinuteObjects: REPLAY_MAX_MINUTE_OBJECTS };
  const isNamed: HourSources["isNamed"] = (key, info) => known?.sources.isNamed(key, info) === true;
  const collector = openHourCollector(selection, bounds, isNamed);
  if (listed !== null) collector.add(listed.objects);
  else for await (const page of listHour(source, hour)) collector.add(page);
  const objects = collector.end();
  if (!isItemSignal(signal)) return { objects, newest: null, traces: NOTHING_ASKED };
  early?.begin(hour, objects);
  const traces = await askTraces(request, source, { signal, hour, objects, listed });
  if (traces.isAbsent) return { objects, newest: null, traces };
  const place = { signal, hour, known, ...(listed === null ? {} : { listed: listed.manifests }) };
  return { objects, newest: await readNewestManifest(source, place), traces };
}

async function askTraces(
  { hints }: ReadRequest,
  source: ListingSource,
  { listed, ...seen }: Omit<SeenHour, "listed"> & Pick<ViewedHour, "listed">,
): Promise<ListedTraces> {
  const traceId = hints?.traceId ?? null;
  const hash = traceId === null ? null : hashTraceId(traceId);
  return hash === null || listed === null ? NOTHING_ASKED : askListedTraces(source, hash, { ...seen, listed });
}

async function leaveOutSources(
  minutes: readonly MinuteObjects[],
  newest: HourManifest | null,
  source: ListingSource,
): Promise<readonly MinuteObjects[]> {
  if (newest === null) return minutes;
  const named = await findSources(
    source,
    newest,
    minutes.flatMap(({ objects }) => objects),
  );
  return minutes
    .map((each) => ({ ...each, objects: each.objects.filter(({ key }) => !named.has(key)) }))
    .filter(({ objects, isCut }) => objects.length > 0 || isCut);
}

/** Asks the indexes of the outputs where a trace is. */
async function leaveOutTraces(
  outputs: readonly VisibleOutput[],
  newest: HourManifest | null,
  {
    hints: { traceId },
    source,
    asked,
  }: Pick<ListedTraces, "asked"> & {
    readonly hints: ReadHints;
    readonly source: ListingSource;
  },
): Promise<readonly VisibleOutput[]> {
  const hash = traceId === null ? null : hashTraceId(traceId);
  if (hash === null || newest === null) return outputs;
  const indexes = new Map(newest.manifest.indexes.map((index) => [index.output, index]));
  const left: VisibleOutput[] = [];
  for (const visible of outputs) {
    const { output } = visible;
    const index = indexes.get(output.key);
    const traceMembers = index === undefined ? null : await findTraceMembers({ output, index }, hash, source, asked);
    if (traceMembers?.size !== 0) left.push({ ...visible, traceMembers });
  }
  return left;
}

function toOutputs({ objects, newest }: Look, selection: HourSelection, hints: ReadHints): readonly VisibleOutput[] {
  return (newest === null ? [] : liveOutputs(newest.manifest))
    .filter((output) => meetsWindow(output, selection) && mayKeepOutput(hints, output, selection.hour))
    .map((output) => toVisible(output, objects, selection.layout))
    .toSorted((left, right) => compareKeys(left.output.key, right.output.key));
}

function toVisible(output: ManifestOutput, { compacted }: HourObjects, layout: Layout): VisibleOutput {
  const { key, sizeBytes } = output;
  const parsed = parseKey(key, layout);
  // Checked when the manifest was read: none may lead a reader to other keys.
  if (parsed?.kind !== "compacted") throw new Error(`Cannot read output "${key}": it is no output of this hour`);
  const listed = compacted.get(key);
  const found = listed === undefined ? "it is missing" : `it has ${listed.length} bytes`;
  const isThere = listed?.length === sizeBytes;
  const kind = listed === undefined ? "object_not_found" : "corrupt_object";
  const fault = isThere ? null : new FirnError(kind, `${found}, but the manifest of its hour names ${sizeBytes} bytes`);
  const isFrozen = listed?.frozenClass !== undefined;
  return { output, form: parsed.form, etag: listed?.etag ?? null, fault, isFrozen };
}

/** First instant of a minute of an hour. */
export function minuteAt(hour: Millis, minute: number): Millis {
  return millis(hour + minute * MINUTE);
}
