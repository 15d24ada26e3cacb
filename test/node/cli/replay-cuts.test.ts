/** Cuts at every byte of every page, in every format: what comes out is what an uncut replay gives. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CURSORS, FORMATS, makeScript, pageIndex, playPage, WINDOW, type Script } from "./replay-script.ts";
import { runCli } from "./run-cli.ts";
import { startScriptedFirn, type Act, type Seen } from "./scripted-firn.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-cli-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Cuts each page at each of its bytes, or at some, one try after another, and then gives it. */
function playEveryCut(script: Script, isClean: boolean, step = 1): (seen: Seen) => Act {
  const cuts = script.pages.map(() => 0);
  return (seen) => {
    const index = pageIndex(seen);
    const body = script.pages[index] ?? new Uint8Array(0);
    const at = cuts[index] ?? 0;
    cuts[index] = at + step;
    return at < body.length ? { kind: "cut", body, at, isClean } : playPage(script, seen);
  };
}

const STEP = 7;
const WAYS = FORMATS.flatMap((format) => [true, false].map((isClean) => [format, isClean] as const));

describe("firn replay", () => {
  test.each(WAYS)("writes %s as if never cut, clean ends: %s", async (format, isClean) => {
    const script = makeScript(format);
    await using firn = await startScriptedFirn(playEveryCut(script, isClean));
    const output = join(directory, `cut-${format}-${String(isClean)}`);

    const place = ["--url", firn.url, "--format", format, "--retries", "100000", "-o", output];
    const ended = await runCli(["replay", "--signal", "traces", ...WINDOW, ...place]);

    expect(ended.code).toBe(0);
    expect((await readFile(output)).toString("latin1")).toBe(script.whole.toString("latin1"));
    expect(existsSync(`${output}.firn-resume`)).toBe(false);
    expect(firn.seen.length).toBe(script.pages.reduce((sum, page) => sum + page.length + 1, 0));
  });

  test.each(WAYS)("writes %s that comes in gzip as if never cut, clean ends: %s", async (format, isClean) => {
    const script = makeScript(format);
    const zipped = { ...script, pages: script.pages.map((page) => gzipSync(page)) };
    const play = playEveryCut(zipped, isClean);
    await using firn = await startScriptedFirn((seen) => ({ ...play(seen), isGzip: true }) as Act);

    const place = ["--url", firn.url, "--format", format, "--retries", "100000"];
    const ended = await runCli(["replay", "--signal", "traces", ...WINDOW, ...place]);

    expect(ended.code).toBe(0);
    expect(ended.stdout.toString("latin1")).toBe(script.whole.toString("latin1"));
  });

  test.each(FORMATS)("goes on with %s in another run after each cut", async (format) => {
    const script = makeScript(format);
    // Each run makes files durable: a step that is prime to all else reaches every kind of place.
    await using firn = await startScriptedFirn(playEveryCut(script, false, STEP));
    const output = join(directory, `rerun-${format}`);
    const args = ["replay", "--signal", "traces", ...WINDOW, "--url", firn.url, "--format", format, "-o", output];

    let runs = 0;
    for (let code = 1; code === 1; runs += 1) code = (await runCli([...args, "--retries", "0"])).code;

    expect((await readFile(output)).toString("latin1")).toBe(script.whole.toString("latin1"));
    expect(runs).toBe(script.pages.reduce((sum, page) => sum + Math.ceil(page.length / STEP), 1));
  });

  test.each(FORMATS)("prints whole pages of %s to a pipe", async (format) => {
    const script = makeScript(format);
    await using firn = await startScriptedFirn(playEveryCut(script, false));

    const place = ["--url", firn.url, "--format", format, "--retries", "100000", "--mark", "false"];
    const ended = await runCli(["replay", "--signal", "traces", ...WINDOW, ...place]);

    expect(ended.code).toBe(0);
    expect(ended.stdout.toString("latin1")).toBe(script.unmarked.toString("latin1"));
  });

  test.each(FORMATS)("prints nothing of %s that a lost position could take back", async (format) => {
    const script = makeScript(format);
    let goneCount = 0;
    await using firn = await startScriptedFirn((seen) => {
      const isLost = pageIndex(seen) === 2 && goneCount < 2;
      if (!isLost) return playPage(script, seen);
      goneCount += 1;
      return { kind: "status", status: 410, body: '{"code":9,"message":"The minute was compacted"}' };
    });

    const args = ["replay", "--signal", "traces", ...WINDOW, "--url", firn.url, "--format", format];
    const piped = await runCli(args);
    goneCount = 0;
    const output = join(directory, `gone-${format}`);
    const written = await runCli([...args, "--output", output]);

    expect([piped.code, written.code]).toEqual([0, 0]);
    expect(piped.stdout.toString("latin1")).toBe(script.whole.toString("latin1"));
    expect((await readFile(output)).toString("latin1")).toBe(script.whole.toString("latin1"));
    // The page inside the minute is lost with it: both are asked for again from the last boundary.
    const asked = firn.seen.slice(0, 8).map(({ query }) => query.get("cursor"));
    const [boundary, inside, after] = CURSORS;
    expect(asked).toEqual([null, boundary, inside, boundary, inside, boundary, inside, after]);
  });

  test("ends when a position is lost again and again", async () => {
    const script = makeScript("jsonl");
    await using firn = await startScriptedFirn((seen) =>
      pageIndex(seen) === 2 ? { kind: "status", status: 410, body: '{"message":"gone"}' } : playPage(script, seen),
    );

    const ended = await runCli(["replay", "--signal", "traces", ...WINDOW, "--url", firn.url]);

    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("the server answers 410, gone");
  });
});
