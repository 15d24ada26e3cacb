/** Pages of a replay as a server gives them, and what they are together; the frames are written here by hand. */
import { encodeMark, type Mark } from "../../../src/replay/mark.ts";
import type { ReplayFormat } from "../../../src/replay/format.ts";
import type { Act, Seen } from "./scripted-firn.ts";

/** Cursors of pages after the first: between two minutes, inside a minute, between two minutes. */
export const CURSORS: readonly string[] = [
  "v1.traces.29627401",
  "v2.traces.29627402.g0-0123456789abcdef-0-1-1",
  "v2.all-traces.29627403.w29627500.u",
];
/** The window that they lie in. */
export const WINDOW: readonly string[] = ["--start", "2026-05-01T14:00:00Z", "--end", "2026-05-01T15:00:00Z"];

const WATERMARK = "2026-05-01T16:02:00.000Z";
/** All of them. */
export const FORMATS: readonly ReplayFormat[] = ["jsonl", "json", "proto", "proto-delimited"];

/** A replay in pages. */
export interface Script {
  readonly pages: readonly Uint8Array[];
  /** All of it as one answer, with its mark and without. */
  readonly whole: Buffer;
  readonly unmarked: Buffer;
}

/** Names of spans: quotes, brackets and what looks like a mark stand in them. */
const NAMES: readonly (readonly string[])[] = [['a"],"firn":{', "b"], [], ["c\n}{", "\u0082\u00ea0d"], ["é"]];

/** Makes a replay of four pages, one of them empty. */
export function makeScript(format: ReplayFormat, last: Partial<Mark> = {}): Script {
  const contents = NAMES.map((names) => names.map((name) => encodeItem(format, name)));
  const pages = contents.map((items, index) => {
    const body = FRAMES[format](items);
    const next = CURSORS[index] ?? null;
    const mark = toMark({ items: items.length, bytes: body.length, next, complete: next === null }, last);
    return Buffer.concat([body, encodeMark(mark, { format, signal: "traces" })]);
  });
  const items = contents.flat();
  const body = FRAMES[format](items);
  const mark = toMark({ items: items.length, bytes: body.length, next: null, complete: true }, last);
  return {
    pages,
    whole: Buffer.concat([body, encodeMark(mark, { format, signal: "traces" })]),
    unmarked: Buffer.concat([body, Buffer.from(format === "json" ? "}\n" : "")]),
  };
}

type PageMark = Pick<Mark, "items" | "bytes" | "next" | "complete">;

function toMark(page: PageMark, last: Partial<Mark>): Mark {
  const { items, bytes, next, complete } = page;
  const mark = { items, bytes, complete, next, watermark: WATERMARK, unreadable: 0, retired: 0, expired: 0 };
  return next === null ? { ...mark, ...last } : mark;
}

/** One resource with a span of this name: `{"scopeSpans":[{"spans":[{"name":…}]}]}`. */
function encodeItem(format: ReplayFormat, name: string): Buffer {
  if (format === "jsonl" || format === "json") {
    return Buffer.from(JSON.stringify({ scopeSpans: [{ spans: [{ name }] }] }));
  }
  return message(1, message(2, message(2, message(5, Buffer.from(name)))));
}

function message(field: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(field * 8 + 2, payload.length), payload]);
}

const FRAMES: Readonly<Record<ReplayFormat, (items: readonly Buffer[]) => Buffer>> = {
  jsonl: (items) => Buffer.from(items.map((item) => `{"resourceSpans":[${item.toString()}]}\n`).join("")),
  json: (items) => Buffer.from(`{"resourceSpans":[${items.map((item) => item.toString()).join(",")}]`),
  proto: (items) => Buffer.concat(items),
  "proto-delimited": (items) => Buffer.concat(items.flatMap((item) => [Buffer.of(0, 0, 0, item.length), item])),
};

/** Which page a request is about. */
export function pageIndex({ query }: Seen): number {
  const cursor = query.get("cursor");
  return cursor === null ? 0 : CURSORS.indexOf(cursor) + 1;
}

/** Plays each page whole. */
export function playPage(script: Script, seen: Seen): Act {
  const body = script.pages[pageIndex(seen)];
  if (body !== undefined) return { kind: "page", body };
  return { kind: "status", status: 400, body: '{"code":3,"message":"Cannot parse \\"cursor\\""}' };
}
