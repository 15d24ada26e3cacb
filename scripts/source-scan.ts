/**
 * Reads TypeScript just far enough for the repository's checks: what is code, what is comment, what is text, and
 * which modules a file imports. TypeScript 7 has no JavaScript API; a scanner of a page is enough, because the
 * formatter keeps imports in one shape.
 */

/** One file of the repository; the path is relative to its root and uses slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The same text three times, each with everything else blanked, so that offsets and lines stay. */
export interface ScannedSource {
  /** Without comments and without the inside of strings, templates and regular expressions. */
  readonly code: string;
  /** Without comments. */
  readonly withStrings: string;
  readonly comments: string;
}

/** An import or a re-export of another module. */
export interface ImportStatement {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly reExport: boolean;
  /** 1 for the first line. */
  readonly line: number;
}

/** After these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:[([{,;:=!&|?+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete)|=>|^)\s*$/;

type Region = "code" | "text" | "comment";

/** Splits a source into code, strings and comments. */
export function scanSource(text: string): ScannedSource {
  const regions: Region[] = [];
  const mark = (length: number, region: Region): void => {
    for (let i = 0; i < length; i++) regions.push(region);
  };
  // A template is left at `${` and entered again at the matching `}`; each entry counts the braces open inside.
  const templates: number[] = [];
  while (regions.length < text.length) {
    const at = regions.length;
    const comment = matchAt(/\/\/[^\n]*|\/\*[\s\S]*?\*\//y, text, at);
    if (comment > 0) {
      mark(comment, "comment");
      continue;
    }
    const quoted = matchAt(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y, text, at);
    if (quoted > 0 || isRegexStart(text, at)) {
      const length = quoted > 0 ? quoted : matchAt(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y, text, at);
      mark(1, "code");
      mark(Math.max(length - 2, 0), "text");
      mark(Math.min(length - 1, 1), "code");
      continue;
    }
    const depth = templates.at(-1);
    if (text[at] === "`" || (text[at] === "}" && depth === 0)) {
      if (text[at] === "}") templates.pop();
      const length = matchAt(/[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y, text, at);
      const closing = text.startsWith("${", at + length - 2) && text[at + length - 1] === "{" ? 2 : 1;
      if (closing === 2) templates.push(0);
      mark(1, "code");
      mark(Math.max(length - 1 - closing, 0), "text");
      mark(length === 0 ? 0 : closing, "code");
      continue;
    }
    if (depth !== undefined && text[at] === "{") templates[templates.length - 1] = depth + 1;
    if (depth !== undefined && text[at] === "}") templates[templates.length - 1] = depth - 1;
    mark(1, "code");
  }
  const keep = (...kept: readonly Region[]): string =>
    // Code units on purpose: offsets into the text must stay what they are.
    Array.from({ length: text.length }, (_, i) => {
      const char = text.charAt(i);
      return char === "\n" || kept.includes(regions[i] ?? "code") ? char : " ";
    }).join("");
  return { code: keep("code"), withStrings: keep("code", "text"), comments: keep("comment") };
}

function isRegexStart(text: string, at: number): boolean {
  return (
    text[at] === "/" &&
    BEFORE_REGEX.test(text.slice(Math.max(at - 40, 0), at)) &&
    matchAt(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y, text, at) > 0
  );
}

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

const FROM = /\b(import|export)\s+(type\s+)?([\w$\s{},*]+?)\s*\bfrom\s*["']([^"'\n]+)["']/g;
const BARE = /\bimport\s*(\(\s*)?["']([^"'\n]+)["']/g;

/** Lists a file's imports and re-exports, in the order of the file's lines. */
export function listImports(scanned: ScannedSource): readonly ImportStatement[] {
  const text = scanned.withStrings;
  const found: ImportStatement[] = [];
  for (const match of text.matchAll(FROM)) {
    if (scanned.code.charAt(match.index) === " ") continue; // inside a string
    const [, keyword, type, clause = "", specifier = ""] = match;
    found.push({
      specifier,
      typeOnly: type !== undefined || isInlineTypeOnly(clause),
      reExport: keyword === "export",
      line: lineAt(text, match.index),
    });
  }
  for (const match of text.matchAll(BARE)) {
    if (scanned.code.charAt(match.index) === " ") continue;
    found.push({ specifier: match[2] ?? "", typeOnly: false, reExport: false, line: lineAt(text, match.index) });
  }
  return found.toSorted((a, b) => a.line - b.line);
}

/** `import { type A, type B }` imports types only. */
function isInlineTypeOnly(clause: string): boolean {
  const names = /^\s*\{([^}]*)\}\s*$/
    .exec(clause)?.[1]
    ?.split(",")
    .filter((name) => name.trim() !== "");
  return names !== undefined && names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}

/** Line number of an offset, 1 for the first. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}
