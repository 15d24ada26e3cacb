/**
 * The official OpenTelemetry JS SDK against a real local Firn, with every exporter, encoding, coding and temporality
 * that it has: every item comes back as the SDK recorded it, in every format of replay. (The JS SDK makes no exemplars;
 * `senders.test.ts` sends some as the SDKs do that make them.)
 */
import { AggregationTemporalityPreference } from "@opentelemetry/exporter-metrics-otlp-http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareItems, formatComparison } from "../../../scripts/demo/compare.ts";
import { runShop } from "../../../scripts/demo/shop.ts";
import { startTelemetry, type TelemetryOptions } from "../../../scripts/demo/telemetry.ts";
import { flushAll, formatReplayUrl, replay, toWindow } from "../../../scripts/firn-client.ts";
import { findFreePort, startLocalFirn, type LocalFirn } from "../../../scripts/local-firn.ts";
import {
  formatJson,
  listItems,
  SIGNALS,
  toObject,
  type Item,
  type Json,
  type Signal,
} from "../../../scripts/otlp-items.ts";
import { decodeProtobuf } from "../../../scripts/otlp-protobuf.ts";
import { createBrowserExporters, onPage } from "./sdk-browser.ts";
import { openInstruments } from "./sdk-meters.ts";

const ORDERS = 40;
const PAGE_ORDERS = 8;
const WAYS = [
  { encoding: "protobuf", compression: "gzip" },
  { encoding: "protobuf", compression: "none" },
  { encoding: "json", compression: "gzip" },
  { encoding: "json", compression: "none" },
] as const;
const TEMPORALITIES = ["DELTA", "CUMULATIVE", "LOWMEMORY"] as const;
const PAGE = "https://app.example";

describe("SDK round trip", () => {
  const sent: Record<Signal, Item[]> = { traces: [], metrics: [], logs: [] };
  const began = Date.now();
  let directory: string;
  let firn: LocalFirn;

  async function sendShop(options: TelemetryOptions, orders: number): Promise<void> {
    const telemetry = startTelemetry(options);
    await runShop(telemetry, orders);
    await telemetry.flush();
    await telemetry.shutdown();
    for (const signal of SIGNALS) sent[signal].push(...telemetry.sent[signal]);
  }

  async function sendInstruments(options: TelemetryOptions): Promise<void> {
    const telemetry = startTelemetry(options);
    const record = openInstruments(telemetry.meter);
    for (let round = 0; round < 2; round += 1) {
      record();
      await telemetry.flush();
    }
    await telemetry.shutdown();
    sent.metrics.push(...telemetry.sent.metrics);
  }

  async function sendFromPage(encoding: "protobuf" | "json"): Promise<void> {
    const { url } = firn;
    const exporters = await createBrowserExporters(url, encoding);
    await onPage(PAGE, () =>
      sendShop({ url, serviceName: "page", encoding, compression: "none", exporters }, PAGE_ORDERS),
    );
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "firn-sdk-"));
    firn = await startLocalFirn({ port: await findFreePort(), persistTo: directory });
    const { url } = firn;
    for (const way of WAYS) {
      await sendShop({ url, serviceName: "shop", ...way }, ORDERS);
      for (const name of TEMPORALITIES) {
        const temporality = AggregationTemporalityPreference[name];
        await sendInstruments({ url, serviceName: `all-${name}`, temporality, ...way });
      }
    }
    await sendFromPage("protobuf");
    await sendFromPage("json");
    await flushAll(url);
  });

  afterAll(async () => {
    await firn.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("the SDK sent what an instrumented program has", () => {
    const listMetric = (field: string): readonly string[] =>
      [...new Set(sent.metrics.map(({ content }) => formatJson(toObject(content["metric"])[field])))].toSorted();

    expect(sent.traces).toHaveLength((WAYS.length * ORDERS + 2 * PAGE_ORDERS) * 3);
    expect(sent.logs).toHaveLength((WAYS.length * ORDERS + 2 * PAGE_ORDERS) * 2);
    expect(listMetric("kind")).toEqual(["exponentialHistogram", "gauge", "histogram", "sum"]);
    expect(listMetric("aggregationTemporality")).toEqual(["1", "2", "null"]);
    expect(listMetric("isMonotonic")).toEqual(["null", "true"]);
  });

  test.each(SIGNALS)("%s come back in jsonl, each item once and unchanged", async (signal) => {
    const { items, mark } = await replay(firn.url, signal, toWindow(began, Date.now()));

    expect(formatComparison(compareItems(sent[signal], items))).toBe("nothing differs");
    expect(mark).toMatchObject({ items: sent[signal].length, unreadable: 0 });
  });

  test.each(SIGNALS)("%s come back in json, each item once and unchanged", async (signal) => {
    const response = await fetch(formatReplayUrl(firn.url, signal, toWindow(began, Date.now()), "json"));
    const document = toObject((await response.json()) as Json);

    expect(response.status).toBe(200);
    expect(formatComparison(compareItems(sent[signal], listItems(signal, document)))).toBe("nothing differs");
  });

  test.each(SIGNALS)("%s come back in proto, each item once and unchanged", async (signal) => {
    const response = await fetch(formatReplayUrl(firn.url, signal, toWindow(began, Date.now()), "proto"));
    const request = decodeProtobuf(signal, new Uint8Array(await response.arrayBuffer()));

    expect(response.status).toBe(200);
    expect(formatComparison(compareItems(sent[signal], listItems(signal, request)))).toBe("nothing differs");
  });
});
