/** The way to the first byte of a replay in round trips to the store, which a proxy makes long enough to be counted. */
import type { S3Server } from "../test/servers/contract.ts";
import { startFaultProxy } from "../test/servers/fault-proxy.ts";
import { archiveVars } from "../test/servers/s3-bucket.ts";
import { startVersitygw } from "../test/servers/versitygw.ts";
import { round, type BenchLine } from "./bench-line.ts";
import {
  ARCHIVE_SETTINGS,
  compactArchive,
  fillArchive,
  formatWindow,
  toHours,
  type ArchiveState,
} from "./replay-bucket.ts";
import { startFirn } from "./workerd-server.ts";

/** Small objects come through the proxy, which holds each whole, in no time. */
const SMALL_FILLING = { poolRequests: 4, requestBytes: 64 * 1024, minBytes: 1e6 };
const TARGET_ROUND_TRIPS = 3;
/** Of the proxy's fault "latency", which every call meets. */
const LATENCY_SECONDS = 0.3;

/** How far away the first byte is, of an hour's fresh objects and of its compacted ones. */
export async function measureFirstBytes(): Promise<readonly BenchLine[]> {
  const started = await startVersitygw();
  if (started === null) throw new Error("Cannot measure: there is no Go to build versitygw with");
  const writer = await startFirn({ ...ARCHIVE_SETTINGS, ...archiveVars(started.server) });
  try {
    const from = Date.now();
    await fillArchive(writer, SMALL_FILLING);
    const query = formatWindow(toHours(from, Date.now()));
    const fresh = await measureFirstByte("fresh", query, started.server);
    await compactArchive(writer);
    return [fresh, await measureFirstByte("compacted", query, started.server)];
  } finally {
    await writer.stop();
    await started.stop();
  }
}

/** A Firn that has read nothing yet, behind a proxy that keeps every answer back for a while. */
async function measureFirstByte(state: ArchiveState, query: string, server: S3Server): Promise<BenchLine> {
  const proxy = await startFaultProxy(server);
  const firn = await startFirn({ ...ARCHIVE_SETTINGS, ...archiveVars(proxy.server) });
  try {
    await firn.call("GET", "/status");
    proxy.arm({ kind: "latency", when: { every: 1 } });
    const callsBefore = proxy.calls.length;
    const start = performance.now();
    const response = await fetch(`http://127.0.0.1:${firn.port}/replay?${query}&format=proto`);
    const reader = response.body?.getReader();
    await reader?.read();
    const seconds = (performance.now() - start) / 1000;
    const calls = proxy.calls.slice(callsBefore).map(({ call }) => call);
    await reader?.cancel();
    const roundTrips = Math.floor(seconds / LATENCY_SECONDS);
    return {
      name: `replay.first-byte.${state}`,
      status: response.status,
      round_trips: roundTrips,
      calls: calls.join(" "),
      seconds_beside_waiting: round(seconds - roundTrips * LATENCY_SECONDS),
      target: `round_trips <= ${TARGET_ROUND_TRIPS}`,
      ok: roundTrips <= TARGET_ROUND_TRIPS,
    };
  } finally {
    await firn.stop();
    await proxy.stop();
  }
}
