/**
 * Rules I1 to I11 of STYLE.md section 3 as a pure function: files in, violations out. Which room may import what
 * stands in `rooms.ts`; which files there are is the caller's business.
 */
import { posix } from "node:path";
import { BANNED_NAMES, CLI_FILES, CLI_IMPORTS, HTTP_SIDE, OUTER_FOLDERS, ROOMS, type Room } from "./rooms.ts";
import {
  lineAt,
  listImports,
  scanSource,
  type ImportStatement,
  type ScannedSource,
  type SourceFile,
} from "./source-scan.ts";

/** One broken rule at one place. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** What a format may not touch (I3): time, chance, network, console, timers. `new Date(value)` is a pure conversion. */
const IMPURE: readonly RegExp[] = [
  /(?<![\w.$])fetch\s*\(/g,
  /\bDate\.now\b/g,
  /\bnew\s+Date\s*(?:\(\s*\)|(?![\w\s(]))/g,
  /(?<![\w.$]|new\s)Date\s*\(/g,
  /\bperformance\b/g,
  /\bMath\.random\b/g,
  /\bcrypto\s*\.\s*(?:getRandomValues|randomUUID)\b/g,
  /\bconsole\b/g,
  /(?<![\w.$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
];

/** Ways to read a property of `env` (I7). */
const ENV_READS: readonly RegExp[] = [
  /(?<!meta\.)\benv\s*(?:\?\.|\.)\s*[\w$[]/g,
  /(?<!meta\.)\benv\s*\[/g,
  /\{[^{}=]*\}\s*=\s*(?:this\.|\w+\.)?env\b/g,
];

const FILE_ENDING = /\.[^./]+$/;

/** Checks every rule over the sources of the repository. */
export function checkImports(files: readonly SourceFile[]): readonly Violation[] {
  const sources = files.filter(({ path }) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
  const known = new Set(sources.map(({ path }) => path));
  const edges = new Map<string, readonly Edge[]>();
  const violations = files.flatMap(checkName);
  for (const file of sources) {
    const scanned = scanSource(file.text);
    const found = listImports(scanned).map((statement) => toEdge(file.path, statement));
    edges.set(file.path, found);
    for (const edge of found) violations.push(...checkEdge(edge, known));
    if (file.path.startsWith("src/")) violations.push(...checkGlobals(file, scanned));
  }
  return [...violations, ...findCycles(edges)];
}

/** An import with its target: a path of the repository, or a package. */
interface Edge extends ImportStatement {
  readonly path: string;
  readonly target:
    { readonly kind: "file"; readonly path: string } | { readonly kind: "package"; readonly name: string };
}

function toEdge(path: string, statement: ImportStatement): Edge {
  const { specifier } = statement;
  if (!specifier.startsWith(".")) return { ...statement, path, target: { kind: "package", name: specifier } };
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  return { ...statement, path, target: { kind: "file", path: target } };
}

function checkEdge(edge: Edge, known: ReadonlySet<string>): readonly Violation[] {
  const fault = (rule: string, message: string): Violation => ({ path: edge.path, line: edge.line, rule, message });
  const room = findRoom(edge.path);
  const { target } = edge;
  if (target.kind === "package") {
    if (!edge.path.startsWith("src/")) return [];
    return room === null || hasPackage(room, edge.path, target.name)
      ? []
      : [fault(packageRule(target.name), `"${target.name}" is not for this file, see the packages of "${room.name}"`)];
  }
  const faults: Violation[] = [];
  if (!target.path.endsWith(".ts")) faults.push(fault("I9", `"${edge.specifier}" has no .ts ending`));
  else if (!known.has(target.path)) faults.push(fault("I9", `"${edge.specifier}" does not exist`));
  if (edge.path.startsWith("cli/")) faults.push(...checkCli(edge, target.path, fault));
  if (!edge.path.startsWith("src/") || room === null) return faults;
  if (edge.reExport && edge.path !== "src/index.ts")
    faults.push(fault("I9", `"${edge.specifier}" is exported again: import the file that defines the name`));
  const outer = OUTER_FOLDERS.find((folder) => target.path.startsWith(`${folder}/`));
  if (outer !== undefined) return [...faults, fault("I11", `src/ does not import from ${outer}/`)];
  const reason = refuse(room, edge, target.path);
  return reason === null ? faults : [...faults, fault(...reason)];
}

/** Says why a room may not import a file of `src/`, or `null` when it may. */
function refuse(room: Room, edge: Edge, target: string): readonly [rule: string, message: string] | null {
  const other = findRoom(target);
  if (other === null) return ["I1", `"${target}" is in no room of the table`];
  if (other.name === room.name) return null;
  if (room.name === "durable-objects" && HTTP_SIDE.test(target))
    return ["I1", `"durable-objects" does not know the HTTP side, found "${target}"`];
  if (room.imports.includes("*") || room.imports.includes(other.name)) return null;
  const both = room.kind === "feature" && other.kind === "feature";
  if (!room.types.includes(other.name))
    return [both ? "I2" : room.kind === "format" ? "I3" : "I1", `"${room.name}" does not import "${other.name}"`];
  if (!edge.typeOnly) return [both ? "I2" : "I1", `"${room.name}" imports only types from "${other.name}"`];
  if (both && !target.endsWith("/contract.ts"))
    return ["I2", `"${room.name}" meets "${other.name}" through its contract.ts only`];
  return null;
}

function checkCli(
  edge: Edge,
  target: string,
  fault: (rule: string, message: string) => Violation,
): readonly Violation[] {
  if (!target.startsWith("src/")) return [];
  const room = findRoom(target);
  const isContract = edge.typeOnly && target.endsWith("/contract.ts");
  return isContract || CLI_FILES.includes(target) || (room !== null && CLI_IMPORTS.includes(room.name))
    ? []
    : [fault("I11", `cli/ imports formats, vocabulary, config.ts and contracts only, found "${edge.specifier}"`)];
}

function findRoom(path: string): Room | null {
  const name = path.split("/")[1]?.replace(FILE_ENDING, "");
  return path.startsWith("src/") ? (ROOMS.find((room) => room.name === name) ?? null) : null;
}

function hasPackage(room: Room, path: string, name: string): boolean {
  const inside = path.slice("src/".length);
  return room.packages.some(
    (right) => (name === right.name || name.startsWith(`${right.name}/`)) && (right.files?.test(inside) ?? true),
  );
}

function packageRule(name: string): string {
  if (name.startsWith("hono")) return "I4";
  if (name.startsWith("cloudflare:")) return "I5";
  if (name === "aws4fetch") return "I6";
  return name.startsWith("node:") ? "I8" : "I12";
}

function checkName({ path }: SourceFile): readonly Violation[] {
  const faults: Violation[] = [];
  const fault = (rule: string, message: string): number => faults.push({ path, line: 1, rule, message });
  for (const name of path.split("/")) {
    const bare = name.replace(/(\.test|\.generated)?\.\w+$/, "");
    if (BANNED_NAMES.has(bare)) fault("I10", `"${name}" names nothing: say what it is`);
  }
  if (/^src\/.*\/index\.ts$/.test(path)) fault("I9", "index.ts exists only at src/index.ts");
  if (path.startsWith("src/") && path.endsWith(".ts") && findRoom(path) === null)
    fault("I1", "is in no room: add a row to scripts/rooms.ts");
  return faults;
}

function checkGlobals(file: SourceFile, { code }: ScannedSource): readonly Violation[] {
  const find = (patterns: readonly RegExp[], rule: string, why: string): readonly Violation[] =>
    patterns.flatMap((pattern) =>
      [...code.matchAll(pattern)].map(({ 0: found, index }) => ({
        path: file.path,
        line: lineAt(code, index),
        rule,
        message: `"${found.trim()}" ${why}`,
      })),
    );
  return [
    ...(findRoom(file.path)?.kind === "format" ? find(IMPURE, "I3", "is not for formats: take it as an argument") : []),
    ...(file.path === "src/config.ts" ? [] : find(ENV_READS, "I7", "reads env: only src/config.ts does")),
  ];
}

/** Finds import cycles, type-only imports included; each is reported once, at its first file. */
function findCycles(edges: ReadonlyMap<string, readonly Edge[]>): readonly Violation[] {
  const faults: Violation[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const cycle = [...trail.slice(start), path].join(" → ");
      faults.push({ path, line: 1, rule: "I1", message: `imports itself in a circle: ${cycle}` });
      return;
    }
    if (done.has(path)) return;
    for (const { target } of edges.get(path) ?? []) if (target.kind === "file") visit(target.path, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return faults;
}
