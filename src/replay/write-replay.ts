/**
 * Turns the events of a read into the bytes of a response: {@link writeReplay}. Pulled from the other end, one piece
 * at a time; the mark comes last and only when nothing failed.
 */
import { FirnError, unreachable } from "../errors.ts";
import { STREAM_PIECE_BYTES } from "../limits.ts";
import type { ReadEvent, ReadUsage } from "../reader/contract.ts";
import type { Watermark } from "./contract.ts";
import { encodeMark, encodeUnmarked, toMark } from "./mark.ts";
import { openOutput } from "./output.ts";
import type { ReplayQuery } from "./parameters.ts";

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
  usage: ReadUsage | null;
  /** The response ended itself before the window's end. */
  hasNext: boolean;
}

/** Opens the progress of a replay that has not begun. */
export function openProgress(): ReplayProgress {
  return { items: 0, bytes: 0, unreadable: 0, retired: 0, expired: 0, usage: null, hasNext: false };
}

/** What a replay is written from. */
export interface ReplaySource {
  readonly query: ReplayQuery;
  readonly events: AsyncGenerator<ReadEvent, void, void>;
  readonly watermark: Watermark;
}

/**
 * Writes a response in pieces of at most `STREAM_PIECE_BYTES`, each with memory of its own. The first piece comes with
 * the first data, however small; a return closes the read.
 * @throws whatever the read throws, and FirnError `too_large` where it ends itself and no mark could say so; the mark
 * is then missing
 */
export async function* writeReplay(
  { query, events, watermark }: ReplaySource,
  progress: ReplayProgress,
): AsyncGenerator<Uint8Array, void, void> {
  const output = openOutput(query);
  const piece = openPiece();
  for await (const event of events) {
    switch (event.kind) {
      case "fields":
      case "request":
        progress.items += event.itemCount;
        for (const bytes of output.add(event)) yield* piece.add(bytes, progress);
        if (progress.bytes === 0) yield* piece.flush(progress);
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
      case "end": {
        progress.usage = event.usage;
        progress.hasNext = event.next !== null;
        if (progress.hasNext && !query.hasMark) throw refuseToEnd();
        for (const bytes of output.end()) yield* piece.add(bytes, progress);
        yield* piece.flush(progress);
        progress.items -= output.skipped.items;
        progress.unreadable += output.skipped.containers;
        const mark = query.hasMark ? toMark(query, { ...progress, next: event.next, watermark }) : null;
        const last = mark === null ? encodeUnmarked(query.format) : encodeMark(mark, query);
        if (last.length > 0) yield last;
        break;
      }
      default:
        unreachable(event, "read event");
    }
  }
}

/** Only the mark could tell that something is left, so that without one the response must not end like a whole one. */
function refuseToEnd(): FirnError {
  const message = "Cannot replay the window in one response without a mark: leave out mark=false, or narrow the window";
  return new FirnError("too_large", message, { field: "mark" });
}

/** Gathers small runs of bytes into pieces that are worth a write. */
interface Piece {
  add(bytes: Uint8Array, progress: ReplayProgress): Iterable<Uint8Array>;
  flush(progress: ReplayProgress): Iterable<Uint8Array>;
}

function openPiece(): Piece {
  let buffer = new Uint8Array(STREAM_PIECE_BYTES);
  let length = 0;

  function* add(bytes: Uint8Array, progress: ReplayProgress): Generator<Uint8Array, void, void> {
    let position = 0;
    while (position < bytes.length) {
      const taken = bytes.subarray(position, position + buffer.length - length);
      buffer.set(taken, length);
      length += taken.length;
      position += taken.length;
      if (length === buffer.length) yield* flush(progress);
    }
  }

  function* flush(progress: ReplayProgress): Generator<Uint8Array, void, void> {
    if (length === 0) return;
    const full = buffer.subarray(0, length);
    buffer = new Uint8Array(STREAM_PIECE_BYTES);
    length = 0;
    progress.bytes += full.length;
    yield full;
  }

  return { add, flush };
}
