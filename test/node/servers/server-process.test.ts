/** Servers of tests leave nothing behind, whatever fails while they start. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findFreePort } from "../../../scripts/local-firn.ts";
import { makeDirectory, startPrepared } from "../../servers/server-process.ts";

async function command(directory: string): Promise<{ file: string; args: readonly string[]; probeUrl: string }> {
  const port = await findFreePort();
  const script = join(directory, "server.cjs");
  writeFileSync(script, `require("http").createServer((_, answer) => answer.end()).listen(${port}, "127.0.0.1");`);
  return { file: process.execPath, args: [script], probeUrl: `http://127.0.0.1:${port}` };
}

describe("startPrepared()", () => {
  it("ends the process and removes the directory when what comes after the start fails", async () => {
    const directory = makeDirectory("prepared");
    const server = await command(directory);
    const fail = async (): Promise<void> => {
      expect((await fetch(server.probeUrl)).status).toBe(200);
      throw new Error("no bucket");
    };

    await expect(startPrepared(directory, server, fail)).rejects.toThrow("no bucket");
    await expect(fetch(server.probeUrl)).rejects.toThrow();
    expect(existsSync(directory)).toBe(false);
  });

  it("removes the directory when the server is stopped", async () => {
    const directory = makeDirectory("prepared");
    const server = await command(directory);
    const { stop } = await startPrepared(directory, server, async () => undefined);
    await stop();

    await expect(fetch(server.probeUrl)).rejects.toThrow();
    expect(existsSync(directory)).toBe(false);
  });
});
