/**
 * `docs/conformance.md` claims a test for every requirement: each file that it names exists, and holds the title that
 * stands beside it. `…` in a title stands for what differs from case to case.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const CLAIM = /`(test\/[^`]+\.ts)`: (.+?)(?= <br>| \|(?: |$))/g;
/** Fewer would mean that the page is no longer read as it is written. */
const MIN_CLAIMS = 150;

interface Claim {
  readonly file: string;
  readonly title: string;
}

function readClaims(): readonly Claim[] {
  const lines = readFileSync(join(ROOT, "docs/conformance.md"), "utf8").split("\n");
  return lines.flatMap((line) =>
    [...line.matchAll(CLAIM)].map(([, file = "", title = ""]) => ({ file, title: title.replaceAll("\\|", "|") })),
  );
}

/** Says whether a test file has a test of this title; its source is searched, where titles may be templates. */
function holdsTitle({ file, title }: Claim): boolean {
  const path = join(ROOT, file);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, "utf8").replaceAll('\\"', '"');
  return title.split("…").every((fragment) => source.includes(fragment.trim()));
}

test("docs/conformance.md names tests that exist", () => {
  const claims = readClaims();

  expect(claims.filter((claim) => !holdsTitle(claim))).toEqual([]);
  expect(claims.length).toBeGreaterThanOrEqual(MIN_CLAIMS);
});

test("docs/conformance.md claims a test in every row", () => {
  const rows = readFileSync(join(ROOT, "docs/conformance.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| \d/.test(line));

  expect(rows.filter((row) => !row.includes("`test/"))).toEqual([]);
});
