/**
 * The exporters' browser builds, which send with `fetch`, loaded by their paths: Node resolves the packages to the
 * builds for Node. `fetch` of Node knows no CORS; what a browser asks before is asked by hand where it is tested.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Exporters } from "../../../scripts/demo/telemetry.ts";

const PACKAGES = join(import.meta.dirname, "../../../node_modules/@opentelemetry");
const NAMES = {
  traces: ["exporter-trace-otlp", "OTLPTraceExporter"],
  metrics: ["exporter-metrics-otlp", "OTLPMetricExporter"],
  logs: ["exporter-logs-otlp", "OTLPLogExporter"],
} as const;

type Signal = keyof typeof NAMES;
type ExporterClass<Exporter> = new (config: { readonly url: string }) => Exporter;

/** Makes exporters as a page would have them. @param url - base URL; each signal has its path below it */
export async function createBrowserExporters(url: string, encoding: "protobuf" | "json"): Promise<Exporters> {
  const make = async <Exporter>(signal: Signal): Promise<Exporter> => {
    const [name, className] = NAMES[signal];
    const build = `${name}-${encoding === "json" ? "http" : "proto"}/dist/platform/browser/index.mjs`;
    const loaded = (await import(pathToFileURL(join(PACKAGES, build)).href)) as Record<string, unknown>;
    const Exporter = loaded[className] as ExporterClass<Exporter>;
    return new Exporter({ url: `${url}/v1/${signal}` });
  };
  return { traces: await make("traces"), metrics: await make("metrics"), logs: await make("logs") };
}

/** Runs something where the exporters believe that they are on a page of another origin than Firn's. */
export async function onPage<T>(origin: string, run: () => Promise<T>): Promise<T> {
  Object.assign(globalThis, { location: new URL(origin), origin });
  try {
    return await run();
  } finally {
    Reflect.deleteProperty(globalThis, "location");
    Reflect.deleteProperty(globalThis, "origin");
  }
}
