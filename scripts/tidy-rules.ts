/**
 * What STYLE.md asks of files beyond imports: sizes, headers, a README in each room, no default exports, no open
 * ends, links that lead somewhere. A pure function: files in, violations out.
 */
import { posix } from "node:path";
import type { Violation } from "./import-rules.ts";
import { lineAt, scanSource, type SourceFile } from "./source-scan.ts";

const MAX_FILE_LINES = 300;
/** A list of one-line facts that must be one file: every bound stands in it. */
const LIMITS_FILE = "src/limits.ts";
const MAX_LINE_CHARS = 120;
const MAX_README_LINES = 25;
/** A header that lifts the limit of lines stands this early. */
const HEADER_LINES = 12;

/** Checks every rule over the files of the repository. */
export function checkTidiness(files: readonly SourceFile[]): readonly Violation[] {
  const paths = files.map(({ path }) => path);
  return [
    ...files.flatMap((file) => (file.path.endsWith(".ts") ? checkSource(file) : [])),
    ...checkRooms(files),
    ...files.flatMap((file) => (isPage(file.path) ? checkLinks(file, paths) : [])),
  ];
}

function checkSource(file: SourceFile): readonly Violation[] {
  const { path, text } = file;
  if (path.endsWith(".generated.ts") || path.endsWith(".d.ts")) return [];
  const lines = text.replace(/\n$/, "").split("\n");
  const faults: Violation[] = [];
  const fault = (line: number, rule: string, message: string): number => faults.push({ path, line, rule, message });
  const header = lines.slice(0, HEADER_LINES).join("\n");
  const mayBeLong = path === LIMITS_FILE || (/hot path/i.test(header) && /\bbench\b/.test(header));
  if (lines.length > MAX_FILE_LINES && !mayBeLong)
    fault(MAX_FILE_LINES + 1, "size", `has ${lines.length} lines, expected at most ${MAX_FILE_LINES}`);
  for (const [i, line] of lines.entries()) {
    const length = Array.from(line).length;
    if (length > MAX_LINE_CHARS) fault(i + 1, "line", `has ${length} characters, expected at most ${MAX_LINE_CHARS}`);
  }
  const isHeaded = text.startsWith("/**") || !/^(src|scripts|cli)\//.test(path);
  if (!isHeaded) fault(1, "header", "does not begin with a /** header");
  const { code, comments } = scanSource(text);
  const find = (where: string, pattern: RegExp, rule: string, message: string): void => {
    for (const { index } of where.matchAll(pattern)) fault(lineAt(where, index), rule, message);
  };
  if (path.startsWith("src/") && path !== "src/index.ts")
    find(code, /\bexport\s+default\b/g, "default", "exports a default: only src/index.ts does");
  find(comments, /\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))/g, "todo", "has an open end without an issue number");
  if (path.startsWith("test/"))
    find(code, /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo|fails)\b/g, "skip", "skips tests");
  return faults;
}

/** Each folder of `src/` that holds sources, and `cli/`, explains itself, and its list of files is true. */
function checkRooms(files: readonly SourceFile[]): readonly Violation[] {
  const rooms = new Set(files.flatMap(({ path }) => /^(src\/[^/]+|cli)\/.*\.ts$/.exec(path)?.[1] ?? []));
  return [...rooms].flatMap((room) => {
    const path = `${room}/README.md`;
    const readme = files.find((file) => file.path === path);
    if (readme === undefined) return [{ path, line: 1, rule: "readme", message: "is missing" }];
    const inside = files.flatMap((file) =>
      file.path.startsWith(`${room}/`) && file.path !== path ? [file.path.slice(`${room}/`.length)] : [],
    );
    return checkReadme(readme, inside);
  });
}

function checkReadme({ path, text }: SourceFile, inside: readonly string[]): readonly Violation[] {
  const fault = (line: number, message: string): Violation => ({ path, line, rule: "readme", message });
  const lines = text.replace(/\n$/, "").split("\n").length;
  const faults =
    lines > MAX_README_LINES ? [fault(lines, `has ${lines} lines, expected at most ${MAX_README_LINES}`)] : [];
  const start = text.search(/^(?:#+ *)?(?:\*\*)?Files\b/m);
  if (start === -1) return [...faults, fault(1, 'has no list "Files:"')];
  const named = [...text.slice(start).matchAll(/`([\w./-]+(?:\.\w+|\/))`/g)].map(({ 1: name = "", index }) => ({
    name,
    line: lineAt(text, start + index),
  }));
  for (const { name, line } of named)
    if (!inside.some((file) => covers(name, file))) faults.push(fault(line, `names "${name}", which does not exist`));
  for (const file of inside)
    if (!named.some(({ name }) => covers(name, file))) faults.push(fault(1, `does not name "${file}"`));
  return faults;
}

/** A folder's name covers all of its files. */
function covers(name: string, file: string): boolean {
  return name.endsWith("/") ? file.startsWith(name) : file === name;
}

function isPage(path: string): boolean {
  return path === "README.md" || /^docs\/.*\.md$/.test(path);
}

/** Links to files of the repository lead to files or folders that exist. */
function checkLinks({ path, text }: SourceFile, paths: readonly string[]): readonly Violation[] {
  const faults: Violation[] = [];
  for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    const [target = ""] = (match[1] ?? "").split("#");
    if (target === "" || /^[a-z]+:/i.test(target)) continue;
    const file = posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/$/, "");
    if (!paths.some((known) => known === file || known.startsWith(`${file}/`)))
      faults.push({
        path,
        line: lineAt(text, match.index),
        rule: "link",
        message: `leads to "${target}", which does not exist`,
      });
  }
  return faults;
}
