/**
 * A merge without an art: a member a minute, fields as they came. It keeps the contract of `merger.ts`, so that the way
 * around the merge is tested apart from it.
 */
import type { MemberEntry } from "../../src/archive/member-table.ts";
import { joinBytes } from "../../src/bytes.ts";
import { literalMember } from "../../src/compression/member.ts";
import type { MergedMember, Merger, MergerOptions, MinuteSum } from "../../src/compaction/merger.ts";
import { openItemDigest } from "../../src/otlp/item-digest.ts";
import { iterateItems } from "../../src/otlp/items.ts";
import { decodeJsonElements } from "../../src/otlp/json/decode.ts";
import { encodeJsonElements } from "../../src/otlp/json/elements.ts";
import { JSON_SEPARATOR, jsonHead } from "../../src/otlp/json/envelope.ts";
import { bytes } from "../../src/units.ts";

export function openPlainMerger(options: MergerOptions): Merger {
  const { signal, marshaler, compression } = options;
  const sourceTotals = new Map<number, MinuteSum>();
  const outputTotals = new Map<number, MinuteSum>();
  let startsOutput = options.startsOutput;
  let minute = 0;
  let gathered: Uint8Array[] = [];
  const finished: MergedMember[] = [];

  const sumOf = (request: Uint8Array, before: MinuteSum | undefined): MinuteSum => {
    const digest = openItemDigest(before);
    for (const item of iterateItems(signal, request)) digest.add(item);
    return digest.toValue();
  };

  const toElements = (request: Uint8Array): Uint8Array => encodeJsonElements(signal, request);

  function toRaw(request: Uint8Array): Uint8Array {
    if (marshaler === "otlp_proto") return request;
    return joinBytes([startsOutput ? jsonHead(signal) : JSON_SEPARATOR, toElements(request)]);
  }

  function endMinute(): void {
    if (gathered.length === 0) return;
    const request = joinBytes(gathered);
    gathered = [];
    const { itemCount } = sumOf(request, undefined);
    const raw = toRaw(request);
    startsOutput = false;
    const entry: MemberEntry = {
      rawBytes: bytes(raw.length),
      itemCount,
      runs: [{ minute, itemCount, rawBytes: bytes(raw.length) }],
      minTimeUnixNano: null,
      maxTimeUnixNano: null,
    };
    finished.push({ bytes: literalMember(raw, compression), entry, services: [], traceHashes: null });
    outputTotals.set(minute, sumOf(request, outputTotals.get(minute)));
  }

  return {
    addFields: (of, fields) => {
      if (of !== minute) endMinute();
      minute = of;
      for (const { field } of fields) {
        const container = marshaler === "otlp_json" ? decodeJsonElements(signal, toElements(field), 0) : field.slice();
        gathered.push(container);
        sourceTotals.set(minute, sumOf(container, sourceTotals.get(minute)));
      }
    },
    endMinute,
    flush: endMinute,
    startOutput: () => {
      endMinute();
      startsOutput = true;
    },
    take: () => finished.splice(0),
    sourceTotals,
    outputTotals,
    heldBytes: 0,
  };
}
