/**
 * A local Firn whose archive is a real S3 server behind the fault proxy, and what tests ask of the three: send, flush,
 * read the bucket behind the proxy's back, replay. Judgements are sentences, so that a sweep tells all that it found.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listObjectItems, openBucket, type Bucket } from "../../../scripts/demo/bucket.ts";
import { formatReplayUrl, parseReplay, type FlushAnswer, type Window } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn } from "../../../scripts/local-firn.ts";
import { listItems, SIGNALS, type Item, type Signal } from "../../../scripts/otlp-items.ts";
import { encodeProtobuf } from "../../../scripts/otlp-protobuf.ts";
import { checkHistory, formatVerdict, isClean, type ReplayedItem, type SentItem } from "../../oracle/checker.ts";
import { startFaultProxy, type FaultProxy } from "../../servers/fault-proxy.ts";
import { startR2Simulator } from "../../servers/r2-simulator.ts";
import { archiveVars } from "../../servers/s3-bucket.ts";
import { startVersitygw } from "../../servers/versitygw.ts";
import { createRandomShare, type RandomShare } from "../../../scripts/fuzz/random.ts";
import { buildRequest, toReplayed, type WireRequest } from "./requests.ts";
import { readSequences } from "./sequences.ts";

/** Settings of the store's time-outs: a fault that stalls costs a test no more. */
const STORE_TIMEOUT_SECONDS = 1;
/** Above what the product takes to give up a store that stalls, and below what the proxy stalls for. */
const REPLAY_TIMEOUT_MILLIS = 12_000;
/** A flush waits for the one that is under way, and tries several batches one after another. */
const FLUSH_TIMEOUT_MILLIS = 60_000;
const SERIALS_PER_LANE = 1_000_000;
/** Far below the longest line of a replay. */
const RECORD_BYTES = 100_000;

/** The three of them. */
export interface FaultyFirn {
  readonly url: string;
  readonly proxy: FaultProxy;
  /** The true store, without the proxy. */
  readonly bucket: Bucket;
  readonly logFile: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a store, the proxy before it and a Firn before that. Without Go the store is the R2 simulator.
 * @param lanes - of tenants; without any, everything is anonymous
 */
export async function startFaultyFirn(
  lanes: readonly Lane[] = [],
  vars: Readonly<Record<string, string>> = {},
): Promise<FaultyFirn> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const store = (await startVersitygw()) ?? (await startR2Simulator());
    stops.push(store.stop);
    const proxy = await startFaultProxy(store.server);
    stops.push(proxy.stop);
    const directory = await mkdtemp(join(tmpdir(), "firn-store-faults-"));
    stops.push(() => rm(directory, { recursive: true, force: true }));
    const firn = await startLocalFirn({
      port: await findFreePort(),
      persistTo: directory,
      vars: {
        ...archiveVars(proxy.server),
        STORE_TIMEOUT_SECONDS: String(STORE_TIMEOUT_SECONDS),
        FLUSH_INTERVAL_SECONDS: "3600",
        ...(lanes.length === 0 ? {} : { TENANTS: formatTenants(lanes) }),
        ...vars,
      },
    });
    stops.push(firn.stop);
    const bucket = openBucket(`${store.server.endpoint}/${store.server.bucket}`, store.server);
    return { url: firn.url, proxy, bucket, logFile: firn.logFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One signal of one tenant. Lanes run side by side, and a fault of one is told by the tenant in the key. */
export interface Lane {
  /** Empty: the unnamed tenant, who needs no token while there are no others. */
  readonly tenant: string;
  readonly token: string;
  readonly signal: Signal;
  readonly random: RandomShare;
  /** Number of the next request, unlike that of any other lane or load of the run. */
  serial: number;
  readonly sent: SentItem[];
  /** Keys whose objects were read and found right. */
  readonly known: Set<string>;
}

/** Opens lanes, each of a tenant of its own, their signals in turns. */
export function openLanes(count: number): readonly Lane[] {
  return Array.from({ length: count }, (_, i) => ({
    ...openAnonymousLane(SIGNALS[i % SIGNALS.length] ?? "logs"),
    tenant: `lane-${i + 1}`,
    token: randomBytes(16).toString("hex"),
    random: createRandomShare(i + 1),
    serial: (i + 1) * SERIALS_PER_LANE,
  }));
}

/** Opens the lane of a signal of the unnamed tenant. */
export function openAnonymousLane(signal: Signal): Lane {
  return { tenant: "", token: "", signal, random: createRandomShare(0), serial: 0, sent: [], known: new Set() };
}

/** The setting `TENANTS`: every lane may do everything with its own. */
function formatTenants(lanes: readonly Lane[]): string {
  const scopes = ["ingest", "read", "admin"];
  const toRule = (token: string): object => ({ sha256: createHash("sha256").update(token).digest("hex"), scopes });
  return JSON.stringify(Object.fromEntries(lanes.map(({ tenant, token }) => [tenant, { tokens: [toRule(token)] }])));
}

function toHeaders({ token }: Lane): Readonly<Record<string, string>> {
  return token === "" ? {} : { authorization: `Bearer ${token}` };
}

/** Sends one request, which must be acknowledged, whatever the store does. */
export async function sendOne(firn: FaultyFirn, lane: Lane): Promise<readonly SentItem[]> {
  return await send(firn, lane, buildRequest(lane.random, lane.signal, lane.serial++));
}

/** Sends log records of so many random bytes in all, which no compression makes small. */
export async function sendLarge(firn: FaultyFirn, lane: Lane, sizeBytes: number): Promise<readonly SentItem[]> {
  const serial = lane.serial++;
  const logRecords = Array.from({ length: Math.ceil(sizeBytes / RECORD_BYTES) }, (_, i) => ({
    timeUnixNano: "1700000000000000000",
    body: { bytesValue: randomBytes(RECORD_BYTES).toString("base64") },
    attributes: [{ key: "item.id", value: { stringValue: `large-${serial}-${i}` } }],
  }));
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords }] }] };
  const headers = { "content-type": "application/x-protobuf" };
  const body = new Uint8Array(encodeProtobuf("logs", request));
  return await send(firn, lane, { signal: "logs", headers, body, items: listItems("logs", request) });
}

async function send({ url }: FaultyFirn, lane: Lane, request: WireRequest): Promise<readonly SentItem[]> {
  const { body, items } = request;
  const headers = { ...request.headers, ...toHeaders(lane) };
  const response = await fetch(`${url}/v1/${lane.signal}`, { method: "POST", headers, body });
  if (response.status !== 200)
    throw new Error(`Cannot send ${lane.signal}: ${response.status} ${await response.text()}`);
  const sent = items.map((item) => ({ ...toItem(lane, item), outcome: "acked" as const }));
  lane.sent.push(...sent);
  return sent;
}

/** Asks the shards of a lane once to store what they hold. @returns whether nothing is left */
export async function flushOnce({ url }: FaultyFirn, lane: Lane): Promise<boolean> {
  const response = await fetch(`${url}/admin/flush?signal=${lane.signal}`, {
    method: "POST",
    headers: toHeaders(lane),
    signal: AbortSignal.timeout(FLUSH_TIMEOUT_MILLIS),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`Cannot flush ${lane.signal}: ${response.status} ${text}`);
  const answer = JSON.parse(text) as FlushAnswer;
  return answer.complete && answer.remaining_batches === 0;
}

/** What `/status` says that a lane's shards hold. */
export async function readBacklog({ url }: FaultyFirn, lane: Lane): Promise<number> {
  const status = (await (await fetch(`${url}/status`, { headers: toHeaders(lane) })).json()) as {
    readonly shards: readonly { readonly signal: string; readonly backlog_items?: number }[];
  };
  const shards = status.shards.filter(({ signal }) => signal === lane.signal);
  return shards.reduce((sum, { backlog_items }) => sum + (backlog_items ?? Number.NaN), 0);
}

/**
 * Reads the objects that a lane has not seen yet, without Firn: they must hold these items, each once, and be the very
 * bytes of a PUT; and the lane's sequences must have no gap. @returns what is wrong
 */
export async function judgeBucket(
  { bucket, proxy }: FaultyFirn,
  lane: Lane,
  expected: readonly SentItem[],
): Promise<readonly string[]> {
  const prefix = lane.tenant === "" ? "" : `${lane.tenant}/`;
  const keys = (await bucket.list(prefix)).map(({ key }) => key).filter((key) => key.includes(`/${lane.signal}_`));
  const problems = [...readSequences(keys).faults];
  const found: ReplayedItem[] = [];
  for (const key of keys) {
    if (lane.known.has(key)) continue;
    lane.known.add(key);
    const stored = await bucket.get(key);
    const sha256Hex = createHash("sha256").update(stored).digest("hex");
    const isAsSent = proxy.calls.some(
      (call) => call.call === "put" && call.key === key && call.sha256Hex === sha256Hex,
    );
    if (!isAsSent) problems.push(`${key} holds bytes that were never put`);
    found.push(...listObjectItems(lane.signal, key, stored).map((item) => toItem(lane, item)));
  }
  const verdict = checkHistory(expected, found);
  return isClean(verdict) ? problems : [...problems, formatVerdict(verdict)];
}

function toItem({ tenant, signal }: Lane, item: Item): ReplayedItem {
  return { ...toReplayed(signal, item), tenant };
}

/** How a replay ended. */
export type ReplayEnd =
  | { readonly kind: "mark"; readonly items: readonly ReplayedItem[]; readonly isSkipping: boolean }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "broken" | "hanging" | "without-mark" };

/** Replays a window of a lane, whatever comes of it; one that takes longer than a store may stall is hanging. */
export async function readReplay(
  { url }: FaultyFirn,
  lane: Lane,
  window: Window,
  timeoutMillis: number = REPLAY_TIMEOUT_MILLIS,
): Promise<ReplayEnd> {
  const timeout = AbortSignal.timeout(timeoutMillis);
  let text: string;
  try {
    const request = { headers: toHeaders(lane), signal: timeout };
    const response = await fetch(formatReplayUrl(url, lane.signal, window), request);
    text = await response.text();
    if (response.status !== 200) return { kind: "refused", status: response.status };
  } catch {
    return { kind: timeout.aborted ? "hanging" : "broken" };
  }
  try {
    const { items, mark } = parseReplay(lane.signal, text);
    return { kind: "mark", items: items.map((item) => toItem(lane, item)), isSkipping: mark["unreadable"] !== 0 };
  } catch {
    return { kind: "without-mark" };
  }
}
