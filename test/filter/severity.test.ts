import { expect, test } from "vitest";
import { MAX_SEVERITY, readSeverityName, SEVERITY_NAMES } from "../../src/filter/severity.ts";

test("readSeverityName() numbers the names as the data model of logs does", () => {
  const numbers = SEVERITY_NAMES.flatMap((name) => [name, `${name}2`, `${name}3`, `${name}4`].map(readSeverityName));

  expect(numbers).toEqual(Array.from({ length: MAX_SEVERITY }, (_, index) => index + 1));
});

test.each([
  ["WARN", 13],
  ["Warning", 13],
  ["eRRoR3", 19],
  ["warning2", null],
  ["info1", null],
  ["info5", null],
  ["notice", null],
  ["", null],
  ["info ", null],
  ["17", null],
])("readSeverityName() reads %j as %j", (text, expected) => {
  expect(readSeverityName(text)).toBe(expected);
});
