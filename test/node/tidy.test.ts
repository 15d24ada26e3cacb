import { expect, test } from "vitest";
import { checkRepository, formatViolation } from "../../scripts/check-imports.ts";

test("checkRepository() finds no fault in this repository", () => {
  const violations = checkRepository();

  expect(violations.map(formatViolation)).toEqual([]);
});
