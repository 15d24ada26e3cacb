/**
 * `npm run check:imports`: the import rules and the tidiness rules over the whole repository, one line each fault.
 * The rules are in `import-rules.ts` and `tidy-rules.ts`, their table in `rooms.ts`.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkImports, type Violation } from "./import-rules.ts";
import type { SourceFile } from "./source-scan.ts";
import { checkTidiness } from "./tidy-rules.ts";

const ROOT = join(import.meta.dirname, "..");

/** Reads what git knows or would add; what is ignored is nobody's concern, and what is binary has no text here. */
export function readRepository(): readonly SourceFile[] {
  const listing = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return listing.split("\0").flatMap((path) => {
    if (path === "" || !existsSync(join(ROOT, path))) return [];
    return [{ path, text: /\.(ts|md)$/.test(path) ? readFileSync(join(ROOT, path), "utf8") : "" }];
  });
}

/** Checks everything. */
export function checkRepository(): readonly Violation[] {
  const files = readRepository().filter(({ path }) => !path.startsWith("proto/"));
  return [...checkImports(files), ...checkTidiness(files)];
}

/** Renders a fault as one line that editors can follow. */
export function formatViolation({ path, line, rule, message }: Violation): string {
  return `${path}:${line} ${rule} ${message}`;
}

if (process.argv[1] === import.meta.filename) {
  const violations = checkRepository();
  for (const violation of violations) console.error(formatViolation(violation));
  console.log(violations.length === 0 ? "Imports and tidiness: no faults" : `${violations.length} faults`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
