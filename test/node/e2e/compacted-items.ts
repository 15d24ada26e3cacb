/** What end-to-end tests of compaction send, how they read it back, and what a bucket may hold afterwards. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { listDataSets, readBodies } from "../../../scripts/corpus.ts";
import { openLocalBucket } from "../../../scripts/demo/bucket.ts";
import { replay, type Window } from "../../../scripts/firn-client.ts";
import { SIGNALS, type Signal } from "../../../scripts/otlp-items.ts";

export const FRESH_KEY: RegExp = /\/minute=\d\d\/[a-z]+_\d{8}T\d{9}Z-f[^/]*$/;
export const HOUR_KEY: RegExp =
  /^year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/(?:traces|metrics|logs)_\d{8}T\d{9}Z-c[^/]*\.binpb\.zst$/;
export const FIRN_KEY: RegExp = /^_firn\/(?:owner$|manifests\/-\/|members\/-\/|indexes\/-\/)/;

/** How often each item is there, by the digest of all that it says. */
export type Multiset = ReadonlyMap<string, number>;

/** Bodies of the smallest data set of a signal that has so many. */
export function chooseBodies(signal: Signal, count: number): readonly Uint8Array[] {
  const sets = listDataSets().filter((each) => each.signal === signal && each.requestCount >= count);
  const [smallest] = sets.toSorted((one, other) => one.itemCount - other.itemCount);
  if (smallest === undefined) throw new Error(`Cannot find a data set of ${signal}`);
  return readBodies(smallest.name).slice(0, count);
}

/** Sends one body, which must be acknowledged. */
export async function sendBody(url: string, signal: Signal, body: Uint8Array): Promise<void> {
  const headers = { "content-type": "application/x-protobuf" };
  const response = await fetch(`${url}/v1/${signal}`, { method: "POST", headers, body: new Uint8Array(body) });
  expect(response.status).toBe(200);
}

/** Replays a window of every signal; each must end in its mark. */
export async function readItems(url: string, window: Window): Promise<readonly Multiset[]> {
  return Promise.all(
    SIGNALS.map(async (signal) => {
      const { items, mark } = await replay(url, signal, window);
      expect(mark).toMatchObject({ items: items.length, unreadable: 0 });
      const counts = new Map<string, number>();
      for (const { content } of items) {
        const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex");
        counts.set(digest, (counts.get(digest) ?? 0) + 1);
      }
      return counts;
    }),
  );
}

/** All keys of the local bucket. */
export async function listKeys(url: string): Promise<readonly string[]> {
  return (await openLocalBucket(url).list()).map(({ key }) => key);
}
