/** The doctor's document as text for a terminal: plain, without colours, the verdict first. Pure. */
import type { DoctorDocument, Policy, StepReport, StoreReport } from "./document.ts";

/** Formats the whole document; ends in a line feed. */
export function formatDoctor(document: DoctorDocument): string {
  const { settings, warnings, errors, stores, advice } = document;
  const names = Object.keys(settings).toSorted();
  const width = Math.max(0, ...names.map((name) => name.length));
  const sections = [
    [formatVerdict(document)],
    titled("Errors", errors.map(toItem)),
    titled("Warnings", warnings.map(toItem)),
    ...stores.map(formatStore),
    titled(
      "Settings",
      names.map((name) => `  ${name.padEnd(width)}  ${settings[name] === "" ? '""' : String(settings[name])}`),
    ),
    ...Object.entries(advice.policies).map(([group, policies]) =>
      titled(
        `Least rights for ${group}`,
        Object.entries(policies).flatMap(([role, policy]) => formatPolicy(role, policy)),
      ),
    ),
    ...Object.entries(advice.lifecycle).map(([group, lifecycle]) =>
      titled(`Lifecycle rules for ${group}`, lifecycle === null ? [] : formatJson(lifecycle)),
    ),
    ...Object.entries(advice.commands).map(([group, commands]) =>
      titled(
        `Commands for the bucket of ${group}`,
        commands.map((command) => `  ${command}`),
      ),
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function formatVerdict({ ok, errors, warnings }: DoctorDocument): string {
  const verdict = ok ? "all is well" : `${errors.length} of the checks failed`;
  return `Firn's doctor: ${verdict}, warnings: ${warnings.length}`;
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function toItem(sentence: string): string {
  return `  - ${sentence}`;
}

function formatStore({ group, store, identity, prefix, steps }: StoreReport): readonly string[] {
  return titled(`${group}: ${store}, ${identity}, prefix "${prefix}"`, steps.flatMap(formatStep));
}

function formatStep(report: StepReport): readonly string[] {
  const start = `  ${report.outcome.padEnd(8)} ${report.access.padEnd(8)} ${report.step.padEnd(16)}`;
  if (report.outcome === "ok") return [`${start} ${report.duration_ms} ms`];
  if (report.outcome === "skipped") return [`${start} ${report.reason}`];
  const needs = report.permissions.length === 0 ? [] : [`${" ".repeat(37)}needs ${report.permissions.join(", ")}`];
  return [`${start} ${report.kind}: ${report.message}`, ...needs];
}

function formatPolicy(role: string, policy: Policy): readonly string[] {
  return typeof policy === "string" ? [`  ${role}: ${policy}`] : [`  ${role}:`, ...formatJson(policy)];
}

function formatJson(value: object): readonly string[] {
  return JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => `    ${line}`);
}
