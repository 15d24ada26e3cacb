/**
 * Takes out of a sound request what otlp-http 7 does not let pass: spans with bad ids, links with bad ids, bad ids of
 * log records and of exemplars. All other bytes are copied unchanged, but for the lengths around a change.
 *
 * {@link RequestCutter} is shown the suspects one by one, in the order of their bytes, while the wire walk meets them,
 * and writes the new request up to there. So it copies everything once, looks at nothing but suspects, and keeps no
 * list of them, however many there are. Hot path, hence a class: `bench/otlp-cut.ts`.
 */
import type { ItemSignal } from "../signal.ts";
import { EXEMPLAR_IDS, IdCheck, LINK_IDS, LOG_RECORD_IDS, SPAN_IDS, type IdRule } from "./item-ids.ts";
import { RequestRewriter } from "./rewrite.ts";
import { findPath } from "./wire/fault.ts";
import { toField, toTag } from "./wire/table.ts";
import { WireReader } from "./wire/format.ts";

/** What was taken out of a request. */
export interface Cut {
  /** The input itself when nothing was taken out. */
  readonly body: Uint8Array;
  readonly spans: CutCount;
  readonly links: CutCount;
  readonly logRecords: CutCount;
  readonly exemplars: CutCount;
}

/** How many of a kind. */
export interface CutCount {
  readonly count: number;
  /** Path of the first bad id, and what it must be; empty when there was none. */
  readonly first: string;
}

type CutKind = "spans" | "links" | "logRecords" | "exemplars";

const LINK_TAG: number = toTag(toField("Span", "links"));
const LINK_COUNT_TAG: number = toTag(toField("Span", "dropped_links_count"));
/** `dropped_links_count` is a uint32: more are not counted. */
const MAX_DROPPED_LINKS = 0xffff_ffff;

/** What there is to know about the messages whose bad ids are removed: log records and exemplars. */
interface RecordRules {
  readonly kind: CutKind;
  readonly ids: readonly IdRule[];
  readonly traceIdTag: number;
  readonly spanIdTag: number;
}

const LOG_RECORDS: RecordRules = toRecordRules("logRecords", "LogRecord", LOG_RECORD_IDS);
const EXEMPLARS: RecordRules = toRecordRules("exemplars", "Exemplar", EXEMPLAR_IDS);

/** Cuts one request, which the wire walk goes on to find sound; if it does not, nothing of this counts. */
export class RequestCutter {
  readonly #signal: ItemSignal;
  readonly #body: Uint8Array;
  readonly #counts: Record<CutKind, { count: number; first: string }> = {
    spans: { count: 0, first: "" },
    links: { count: 0, first: "" },
    logRecords: { count: 0, first: "" },
    exemplars: { count: 0, first: "" },
  };
  readonly #ids: IdCheck = new IdCheck();
  /** The suspect, its fields, and the fields of one of its links. */
  readonly #suspect: WireReader;
  readonly #fields: WireReader;
  readonly #link: WireReader;
  #rewriter: RequestRewriter | null = null;

  constructor(signal: ItemSignal, body: Uint8Array) {
    this.#signal = signal;
    this.#body = body;
    this.#suspect = new WireReader(body);
    this.#fields = new WireReader(body);
    this.#link = new WireReader(body);
  }

  /**
   * Looks at a suspect and cuts what is bad of it.
   *
   * @param starts first bytes of the request, of the messages around the suspect and of itself, from the outermost on
   * @param level index of the suspect in it
   */
  visit(starts: Int32Array, level: number): void {
    const start = starts[level] ?? 0;
    this.#rewriter?.closeUntil(start);
    this.#suspect.position = start;
    this.#suspect.readField();
    if (this.#signal === "traces") this.#visitSpan(starts, level);
    else this.#visitRecord(this.#signal === "logs" ? LOG_RECORDS : EXEMPLARS, starts, level);
  }

  /** Ends the request. */
  end(): Cut {
    return { body: this.#rewriter === null ? this.#body : this.#rewriter.end(), ...this.#counts };
  }

  #visitSpan(starts: Int32Array, level: number): void {
    const span = this.#suspect;
    if (this.#ids.findBroken(this.#openSuspect(), SPAN_IDS) !== undefined) {
      this.#count("spans", span.fieldStart);
      this.#rewrite(starts, level - 1).drop(span.fieldStart, span.position);
      return;
    }
    const { badCount, droppedCount } = this.#countLinks();
    if (badCount === 0) return;
    const rewriter = this.#rewrite(starts, level);
    this.#dropLinks(rewriter);
    // The count takes no more bytes than the links that it counts.
    const count = Math.min(droppedCount + badCount, MAX_DROPPED_LINKS);
    rewriter.insertVarint(span.position, LINK_COUNT_TAG, count);
  }

  /** Counts the bad links of a span; `droppedCount` is what it says itself. */
  #countLinks(): { readonly badCount: number; readonly droppedCount: number } {
    const fields = this.#openSuspect();
    let badCount = 0;
    let droppedCount = 0;
    while (!fields.isAtEnd()) {
      const tag = fields.readField();
      if (tag === LINK_COUNT_TAG) droppedCount = fields.openValue().readUint32();
      else if (tag === LINK_TAG && this.#isBadLink()) badCount += 1;
    }
    return { badCount, droppedCount };
  }

  /** Drops the bad links of a span, and how many it says were dropped before. */
  #dropLinks(rewriter: RequestRewriter): void {
    const fields = this.#openSuspect();
    while (!fields.isAtEnd()) {
      const tag = fields.readField();
      const isBadLink = tag === LINK_TAG && this.#isBadLink();
      if (isBadLink) this.#count("links", fields.fieldStart);
      if (isBadLink || tag === LINK_COUNT_TAG) rewriter.drop(fields.fieldStart, fields.position);
    }
  }

  #isBadLink(): boolean {
    this.#link.enterValue(this.#fields);
    return this.#ids.findBroken(this.#link, LINK_IDS) !== undefined;
  }

  /** Takes the bad ids out of a log record or an exemplar; with the trace id the span id loses its meaning. */
  #visitRecord({ kind, ids, traceIdTag, spanIdTag }: RecordRules, starts: Int32Array, level: number): void {
    const broken = this.#ids.findBroken(this.#openSuspect(), ids);
    if (broken === undefined) return;
    this.#count(kind, this.#suspect.fieldStart);
    const rewriter = this.#rewrite(starts, level);
    const isTraceIdBad = broken.tag === traceIdTag;
    const fields = this.#openSuspect();
    while (!fields.isAtEnd()) {
      const tag = fields.readField();
      const isDropped = tag === spanIdTag || (tag === traceIdTag && isTraceIdBad);
      if (isDropped) rewriter.drop(fields.fieldStart, fields.position);
    }
  }

  #openSuspect(): WireReader {
    this.#fields.enterValue(this.#suspect);
    return this.#fields;
  }

  /** Counts a message whose bad id was just found. */
  #count(kind: CutKind, position: number): void {
    const counts = this.#counts[kind];
    counts.count += 1;
    if (counts.count > 1) return;
    // The path is looked up at once, while the bytes before it are still in the caches of the processor.
    counts.first = `${findPath(this.#signal, this.#body, position)}.${this.#ids.describe(this.#body)}`;
  }

  /** The rewriter, with the messages around the next change open. */
  #rewrite(starts: Int32Array, level: number): RequestRewriter {
    this.#rewriter ??= new RequestRewriter(this.#body);
    this.#rewriter.open(starts, level);
    return this.#rewriter;
  }
}

function toRecordRules(kind: CutKind, message: string, ids: readonly IdRule[]): RecordRules {
  const [traceIdTag, spanIdTag] = ["trace_id", "span_id"].map((name) => toTag(toField(message, name)));
  return { kind, ids, traceIdTag: traceIdTag ?? 0, spanIdTag: spanIdTag ?? 0 };
}
