/**
 * Where an answer with `limit_bytes` ends itself: {@link openPage}. Before a minute that fits into a page and not into
 * the rest of this one, since the beginning of a minute is a position whatever becomes of its objects; otherwise before
 * the first field that does not fit. Only the first field of an answer is given however long it is.
 */
import { REPLAY_MARK_MAX_BYTES } from "../limits.ts";
import type { ReadEvent } from "../reader/contract.ts";
import { walkRequest } from "../otlp/wire/walk.ts";
import { isItemSignal, type Signal } from "../signal.ts";
import type { Bytes } from "../units.ts";
import { openSizer } from "./output-size.ts";
import type { Content, OutputOptions } from "./output.ts";

/** Decides for one signal of an answer. */
export interface Page {
  /** The content of an event in steps that can be told apart by a position. */
  steps(content: Content): Iterable<Content>;
  /** Says whether the answer ends before a minute. */
  endsBeforeMinute(minute: Extract<ReadEvent, { kind: "minute" }>, so: PageSoFar): boolean;
  /** What is to be done with content; `flush` asks once more when the output holds nothing back. */
  judge(content: Content, so: PageSoFar): "give" | "flush" | "end";
}

/** What an answer holds when the page is asked. */
export interface PageSoFar {
  /** Bytes that the output has given. */
  readonly givenBytes: number;
  /** Raw bytes that were read for them. */
  readonly rawBytes: number;
}

/** Opens a page. @param limitBytes - of the whole answer, the mark included; `null` for none */
export function openPage(options: OutputOptions, limitBytes: Bytes | null): Page {
  if (limitBytes === null) {
    return { steps: (content) => [content], endsBeforeMinute: () => false, judge: () => "give" };
  }
  const maxBytes = limitBytes - REPLAY_MARK_MAX_BYTES;
  const sizer = openSizer(options);
  /** What the output holds back takes at most so many bytes, of these the content that was given last. */
  let heldBytes = 0;
  let lastBytes = 0;
  let givenBefore = 0;

  /** An output that gives something gives all that it held before. */
  function see(givenBytes: number): void {
    if (givenBytes === givenBefore) return;
    heldBytes = lastBytes;
    givenBefore = givenBytes;
  }

  return {
    steps: (content) => toSteps(content, options.signal),
    endsBeforeMinute: ({ rawBytes }, { givenBytes, rawBytes: readBytes }) => {
      see(givenBytes);
      if (givenBytes === 0 || readBytes === 0) return false;
      const expected = (rawBytes * givenBytes) / readBytes;
      return expected <= maxBytes && givenBytes + heldBytes + expected > maxBytes;
    },
    judge: (content, { givenBytes }) => {
      see(givenBytes);
      const bound = sizer.bound(content);
      const isSure = givenBytes + heldBytes + bound <= maxBytes;
      if (!isSure && heldBytes > 0) {
        heldBytes = 0;
        lastBytes = 0;
        return "flush";
      }
      const size = isSure ? bound : sizer.measure(content);
      if (givenBytes > 0 && givenBytes + size > maxBytes) return "end";
      heldBytes += size;
      lastBytes = size;
      return "give";
    },
  };
}

function* toSteps(content: Content, signal: Signal): Generator<Content, void, void> {
  if (content.kind === "request" || content.fields.length === 1 || !isItemSignal(signal)) {
    yield content;
    return;
  }
  for (const [index, field] of content.fields.entries()) {
    const walk = walkRequest(signal, field.field);
    const itemCount = walk.kind === "sound" ? walk.itemCount : 0;
    const place = { ...content.place, fields: content.place.fields + index };
    yield { ...content, fields: [field], itemCount, place };
  }
}
