import { describe, expect, it } from "vitest";
import { parseCompactOrder } from "../../src/admin/compact-order.ts";
import { FirnError } from "../../src/errors.ts";

const NOW = Date.parse("2026-05-01T14:09:30.123Z");

function parse(query: string): ReturnType<typeof parseCompactOrder> {
  return parseCompactOrder(new URLSearchParams(query), NOW);
}

function refusalOf(query: string): { readonly field: string | undefined; readonly message: string } {
  try {
    parse(query);
  } catch (error) {
    if (error instanceof FirnError && error.kind === "invalid_request") return error;
    throw error;
  }
  throw new Error(`"${query}" was accepted`);
}

describe("parseCompactOrder()", () => {
  it("takes the last 48 hours of all signals that consist of items, gently", () => {
    expect(parse("")).toEqual({
      signals: ["traces", "metrics", "logs"],
      work: {
        kind: "window",
        start: Date.parse("2026-04-29T15:00:00Z"),
        end: Date.parse("2026-05-01T15:00:00Z"),
        force: false,
        foreign: false,
      },
      takeOver: false,
    });
  });

  it("follows what narrows and widens it", () => {
    const query = "signal=logs&start=2026-03-01&end=2026-03-01%2004:30&force=true&foreign=true&take_over=true";

    expect(parse(query)).toEqual({
      signals: ["logs"],
      work: {
        kind: "window",
        start: Date.parse("2026-03-01T00:00:00Z"),
        end: Date.parse("2026-03-01T04:30:00Z"),
        force: true,
        foreign: true,
      },
      takeOver: true,
    });
  });

  it("counts the 48 hours back from an end", () => {
    expect(parse("end=2026-03-03").work).toMatchObject({ start: Date.parse("2026-03-01T00:00:00Z") });
  });

  it.each([
    ["signal=spans", "signal", 'found "spans", expected one of traces, metrics, logs, all'],
    ["signal=profiles", "signal", "do not concatenate"],
    ["start=yesterday", "start", "expected RFC 3339"],
    ["end=2026-02-30", "end", "expected RFC 3339"],
    ["start=2026-05-02", "end", "is not after start"],
    ["force=yes", "force", "expected true or false"],
    ["foreign=1", "foreign", "expected true or false"],
    ["take_over=", "take_over", "expected true or false"],
    ["hour=3", "hour", "unknown parameter, expected one of signal, start, end, force, foreign, take_over"],
    ["force=true&force=false", "force", "more than once"],
  ])("refuses %s and names %s", (query, field, sentence) => {
    const refusal = refusalOf(query);

    expect(refusal.field).toBe(field);
    expect(refusal.message).toContain(sentence);
  });
});
