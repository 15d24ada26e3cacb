/** One run of the Collector: started with a configuration, watched until its output rests, ended in peace. */
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const START_TIMEOUT_MILLIS = 60_000;
const REST_TIMEOUT_MILLIS = 180_000;
/** The file exporter flushes every second, and a receiver polls five times as often. */
const REST_MILLIS = 4_000;
const PAUSE_MILLIS = 100;
const STOP_TIMEOUT_MILLIS = 30_000;

/** What to run. */
export interface CollectorRun {
  readonly program: string;
  /** For configuration, log and output. */
  readonly directory: string;
  readonly name: string;
  /** YAML of `receivers`, without that word, two blanks in front. */
  readonly receivers: string;
  /** Of further exporters; the file exporter is always there. */
  readonly exporters?: string;
  /** Names of receivers and of further exporters. */
  readonly pipeline: { readonly receivers: string; readonly exporters?: string };
  readonly env?: Readonly<Record<string, string>>;
  /** Sends once the port listens. */
  readonly send?: { readonly port: number; readonly run: () => Promise<void> };
  /** The run is over no earlier than this stands in its log so often. */
  readonly until?: { readonly text: string; readonly times: number };
}

/** Runs it. @returns what its file exporter wrote, one request a line */
export async function runCollector(run: CollectorRun): Promise<string> {
  const [config, output, logFile] = ["yaml", "jsonl", "log"].map((end) => join(run.directory, `${run.name}.${end}`));
  if (config === undefined || output === undefined || logFile === undefined) throw new Error("Cannot name files");
  writeFileSync(config, formatConfig(run, output));
  const child = spawn(run.program, ["--config", config], {
    env: { ...process.env, ...run.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => {
      ended = true;
      resolve();
    });
  });
  try {
    await waitFor(() => {
      if (ended) throw new Error(`Cannot run the Collector for ${run.name}: it ended, see ${logFile}`);
      return readLog(logFile).includes("Everything is ready");
    }, START_TIMEOUT_MILLIS);
    if (run.send !== undefined) {
      await untilListening(run.send.port);
      await run.send.run();
    }
    const { until } = run;
    if (until !== undefined) {
      await waitFor(() => readLog(logFile).split(until.text).length > until.times, REST_TIMEOUT_MILLIS);
    }
    await untilResting(output);
  } finally {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MILLIS);
    await exited;
    clearTimeout(timer);
    log.end();
  }
  return existsSync(output) ? readFileSync(output, "utf8") : "";
}

function formatConfig({ receivers, exporters = "", pipeline }: CollectorRun, output: string): string {
  const sinks = ["file", ...(pipeline.exporters === undefined ? [] : [pipeline.exporters])].join(", ");
  const pipelines = ["traces", "metrics", "logs"].map(
    (signal) => `    ${signal}: { receivers: [${pipeline.receivers}], processors: [batch], exporters: [${sinks}] }\n`,
  );
  return [
    `receivers:\n${receivers}\n`,
    "processors:\n  batch: { send_batch_size: 2000, send_batch_max_size: 4000, timeout: 200ms }\n",
    `exporters:\n  file: { path: ${JSON.stringify(output)} }\n${exporters}\n`,
    `service:\n  telemetry: { metrics: { level: none } }\n  pipelines:\n${pipelines.join("")}`,
  ].join("");
}

async function untilResting(file: string): Promise<void> {
  let [size, since] = [-1, Date.now()];
  await waitFor(() => {
    const found = existsSync(file) ? statSync(file).size : 0;
    if (found !== size) [size, since] = [found, Date.now()];
    return Date.now() - since >= REST_MILLIS;
  }, REST_TIMEOUT_MILLIS);
}

async function untilListening(port: number): Promise<void> {
  let open = false;
  await waitFor(() => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      open = true;
      socket.destroy();
    });
    socket.once("error", () => socket.destroy());
    return open;
  }, START_TIMEOUT_MILLIS);
}

async function waitFor(condition: () => boolean, timeoutMillis: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMillis; !condition(); await delay(PAUSE_MILLIS)) {
    if (Date.now() > deadline) throw new Error(`Cannot wait any longer: not there within ${timeoutMillis} ms`);
  }
}

function readLog(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
