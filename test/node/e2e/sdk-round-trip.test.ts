/**
 * The official OpenTelemetry JS SDK against a real local Firn, in every encoding and coding that its exporters have:
 * every item comes back as the SDK recorded it, in `jsonl` and in `proto`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareItems, formatComparison } from "../../../scripts/demo/compare.ts";
import { runShop } from "../../../scripts/demo/shop.ts";
import { startTelemetry } from "../../../scripts/demo/telemetry.ts";
import { flushAll, formatReplayUrl, replay, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";
import { formatJson, listItems, SIGNALS, toObject, type Item, type Signal } from "../../../scripts/otlp-items.ts";
import { decodeProtobuf } from "../../../scripts/otlp-protobuf.ts";

const ORDERS = 40;
const WAYS = [
  { encoding: "protobuf", compression: "gzip" },
  { encoding: "protobuf", compression: "none" },
  { encoding: "json", compression: "gzip" },
  { encoding: "json", compression: "none" },
] as const;

describe("SDK round trip", () => {
  const sent: Record<Signal, Item[]> = { traces: [], metrics: [], logs: [] };
  const began = Date.now();
  let directory: string;
  let firn: LocalFirn;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "firn-sdk-"));
    firn = await startLocalFirn({ port: await findFreePort(), persistTo: directory });
    for (const way of WAYS) {
      const telemetry = startTelemetry({ url: firn.url, serviceName: "shop", ...way });
      await runShop(telemetry, ORDERS);
      await telemetry.flush();
      await telemetry.shutdown();
      for (const signal of SIGNALS) sent[signal].push(...telemetry.sent[signal]);
    }
    await flushAll(firn.url);
  });

  afterAll(async () => {
    await firn.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("the SDK sent what an instrumented program has", () => {
    const kinds = new Set(sent.metrics.map(({ content }) => formatJson(toObject(content["metric"])["kind"])));

    expect(sent.traces).toHaveLength(WAYS.length * ORDERS * 3);
    expect(sent.logs).toHaveLength(WAYS.length * ORDERS * 2);
    expect([...kinds].toSorted()).toEqual(["exponentialHistogram", "gauge", "histogram", "sum"]);
  });

  test.each(SIGNALS)("%s come back in jsonl, each item once and unchanged", async (signal) => {
    const { items, mark } = await replay(firn.url, signal, toWindow(began, Date.now()));

    expect(formatComparison(compareItems(sent[signal], items))).toBe("nothing differs");
    expect(mark).toMatchObject({ items: sent[signal].length, unreadable: 0 });
  });

  test.each(SIGNALS)("%s come back in proto, each item once and unchanged", async (signal) => {
    const response = await fetch(formatReplayUrl(firn.url, signal, toWindow(began, Date.now()), "proto"));
    const request = decodeProtobuf(signal, new Uint8Array(await response.arrayBuffer()));

    expect(response.status).toBe(200);
    expect(formatComparison(compareItems(sent[signal], listItems(signal, request)))).toBe("nothing differs");
  });
});
