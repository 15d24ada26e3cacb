/**
 * `dry_run=true`: what a replay would read and what that costs, without reading it, or with `exact=true` by reading it
 * and giving nothing ({@link dryRunResponse}). The answer takes its time like those of `/admin`: its status is sent
 * first and is always 200.
 */
import { FirnError, toErrorMessage, unreachable, type ErrorKind } from "../errors.ts";
import { log } from "../log.ts";
import type { ReadEvent, ReadLimits, ReadRequest } from "../reader/contract.ts";
import { readWindow } from "../reader/read-window.ts";
import { beginPage, countCalls, openSurvey, surveyWindow, withCallCount, type Survey } from "../reader/survey.ts";
import { respondSlowly, respondSlowlyInText } from "../slow-json.ts";
import { bytes } from "../units.ts";
import type { ReplayDeps, Watermark } from "./contract.ts";
import { formatCursor, type Position } from "./cursor.ts";
import { openKeeper, type Keep } from "./keep-content.ts";
import { findPrices, toCost, type Cost } from "./list-prices.ts";
import { lowest } from "./mark.ts";
import type { ReplayQuery } from "./parameters.ts";
import { MAX_LIMITS, type SignalSource } from "./signal-sources.ts";

/** What a dry run answers. */
interface DryRun {
  readonly signal: ReplayQuery["signal"];
  readonly start: string;
  readonly end: string;
  /** The window was looked through to its end. */
  readonly complete: boolean;
  /** The `cursor` with which to look through the rest. */
  readonly next: string | null;
  readonly objects: number;
  readonly frozen_objects: number;
  /** `null` where only reading tells. */
  readonly items: number | null;
  /** Those that are known without reading. */
  readonly items_at_least: number;
  readonly stored_bytes: number;
  readonly raw_bytes: number | null;
  readonly store_calls: { readonly list: number; readonly get: number };
  /** Answers that the replay would take; `null` where that is not known. */
  readonly pages: number | null;
  readonly unreadable: number;
  readonly retired: number;
  readonly expired: number;
  readonly watermark: string;
  /** At list prices, in US dollars; `null` for a store whose prices are not known. */
  readonly cost_usd: Cost | null;
}

/** Kinds whose messages say nothing of keys, buckets and what a store said. */
const OPEN_KINDS: ReadonlySet<ErrorKind> = new Set(["position_gone", "too_large", "invalid_request", "unavailable"]);

/** Answers a dry run. @param openSignals - asks for the watermarks */
export function dryRunResponse(
  query: ReplayQuery,
  { store, limits: bounds = MAX_LIMITS }: ReplayDeps,
  openSignals: () => Promise<readonly SignalSource[]>,
): Response {
  const work = async (): Promise<object> => {
    try {
      return await run(query, { identity: store.identity, bounds }, await openSignals());
    } catch (error) {
      return toFailure(error);
    }
  };
  if (query.dryRun?.form === "text") return respondSlowlyInText(async () => formatText(await work()));
  return respondSlowly(work);
}

interface Invocation {
  readonly identity: string;
  /** Of all answers that are looked at here together. */
  readonly bounds: ReadLimits;
}

async function run(
  query: ReplayQuery,
  { identity, bounds }: Invocation,
  signals: readonly SignalSource[],
): Promise<DryRun> {
  const survey = openSurvey();
  const isExact = query.dryRun?.kind === "exact";
  let next: Position | null = null;
  for (const source of signals) {
    next = isExact ? await readPages(source, query, { survey, bounds }) : await look(source, { survey, bounds });
    if (next !== null) break;
  }
  return toDryRun(query, { survey, next, identity, watermark: lowest(signals.map(({ watermark }) => watermark)) });
}

interface Counting {
  readonly survey: Survey;
  readonly bounds: ReadLimits;
}

async function look({ signal, request }: SignalSource, { survey, bounds }: Counting): Promise<Position | null> {
  const next = await surveyWindow(request, survey, bounds.maxStoreCalls);
  return next === null ? null : { signal, minute: next, place: null, items: 0 };
}

/** Counts answer after answer, as long as the next one may take what an answer takes. */
async function readPages(
  { signal, request }: SignalSource,
  { filter }: ReplayQuery,
  { survey, bounds }: Counting,
): Promise<Position | null> {
  const keep = openKeeper(signal, filter);
  const store = withCallCount(request.store, survey.made);
  const { place: _, ...rest } = request;
  let from: Pick<ReadRequest, "start" | "place"> = request;
  for (;;) {
    const { page, rawBytes } = survey;
    const leftCalls = bounds.maxStoreCalls - page.madeBefore;
    const leftRawBytes = bounds.maxRawBytes - (rawBytes - page.usage.rawBytes);
    const { maxStoreCalls, maxRawBytes, fetchAhead } = request.limits;
    const limits: ReadLimits = {
      maxStoreCalls: Math.min(maxStoreCalls, leftCalls),
      maxRawBytes: bytes(Math.min(maxRawBytes, leftRawBytes)),
      fetchAhead,
    };
    const begin = { start: from.start, ...(from.place === undefined ? {} : { place: from.place }) };
    const isContinued = page.usage.storeCalls > 0;
    const end = await readPage({ ...rest, ...begin, store, limits, onError: "skip", isContinued }, survey, keep);
    if (end.next === null) return null;
    // Nothing is given, so that nothing is to be left out should the place be gone.
    const isLast = leftCalls <= maxStoreCalls || leftRawBytes <= maxRawBytes;
    if (isLast) return { signal, minute: end.next, place: end.place, items: 0 };
    beginPage(survey);
    from = { start: end.next, ...(end.place === null ? {} : { place: end.place }) };
  }
}

type ReadEnd = Pick<Extract<ReadEvent, { kind: "end" }>, "next" | "place">;

/** Counts what an answer gives; whatever cannot be read is counted, too. */
async function readPage(request: ReadRequest, survey: Survey, keep: Keep): Promise<ReadEnd> {
  const { usage } = survey.page;
  const before = { ...usage };
  let end: ReadEnd = { next: null, place: null };
  for await (const event of readWindow(request, usage)) {
    switch (event.kind) {
      case "minute":
        break;
      case "fields":
      case "request":
        survey.itemCount += keep(event)?.itemCount ?? 0;
        break;
      case "unreadable":
        survey.unreadable++;
        if (event.why === "object_frozen") survey.frozenCount++;
        break;
      case "retired":
        survey.retired++;
        break;
      case "expired":
        survey.expired++;
        break;
      case "end":
        end = event;
        break;
      default:
        unreachable(event, "read event");
    }
  }
  survey.promisedCalls = survey.made.list + survey.made.get;
  survey.objectCount += usage.objectCount - before.objectCount;
  survey.storedBytes += usage.storedBytes - before.storedBytes;
  survey.rawBytes += usage.rawBytes - before.rawBytes;
  return end;
}

interface Findings {
  readonly survey: Survey;
  readonly next: Position | null;
  readonly identity: string;
  readonly watermark: Watermark | null;
}

function toDryRun(query: ReplayQuery, { survey, next, identity, watermark }: Findings): DryRun {
  const { signal, window, limitBytes } = query;
  const { hasUntold, storedBytes } = survey;
  // What matches, only reading tells.
  const isUntold = hasUntold || (query.filter !== null && query.dryRun?.kind !== "exact" && survey.objectCount > 0);
  const calls = countCalls(survey);
  const prices = findPrices(identity);
  const cursor = next === null ? null : { position: next, isOfAll: signal === "all", shortOf: null, hasSkipped: false };
  return {
    signal,
    start: new Date(window.start).toISOString(),
    end: new Date(window.end).toISOString(),
    complete: next === null,
    next: cursor === null ? null : formatCursor(cursor),
    objects: survey.objectCount,
    frozen_objects: survey.frozenCount,
    items: isUntold ? null : survey.itemCount,
    items_at_least: query.filter !== null && isUntold ? 0 : survey.itemCount,
    stored_bytes: storedBytes,
    raw_bytes: hasUntold ? null : survey.rawBytes,
    store_calls: calls,
    // How long an answer gets, only writing it tells.
    pages: limitBytes === null && next === null ? survey.pageCount : null,
    unreadable: survey.unreadable,
    retired: survey.retired,
    expired: survey.expired,
    watermark: typeof watermark === "number" ? new Date(watermark).toISOString() : "unknown",
    cost_usd: prices === null ? null : toCost(prices, { lists: calls.list, gets: calls.get, egressBytes: storedBytes }),
  };
}

function toFailure(error: unknown): object {
  log("error", "replay.dry_run_failed", { error: toErrorMessage(error) });
  const isOpen = error instanceof FirnError && OPEN_KINDS.has(error.kind);
  const message = isOpen ? error.message : "Cannot look through the archive, try again or ask the operator";
  return { complete: false, errors: [{ message }] };
}

/** A line for each member, those of members with the outer name before theirs. */
function formatText(result: object, outer: string = ""): string {
  return Object.entries(result)
    .map(([name, value]: [string, unknown]) => {
      if (typeof value === "object" && value !== null) return formatText(value, `${outer}${name}.`);
      if (value === null) return `${outer}${name}: ${name === "next" ? "none" : "unknown"}\n`;
      return `${outer}${name}: ${typeof value === "string" ? value : JSON.stringify(value)}\n`;
    })
    .join("");
}
