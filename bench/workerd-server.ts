/**
 * Servers for the benchmarks, each a plain `workerd serve` without wrangler's development proxy: Firn with its Durable
 * Objects on a local disk and R2 from `r2-store.ts`, and bare workers that show what the same bytes cost at least.
 * CPU and memory of a server are those of its own process; the store beside it has another.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startR2Store, type R2Store } from "./r2-store.ts";
import { bundleWorker, type WorkerBundle } from "./worker-bundle.ts";
import { makeTemporaryDirectory, quote, startWorkerd, type WorkerdProcess } from "./workerd-process.ts";

/** The bundle is loaded when the first request comes. */
const READY_TIMEOUT_MS = 20_000;
/** No answer takes longer: a compaction of 5 GB takes minutes, and Firn ends the request after 15. */
const CALL_TIMEOUT_MS = 960_000;

/** Where `fetch` may go: a store that is reached by it listens on loopback. */
const LOOPBACK = '(name = "internet", network = (allow = ["public", "private"]))';

/** A server under measurement. */
export interface BenchServer {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Firn and its store. */
export interface FirnServer extends BenchServer {
  /** What the worker printed. */
  readonly logFile: string;
  readonly store: R2Store;
  /** Sends a request without a body and parses the answer as JSON. @throws Error on any status but 200. */
  call(method: "GET" | "POST", path: string): Promise<unknown>;
  /** Ends the process and starts another on the same data; the old handle is dead afterwards. */
  restart(): Promise<FirnServer>;
}

/** Starts Firn on empty storage and waits until it answers. @param vars settings on top of the benchmark's defaults. */
export async function startFirn(vars: Readonly<Record<string, string>> = {}): Promise<FirnServer> {
  const directory = makeTemporaryDirectory();
  const store = await startR2Store(join(directory, "store"));
  try {
    return await openFirn(directory, store, vars);
  } catch (error) {
    await store.stop();
    throw error;
  }
}

/** Starts a worker of a few lines with the date and flags of Firn. @param script source of an ES module. */
export async function startBareWorker(script: string): Promise<BenchServer> {
  const worker = formatWorker(bundleWorker(), []);
  const config = { services: [worker, LOOPBACK], socketService: "main", files: { "main.js": script } };
  const workerd = await startWorkerd(config, makeTemporaryDirectory());
  await waitUntilReady(workerd, "/");
  return workerd;
}

async function openFirn(
  directory: string,
  store: R2Store,
  vars: Readonly<Record<string, string>>,
): Promise<FirnServer> {
  const bundle = bundleWorker();
  const home = join(directory, "firn");
  mkdirSync(join(home, "data"), { recursive: true });
  const workerd = await startWorkerd(
    {
      services: [
        formatWorker(bundle, formatBindings(bundle, { ...bundle.vars, ALLOW_ANONYMOUS: "true", ...vars })),
        `(name = "r2", external = (address = "127.0.0.1:${store.port}", http = ()))`,
        '(name = "disk", disk = (path = "data", writable = true))',
        LOOPBACK,
      ],
      socketService: "main",
      files: { "main.js": bundle.script },
    },
    home,
  );
  await waitUntilReady(workerd, "/healthz");
  return {
    ...workerd,
    logFile: join(home, "workerd.log"),
    store,
    call: (method, path) => callJson(workerd.port, method, path),
    restart: async () => {
      await workerd.stop();
      return openFirn(directory, store, vars);
    },
    stop: async () => {
      await workerd.stop();
      await store.stop();
    },
  };
}

function formatBindings(bundle: WorkerBundle, vars: Readonly<Record<string, string>>): string[] {
  return [
    ...Object.entries(vars).map(([name, value]) => `(name = ${quote(name)}, text = ${quote(value)})`),
    ...bundle.buckets.map((name) => `(name = ${quote(name)}, r2Bucket = "r2")`),
    ...[...bundle.durableObjects].map(
      ([name, className]) => `(name = ${quote(name)}, durableObjectNamespace = ${quote(className)})`,
    ),
  ];
}

function formatWorker(bundle: WorkerBundle, bindings: readonly string[]): string {
  const classes = bindings.length === 0 ? [] : [...bundle.durableObjects.values()];
  const namespaces = classes.map(
    (name) => `(className = ${quote(name)}, uniqueKey = ${quote(`firn-${name}`)}, enableSql = true)`,
  );
  const storage = namespaces.length === 0 ? "" : 'durableObjectStorage = (localDisk = "disk"),';
  return `(name = "main", worker = (
      compatibilityDate = ${quote(bundle.compatibilityDate)},
      compatibilityFlags = [${bundle.compatibilityFlags.map(quote).join(", ")}],
      modules = [(name = "main.js", esModule = embed "main.js")],
      durableObjectNamespaces = [${namespaces.join(", ")}], ${storage}
      bindings = [${bindings.join(", ")}]))`;
}

/** One bounded probe: the socket listens already, and the first answer proves that the bundle loads. */
async function waitUntilReady(workerd: WorkerdProcess, path: string): Promise<void> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
  try {
    await (await fetch(`http://127.0.0.1:${workerd.port}${path}`, { signal })).arrayBuffer();
  } catch (cause) {
    await workerd.stop();
    throw new Error(`Cannot use the server: no answer to GET ${path} within ${READY_TIMEOUT_MS} ms`, { cause });
  }
}

async function callJson(port: number, method: string, path: string): Promise<unknown> {
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot ${method} ${path}: status ${response.status}, expected 200: ${text}`);
  return JSON.parse(text) as unknown;
}
