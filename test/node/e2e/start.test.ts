/** `npm start` as a user has it: ready, stopped by a signal, restarted on its data, and ended with its child. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort, isPortFree, startLocalFirn } from "../../../scripts/local-firn.ts";
import { identifyProcess, listProcessTrees } from "../../../scripts/process-tree.ts";

const START = join(import.meta.dirname, "../../../scripts/start.ts");

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(args: readonly string[]): Started {
  return collect(spawn(process.execPath, [START, ...args], { stdio: ["ignore", "pipe", "pipe"] }));
}

function collect(child: ChildProcess): Started {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (piece: Buffer) => (output += piece.toString()));
  return { child, output: () => output };
}

function toArguments(port: number, directory: string): readonly string[] {
  return ["--port", String(port), "--persist-to", directory];
}

async function waitFor({ child, output }: Started, text: string): Promise<void> {
  while (!output().includes(text)) {
    if (child.exitCode !== null) throw new Error(`Ended with ${child.exitCode} before "${text}": ${output()}`);
    await delay(50);
  }
}

async function waitForExit({ child }: Started): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

describe("npm start", () => {
  let directory: string;
  let port: number;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "firn-start-"));
    port = await findFreePort();
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  test.each(["SIGINT", "SIGTERM"] as const)("tells where it is, serves, and ends on %s", async (signal) => {
    const started = start([...toArguments(port, directory), "--var", "FLUSH_INTERVAL_SECONDS:5"]);
    await waitFor(started, "Firn is ready");
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);

    started.child.kill(signal);
    const code = await waitForExit(started);

    expect(started.output()).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${port}`);
    expect(response.status).toBe(200);
    expect(code).toBe(0);
    expect(await isPortFree(port)).toBe(true);
  });

  test("ends with an error, and leaves nothing behind, when its child dies", async () => {
    const started = start(toArguments(port, directory));
    await waitFor(started, "Firn is ready");
    const own = identifyProcess(started.child.pid ?? 0);
    const tree = own === null ? [] : listProcessTrees([own]).slice(1);

    process.kill(tree[0]?.pid ?? 0, "SIGKILL");
    const code = await waitForExit(started);

    expect(tree.length).toBeGreaterThan(2);
    expect(code).toBeGreaterThan(0);
    expect(listProcessTrees(tree)).toEqual([]);
  });

  test("ends when npm is ended, whose shell passes no signal on", async () => {
    const shell = spawn("sh", ["-c", '"$0" "$@"; exit', process.execPath, START, ...toArguments(port, directory)], {
      env: { ...process.env, npm_lifecycle_event: "start" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await waitFor(collect(shell), "Firn is ready");

    shell.kill("SIGTERM");

    await expect.poll(() => isPortFree(port), { timeout: 10_000 }).toBe(true);
  });

  test("refuses a port that is in use", async () => {
    const firn = await startLocalFirn({ port, persistTo: directory });

    const started = start(toArguments(port, directory));
    const code = await waitForExit(started);
    await firn.stop();

    expect(code).toBe(1);
    expect(started.output()).toContain(`Cannot start Firn on port ${port}: it is in use, choose another with --port`);
  });
});
