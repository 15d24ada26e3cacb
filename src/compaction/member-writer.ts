/**
 * Items of a minute → members of an output, filled one after the other. What a member holds is read back from its
 * compressed bytes, counted and digested again, before it is handed out: the proof of a merge rests on it
 * (protocol 5.5).
 */
import { encodeMemberEntry, type MemberRun } from "../archive/member-table.ts";
import { addMemberEntry, compressDense, useDense, type DenseOptions } from "../compression/dense.ts";
import { ByteWriter } from "../otlp/byte-writer.ts";
import { openItemDigest } from "../otlp/item-digest.ts";
import { openEventTimes, openServiceNames } from "../otlp/item-facts.ts";
import { iterateItems } from "../otlp/items.ts";
import { encodeJsonElements } from "../otlp/json/elements.ts";
import { JSON_SEPARATOR, jsonHead } from "../otlp/json/envelope.ts";
import type { RequestParts } from "../otlp/request-parts.ts";
import { releaseBytes } from "../bytes.ts";
import { openTraceHashes } from "../otlp/trace-ids.ts";
import { bytes } from "../units.ts";
import { readMergedRuns } from "./merged-runs.ts";
import type { MergedMember, MergerOptions, MinuteSum, MinuteSums } from "./merger.ts";

/** Fills members. */
export interface MemberWriter {
  /** What finished members hold. */
  readonly totals: MinuteSums;
  /** Bytes of the member under way, and of those that were not taken. */
  readonly heldBytes: number;
  /** Writes items of a minute, all that there are, and finishes members as they are full. Minutes never go back. */
  addItems(minute: number, items: RequestParts): void;
  /** Writes a field of a request that no item owns; JSON has no place for one. */
  addField(minute: number, field: Uint8Array): void;
  /** Finishes the member under way, if it holds anything. */
  finish(): void;
  /** Says that the next member is the first one of its output. */
  startOutput(): void;
  /** Hands out the members that were finished since the last time. */
  take(): readonly MergedMember[];
}

/** OTLP JSON is about 2.2 times the same protobuf; too high a guess only makes parts smaller. */
const JSON_RATIO = 2.5;
/** A member that is nearly full is finished rather than filled up with a part of a minute that fits into the next. */
const FULL_SHARE = 0.9;
/** A member is full when less than this share of it is left: a part that small is not worth its contexts. */
const LEFT_SHARE = 1 / 64;
const INITIAL_REQUEST_BYTES = 65_536;

/**
 * Opens a writer for the outputs of one step.
 * @param raw memory for a member, empty
 */
export function openMemberWriter(options: MergerOptions, raw: ByteWriter): MemberWriter {
  const { signal, compression, memberRawBytes } = options;
  const isJson = options.marshaler === "otlp_json";
  const ratio = isJson ? JSON_RATIO : 1;
  // Half of a span is ids and times; a record is text, and a point is what was there a minute ago.
  const effort: DenseOptions = { ...options, search: signal === "traces" ? "short" : "long" };
  const totals = new Map<number, MinuteSum>();
  const traces = signal === "metrics" ? null : openTraceHashes();
  const request = new ByteWriter(isJson ? INITIAL_REQUEST_BYTES : 0, Number.POSITIVE_INFINITY);
  let { startsOutput } = options;
  let finished: MergedMember[] = [];
  let runs: MemberRun[] = [];

  function addItems(minute: number, items: RequestParts): void {
    for (;;) {
      const room = makeRoom(items.maxRestBytes);
      const start = raw.length;
      const itemCount = isJson ? writeJson(items, room) : items.writeNext(raw, room);
      if (itemCount === 0) return;
      addRun({ minute, itemCount, rawBytes: bytes(raw.length - start) });
    }
  }

  function writeJson(items: RequestParts, maxBytes: number): number {
    request.length = 0;
    const itemCount = items.writeNext(request, maxBytes);
    if (itemCount === 0) return 0;
    raw.append(startsOutput && raw.length === 0 ? jsonHead(signal) : JSON_SEPARATOR);
    raw.append(encodeJsonElements(signal, request.bytes.subarray(0, request.length)));
    return itemCount;
  }

  function addField(minute: number, field: Uint8Array): void {
    if (isJson) return;
    makeRoom(field.length);
    raw.append(field);
    addRun({ minute, itemCount: 0, rawBytes: bytes(field.length) });
  }

  /** @returns bytes of protobuf for which the member under way has room; it may have been finished for that */
  function makeRoom(restBytes: number): number {
    const rest = restBytes * ratio;
    const fitsIntoNext = rest <= memberRawBytes && rest > memberRawBytes - raw.length;
    if (fitsIntoNext && raw.length >= FULL_SHARE * memberRawBytes) finish();
    return Math.floor((memberRawBytes - raw.length) / ratio);
  }

  function addRun(run: MemberRun): void {
    const { minute } = run;
    const last = runs.at(-1);
    if (last?.minute !== minute) runs.push(run);
    else {
      const rawBytes = bytes(last.rawBytes + run.rawBytes);
      runs[runs.length - 1] = { minute, itemCount: last.itemCount + run.itemCount, rawBytes };
    }
    if (raw.length >= memberRawBytes * (1 - LEFT_SHARE)) finish();
  }

  function finish(): void {
    if (raw.length === 0) return;
    const rawBytes = raw.length;
    const member = compressDense(raw.bytes.subarray(0, rawBytes), effort);
    raw.length = 0;
    finished.push(useDense({ member, compression, rawBytes }, (content) => describe(member, content)));
    startsOutput = false;
    runs = [];
  }

  /** Looks into what was compressed: nothing is said of a member that was not read back from it. */
  function describe(member: Uint8Array, content: Uint8Array): MergedMember {
    const times = openEventTimes(signal, traces);
    const services = openServiceNames();
    let itemCount = 0;
    for (const run of readMergedRuns(content, runs, { ...options, startsOutput })) {
      const total = openItemDigest(totals.get(run.minute));
      for (const item of iterateItems(signal, run.request)) {
        total.add(item);
        times.add(item);
        services.add(item);
        itemCount += 1;
      }
      if (total.itemCount > 0) totals.set(run.minute, total.toValue());
    }
    const entry = { rawBytes: bytes(content.length), itemCount, runs, ...times.toTimes() };
    const stored = addMemberEntry(member, compression, encodeMemberEntry(entry));
    releaseBytes(member);
    return { bytes: stored, entry, services: services.toList(), traceHashes: traces?.take() ?? null };
  }

  return {
    totals,
    get heldBytes() {
      return finished.reduce((sum, { bytes: stored }) => sum + stored.length, raw.length);
    },
    addItems,
    addField,
    finish,
    startOutput: () => {
      startsOutput = true;
    },
    take: () => {
      const members = finished;
      finished = [];
      return members;
    },
  };
}
