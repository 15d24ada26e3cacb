import { expect, test } from "vitest";
import { FORMATS } from "../../src/replay/format.ts";
import {
  encodeMark,
  encodeUnmarked,
  MARK_FIELD_NUMBER,
  toMark,
  type Mark,
  type ReplayEnd,
} from "../../src/replay/mark.ts";
import type { Watermark } from "../../src/replay/contract.ts";
import type { Position } from "../../src/replay/cursor.ts";
import { parseReplayRequest, type ReplayQuery } from "../../src/replay/parameters.ts";
import { openTopLevelSplitter } from "../../src/otlp/top-level.ts";
import type { Millis } from "../../src/units.ts";
import { at } from "../reader/archive-sample.ts";

const END = at("2026-05-01T15:00:00Z");
const query = (cursor = ""): ReplayQuery =>
  parseReplayRequest({
    query: new URLSearchParams(
      `signal=traces&start=2026-05-01T14:00:00Z&end=2026-05-01T15:00:00Z${cursor && `&cursor=${cursor}`}`,
    ),
    accept: null,
  });
interface Ended extends Partial<Pick<ReplayEnd, "unreadable" | "retired" | "expired" | "next">> {
  readonly watermark?: Watermark;
  readonly end?: Millis;
}
const ended = (
  { watermark = END, end, next = null, unreadable = 0, retired = 0, expired = 0 }: Ended,
  cursor?: string,
): Mark => {
  const reached = [{ end: end ?? next?.minute ?? END, watermark }];
  return toMark(query(cursor), { items: 3, bytes: 100, unreadable, retired, expired, next, reached });
};
const nextAt = (time: string): Position => ({ signal: "traces", minute: at(time), place: null, items: 0 });

test("toMark() is complete when the window was given and lies below the watermark", () => {
  expect(ended({})).toEqual({
    items: 3,
    bytes: 100,
    complete: true,
    next: null,
    watermark: "2026-05-01T15:00:00.000Z",
    unreadable: 0,
    retired: 0,
    expired: 0,
  });
});

test("toMark() is not complete past the watermark, and has no next", () => {
  const mark = ended({ watermark: at("2026-05-01T14:30:00Z") });

  expect(mark).toMatchObject({ complete: false, next: null, watermark: "2026-05-01T14:30:00.000Z" });
});

test("toMark() is not complete without a watermark", () => {
  expect(ended({ watermark: "unknown" })).toMatchObject({ complete: false, next: null, watermark: "unknown" });
});

test("toMark() is not complete when an object was skipped", () => {
  expect(ended({ unreadable: 2 })).toMatchObject({ complete: false, unreadable: 2, next: null });
});

test("toMark() is complete although retention has removed something, and says so", () => {
  expect(ended({ retired: 3 })).toMatchObject({ complete: true, retired: 3 });
});

test("toMark() is complete although the bucket's lifecycle has deleted something, and says so", () => {
  expect(ended({ expired: 2 })).toMatchObject({ complete: true, expired: 2 });
});

test("toMark() gives next where the response ended itself", () => {
  expect(ended({ next: nextAt("2026-05-01T14:20:00Z") })).toMatchObject({
    complete: false,
    next: "v1.traces.29627420",
  });
});

test("toMark() hands on in next that a page ran past its watermark or skipped", () => {
  const next = nextAt("2026-05-01T14:20:00Z");

  expect(ended({ next, watermark: at("2026-05-01T14:10:00Z") }).next).toBe("v1.traces.29627420.w29627410");
  expect(ended({ next, watermark: at("2026-05-01T14:20:00Z") }).next).toBe("v1.traces.29627420");
  expect(ended({ next, watermark: "unknown" }).next).toBe("v1.traces.29627420.wu");
  expect(ended({ next, unreadable: 1 }).next).toBe("v1.traces.29627420.u");
});

test("toMark() of several signals has the lowest of their watermarks, and is complete above none of them", () => {
  const [low, high] = [at("2026-05-01T14:30:00Z"), at("2026-05-01T16:00:00Z")];
  const rest = { items: 3, bytes: 100, unreadable: 0, retired: 0, expired: 0, next: null };
  const all = (...watermarks: Watermark[]): Mark =>
    toMark(query(), { ...rest, reached: watermarks.map((watermark) => ({ end: END, watermark })) });

  expect(all(high, END)).toMatchObject({ complete: true, watermark: "2026-05-01T15:00:00.000Z" });
  expect(all(high, low)).toMatchObject({ complete: false, watermark: "2026-05-01T14:30:00.000Z" });
  expect(all(high, "unknown")).toMatchObject({ complete: false, watermark: "unknown" });
});

test("toMark() of the last page speaks for the pages before", () => {
  expect(ended({}, "v1.traces.29627420")).toMatchObject({ complete: true });
  expect(ended({}, "v1.traces.29627420.u")).toMatchObject({ complete: false, unreadable: 0 });
  expect(ended({}, "v1.traces.29627420.wu")).toMatchObject({ complete: false, watermark: "unknown" });
  expect(ended({}, "v1.traces.29627420.w29627410")).toMatchObject({
    complete: false,
    watermark: "2026-05-01T14:10:00.000Z",
  });
});

const eventMark = (end: Partial<ReplayEnd>, watermark: Watermark, cursor = ""): Mark => {
  const window = "start=2026-05-01T14:00:00Z&end=2026-05-01T15:00:00Z";
  const text = `signal=logs&time=event&${window}${cursor && `&cursor=${cursor}`}`;
  const asked = parseReplayRequest({ query: new URLSearchParams(text), accept: null });
  const reached = [{ end: end.next?.minute ?? asked.arrivals.end, watermark }];
  return toMark(asked, { items: 3, bytes: 100, unreadable: 0, retired: 0, expired: 0, next: null, reached, ...end });
};
const ALL_ARRIVED = at("2026-05-08T15:00:00Z");

test("toMark() of a window of event time says which arrivals were read", () => {
  const arrivals = { time: "event", arrivals_from: "2026-05-01T13:00:00.000Z" };

  expect(eventMark({}, ALL_ARRIVED)).toMatchObject({
    ...arrivals,
    complete: true,
    arrivals_until: "2026-05-08T15:00:00.000Z",
  });
  expect(eventMark({}, END)).toMatchObject({ ...arrivals, complete: true, arrivals_until: "2026-05-01T15:00:00.000Z" });
  expect(eventMark({}, at("2026-05-01T14:59:00Z"))).toMatchObject({ ...arrivals, complete: false });
  expect(eventMark({}, "unknown")).toMatchObject({ ...arrivals, complete: false, arrivals_until: "unknown" });
  expect(eventMark({ unreadable: 1 }, ALL_ARRIVED)).toMatchObject({ ...arrivals, complete: false });
});

test("toMark() of a page of a window of event time says how far it was read, and the last page speaks for all", () => {
  const minute = at("2026-05-03T00:00:00Z");
  const next: Position = { signal: "logs", minute, place: null, items: 0 };
  const first = eventMark({ next }, at("2026-05-02T00:00:00Z"));

  expect(first).toMatchObject({ complete: false, arrivals_until: "2026-05-02T00:00:00.000Z" });
  expect(eventMark({ next }, ALL_ARRIVED)).toMatchObject({
    complete: false,
    arrivals_until: "2026-05-03T00:00:00.000Z",
  });
  expect(eventMark({}, ALL_ARRIVED, first.next ?? "")).toMatchObject({
    complete: true,
    arrivals_until: "2026-05-02T00:00:00.000Z",
  });
});

test.each([
  ["traces", '{"resourceSpans":[],"firn":'],
  ["metrics", '{"resourceMetrics":[],"firn":'],
  ["logs", '{"resourceLogs":[],"firn":'],
  ["profiles", '{"resourceProfiles":[],"firn":'],
] as const)("encodeMark() is a line that OTLP readers of %s take for empty", (signal, start) => {
  const line = new TextDecoder().decode(encodeMark(ended({}), { format: "jsonl", signal }));

  expect(line).toBe(
    `${start}{"items":3,"bytes":100,"complete":true,"next":null,` +
      `"watermark":"2026-05-01T15:00:00.000Z","unreadable":0,"retired":0,"expired":0}}\n`,
  );
});

test("encodeMark() is the last member of a JSON document and ends it", () => {
  const end = new TextDecoder().decode(encodeMark(ended({}), { format: "json", signal: "traces" }));

  expect(end.startsWith(',"firn":{"items":3,')).toBe(true);
  expect(JSON.parse(`{"resourceSpans":[]${end}`)).toEqual({ resourceSpans: [], firn: ended({}) });
  expect(end.endsWith("}}\n")).toBe(true);
});

test("encodeMark() is a message of its own where messages follow their lengths", () => {
  const message = encodeMark(ended({}), { format: "proto", signal: "traces" });
  const bytes = encodeMark(ended({}), { format: "proto-delimited", signal: "traces" });

  expect(new DataView(bytes.buffer).getUint32(0)).toBe(message.length);
  expect(bytes.subarray(4)).toEqual(message);
});

test("encodeUnmarked() ends what would not be whole without the mark", () => {
  const ends = FORMATS.map((format) => new TextDecoder().decode(encodeUnmarked(format)));

  expect(ends).toEqual(["", "}\n", "", ""]);
});

test("encodeMark() is an unknown field in protobuf, with the same JSON", () => {
  const bytes = encodeMark(ended({}), { format: "proto", signal: "traces" });

  const [found] = openTopLevelSplitter().push(bytes);
  expect(found?.field).toEqual(bytes);
  expect(found?.container).toBeNull();
  // 100,000 << 3 | 2 as a varint, and a length of two bytes.
  expect([...bytes.subarray(0, 3)]).toEqual([0x82, 0xea, 0x30]);
  expect(MARK_FIELD_NUMBER).toBe(100_000);
  expect(JSON.parse(new TextDecoder().decode(bytes.subarray(5)))).toEqual(ended({}));
});
