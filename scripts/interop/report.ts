/** What came of the checks, and the table that `docs/interop.md` shows of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toErrorMessage } from "../../src/errors.ts";

const PAGE = join(import.meta.dirname, "../../docs/interop.md");
const [BEGIN, END] = ["<!-- results: begin -->", "<!-- results: end -->"];

/** A row of the table. */
export interface Result {
  readonly tool: string;
  readonly check: string;
  readonly outcome: "passed" | "failed" | "not run";
  readonly detail: string;
}

/** Gathers results while they come. */
export interface Report {
  readonly results: readonly Result[];
  /** Runs a check; one that throws has failed, and the next one goes on. */
  readonly check: (tool: string, check: string, run: () => Promise<string>) => Promise<void>;
  readonly leaveOut: (tool: string, check: string, reason: string) => void;
}

/** Opens a report that prints each result. */
export function openReport(): Report {
  const results: Result[] = [];
  const add = (result: Result): void => {
    results.push(result);
    console.log(`${result.outcome}: ${result.tool}, ${result.check}: ${result.detail}`);
  };
  return {
    results,
    check: async (tool, check, run) => {
      try {
        add({ tool, check, outcome: "passed", detail: await run() });
      } catch (error) {
        add({ tool, check, outcome: "failed", detail: toErrorMessage(error) });
      }
    },
    leaveOut: (tool, check, reason) => add({ tool, check, outcome: "not run", detail: reason }),
  };
}

/** Puts the table into the page. */
export function writePage(results: readonly Result[], now: Date): void {
  const text = readFileSync(PAGE, "utf8");
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`Cannot write ${PAGE}: its marks "${BEGIN}" and "${END}" are gone`);
  const rows = results.map(
    ({ tool, check, outcome, detail }) => `| ${[tool, check, outcome, detail].map(escape).join(" | ")} |`,
  );
  const table = ["| tool | check | outcome | found |", "| --- | --- | --- | --- |", ...rows].join("\n");
  const date = now.toISOString().slice(0, 10);
  writeFileSync(PAGE, `${text.slice(0, before)}${BEGIN}\n\nRun of ${date}.\n\n${table}\n\n${text.slice(after)}`);
}

function escape(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}
