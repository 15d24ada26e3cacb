/**
 * What reading a window takes, without reading it: {@link surveyWindow}. It makes the very plan of a read and hands out
 * nothing, so that listings, manifests and member tables are asked for and no object is opened.
 */
import type { ObjectStore } from "../object-store/contract.ts";
import { HOUR, type Millis } from "../units.ts";
import type { ReadRequest } from "./contract.ts";
import { openEarlyOutputs } from "./early-outputs.ts";
import type { OpenHourObjects } from "./hour-outputs.ts";
import { keyOf, type MinutePart } from "./minute-part.ts";
import { planWindow, type PlanStep } from "./plan.ts";
import { openUsage, type RunningUsage } from "./usage.ts";

/** What was found. */
export interface Survey {
  /** Objects that would be opened, whole or in part. */
  objectCount: number;
  /** Of these, such that the listing shows in a class that must be restored first. */
  frozenCount: number;
  /** Stored bytes of what would be read of them. */
  storedBytes: number;
  /** Bytes after decompression, of what tells them without being read; `hasUntold` says whether that is all. */
  rawBytes: number;
  /** Items of outputs; those of fresh objects only reading tells. */
  itemCount: number;
  /** Objects were found whose items or raw bytes only reading tells. */
  hasUntold: boolean;
  /** Outputs that cannot be read, as far as that shows without reading. */
  unreadable: number;
  /** Hours from which retention has removed something. */
  retired: number;
  /** Hours from which the bucket's lifecycle has deleted something. */
  expired: number;
  /** Calls that were made here; reading makes them, too. */
  readonly made: StoreCalls;
  /** Calls that reading would make, those that were made here among them. */
  promisedCalls: number;
  /** In how many answers it would be read, by the bounds of the request. */
  pageCount: number;
  /** The last of these answers so far. */
  page: SurveyedPage;
}

/** What an answer has used up, as far as the plan says. */
interface SurveyedPage {
  readonly usage: RunningUsage;
  rawBytes: number;
  /** Calls that had been made here when it began. */
  readonly madeBefore: number;
}

/** Calls by what they cost. */
export interface StoreCalls {
  list: number;
  get: number;
}

/** Telemetry inflates to about so many times its bytes; it only decides where a page would end. */
const USUAL_INFLATION = 8;

/** Opens a survey that has found nothing. */
export function openSurvey(): Survey {
  return {
    objectCount: 0,
    frozenCount: 0,
    storedBytes: 0,
    rawBytes: 0,
    itemCount: 0,
    hasUntold: false,
    unreadable: 0,
    retired: 0,
    expired: 0,
    made: { list: 0, get: 0 },
    promisedCalls: 0,
    pageCount: 1,
    page: openPage(0),
  };
}

function openPage(madeBefore: number): SurveyedPage {
  return { usage: openUsage(), rawBytes: 0, madeBefore };
}

/** Says which calls reading would make; a get is of an object, a manifest or a member table. */
export function countCalls({ made, promisedCalls }: Survey): StoreCalls {
  return { list: made.list, get: promisedCalls - made.list };
}

/** Wraps a store, so that its calls are counted as they are made. */
export function withCallCount(store: ObjectStore, calls: StoreCalls): ObjectStore {
  return {
    ...store,
    list: (request) => {
      calls.list++;
      return store.list(request);
    },
    get: (key, options) => {
      calls.get++;
      return store.get(key, options);
    },
  };
}

/**
 * Looks through a window. It ends itself before it has made the calls that one invocation may make.
 * @param survey - is added to, so that several signals can share one, and its answers
 * @param maxCalls - of the invocation; the bounds of the request are those of each answer that is counted
 * @returns the first minute that was not looked at; `null` when the window was looked through
 * @throws FirnError what a listing, a manifest or the store throws
 */
export async function surveyWindow(request: ReadRequest, survey: Survey, maxCalls: number): Promise<Millis | null> {
  const { made } = survey;
  const { place, ...rest } = request;
  const store = withCallCount(request.store, made);
  let from: Pick<Cut, "next" | "place"> = { next: request.start, place: place ?? null };
  for (;;) {
    const { page } = survey;
    // What was made for the pages before is gone, so that all of it together stays below the bound.
    const maxStoreCalls = Math.min(request.limits.maxStoreCalls, maxCalls - page.madeBefore);
    const limits = { ...request.limits, maxStoreCalls };
    const isContinued = page.usage.storeCalls > 0;
    const begin = { start: from.next, ...(from.place === null ? {} : { place: from.place }) };
    const before = page.usage.storeCalls;
    const cut = await surveyPage({ ...rest, ...begin, store, limits, isContinued }, survey);
    survey.promisedCalls += page.usage.storeCalls - before;
    if (cut === null) return null;
    const madeCalls = made.list + made.get;
    if (madeCalls > maxCalls / 2) return cut.next;
    beginPage(survey);
    from = cut;
  }
}

/** Counts one more answer, whose usage begins at nothing. */
export function beginPage(survey: Survey): void {
  survey.pageCount++;
  survey.page = openPage(survey.made.list + survey.made.get);
}

type Cut = Extract<PlanStep, { kind: "cut" }>;

/** @returns where the answer ends itself; `null` at the window's end */
async function surveyPage(request: ReadRequest, survey: Survey): Promise<Cut | null> {
  const { page } = survey;
  const openObjects: OpenHourObjects = new Set();
  const early = openEarlyOutputs(request, page.usage, "counted");
  const seen = new Set<string>();
  try {
    for await (const step of planWindow(request, { usage: page.usage, openObjects, early })) {
      if (step.kind === "cut") return step;
      if (step.kind === "retired") {
        survey.retired++;
        continue;
      }
      if (step.kind === "expired") {
        survey.expired++;
        continue;
      }
      const { minute, part, opening } = step;
      if (opening !== null) {
        await closeBefore(openObjects, minute);
        const rawBytes = opening.runBytes + opening.freshBytes * USUAL_INFLATION;
        const isFull = page.rawBytes > 0 && page.rawBytes + rawBytes > request.limits.maxRawBytes;
        if (isFull) return { kind: "cut", next: minute, place: null };
        page.rawBytes += rawBytes;
      }
      addPart(survey, { part, minute, isNew: !seen.has(keyOf(part)) });
      if (part.kind === "runs") seen.add(keyOf(part));
    }
    return null;
  } finally {
    for (const object of openObjects) await object.close();
    await early.close();
  }
}

/** Nobody reads outputs to their end here, so that those of earlier hours are closed as time goes on. */
async function closeBefore(openObjects: OpenHourObjects, minute: Millis): Promise<void> {
  const hour = minute - (minute % HOUR);
  for (const object of openObjects) {
    const [first = minute] = object.minutes.keys();
    if (first < hour) await object.close();
  }
}

function addPart(
  survey: Survey,
  { part, minute, isNew }: { readonly part: MinutePart; readonly minute: Millis; readonly isNew: boolean },
): void {
  if (part.kind === "lost") {
    survey.unreadable++;
    return;
  }
  const isFrozen = part.kind === "object" ? part.object.isFrozen === true : part.output.isFrozen;
  if (isNew) {
    survey.objectCount++;
    if (isFrozen) survey.frozenCount++;
  }
  if (part.kind === "runs") {
    const cost = part.output.minutes.get(minute);
    survey.storedBytes += cost?.storedBytes ?? 0;
    survey.rawBytes += cost?.rawBytes ?? 0;
    survey.itemCount += cost?.itemCount ?? 0;
    return;
  }
  survey.storedBytes += part.object.length;
  survey.hasUntold = true;
}
