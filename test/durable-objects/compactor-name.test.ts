import { describe, expect, it } from "vitest";
import { formatCompactorName, parseCompactorName } from "../../src/durable-objects/compactor-name.ts";

describe("formatCompactorName()", () => {
  it.each([
    ["-/traces", { tenant: "", signal: "traces" }],
    ["acme/logs", { tenant: "acme", signal: "logs" }],
  ] as const)("makes %s, which parseCompactorName() reads", (name, identity) => {
    expect(formatCompactorName(identity)).toBe(name);
    expect(parseCompactorName(name)).toEqual(identity);
  });
});

describe("parseCompactorName()", () => {
  it.each(["", "-", "/traces", "-/profiles", "-/spans", "acme/traces/0"])("refuses %s", (name) => {
    expect(parseCompactorName(name)).toBeNull();
  });
});
