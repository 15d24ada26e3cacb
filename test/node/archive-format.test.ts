import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeMemberTable, encodeMemberTable } from "../../src/archive/member-table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/archive-format.md"), "utf8");

test("docs/archive-format.md shows a member table as it is written", () => {
  const example = /```json\n([^`]+)```/.exec(PAGE)?.[1] ?? "";

  const encoded = encodeMemberTable(decodeMemberTable(new TextEncoder().encode(example)));

  expect(new TextDecoder().decode(encoded)).toBe(example);
});
