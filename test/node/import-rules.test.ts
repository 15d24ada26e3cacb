import { describe, expect, test } from "vitest";
import { checkImports } from "../../scripts/import-rules.ts";
import { BANNED_NAMES, ROOMS } from "../../scripts/rooms.ts";

/** A repository of the file under test and of what it may import. */
function check(path: string, text: string, others: readonly string[] = []): readonly string[] {
  const files = [{ path, text }, ...others.map((other) => ({ path: other, text: "export const x = 1;\n" }))];
  return checkImports(files).map(({ path: at, line, rule }) => `${at}:${line} ${rule}`);
}

describe("checkImports()", () => {
  test.each([
    ["I1", "src/units.ts", 'import { x } from "./log.ts";', "src/log.ts"],
    ["I1", "src/buffer/a.ts", 'import { x } from "../object-store/contract.ts";', "src/object-store/contract.ts"],
    ["I1", "src/object-store/a.ts", 'import { x } from "../ingest/a.ts";', "src/ingest/a.ts"],
    ["I1", "src/durable-objects/a.ts", 'import { x } from "../app.ts";', "src/app.ts"],
    ["I1", "src/durable-objects/a.ts", 'import { x } from "../replay/routes.ts";', "src/replay/routes.ts"],
    ["I1", "src/index.ts", 'import { x } from "./replay/a.ts";', "src/replay/a.ts"],
    ["I1", "src/log.ts", 'import { x } from "./config.ts";', "src/config.ts"],
    ["I2", "src/replay/a.ts", 'import type { X } from "../ingest/contract.ts";', "src/ingest/contract.ts"],
    ["I2", "src/ingest/a.ts", 'import { x } from "../buffer/contract.ts";', "src/buffer/contract.ts"],
    ["I2", "src/ingest/a.ts", 'import type { X } from "../buffer/append.ts";', "src/buffer/append.ts"],
    ["I3", "src/otlp/a.ts", 'import { x } from "../archive/a.ts";', "src/archive/a.ts"],
    ["I3", "src/otlp/a.ts", "export const now = (): number => Date.now();", ""],
    ["I3", "src/otlp/a.ts", "export const now = (): Date => new Date();", ""],
    ["I3", "src/archive/a.ts", "export const id = (): number => Math.random();", ""],
    ["I3", "src/archive/a.ts", "export const id = crypto.getRandomValues(new Uint8Array(4));", ""],
    ["I3", "src/archive/a.ts", 'export const get = (): unknown => fetch("x");', ""],
    ["I3", "src/compression/a.ts", "console.log(1);", ""],
    ["I3", "src/compression/a.ts", "setTimeout(go, 1);", ""],
    ["I4", "src/replay/mark.ts", 'import { Hono } from "hono";', ""],
    ["I4", "src/buffer/routes.ts", 'import { Hono } from "hono";', ""],
    ["I4", "src/auth/grant.ts", 'import { cors } from "hono/cors";', ""],
    ["I5", "src/buffer/a.ts", 'import { env } from "cloudflare:workers";', ""],
    ["I6", "src/object-store/r2/a.ts", 'import { AwsClient } from "aws4fetch";', ""],
    ["I7", "src/app.ts", "export const x = (env: Env): string => env.ARCHIVE_PREFIX;", ""],
    ["I7", "src/app.ts", "export const x = (env: Env): string => env?.ARCHIVE_PREFIX;", ""],
    ["I7", "src/app.ts", 'export const x = (env: Env): string => env["A"];', ""],
    ["I7", "src/durable-objects/a.ts", "const { ARCHIVE } = this.env;", ""],
    ["I8", "src/archive/a.ts", 'import { gunzipSync } from "node:zlib";', ""],
    ["I8", "src/compression/a.ts", 'import { createHash } from "node:crypto";', ""],
    ["I9", "src/otlp/index.ts", "export const x = 1;", ""],
    ["I9", "src/otlp/a.ts", 'import { x } from "./b";', ""],
    ["I9", "src/otlp/a.ts", 'import { x } from "./gone.ts";', ""],
    ["I9", "src/otlp/a.ts", 'export * from "./b.ts";', "src/otlp/b.ts"],
    ["I10", "src/otlp/utils.ts", "export const x = 1;", ""],
    ["I10", "scripts/helper.ts", "export const x = 1;", ""],
    ["I11", "src/otlp/a.ts", 'import { x } from "../../bench/a.ts";', "bench/a.ts"],
    ["I11", "cli/a.ts", 'import { x } from "../src/replay/a.ts";', "src/replay/a.ts"],
    ["I12", "src/otlp/a.ts", 'import pako from "pako";', ""],
  ])("reports %s in %s: %s", (rule, path, text, other) => {
    const found = check(path, `\n${text}\n`, other === "" ? [] : [other]);

    expect(found.filter((fault) => fault.endsWith(` ${rule}`)).length).toBeGreaterThan(0);
  });

  test.each([
    ["src/otlp/a.ts", 'import { MIB } from "../units.ts";', "src/units.ts"],
    ["src/otlp/a.ts", "export const at = (ms: number): Date => new Date(ms);", ""],
    ["src/otlp/a.ts", 'export const text = "Date.now() and fetch()"; // console.log', ""],
    ["src/compression/a.ts", 'import { gunzipSync } from "node:zlib";', ""],
    ["src/buffer/a.ts", 'import type { X } from "../object-store/contract.ts";', "src/object-store/contract.ts"],
    ["src/buffer/a.ts", 'import type { X } from "../config.ts";', "src/config.ts"],
    ["src/ingest/a.ts", 'import type { X } from "../buffer/contract.ts";', "src/buffer/contract.ts"],
    ["src/replay/routes.ts", 'import { Hono } from "hono";', ""],
    ["src/auth/middleware.ts", 'import { createMiddleware } from "hono/factory";', ""],
    ["src/object-store/s3/a.ts", 'import { AwsClient } from "aws4fetch";', ""],
    ["src/durable-objects/a.ts", 'import { DurableObject } from "cloudflare:workers";', ""],
    ["src/durable-objects/a.ts", 'import { x } from "../buffer/append.ts";', "src/buffer/append.ts"],
    ["src/config.ts", "export const x = (env: Env): string => env.ARCHIVE_PREFIX;", ""],
    ["src/app.ts", "export const x = (env: Env): void => open(env);", ""],
    ["cli/a.ts", 'import { x } from "../src/archive/a.ts";', "src/archive/a.ts"],
  ])("allows in %s: %s", (path, text, other) => {
    expect(check(path, `${text}\n`, other === "" ? [] : [other])).toEqual([]);
  });

  test("reports a cycle of types once, with its way", () => {
    const violations = checkImports([
      { path: "src/otlp/a.ts", text: 'import type { B } from "./b.ts";\n' },
      { path: "src/otlp/b.ts", text: 'import type { A } from "./a.ts";\n' },
    ]);

    expect(violations).toHaveLength(1);
    expect(violations[0]?.message).toContain("src/otlp/a.ts → src/otlp/b.ts → src/otlp/a.ts");
  });

  test("names the line", () => {
    expect(check("src/otlp/a.ts", '\n\nimport pako from "pako";\n')).toEqual(["src/otlp/a.ts:3 I12"]);
  });
});

describe("ROOMS", () => {
  test("has arrows that point up only", () => {
    const order = ROOMS.map(({ name }) => name);
    const downward = ROOMS.filter(({ kind }) => kind !== "root" && kind !== "vocabulary").flatMap((room) =>
      [...room.imports, ...room.types]
        .filter((other) => order.indexOf(other) >= order.indexOf(room.name))
        .map((other) => `${room.name} → ${other}`),
    );

    expect(downward).toEqual([]);
  });

  test("names every room once", () => {
    expect(new Set(ROOMS.map(({ name }) => name)).size).toBe(ROOMS.length);
    expect(ROOMS.filter(({ name }) => BANNED_NAMES.has(name))).toEqual([]);
  });
});
