/**
 * The store of the benchmarks: miniflare's own R2 bucket worker, unmodified, in a workerd process of its own. It is the
 * peer that Firn writes to and not the thing measured, so neither its CPU nor its memory counts. Firn's `r2Bucket`
 * binding reaches it over loopback HTTP, as a bucket is reached over a network.
 *
 * The protocol between runtime and bucket is miniflare's: the operation as JSON in the header `cf-r2-request` (GET), or
 * before the body with its length in `cf-r2-metadata-size` (PUT). See `miniflare/dist/src/workers/r2/bucket.worker.js`.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startWorkerd, type WorkerdProcess } from "./workerd-process.ts";

const WORKERS = join(import.meta.dirname, "../node_modules/miniflare/dist/src/workers");
const CALL_TIMEOUT_MS = 60_000;

/** A running store. */
export interface R2Store {
  readonly pid: number;
  readonly port: number;
  /** Keys and lengths of all objects, at most 1000. */
  list(): Promise<readonly { readonly key: string; readonly length: number }[]>;
  /** All bytes of an object. */
  get(key: string): Promise<Uint8Array>;
  stop(): Promise<void>;
}

/** Starts an R2 store that keeps its data in a directory. */
export async function startR2Store(directory: string): Promise<R2Store> {
  mkdirSync(join(directory, "data"), { recursive: true });
  const workerd = await startWorkerd(
    {
      services: [bucketService(), entryService(), '(name = "disk", disk = (path = "data", writable = true))'],
      extensions: [
        '(modules = [(name = "miniflare:shared", esModule = embed "shared.js"), ' +
          '(name = "miniflare:zod", esModule = embed "zod.js")])',
      ],
      socketService: "entry",
      files: {
        "bucket.js": readFileSync(join(WORKERS, "r2/bucket.worker.js")),
        "entry.js": readFileSync(join(WORKERS, "shared/object-entry.worker.js")),
        "shared.js": readFileSync(join(WORKERS, "shared/index.worker.js")),
        "zod.js": readFileSync(join(WORKERS, "shared/zod.worker.js")),
      },
    },
    directory,
  );
  return {
    pid: workerd.pid,
    port: workerd.port,
    list: () => listObjects(workerd),
    get: (key) => getObject(workerd, key),
    stop: () => workerd.stop(),
  };
}

/** As miniflare's R2 plugin configures it. */
function bucketService(): string {
  return `(name = "bucket", worker = (
      compatibilityDate = "2023-07-24", compatibilityFlags = ["nodejs_compat", "experimental"],
      modules = [(name = "bucket.worker.js", esModule = embed "bucket.js")],
      durableObjectNamespaces = [(className = "R2BucketObject", uniqueKey = "miniflare-R2BucketObject")],
      durableObjectStorage = (localDisk = "disk"),
      bindings = [(name = "MINIFLARE_BLOBS", service = "disk")]))`;
}

function entryService(): string {
  return `(name = "entry", worker = (
      compatibilityDate = "2023-07-24",
      modules = [(name = "object-entry.worker.js", esModule = embed "entry.js")],
      bindings = [(name = "MINIFLARE_NAMESPACE", text = "bench"),
        (name = "MINIFLARE_OBJECT",
          durableObjectNamespace = (className = "R2BucketObject", serviceName = "bucket"))]))`;
}

async function listObjects(workerd: WorkerdProcess): Promise<readonly { key: string; length: number }[]> {
  const { head } = await call(workerd, { method: "list" });
  const listing = JSON.parse(head) as { objects: { name: string; size: number }[]; truncated: boolean };
  if (listing.truncated) throw new Error("Cannot list the bucket: more than 1000 objects, expected a few");
  return listing.objects.map((object) => ({ key: object.name, length: object.size }));
}

async function getObject(workerd: WorkerdProcess, key: string): Promise<Uint8Array> {
  return (await call(workerd, { method: "get", object: key })).body;
}

async function call(workerd: WorkerdProcess, operation: object): Promise<{ head: string; body: Uint8Array }> {
  const response = await fetch(`http://127.0.0.1:${workerd.port}/`, {
    headers: { "cf-r2-request": JSON.stringify({ version: 1, ...operation }) },
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`Cannot read the bucket: status ${response.status}, expected 200`);
  const headBytes = Number(response.headers.get("cf-r2-metadata-size"));
  return { head: new TextDecoder().decode(bytes.subarray(0, headBytes)), body: bytes.subarray(headBytes) };
}
