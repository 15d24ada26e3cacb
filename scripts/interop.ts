/**
 * `npm run interop [-- --write] [-- --only collector|s3|jaeger|duckdb …]`: real telemetry through real foreign tools
 * against a local Firn, item by item. Builds the tools once, from package registries, into the user's cache: some
 * minutes and a Go, so that it is not part of the tests. `--write` puts the results into `docs/interop.md`. Ends with
 * an error when a check fails.
 */
import { parseArgs } from "node:util";
import { checkReplays, fillByCollector } from "./interop/collector-checks.ts";
import { openReport, writePage } from "./interop/report.ts";
import { checkExporter, checkReceiver } from "./interop/s3-checks.ts";
import { openStage } from "./interop/stage.ts";
import { askForModule, findCollector, findDuckdb, findJaeger } from "./interop/tools.ts";
import { checkDuckdb, checkJaeger } from "./interop/viewer-checks.ts";

const CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib";
/** What stands in for them, or checks their format, goes when they are served. */
const ABSENT = [
  `${CONTRIB}/receiver/otlpjsonfilereceiver@v0.165.1`,
  `${CONTRIB}/receiver/awss3receiver@v0.165.1`,
  `${CONTRIB}/exporter/awss3exporter@v0.165.1`,
  "github.com/ymtdzzz/otel-tui@latest",
];

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: { write: { type: "boolean" }, only: { type: "string", multiple: true } } });
  const isWanted = (part: string): boolean => values.only?.includes(part) ?? true;
  const report = openReport();
  for (const module of ABSENT) report.leaveOut(module, "`go mod download`", await askForModule(module));
  const collector = await findCollector();
  if (collector.kind === "absent") throw new Error(`Cannot build the Collector: ${collector.reason}`);
  const jaeger = isWanted("jaeger") ? await findJaeger() : null;
  const duckdb = isWanted("duckdb") ? await findDuckdb() : null;
  const stage = await openStage();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stage.stop().finally(() => process.exit(130)));
  }
  try {
    const filled = await fillByCollector(stage, collector, report);
    if (isWanted("collector")) await checkReplays(stage, collector, filled, report);
    if (jaeger?.kind === "absent") report.leaveOut("Jaeger", "build", jaeger.reason);
    else if (jaeger !== null) await checkJaeger(stage, jaeger, filled, report);
    if (duckdb?.kind === "absent") report.leaveOut("DuckDB", "install", duckdb.reason);
    else if (duckdb !== null) await checkDuckdb(stage, duckdb, filled, report);
    if (isWanted("s3")) {
      await checkReceiver(stage, collector, filled, report);
      await checkExporter(stage, collector, report);
    }
  } finally {
    await stage.stop();
  }
  if (values.write === true) writePage(report.results, new Date());
  return report.results.every(({ outcome }) => outcome !== "failed");
}

try {
  process.exit((await main()) ? 0 : 1);
} catch (error) {
  console.error(error);
  process.exit(1);
}
