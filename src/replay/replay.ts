/**
 * `GET /replay` as a function: {@link replayResponse}. Whatever can fail before the first byte fails as an error that
 * the root answers with a status, which therefore waits for it: 409, 410, 500 and 503 with `Retry-After` are worth more
 * to a client than early headers, and the bounds of an answer keep the wait short. Whatever fails later breaks the
 * connection, so that no failure looks like an end.
 */
import { FirnError, toErrorMessage } from "../errors.ts";
import { log, type LogLevel, type LogValue } from "../log.ts";
import { openUsage, type RunningUsage } from "../reader/usage.ts";
import type { Millis } from "../units.ts";
import { codePieces, openCoder } from "./coding.ts";
import type { ReplayDeps } from "./contract.ts";
import { formatCursor } from "./cursor.ts";
import { dryRunResponse } from "./dry-run.ts";
import { formatFileName } from "./file-name.ts";
import { CONTENT_TYPE } from "./format.ts";
import { parseReplayRequest, type ReplayQuery, type ReplayRequest } from "./parameters.ts";
import { openSignals } from "./signal-sources.ts";
import { cutArrivals } from "./time-parameter.ts";
import { openProgress, writeReplay, type ReplayProgress } from "./write-replay.ts";

/**
 * Streams a window.
 * @returns 200 with a body that is pulled
 * @throws FirnError `invalid_request` for a parameter, `not_acceptable` for the header `Accept`, `position_gone` with
 * the cursor to read again from, and what the watermark, the first listing or the way to the first data throws
 */
export async function replayResponse(request: ReplayRequest, deps: ReplayDeps): Promise<Response> {
  const parsed = parseReplayRequest(request, deps.eventMaxLate);
  const startedAt = deps.now();
  const from = parsed.cursor?.position.minute ?? parsed.arrivals.start;
  const isOfEvents = (parsed.filter?.eventTime ?? null) !== null;
  const query = isOfEvents ? { ...parsed, arrivals: cutArrivals(parsed.arrivals, { now: startedAt, from }) } : parsed;
  if (query.dryRun !== null) return dryRunResponse(query, deps, () => openSignals(query, deps));
  const usage = openUsage();
  const signals = await openSignals(query, deps);
  const progress = openProgress();
  const plain = writeReplay({ query, signals, usage }, progress);
  const coder = openCoder(query.coding);
  const pieces = coder === null ? plain : codePieces(plain, coder);
  const first = await pieces.next().catch((error: unknown) => {
    throw toRestart(error, query);
  });
  const report: Report = (outcome, error) =>
    logEnd({ query, progress, usage, startedAt, now: deps.now }, outcome, error);
  const body = toBodyStream(first.done === true ? null : first.value, { pieces, report, waitUntil: deps.waitUntil });
  const headers = {
    "content-type": CONTENT_TYPE[query.format],
    "content-disposition": `attachment; filename="${formatFileName(query)}"`,
    "cache-control": "no-store",
    // Also where the query names the format: the same URL without it is another answer to another client.
    vary: "Accept, Accept-Encoding",
  };
  if (coder === null) return new Response(body, { headers });
  return new Response(body, { headers: { ...headers, "content-encoding": query.coding }, encodeBody: "manual" });
}

/** Says from where to read again when a cursor counts in what is not there any more; any other error stays as it is. */
function toRestart(error: unknown, { cursor }: ReplayQuery): unknown {
  if (!(error instanceof FirnError) || error.kind !== "position_gone" || cursor === null) return error;
  const { position } = cursor;
  const next = formatCursor({ ...cursor, position: { ...position, place: null, items: 0 } });
  const advice = `${position.items} of its items were given; leave them out and read it again with cursor "${next}"`;
  return new FirnError("position_gone", `${error.message}; ${advice}`, { cause: error, next });
}

type Outcome = "ended" | "cancelled" | "failed";
type Report = (outcome: Outcome, error?: unknown) => void;

interface Body {
  readonly pieces: AsyncGenerator<Uint8Array, void, void>;
  readonly report: Report;
  readonly waitUntil: ReplayDeps["waitUntil"];
}

/**
 * A stream of the runtime, in which a write ends when the client has taken all of it: nothing is read before it is
 * wanted, and the next piece may have the memory of this one.
 */
function toBodyStream(first: Uint8Array | null, body: Body): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const ended = writeBody(first, body, writable.getWriter());
  body.waitUntil?.(ended);
  return readable;
}

/** Never rejects: nobody waits for it. */
async function writeBody(
  first: Uint8Array | null,
  { pieces, report }: Body,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  writer.closed.catch(() => undefined);
  try {
    for (let piece = first; piece !== null; piece = await nextPiece(pieces)) {
      if (await isTaken(writer, piece)) continue;
      report("cancelled");
      await pieces.return();
      return;
    }
    report("ended");
    await writer.close().catch(() => undefined);
  } catch (error) {
    report("failed", error);
    await writer.abort(error).catch(() => undefined);
  }
}

/** @returns whether there still is a client */
function isTaken(writer: WritableStreamDefaultWriter<Uint8Array>, piece: Uint8Array): Promise<boolean> {
  return writer.write(piece).then(
    () => true,
    () => false,
  );
}

async function nextPiece(pieces: AsyncGenerator<Uint8Array, void, void>): Promise<Uint8Array | null> {
  const result = await pieces.next();
  return result.done === true ? null : result.value;
}

interface Ended {
  readonly query: ReplayQuery;
  readonly progress: ReplayProgress;
  readonly usage: RunningUsage;
  readonly startedAt: Millis;
  readonly now: () => Millis;
}

/** Nobody else learns why a response broke off: its status was sent long before. */
function logEnd({ query, progress, usage, startedAt, now }: Ended, outcome: Outcome, error: unknown): void {
  const level: LogLevel = outcome === "failed" ? "error" : "info";
  const fields: Record<string, LogValue> = {
    signal: query.signal,
    format: query.format,
    coding: query.coding,
    objects: usage.objectCount,
    store_calls: usage.storeCalls,
    items: progress.items,
    size_bytes: progress.bytes,
    unreadable: progress.unreadable,
    has_next: progress.hasNext,
    millis: now() - startedAt,
  };
  if (error !== undefined) fields["error"] = toErrorMessage(error);
  log(level, `replay.${outcome}`, fields);
}
