import { describe, expect, it } from "vitest";
import { readStatus, readWatermark } from "../../src/admin/status.ts";
import type { CompactorStatus } from "../../src/compaction/contract.ts";
import type { ShardIdentity, ShardStatus } from "../../src/buffer/contract.ts";
import { SIGNALS } from "../../src/signal.ts";
import { makeShards, openFakeShards, openLostDirectory } from "./fake-shards.ts";

const NOW = Date.parse("2026-05-01T14:09:30.123Z");
const THIS_MINUTE = Date.parse("2026-05-01T14:09:00Z");
const EARLIER = Date.parse("2026-05-01T14:03:00Z");

function makeStatus(identity: ShardIdentity, change: Partial<ShardStatus> = {}): ShardStatus {
  return {
    identity,
    incarnation: "9f2c4e7a",
    nextSequence: 43,
    backlogBytes: 1000,
    backlogItems: 10,
    backlogBatches: 2,
    setAsideBatches: 1,
    inFlightBytes: 5,
    alarmAt: null,
    watermark: EARLIER,
    lastFlushAt: NOW,
    lastObjectKey: "acme/logs_x.binpb.gz",
    lastError: { at: NOW, message: "Cannot put in R2" },
    closedUntil: Date.parse("2026-05-01T14:00:00Z"),
    lateHours: 1,
    counters: {
      objectsStored: 42,
      bytesStored: 4200,
      itemsStored: 420,
      requestsStored: 84,
      appendsSinceStart: 1,
      copiesSinceStart: 2,
      refusedSinceStart: 3,
      commitsSinceStart: 4,
      rowsWrittenSinceStart: 5,
      storeErrorsSinceStart: 6,
    },
    ...change,
  };
}

const COMPACTOR: CompactorStatus = {
  identity: { tenant: "acme", signal: "logs" },
  incarnation: "0a1b2c3d",
  epoch: 2,
  activeHour: "2026-05-01T12:00:00.000Z",
  activeProgress: { read: 10, chosen: 60 },
  waitingHours: 3,
  pendingDeletions: 2,
  setAsideHours: 1,
  lastHour: "2026-05-01T13:00:00.000Z",
  lastCompactedAt: NOW,
  problems: [
    { hour: "2026-05-01T11:00:00.000Z", attempts: 8, isSetAside: true, nextAttemptAt: NOW, error: "Cannot list" },
  ],
  unreadable: 4,
  refusal: null,
  alarmAt: NOW,
  totals: {
    generations: 1,
    items: 2,
    sources: 3,
    outputs: 4,
    sourceBytes: 5,
    outputBytes: 6,
    rawBytes: 7,
    deletedObjects: 8,
  },
  lastError: { at: NOW, message: "Cannot list" },
};

describe("readStatus()", () => {
  it("is the document that operations.md describes", async () => {
    const access = openFakeShards({
      shards: makeShards(1),
      answer: () => ({ status: async (identity) => makeStatus(identity) }),
      compact: ({ signal }) => (signal === "logs" ? { status: async () => COMPACTOR } : {}),
    });

    expect(await readStatus(access, "acme", NOW)).toEqual({
      tenant: "acme",
      watermark: {
        traces: "2026-05-01T14:09:00.000Z",
        metrics: "2026-05-01T14:09:00.000Z",
        logs: "2026-05-01T14:03:00.000Z",
        profiles: "2026-05-01T14:09:00.000Z",
      },
      backlog_bytes: 1000,
      backlog_items: 10,
      shards: [
        {
          signal: "logs",
          shard: 0,
          incarnation: "9f2c4e7a",
          next_sequence: 43,
          backlog_bytes: 1000,
          backlog_items: 10,
          backlog_batches: 2,
          set_aside_batches: 1,
          in_flight_bytes: 5,
          alarm_at: null,
          watermark: "2026-05-01T14:03:00.000Z",
          last_flush_at: "2026-05-01T14:09:30.123Z",
          last_object_key: "acme/logs_x.binpb.gz",
          closed_until: "2026-05-01T14:00:00.000Z",
          late_hours: 1,
          last_error: { at: "2026-05-01T14:09:30.123Z", message: "Cannot put in R2" },
          counters: {
            objects_stored: 42,
            bytes_stored: 4200,
            items_stored: 420,
            requests_stored: 84,
            appends_since_start: 1,
            copies_since_start: 2,
            refused_since_start: 3,
            commits_since_start: 4,
            rows_written_since_start: 5,
            store_errors_since_start: 6,
          },
        },
      ],
      compaction: [
        { signal: "traces", error: "Network connection lost." },
        { signal: "metrics", error: "Network connection lost." },
        {
          signal: "logs",
          incarnation: "0a1b2c3d",
          epoch: 2,
          refusal: null,
          last_hour: "2026-05-01T13:00:00.000Z",
          last_compaction_at: "2026-05-01T14:09:30.123Z",
          active_hour: "2026-05-01T12:00:00.000Z",
          active_sources: { read: 10, chosen: 60 },
          waiting_hours: 3,
          pending_deletions: 2,
          set_aside_hours: 1,
          unreadable_objects: 4,
          problems: [
            {
              hour: "2026-05-01T11:00:00.000Z",
              attempts: 8,
              is_set_aside: true,
              next_attempt_at: "2026-05-01T14:09:30.123Z",
              error: "Cannot list",
            },
          ],
          alarm_at: "2026-05-01T14:09:30.123Z",
          last_error: { at: "2026-05-01T14:09:30.123Z", message: "Cannot list" },
          counters: {
            generations: 1,
            items: 2,
            sources: 3,
            outputs: 4,
            raw_bytes: 7,
            stored_bytes_before: 5,
            stored_bytes_after: 6,
            deleted_objects: 8,
          },
        },
      ],
    });
  });

  it("shows a shard that fails, counts the others, and doesn't know the watermark of its signal", async () => {
    const access = openFakeShards({
      shards: [...makeShards(2), ...makeShards(1, "traces")],
      answer: ({ signal, shard }) =>
        signal === "logs" && shard === 1 ? {} : { status: async (identity) => makeStatus(identity) },
    });

    const status = await readStatus(access, "acme", NOW);

    expect(status.watermark).toMatchObject({ logs: "unknown", traces: "2026-05-01T14:03:00.000Z" });
    expect([status.backlog_bytes, status.backlog_items]).toEqual([2000, 20]);
    expect(status.shards[1]).toEqual({ signal: "logs", shard: 1, error: "Network connection lost." });
  });

  it("fails as unavailable when the Directory can't be reached", async () => {
    await expect(readStatus(openLostDirectory(), "acme", NOW)).rejects.toMatchObject({ kind: "unavailable" });
  });
});

describe("readWatermark()", () => {
  it.each(SIGNALS)("follows the shards of %s and no others", async (signal) => {
    const access = openFakeShards({
      shards: SIGNALS.flatMap((each) => makeShards(1, each)),
      answer: (identity) => ({ watermark: async () => (identity.signal === signal ? EARLIER : 0) }),
    });

    expect(await readWatermark(access, { tenant: "acme", signal, now: NOW })).toBe(EARLIER);
  });

  const question = { tenant: "acme", signal: "logs", now: NOW } as const;

  it("is the current minute without shards", async () => {
    expect(await readWatermark(openFakeShards({ shards: [] }), question)).toBe(THIS_MINUTE);
  });

  it("is the earliest of the signal's shards", async () => {
    const access = openFakeShards({
      shards: [...makeShards(3), ...makeShards(1, "traces")],
      answer: ({ signal, shard }) => ({
        watermark: async () => (signal === "traces" ? 0 : shard === 1 ? EARLIER : THIS_MINUTE + 60_000),
      }),
    });

    expect(await readWatermark(access, question)).toBe(EARLIER);
  });

  it("is unknown when a shard can't be asked", async () => {
    const access = openFakeShards({
      shards: makeShards(3),
      answer: ({ shard }) => (shard === 0 ? {} : { watermark: async () => EARLIER }),
    });

    expect(await readWatermark(access, question)).toBe("unknown");
  });

  it("is unknown when the Directory can't be asked (protocol 6.6)", async () => {
    expect(await readWatermark(openLostDirectory(), question)).toBe("unknown");
  });
});
