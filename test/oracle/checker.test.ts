import { describe, expect, test } from "vitest";
import { checkHistory, formatVerdict, isClean, type ReplayedItem, type SentItem } from "./checker.ts";

function sent(id: string, outcome: SentItem["outcome"] = "acked"): SentItem {
  return { id, digest: `digest of ${id}`, tenant: "acme", signal: "logs", outcome };
}

function replayed(id: string, change: Partial<ReplayedItem> = {}): ReplayedItem {
  return { id, digest: `digest of ${id}`, tenant: "acme", signal: "logs", ...change };
}

const GOOD = { lost: [], duplicate: [], phantom: [], corrupt: [], leaked: [], vanished: [], empty: false };

describe("checkHistory()", () => {
  test("passes a run in which everything came back once", () => {
    const verdict = checkHistory([sent("a"), sent("b")], [replayed("b"), replayed("a")]);

    expect(verdict).toEqual(GOOD);
    expect(isClean(verdict)).toBe(true);
  });

  test.each([
    ["lost", [sent("a"), sent("b")], [replayed("a")], { lost: ["b"] }],
    ["duplicate", [sent("a")], [replayed("a"), replayed("a")], { duplicate: ["a"] }],
    ["phantom", [sent("a")], [replayed("a"), replayed("x")], { phantom: ["x"] }],
    ["refused and yet there", [sent("a"), sent("b", "refused")], [replayed("a"), replayed("b")], { phantom: ["b"] }],
    ["corrupt", [sent("a")], [replayed("a", { digest: "other" })], { corrupt: ["a"] }],
    ["under another tenant", [sent("a")], [replayed("a", { tenant: "evil" })], { lost: ["a"], leaked: ["a"] }],
    ["under another signal", [sent("a")], [replayed("a", { signal: "traces" })], { lost: ["a"], corrupt: ["a"] }],
    [
      "a duplicate that was never acknowledged",
      [sent("a"), sent("b", "unknown")],
      [replayed("a"), replayed("b"), replayed("b")],
      { duplicate: ["b"] },
    ],
  ])("finds an item that is %s", (_what, history, found, expected) => {
    const verdict = checkHistory(history, found);

    expect(verdict).toEqual({ ...GOOD, ...expected });
    expect(isClean(verdict)).toBe(false);
  });

  test("lets an unknown item be there or not", () => {
    expect(
      isClean(checkHistory([sent("a"), sent("b", "unknown"), sent("c", "unknown")], [replayed("a"), replayed("b")])),
    ).toBe(true);
  });

  test("finds what an earlier replay had", () => {
    const verdict = checkHistory([sent("a"), sent("b", "unknown")], [replayed("a")], [replayed("a"), replayed("b")]);

    expect(verdict).toEqual({ ...GOOD, vanished: ["b"] });
  });

  test.each([
    ["nothing was sent", [], []],
    ["nothing was acknowledged", [sent("a", "unknown")], [replayed("a")]],
    ["nothing came back", [sent("a", "unknown")], []],
  ])("fails a run in which %s", (_what, history, found) => {
    expect(isClean(checkHistory(history, found))).toBe(false);
  });

  test("refuses a history with two items of one id", () => {
    expect(() => checkHistory([sent("a"), sent("a")], [])).toThrow("share an id");
  });
});

describe("formatVerdict()", () => {
  test("names counts and examples", () => {
    const verdict = checkHistory([sent("a"), sent("b")], [replayed("a")]);

    expect(formatVerdict(verdict)).toBe("1 lost (b), 0 duplicate, 0 phantom, 0 corrupt, 0 leaked, 0 vanished");
  });
});
