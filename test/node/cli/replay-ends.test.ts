/** How a replay ends: exit codes, what is said, what is refused, and what a kill leaves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "../../../scripts/local-firn.ts";
import { encodeMark } from "../../../src/replay/mark.ts";
import { CURSORS, makeScript, pageIndex, playPage, WINDOW } from "./replay-script.ts";
import { runCli } from "./run-cli.ts";
import { startScriptedFirn } from "./scripted-firn.ts";

const MAIN = join(import.meta.dirname, "../../../cli/main.ts");
const REPLAY = ["replay", "--signal", "traces", ...WINDOW];

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-cli-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("firn replay", () => {
  test(
    "kills at any moment leave a file that a rerun finishes as if nothing had been",
    { timeout: 240_000 },
    async () => {
      const script = makeScript("jsonl");
      await using firn = await startScriptedFirn((seen) => ({ ...playPage(script, seen), millisApart: 12 }) as never);
      const output = join(directory, "killed.jsonl");
      const args = [MAIN, ...REPLAY, "--url", firn.url, "--output", output];

      let kills = 0;
      let code: number | null = null;
      while (code === null) {
        const child = spawn(process.execPath, args, { stdio: "ignore" });
        const ended = once(child, "exit");
        const isOver = await Promise.race([ended.then(() => true), delay(200 + 60 * kills).then(() => false)]);
        if (!isOver) child.kill("SIGKILL");
        const [exitCode] = (await ended) as [number | null];
        if (exitCode === null) kills += 1;
        // A kill may come when all is done: then there is nothing to rerun.
        code = exitCode ?? (existsSync(output) && !existsSync(`${output}.firn-resume`) ? 0 : null);
      }

      expect(code).toBe(0);
      expect(kills).toBeGreaterThan(2);
      expect(await readFile(output, "utf8")).toBe(script.whole.toString());
      expect(existsSync(`${output}.firn-resume`)).toBe(false);
    },
  );

  test.each([
    ["past the watermark", { complete: false, watermark: "2026-05-01T14:30:00.000Z" }, "items from 2026-05-01T14:30"],
    ["with an unknown watermark", { complete: false, watermark: "unknown" }, "could not be asked"],
    ["with unreadable objects", { complete: false, unreadable: 3 }, "3 objects could not be read"],
  ])("ends with 3 %s and says why", async (_what, last, sentence) => {
    const script = makeScript("jsonl", last);
    await using firn = await startScriptedFirn((seen) => playPage(script, seen));

    const ended = await runCli([...REPLAY, "--url", firn.url]);

    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain(sentence);
    expect(ended.stdout.toString()).toBe(script.whole.toString());
  });

  test.each([
    [400, 2, "cannot be"],
    [406, 2, "cannot be"],
    [401, 1, "cannot be; the token goes into FIRN_TOKEN"],
    [413, 1, "cannot be"],
    [500, 1, "cannot be"],
    [200, 1, "answers with a web page"],
  ])("status %i in HTML ends it with %i and a sentence", async (status, code, sentence) => {
    const headers = { "content-type": "text/html; charset=utf-8" };
    const body = '{"message":"It cannot be"}';
    await using firn = await startScriptedFirn(() => ({ kind: "status", status, headers, body }));

    const ended = await runCli([...REPLAY, "--url", firn.url]);

    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(sentence);
    expect(firn.seen.length).toBe(1);
  });

  test("waits as long as Retry-After says, and longer each time", async () => {
    const script = makeScript("jsonl");
    await using firn = await startScriptedFirn((seen, count) => {
      if (count < 2) {
        const headers = { "retry-after": String(7 + count) };
        return { kind: "status", status: count === 0 ? 503 : 429, headers, body: "busy" };
      }
      return count < 5 ? { kind: "status", status: 502 } : playPage(script, seen);
    });

    const ended = await runCli([...REPLAY, "--url", firn.url]);

    expect(ended.code).toBe(0);
    expect(ended.waits).toEqual([7_000, 8_000, 3_000, 6_000, 12_000]);
    expect(ended.stderr).toContain("Trying again in 7.0 s: the server answers 503, busy");
    expect(ended.stderr).toContain("Trying again in 8.0 s: the server answers 429, busy");
  });

  test("gives up a server that cannot be reached", async () => {
    const url = `http://127.0.0.1:${await findFreePort()}`;

    const ended = await runCli([...REPLAY, "--url", url, "--retries", "2"]);

    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`Cannot finish the replay: cannot reach ${url}: `);
    expect(ended.waits.length).toBe(2);
  });

  test("asks for smaller pages when they break again and again", async () => {
    const script = makeScript("jsonl");
    await using firn = await startScriptedFirn((seen, count) =>
      count < 5 ? { kind: "cut", body: script.whole, at: 9, isClean: false } : playPage(script, seen),
    );

    const ended = await runCli([...REPLAY, "--url", firn.url]);

    expect(ended.code).toBe(0);
    const MIB = 1024 * 1024;
    const sizes = firn.seen.slice(0, 6).map(({ query }) => Number(query.get("limit_bytes")) / MIB);
    expect(sizes).toEqual([64, 64, 64, 32, 16, 8]);
  });

  test("takes the mark of an earlier replay inside the telemetry for what it is", async () => {
    const script = makeScript("proto");
    const old = {
      items: 1,
      bytes: 7,
      complete: true,
      next: null,
      watermark: "unknown",
      unreadable: 0,
      retired: 0,
      expired: 0,
    };
    const embedded = encodeMark(old, { format: "proto", signal: "traces" });
    const body = Buffer.concat([Buffer.of(10, 0), embedded]);
    const mark = encodeMark({ ...old, bytes: body.length }, { format: "proto", signal: "traces" });
    const page = Buffer.concat([body, mark]);
    await using firn = await startScriptedFirn((_seen, count) =>
      count === 0 ? { kind: "cut", body: page, at: body.length, isClean: true } : { kind: "page", body: page },
    );

    const ended = await runCli([...REPLAY, "--url", firn.url, "--format", "proto", "--mark", "false"]);

    expect(script.pages.length).toBe(CURSORS.length + 1);
    expect(ended.stderr).toContain("the mark speaks of 7 bytes, but 2 bytes came");
    expect(ended.stdout.toString("hex")).toBe(body.toString("hex"));
  });

  test("sends the parameters under their names, and the token from the environment", async () => {
    const script = makeScript("jsonl");
    await using firn = await startScriptedFirn((seen) => playPage(script, seen));
    const filters = ["--attr.http.request-method", "GET", "--resource.k8s.pod=a=b", "--trace-id", "ab"];

    const env = { FIRN_URL: firn.url, FIRN_TOKEN: "firn_secret" };
    const ended = await runCli([...REPLAY, ...filters, "--on-error=skip", "--mark", "true"], { env });

    expect(ended.code).toBe(0);
    const [seen] = firn.seen;
    expect(seen?.headers.authorization).toBe("Bearer firn_secret");
    expect(Object.fromEntries(seen?.query ?? [])).toEqual({
      signal: "traces",
      start: "2026-05-01T14:00:00Z",
      end: "2026-05-01T15:00:00Z",
      "attr.http.request-method": "GET",
      "resource.k8s.pod": "a=b",
      trace_id: "ab",
      on_error: "skip",
      format: "jsonl",
      limit_bytes: "67108864",
    });
  });

  test("--dry_run prints the document and asks for nothing else", async () => {
    const body = '{"objects":3,"bytes":9,"items":null}';
    await using firn = await startScriptedFirn(() => ({ kind: "status", status: 200, body }));

    const ended = await runCli([...REPLAY, "--url", firn.url, "--dry_run", "--exact"]);

    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout.toString())).toEqual(JSON.parse(body));
    expect(firn.seen.map(({ query }) => [query.get("dry_run"), query.get("exact")])).toEqual([["true", "true"]]);
  });

  test.each([
    ['{"complete":false,"errors":[{"message":"Cannot look"}]}', 1, "Cannot replay: Cannot look\n"],
    ['{"complete":false,"next":"v1.traces.29627400"}', 3, "it looked up to 2026-05-01T14:00:00Z, ask for shorter"],
  ])("--dry_run of %s ends with %d", async (body, code, sentence) => {
    await using firn = await startScriptedFirn(() => ({ kind: "status", status: 200, body }));

    const ended = await runCli([...REPLAY, "--url", firn.url, "--dry_run"]);

    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(sentence)]);
    expect(JSON.parse(ended.stdout.toString())).toEqual(JSON.parse(body));
  });

  test("a pipe gets pages that are larger than its memory, and nothing of one that broke", async () => {
    const line = `{"resourceSpans":[{"name":"${"x".repeat(1_000_000)}"}]}\n`;
    const body = Buffer.from(line.repeat(21));
    const mark = { items: 21, complete: true, next: null, watermark: "unknown", unreadable: 0, retired: 0, expired: 0 };
    const page = Buffer.concat([
      body,
      encodeMark({ ...mark, bytes: body.length }, { format: "jsonl", signal: "traces" }),
    ]);
    await using firn = await startScriptedFirn((_seen, count) =>
      count < 2
        ? { kind: "cut", body: page, at: 4_000_000 + 9_000_000 * count, isClean: false }
        : { kind: "page", body: page },
    );

    const ended = await runCli([...REPLAY, "--url", firn.url]);

    expect(ended.code).toBe(0);
    expect(ended.stdout.equals(page)).toBe(true);
  });
});

/** Leaves an output after its second page. */
async function leave(output: string, args: readonly string[] = []): Promise<string> {
  const script = makeScript("jsonl");
  const firn = await startScriptedFirn((seen) =>
    pageIndex(seen) < 2 ? playPage(script, seen) : { kind: "status", status: 500, body: "broken" },
  );
  const ended = await runCli([...REPLAY, "--url", firn.url, "--output", output, ...args]);
  expect(ended.code).toBe(1);
  await firn[Symbol.asyncDispose]();
  return firn.url;
}

describe("the resume file", () => {
  test("refuses other parameters and names the first that differs", async () => {
    const output = join(directory, "other.jsonl");
    const url = await leave(output);

    const ended = await runCli([...REPLAY, "--url", url, "--output", output, "--service", "shop"]);

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("it was begun with --service left out, and now it is shop");
  });

  test("refuses an output that became shorter, and holds no secret", async () => {
    const output = join(directory, "short.jsonl");
    const url = await leave(output);
    await truncate(output, 3);

    const ended = await runCli([...REPLAY, "--url", url, "--output", output], { env: { FIRN_TOKEN: "firn_secret" } });

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("it is shorter than when it was left");
    expect(await readFile(`${output}.firn-resume`, "utf8")).not.toContain("secret");
  });

  test("knows of a replay whose pages are all there, and asks for none", async () => {
    const output = join(directory, "all.jsonl");
    const url = await leave(output);
    const script = makeScript("jsonl");
    const saved = JSON.parse(await readFile(`${output}.firn-resume`, "utf8")) as Record<string, object>;
    const page = { items: 1, bytes: 9, complete: true, next: null };
    const mark = { ...page, watermark: "2026-05-01T16:02:00.000Z", unreadable: 0, retired: 0, expired: 0 };
    const end = { ...saved["at"], length: script.unmarked.length, cursor: null, items: 5, lastMark: mark };
    await writeFile(`${output}.firn-resume`, JSON.stringify({ ...saved, at: end, safe: end }));
    await writeFile(output, script.whole.subarray(0, -5));

    const ended = await runCli([...REPLAY, "--url", url, "--output", output]);

    expect(ended.code).toBe(0);
    expect(await readFile(output, "utf8")).toBe(script.whole.toString());
    expect(existsSync(`${output}.firn-resume`)).toBe(false);
  });

  test("keeps a file that is there, unless --overwrite says otherwise", async () => {
    const output = join(directory, "there.jsonl");
    await writeFile(output, "mine\n");
    const script = makeScript("jsonl");
    await using firn = await startScriptedFirn((seen) => playPage(script, seen));

    const refused = await runCli([...REPLAY, "--url", firn.url, "--output", output]);
    const kept = await readFile(output, "utf8");
    const taken = await runCli([...REPLAY, "--url", firn.url, "--output", output, "--overwrite"]);

    expect([refused.code, kept, taken.code]).toEqual([2, "mine\n", 0]);
    expect(refused.stderr).toContain("it exists already");
    expect(await readFile(output, "utf8")).toBe(script.whole.toString());
  });
});
