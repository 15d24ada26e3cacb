/**
 * The table of STYLE.md section 2: which room of `src/` may import what. `check:imports` and `test/node/tidy.test.ts`
 * read this one table, so a new room is a new row here. What the rows mean is `import-rules.ts`'s business.
 */

/** A package that a room may import, and in which of its files. */
interface PackageRight {
  readonly name: string;
  /** Files of the room, relative to `src/`, that may import it; all of them when absent. */
  readonly files?: RegExp;
}

/** A row of the table. */
export interface Room {
  /** Folder of `src/`, or a file directly in it without its ending. */
  readonly name: string;
  /** A feature is met by other features through its `contract.ts` only (I2). */
  readonly kind: "vocabulary" | "format" | "outside" | "feature" | "root";
  /** Rooms whose values and types it may import; `"*"` is every room. */
  readonly imports: readonly string[];
  /** Rooms of which it may import types. */
  readonly types: readonly string[];
  readonly packages: readonly PackageRight[];
}

/** Words that name nothing (I10). */
export const BANNED_NAMES: ReadonlySet<string> = new Set(
  ["utils", "helpers", "common", "misc", "shared", "core", "lib", "types", "base", "manager"].flatMap((name) => [
    name,
    name.replace(/s$/, ""),
    `${name.replace(/s$/, "")}s`,
  ]),
);

/** Folders beside `src/` that nothing in `src/` imports (I11). */
export const OUTER_FOLDERS: readonly string[] = ["test", "cli", "bench", "examples", "scripts"];

const V: readonly string[] = ["units", "bytes", "signal", "limits", "read-limits", "errors"];
const V_LOG: readonly string[] = [...V, "log"];
/** Waiting within bounds, by timers that formats must not have. */
const WAITING: readonly string[] = ["stall-watch", "bounded-reader"];
/** Types that come along with `+log`. */
const LOG_TYPES: readonly string[] = ["config"];
const FORMATS: readonly string[] = ["otlp", "compression", "archive"];
const HONO_IN_ROUTES: PackageRight = { name: "hono", files: /^[^/]+\/routes\.ts$/ };

function vocabulary(name: string, imports: readonly string[]): Room {
  return { name, kind: "vocabulary", imports, types: [], packages: [] };
}

function format(name: string, packages: readonly string[] = []): Room {
  return { name, kind: "format", imports: V, types: [], packages: packages.map((known) => ({ name: known })) };
}

function outside(name: string, imports: readonly string[], packages: readonly PackageRight[] = []): Room {
  return { name, kind: "outside", imports: [...V_LOG, ...imports], types: LOG_TYPES, packages };
}

interface FeatureRights {
  readonly imports?: readonly string[];
  readonly types?: readonly string[];
  readonly packages?: readonly PackageRight[];
}

function feature(name: string, { imports = [], types = [], packages = [] }: FeatureRights): Room {
  return { name, kind: "feature", imports: [...V_LOG, ...imports], types: [...LOG_TYPES, ...types], packages };
}

/** Every room, from the vocabulary to the roots: arrows point up (I1). */
export const ROOMS: readonly Room[] = [
  ...V.map((name) => vocabulary(name, V)),
  vocabulary("log", V),
  vocabulary("stall-watch", V),
  vocabulary("bounded-reader", [...V, "stall-watch"]),
  vocabulary("config", [...V, "archive"]),
  format("otlp"),
  format("compression", ["node:zlib", "fflate"]),
  format("archive"),
  { name: "http-errors", kind: "outside", imports: [...V, "otlp"], types: [], packages: [] },
  outside("object-store", WAITING, [{ name: "aws4fetch", files: /^object-store\/s3\// }, { name: "fast-xml-parser" }]),
  outside("sinks", ["otlp", "compression"]),
  outside("auth", [], [{ name: "hono", files: /^auth\/middleware\.ts$/ }]),
  { ...outside("reader", [...FORMATS, ...WAITING]), types: [...LOG_TYPES, "object-store"] },
  feature("buffer", { imports: ["archive"], types: ["object-store"] }),
  feature("ingest", { imports: FORMATS, types: ["buffer", "auth"], packages: [HONO_IN_ROUTES] }),
  feature("forward", { types: ["buffer", "sinks"] }),
  feature("compaction", { imports: [...FORMATS, "reader"], types: ["object-store"] }),
  feature("replay", {
    imports: [...FORMATS, "reader"],
    types: ["object-store", "sinks", "auth"],
    packages: [HONO_IN_ROUTES],
  }),
  feature("admin", {
    imports: ["archive", "reader"],
    types: ["buffer", "compaction", "replay", "auth", "object-store"],
    packages: [HONO_IN_ROUTES],
  }),
  feature("console", {
    imports: ["archive", "reader"],
    types: ["buffer", "compaction", "replay", "auth"],
    packages: [HONO_IN_ROUTES],
  }),
  feature("langfuse", { imports: ["otlp"], types: ["ingest", "auth"], packages: [HONO_IN_ROUTES] }),
  feature("media", { types: ["object-store", "auth"], packages: [HONO_IN_ROUTES] }),
  feature("table-export", {
    imports: [...FORMATS, "reader"],
    types: ["object-store", "auth"],
    packages: [HONO_IN_ROUTES],
  }),
  { name: "durable-objects", kind: "root", imports: ["*"], types: [], packages: [{ name: "cloudflare:workers" }] },
  { name: "app", kind: "root", imports: ["*"], types: [], packages: [{ name: "hono" }] },
  { name: "schedule", kind: "root", imports: ["*"], types: [], packages: [] },
  { name: "index", kind: "root", imports: ["app", "schedule", "durable-objects", "config"], types: [], packages: [] },
];

/** Files that a Durable Object's shell does not know: the other roots, and what speaks HTTP. */
export const HTTP_SIDE: RegExp = /^src\/(index|app|schedule)\.ts$|\/(routes|middleware)\.ts$/;

/** Rooms that `cli/` may import (I11). */
export const CLI_IMPORTS: readonly string[] = [...FORMATS, ...V, "config"];
