/** The package: packed, installed without a network below `node_modules`, and run as a user would. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeScript, playPage, WINDOW } from "./replay-script.ts";
import { startScriptedFirn } from "./scripted-firn.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MANIFEST = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
const run = promisify(execFile);

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-package-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("npm run firn finds files from the folder in which the user stands", async () => {
  await using receiver = await startScriptedFirn(() => ({ kind: "status", status: 200, body: "" }));
  await writeFile(join(directory, "empty.jsonl"), "");
  const args = ["run", "-s", "--prefix", ROOT, "firn", "--", "send", "empty.jsonl", "--to", receiver.url];

  const sent = await run("npm", args, { cwd: directory });

  expect(sent.stderr).toBe("Sent 0 items in 0 requests, 0 B\n");
});

test("npm pack makes a firn that is installed offline, needs nothing else and replays", async () => {
  const script = makeScript("jsonl");
  await using firn = await startScriptedFirn((seen) => playPage(script, seen));
  await writeFile(join(directory, "package.json"), '{"private":true}');

  await run("npm", ["pack", "--silent", "--pack-destination", directory], { cwd: ROOT });
  const packed = (await readdir(directory)).filter((name) => name.endsWith(".tgz"));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(directory, packed[0] ?? "")], {
    cwd: directory,
  });
  const bin = join(directory, "node_modules/.bin/firn");
  const version = await run(bin, ["--version"]);
  const replayed = await run(bin, ["replay", "--signal", "traces", ...WINDOW], {
    env: { ...process.env, FIRN_URL: firn.url },
  });

  await writeFile(join(directory, "lines.jsonl.zst"), zstdCompressSync(""));
  const send = [join(directory, "node_modules/firn/dist/firn.mjs"), "send", "lines.jsonl.zst", "--to", firn.url];
  const sent = await run(process.execPath, send, { cwd: directory });
  // As Node 22.12 to 22.14 have it.
  const less = 'data:text/javascript,import zlib from "node:zlib"; delete zlib.createZstdDecompress';
  const refused = run(process.execPath, ["--import", less, ...send], { cwd: directory });

  await expect(refused).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^Cannot read zstd: this is Node .*, expected 22\.15 or later/),
  });
  expect(sent.stderr).toBe("Sent 0 items in 0 requests, 0 B\n");
  expect(packed).toEqual([`firn-${MANIFEST.version}.tgz`]);
  expect(await readdir(join(directory, "node_modules"))).toEqual([".bin", ".package-lock.json", "firn"]);
  expect(version.stdout).toBe(`firn ${MANIFEST.version}\n`);
  expect(replayed.stdout).toBe(script.whole.toString());
});
