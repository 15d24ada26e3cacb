/** A fuzz run in words: what was tried, what came back, what was found and how to repeat it. */
import type { Finding, FuzzReport } from "./run.ts";

const MIB = 1024 * 1024;
/** Of a body that is quoted; a longer one can be made again from the seed. */
const MAX_QUOTED_BYTES = 6000;

/** Formats a report, one line a fact. */
export function formatReport(report: FuzzReport, again: string): string {
  const rate = Math.round((report.bodies + report.controls) / report.seconds);
  const lines = [
    `archive: ${report.form}`,
    `${report.bodies} mutated bodies, ${report.controls} controls, ${report.seconds.toFixed(1)} s, ${rate} a second`,
    `kinds: ${formatCounts(report.kinds)}`,
    `answers: ${formatCounts(report.statuses)}; ${report.messages} different error messages`,
    `memory of workerd after the warm-up: ${formatMemory(report.memory)}`,
    ...report.readBack.map(
      ({ format, itemCount, byteCount, controls }) =>
        `read back as ${format}: ${itemCount} items in ${formatMib(byteCount)}, ${controls.length} of them controls`,
    ),
    ...report.findings.map(formatFinding),
    report.findings.length === 0 ? "nothing found" : `${report.findings.length} findings`,
    `again: ${again}`,
  ];
  return lines.join("\n");
}

function formatFinding({ what, mutant }: Finding): string {
  if (mutant === undefined) return `FOUND ${what}`;
  const { kind, method, path, contentType, contentEncoding, framing, body } = mutant;
  const head = [
    `FOUND ${what}`,
    `  ${kind}: ${method} ${path}, type ${contentType}, coding ${contentEncoding}, ${framing}, ${body.length} bytes`,
  ];
  if (body.length > MAX_QUOTED_BYTES) return head.join("\n");
  return [...head, `  base64 ${Buffer.from(body).toString("base64")}`].join("\n");
}

function formatMemory({ first, last, peak, growth }: FuzzReport["memory"]): string {
  return Object.entries({ first, last, peak, growth })
    .map(([name, bytes]) => `${name} ${formatMib(bytes)}`)
    .join(", ");
}

function formatMib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function formatCounts(counts: ReadonlyMap<string | number, number>): string {
  const entries = [...counts].toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  return entries.map(([name, number]) => `${name} ${number}`).join(", ");
}
