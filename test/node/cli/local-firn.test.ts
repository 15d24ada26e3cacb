/** The command line against a real Firn: what was sent with `firn send` is what the archive gives back. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseReplay, flushAll, replay, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";
import { runCli } from "./run-cli.ts";

let directory: string;
let firn: LocalFirn;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-cli-local-"));
  firn = await startLocalFirn({ port: await findFreePort(), persistTo: join(directory, "firn") });
});

afterAll(async () => {
  await firn.stop();
  await rm(directory, { recursive: true, force: true });
});

function toLine(index: number): string {
  const spanId = (index + 1).toString(16).padStart(16, "0");
  const span = { traceId: "5b8efff798038103d269b633813fc60c", spanId, name: `span ${index}`, startTimeUnixNano: "1" };
  const scopeSpans = [{ scope: { name: "s" }, spans: [span] }];
  return `${JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans }] })}\n`;
}

function keysOf(items: readonly { readonly key: string }[]): readonly string[] {
  return items.map(({ key }) => key).toSorted();
}

test("firn send, ls, status and verify agree with the archive about what was sent", async () => {
  const lines = Array.from({ length: 500 }, (_, index) => toLine(index)).join("");
  const file = join(directory, "spans.jsonl");
  await writeFile(file, lines);
  const from = Date.now();

  const sent = await runCli(["send", file, "--to", firn.url, "--batch_bytes", "10000"]);
  await flushAll(firn.url);
  const window = toWindow(from, Date.now());
  const [start, end] = [window.start, window.end].map((time) => time.toISOString());
  const options = ["--url", firn.url, "--start", start ?? "", "--end", end ?? ""];
  const listed = await runCli(["ls", ...options, "--signal", "traces", "--json", "--objects"]);
  const status = await runCli(["status", "--url", firn.url]);
  const verified = await runCli(["verify", ...options, "--json"]);
  const replayed = await replay(firn.url, "traces", window);

  expect([sent.code, listed.code, status.code, verified.code]).toEqual([0, 0, 0, 0]);
  expect(sent.stderr).toContain("Sent 500 items");
  const mark = '{"resourceSpans":[],"firn":{}}\n';
  expect(keysOf(replayed.items)).toEqual(keysOf(parseReplay("traces", lines + mark).items));
  const { partitions } = JSON.parse(listed.stdout.toString()) as { partitions: readonly { object_count: number }[] };
  expect(partitions.reduce((sum, { object_count }) => sum + object_count, 0)).toBeGreaterThan(0);
  expect(status.stdout.toString()).toContain("0 items, 0 B in buffers");
  expect(JSON.parse(verified.stdout.toString())).toMatchObject({ ok: true, finding_count: 0, checked: { items: 500 } });
});
