import { describe, expect, test } from "vitest";
import { listImports, scanSource } from "../../scripts/source-scan.ts";

describe("scanSource()", () => {
  test.each([
    ["a comment", "a /* b */ c // d\ne", "a         c     \ne"],
    ["a string", `f("b'c") + 'd"e'`, `f("   ") + '   '`],
    ["a regular expression", 'x = /[/]"b`/; y', "x = /      / ; y"],
    ["a template", "`a${b + `c${d}`}e` + f", "` ${b + ` ${d}`} ` + f"],
  ])("keeps offsets and blanks the inside of %s", (_what, source, expected) => {
    const { code } = scanSource(source);

    expect(code).toHaveLength(source.length);
    expect(code.replaceAll(/[^\w+]/g, "")).toBe(expected.replaceAll(/[^\w+]/g, ""));
  });

  test("takes a division for what it is", () => {
    expect(scanSource("a / b / c; // d").code.trim()).toBe("a / b / c;");
  });

  test("keeps comments apart", () => {
    expect(scanSource('x; // "y"').comments.trim()).toBe('// "y"');
  });
});

describe("listImports()", () => {
  test("reads every shape of import, with its line", () => {
    const source = [
      'import a from "./a.ts";',
      "import {",
      "  b,",
      '} from "./b.ts";',
      'import type { C } from "./c.ts";',
      'import { type D, type E } from "./d.ts";',
      'export { f } from "./f.ts";',
      'export * from "./g.ts";',
      'import "./h.ts";',
      'const i = await import("./i.ts");',
      '// import j from "./j.ts";',
      "const k = 'import k from \"./k.ts\"';",
    ].join("\n");

    const found = listImports(scanSource(source)).map(({ specifier, typeOnly, reExport, line }) =>
      [line, specifier, typeOnly ? "type" : "value", reExport ? "again" : ""].join(" ").trim(),
    );

    expect(found).toEqual([
      "1 ./a.ts value",
      "2 ./b.ts value",
      "5 ./c.ts type",
      "6 ./d.ts type",
      "7 ./f.ts value again",
      "8 ./g.ts value again",
      "9 ./h.ts value",
      "10 ./i.ts value",
    ]);
  });
});
