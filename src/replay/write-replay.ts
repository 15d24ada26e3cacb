/**
 * Turns the events of reads into the bytes of a response: {@link writeReplay}. Pulled from the other end, one piece at
 * a time; the mark comes last and only when nothing failed.
 */
import { FirnError, unreachable } from "../errors.ts";
import { readWindow } from "../reader/read-window.ts";
import type { RunningUsage } from "../reader/usage.ts";
import { millis, MINUTE, type Millis } from "../units.ts";
import type { Position } from "./cursor.ts";
import { openKeeper } from "./keep-content.ts";
import { encodeMark, encodeUnmarked, toMark, type Reached } from "./mark.ts";
import { openOutput, type Content, type Output } from "./output.ts";
import { openPage, type Page, type PageSoFar } from "./page.ts";
import type { ReplayQuery } from "./parameters.ts";
import { openPieces, type Pieces } from "./piece.ts";
import type { SignalSource } from "./signal-sources.ts";
import { openTally } from "./tally.ts";

/** What a replay has given so far; the log reads it when the response is over. */
export interface ReplayProgress {
  items: number;
  /** Bytes of the body, without the mark. */
  bytes: number;
  unreadable: number;
  /** Hours from which retention has removed something. */
  retired: number;
  /** Hours from which the bucket's lifecycle has deleted something. */
  expired: number;
  /** The response ended itself before the window's end. */
  hasNext: boolean;
}

/** Opens the progress of a replay that has not begun. */
export function openProgress(): ReplayProgress {
  return { items: 0, bytes: 0, unreadable: 0, retired: 0, expired: 0, hasNext: false };
}

/** What a replay is written from. */
export interface ReplaySource {
  readonly query: ReplayQuery;
  /** In the order in which they are given. */
  readonly signals: readonly SignalSource[];
  /** What all reads have used up so far. */
  readonly usage: RunningUsage;
}

/**
 * Writes a response in pieces, each valid until the next is asked for. The first piece
 * comes with the first data, however small; a return closes the read.
 * @throws whatever a read throws, and FirnError `too_large` where it ends itself and no mark could say so; the mark
 * is then missing
 */
export async function* writeReplay(
  { query, signals, usage }: ReplaySource,
  progress: ReplayProgress,
): AsyncGenerator<Uint8Array, void, void> {
  const pieces = openPieces();
  const reached: Reached[] = [];
  let next: Position | null = null;
  for (const [index, source] of signals.entries()) {
    next = yield* writeSignal(source, { query, usage, pieces, progress, isContinued: index > 0 });
    reached.push({ end: next === null ? query.arrivals.end : toEnd(next), watermark: source.watermark });
    if (next !== null) break;
  }
  yield* count(pieces.flush(), progress);
  const mark = query.hasMark ? toMark(query, { ...progress, next, reached }) : null;
  const last = mark === null ? encodeUnmarked(query.format) : encodeMark(mark, query);
  if (last.length > 0) yield last;
}

/** What is published later into a minute of which something was given may stand before the position. */
function toEnd({ minute, place }: Position): Millis {
  return place === null ? minute : millis(minute + MINUTE);
}

/** What the signals of a response share. */
interface Writing {
  readonly query: ReplayQuery;
  readonly usage: RunningUsage;
  readonly pieces: Pieces;
  readonly progress: ReplayProgress;
  /** The answer has content already. */
  readonly isContinued: boolean;
}

/** @returns where the response ends itself in this signal; `null` when the window was read to its end */
async function* writeSignal(source: SignalSource, writing: Writing): AsyncGenerator<Uint8Array, Position | null, void> {
  const { query, usage, progress, isContinued } = writing;
  const options = { ...query, signal: source.signal };
  const output = openOutput(options);
  const giving: Giving = { ...writing, output, page: openPage(options, query.limitBytes) };
  const keep = openKeeper(source.signal, query.filter);
  const tally = openTally(source.from, output.skipped);
  let next: Position | null = null;
  reading: for await (const event of readWindow({ ...source.request, isContinued }, usage)) {
    switch (event.kind) {
      case "minute":
        if (!giving.page.endsBeforeMinute(event, toSoFar(writing))) break;
        next = tally.at({ minute: event.minute, place: null });
        break reading;
      case "fields":
      case "request":
        for (const step of giving.page.steps(event)) {
          const content = keep(step);
          if (content === null) continue;
          if (yield* giveContent(content, giving)) tally.add(content);
          else {
            next = tally.before(content);
            break reading;
          }
        }
        break;
      case "unreadable":
        progress.unreadable++;
        break;
      case "retired":
        progress.retired++;
        break;
      case "expired":
        progress.expired++;
        break;
      case "end":
        if (event.next !== null) next = tally.at({ minute: event.next, place: event.place });
        break;
      default:
        unreachable(event, "read event");
    }
  }
  progress.hasNext = next !== null;
  if (progress.hasNext && !query.hasMark) throw refuseToEnd();
  yield* write(output.end(), writing);
  progress.items -= output.skipped.items;
  progress.unreadable += output.skipped.containers;
  return next;
}

/** What content of a signal is given with. */
interface Giving extends Writing {
  readonly output: Output;
  readonly page: Page;
}

/** @returns whether the content was given; if not, the response ends before it */
function* giveContent(content: Content, giving: Giving): Generator<Uint8Array, boolean, void> {
  const { output, page, pieces, progress } = giving;
  let judgement = page.judge(content, toSoFar(giving));
  if (judgement === "flush") {
    yield* write(output.flush(), giving);
    judgement = page.judge(content, toSoFar(giving));
  }
  if (judgement !== "give") return false;
  progress.items += content.itemCount;
  yield* write(output.add(content), giving);
  if (progress.bytes === 0) yield* count(pieces.flush(), progress);
  return true;
}

function toSoFar({ pieces, usage }: Writing): PageSoFar {
  return { givenBytes: pieces.addedBytes, rawBytes: usage.rawBytes };
}

function* write(runs: Iterable<Uint8Array>, { pieces, progress }: Writing): Generator<Uint8Array, void, void> {
  for (const bytes of runs) yield* count(pieces.add(bytes), progress);
}

function* count(pieces: Iterable<Uint8Array>, progress: ReplayProgress): Generator<Uint8Array, void, void> {
  for (const piece of pieces) {
    progress.bytes += piece.length;
    yield piece;
  }
}

/** Only the mark could tell that something is left, so that without one the response must not end like a whole one. */
function refuseToEnd(): FirnError {
  const message = "Cannot replay the window in one response without a mark: leave out mark=false, or narrow the window";
  return new FirnError("too_large", message, { field: "mark" });
}
