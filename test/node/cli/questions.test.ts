/** `firn ls`, `firn status`, `firn trace` and `firn verify` against answers as a Firn gives them. */
import { describe, expect, test } from "vitest";
import { encodeMark, type Mark } from "../../../src/replay/mark.ts";
import { runCli } from "./run-cli.ts";
import { startScriptedFirn, type Act } from "./scripted-firn.ts";

const HOUR = {
  signal: "traces",
  compaction: "compacted",
  size_bytes: 2_048,
  raw_bytes: 9_000,
  item_count: 1_200,
  missing_output_count: 0,
  is_continued: false,
};

function archivePage(hours: readonly object[], totals: object, next: string | null): Act {
  return { kind: "status", status: 200, body: JSON.stringify({ partitions: hours, totals, next }) };
}

const PAGES: readonly Act[] = [
  archivePage(
    [{ ...HOUR, hour: "2026-05-01T14:00:00.000Z", object_count: 1 }],
    { object_count: 1, size_bytes: 2_048, item_count: 1_200 },
    "v1.x",
  ),
  archivePage(
    [{ ...HOUR, hour: "2026-05-01T15:00:00.000Z", compaction: "none", object_count: 12, item_count: null }],
    { object_count: 12, size_bytes: 2_048, item_count: null },
    null,
  ),
];

const EMPTY: Act = archivePage([], { object_count: 0 }, null);

describe("firn ls", () => {
  const window = ["--start", "2026-05-01", "--end", "2026-05-02"];

  test("prints a table of all pages and their sums", async () => {
    await using firn = await startScriptedFirn((_seen, count) => PAGES[count] ?? EMPTY);

    const ended = await runCli(["ls", "--url", firn.url, ...window]);

    expect(ended.code).toBe(0);
    expect(firn.seen.map(({ query }) => query.get("cursor"))).toEqual([null, "v1.x"]);
    const lines = ended.stdout.toString().trimEnd().split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ["HOUR", "SIGNAL", "STATE", "OBJECTS", "ITEMS", "BYTES"],
      ["2026-05-01T14:00:00Z", "traces", "compacted", "1", "1,200", "2.0 KiB"],
      ["2026-05-01T15:00:00Z", "traces", "none", "12", "?", "2.0 KiB"],
      ["total", "13", "?", "4.0 KiB"],
    ]);
  });

  test("--json joins the pages to one document; the window is the last day by default", async () => {
    await using firn = await startScriptedFirn((_seen, count) => PAGES[count] ?? EMPTY);

    const ended = await runCli(["ls", "--url", firn.url, "--json", "--signal", "traces"]);

    const document = JSON.parse(ended.stdout.toString()) as { partitions: readonly object[]; totals: object };
    expect(document.partitions.length).toBe(2);
    expect(document.totals).toEqual({ object_count: 13, size_bytes: 4_096, item_count: null });
    const query = Object.fromEntries(firn.seen[0]?.query ?? []);
    expect(query).toMatchObject({ signal: "traces", start: "2026-05-01T01:00:00Z", end: "2026-05-02T01:00:00Z" });
  });

  test("an archive without anything is a document, too", async () => {
    await using firn = await startScriptedFirn(() => EMPTY);

    const ended = await runCli(["ls", "--url", firn.url, "--json", ...window]);

    expect(JSON.parse(ended.stdout.toString())).toEqual({ partitions: [], totals: { object_count: 0 }, next: null });
  });

  test("ends with 1 when an object that a manifest names is missing", async () => {
    const page = archivePage(
      [{ ...HOUR, hour: "2026-05-01T14:00:00Z", object_count: 1, missing_output_count: 2 }],
      {},
      null,
    );
    await using firn = await startScriptedFirn(() => page);

    const ended = await runCli(["ls", "--url", firn.url, ...window]);

    expect(ended.code).toBe(1);
    expect(ended.stdout.toString()).toContain("2 missing");
  });

  test.each([
    [400, 2],
    [403, 1],
  ])("status %i ends it with %i and the server's sentence", async (status, code) => {
    await using firn = await startScriptedFirn(() => ({ kind: "status", status, body: '{"message":"It cannot be"}' }));

    const ended = await runCli(["ls", "--url", firn.url, ...window]);

    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(`it answers ${status}, It cannot be`);
  });
});

describe("firn status", () => {
  test("shows backlog, watermark, shards, compaction and complaints", async () => {
    const body = JSON.stringify({
      tenant: "",
      watermark: { traces: "2026-05-01T14:00:00.000Z", logs: "unknown" },
      backlog_items: 1_500,
      backlog_bytes: 2_048,
      shards: [
        { signal: "traces", shard: 0, backlog_items: 1_500, backlog_bytes: 2_048, last_flush_at: null },
        { signal: "logs", shard: 1, error: "it was reset" },
      ],
      compaction: [{ signal: "traces", last_hour: "2026-05-01T13:00:00.000Z", waiting_hours: 2, refusal: "no owner" }],
    });
    await using firn = await startScriptedFirn(() => ({ kind: "status", status: 200, body }));

    const ended = await runCli(["status", "--url", firn.url]);

    expect(ended.code).toBe(1);
    const text = ended.stdout.toString();
    for (const part of [
      "1,500 items, 2.0 KiB in buffers",
      "logs    unknown",
      "logs, shard 1: cannot be asked, it was reset",
    ])
      expect(text).toContain(part);
    expect(text).toContain("Compaction of traces: no owner");
  });
});

function answer(signal: "traces" | "logs", mark: Partial<Mark>): Act {
  const body = Buffer.from(`{"of":"${signal}"}\n`);
  const whole = { items: 1, bytes: body.length, complete: true, next: null, unreadable: 0, retired: 0, expired: 0 };
  const encoded = encodeMark({ ...whole, watermark: "2026-05-02T00:00:00.000Z", ...mark }, { format: "jsonl", signal });
  return { kind: "page", body: Buffer.concat([body, encoded]) };
}

describe("firn trace", () => {
  const ID = "5b8efff798038103d269b633813fc60c";

  test("asks for the spans of the last 30 days", async () => {
    await using firn = await startScriptedFirn(() => answer("traces", {}));

    const ended = await runCli(["trace", ID.toUpperCase(), "--url", firn.url]);

    expect(ended.code).toBe(0);
    expect(Object.fromEntries(firn.seen[0]?.query ?? [])).toMatchObject({
      signal: "traces",
      trace_id: ID,
      start: "2026-04-02T00:01:00Z",
      end: "2026-05-02T00:01:00Z",
    });
  });

  test("--signal both gives spans, then log records, and one mark", async () => {
    await using firn = await startScriptedFirn(({ query }) =>
      query.get("signal") === "traces"
        ? answer("traces", {})
        : answer("logs", { complete: false, watermark: "unknown" }),
    );

    const ended = await runCli(["trace", ID, "--signal", "both", "--url", firn.url]);

    const lines = ended.stdout.toString().trimEnd().split("\n");
    expect(lines.slice(0, 2)).toEqual(['{"of":"traces"}', '{"of":"logs"}']);
    const mark = {
      items: 2,
      bytes: 30,
      complete: false,
      next: null,
      watermark: "unknown",
      unreadable: 0,
      retired: 0,
      expired: 0,
    };
    expect(lines.slice(2).map((line) => JSON.parse(line) as unknown)).toEqual([{ resourceSpans: [], firn: mark }]);
    expect(ended.code).toBe(3);
  });

  const late = { complete: false, watermark: "2026-05-01T23:59:00.000Z" };
  const none = { ...late, items: 0 };
  const until = "items from 2026-05-01T23:59:00.000Z on may still be in a buffer";
  test.each([
    ["found, though more may come", late, [], 0, `Found 1 item; ${until}\n`],
    ["found, and nothing is said", late, ["--quiet"], 0, ""],
    [
      "not found",
      none,
      [],
      4,
      `Cannot find trace ${ID}: nothing of it from 2026-04-02T00:01:00Z to 2026-05-02T00:01:00Z; ${until}\n`,
    ],
    [
      "not found below the watermark",
      { items: 0 },
      ["--end", "2026-05-01"],
      4,
      `Cannot find trace ${ID}: nothing of it from 2026-04-01T00:00:00Z to 2026-05-01T00:00:00Z\n`,
    ],
    ["not found past the watermark", none, ["--end", "2026-05-02"], 3, "The replay is not complete: items from"],
    ["not found, with objects unread", { ...none, unreadable: 2 }, [], 3, "2 objects could not be read"],
    ["not found, the buffers unasked", { ...none, watermark: "unknown" }, [], 3, "the buffers could not be asked"],
  ])("ends with its own code when the trace is %s", async (_, mark, options, code, said) => {
    await using firn = await startScriptedFirn(() => answer("traces", mark));

    const ended = await runCli(["trace", ID, "--url", firn.url, ...options]);

    expect(ended.stderr).toContain(said);
    expect(ended.code).toBe(code);
  });
});

describe("firn verify", () => {
  test("asks for each part, and ends with 1 when there are findings", async () => {
    const window = { start: "2026-05-01T00:00:00Z", end: "2026-05-03T00:00:00Z", signals: ["logs"] };
    const checked = { hours: 1, objects: 2, members: 3, items: 4, bytes: 5 };
    const part = { ok: true, complete: true, window, deep: true, checked, findings: [], finding_count: 0, repaired: 0 };
    const next = "2026-05-02T00:00:00Z";
    await using firn = await startScriptedFirn((_seen, count) => {
      const body = { ...part, sequences: [], notes: [], next: count === 0 ? next : null, finding_count: count };
      return { kind: "status", status: 200, body: JSON.stringify(body) };
    });

    const ended = await runCli(["verify", "--url", firn.url, "--start", "2026-05-01", "--signal", "logs", "--shallow"]);

    expect(ended.code).toBe(1);
    expect(ended.stdout.toString()).toContain("something is wrong, findings: 1");
    expect(firn.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /admin/verify",
      "POST /admin/verify",
    ]);
    const second = { signal: "logs", start: next, end: window.end, deep: "false" };
    expect(Object.fromEntries(firn.seen[1]?.query ?? [])).toEqual(second);
  });
});
