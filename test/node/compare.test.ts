import { describe, expect, test } from "vitest";
import { compareItems, isEqual } from "../../scripts/demo/compare.ts";
import { listItems, type Item, type JsonObject } from "../../scripts/otlp-items.ts";
import { decodeProtobuf, encodeProtobuf } from "../../scripts/otlp-protobuf.ts";
import { parseReplay } from "../../scripts/firn-client.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";

function request(name: string, extra: JsonObject = {}): JsonObject {
  const span = { traceId: TRACE_ID, spanId: SPAN_ID, name, startTimeUnixNano: "1700000000123456789", ...extra };
  const resource = { attributes: [{ key: "n", value: { intValue: "0" } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "s" }, spans: [span] }] }] };
}

function items(name: string, extra?: JsonObject): readonly Item[] {
  return listItems("traces", request(name, extra));
}

describe("compareItems()", () => {
  test("finds nothing between equal items, whatever their defaults and the order of fields", () => {
    expect(isEqual(compareItems(items("a"), items("a", { kind: 0, links: [], status: {} })))).toBe(true);
  });

  test("finds what is missing, doubled, unknown and changed", () => {
    const other = items("b", { spanId: "1111111111111111" });

    expect(compareItems(items("a"), [])).toMatchObject({ missing: [`${TRACE_ID}/${SPAN_ID}`] });
    expect(compareItems(items("a"), [...items("a"), ...items("a")]).doubled).toHaveLength(1);
    expect(compareItems(items("a"), [...items("a"), ...other]).unknown).toHaveLength(1);
    expect(compareItems(items("a"), items("c")).changed).toEqual([`${TRACE_ID}/${SPAN_ID}: .span.name was a, is c`]);
  });

  test("finds a zero that was sent and is gone", () => {
    const [sent, returned] = [{ intValue: "0" }, {}].map((value) => items("a", { attributes: [{ key: "k", value }] }));

    expect(compareItems(sent ?? [], returned ?? []).changed).toHaveLength(1);
  });
});

describe("decodeProtobuf()", () => {
  test("is the inverse of encodeProtobuf(), to the nanosecond", () => {
    const decoded = decodeProtobuf("traces", encodeProtobuf("traces", request("a", { kind: 2 })));

    expect(listItems("traces", decoded)).toEqual(items("a", { kind: 2 }));
  });
});

describe("parseReplay()", () => {
  const mark = '{"resourceSpans":[],"firn":{"items":1}}\n';

  test("reads lines up to the mark", () => {
    const { items: found, lineCount } = parseReplay("traces", `${JSON.stringify(request("a"))}\n${mark}`);

    expect([found.length, lineCount]).toEqual([1, 1]);
  });

  test.each([
    ["without mark", `${JSON.stringify(request("a"))}\n`],
    ["cut in the mark", mark.slice(0, -1)],
    ["with the mark of another signal", mark.replace("Spans", "Logs")],
  ])("rejects a stream %s", (_what, text) => {
    expect(() => parseReplay("traces", text)).toThrow("ends without its mark");
  });
});
