/** `firn replay` against a real Firn: pages inside a minute, a compaction between two of them, a kill, every format. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compactAll, flushAll, parseReplay, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";
import { runCli } from "./run-cli.ts";

const ITEMS = 4_000;
const LIMIT = ["--limit_bytes", "65536"];

let directory: string;
let firn: LocalFirn;
let window: readonly string[];

/** A line of one span with a name that does not compress away. */
function toLine(index: number): string {
  const spanId = (index + 1).toString(16).padStart(16, "0");
  const name = Array.from({ length: 12 }, (_, part) => ((index + 1) * (part + 7_919)).toString(36)).join("-");
  const span = { traceId: "5b8efff798038103d269b633813fc60c", spanId, name, startTimeUnixNano: "1" };
  const container = { resource: {}, scopeSpans: [{ scope: { name: "s" }, spans: [span] }] };
  return `${JSON.stringify({ resourceSpans: [container] })}\n`;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "firn-cli-replay-"));
  firn = await startLocalFirn({ port: await findFreePort(), persistTo: join(directory, "firn") });
  const from = Date.now();
  for (let part = 0; part < 4; part += 1) {
    const lines = Array.from({ length: ITEMS / 4 }, (_, index) => toLine((part * ITEMS) / 4 + index)).join("");
    const sent = await runCli(["send", "-", "--to", firn.url, "--batch_bytes", "20000"], { stdin: Buffer.from(lines) });
    expect(sent.code).toBe(0);
    await flushAll(firn.url);
  }
  const { start, end } = toWindow(from, Date.now());
  window = ["--start", start.toISOString(), "--end", end.toISOString()];
});

afterAll(async () => {
  await firn.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Passes requests on, and does something before one of them. */
async function openProxy(
  beforeNth: number,
  act: () => Promise<unknown>,
): Promise<{ server: Server; url: string; statuses: number[] }> {
  const statuses: number[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    void (async () => {
      count += 1;
      if (count === beforeNth) await act();
      const answer = await fetch(`${firn.url}${request.url ?? ""}`, { headers: { accept: "*/*" } });
      statuses.push(answer.status);
      response.writeHead(answer.status);
      response.end(new Uint8Array(await answer.arrayBuffer()));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, statuses };
}

function keysOf(text: string): readonly string[] {
  return parseReplay("traces", text)
    .items.map(({ key }) => key)
    .toSorted();
}

describe("firn replay", () => {
  test("gives every item once where a compaction takes its position away", async () => {
    const output = join(directory, "compacted.jsonl");
    const proxy = await openProxy(5, () => compactAll(firn.url, { force: true }));

    const args = ["replay", "--signal", "traces", ...window, ...LIMIT];
    const before = await runCli([...args, "--url", firn.url]);
    const across = await runCli([...args, "--url", proxy.url, "--output", output]);
    const after = await runCli([...args, "--url", firn.url]);
    proxy.server.close();

    expect(proxy.statuses).toContain(410);
    expect([before.code, after.code]).toEqual([across.code, across.code]);
    const keys = keysOf(before.stdout.toString());
    expect(keys.length).toBe(ITEMS);
    expect(keysOf(await readFile(output, "utf8"))).toEqual(keys);
    expect(keysOf(after.stdout.toString())).toEqual(keys);
  });

  test("joins pages of every format to what firn send brings to another Firn", async () => {
    const forms = [
      ["json", []],
      ["proto", ["--signal", "traces"]],
      ["proto-delimited", ["--signal", "traces"]],
    ] as const;
    // The same bodies come three times, on purpose.
    const vars = { DEDUPE_WINDOW_SECONDS: "0" };
    const copy = await startLocalFirn({ port: await findFreePort(), persistTo: join(directory, "copy"), vars });
    const args = ["replay", "--signal", "traces", ...window, "--url", firn.url];
    const from = Date.now();

    for (const [format, said] of forms) {
      const output = join(directory, `whole.${format}`);
      const paged = await runCli([...args, "--format", format, ...LIMIT, "--output", output]);
      const sent = await runCli(["send", output, "--to", copy.url, "--format", format, ...said]);
      expect([0, 3]).toContain(paged.code);
      expect(sent.stderr).toContain("Sent 4,000 items");
    }
    await flushAll(copy.url);
    const { start, end } = toWindow(from, Date.now());
    const times = ["--start", start.toISOString(), "--end", end.toISOString()];
    const back = await runCli(["replay", "--signal", "traces", ...times, "--url", copy.url]);
    const single = keysOf((await runCli(args)).stdout.toString());
    await copy.stop();

    expect(keysOf(back.stdout.toString())).toEqual(single.flatMap((key) => [key, key, key]));
  });
});
