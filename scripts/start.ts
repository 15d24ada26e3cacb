/**
 * `npm start -- --port P --persist-to DIR [--var K:V …]`: a local Firn on 127.0.0.1 that stays up until Ctrl-C. The
 * default port is the one to which OpenTelemetry SDKs send by themselves; anonymous access is allowed.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { isPortFree, spawnLocalFirn } from "./local-firn.ts";

const DEFAULT_PORT = 4318;
const DEFAULT_PERSIST_TO = ".wrangler/state";
const ORPHAN_CHECK_MILLIS = 250;
const OPTIONS: ReadonlySet<string> = new Set(["port", "persist-to", "var"]);
const USAGE = "usage: npm start -- [--port PORT] [--persist-to DIR] [--var NAME:VALUE …]";

/** What the command line says. */
export interface StartOptions {
  readonly port: number;
  readonly persistTo: string;
  readonly vars: Readonly<Record<string, string>>;
}

/**
 * Reads the command line. `--var` may stand several times and take several values, which may contain colons.
 *
 * @throws TypeError with a sentence for the user.
 */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const { values, positionals, tokens } = parseArgs({
    args: spreadVars(args),
    options: { port: { type: "string" }, "persist-to": { type: "string" }, var: { type: "string", multiple: true } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (!OPTIONS.has(token.name)) throw new TypeError(`Cannot start Firn: unknown option "${token.rawName}"`);
    if (token.value === undefined) throw new TypeError(`Cannot start Firn: option "${token.rawName}" needs a value`);
  }
  const [surplus] = positionals;
  if (surplus !== undefined) throw new TypeError(`Cannot start Firn: unexpected argument "${surplus}"`);
  const port = Number(values.port ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new TypeError(`Cannot start Firn: --port is "${values.port}", expected a number from 1 to 65535`);
  return {
    port,
    persistTo: String(values["persist-to"] ?? DEFAULT_PERSIST_TO),
    vars: parseVars((values.var ?? []).map(String)),
  };
}

/** Writes `--var A:1 B:2` as `--var=A:1 --var=B:2`, which `parseArgs` understands. */
export function spreadVars(args: readonly string[]): string[] {
  const spread: string[] = [];
  let inVar = false;
  for (const arg of args) {
    if (inVar && !arg.startsWith("--")) spread.push(`--var=${arg}`);
    else if (arg !== "--var") spread.push(arg);
    inVar = arg === "--var" || (inVar && !arg.startsWith("--"));
  }
  return spread;
}

/** Reads `NAME:VALUE` pairs. @throws TypeError with a sentence for the user */
export function parseVars(pairs: readonly string[]): Record<string, string> {
  const vars: Record<string, string> = {};
  for (const pair of pairs) {
    const match = /^([A-Za-z_]\w*):(.*)$/s.exec(pair);
    if (match?.[1] === undefined || match[2] === undefined)
      throw new TypeError(`Cannot start Firn: --var is "${pair}", expected NAME:VALUE`);
    vars[match[1]] = match[2];
  }
  return vars;
}

async function main(): Promise<number> {
  const options = parseStartOptions(process.argv.slice(2));
  if (!(await isPortFree(options.port)))
    throw new Error(`Cannot start Firn on port ${options.port}: it is in use, choose another with --port`);
  const firn = spawnLocalFirn({
    ...options,
    persistTo: resolve(options.persistTo),
    onNotice: (line) => console.error(line),
  });
  const stopRequest = new Promise<"stop">((settle) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => settle("stop"));
    whenOrphaned(() => settle("stop"));
  });
  const ready = firn.untilReady().then(() => console.log(formatGreeting(firn.url, options.persistTo)));
  let ended: "stop" | number;
  try {
    await Promise.race([stopRequest, ready]);
    ended = await Promise.race([stopRequest, firn.exited]);
  } catch (error) {
    await firn.stop();
    throw new Error(firstLine(error), { cause: error }); // its other lines were shown as they came
  }
  ready.catch(() => undefined); // a start that was stopped has nothing to say
  await firn.stop();
  if (ended === "stop") {
    console.log("Firn stopped; what was acknowledged is kept.");
    return 0;
  }
  console.error(`Firn ended by itself with code ${ended}; all output is in ${firn.logFile}`);
  return ended === 0 ? 1 : ended;
}

/**
 * npm runs a script through a shell that passes no signal on: who ends npm leaves this process without a parent. Only
 * then is that a request to stop; a process that was sent to the background on purpose has no parent either.
 */
function whenOrphaned(stop: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) stop();
  }, ORPHAN_CHECK_MILLIS);
  timer.unref();
}

function formatGreeting(url: string, persistTo: string): string {
  const day = 86_400_000;
  const [start, end] = [0, day].map((ahead) => new Date(Date.now() + ahead).toISOString().slice(0, 10));
  return [
    `Firn is ready on ${url}`,
    "",
    `  Send     export OTEL_EXPORTER_OTLP_ENDPOINT=${url}`,
    `  Replay   curl '${url}/replay?signal=traces&start=${start}&end=${end}'`,
    `  Data     ${join(persistTo)} (log: ${join(persistTo, "wrangler.log")})`,
    "  Stop     Ctrl-C",
    "",
  ].join("\n");
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

if (process.argv[1] === import.meta.filename) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (error instanceof TypeError) console.error(USAGE);
    process.exitCode = 1;
  }
}
