import { describe, expect, it } from "vitest";
import { openMerger } from "../../src/compaction/merge.ts";
import type { MergedMember, Merger, MergerOptions } from "../../src/compaction/merger.ts";
import { useDense } from "../../src/compression/dense.ts";
import { inflateStream } from "../../src/compression/inflate-stream.ts";
import { literalMember } from "../../src/compression/member.ts";
import { JSON_TAIL } from "../../src/otlp/json/envelope.ts";
import { openTopLevelSplitter } from "../../src/otlp/top-level.ts";
import { bytes, MIB } from "../../src/units.ts";
import { bytesOf } from "../compression/gzip-bytes.ts";
import { collect, pieces } from "../compression/pieces.ts";
import { lengthField, span, varintField } from "../otlp/wire-builder.ts";

const OPTIONS: MergerOptions = {
  signal: "traces",
  marshaler: "otlp_proto",
  compression: "zstd",
  level: null,
  memberRawBytes: bytes(10_000),
  gatherBytes: bytes(MIB),
  startsOutput: true,
};
/** Bytes of a span with its tag and length. */
const SPAN_BYTES = 100;

/** Spans of one resource, each of {@link SPAN_BYTES} bytes. */
function request(service: string, count: number): Uint8Array {
  const attribute = lengthField(1, lengthField(1, "service.name"), lengthField(2, lengthField(1, service)));
  const spans = Array.from({ length: count }, (_, index) =>
    span(lengthField(5, String(index).padStart(SPAN_BYTES - 32, "."))),
  );
  return Uint8Array.from(lengthField(1, lengthField(1, attribute), lengthField(2, ...spans)));
}

function add(merger: Merger, minute: number, body: Uint8Array): void {
  merger.addFields(minute, openTopLevelSplitter().push(body));
}

function finish(merger: Merger): readonly MergedMember[] {
  merger.flush();
  return merger.take();
}

function readRaw({ bytes: member, entry }: MergedMember): Uint8Array {
  return useDense({ member, compression: "zstd", rawBytes: entry.rawBytes }, (raw) => raw.slice());
}

const runsOf = ({ entry }: MergedMember): readonly (readonly number[])[] =>
  entry.runs.map(({ minute, itemCount }) => [minute, itemCount]);

describe("openMerger()", () => {
  it("fills members with a minute that is longer than one, and cuts it by resource", () => {
    const merger = openMerger(OPTIONS);
    for (const service of ["b", "a", "b", "a"]) add(merger, 7, request(service, 100));

    const members = finish(merger);

    expect(members.map(({ services }) => services)).toEqual([["a"], ["a"], ["a", "b"], ["b"], ["b"]]);
    expect(members.reduce((sum, { entry }) => sum + entry.itemCount, 0)).toBe(400);
    for (const { entry } of members.slice(0, -1)) {
      expect(entry.rawBytes).toBeGreaterThan(9_800);
      expect(entry.rawBytes).toBeLessThanOrEqual(10_000);
    }
  });

  it("begins another member with a minute that fits into it, rather than cut it, when the last is nearly full", () => {
    const merger = openMerger(OPTIONS);
    for (const [minute, count] of [40, 52, 40, 20, 60].entries()) add(merger, minute, request("a", count));

    expect(finish(merger).map(runsOf)).toEqual([
      [
        [0, 40],
        [1, 52],
      ],
      [
        [2, 40],
        [3, 20],
        [4, 38],
      ],
      [[4, 22]],
    ]);
  });

  it("puts what no item owns at the end of the run of its minute", () => {
    const merger = openMerger(OPTIONS);
    const unknown = bytesOf(varintField(31, 5));
    add(merger, 1, bytesOf(unknown, request("a", 1)));
    add(merger, 1, request("a", 1));
    add(merger, 2, unknown);

    const [member] = finish(merger);

    expect(member).toBeDefined();
    if (member === undefined) return;
    expect(runsOf(member)).toEqual([
      [1, 2],
      [2, 0],
    ]);
    expect(readRaw(member).subarray(-2 * unknown.length)).toEqual(bytesOf(unknown, unknown));
    expect([...merger.sourceTotals.keys()]).toEqual([1]);
    expect(merger.outputTotals).toEqual(merger.sourceTotals);
  });

  it("regroups what was gathered when it is as much as it may hold", () => {
    const merger = openMerger({ ...OPTIONS, gatherBytes: bytes(5_000) });
    let heldBytes = 0;
    for (let count = 0; count < 50; count += 1) {
      add(merger, 0, request("a", 20));
      heldBytes = Math.max(heldBytes, merger.heldBytes);
      merger.take();
    }

    expect(heldBytes).toBeLessThan(5_000 + 10_000 + 2_000);
  });

  it("holds nothing after a flush", () => {
    const merger = openMerger(OPTIONS);
    const before = merger.heldBytes;
    add(merger, 0, request("a", 20));

    expect(finish(merger)).toHaveLength(1);
    expect(finish(merger)).toHaveLength(0);
    expect(merger.heldBytes).toBe(before);
  });

  it.each(["gzip", "zstd"] as const)("makes one JSON document of each output, with %s", async (compression) => {
    const merger = openMerger({ ...OPTIONS, marshaler: "otlp_json", compression });
    const documents: unknown[] = [];
    for (const count of [200, 3]) {
      for (let minute = 0; minute < 3; minute += 1) add(merger, minute, request("a", count));
      merger.startOutput();
      const object = bytesOf(
        ...merger.take().map(({ bytes: member }) => member),
        literalMember(JSON_TAIL, compression),
      );
      const text = new TextDecoder().decode(await collect(inflateStream(pieces(object, 1000), compression)));
      documents.push(JSON.parse(text));
    }

    expect(documents.map((document) => JSON.stringify(document).split('"traceId"').length - 1)).toEqual([600, 9]);
    expect(merger.outputTotals).toEqual(merger.sourceTotals);
  });

  it("goes on with an output that another step began", () => {
    const merger = openMerger({ ...OPTIONS, marshaler: "otlp_json", startsOutput: false });
    add(merger, 0, request("a", 1));

    const [member] = finish(merger);

    expect(member === undefined ? "" : new TextDecoder().decode(readRaw(member).subarray(0, 2))).toBe(",{");
  });
});
