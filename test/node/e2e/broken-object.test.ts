/**
 * What a client of the real server sees when an object can't be read to its end: a connection that breaks, never an
 * answer that looks complete (reliability I5). Also the cron, which only the real server has.
 */
import { AwsClient } from "aws4fetch";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeKey, openLocalBucket } from "../../../scripts/demo/bucket.ts";
import { flushAll, formatReplayUrl, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";

/** Some lines of the answer, so that it has begun before the damage is met. */
const RECORDS = 20_000;

describe("a damaged object", () => {
  const began = Date.now();
  let directory: string;
  let firn: LocalFirn;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "firn-broken-"));
    firn = await startLocalFirn({ port: await findFreePort(), persistTo: directory });
    const logRecords = Array.from({ length: RECORDS }, (_, index) => ({
      timeUnixNano: String(index + 1),
      body: { stringValue: `record ${index} ${crypto.randomUUID()}` },
    }));
    const response = await fetch(`${firn.url}/v1/logs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
    });
    expect(response.status).toBe(200);
    await flushAll(firn.url);
    await damageCopy(firn.url);
  });

  afterAll(async () => {
    await firn.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("breaks the connection of a replay in the middle, and no mark was sent", async () => {
    const response = await fetch(formatReplayUrl(firn.url, "logs", toWindow(began, Date.now())));
    expect(response.status).toBe(200);

    const { text, isBroken } = await readAll(response);
    expect(isBroken).toBe(true);
    expect(text).toContain("record 0 ");
    expect(text).not.toContain('"firn"');
  });

  test("is skipped and counted in the mark when the client asks for that", async () => {
    const url = formatReplayUrl(firn.url, "logs", toWindow(began, Date.now()));
    const { text, isBroken } = await readAll(await fetch(`${url}&on_error=skip`));

    expect(isBroken).toBe(false);
    const last: { firn: { unreadable: number; complete: boolean } } = JSON.parse(
      text.trimEnd().split("\n").at(-1) ?? "",
    );
    expect(last.firn).toMatchObject({ unreadable: 1, complete: false });
  });

  test("does not keep the cron from sweeping", async () => {
    const response = await fetch(`${firn.url}/cdn-cgi/local/scheduled?cron=*/5+*+*+*+*`);

    expect([response.status, await response.text()]).toEqual([200, "ok"]);
  });
});

/** Puts a truncated copy of the one object beside it, under another writer's name, so that it is read after it. */
async function damageCopy(url: string): Promise<void> {
  const bucket = openLocalBucket(url);
  const [object] = await bucket.list();
  if (object === undefined) throw new Error("Cannot damage an object: there is none");
  const whole = await bucket.get(object.key);
  const key = object.key.replace(/logs_.*$/, "logs_999999999.binpb.gz");
  const client = new AwsClient({ accessKeyId: "test", secretAccessKey: "testtest", service: "s3", region: "auto" });
  const body = whole.slice(0, Math.floor(whole.length * 0.6));
  const response = await client.fetch(`${bucket.url}/${encodeKey(key)}`, { method: "PUT", body });
  expect(response.status).toBe(200);
}

async function readAll(response: Response): Promise<{ readonly text: string; readonly isBroken: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of response.body ?? []) text += decoder.decode(piece, { stream: true });
    return { text, isBroken: false };
  } catch {
    return { text, isBroken: true };
  }
}
