import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { askFirn } from "../../cli/ask.ts";
import { formatVerify, joinDocuments } from "../../cli/verify-report.ts";
import { askParts } from "../../cli/verify.ts";
import { parseVerifyOptions } from "../../scripts/verify.ts";
import type { Finding, VerifyDocument } from "../../src/compaction/verify/contract.ts";

describe("parseVerifyOptions()", () => {
  test("starts a local Firn without a URL, and leaves the window to the route", () => {
    const place = { kind: "local", vars: { A: "1" }, persistTo: "d" };

    expect(parseVerifyOptions(["--var", "A:1", "--persist-to", "d"], "t")).toEqual({ place, isJson: false, query: {} });
  });

  test("asks a deployment for a window", () => {
    const window = ["--signal", "logs", "--start", "2026-05-01", "--end", "2026-05-02"];

    expect(parseVerifyOptions(["--url", "https://f", ...window, "--repair", "--shallow", "--json"], "t")).toEqual({
      place: { kind: "deployment", url: "https://f", token: "t" },
      isJson: true,
      query: { signal: "logs", start: "2026-05-01", end: "2026-05-02", repair: "true", deep: "false" },
    });
  });

  test.each([
    [["--signal", "spans"], 'found "spans", expected one of traces'],
    [["--start", "tomorrow"], 'found "tomorrow"'],
    [["--start", "2026-05-02", "--end", "2026-05-01"], "it is not after --start"],
    [["--bogus"], "Unknown option '--bogus'"],
    [["--token", "t"], "there is no --url beside it"],
  ])("refuses %j with a sentence", (args, message) => {
    expect(() => parseVerifyOptions(args, undefined)).toThrow(message);
  });
});

const FINDING: Finding = {
  kind: "leftover_source",
  severity: "warning",
  signal: "logs",
  hour: "2026-05-01T14:00:00.000Z",
  key: "k",
  message: '"k" still stands there',
  repair: "delete it",
  advice: null,
  repaired: false,
  repair_error: null,
};

function partOf(hour: number, lowest: number, highest: number): VerifyDocument {
  return {
    ok: true,
    complete: true,
    next: null,
    window: { start: `2026-05-01T0${hour}:00:00.000Z`, end: "2026-05-02T00:00:00.000Z", signals: ["logs"] },
    deep: true,
    checked: { hours: 1, objects: 2, members: 3, items: 4, bytes: 5 },
    findings: [],
    finding_count: 0,
    repaired: 0,
    sequences: [{ signal: "logs", shard: 0, incarnation: "9f2c4e7a", lowest, highest }],
    notes: [],
  };
}

/** Answers each request with the next of some bodies, the last one again and again. */
async function withAnswers(
  bodies: readonly unknown[],
  ask: (url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(JSON.stringify(bodies[Math.min(asked.length, bodies.length) - 1]));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  try {
    if (address === null || typeof address === "string") throw new Error("The server has no port");
    await ask(`http://127.0.0.1:${address.port}`, asked);
  } finally {
    server.close();
  }
}

describe("askParts()", () => {
  test("goes on where each part ends, and keeps the notes of all", async () => {
    const first = { ...partOf(1, 1, 4), next: "2026-05-01T02:00:00.000Z", notes: ["a", "b"] };
    const second = { ...partOf(2, 5, 7), notes: ["b", "c"] };

    await withAnswers([first, second], async (url, asked) => {
      const joined = await askParts({ url, token: null }, { signal: "logs" });

      expect(joined).toMatchObject({ ok: true, notes: ["a", "b", "c"] });
      expect(asked[1]).toContain("start=2026-05-01T02%3A00%3A00.000Z");
    });
  });

  test.each(["2026-05-01T01:00:00.000Z", "2026-05-01T00:00:00.000Z", "2026-05-01T03:00:00.000Z", "soon"])(
    "ends with a sentence when a part goes on at %s again and again",
    async (next) => {
      await withAnswers([{ ...partOf(1, 1, 4), next }], async (url, asked) => {
        await expect(askParts({ url, token: null }, {})).rejects.toThrow("expected a later time");
        expect(asked.length).toBeLessThan(3);
      });
    },
  );
});

describe("askFirn()", () => {
  test.each([
    [{ message: "no such route", errors: null }, "no such route"],
    [{ errors: [{ message: "it failed" }] }, "it failed"],
    [{ errors: ["a text"] }, "a text"],
    [{ errors: null }, '{"errors":null}'],
    [{ errors: [null] }, '{"errors":[null]}'],
    [null, "null"],
  ])("tells what is wrong of the answer %j", async (body, found) => {
    await withAnswers([body], async (url) => {
      const question = { method: "POST", path: "/", verb: "verify", member: "findings" } as const;
      await expect(askFirn({ url, token: null }, question)).rejects.toThrow(`it answers 200, ${found}`);
    });
  });
});

describe("joinDocuments()", () => {
  test("adds parts that follow each other without a gap", () => {
    const joined = joinDocuments([{ ...partOf(1, 1, 4), ok: false, next: "x" }, partOf(2, 5, 7)]);

    expect(joined).toMatchObject({
      ok: true,
      window: { start: "2026-05-01T01:00:00.000Z" },
      checked: { hours: 2, objects: 4, members: 6, items: 8, bytes: 10 },
      finding_count: 0,
      sequences: [{ lowest: 1, highest: 7 }],
    });
  });

  test("finds numbers that are missing where one part ended", () => {
    const joined = joinDocuments([partOf(1, 1, 4), partOf(2, 7, 7)]);

    expect(joined).toMatchObject({ ok: false, finding_count: 1, findings: [{ kind: "sequence_gap" }] });
    expect(joined.findings[0]?.message).toContain("Sequences 5 to 6 of shard 0");
  });
});

describe("formatVerify()", () => {
  test("says first whether all is well, then each finding with its repair", () => {
    const document = { ...partOf(1, 1, 4), ok: false, findings: [FINDING], finding_count: 3, notes: ["a note"] };

    expect(formatVerify(document)).toBe(
      [
        "Firn's archive: something is wrong, findings: 3, repaired: 0",
        "  logs from 2026-05-01T01:00:00.000Z to 2026-05-02T00:00:00.000Z: 1 hours, 2 objects, 3 members, 4 items, " +
          "5 bytes read",
        "",
        "warning: leftover_source, logs, hour 2026-05-01T14:00:00.000Z",
        '  "k" still stands there.',
        "  --repair would: delete it.",
        "and 2 more findings",
        "",
        "Note: a note.",
        "",
      ].join("\n"),
    );
    expect(formatVerify(partOf(1, 1, 1))).toMatch(/^Firn's archive: all is well, findings: 0/);
  });
});
