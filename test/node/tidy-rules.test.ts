import { describe, expect, test } from "vitest";
import type { SourceFile } from "../../scripts/source-scan.ts";
import { checkTidiness } from "../../scripts/tidy-rules.ts";

const README: SourceFile = { path: "src/otlp/README.md", text: "# otlp\nOwns bytes.\nFiles: `a.ts` the walk\n" };

function check(...files: readonly SourceFile[]): readonly string[] {
  return checkTidiness(files).map(({ path, line, rule }) => `${path}:${line} ${rule}`);
}

function source(body: string, header = "/** The walk. */"): SourceFile {
  return { path: "src/otlp/a.ts", text: `${header}\n${body}\n` };
}

describe("checkTidiness()", () => {
  test("finds no fault in a tidy room", () => {
    expect(check(README, source("export const x = 1;"))).toEqual([]);
  });

  test.each([
    ["a long line", source(`export const x = "${"y".repeat(120)}";`), "2 line"],
    ["a default export", source("export default 1;"), "2 default"],
    ["an open end", source("// TO".concat("DO: later")), "2 todo"],
    ["a long file", source("\n".repeat(300)), "301 size"],
  ])("reports %s", (_what, file, expected) => {
    expect(check(README, file)).toEqual([`src/otlp/a.ts:${expected}`]);
  });

  test("lets a hot path that names its benchmark be long", () => {
    const header = "/**\n * Hot path: see bench/otlp-walk.ts.\n */";

    expect(check(README, source("\n".repeat(400), header))).toEqual([]);
  });

  test("lets an open end with an issue stand", () => {
    expect(check(README, source("// TO".concat("DO(#12) later")))).toEqual([]);
  });

  test("reports a file without a header", () => {
    expect(check(README, { path: "src/otlp/a.ts", text: "export const x = 1;\n" })).toEqual(["src/otlp/a.ts:1 header"]);
  });

  test.each(["it.skip", "test.only", "describe.todo", "test.concurrent.skip"])("reports %s", (call) => {
    expect(check({ path: "test/a.test.ts", text: `${call}("x", go);\n` })).toEqual(["test/a.test.ts:1 skip"]);
  });

  test.each([
    ["without README", undefined, "1 readme"],
    ["whose README is long", "x\n".repeat(25).concat("Files: `a.ts`\n"), "26 readme"],
    ["whose README names no files", "# otlp\n", "1 readme"],
    ["whose README names what is gone", "Files: `a.ts` the walk\n`b.ts` gone\n", "2 readme"],
    ["whose README misses a file", "Files:\n", "1 readme"],
  ])("reports a room %s", (_what, text, expected) => {
    const readme = text === undefined ? [] : [{ path: README.path, text }];

    expect(check(...readme, source("export const x = 1;"))).toEqual([`src/otlp/README.md:${expected}`]);
  });

  test("lets a README name a folder for all its files", () => {
    const readme = { path: "src/object-store/README.md", text: "Files: `r2/` the R2 store\n" };

    expect(check(readme, { path: "src/object-store/r2/a.ts", text: "/** R2. */\n" })).toEqual([]);
  });

  test("follows links of pages", () => {
    const page = { path: "docs/a.md", text: "[b](b.md#x) [src](../src/) [web](https://x.y) [no](c.md) [in](#y)\n" };
    const others = ["docs/b.md", "src/b.md"].map((path) => ({ path, text: "" }));

    expect(check(page, ...others)).toEqual(["docs/a.md:1 link"]);
  });
});
